"""What must hold of every batch and every ending, each seen to fail when it is broken."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from route53_takeover.base.errors import ExitCode
from route53_takeover.core.domain.record_sets import Change, RecordSet
from route53_takeover.core.takeover.commands import WriteBatch
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.invariants import broken_promises, violations
from route53_takeover.core.takeover.state import Ending, Outcome, Phase, RecordStatus
from route53_takeover.core.takeover.step import step
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.runner import rehearse_once
from route53_takeover.simulation.scenarios import SCENARIOS, cname

if TYPE_CHECKING:
    from collections.abc import Iterable

    from route53_takeover.core.takeover.state import State

NAME = "www.example.com."
NOTHING: frozenset[str] = frozenset()
OTHER = RecordSet(name="mail.example.com.", type="A", ttl=60, values=("192.0.2.1",))


@cache
def commanded(scenario: str, purpose: Purpose) -> tuple[State, WriteBatch]:
    """The state and the command of the first batch of this purpose, from a real run."""
    state: State | None = None
    for event in rehearse_once(SCENARIOS[scenario], "invariants", Faults()).events:
        state, commands = step(state, event)
        for command in commands:
            if isinstance(command, WriteBatch) and command.purpose is purpose:
                return state, command
    raise AssertionError(purpose)


def said(state: State, write: WriteBatch, sent: Iterable[str] = ()) -> str:
    return "; ".join(violations(state, write, frozenset(sent)))


@pytest.mark.parametrize(
    ("scenario", "purpose"),
    [
        ("cname", Purpose.LOWER),
        ("alias", Purpose.PROVE),
        ("alias", Purpose.RELEASE),
        ("rolled-back", Purpose.RESTORE),
    ],
)
def test_every_batch_of_a_real_run_is_allowed(scenario: str, purpose: Purpose) -> None:
    assert violations(*commanded(scenario, purpose), NOTHING) == ()


@pytest.mark.parametrize("purpose", [Purpose.PROVE, Purpose.RELEASE])
def test_nothing_is_written_without_a_backup(purpose: Purpose) -> None:
    """Safety rule 1."""
    state, write = commanded("alias", purpose)
    assert "backup" in said(replace(state, backed_up=False), write)


def test_a_batch_is_never_sent_twice() -> None:
    """Safety rule 2."""
    state, write = commanded("alias", Purpose.RELEASE)
    assert "at most once" in said(state, write, [write.id])


@pytest.mark.parametrize("purpose", [Purpose.PROVE, Purpose.RELEASE])
def test_only_record_sets_of_the_plan_are_written(purpose: Purpose) -> None:
    """Safety rule 1."""
    state, write = commanded("alias", purpose)
    wider = replace(write, changes=(*write.changes, Change.create(OTHER)))
    assert "of the plan" in said(state, wider)


def test_nothing_is_upserted() -> None:
    """Safety rule 3."""
    state, write = commanded("cname", Purpose.LOWER)
    upsert = Change(action="UPSERT", record=write.changes[-1].record)
    assert "DELETE exact and CREATE" in said(state, replace(write, changes=(upsert,)))
    assert "DELETE exact and CREATE" in said(state, replace(write, changes=()))


@pytest.mark.parametrize(
    "stage", [RecordStatus.CREATED, RecordStatus.ADOPTED, RecordStatus.CHANGED, RecordStatus.LOST]
)
def test_what_is_not_ours_is_never_deleted(stage: RecordStatus) -> None:
    """Safety rule 1."""
    state, write = commanded("alias", Purpose.RELEASE)
    name = state.names[NAME]
    theirs = replace(name, handovers=(replace(name.handovers[0], stage=stage),))
    assert "never deleted" in said(replace(state, names={NAME: theirs}), write)


def test_a_delete_of_anything_but_what_was_last_read_or_written_is_refused() -> None:
    """Safety rule 2."""
    state, write = commanded("cname", Purpose.LOWER)
    stale = (Change.delete(cname(299)), Change.create(cname(60)))
    assert "never deleted" in said(state, replace(write, changes=stale))


def test_without_a_journal_only_rescues_are_written() -> None:
    """Safety rule 8."""
    for scenario, purpose in (("alias", Purpose.PROVE), ("alias", Purpose.RELEASE)):
        state, write = commanded(scenario, purpose)
        assert "only restores" in said(replace(state, journal_lost="disk full"), write)
    state, write = commanded("rolled-back", Purpose.RESTORE)
    assert said(replace(state, journal_lost="disk full"), write) == ""


def test_a_release_that_is_not_due_is_refused() -> None:
    state, write = commanded("alias", Purpose.RELEASE)
    for early in (
        replace(state, now=state.now - 1.9),
        replace(state, phase=Phase.RESTORE),
        replace(state, given_up="enough"),
        replace(state, stacks={}),
    ):
        assert "every release condition" in said(early, write)


def test_only_a_release_takes_a_record_away() -> None:
    state, write = commanded("alias", Purpose.PROVE)
    bare = replace(write, changes=write.changes[:1])
    assert "leaves a name without its record" in said(state, bare)


def ended(scenario: str, stage: RecordStatus, outcome: Outcome, **handover: RecordSet) -> State:
    state, _ = commanded(scenario, Purpose.PROVE)
    name = state.names[NAME]
    changed = replace(name, handovers=(replace(name.handovers[0], stage=stage, **handover),))
    ending = Ending(phase=Phase.RESTORE, outcome=outcome, exit_code=ExitCode.FAILED, reason="")
    return replace(state, names={NAME: changed}, ending=ending, phase=Phase.ENDED)


def test_an_ending_without_a_record_says_unknown() -> None:
    for stage in (RecordStatus.RELEASED, RecordStatus.LOST):
        for outcome in Outcome:
            broken = broken_promises(ended("alias", stage, outcome))
            assert any("a record at every name" in b for b in broken) == (outcome != "unknown")


def test_done_means_that_cloudformation_has_it() -> None:
    assert broken_promises(ended("alias", RecordStatus.RESTORED, Outcome.DONE))
    assert not broken_promises(ended("alias", RecordStatus.CREATED, Outcome.DONE))


def test_a_lowered_ttl_that_is_left_is_told() -> None:
    left = ended("cname", RecordStatus.STANDING, Outcome.FAILED, standing=cname(60))
    assert broken_promises(left)
    unknown = ended("cname", RecordStatus.STANDING, Outcome.UNKNOWN, standing=cname(60))
    assert not broken_promises(unknown)


def test_a_run_that_goes_on_has_promised_nothing_yet() -> None:
    state, _ = commanded("alias", Purpose.RELEASE)
    assert broken_promises(state) == ()
