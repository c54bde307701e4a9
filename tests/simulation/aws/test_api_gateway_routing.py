"""Where the simulated API Gateway sends a request, and how a change reaches its edges."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.simulated_api_gateway import (
    BLUE,
    EDGE,
    GREEN,
    HTTP_BLUE,
    HTTP_GREEN,
    REGIONAL,
    Gateway,
)

from route53_takeover.core.domain.api_mappings import ApiTarget, RoutingMode
from route53_takeover.simulation.aws.api_gateway.refusals import ApiGatewayError
from route53_takeover.simulation.aws.web.routing import SiteRequest, ToApi

if TYPE_CHECKING:
    from collections.abc import Mapping

    from route53_takeover.simulation.aws.web.routing import SiteAnswer

SUFFIX = f"execute-api.{Gateway.region}.amazonaws.com"


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def ask(gateway: Gateway, host: str, path: str = "/", headers: Mapping[str, str] = {}) -> Any:
    return gateway.store.route(SiteRequest(method="GET", host=host, path=path, headers=headers))


def switch(gateway: Gateway, to: ApiTarget = GREEN, name: str = REGIONAL) -> None:
    domain = gateway.store.domain(name)
    gateway.store.change_mapping(domain, "", to, by="us", operation="UpdateApiMapping")


@pytest.mark.parametrize(
    ("path", "target", "seen"),
    [
        ("/", BLUE, "/"),
        ("/cart?a=/b", BLUE, "/cart?a=/b"),
        ("/shop", BLUE, "/shop"),
        ("/shop/v1", HTTP_BLUE, "/"),
        ("/shop/v1/", HTTP_BLUE, "/"),
        ("/shop/v1?q=1", HTTP_BLUE, "/?q=1"),
        ("/shop/v1/cart?q=1", HTTP_BLUE, "/cart?q=1"),
        ("/shop/v10", BLUE, "/shop/v10"),
    ],
)
def test_the_longest_base_path_decides_and_is_taken_away(
    gateway: Gateway, path: str, target: ApiTarget, seen: str
) -> None:
    assert ask(gateway, REGIONAL, path) == ToApi(target=target, path=seen)
    assert ask(gateway, REGIONAL.upper() + ".", path) == ToApi(target=target, path=seen)


def test_where_nothing_is_mapped_it_is_forbidden(gateway: Gateway) -> None:
    gateway.store.add_domain("new.example.com", mappings={"shop": BLUE})
    for host in ("new.example.com", gateway.store.domain(EDGE).hostname):
        answer = ask(gateway, host)
        assert (answer.status, json.loads(answer.body)) == (403, {"message": "Forbidden"})
    assert isinstance(ask(gateway, "new.example.com", "/shop"), ToApi)


@pytest.mark.parametrize("host", ["example.com", "blue.execute-api.us-east-1.amazonaws.com"])
def test_other_hosts_are_not_its_own(gateway: Gateway, host: str) -> None:
    assert ask(gateway, host) is None


@pytest.mark.parametrize(
    ("host", "path", "target", "seen"),
    [
        ("blue", "/dev/cart?a=1", BLUE, "/cart?a=1"),
        ("blue", "/dev", BLUE, "/"),
        ("hblue", "/cart", HTTP_BLUE, "/cart"),
        ("hblue", "/v1/cart", ApiTarget("hblue", "v1"), "/cart"),
    ],
)
def test_an_api_is_served_under_its_own_host(
    gateway: Gateway, host: str, path: str, target: ApiTarget, seen: str
) -> None:
    gateway.store.add_stage("hblue", "v1")
    assert ask(gateway, f"{host}.{SUFFIX}", path) == ToApi(target=target, path=seen)


def test_an_api_answers_itself_where_it_has_no_endpoint_stage_or_deployment(
    gateway: Gateway,
) -> None:
    def answered(host: str, path: str) -> tuple[int, str]:
        answer: SiteAnswer = ask(gateway, host, path)
        return answer.status, json.loads(answer.body)["message"]

    gateway.store.add_stage("blue", "bare", deployed=False)
    gateway.store.add_stage("hblue", "bare", deployed=False)
    assert answered(f"blue.{SUFFIX}", "/prod/x") == (403, "Forbidden")
    assert answered(f"blue.{SUFFIX}", "/bare/x") == (403, "Missing Authentication Token")
    assert answered(f"hblue.{SUFFIX}", "/bare/x") == (404, "Not Found")
    assert answered(f"none.{SUFFIX}", "/dev") == (403, "Forbidden")
    del gateway.store.api("hgreen").stages[HTTP_GREEN.stage]
    assert answered(f"hgreen.{SUFFIX}", "/x") == (404, "Not Found")
    gateway.store.api("blue").settings["disableExecuteApiEndpoint"] = True
    gateway.store.api("hblue").settings["DisableExecuteApiEndpoint"] = True
    assert answered(f"blue.{SUFFIX}", "/dev") == (403, "Forbidden")
    assert answered(f"hblue.{SUFFIX}", "/") == (403, "Forbidden")
    assert ask(gateway, REGIONAL) == ToApi(target=BLUE, path="/")


def secret_rule(gateway: Gateway, mode: RoutingMode) -> None:
    """A rule that leads to green those who know a header."""
    domain = gateway.store.domain(REGIONAL)
    wanted = {"Header": "X-Green", "ValueGlob": "*s3cret*"}
    gateway.store.put_rule(
        domain,
        priority=10,
        target=GREEN,
        conditions=[
            {"MatchHeaders": {"AnyOf": [wanted]}},
            {"MatchBasePaths": {"AnyOf": ["cart", "shop"]}},
        ],
        strips=True,
        by="us",
    )
    gateway.store.set_routing_mode(domain, mode, by="us")


def test_a_rule_comes_before_the_mappings_for_what_fits_it(gateway: Gateway) -> None:
    secret_rule(gateway, RoutingMode.RULES_FIRST)
    header = {"x-green": "a-s3cret-b"}
    assert ask(gateway, REGIONAL, "/cart", header) == ToApi(target=GREEN, path="/")
    assert ask(gateway, REGIONAL, "/shop/cart", header) == ToApi(target=GREEN, path="/cart")
    assert ask(gateway, REGIONAL, "/about", header) == ToApi(target=BLUE, path="/about")
    assert ask(gateway, REGIONAL, "/cart") == ToApi(target=BLUE, path="/cart")
    assert ask(gateway, REGIONAL, "/cart", {"x-green": "other"}).target == BLUE


def test_rules_count_only_where_the_mode_says_so(gateway: Gateway) -> None:
    secret_rule(gateway, RoutingMode.MAPPINGS)
    header = {"x-green": "s3cret"}
    assert ask(gateway, REGIONAL, "/cart", header).target == BLUE
    domain = gateway.store.domain(REGIONAL)
    gateway.store.set_routing_mode(domain, RoutingMode.RULES, by="us")
    assert ask(gateway, REGIONAL, "/cart", header).target == GREEN
    assert ask(gateway, REGIONAL).status == 403


def test_the_lowest_priority_decides(gateway: Gateway) -> None:
    domain = gateway.store.domain(REGIONAL)
    gateway.store.set_routing_mode(domain, RoutingMode.RULES_FIRST, by="us")
    for priority, target in ((20, BLUE), (10, GREEN)):
        gateway.store.put_rule(
            domain, priority=priority, target=target, conditions=(), strips=False, by="us"
        )
    assert ask(gateway, REGIONAL, "/shop/v1").target == GREEN
    first = domain.table.rules[0].rule_id
    gateway.store.delete_rule(domain, first, by="us")
    assert ask(gateway, REGIONAL, "/shop/v1").target == BLUE


def test_a_change_is_served_in_a_mixed_way_until_every_edge_has_it() -> None:
    gateway = Gateway(settling=(1.0, 9.0))
    switch(gateway)
    assert {ask(gateway, REGIONAL).target for _ in range(50)} == {BLUE}
    gateway.later(5.0)
    assert gateway.store.is_settling(REGIONAL)
    assert {ask(gateway, REGIONAL).target for _ in range(50)} == {BLUE, GREEN}
    gateway.later(4.0)
    assert not gateway.store.is_settling(REGIONAL)
    assert {ask(gateway, REGIONAL).target for _ in range(50)} == {GREEN}
    assert ask(gateway, EDGE).target == BLUE


def test_no_edge_goes_back_to_an_earlier_change() -> None:
    gateway = Gateway(settling=(0.0, 10.0))
    for _ in range(10):
        switch(gateway, GREEN)
        switch(gateway, BLUE)
    gateway.later(10.0)
    assert {ask(gateway, REGIONAL).target for _ in range(50)} == {BLUE}


def test_asking_how_things_stand_draws_nothing() -> None:
    """Otherwise one more look would give a simulated run another course."""
    first, second = Gateway(settling=(0.0, 10.0)), Gateway(settling=(0.0, 10.0))
    for gateway in (first, second):
        switch(gateway)
        gateway.later(5.0)
    for _ in range(3):
        first.store.is_settling(REGIONAL)
    answers = [[ask(gateway, REGIONAL).target for _ in range(20)] for gateway in (first, second)]
    assert answers[0] == answers[1]


def test_every_write_is_told_with_its_time_and_writer(gateway: Gateway) -> None:
    domain = gateway.store.domain(REGIONAL)
    gateway.later(5.0)
    switch(gateway)
    gateway.later(5.0)
    gateway.store.delete_mapping(domain, "", by="their Lambda", operation="DeleteBasePathMapping")
    gateway.store.create_mapping(domain, "", BLUE, by="a person", operation="CreateApiMapping")
    start = gateway.timeline.now - 10.0
    told = [(w.time - start, w.by, w.what, w.before, w.after) for w in gateway.store.history]
    assert told == [
        (5.0, "us", "", BLUE, GREEN),
        (10.0, "their Lambda", "", GREEN, None),
        (10.0, "a person", "", None, BLUE),
    ]
    assert {w.domain for w in gateway.store.history} == {REGIONAL}


def test_what_a_domain_leads_to_stays(gateway: Gateway) -> None:
    with pytest.raises(ApiGatewayError, match="Please remove all base path mappings"):
        gateway.store.delete_api("blue", rest=True, by="a stack")
    for name in (REGIONAL, EDGE):
        switch(gateway, name=name)
    domain = gateway.store.domain(EDGE)
    gateway.store.delete_mapping(domain, "shop", by="us", operation="DeleteBasePathMapping")
    gateway.store.delete_api("blue", rest=True, by="a stack")
    assert gateway.store.history[-1].what == "blue"
    assert ask(gateway, f"blue.{SUFFIX}", "/dev").status == 403
