"""The plan of a switch: what is switched, what is refused, what is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.distributions import GREEN_API, POLICIES, SITE, behavior, config, distribution, origin

from route53_takeover.core.domain.api_mappings import (
    ApiDescription,
    ApiKind,
    ApiMapping,
    ApiTarget,
    CustomDomain,
    EndpointType,
    RoutingMode,
    RoutingRule,
)
from route53_takeover.core.switch.check_syntax import parse_check
from route53_takeover.core.switch.events import Way
from route53_takeover.core.switch.facts import GreenPlace, SwitchFacts
from route53_takeover.core.switch.iam_policy import switch_policy
from route53_takeover.core.switch.model import MappingSwap, OriginSwap, SwitchOptions
from route53_takeover.core.switch.planner import is_done, make_switch_plan
from route53_takeover.core.switch.routes import route_for

if TYPE_CHECKING:
    from collections.abc import Mapping

BLUE, GREEN, OTHER = ApiTarget("blue", "dev"), ApiTarget("green", "dev_2"), ApiTarget("other", "v1")
CHECK = f"https://{SITE}/shop/up"


def api(target: ApiTarget, **more: Any) -> ApiDescription:
    given: dict[str, Any] = {
        "name": target.api_id,
        "kind": ApiKind.REST,
        "endpoint_types": (EndpointType.REGIONAL,),
        "has_stage": True,
        "is_deployed": True,
        **more,
    }
    return ApiDescription(target=target, **given)


def facts(
    mappings: Mapping[str, ApiTarget] | None = None,
    *,
    green: ApiDescription | None = None,
    options: dict[str, Any] | None = None,
    **more: Any,
) -> SwitchFacts:
    """Of a regional domain whose root leads to blue, with green there."""
    green = green or api(GREEN)
    found = {"": BLUE} if mappings is None else mappings
    given: dict[str, Any] = {
        "domain": CustomDomain(name=SITE, endpoint_type=EndpointType.REGIONAL),
        "mappings": tuple(ApiMapping(base_path=p, target=t) for p, t in found.items()),
        "green": GreenPlace(target=green.target),
        "apis": {str(BLUE): api(BLUE), str(green.target): green},
        "checks": (parse_check(CHECK),),
        **more,
    }
    return SwitchFacts(
        options=SwitchOptions(domain=SITE, to=str(GREEN), **(options or {})),
        account="123456789012",
        region="eu-west-1",
        **given,
    )


def swapped(known: SwitchFacts) -> dict[str, str]:
    """Base path -> where it is to lead."""
    plan = make_switch_plan(known)
    assert not plan.refused, plan.refusals
    swaps = [swap for swap in plan.swaps if isinstance(swap, MappingSwap)]
    return {swap.mapping.base_path: f"{swap.before} -> {swap.after}" for swap in swaps}


def refusals(known: SwitchFacts) -> str:
    return " ".join(map(str, make_switch_plan(known).refusals))


TO_GREEN = f"{BLUE} -> {GREEN}"


@pytest.mark.parametrize(
    ("mappings", "base_path", "expected"),
    [
        ({"": BLUE}, None, {"": TO_GREEN}),
        ({"": BLUE, "v1": BLUE}, None, {"": TO_GREEN, "v1": TO_GREEN}),
        ({"": BLUE, "admin": OTHER}, None, {"": TO_GREEN}),
        ({"shop": BLUE}, None, {"shop": TO_GREEN}),
        ({"": OTHER, "shop": BLUE}, "shop", {"shop": TO_GREEN}),
        ({"": BLUE, "shop": OTHER}, "/", {"": TO_GREEN}),
        ({"": BLUE}, "(none)", {"": TO_GREEN}),
    ],
)
def test_the_mappings_that_lead_to_blue_are_switched(
    mappings: dict[str, ApiTarget], base_path: str | None, expected: dict[str, str]
) -> None:
    known = facts(mappings, options={"base_path": base_path}, checks=())
    assert swapped(known) == expected


def test_what_is_not_switched_is_told() -> None:
    plan = make_switch_plan(facts({"": BLUE, "admin": OTHER}))
    assert any("/admin -> other/v1" in each.text for each in plan.warnings)


EDGE = CustomDomain(name=SITE, endpoint_type=EndpointType.EDGE)


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (facts({}), "no mapping"),
        (facts({"a": BLUE, "b": OTHER}), "several APIs"),
        (facts({"": BLUE, "b": ApiTarget("blue", "prod")}), "several stages"),
        (facts(options={"base_path": "nope"}), "no mapping for the base path 'nope'"),
        (facts(green=api(GREEN, has_stage=False)), "no stage dev_2"),
        (facts(green=api(GREEN, is_deployed=False)), "no deployment"),
        (facts(green=api(GREEN, kind=ApiKind.WEBSOCKET)), "WebSocket"),
        (facts(green=api(GREEN, endpoint_types=(EndpointType.EDGE,))), "is REGIONAL, and API"),
        (facts(domain=EDGE, green=api(GREEN, kind=ApiKind.HTTP)), "serves REST APIs alone"),
        (facts(domain=EDGE), "is EDGE, and API green is REGIONAL"),
        (
            facts(green=api(GREEN, settings={"execute-api endpoint": "disabled"})),
            "cannot be checked before",
        ),
        (
            facts(domain=CustomDomain(name=SITE, endpoint_type=EndpointType.PRIVATE)),
            "is private",
        ),
        (
            facts(
                domain=CustomDomain(
                    name=SITE, endpoint_type=EndpointType.REGIONAL, status="UPDATING"
                )
            ),
            "is UPDATING",
        ),
        (
            facts(
                domain=CustomDomain(
                    name=SITE,
                    endpoint_type=EndpointType.REGIONAL,
                    routing_mode=RoutingMode.RULES,
                )
            ),
            "routed by rules alone",
        ),
        (
            facts(checks=(parse_check(f"{CHECK} -H 'Authorization: Bearer abcdef123456'"),)),
            "has a secret in it",
        ),
    ],
)
def test_what_would_not_work_is_refused_with_a_way_out(known: SwitchFacts, words: str) -> None:
    plan = make_switch_plan(known)
    assert words in " ".join(each.text for each in plan.refusals)
    assert all(each.hint for each in plan.refusals)


def test_a_rule_that_catches_everything_makes_the_switch_of_a_mapping_none() -> None:
    domain = CustomDomain(
        name=SITE, endpoint_type=EndpointType.REGIONAL, routing_mode=RoutingMode.RULES_FIRST
    )
    catch_all = RoutingRule(rule_id="r1", priority=10, target=BLUE)
    assert "before any mapping counts" in refusals(facts(domain=domain, rules=(catch_all,)))
    header = replace(catch_all, headers={"x-beta": "1"})
    plan = make_switch_plan(facts(domain=domain, rules=(header,)))
    assert not plan.refused
    assert any("goes on to lead to blue/dev" in each.text for each in plan.warnings)


def test_what_belongs_to_the_api_is_compared_with_a_weight() -> None:
    blue = api(BLUE, settings={"authorizer main": "cognito", "binary media types": "*/*"})
    green = api(
        GREEN, settings={"binary media types": "image/png"}, unread={"WAF": "no permission"}
    )
    known = facts(green=green, apis={str(BLUE): blue, str(GREEN): green})
    found = {each.what: (each.weight, each.green) for each in make_switch_plan(known).differences}
    assert found == {
        "authorizer main": ("warn", "not set"),
        "binary media types": ("note", "image/png"),
        "WAF": ("note", "?"),
    }


def test_green_that_is_not_there_yet_leaves_what_is_watched_while_it_is_made() -> None:
    known = facts(green=None, options={"deploy": "make green"})
    plan = make_switch_plan(replace(known, green=None))
    assert not plan.refused
    assert plan.swaps == ()
    assert [(swap.before, swap.after) for swap in plan.watched] == [(str(BLUE), str(BLUE))]


def test_a_site_that_is_on_green_has_nothing_to_do() -> None:
    assert is_done(make_switch_plan(facts({"": GREEN})))
    assert not is_done(make_switch_plan(facts()))


def test_without_a_check_the_plan_warns() -> None:
    assert any("--check" in each.text for each in make_switch_plan(facts(checks=())).warnings)
    assert make_switch_plan(facts()).warnings == ()


@pytest.mark.parametrize(
    ("mappings", "url", "strip"),
    [
        ({"": BLUE}, "/shop/up", ""),
        ({"shop": BLUE}, "/shop/up", "/shop"),
        ({"shop": BLUE, "shop/v1": BLUE}, "/shop/v1/up", "/shop/v1"),
        ({"shop": BLUE}, "/shopping", ""),
    ],
)
def test_green_is_asked_without_the_base_path(
    mappings: dict[str, ApiTarget], url: str, strip: str
) -> None:
    plan = make_switch_plan(facts(mappings))
    route = route_for(plan, parse_check(f"https://{SITE}{url}"), Way.GREEN)
    assert route.base_url == "https://green.execute-api.eu-west-1.amazonaws.com/dev_2"
    assert (route.strip_path, route.side) == (strip, "green")
    assert route_for(plan, parse_check(f"https://{SITE}{url}"), Way.LIVE).base_url == ""


# -- a distribution


def of_distribution(**options: Any) -> SwitchFacts:
    front = config(origin("blue1.execute-api.eu-central-1.amazonaws.com"), default=behavior())
    return SwitchFacts(
        options=SwitchOptions(distribution=SITE, to=f"{GREEN_API}/prod", **options),
        account="123456789012",
        region="eu-central-1",
        green=GreenPlace(host=f"{GREEN_API}/prod"),
        distribution=distribution(front),
        policies=POLICIES,
    )


def test_an_origin_is_switched_with_its_path() -> None:
    plan = make_switch_plan(of_distribution())
    assert not plan.refused, plan.refusals
    (swap,) = plan.swaps
    assert isinstance(swap, OriginSwap)
    assert swap.after == f"{GREEN_API}/prod"
    assert plan.green.base_url == f"https://{GREEN_API}/prod"


def test_paths_to_invalidate_are_the_users_where_given() -> None:
    (swap,) = make_switch_plan(of_distribution(invalidate=("/a",))).swaps
    assert isinstance(swap, OriginSwap)
    assert swap.invalidate == ("/a",)


def test_an_unknown_origin_is_refused() -> None:
    plan = make_switch_plan(of_distribution(origin="nope"))
    assert plan.refused
    assert plan.swaps == ()


# -- what it may call


def test_the_policy_of_a_mapping_names_the_domain_and_the_two_apis() -> None:
    document = switch_policy(make_switch_plan(facts()), "aws")
    by_sid = {each["Sid"]: each for each in document["Statement"]}
    assert set(by_sid) == {"ReadDomain", "ReadApis", "SwitchMappings"}
    at = "arn:aws:apigateway:eu-west-1::"
    assert f"{at}/restapis/green" in by_sid["ReadApis"]["Resource"]
    assert by_sid["SwitchMappings"]["Action"] == ["apigateway:PATCH", "apigateway:POST"]
    assert all(f"/domainnames/{SITE}/" in each for each in by_sid["SwitchMappings"]["Resource"])


def test_the_policy_of_an_origin_writes_one_distribution() -> None:
    plan = make_switch_plan(of_distribution())
    by_sid = {each["Sid"]: each for each in switch_policy(plan, "aws")["Statement"]}
    (swap,) = plan.swaps
    assert isinstance(swap, OriginSwap)
    arn = f"arn:aws:cloudfront::123456789012:distribution/{swap.distribution_id}"
    assert by_sid["SwitchOrigin"]["Resource"] == [arn]
    writes = {a for a in by_sid["SwitchOrigin"]["Action"] if not a.startswith("cloudfront:Get")}
    assert writes == {"cloudfront:UpdateDistribution", "cloudfront:CreateInvalidation"}


def test_the_default_stage_of_an_http_api_is_asked_at_the_root() -> None:
    default = ApiTarget("green", "$default")
    plan = make_switch_plan(facts(green=api(default, kind=ApiKind.HTTP)))
    assert plan.green.base_url == "https://green.execute-api.eu-west-1.amazonaws.com"


def test_the_policy_of_a_retirement_may_delete_one_stack() -> None:
    known = facts(options={"retire": "shop-dev"})
    document = switch_policy(make_switch_plan(known), "aws")
    by_sid = {each["Sid"]: each for each in document["Statement"]}
    arn = "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop-dev/*"
    assert by_sid["DeleteBlue"]["Resource"] == arn
    assert "cloudformation:DeleteStack" not in by_sid["JudgeRetirement"]["Action"]


def test_a_check_of_what_is_not_switched_is_refused() -> None:
    known = facts({"": BLUE, "shop": OTHER}, options={"base_path": "/"})
    assert "mapping /shop -> other/v1 serves" in refusals(known)
    assert not make_switch_plan(
        facts({"": OTHER, "shop": BLUE}, options={"base_path": "shop"})
    ).refused
