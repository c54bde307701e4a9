"""A run of many names keeps to what an account takes: five calls of Route 53 a second."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from tests.simulated_runs.test_a_rescue_depends_on_nothing import many_names, options_for

from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.polling import NameRecords, polls
from route53_takeover.core.takeover.step import step
from route53_takeover.core.timing import EARLY_PAUSE
from route53_takeover.simulation.aws.cloudformation.record_handler import Mode
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.runner import rehearse_once

if TYPE_CHECKING:
    from route53_takeover.simulation.chaos.oracle import Rehearsal

NAMES = 24


def rehearsed() -> Rehearsal:
    scenario = many_names(NAMES, Mode.RETRY)
    return rehearse_once(scenario, "many", Faults(), options=options_for(scenario))


def test_proofs_of_many_names_follow_each_other_with_a_pause() -> None:
    proofs = [
        event.time
        for event in rehearsed().events
        if isinstance(event, ev.WriteIntended) and event.purpose is Purpose.PROVE
    ]
    assert len(proofs) == NAMES
    assert min(later - earlier for earlier, later in pairwise(proofs)) >= EARLY_PAUSE


def test_names_that_are_read_slowly_are_not_all_due_at_once() -> None:
    state, due = None, list[float]()
    for event in rehearsed().events:
        state, _ = step(state, event)
        if state.phase is Phase.WATCH:
            reads = [p for p in polls(state) if isinstance(p.target, NameRecords) and p.every > 1.0]
            due = [round(p.last + p.every, 3) for p in reads if p.last] or due
    assert len(due) > NAMES / 2
    assert max(map(due.count, due)) <= NAMES / 4
