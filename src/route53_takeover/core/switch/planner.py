"""Makes the plan of a switch from what was read. Pure: the same facts make the same plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.api_mappings import stage_path
from route53_takeover.core.domain.http_checks import Route
from route53_takeover.core.domain.http_secrets import literal_secrets
from route53_takeover.core.plan.model import Finding
from route53_takeover.core.switch.mapping_plan import (
    api_differences,
    check_refusals,
    chosen_mappings,
    domain_refusals,
    domain_warnings,
    green_refusals,
    mapping_swaps,
    secret_rule,
)
from route53_takeover.core.switch.model import SwitchPlan, place
from route53_takeover.core.switch.origin_plan import origin_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.domain.api_mappings import ApiTarget
    from route53_takeover.core.switch.facts import SwitchFacts
    from route53_takeover.core.switch.model import Difference


def make_switch_plan(facts: SwitchFacts) -> SwitchPlan:
    """What a switch would do, or why it is refused."""
    made = _of_distribution(facts) if facts.options.distribution else _of_domain(facts)
    return SwitchPlan(
        options=facts.options,
        account=facts.account,
        region=facts.region,
        site=made.site,
        swaps=made.swaps,
        watched=made.watched,
        known_apis=facts.known_apis,
        checks=facts.checks,
        blue=made.blue,
        green=made.green,
        rule=made.rule,
        differences=made.differences,
        refusals=(*facts.findings, *_check_refusals(facts), *made.refusals),
        warnings=(*_check_warnings(facts), *made.warnings),
    )


def is_done(plan: SwitchPlan) -> bool:
    """Whether everything leads to green already: nothing else counts then."""
    return bool(plan.swaps) and all(swap.before == swap.after for swap in plan.swaps)


def _check_refusals(facts: SwitchFacts) -> Iterator[Finding]:
    for check in facts.checks:
        if secrets := literal_secrets(check):
            yield Finding(
                text=f"A check has a secret in it ({', '.join(secrets)}), and the run's folder "
                "would keep it.",
                hint="Write ${NAME} in its place, and set NAME in the environment.",
            )


def _check_warnings(facts: SwitchFacts) -> Iterator[Finding]:
    if not facts.checks:
        yield Finding(
            text="Without --check green is not tested before the switch, and nothing switches "
            "back by itself after it.",
            hint="Add --check URL, with --side-header NAME where a header tells blue from green.",
        )


# -- a custom domain


def _of_domain(facts: SwitchFacts) -> SwitchPlan:
    options, domain = facts.options, facts.domain
    empty = SwitchPlan(options=options, account="", region="", site=options.domain or "")
    if domain is None:
        return empty
    chosen = chosen_mappings(facts)
    refusals = [
        *domain_refusals(facts, domain),
        *chosen.refusals,
        *check_refusals(facts, domain, chosen.mappings),
    ]
    target = None if facts.green is None else facts.green.target
    blue = chosen.mappings[0].target if chosen.mappings else None
    differences: tuple[Difference, ...] = ()
    if target is not None and (green := facts.apis.get(str(target))) is not None:
        refusals += green_refusals(domain, green, is_checked=bool(facts.checks))
        if blue is not None and (old := facts.apis.get(str(blue))) is not None:
            differences = api_differences(old, green)
    swaps = mapping_swaps(domain, chosen.mappings, target)
    described = None if target is None else facts.apis.get(str(target))
    return SwitchPlan(
        options=options,
        account="",
        region="",
        site=domain.name,
        swaps=swaps if target is not None else (),
        watched=swaps if options.deploy is not None else (),
        blue=_api_route(facts, blue),
        green=_api_route(facts, target),
        rule=secret_rule(facts, domain, swaps, described),
        differences=differences,
        refusals=tuple(refusals),
        warnings=(*chosen.warnings, *domain_warnings(facts, domain)),
    )


def _api_route(facts: SwitchFacts, target: ApiTarget | None) -> Route:
    if target is None:
        return Route()
    host = f"{target.api_id}.execute-api.{facts.region}.{facts.domain_suffix}"
    return Route(base_url=f"https://{host}{stage_path(target)}")


# -- a distribution


def _of_distribution(facts: SwitchFacts) -> SwitchPlan:
    options, distribution = facts.options, facts.distribution
    empty = SwitchPlan(options=options, account="", region="", site=options.distribution or "")
    if distribution is None:
        return empty
    made = origin_plan(facts, distribution)
    site = next(iter(distribution.aliases), distribution.domain_name)
    swap = made.swap
    swaps = () if swap is None else (swap,)
    before = "" if swap is None else place(swap.config, swap.origin_id)
    green = "" if facts.green is None else facts.green.host
    return SwitchPlan(
        options=options,
        account="",
        region="",
        site=site,
        swaps=swaps if facts.green is not None else (),
        watched=swaps if options.deploy is not None else (),
        blue=Route(base_url=f"https://{before}") if before else Route(),
        green=Route(base_url=f"https://{green}") if green else Route(),
        differences=made.differences,
        refusals=made.refusals,
        warnings=made.warnings,
    )
