"""The operator's keys: each key does what it says, in its time, once, and nothing else."""

from __future__ import annotations

import typing
from functools import cache, partial
from io import StringIO
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from msgspec.structs import replace

from route53_takeover.base.errors import ExitCode
from route53_takeover.core.domain.stacks import RECORD_SET, StackResource
from route53_takeover.core.endings import Ending, Outcome, Stop
from route53_takeover.core.events import Switch
from route53_takeover.core.status.choices import Act, Confirmation, choices, event_of
from route53_takeover.core.takeover import commands as cmd
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.fold_requests import PUT_BACK, asked
from route53_takeover.core.takeover.name_state import RecordStatus
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.release_gate import Condition, release_gates
from route53_takeover.core.takeover.step import step
from route53_takeover.core.timing import EXTENSION, OTHER_HOLD
from route53_takeover.output.text_lines import TextLines
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.runner import options_of, rehearse_once
from route53_takeover.simulation.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from route53_takeover.core.takeover.name_state import NameState
    from route53_takeover.core.takeover.state import State
    from route53_takeover.simulation.chaos import harness as rehearsed
    from route53_takeover.simulation.chaos.oracle import Rehearsal

NAME = "www.example.com."
EARLY = (
    Phase.BACKUP,
    Phase.LOWER_TTL,
    Phase.DRAIN,
    Phase.DEPLOY_OFF,
    Phase.PROVE,
    Phase.DEPLOY_ON,
)


@cache
def history(scenario: str, *, confirm: bool = False) -> tuple[ev.AnyEvent, ...]:
    return rehearse(scenario, confirm_release=confirm).events


def states(
    scenario: str, *, confirm: bool = False
) -> Iterator[tuple[State, ev.AnyEvent, tuple[cmd.AnyCommand, ...]]]:
    """Each state of a real run, with the event and the commands that came with it."""
    state: State | None = None
    for event in history(scenario, confirm=confirm):
        state, commands = step(state, event)
        yield state, event, commands


def last_in(scenario: str, phase: Phase) -> State:
    return [s for s, _, _ in states(scenario) if s.phase is phase][-1]


def with_name(state: State, **changes: Any) -> State:
    return replace(state, names={**state.names, NAME: replace(state.names[NAME], **changes)})


def key(kind: type[ev.OperatorEvent], state: State, **about: Any) -> ev.OperatorEvent:
    return kind(time=state.now, **about)


def pressed(state: State, kind: type[ev.OperatorEvent], **about: Any) -> State:
    return step(state, key(kind, state, **about))[0]


def offered(state: State) -> set[tuple[Act, str]]:
    return {(choice.act, choice.name) for choice in choices(state)}


class Keys:
    """Presses keys in a rehearsal: each once, so many seconds after its condition first holds."""

    def __init__(self, *plan: tuple[Callable[[State], bool], float, ev.OperatorEvent]) -> None:
        self.plan = list(plan)

    def saw(self, stage: rehearsed.Harness, _event: ev.AnyEvent, state: State) -> None:
        for entry in [entry for entry in self.plan if entry[0](state)]:
            self.plan.remove(entry)
            _, delay, event = entry
            stage.later(delay, partial(self._press, stage, event))

    @staticmethod
    def _press(stage: rehearsed.Harness, event: ev.OperatorEvent) -> None:
        stage.engine.submit(replace(event, time=stage.clock.now()))


def rehearse(
    scenario: str,
    *plan: tuple[Callable[[State], bool], float, ev.OperatorEvent],
    **options: Any,
) -> Rehearsal:
    chosen = SCENARIOS[scenario]
    rehearsal = rehearse_once(
        chosen,
        "keys",
        Faults(),
        options=replace(options_of(chosen), **options),
        saw=Keys(*plan).saw,
    )
    assert rehearsal.broken == ()
    assert not rehearsal.absent
    return rehearsal


def in_phase(phase: Phase) -> Callable[[State], bool]:
    return lambda state: state.phase is phase


def is_held(state: State) -> bool:
    """Whether CloudFormation is at it, and the hold goes on."""
    gates = (g for name in state.names.values() for g in release_gates(state, name))
    return any(Condition.HOLD in gate.unmet for gate in gates)


def releases(rehearsal: Rehearsal) -> list[float]:
    return [
        e.time
        for e in rehearsal.events
        if isinstance(e, ev.WriteIntended) and e.purpose is Purpose.RELEASE
    ]


def time_of(rehearsal: Rehearsal, kind: type[ev.AnyEvent]) -> float:
    return next(event.time for event in rehearsal.events if isinstance(event, kind))


PAUSE, GO_ON = ev.RunPaused(time=0.0), ev.RunUnpaused(time=0.0)
CUT, CONFIRM = ev.HoldCut(time=0.0, name=NAME), ev.ReleaseConfirmed(time=0.0, name=NAME)
RESTORE, ABORT = ev.RestoreAsked(time=0.0), ev.AbortAsked(time=0.0)
EXTEND = ev.DeadmanExtended(time=0.0, name=NAME, seconds=EXTENSION)

# -- what is offered is what works


@pytest.mark.parametrize(
    ("scenario", "confirm"),
    [*((scenario, False) for scenario in SCENARIOS), ("alias", True), ("adopted", True)],
)
def test_what_is_offered_works_and_what_is_not_offered_changes_nothing(
    scenario: str, confirm: bool
) -> None:
    for state, _, _ in states(scenario, confirm=confirm):
        for act in Act:
            named = act in (Act.RELEASE_NOW, Act.CONFIRM_RELEASE, Act.EXTEND_DEADMAN)
            name = NAME if named else ""
            event = event_of(act, name, time=state.now)
            works = asked(state, event) is not state
            assert works == ((act, name) in offered(state)), (state.phase, act)


def test_every_key_is_offered_at_some_time() -> None:
    seen = {
        act
        for scenario in ("alias", "never-created")
        for confirm in (False, True)
        for state, _, _ in states(scenario, confirm=confirm)
        for act, _ in offered(state)
    }
    assert seen == set(Act) - {Act.GO_ON}
    assert (Act.GO_ON, "") in offered(pressed(last_in("alias", Phase.WATCH), ev.RunPaused))


def test_each_choice_says_in_sentences_what_it_deletes_and_what_brings_it_back() -> None:
    deletes = {Act.RELEASE_NOW, Act.CONFIRM_RELEASE}
    standing = "www.example.com A alias to d1old.cloudfront.net"
    for confirm in (False, True):
        for state, _, _ in states("never-created", confirm=confirm):
            for choice in choices(state):
                by_name = choice.confirmation is Confirmation.NAME
                assert by_name == (choice.act in deletes) == choice.effect.startswith("Deletes ")
                for text in (choice.effect, choice.unchanged, choice.undo):
                    assert text[0].isupper()
                    assert text.endswith(".")
                if choice.act in (Act.RELEASE_NOW, Act.CONFIRM_RELEASE):
                    assert choice.effect.startswith(f"Deletes {standing}")
                    assert f"creates {standing} again" in choice.undo
                if choice.act is Act.RESTORE:
                    assert choice.effect.startswith(f"Creates {standing} again")
                if choice.act is Act.EXTEND_DEADMAN:
                    assert "60 s" in choice.effect
                    assert standing in choice.undo


def test_an_abort_names_the_records_whose_ttl_it_puts_back() -> None:
    (abort,) = [c for c in choices(last_in("cname", Phase.DRAIN)) if c.act is Act.ABORT]
    assert "(TTL 300) gets its old TTL back" in abort.effect
    (abort,) = [c for c in choices(last_in("alias", Phase.PROVE)) if c.act is Act.ABORT]
    assert "no record has to be restored" in abort.effect


def test_what_cloudformation_created_is_said_to_stay_when_another_name_is_restored() -> None:
    state = two_names(RecordStatus.CREATED)
    (restore,) = [c for c in choices(state) if c.act is Act.RESTORE]
    assert "CloudFormation keeps api.example.com" in restore.unchanged
    assert "www.example.com" in restore.effect


@pytest.mark.parametrize("event", [PAUSE, GO_ON, CUT, CONFIRM, EXTEND, RESTORE, ABORT])
def test_a_run_that_has_ended_takes_no_key(event: ev.OperatorEvent) -> None:
    for scenario in ("never-created", "failed-at-once", "alias"):
        state = last_in(scenario, Phase.ENDED)
        assert choices(state) == ()
        assert asked(state, replace(event, time=state.now)) is state
    ending = Ending(
        phase=Phase.CONFIRM, outcome=Outcome.UNKNOWN, exit_code=ExitCode.UNKNOWN, reason="twice"
    )
    empty = last_in("alias", Phase.CONFIRM)
    empty = replace(empty, phase=Phase.ENDED, ending=ending)
    assert choices(empty) == ()


@pytest.mark.parametrize("event", [CUT, CONFIRM, EXTEND])
def test_a_key_for_a_name_that_is_not_the_runs_changes_nothing(event: Any) -> None:
    state = last_in("alias", Phase.CONFIRM)
    assert asked(state, replace(event, time=state.now, name="else.example.com.")) is state


@pytest.mark.parametrize("event", [PAUSE, GO_ON, CUT, CONFIRM, EXTEND, RESTORE, ABORT])
def test_a_key_comes_through_a_socket_as_it_was_sent(event: ev.OperatorEvent) -> None:
    assert type(event) in typing.get_args(ev.OperatorEvent)
    assert type(event) in typing.get_args(ev.AnyEvent)
    sent = msgspec.json.encode(event)
    assert msgspec.json.decode(sent, type=ev.OperatorEvent) == event


def test_no_other_event_comes_through_that_socket() -> None:
    for event in (ev.Interrupted(time=0.0, signal="SIGINT"), ev.BackupWritten(time=0.0)):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(msgspec.json.encode(event), type=ev.OperatorEvent)


@pytest.mark.parametrize("event", [PAUSE, GO_ON, CUT, CONFIRM, EXTEND, RESTORE, ABORT])
def test_each_key_is_reported_in_a_line_of_text(event: ev.OperatorEvent) -> None:
    state, out = last_in("alias", Phase.WATCH), StringIO()
    lines = TextLines(out, prefix="", quiet=False, verbose=False)
    lines(event, state, 1)
    reported = out.getvalue().splitlines()[0]
    assert "requested" in reported or "confirmed" in reported
    assert not hasattr(event, "name") or "www.example.com" in reported


# -- pause


@pytest.mark.parametrize("phase", EARLY)
def test_a_pause_keeps_every_early_phase_from_beginning_a_step(phase: Phase) -> None:
    """Whatever comes in that would have made it write, deploy or move on."""
    run = [*states("cname")]
    for at, (state, _, _) in enumerate(run):
        if state.phase is not phase:
            continue
        paused = pressed(state, ev.RunPaused)
        for later, event, _ in run[at + 1 :]:
            if not later.is_early:
                break
            after, commands = step(paused, event)
            assert after.phase is phase
            assert not [c for c in commands if isinstance(c, cmd.WriteBatch | cmd.RunDeploy)]
        late, commands = step(paused, ev.TimePassed(time=state.now + 86400))
        assert (late.phase, late.wake_at, commands) == (phase, None, ())


@pytest.mark.parametrize("phase", EARLY)
def test_going_on_does_what_the_pause_kept_back(phase: Phase) -> None:
    for state, _, _ in states("cname"):
        if state.phase is phase:
            paused = pressed(state, ev.RunPaused)
            after, commands = step(paused, ev.RunUnpaused(time=state.now + 7200))
            assert not after.paused
            under_way = after.in_flight or any(n.write for n in after.names.values())
            assert commands or under_way or after.wake_at is not None


def test_no_deadline_is_lost_by_a_pause() -> None:
    state = last_in("cname", Phase.DRAIN)
    due = state.wake_at
    assert due is not None
    paused = pressed(state, ev.RunPaused)
    assert paused.wake_at is None
    soon, _ = step(paused, ev.RunUnpaused(time=state.now + 9))
    assert (soon.phase, soon.wake_at) == (Phase.DRAIN, due)
    late, _ = step(paused, ev.RunUnpaused(time=due + 9))
    assert late.phase is Phase.DEPLOY_OFF


@pytest.mark.parametrize("phase", [Phase.DEPLOY_OFF, Phase.DEPLOY_ON])
def test_a_baseline_that_nothing_was_deployed_on_is_read_again_after_a_pause(phase: Phase) -> None:
    """Another user may have deployed meanwhile: those events are not of our operation."""
    run = [*states("cname")]
    at = next(i for i, (s, _, _) in enumerate(run) if s.phase is phase)
    paused = pressed(run[at][0], ev.RunPaused)
    read = next(e for _, e, _ in run[at + 1 :] if isinstance(e, ev.BaselineRead))
    paused, commands = step(paused, read)
    assert commands == ()
    _, commands = step(paused, ev.RunUnpaused(time=paused.now + 3600))
    assert [type(c) for c in commands] == [cmd.ReadBaseline]


def test_a_first_deploy_that_touches_the_record_is_undone_in_a_pause_too() -> None:
    run = [*states("cname")]
    state = next(s for s, e, _ in run if isinstance(e, ev.DeployIntended))
    paused = pressed(state, ev.RunPaused)
    theirs = StackResource(
        stack_id=state.root.stack_id,
        logical_id="Dns",
        physical_id="www.example.com",
        resource_type=RECORD_SET,
        status="CREATE_COMPLETE",
    )
    listed = ev.ResourcesRead(
        time=state.now, stack=state.root.stack_id, began=state.now, resources=(theirs,)
    )
    after, _ = step(paused, listed)
    assert "touches the record" in after.given_up
    assert after.phase is Phase.RESTORE
    assert not after.is_paused


def test_a_pause_before_the_release_keeps_it_back_and_going_on_lets_it_happen() -> None:
    watching = in_phase(Phase.WATCH)
    rehearsal = rehearse("alias", (watching, 0.0, PAUSE), (watching, 40.0, GO_ON))
    assert rehearsal.result.outcome == Outcome.DONE
    (released,) = releases(rehearsal)
    calm = history("alias")
    before = next(e.time for e in calm if isinstance(e, ev.WriteIntended) and "RELEASE" in repr(e))
    assert before < time_of(rehearsal, ev.RunUnpaused) <= released


def test_a_paused_run_ends_when_its_stack_does() -> None:
    rehearsal = rehearse("alias", (in_phase(Phase.WATCH), 0.0, PAUSE))
    assert releases(rehearsal) == []
    assert (rehearsal.result.outcome, rehearsal.result.exit_code) == (Outcome.FAILED, 1)
    assert "the run was paused" in rehearsal.result.reason


def test_a_pause_is_over_where_a_record_was_released() -> None:
    """Safety rule 7: after it the run keeps guarding."""
    for phase in (Phase.RELEASE, Phase.CONFIRM, Phase.GUARD, Phase.VERIFY):
        state = last_in("alias", phase)
        assert asked(state, key(ev.RunPaused, state)) is state
    state = replace(two_names(RecordStatus.CREATED), paused=True)
    assert not state.is_paused


def test_a_resumed_run_is_not_paused_any_more_and_keeps_what_was_confirmed() -> None:
    state = with_name(last_in("alias", Phase.WATCH), hold_cut_at=5.0, confirmed_at=6.0)
    paused = pressed(state, ev.RunPaused)
    assert paused.is_paused
    resumed, _ = step(paused, ev.RunResumed(time=state.now + 60))
    assert not resumed.paused
    assert (resumed.names[NAME].hold_cut_at, resumed.names[NAME].confirmed_at) == (5.0, 6.0)


@pytest.mark.parametrize("stop", [ABORT, ev.Interrupted(time=0.0, signal="SIGINT")])
@pytest.mark.parametrize("phase", [*EARLY, Phase.WATCH])
def test_an_abort_or_a_signal_while_paused_undoes(phase: Phase, stop: Any) -> None:
    paused = pressed(last_in("cname", phase), ev.RunPaused)
    assert paused.is_paused
    stopped, _ = step(paused, replace(stop, time=paused.now))
    assert stopped.phase is Phase.RESTORE
    assert not stopped.is_paused


def test_what_was_lowered_is_put_back_by_an_abort_while_paused() -> None:
    proving = in_phase(Phase.PROVE)
    rehearsal = rehearse("cname", (proving, 0.0, PAUSE), (proving, 600.0, ABORT))
    assert (rehearsal.result.outcome, rehearsal.result.exit_code) == (Outcome.ABORTED, 1)
    assert rehearsal.state.handovers[0].standing == rehearsal.state.handovers[0].original
    undone = [e for e in rehearsal.events if isinstance(e, ev.WriteIntended)][-1]
    assert undone.purpose is Purpose.UNDO


# -- release now


def test_release_now_releases_without_the_rest_of_the_hold() -> None:
    held = rehearse("alias", hold=25.0)
    cut = rehearse("alias", (is_held, 3.0, CUT), hold=25.0)
    assert held.result.outcome == cut.result.outcome == Outcome.DONE
    assert releases(cut)[0] < releases(held)[0] - 20
    assert releases(cut)[0] - time_of(cut, ev.HoldCut) < 1.0


def test_a_key_that_was_pressed_before_create_in_progress_does_not_count() -> None:
    """Neither one that came before it, nor one that was only taken in after it."""
    early = rehearse("alias", (in_phase(Phase.DEPLOY_ON), 0.0, CUT), hold=25.0)
    assert releases(early)[0] - time_of(early, ev.HoldCut) > 25
    state = next(s for s, _, _ in states("alias") if is_held(s))
    (gate,) = release_gates(state, state.names[NAME])
    for kind in (ev.HoldCut, ev.ReleaseConfirmed):
        late = kind(time=gate.resource.since - 0.1, name=NAME)
        assert asked(state, late) is state
    (after,) = release_gates(with_name(state, hold_cut_at=gate.resource.since - 0.1), kept(state))
    assert after.held_at == gate.held_at


def kept(state: State) -> NameState:
    (gate,) = release_gates(state, state.names[NAME])
    return replace(state.names[NAME], hold_cut_at=gate.resource.since - 0.1)


def test_release_now_is_not_offered_where_it_would_release_nothing_sooner() -> None:
    held = next(s for s, _, _ in states("alias") if is_held(s))
    assert (Act.RELEASE_NOW, NAME) in offered(held)
    for other in (
        replace(held, paused=True),
        replace(held, interrupts=(Stop("SIGINT"),)),
        replace(held, given_up="why not"),
        replace(held, journal_lost="disk full"),
        replace(held, phase=Phase.PROVE),
        replace(held, plan=replace(held.plan, zone_is_unique=False, zone_id="ZOTHER")),
        with_name(held, restoring=True),
        pressed(held, ev.HoldCut, name=NAME),
    ):
        assert (Act.RELEASE_NOW, NAME) not in offered(other)


def test_the_adoption_wait_is_never_cut() -> None:
    """Safety rule 2: what may be CloudFormation's own record is not hit by an impatient key."""
    state = next(s for s, _, _ in states("adopted") if is_held(s))
    (gate,) = release_gates(state, state.names[NAME])
    assert gate.may_be_adopted
    assert (Act.RELEASE_NOW, NAME) not in offered(state)
    assert asked(state, key(ev.HoldCut, state, name=NAME)) is state
    forced = with_name(state, hold_cut_at=state.now)
    (gate,) = release_gates(forced, forced.names[NAME])
    assert gate.held_at == gate.resource.since + OTHER_HOLD
    assert Condition.HOLD in gate.unmet


def test_of_a_longer_hold_the_adoption_wait_stays() -> None:
    state = next(s for s, _, _ in states("adopted") if is_held(s))
    state = replace(state, plan=replace(state.plan, options=replace(state.plan.options, hold=60.0)))
    assert (Act.RELEASE_NOW, NAME) in offered(state)
    cut = pressed(state, ev.HoldCut, name=NAME)
    (gate,) = release_gates(cut, cut.names[NAME])
    assert gate.held_at == gate.resource.since + OTHER_HOLD
    assert not gate.is_open


# -- --confirm-release


def test_a_run_waits_for_confirmation_when_the_gate_is_open_and_then_releases() -> None:
    rehearsal = rehearse("alias", (is_held, 33.0, CONFIRM), confirm_release=True)
    assert rehearsal.result.outcome == Outcome.DONE
    assert 0 <= releases(rehearsal)[0] - time_of(rehearsal, ev.ReleaseConfirmed) < 1.0


def test_a_run_without_confirmation_ends_with_its_stack_and_releases_nothing() -> None:
    rehearsal = rehearse("alias", confirm_release=True)
    assert releases(rehearsal) == []
    assert (rehearsal.result.outcome, rehearsal.result.exit_code) == (Outcome.FAILED, 1)
    assert "the release was not confirmed" in rehearsal.result.reason


def test_nothing_but_a_word_is_lacking_for_as_long_as_cloudformation_tries() -> None:
    waiting = [
        m.unmet
        for s, _, _ in states("alias", confirm=True)
        for m in release_gates(s, s.names[NAME])
        if s.now >= m.held_at
    ]
    assert (Condition.CONFIRMATION,) in waiting
    assert all(Condition.CONFIRMATION in lacks for lacks in waiting)


def test_a_word_during_the_hold_does_not_cut_it() -> None:
    rehearsal = rehearse("alias", (is_held, 1.0, CONFIRM), confirm_release=True, hold=15.0)
    assert releases(rehearsal)[0] - time_of(rehearsal, ev.ReleaseConfirmed) > 13


def test_release_now_is_a_word_too() -> None:
    rehearsal = rehearse("alias", (is_held, 1.0, CUT), confirm_release=True, hold=15.0)
    assert rehearsal.result.outcome == Outcome.DONE
    assert releases(rehearsal)[0] - time_of(rehearsal, ev.HoldCut) < 1.0


def test_a_word_is_for_one_create_of_cloudformation_and_not_for_the_next() -> None:
    state = next(s for s, _, _ in states("alias", confirm=True) if is_held(s))
    agreed = pressed(state, ev.ReleaseConfirmed, name=NAME)
    assert not any(
        Condition.CONFIRMATION in m.unmet for m in release_gates(agreed, agreed.names[NAME])
    )
    stacks = {
        k: replace(s, records={n: replace(r, since=state.now + 9) for n, r in s.records.items()})
        for k, s in agreed.stacks.items()
    }
    again = replace(agreed, stacks=stacks, now=state.now + 30)
    gates = release_gates(again, again.names[NAME])
    assert all(Condition.CONFIRMATION in gate.unmet for gate in gates)


def test_a_confirmed_record_that_may_be_adopted_still_needs_the_stacks_own_word() -> None:
    rehearsal = rehearse("adopted", (is_held, 1.0, CONFIRM), confirm_release=True)
    assert rehearsal.result.outcome == Outcome.DONE
    assert releases(rehearsal) == []
    assert rehearsal.result.records[0].outcome == "adopted"


# -- the deadman


def test_the_deadman_is_extended_for_as_long_as_the_operator_wants() -> None:
    gap = in_phase(Phase.CONFIRM)
    short = ev.DeadmanExtended(time=0.0, name=NAME, seconds=15.0)
    calm = rehearse("never-created", restore_after=8.0)
    twice = rehearse("never-created", (gap, 2.0, short), (gap, 20.0, short), restore_after=8.0)
    assert calm.gap_seconds < 10
    assert calm.gap_seconds + 29 < twice.gap_seconds < calm.gap_seconds + 31
    assert rehearse("never-created", (gap, 2.0, EXTEND), restore_after=8.0).gap_seconds > 60
    state = last_in("alias", Phase.CONFIRM)
    due = state.names[NAME].deadman_at
    assert due is not None
    for times in (1, 2, 3):
        state = pressed(state, ev.DeadmanExtended, name=NAME, seconds=EXTENSION)
        assert state.names[NAME].deadman_at == due + times * EXTENSION
        assert state.wake_at is not None


@pytest.mark.parametrize("seconds", [0.0, -60.0, 600.1, float("inf"), float("nan")])
def test_no_absurd_time_puts_the_deadman_off(seconds: float) -> None:
    state = last_in("alias", Phase.CONFIRM)
    assert asked(state, key(ev.DeadmanExtended, state, name=NAME, seconds=seconds)) is state


def test_the_deadman_is_not_put_off_once_it_has_fired() -> None:
    state = last_in("alias", Phase.CONFIRM)
    due = state.names[NAME].deadman_at
    assert due is not None
    late, _ = step(state, ev.DeadmanExtended(time=due, name=NAME, seconds=EXTENSION))
    assert late.names[NAME].restoring
    assert late.names[NAME].deadman_at == due
    for other in (last_in("alias", Phase.WATCH), last_in("alias", Phase.GUARD)):
        event = key(ev.DeadmanExtended, other, name=NAME, seconds=EXTENSION)
        assert asked(other, event) is other


# -- restore now


def two_names(stage: RecordStatus) -> State:
    """One name that has no record, and another with its record at this stage."""
    state = last_in("alias", Phase.CONFIRM)
    name = state.names[NAME]
    original = replace(name.handovers[0].original, name="api.example.com.")
    other = replace(
        name,
        name="api.example.com.",
        handovers=(replace(name.handovers[0], original=original, standing=original, stage=stage),),
        deadman_at=None,
    )
    return replace(state, names={**state.names, other.name: other})


def test_restore_now_puts_the_record_back_before_the_deadman() -> None:
    rehearsal = rehearse("never-created", (in_phase(Phase.CONFIRM), 3.0, RESTORE))
    assert (rehearsal.result.outcome, rehearsal.result.exit_code) == (Outcome.RESTORED, 1)
    assert rehearsal.result.reason == PUT_BACK
    assert 3 <= rehearsal.gap_seconds < 6


def test_restore_now_stops_a_release_that_is_just_being_sent() -> None:
    for state, event, _ in states("alias"):
        if isinstance(event, ev.WriteIntended) and event.purpose is Purpose.RELEASE:
            asked_for = pressed(state, ev.RestoreAsked)
            assert asked_for.names[NAME].restoring
            accepted = ev.WriteAccepted(
                time=state.now + 0.1, id=event.id, name=NAME, change_id="C9"
            )
            _, commands = step(asked_for, accepted)
            (write,) = [c for c in commands if isinstance(c, cmd.WriteBatch)]
            assert write.purpose is Purpose.RESTORE


@pytest.mark.parametrize("phase", [Phase.GUARD, Phase.VERIFY])
def test_restore_now_never_touches_the_record_that_cloudformation_created(phase: Phase) -> None:
    """Safety rule 1."""
    state = last_in("alias", phase)
    assert asked(state, key(ev.RestoreAsked, state)) is state


def test_restore_now_leaves_a_name_that_has_cloudformations_record_as_it_is() -> None:
    state = two_names(RecordStatus.CREATED)
    after = asked(state, key(ev.RestoreAsked, state))
    assert after.names[NAME].restoring
    assert after.names["api.example.com."] == state.names["api.example.com."]


def test_restore_now_keeps_every_other_name_from_being_released() -> None:
    state = two_names(RecordStatus.STANDING)
    after = asked(state, key(ev.RestoreAsked, state))
    assert after.given_up == PUT_BACK
    assert not after.names["api.example.com."].restoring
    for gate in release_gates(after, after.names["api.example.com."]):
        assert Condition.WANTED in gate.unmet


def test_restore_now_is_for_after_a_release_and_counts_once() -> None:
    for phase in (*EARLY, Phase.WATCH):
        state = last_in("cname", phase)
        assert asked(state, key(ev.RestoreAsked, state)) is state
    state = pressed(last_in("alias", Phase.CONFIRM), ev.RestoreAsked)
    assert asked(state, key(ev.RestoreAsked, state)) is state


# -- abort


@pytest.mark.parametrize("phase", [*EARLY, Phase.WATCH])
def test_an_abort_before_a_release_puts_everything_back_and_exits_1(phase: Phase) -> None:
    """The contract's 130 is for signals."""
    rehearsal = rehearse("cname", (in_phase(phase), 0.2, ABORT))
    assert (rehearsal.result.outcome, rehearsal.result.exit_code) == (Outcome.ABORTED, 1)
    if phase in (Phase.BACKUP, Phase.LOWER_TTL, Phase.DRAIN):
        assert rehearsal.result.reason == "stopped by the operator: every record is as before"
    else:
        assert "every record is as before; the deploy is still running" in rehearsal.result.reason
    assert releases(rehearsal) == []


def test_two_aborts_are_one_and_a_signal_after_them_stops_at_once() -> None:
    state = last_in("cname", Phase.PROVE)
    once = pressed(state, ev.AbortAsked)
    assert once.interrupts == (Stop(),)
    twice, _ = step(once, ev.AbortAsked(time=state.now))
    assert twice.interrupts == (Stop(),)
    assert twice.phase is Phase.RESTORE
    same, _ = step(twice, ev.Interrupted(time=once.now + 1.9, signal="SIGHUP"))
    assert same.interrupts == (Stop(),)
    stopped, _ = step(same, ev.Interrupted(time=once.now + 2.0, signal="SIGINT"))
    assert stopped.ending is not None
    assert (stopped.ending.exit_code, stopped.ending.reason) == (
        4,
        "stopped by SIGINT, after an abort",
    )


def test_an_abort_after_a_signal_is_not_the_second_one() -> None:
    state = last_in("cname", Phase.PROVE)
    stopped, _ = step(state, ev.Interrupted(time=state.now, signal="SIGTERM"))
    assert asked(stopped, key(ev.AbortAsked, stopped)) is stopped


@pytest.mark.parametrize("phase", [Phase.RELEASE, Phase.CONFIRM, Phase.GUARD, Phase.VERIFY])
def test_an_abort_after_a_release_does_nothing(phase: Phase) -> None:
    """Safety rule 7: after it the run keeps guarding."""
    state = last_in("alias", phase)
    assert asked(state, key(ev.AbortAsked, state)) is state


def test_what_an_abort_began_to_undo_is_undone_after_a_resume() -> None:
    state = pressed(last_in("cname", Phase.PROVE), ev.AbortAsked)
    resumed, _ = step(state, ev.RunResumed(time=state.now + 5))
    assert resumed.given_up == "stopped by the operator"
    assert resumed.phase is Phase.RESTORE


def test_a_deploy_is_never_started_by_a_key() -> None:
    for state, _, _ in states("cname"):
        for act in Act:
            if act is not Act.GO_ON:
                _, commands = step(state, event_of(act, NAME, time=state.now))
                assert not [c for c in commands if isinstance(c, cmd.RunDeploy)]
    assert Switch.ON in last_in("cname", Phase.WATCH).deploys
