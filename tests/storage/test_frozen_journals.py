"""Journals that the earliest versions wrote: every later program reads, resumes and restores them.

`tests/data/journals/v1` is never written again: a new format gets a folder of its own.
"""

from __future__ import annotations

import asyncio
import hashlib
from random import Random
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.old_runs import DATA, JOURNALS, RUN_FOLDERS, Replay, journal_data, journal_names

from route53_takeover.base.errors import RefusedError
from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.endings import Outcome
from route53_takeover.core.events import Observation
from route53_takeover.core.status.build import snapshot
from route53_takeover.core.status.result import result
from route53_takeover.core.status.timeline import Timeline
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.invariants import broken_promises
from route53_takeover.core.takeover.machine import fold
from route53_takeover.core.takeover.step import step
from route53_takeover.runtime.restore import Place, rescue
from route53_takeover.runtime.takeover_effects import takeover_engine
from route53_takeover.simulation.aws.account import SimulatedAccount
from route53_takeover.simulation.chaos.cloudformation_port import SimulatedStacks
from route53_takeover.simulation.chaos.ports import SimulatedDeployer, SimulatedProber
from route53_takeover.simulation.chaos.route53_port import SimulatedRecords
from route53_takeover.simulation.chaos.runner import LONGEST, START
from route53_takeover.simulation.chaos.transport import FaultRates, Transport, VirtualClock
from route53_takeover.simulation.chaos.virtual_time import VirtualLoop
from route53_takeover.simulation.scenarios import (
    SCENARIOS,
    alias,
    alias_resource,
    site_account,
    site_template,
)
from route53_takeover.storage.journal import MemoryJournal
from route53_takeover.storage.journal_format import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from route53_takeover.core.takeover.state import State
    from route53_takeover.simulation.aws.account import AccountSetup

ENDS = {
    "aborted": ("aborted", 1, ["untouched"]),
    "adopted": ("done", 0, ["adopted"]),
    "alias": ("done", 0, ["created"]),
    "cname": ("done", 0, ["adopted"]),
    "confirmed": ("done", 0, ["created"]),
    "credentials-expired": ("done", 0, ["created"]),
    "edited-meanwhile": ("failed", 1, ["untouched"]),
    "failed-at-once": ("failed", 1, ["untouched"]),
    "hold-cut": ("done", 0, ["created"]),
    "killed-in-the-gap": ("done", 0, ["created"]),
    "lost-answers": ("done", 0, ["adopted"]),
    "nested": ("done", 0, ["created"]),
    "never-created": ("restored", 1, ["restored"]),
    "paused": ("done", 0, ["created"]),
    "put-back-by-a-person": ("restored", 1, ["restored"]),
    "refused-restores": ("done", 0, ["created"]),
    "rollback-failed": ("unknown", 4, ["created"]),
    "rolled-back": ("restored", 1, ["restored"]),
    "stopped": ("aborted", 130, ["untouched"]),
    "two-names": ("done", 0, ["created", "created"]),
}
every_journal = pytest.mark.parametrize("name", ENDS)


def events_of(name: str) -> list[ev.AnyEvent]:
    return decode(journal_data(name), name)[0]


def account_of(name: str) -> AccountSetup:
    """The account in which a journal was recorded, as it was at the beginning."""
    if name == "two-names":
        other = alias_resource("d1new")
        other = {**other, "Properties": {**other["Properties"], "Name": "api.example.com"}}
        setup = site_account(template=site_template(alias_resource("d1new"), Api=other))
        api = replace(alias("d1old"), name="api.example.com.")
        return replace(setup, existing=(alias("d1old"), api))
    if name == "rollback-failed":
        setup = SCENARIOS["rolled-back"].account
        return replace(setup, config=replace(setup.config, fail_rollback="not now"))
    scenario = {
        "aborted": "cname",
        "lost-answers": "cname",
        "put-back-by-a-person": "never-created",
        "stopped": "cname",
    }.get(name, name)
    return SCENARIOS.get(scenario, SCENARIOS["alias"]).account


def test_the_files_are_as_they_were_written() -> None:
    """What fails here is not to be recorded again: a program must read what is there."""
    listed = (DATA / "SHA256SUMS").read_text().splitlines()
    kept = [*JOURNALS.rglob("*"), *RUN_FOLDERS.rglob("*")]
    assert sorted(listed) == sorted(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(DATA)}"
        for path in kept
        if path.is_file()
    )
    assert journal_names() == sorted(ENDS)


@every_journal
def test_a_frozen_journal_is_read_and_folds_to_its_end(name: str) -> None:
    state = fold(events_of(name))
    assert state is not None
    ended = result(state, None)
    assert (ended.outcome, ended.exit_code, [r.outcome for r in ended.records]) == ENDS[name]


@every_journal
def test_the_status_is_built_after_every_event_of_a_frozen_journal(name: str) -> None:
    """`fold` ignores an event that the machine refuses, as the engine does; here it is an error."""
    state, timeline = None, Timeline()
    for event in events_of(name):
        state, _ = step(state, event)
        timeline.take(event, state)
        assert snapshot(state, timeline, now=event.time).phase == state.phase
    assert timeline.events


class Account:
    """A simulated account in the state in which a frozen journal leaves it after some events."""

    def __init__(self, name: str, cut: int) -> None:
        self.events = events_of(name)[:cut]
        setup = account_of(name)
        self.world = SimulatedAccount(setup, seed=f"journal/{name}/world", start=START)
        replay = Replay(self.world)
        for event in self.events:
            replay.take(event)
        lines = b"".join(journal_data(name).splitlines(keepends=True)[:cut])
        self.journal = MemoryJournal(replay.journal(lines))
        state = fold(self.journal.events)
        assert state is not None
        self.plan = state.plan
        self.clock = VirtualClock(self.world.timeline.now)
        self.rng = Random(name)  # noqa: S311 -- a simulation
        transport = Transport(self.world, self.clock, self.rng, FaultRates())
        self.records, self.stacks = SimulatedRecords(transport), SimulatedStacks(transport)

    async def resume(self) -> State:
        engine = takeover_engine(
            clock=self.clock,
            journal=self.journal,
            records=self.records,
            stacks=self.stacks,
            deployer=SimulatedDeployer(self.world, self.clock),
            prober=SimulatedProber(self.world, self.clock),
            save_backup=_saved,
            rng=self.rng,
            observer=lambda _event, _state, _seq: None,
            strict=True,
        )
        async with asyncio.timeout(LONGEST):
            return await engine.run(ev.RunResumed(time=self.clock.now()), list(self.journal.events))

    async def restore(self) -> None:
        for name in self.plan.names:
            try:
                await rescue(
                    name,
                    [m.original for m in self.plan.manuals if m.key.name == name],
                    place=Place(
                        zone_id=self.plan.zone_id,
                        zone_name=self.plan.zone_name,
                        root=self.plan.root.stack_id or self.plan.options.stack,
                    ),
                    clock=self.clock,
                    records=self.records,
                    stacks=self.stacks,
                    changed=[m.lowered for m in self.plan.manuals if m.lowered],
                    force=False,
                    by_force="",
                    dry_run=False,
                    tell=lambda _: None,
                    save=lambda _: None,
                )
            except RefusedError:  # a stack's record stands there
                continue


async def _saved() -> None:
    """The backup is not the journal's."""


@every_journal
def test_a_frozen_journal_is_resumed_after_every_step_and_comes_to_an_end(name: str) -> None:
    async def resumed(cut: int) -> None:
        account = Account(name, cut)
        state = await account.resume()
        assert state.ending is not None
        assert broken_promises(state) == ()
        outcome = state.ending.outcome
        for handover in (h for n in state.names.values() for h in n.handovers):
            record = handover.original
            assert account.world.holds(record.name), cut
            if outcome is Outcome.DONE:
                assert account.world.stacks.owner(display_name(record.name)), cut
            elif outcome is not Outcome.UNKNOWN and name != "edited-meanwhile":
                assert account.world.holds(record.name) == (record,), cut

    after_every_step(name, resumed)


@every_journal
def test_every_name_has_a_record_after_a_restore_of_a_frozen_journal(name: str) -> None:
    async def restored(cut: int) -> None:
        account = Account(name, cut)
        await account.restore()
        assert all(map(account.world.holds, account.plan.names)), cut

    after_every_step(name, restored)


def after_every_step(name: str, resume: Callable[[int], Coroutine[Any, Any, None]]) -> None:
    """Lets the process of a run die after each event that is no observation of the account."""
    for at, event in enumerate(events_of(name), start=1):
        if not isinstance(event, Observation):
            with asyncio.Runner(loop_factory=VirtualLoop) as runner:
                runner.run(resume(at))
