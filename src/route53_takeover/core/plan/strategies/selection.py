"""Which strategy each name of a plan gets, and what that adds to the plan.

``auto`` takes, for each name, the possible one with the least expected harm, then the least harm at
worst, then the fewest side effects: by the numbers of `route53_takeover.core.plan.forecast`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.names import shown_name
from route53_takeover.core.plan.forecast import rank, strategy_forecast
from route53_takeover.core.plan.model import Finding, Strategy
from route53_takeover.core.plan.routing_checks import of_the_other_kind
from route53_takeover.core.plan.strategies import adopt, bridge, delete, weighted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.plan.facts import Facts
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.core.plan.strategies.assessment import Assessment

ASSESS = {
    Strategy.DELETE: delete.assess,
    Strategy.ADOPT: adopt.assess,
    Strategy.BRIDGE: bridge.assess,
    Strategy.WEIGHTED: weighted.assess,
}


def assess(facts: Facts, plan: Plan, strategy: Strategy) -> dict[str, Assessment]:
    """What one strategy comes to at each name; what they cannot all have is possible for none."""
    found = {name: _assess_at(facts, plan, strategy, name) for name in plan.names}
    _, clash = bridge.merged([h for each in found.values() for h in each.helpers])
    if clash:
        reason = f"the names share the wildcard {clash}, and have different answers."
        hint = "Take them over one after the other, or use --strategy auto."
        found = {
            name: replace(each, reason=each.reason or reason, hint=each.hint or hint)
            for name, each in found.items()
        }
    return found


def _assess_at(facts: Facts, plan: Plan, strategy: Strategy, name: str) -> Assessment:
    """One strategy at one name; only ``weighted`` brings simple and routed records together."""
    found = ASSESS[strategy](facts, plan, name)
    for manual in found.manuals if strategy is not Strategy.WEIGHTED else ():
        if (other := of_the_other_kind(facts, manual.original)) is not None:
            return replace(
                found,
                reason=f"one of the stack's {other.key} and {manual.key} has a routing policy.",
            )
    return found


def with_strategies(facts: Facts, plan: Plan) -> Plan:
    """The plan, each of whose record sets has its strategy, with the helpers that those need."""
    chosen = _chosen(facts, plan)
    helpers, _ = bridge.merged([h for each in chosen.values() for h in each.helpers])
    prepared = {
        manual.key: manual
        for each in chosen.values()
        for manual in (each.manuals if each.is_possible else ())
    }
    return replace(
        plan,
        manuals=tuple(prepared.get(manual.key, manual) for manual in plan.manuals),
        helpers=helpers,
        strategies=tuple(
            strategy_forecast(plan, strategy, assess(facts, plan, strategy).items())
            for strategy in ASSESS
        )
        if plan.manuals
        else (),
    )


def _chosen(facts: Facts, plan: Plan) -> dict[str, Assessment]:
    if plan.options.strategy is not Strategy.AUTO:
        return assess(facts, plan, plan.options.strategy)
    chosen: dict[str, Assessment] = {}
    for name in plan.names:
        found = [_assess_at(facts, plan, strategy, name) for strategy in ASSESS]
        possible = [each for each in found if each.is_possible]
        possible.sort(key=lambda each: rank(strategy_forecast(plan, each.strategy, [(name, each)])))
        helpers = [h for other in chosen.values() for h in other.helpers]
        for each in possible:
            if not bridge.merged([*helpers, *each.helpers])[1]:
                chosen[name] = each
                break
    return chosen


def refuse_strategy(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """A strategy that was asked for and is not possible; ``delete`` is refused where it fails."""
    strategy = plan.options.strategy
    if strategy in (Strategy.AUTO, Strategy.DELETE):
        return
    for name, each in assess(facts, plan, strategy).items():
        if not each.is_possible:
            yield Finding(
                text=f"--strategy {strategy} is not possible for {shown_name(name)}: {each.reason}",
                hint=each.hint or "Use --strategy auto: it takes the best one that is possible.",
            )
