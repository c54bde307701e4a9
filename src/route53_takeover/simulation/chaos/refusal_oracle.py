"""The verdict on a plan that is refused because of other stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.base.errors import ExitCode
from route53_takeover.core.endings import Outcome
from route53_takeover.core.status.result import Result
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.fold import begin
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.simulation.chaos.coverage import CoverageGoal, hidden_owners
from route53_takeover.simulation.chaos.oracle import Rehearsal

if TYPE_CHECKING:
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.simulation.chaos.harness import Harness
    from route53_takeover.simulation.scenarios import Scenario


def judged_refusal(scenario: Scenario, seed: str, harness: Harness, plan: Plan) -> Rehearsal:
    """Holds the refusal of a plan against what the other stacks own."""
    owners = {*hidden_owners(harness, plan)}
    reasons = " ".join(map(str, plan.refusals))
    told = all(f"stack {owner} owns" in reasons for owner in owners)
    return Rehearsal(
        scenario=scenario.name,
        seed=seed,
        result=Result(
            run=None,
            phase=Phase.PREFLIGHT,
            outcome=Outcome.REFUSED,
            exit_code=ExitCode.REFUSED,
            reason=reasons,
        ),
        state=begin(ev.RunStarted(time=harness.clock.now(), run="rehearsal", plan=plan)),
        absent=False,
        broken=() if told else ("a refusal names the stack that owns the record",),
        gap_seconds=0.0,
        lives=0,
        events=(),
        struck={},
        sights=frozenset({CoverageGoal.OWNER_HIDDEN} if owners else ()),
        history=(),
    )
