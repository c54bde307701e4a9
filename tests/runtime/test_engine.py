"""The engine: what is durable before what, what is sent, and what never ends a run."""

from __future__ import annotations

import asyncio
import dataclasses
from random import Random
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from route53_takeover.base.errors import ApiError, ManualActionRequiredError
from route53_takeover.core.endings import Outcome
from route53_takeover.core.plan.facts import Identity
from route53_takeover.core.plan.planner import make_plan
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover import machine as machine_module
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.machine import fold
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.step import step
from route53_takeover.runtime import takeover_effects
from route53_takeover.runtime.preflight import gather
from route53_takeover.runtime.takeover_effects import takeover_engine
from route53_takeover.simulation.aws.account import SimulatedAccount
from route53_takeover.simulation.chaos.cloudformation_port import SimulatedStacks
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.ports import SimulatedDeployer, SimulatedProber
from route53_takeover.simulation.chaos.route53_port import SimulatedRecords
from route53_takeover.simulation.chaos.runner import START, options_of, rehearse_once
from route53_takeover.simulation.chaos.transport import CHANGE, FaultRates, Transport, VirtualClock
from route53_takeover.simulation.chaos.virtual_time import VirtualLoop
from route53_takeover.simulation.scenarios import SCENARIOS
from route53_takeover.storage.journal import JournalError, MemoryJournal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from route53_takeover.core.domain.record_sets import Change, RecordSet
    from route53_takeover.core.machine import Poll
    from route53_takeover.core.takeover import commands as cmd
    from route53_takeover.core.takeover.polling import Target
    from route53_takeover.core.takeover.state import State
    from route53_takeover.runtime.takeover_effects import TakeoverEngine
    from route53_takeover.simulation.chaos.harness import Harness

ALIAS = SCENARIOS["alias"]


class Bench:
    """An engine over the simulated account, whose parts can be exchanged before it runs."""

    def __init__(self, *, strict: bool = False) -> None:
        self.world = SimulatedAccount(ALIAS.account, seed="engine", start=START)
        self.clock = VirtualClock(self.world.timeline.now)
        self.transport = Transport(self.world, self.clock, Random(1), FaultRates())  # noqa: S311 -- a test
        self.journal = MemoryJournal()
        self.records = SimulatedRecords(self.transport)
        self.seen: list[ev.AnyEvent] = []
        self.saved = 0
        self.strict = strict

    async def save(self) -> None:
        self.saved += 1

    async def first(self) -> ev.RunStarted:
        options = options_of(ALIAS)
        facts = await gather(
            options,
            clock=self.clock,
            records=self.records,
            stacks=SimulatedStacks(self.transport),
            identity=Identity(account="123456789012", arn="test"),
            region="us-east-1",
            ask_delegation=None,
        )
        return ev.RunStarted(time=self.clock.now(), run="r", plan=make_plan(facts, options))

    def engine(self) -> TakeoverEngine:
        return takeover_engine(
            clock=self.clock,
            journal=self.journal,
            records=self.records,
            stacks=SimulatedStacks(self.transport),
            deployer=SimulatedDeployer(self.world, self.clock),
            prober=SimulatedProber(self.world, self.clock),
            save_backup=self.save,
            rng=Random(2),  # noqa: S311 -- a test
            observer=lambda event, _state, _seq: self.seen.append(event),
            strict=self.strict,
        )

    async def run(self) -> State:
        return await self.engine().run(await self.first(), [])


def in_virtual_time(work: Callable[[], object]) -> State:
    async def main() -> State:
        bench = work()
        assert isinstance(bench, Bench)
        async with asyncio.timeout(3600):
            return await bench.run()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


def test_the_backup_and_the_intent_are_durable_before_the_first_byte_of_a_write() -> None:
    """Safety rule 1."""
    seen: list[ev.AnyEvent] = []

    def begin(stage: Harness) -> None:
        def on_call(operation: str) -> None:
            if operation == CHANGE:
                intents = [e for e in seen if isinstance(e, ev.WriteIntended)]
                assert any(isinstance(e, ev.BackupWritten) for e in seen)
                assert len(intents) == stage.transport.calls[CHANGE]

        stage.transport.on_call = on_call

    rehearsal = rehearse_once(
        ALIAS, "engine", Faults(), begin=begin, saw=lambda _s, event, _state: seen.append(event)
    )
    assert rehearsal.result.outcome == Outcome.DONE


def test_a_batch_that_an_invariant_forbids_is_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_module, "violations", lambda *_: ("never",))
    rehearsal = rehearse_once(ALIAS, "engine", Faults())
    assert CHANGE not in (rehearsal.result.api_calls or {})
    assert rehearsal.result.outcome == Outcome.FAILED
    assert "never" in rehearsal.result.reason
    assert not [e for e in rehearsal.events if isinstance(e, ev.WriteIntended)]


def test_a_backup_that_cannot_be_saved_ends_the_run_before_any_write() -> None:
    """Safety rule 1."""

    class NoDisk(Bench):
        async def save(self) -> None:
            raise OSError("read-only file system")

    state = in_virtual_time(lambda: NoDisk(strict=True))
    assert state.ending is not None
    assert state.ending.exit_code == 2
    assert not [e for e in state.names.values() if e.tried]


def test_an_event_that_the_machine_does_not_accept_is_ignored_in_production(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Safety rule 8."""
    honest = step

    def moody(state: State | None, event: ev.AnyEvent) -> tuple[State, tuple[cmd.AnyCommand, ...]]:
        if isinstance(event, ev.NamesAnswered):
            raise ValueError("no row for this")  # noqa: TRY004 -- as the machine does
        return honest(state, event)

    machine = dataclasses.replace(machine_module.TAKEOVER, step=moody)
    monkeypatch.setattr(takeover_effects, "TAKEOVER", machine)
    assert in_virtual_time(Bench).phase is Phase.ENDED
    with pytest.raises(ValueError, match="no row"):
        in_virtual_time(lambda: Bench(strict=True))


def test_polls_that_break_in_the_gap_do_not_end_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Safety rule 8."""

    def moody(state: State) -> tuple[Poll[Target], ...]:
        if state.phase is Phase.CONFIRM:
            raise KeyError("a stack that is not known")
        return machine_module.TAKEOVER.polls(state)

    machine = dataclasses.replace(machine_module.TAKEOVER, polls=moody)
    monkeypatch.setattr(takeover_effects, "TAKEOVER", machine)
    with capture_logs() as logs:  # to print each with its traceback takes seconds
        state = in_virtual_time(Bench)
    assert "polls.failed" in [log["event"] for log in logs]
    assert state.ending is not None
    assert state.ending.outcome is Outcome.DONE
    with pytest.raises(KeyError, match="not known"):
        in_virtual_time(lambda: Bench(strict=True))


class Stalling(MemoryJournal):
    """Its disk stalls for ten seconds over the first intent of a release."""

    clock: VirtualClock
    stalled = False

    def append(self, event: ev.AnyEvent) -> int:
        is_release = isinstance(event, ev.WriteIntended) and event.purpose is Purpose.RELEASE
        if is_release and not self.stalled:
            self.stalled = True
            self.clock._offset += 10.0
        return super().append(event)


def test_a_release_whose_intent_took_too_long_is_not_sent_but_decided_anew() -> None:
    class Slow(Bench):
        def __init__(self) -> None:
            super().__init__(strict=True)
            self.journal = Stalling()
            self.journal.clock = self.clock

    bench: list[Slow] = []

    def made() -> Slow:
        bench.append(Slow())
        return bench[0]

    state = in_virtual_time(made)
    assert state.ending is not None
    assert state.ending.outcome is Outcome.DONE
    releases = [
        e.id
        for e in bench[0].seen
        if isinstance(e, ev.WriteIntended) and e.purpose is Purpose.RELEASE
    ]
    held_off = [e.id for e in bench[0].seen if isinstance(e, ev.WriteHeldOff)]
    assert len(releases) == 2
    assert held_off == releases[:1]


def test_an_observer_that_breaks_does_not_end_a_run() -> None:
    class Watched(Bench):
        def engine(self) -> TakeoverEngine:
            made = super().engine()
            made._observer = self.broken
            return made

        def broken(self, event: ev.AnyEvent, state: State, seq: int) -> None:
            raise AttributeError(f"a defect of a view: {event}, {state.phase}, {seq}")

    state = in_virtual_time(Watched)
    assert state.ending is not None
    assert state.ending.outcome is Outcome.DONE
    with pytest.raises(AttributeError, match="of a view"):
        in_virtual_time(lambda: Watched(strict=True))


class Fragile(SimulatedRecords):
    """Its reads fail with an unexpected error for a while after a release."""

    broken = 0

    async def read_name(self, zone_id: str, name: str) -> Sequence[RecordSet]:
        found = await super().read_name(zone_id, name)
        if not found and self.broken < 5:
            self.broken += 1
            raise KeyError("a shape that is new")
        return found


def test_an_unexpected_failure_does_not_end_a_restore() -> None:
    """Safety rule 8."""
    benches: list[Bench] = []

    def fragile() -> Bench:
        bench = Bench()
        bench.records = Fragile(bench.transport)
        benches.append(bench)
        return bench

    state = in_virtual_time(fragile)
    assert isinstance(benches[0].records, Fragile)
    assert benches[0].records.broken > 0
    assert state.ending is not None
    assert state.ending.outcome is Outcome.DONE


class Surprising(SimulatedRecords):
    """A write fails with an unexpected error after it was applied."""

    surprises = 0

    async def change(self, zone_id: str, changes: Sequence[Change], comment: str) -> str:
        change_id = await super().change(zone_id, changes, comment)
        if len(changes) == 1 and not self.surprises:
            self.surprises += 1
            raise RuntimeError("half an answer")
        return change_id


def test_a_write_that_breaks_in_any_unknown_way_is_unknown_and_not_failed() -> None:
    """Safety rule 6."""
    benches: list[Bench] = []

    def surprising() -> Bench:
        bench = Bench(strict=True)
        bench.records = Surprising(bench.transport)
        benches.append(bench)
        return bench

    state = in_virtual_time(surprising)
    assert state.ending is not None
    assert state.ending.outcome is Outcome.DONE
    unknown = [e for e in benches[0].seen if isinstance(e, ev.WriteUnknown)]
    assert [e.reason for e in unknown] == ["half an answer"]


class Full(MemoryJournal):
    """A journal that takes so many events and no more."""

    holds = 10

    def append(self, event: ev.AnyEvent) -> int:
        if len(self.events) >= self.holds:
            raise JournalError("no space left")
        return super().append(event)


def test_nothing_follows_from_an_event_that_is_not_durable() -> None:
    """Safety rule 8: the machine learns of the broken journal before the event."""
    benches: list[Bench] = []

    def full() -> Bench:
        bench = Bench(strict=True)
        bench.journal = Full()
        benches.append(bench)
        return bench

    state = in_virtual_time(full)
    seen = benches[0].seen
    lost = next(i for i, e in enumerate(seen) if isinstance(e, ev.JournalFailed))
    assert lost == Full.holds
    assert not [e for e in seen[lost:] if isinstance(e, ev.DeployIntended)]
    assert state.ending is not None
    assert state.ending.exit_code == 1


def test_the_journal_of_a_run_folds_to_its_last_state() -> None:
    for scenario in SCENARIOS.values():
        rehearsal = rehearse_once(scenario, "fold", Faults())
        assert fold(rehearsal.events) == rehearsal.state


def test_a_fold_ignores_what_the_engine_ignored_and_nothing_before_the_beginning() -> None:
    assert fold([]) is None
    with pytest.raises(ValueError, match="RunStarted"):
        fold([ev.TimePassed(time=0.0)])


def test_an_engine_that_has_not_started_has_no_state() -> None:
    async def main() -> None:
        with pytest.raises(ManualActionRequiredError):
            _ = Bench().engine()._known

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())


def test_every_batch_carries_the_run_its_number_and_its_purpose_in_its_comment() -> None:
    worlds: list[SimulatedAccount] = []
    rehearse_once(ALIAS, "engine", Faults(), begin=lambda stage: worlds.append(stage.world))
    comments = [c.comment for c in worlds[0].zones.history if c.by == "takeover"]
    assert comments == [
        f"route53-takeover rehearsal-{n} {purpose}"
        for n, purpose in enumerate((Purpose.PROVE, Purpose.RELEASE), 1)
    ]


def test_after_hours_of_failing_polls_the_watcher_still_backs_off_by_seconds() -> None:
    """A back-off that grows without end breaks on the largest float."""

    def begin(stage: Harness) -> None:
        until = stage.clock.now() + 4 * 3600

        def on_call(operation: str) -> None:
            failing = "DescribeStackEvents" in operation and stage.clock.now() < until
            if failing and armed:
                raise ApiError("down", operation=operation)

        stage.transport.on_call = on_call

    armed: list[bool] = []

    def saw(_harness: Harness, event: ev.AnyEvent, _state: State) -> None:
        if isinstance(event, ev.DeployIntended) and event.switch == "on":
            armed.append(True)

    scenario = replace(SCENARIOS["never-created"])
    rehearsal = rehearse_once(scenario, "polls", Faults(), begin=begin, saw=saw)
    assert not rehearsal.broken
    assert not rehearsal.absent
