"""The machine under any sequence of events, also senseless ones.

Real runs are recorded, then cut, doubled, swapped and mixed with each other. Whatever comes, the
machine never raises, never commands what is forbidden, and never comes to a dead end. The gate's
conditions are worked out anew here, from the raw events.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import conflict, same_records
from route53_takeover.core.endings import Outcome
from route53_takeover.core.events import Switch
from route53_takeover.core.plan.model import Strategy
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.commands import WriteBatch
from route53_takeover.core.takeover.deadman_state import DeadmanStatus
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.invariants import broken_promises, violations
from route53_takeover.core.takeover.name_state import ABSENT_STAGES
from route53_takeover.core.takeover.phases import LIVE, Phase
from route53_takeover.core.takeover.polling import polls, stack_polls
from route53_takeover.core.takeover.step import step
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.runner import options_of, rehearse_once
from route53_takeover.simulation.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.domain.stacks import StackEvent
    from route53_takeover.core.takeover.state import State

Events = tuple[ev.AnyEvent, ...]
FORWARD = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}


@cache
def recorded(scenario: str, *, faulty: bool) -> Events:
    """A real run; a faulty one has lost answers and a kill in it."""
    faults = Faults(lost=frozenset({2, 3}), kills=(30,), downtimes=(2.0,)) if faulty else Faults()
    chosen = SCENARIOS[scenario]
    options = replace(
        options_of(chosen), restore_after=4.0 if scenario == "never-created" else None
    )
    return rehearse_once(chosen, "property", faults, options=options).events


NAME = "www.example.com."
KEYS: Events = (
    ev.RunPaused(time=0.0),
    ev.RunUnpaused(time=0.0),
    ev.HoldCut(time=0.0, name=NAME),
    ev.ReleaseConfirmed(time=0.0, name=NAME),
    ev.DeadmanExtended(time=0.0, name=NAME, seconds=60.0),
    ev.DeadmanExtended(time=0.0, name="else.example.com.", seconds=-1.0),
    ev.RestoreAsked(time=0.0),
    ev.AbortAsked(time=0.0),
)


@cache
def pool() -> Events:
    """Everything that ever happened in any of them, and what seldom does."""
    found: list[ev.AnyEvent] = [
        event
        for name in SCENARIOS
        for faulty in (False, True)
        for event in recorded(name, faulty=faulty)
        if not isinstance(event, ev.RunStarted)
    ]
    name = NAME
    found += [
        ev.Interrupted(time=0.0, signal="SIGINT"),
        ev.JournalFailed(time=0.0, reason="disk full"),
        ev.RunResumed(time=0.0),
        ev.BackupFailed(time=0.0, reason="read-only"),
        ev.DeadmanTested(time=0.0, name="else.example.com."),
        ev.DeadmanTested(time=0.0, name=name, reason="denied"),
        *(
            ev.DeadmanAnswered(time=0.0, id=f"rehearsal--{n}", name=name, answer=answer)
            for n in range(1, 5)
            for answer in ev.DeadmanAnswer
        ),
        ev.BaselineUnread(time=0.0, reason="throttled"),
        ev.RootUndescribed(time=0.0, reason="throttled"),
        ev.NameUnread(time=0.0, name=name, reason="throttled"),
        ev.NameRead(time=0.0, name=name, began=0.0, records=()),
        ev.NameRead(time=0.0, name="else.example.com.", began=0.0, records=()),
        ev.DeployExited(time=0.0, switch=Switch.ON, code=None),
        ev.DeployExited(time=0.0, switch=Switch.OFF, code=1),
        *KEYS,
        *(
            kind(time=0.0, id=f"rehearsal-{n}", name=name, reason="r")
            for n in range(1, 6)
            for kind in (ev.WriteUnknown, ev.WriteHeldOff)
        ),
        *(
            ev.WriteRefused(time=0.0, id=f"rehearsal-{n}", name=name, code="c", reason="r")
            for n in range(1, 6)
        ),
        *(
            ev.WriteAccepted(time=0.0, id=f"rehearsal-{n}", name=name, change_id=f"C{n}")
            for n in range(1, 6)
        ),
    ]
    return tuple(found)


@st.composite
def histories(draw: st.DrawFn) -> Events:
    """A recorded run, disturbed; or nothing but noise."""
    name = draw(st.sampled_from(sorted(SCENARIOS)))
    run = list(recorded(name, faulty=draw(st.booleans())))
    if draw(st.integers(0, 3)) == 0:
        run[0] = _to_confirm(run[0])
    if draw(st.integers(0, 4)) == 0:
        noise = draw(st.lists(st.sampled_from(pool()), max_size=40))
        return (run[0], *noise)
    run = run[: draw(st.integers(1, len(run)))]
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(1, len(run)))
        match draw(
            st.sampled_from(
                ["cut", "double", "swap", "insert", "insert", "repeat late", "key", "key"]
            )
        ):
            case "cut":
                del run[at : at + draw(st.integers(1, 4))]
            case "double":
                run[at:at] = run[at : at + 1]
            case "swap":
                run[at : at + 2] = run[at : at + 2][::-1]
            case "insert":
                event = draw(st.sampled_from(pool()))
                before = run[at - 1].time
                run.insert(at, _at(event, before + draw(st.sampled_from([0.0, 0.1, 30.0]))))
            case "key":
                run.insert(at, _at(draw(st.sampled_from(KEYS)), run[at - 1].time))
            case _:
                run.append(run[at - 1])
    return tuple(run)


def _to_confirm(event: ev.AnyEvent) -> ev.RunStarted:
    """The same run with ``--confirm-release``."""
    assert isinstance(event, ev.RunStarted)
    options = replace(event.plan.options, confirm_release=True)
    return replace(event, plan=replace(event.plan, options=options))


def _at(event: ev.AnyEvent, time: float) -> ev.AnyEvent:
    if isinstance(event, ev.NameRead | ev.StackPolled | ev.RootDescribed | ev.ResourcesRead):
        return replace(event, time=time, began=time - 0.05)
    return replace(event, time=time)


class Witness:
    """Works the gate's conditions out from the raw events, apart from the program."""

    def __init__(self) -> None:
        self.backed_up = False
        self.journal_lost = False
        self.reads: dict[str, ev.NameRead] = {}
        self.slowest = 0.0
        self.items: dict[tuple[str, str], StackEvent] = {}
        self.first_seen: dict[tuple[str, str], float] = {}
        self.old: set[str] = set()
        self.cut_at: dict[str, float] = {}
        self.agreed_at: dict[str, float] = {}
        self.elsewhere: dict[str, str] = {}
        self.deadmen: dict[str, ev.DeadmanIntended] = {}
        self.running: set[str] = set()

    def sees(self, event: ev.AnyEvent) -> None:
        if isinstance(event, ev.NameRead | ev.StackPolled | ev.ResourcesRead | ev.RootDescribed):
            self.slowest = max(self.slowest, event.time - event.began)
        match event:
            case ev.BackupWritten():
                self.backed_up = True
            case ev.JournalFailed():
                self.journal_lost = True
            case ev.NameRead():
                self.reads[event.name] = event
            case ev.NamesAnswered() if event.name.startswith("takeover-"):
                self.elsewhere |= event.statuses
            case ev.DeadmanIntended():
                self.deadmen[event.id] = event
            case ev.DeadmanAnswered():
                runs = event.answer in (ev.DeadmanAnswer.STARTED, ev.DeadmanAnswer.FOUND)
                over = event.answer in (ev.DeadmanAnswer.STOPPED, ev.DeadmanAnswer.ENDED)
                self.running |= {event.id} if runs else set()
                self.running -= {event.id} if over else set()
            case ev.HoldCut():
                self.cut_at[event.name] = self.agreed_at[event.name] = event.time
            case ev.ReleaseConfirmed():
                self.agreed_at[event.name] = event.time
            case ev.BaselineRead():
                self.items, self.first_seen = {}, {}
                self.old = set(event.newest.values())
            case ev.StackPolled():
                for item in event.events:
                    reported = (item.stack_id, item.event_id)
                    if reported not in self.items and item.event_id not in self.old:
                        self.items[reported] = item
                        if item.status == "CREATE_IN_PROGRESS":
                            key = (item.stack_id, item.logical_id)
                            self.first_seen.setdefault(key, event.time)
            case _:
                pass

    def newest(self, stack: str, logical_id: str | None) -> str:
        """The status of a resource, or of the stack itself, by AWS's own times."""
        found = [
            item
            for item in self.items.values()
            if item.stack_id == stack
            and (item.is_of_stack if logical_id is None else item.logical_id == logical_id)
        ]
        return max(found, key=lambda item: item.timestamp).status if found else ""

    def allows(self, state: State, write: WriteBatch) -> bool:
        """Whether this release may be."""
        now = state.now
        deletes = [c.record for c in write.changes if c.action == "DELETE"]
        if len(deletes) != len(write.changes) or not self.backed_up or self.journal_lost:
            return False
        if state.paused and not _without_write(state).ever_released:
            return False
        read = self.reads.get(write.name)
        if read is None or state.given_up or not self.is_rescued(state, write.name):
            return False
        if now - read.time > 2.0 + 2 * self.slowest:
            return False  # slow answers make what they say last longer, and nothing else does
        if any(m.strategy is Strategy.BRIDGE for m in state.plan.manuals):
            # Before the deploy, and only where a name that a wildcard alone covers is answered.
            answered = set(self.elsewhere.values()) == {"answer"}
            return answered and not state.deploys.get(Switch.ON) and deletes == list(read.records)
        for item in self.items.values():
            desired = [each.record for each in (item.desired, *item.members) if each is not None]
            here = [record for record in desired if record.key.name == write.name]
            there = [r for r in read.records if any(conflict(r, each) for each in here)]
            if not there:
                continue
            since = self.first_seen.get((item.stack_id, item.logical_id), now)
            held = now - since
            agreed_at = self.agreed_at.get(write.name, -1.0)
            agreed = agreed_at >= since or not state.plan.options.confirm_release
            if (
                agreed
                and same_records(there, deletes)
                and self.newest(item.stack_id, item.logical_id) == "CREATE_IN_PROGRESS"
                and self.newest(item.stack_id, None) in FORWARD
                and self.newest(state.root.stack_id, None) in FORWARD
                and (held >= 2.0 or self.cut_at.get(write.name, -1.0) >= since)
            ):
                return True
        return False

    def is_rescued(self, state: State, name: str) -> bool:
        """Whether a deadman in AWS runs for the name, and fires late enough, if there is to be."""
        return state.plan.options.cloud_deadman is None or any(
            self.deadmen[id_].name == name
            and self.deadmen[id_].time + self.deadmen[id_].seconds >= state.now + 120.0
            for id_ in self.running & self.deadmen.keys()
        )


def _without_write(state: State) -> State:
    names = {key: replace(name, write=None) for key, name in state.names.items()}
    return replace(state, names=names)


def check(history: Sequence[ev.AnyEvent], *, intend: bool) -> State:
    """Runs the machine over it, as the engine would, and asserts all that must hold."""
    witness = Witness()
    sent: set[str] = set()
    state: State | None = None
    todo = list(history)
    while todo:
        event = todo.pop(0)
        if state is not None and event.time < state.now and isinstance(event, ev.TimePassed):
            continue  # the engine's clock does not go back
        if state is not None and state.ending is not None and not isinstance(event, ev.RunResumed):
            continue  # an engine whose run has ended takes nothing in
        if isinstance(event, ev.WriteIntended) and not witness.backed_up:
            continue  # an engine sends nothing before the backup is on disk
        witness.sees(event)
        state, commands = step(state, event)
        for command in commands:
            if not isinstance(command, WriteBatch):
                continue
            assert violations(state, command, frozenset(sent)) == ()
            assert {c.record.key for c in command.changes} <= state.plan.written_keys
            assert command.id not in sent
            sent.add(command.id)
            if command.purpose is Purpose.RELEASE:
                assert witness.allows(state, command)
            if intend:
                todo.insert(
                    0,
                    ev.WriteIntended(
                        time=state.now,
                        id=command.id,
                        name=command.name,
                        purpose=command.purpose,
                        changes=command.changes,
                    ),
                )
        assert state.wake_at is None or state.wake_at > state.now
        _assert_no_dead_end(state)
        assert broken_promises(state) == ()
    assert state is not None
    return state


def _assert_no_dead_end(state: State) -> None:
    if state.phase is Phase.ENDED:
        assert state.ending is not None
        empty = any(h.stage in ABSENT_STAGES for h in state.handovers)
        assert not empty or state.ending.outcome is Outcome.UNKNOWN
        return
    under_way = bool(state.in_flight) or any(
        name.write is not None for name in state.names.values()
    )
    under_way |= any(d.status is DeadmanStatus.STARTING for d in state.deadmen.values())
    waits = state.is_early and state.is_paused  # for the operator
    assert under_way or state.wake_at is not None or polls(state) or waits, state.phase
    if state.baseline is not None and state.phase in LIVE:
        assert stack_polls(state)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.booleans())
@example(recorded("rolled-back", faulty=True), True)
@example(recorded("nested", faulty=False), False)
def test_no_sequence_of_events_makes_the_machine_break_a_promise(
    history: Events, intend: bool
) -> None:
    check(history, intend=intend)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_folding_is_deterministic(history: Events) -> None:
    def folded() -> State | None:
        state: State | None = None
        for event in history:
            state, _ = step(state, event)
        return state

    assert folded() == folded()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_an_event_that_is_reported_twice_changes_nothing_the_second_time(history: Events) -> None:
    """What CloudFormation repeats is not new."""
    state: State | None = None
    for event in history:
        state, _ = step(state, event)
        if isinstance(event, ev.StackPolled) and state.phase is not Phase.ENDED:
            again, _ = step(state, event)
            assert again.stacks == state.stacks
