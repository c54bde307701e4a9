"""What must hold of every batch and every ending, each seen to fail when it is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.builders import (
    OLD,
    before_deploys,
    cname,
    created,
    due_state,
    with_handover,
)

from route53_takeover.base.errors import ExitCode
from route53_takeover.core.domain.record_sets import Change, RecordSet
from route53_takeover.core.endings import Ending, Outcome
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.commands import WriteBatch
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.invariants import broken_promises, violations
from route53_takeover.core.takeover.name_state import RecordStatus
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.step import step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from route53_takeover.core.takeover.state import State

NOTHING: frozenset[str] = frozenset()
OTHER = RecordSet(name="mail.example.com.", type="A", ttl=60, values=("192.0.2.1",))


def commanded(purpose: Purpose) -> tuple[State, WriteBatch]:
    """A state with the command of a batch of this purpose, as the machine gives it."""
    state = {
        Purpose.LOWER: before_deploys(Phase.LOWER_TTL, cname(300), lowered=60),
        Purpose.PROVE: before_deploys(Phase.PROVE),
        Purpose.RELEASE: due_state(),
        Purpose.RESTORE: with_handover(created(), stage=RecordStatus.LOST),
    }[purpose]
    state, commands = step(state, ev.TimePassed(time=state.now))
    (write,) = (command for command in commands if isinstance(command, WriteBatch))
    assert write.purpose is purpose
    return state, write


def said(state: State, write: WriteBatch, sent: Iterable[str] = ()) -> str:
    return "; ".join(violations(state, write, frozenset(sent)))


@pytest.mark.parametrize(
    "purpose", [Purpose.LOWER, Purpose.PROVE, Purpose.RELEASE, Purpose.RESTORE]
)
def test_every_batch_that_the_machine_commands_is_allowed(purpose: Purpose) -> None:
    assert violations(*commanded(purpose), NOTHING) == ()


@pytest.mark.parametrize("purpose", [Purpose.PROVE, Purpose.RELEASE])
def test_nothing_is_written_without_a_backup(purpose: Purpose) -> None:
    """Safety rule 1."""
    state, write = commanded(purpose)
    assert "backup" in said(replace(state, backed_up=False), write)


def test_a_batch_is_never_sent_twice() -> None:
    """Safety rule 2."""
    state, write = commanded(Purpose.RELEASE)
    assert "at most once" in said(state, write, [write.id])


@pytest.mark.parametrize("purpose", [Purpose.PROVE, Purpose.RELEASE])
def test_only_record_sets_of_the_plan_are_written(purpose: Purpose) -> None:
    """Safety rule 1."""
    state, write = commanded(purpose)
    wider = replace(write, changes=(*write.changes, Change.create(OTHER)))
    assert "of the plan" in said(state, wider)


def test_nothing_but_a_soa_is_upserted() -> None:
    """Safety rule 3."""
    state, write = commanded(Purpose.LOWER)
    with pytest.raises(ValueError, match="is never sent"):
        Change(action="UPSERT", record=write.changes[-1].record)
    upsert = Change.upsert_soa(RecordSet(name="example.com.", type="SOA", ttl=5, values=("m h 1",)))
    assert "the SOA is only written" in said(state, replace(write, changes=(upsert,)))
    both = (*write.changes, upsert)
    assert "DELETE exact and CREATE" in said(state, replace(write, changes=both))
    assert "DELETE exact and CREATE" in said(state, replace(write, changes=()))


@pytest.mark.parametrize(
    "stage", [RecordStatus.CREATED, RecordStatus.ADOPTED, RecordStatus.CHANGED, RecordStatus.LOST]
)
def test_a_record_that_is_not_ours_is_never_deleted(stage: RecordStatus) -> None:
    """Safety rule 1."""
    state, write = commanded(Purpose.RELEASE)
    assert "never deleted" in said(with_handover(state, stage=stage), write)


def test_only_what_was_last_read_or_written_is_deleted() -> None:
    """Safety rule 2."""
    state, write = commanded(Purpose.LOWER)
    stale = (Change.delete(cname(299)), Change.create(cname(60)))
    assert "never deleted" in said(state, replace(write, changes=stale))


def test_without_a_journal_only_rescues_are_written() -> None:
    """Safety rule 8."""
    for purpose in (Purpose.PROVE, Purpose.RELEASE):
        state, write = commanded(purpose)
        assert "only restores" in said(replace(state, journal_lost="disk full"), write)
    state, write = commanded(Purpose.RESTORE)
    assert said(replace(state, journal_lost="disk full"), write) == ""


def test_a_release_before_its_gate_is_open_is_refused() -> None:
    state, write = commanded(Purpose.RELEASE)
    for early in (
        replace(state, now=state.now - 1.9),
        replace(state, phase=Phase.RESTORE),
        replace(state, given_up="enough"),
        replace(state, stacks={}),
    ):
        assert "every release condition" in said(early, write)


def test_only_a_release_leaves_a_name_without_its_record() -> None:
    state, write = commanded(Purpose.PROVE)
    bare = replace(write, changes=write.changes[:1])
    assert "leaves a name without its record" in said(state, bare)


def ended(stage: RecordStatus, outcome: Outcome, original: RecordSet = OLD) -> State:
    """A run that ended with its record in this status."""
    state = with_handover(due_state(original), stage=stage)
    ending = Ending(phase=Phase.RESTORE, outcome=outcome, exit_code=ExitCode.FAILED, reason="")
    return replace(state, ending=ending, phase=Phase.ENDED)


def test_an_ending_without_a_record_is_unknown() -> None:
    for stage in (RecordStatus.RELEASED, RecordStatus.LOST):
        for outcome in Outcome:
            broken = broken_promises(ended(stage, outcome))
            assert any("a record at every name" in b for b in broken) == (outcome != "unknown")


def test_done_means_that_cloudformation_has_the_record() -> None:
    assert broken_promises(ended(RecordStatus.RESTORED, Outcome.DONE))
    assert not broken_promises(ended(RecordStatus.CREATED, Outcome.DONE))


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNKNOWN])
def test_a_run_that_leaves_a_lowered_ttl_ends_unknown(outcome: Outcome) -> None:
    left = with_handover(ended(RecordStatus.STANDING, outcome, cname(300)), standing=cname(60))
    assert bool(broken_promises(left)) == (outcome is not Outcome.UNKNOWN)


def test_a_run_that_has_not_ended_breaks_no_promise() -> None:
    state, _ = commanded(Purpose.RELEASE)
    assert broken_promises(state) == ()
