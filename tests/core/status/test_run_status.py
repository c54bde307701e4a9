"""Where a run stands, and what its operator has to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.builders import NOW, due_state, plan, released, with_name
from tests.core.status.test_result import ended, handed
from tests.core.status.test_timeline import folded, history
from tests.played_switch import Played

from route53_takeover.core.endings import Ending, Outcome
from route53_takeover.core.events import RunResumed
from route53_takeover.core.status.build import snapshot
from route53_takeover.core.status.report.build import Followed, RunFacts, build_report
from route53_takeover.core.status.run_status import LaterRestore, Need, Standing, run_status
from route53_takeover.core.status.spoken_times import moment
from route53_takeover.core.status.timeline import Timeline
from route53_takeover.core.takeover.deadman_state import utc
from route53_takeover.core.takeover.name_state import RecordStatus
from route53_takeover.core.takeover.phases import Phase

if TYPE_CHECKING:
    from route53_takeover.core.status.run_status import RunStatus
    from route53_takeover.core.takeover.state import State

DEADLINE = NOW + 60


def status(of: State, *, later: float = 0.0, alive: bool = True, **more: Any) -> RunStatus:
    shown = snapshot(of, Timeline(), of.now + later)
    return run_status(of, shown, alive=alive, **more)


def in_gap() -> State:
    return with_name(replace(released(), phase=Phase.CONFIRM), deadman_at=DEADLINE)


def ended_unknown(of: State) -> State:
    ending = Ending(phase=Phase.CONFIRM, outcome=Outcome.UNKNOWN, exit_code=4, reason="stopped")  # type: ignore[arg-type]
    return replace(of, ending=ending, phase=Phase.ENDED)


def test_in_the_gap_a_living_process_has_a_deadline_and_a_dead_one_has_none() -> None:
    living, dead = status(in_gap()), status(in_gap(), alive=False, later=3600)
    (missing,) = living.missing
    assert (living.standing, living.needs, missing.until) == (Standing.RUNNING, None, DEADLINE)
    (missing,) = status(in_gap(), alive=False, later=5).missing
    assert missing.until is None, "no process keeps it"
    (missing,) = dead.missing
    assert (dead.standing, dead.needs, missing.until) == (Standing.DIED, Need.RESUME, None)
    assert dead.words == "DIED - resume"
    assert dead.gap is not None
    assert dead.gap >= 3600, "the gap's clock goes on"
    assert dead.is_gap_open
    assert "no process will restore it" in dead.why


def test_what_aws_restores_has_the_time_at_which_it_was_due_also_after_it() -> None:
    events = history("machine-lost")
    resumed = next(i for i, event in enumerate(events) if isinstance(event, RunResumed))
    state, _ = folded(events[:resumed])
    (deadman,) = state.deadmen.values()
    shown = utc(deadman.fires_at)[11:]
    for later, said in ((-5.0, f" at {shown}"), (5.0, f", due at {shown}")):
        at = replace(state, now=deadman.fires_at + later)
        why = status(at, alive=False).why
        assert why.endswith(f"; AWS restores www.example.com{said}."), why


@pytest.mark.parametrize(
    ("later", "said"), [(-5.0, "restores it at"), (5.0, "was to restore it at")]
)
def test_a_report_of_a_dead_run_does_not_announce_what_is_over(later: float, said: str) -> None:
    events = history("machine-lost")
    resumed = next(i for i, event in enumerate(events) if isinstance(event, RunResumed))
    state, timeline = folded(events[:resumed])
    (deadman,) = state.deadmen.values()
    shown = snapshot(state, timeline, deadman.fires_at + later)
    found = run_status(state, shown, alive=False)
    followed = Followed(events[:resumed], (), ())
    report = build_report(state, shown, found, followed, RunFacts(), line_for=str)
    assert f"AWS {said} {moment(deadman.fires_at)}" in str(report.advice)


def test_a_release_that_waits_for_its_operator_is_their_turn() -> None:
    made = plan()
    waiting = replace(made, options=replace(made.options, confirm_release=True))
    found = status(due_state(plan=waiting))
    assert (found.standing, found.needs) == (Standing.YOUR_TURN, Need.YOUR_TURN)
    assert "confirm the release" in found.why
    assert status(due_state()).needs is None


def test_a_paused_run_waits_for_its_operator() -> None:
    found = status(due_state(paused=True))
    assert (found.standing, found.needs) == (Standing.PAUSED, Need.YOUR_TURN)


@pytest.mark.parametrize(
    ("stage", "needs"), [(RecordStatus.RELEASED, Need.RESTORE), (RecordStatus.STANDING, Need.LOOK)]
)
def test_a_run_that_ended_unknown_has_to_be_looked_at_or_restored(
    stage: RecordStatus, needs: Need
) -> None:
    found = status(ended_unknown(ended(handed(stage))), alive=False)
    assert (found.standing, found.needs) == (Standing.UNKNOWN, needs)
    assert bool(found.missing) == (needs is Need.RESTORE)


@pytest.mark.parametrize(
    ("restores", "standing"),
    [
        ((), Standing.DIED),
        ((LaterRestore(time=NOW + 9, changes=("CREATE x",)),), Standing.DIED),
        ((LaterRestore(time=NOW + 9, outcome="failed"),), Standing.DIED),
        ((LaterRestore(time=NOW - 9, outcome="done"),), Standing.DIED),
        ((LaterRestore(time=NOW + 9, outcome="done"),), Standing.RESTORED),
        (
            (
                LaterRestore(time=NOW + 9, outcome="done"),
                LaterRestore(time=NOW + 99, outcome="failed"),
            ),
            Standing.DIED,
        ),
    ],
)
def test_only_a_restore_that_succeeded_after_the_run_puts_back(
    restores: tuple[LaterRestore, ...], standing: Standing
) -> None:
    found = status(in_gap(), alive=False, restores=restores)
    assert found.standing is standing
    assert (found.needs is None) == (standing is Standing.RESTORED)
    assert (found.missing == ()) == (standing is Standing.RESTORED)
    assert status(in_gap(), restores=restores).standing is Standing.RUNNING, "it goes on"


def test_a_rehearsal_whose_account_is_gone_needs_nothing() -> None:
    for state in (in_gap(), ended_unknown(in_gap())):
        found = status(state, alive=False, has_account=False)
        assert (found.needs, found.missing, found.is_gap_open) == (None, (), False)


@pytest.mark.parametrize(
    ("journal", "standing"),
    [("alias", Standing.DONE), ("never-created", Standing.RESTORED), ("aborted", Standing.ABORTED)],
)
def test_a_run_that_ended_stands_where_it_ended(journal: str, standing: Standing) -> None:
    state, timeline = folded(history(journal))
    found = run_status(state, snapshot(state, timeline, state.now), alive=False)
    assert (found.standing, found.needs, found.missing) == (standing, None, ())


def test_a_name_that_a_wildcard_answers_for_is_not_without_a_record() -> None:
    covered = with_name(in_gap(), covered_by="*.example.com.")
    assert status(covered, alive=False).missing == ()
    (missing,) = status(ended_unknown(covered), alive=False).missing
    assert "still answers from *.example.com" in missing.answers


def test_a_switch_whose_process_died_has_to_be_resumed() -> None:
    played = Played().backed_up().deploy().check().switch()
    found = run_status(played.state, played.view().snapshot, alive=False)
    assert (found.standing, found.needs) == (Standing.DIED, Need.RESUME)
    assert "leads it back to blue" in found.why
