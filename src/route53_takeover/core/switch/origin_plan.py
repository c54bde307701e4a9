"""The switch of an origin of a distribution, put together from what was read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from route53_takeover.core.plan.model import Finding
from route53_takeover.core.switch.model import OriginSwap
from route53_takeover.core.switch.origin_checks import (
    no_such_origin,
    origin_refusals,
    origin_warnings,
)
from route53_takeover.core.switch.origins import chosen_origin, switched, target_of
from route53_takeover.core.switch.policies import compare, invalidation, matched

if TYPE_CHECKING:
    from route53_takeover.core.domain.distributions import Distribution
    from route53_takeover.core.switch.facts import SwitchFacts
    from route53_takeover.core.switch.model import Difference


class OriginPlan(NamedTuple):
    """What the switch of an origin comes to."""

    swap: OriginSwap | None
    refusals: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    differences: tuple[Difference, ...] = ()


def origin_plan(facts: SwitchFacts, distribution: Distribution) -> OriginPlan:
    """The switch to green; where green is not there yet, one that changes nothing."""
    options = facts.options
    origin_id = chosen_origin(distribution.config, options.origin)
    if origin_id is None:
        return OriginPlan(None, (no_such_origin(distribution, options.origin),))
    if facts.green is None:
        return OriginPlan(_swap(facts, distribution, origin_id, dict(distribution.config)))
    to = target_of(facts.green.host)
    if to is None:
        return OriginPlan(
            None,
            (
                Finding(
                    text=f"{facts.green.host!r} is no HOST[/PATH].",
                    hint="Give green's host, such as abc.execute-api.eu-west-1.amazonaws.com/prod.",
                ),
            ),
        )
    after = switched(distribution.config, origin_id, to)
    behind = facts.behind_green
    if options.match_policies and behind is not None:
        after = matched(after, origin_id, behind.config, facts.policies)
    blue = None if facts.behind_blue is None else facts.behind_blue.config
    differences = (
        ()
        if behind is None
        else compare(after, origin_id, behind.config, facts.policies, blue=blue)
    )
    return OriginPlan(
        _swap(facts, distribution, origin_id, after),
        origin_refusals(distribution, origin_id, to, after, facts.policies),
        origin_warnings(distribution, origin_id, to, facts.policies),
        differences,
    )


def _swap(
    facts: SwitchFacts,
    distribution: Distribution,
    origin_id: str,
    after: dict[str, object],
) -> OriginSwap:
    before = dict(distribution.config)
    paths = facts.options.invalidate
    if paths is None:
        paths = invalidation(before, after, origin_id, facts.policies)
    return OriginSwap(
        id=f"{distribution.distribution_id}/{origin_id}",
        distribution_id=distribution.distribution_id,
        domain_name=distribution.domain_name,
        aliases=distribution.aliases,
        origin_id=origin_id,
        config=before,
        switched=after,
        invalidate=paths,
    )
