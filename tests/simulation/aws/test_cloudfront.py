"""The simulated CloudFront: edges that change one by one, caches, forwarding, refusals, history."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from tests.distributions import (
    BLUE,
    GREEN,
    GREEN_API,
    GREEN_LAMBDA,
    POLICIES,
    SITE,
    behavior,
    config,
    group,
    listed,
    origin,
)

from route53_takeover.core.domain.cloudfront_policies import (
    ALL_VIEWER,
    ALL_VIEWER_EXCEPT_HOST,
    CACHING_DISABLED,
    CACHING_OPTIMIZED,
    forwards_host,
)
from route53_takeover.core.domain.distributions import PolicyKind
from route53_takeover.core.switch.origins import switched, target_of
from route53_takeover.simulation.aws.cloudfront.store import CloudFront, Habits
from route53_takeover.simulation.aws.http.faults import ApiFault
from route53_takeover.simulation.aws.timeline import Schedule
from route53_takeover.simulation.aws.web.routing import SiteAnswer, SiteRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.simulation.aws.cloudfront.store import SimDistribution
    from route53_takeover.simulation.aws.web.routing import CachingFront

HOSTS = {"blue.example.com": b"blue", "green.example.com": b"green"}
HABITS = Habits(edges=6, deploying=10.0, invalidating=2.0)


class World:
    """A front whose origin is a plain host, and the sites behind it."""

    def __init__(self, whole: dict[str, Any] | None = None) -> None:
        self.timeline = Schedule(1000.0)
        self.store = CloudFront(self.timeline, Random(7), HABITS)  # noqa: S311 -- a simulation
        found = config(origin("blue.example.com")) if whole is None else whole
        self.front = self.store.add(
            found, distribution_id="EFRONT", domain_name="df.cloudfront.net"
        )
        self.asked: list[SiteRequest] = []

    def after(self, seconds: float) -> None:
        self.timeline.advance(self.timeline.now + seconds)

    def get(self, path: str = "/", method: str = "GET", **headers: str) -> SiteAnswer:
        """A viewer's request, all the way."""
        bare, _, query = path.partition("?")
        first = SiteRequest(method=method, host=SITE, path=bare, query=query, headers=headers)
        return self.ask(first)

    def ask(self, request: SiteRequest) -> SiteAnswer:
        front: CachingFront = self.store
        passed: list[SiteRequest] = []
        while isinstance(onward := front.route(request), SiteRequest):
            assert len(passed) < 10, "it goes round in a circle"
            passed.append(onward)
            request = onward
        if onward is None:
            self.asked.append(request)
            onward = SiteAnswer(status=200, body=HOSTS.get(request.host, b"?"))
        assert isinstance(onward, SiteAnswer)
        for each in reversed(passed):
            onward = front.answered(each, onward)
        return onward

    def switch(self, **members: Any) -> SimDistribution:
        target = target_of("green.example.com")
        assert target is not None
        after = {**switched(self.front.config, "app", target), **members}
        return self.store.update("EFRONT", after, self.front.etag)

    def bodies(self, times: int = 60) -> set[bytes]:
        return {self.get().body for _ in range(times)}


def refusal(call: Callable[[], object]) -> tuple[str, int]:
    with pytest.raises(ApiFault) as caught:
        call()
    return caught.value.code, caught.value.status


def test_a_host_of_nobody_is_not_answered_here() -> None:
    world = World()
    request = SiteRequest(method="GET", host="other.example.com", path="/")
    assert world.store.route(request) is None
    assert world.store.answered(request, SiteAnswer(status=200)) == SiteAnswer(status=200)


@pytest.mark.parametrize("host", [SITE, "WWW.example.com", "df.cloudfront.net"])
def test_a_distribution_answers_by_its_name_and_by_its_aliases(host: str) -> None:
    assert World().ask(SiteRequest(method="GET", host=host, path="/")).body == b"blue"


def test_a_wildcard_alias_serves_names_below_it() -> None:
    world = World(config(origin("blue.example.com"), Aliases=listed("*.example.org")))
    request = SiteRequest(method="GET", host="any.example.org", path="/")
    assert world.ask(request).body == b"blue"


def test_each_edge_changes_by_itself_until_the_distribution_is_deployed() -> None:
    world = World()
    assert world.bodies() == {b"blue"}
    before = world.front.etag
    world.switch()
    assert world.front.etag != before
    assert world.front.status(world.timeline.now) == "InProgress"
    seen = []
    for _ in range(10):
        world.after(1.0)
        seen.append(world.bodies())
    assert {b"blue", b"green"} in seen
    assert world.front.status(world.timeline.now) == "Deployed"
    assert world.bodies() == {b"green"}


def test_an_edge_never_goes_back_to_an_older_config() -> None:
    world = World()
    world.switch()
    back = listed(origin("blue.example.com"))
    world.store.edit("EFRONT", Origins=back)
    was_back = set()
    for _ in range(40):
        world.after(0.25)
        for edge in world.front.edges:
            host = edge.config(world.timeline.now)["Origins"]["Items"][0]["DomainName"]
            changed = edge.config(world.timeline.now) is world.front.config
            assert changed or edge.name not in was_back, host
            was_back |= {edge.name} if changed else set()
    assert world.bodies() == {b"blue"}


def test_an_invalidation_before_every_edge_has_changed_is_too_early() -> None:
    cached = behavior(CachePolicyId=CACHING_OPTIMIZED)

    def after_an_invalidation(at: float) -> set[bytes]:
        world = World(config(origin("blue.example.com"), DefaultCacheBehavior=cached))
        assert world.bodies() == {b"blue"}
        world.switch()
        world.after(at)
        made = world.store.invalidate("EFRONT", ["/*"], "one")
        for _ in range(200):
            world.after(0.1)
            world.get()
        assert world.timeline.now > made.done
        return world.bodies()

    assert after_an_invalidation(0.5) == {b"blue", b"green"}
    assert after_an_invalidation(10.0) == {b"green"}


def test_what_was_kept_is_served_until_it_is_invalidated() -> None:
    cached = behavior(CachePolicyId=CACHING_OPTIMIZED)
    world = World(config(origin("blue.example.com"), DefaultCacheBehavior=cached))
    world.bodies()
    asked = len(world.asked)
    assert world.get().headers["x-cache"] == "Hit from cloudfront"
    assert world.get("/other").headers["x-cache"] == "Miss from cloudfront"
    assert world.get(method="POST").headers["x-cache"] == "Miss from cloudfront"
    assert len(world.asked) == asked + 2
    world.store.invalidate("EFRONT", ["/oth*"], "one")
    world.after(2.0)
    assert world.get().headers["x-cache"] == "Hit from cloudfront"
    world.store.invalidate("EFRONT", ["/"], "two")
    world.after(2.0)
    assert world.get().headers["x-cache"] == "Miss from cloudfront"


@pytest.mark.parametrize(
    ("members", "control", "kept"),
    [
        ({}, "max-age=60", False),
        ({"CachePolicyId": CACHING_OPTIMIZED}, "", True),
        ({"CachePolicyId": "short"}, "max-age=600", True),
        ({"CachePolicyId": "short"}, "", False),
        ({"CachePolicyId": "short"}, "no-store", False),
    ],
)
def test_an_answer_is_kept_as_policy_and_origin_agree(
    members: dict[str, Any], control: str, kept: bool
) -> None:
    world = World()
    world.store.add_policy(PolicyKind.CACHE, "short", {"MinTTL": 0, "DefaultTTL": 0, "MaxTTL": 30})
    world.store.edit("EFRONT", DefaultCacheBehavior=behavior(**members))
    world.after(10.0)

    def hits() -> set[str]:
        found = set()
        for _ in range(40):
            passed = world.store.route(SiteRequest(method="GET", host=SITE, path="/"))
            if isinstance(passed, SiteRequest):
                headers = {"Cache-Control": control} if control else {}
                passed = world.store.answered(passed, SiteAnswer(status=200, headers=headers))
            assert isinstance(passed, SiteAnswer)
            found.add(passed.headers["x-cache"].partition(" ")[0])
        return found

    assert ("Hit" in hits()) is kept
    world.after(90000.0 if members.get("CachePolicyId") == CACHING_OPTIMIZED else 31.0)
    assert "Miss" in hits()


def test_a_request_reaches_the_origin_as_the_policies_have_it() -> None:
    whole = config(
        origin(
            "blue.example.com",
            OriginPath="/dev",
            CustomHeaders=listed({"HeaderName": "X-Secret", "HeaderValue": "s"}),
        ),
        CacheBehaviors=listed(
            {"PathPattern": "/bare/*", **behavior(OriginRequestPolicyId=None)},
        ),
    )
    world = World(whole)
    sent = {"host": f"{SITE}:8080", "cookie": "a=1; b=2", "origin": "https://x", "accept": "*/*"}
    world.get("/x?q=1&r=2", **sent)
    got = world.asked[-1]
    assert (got.host, got.path, got.query) == ("blue.example.com", "/dev/x", "q=1&r=2")
    assert got.headers.keys() == {"cookie", "origin", "accept", "x-secret", "via", "x-amz-cf-id"}
    assert (got.headers["cookie"], got.headers["x-secret"]) == ("a=1; b=2", "s")
    world.get("/bare/x?q=1", **sent)
    assert (world.asked[-1].path, world.asked[-1].query) == ("/dev/bare/x", "")
    assert world.asked[-1].headers.keys() == {"x-secret", "via", "x-amz-cf-id"}


def test_cookies_go_by_their_own_choice_and_not_with_the_headers() -> None:
    world = World()
    choices = {
        "HeadersConfig": {"HeaderBehavior": "allExcept", "Headers": listed("host")},
        "CookiesConfig": {"CookieBehavior": "whitelist", "Cookies": listed("b")},
    }
    world.store.add_policy(PolicyKind.ORIGIN_REQUEST, "one-cookie", choices)
    one = behavior(OriginRequestPolicyId="one-cookie")
    world.store.edit("EFRONT", DefaultCacheBehavior=one)
    world.after(10.0)
    world.get(cookie="a=1; b=2")
    assert world.asked[-1].headers["cookie"] == "b=2"
    world.get(cookie="a=1")
    assert "cookie" not in world.asked[-1].headers


FORWARDING = [
    ({}, False),
    ({"OriginRequestPolicyId": ALL_VIEWER}, True),
    ({"OriginRequestPolicyId": "listing"}, True),
    ({"OriginRequestPolicyId": "but-host"}, False),
    ({"CachePolicyId": "keyed"}, True),
    ({"CachePolicyId": None, "OriginRequestPolicyId": None, "ForwardedValues": "Host"}, True),
    ({"CachePolicyId": None, "OriginRequestPolicyId": None, "ForwardedValues": "*"}, True),
    ({"CachePolicyId": None, "OriginRequestPolicyId": None, "ForwardedValues": "Accept"}, False),
]
HIS: dict[tuple[PolicyKind, str], dict[str, Any]] = {
    (PolicyKind.ORIGIN_REQUEST, "listing"): {
        "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": listed("Host")}
    },
    (PolicyKind.ORIGIN_REQUEST, "but-host"): {
        "HeadersConfig": {"HeaderBehavior": "allExcept", "Headers": listed("HOST")}
    },
    (PolicyKind.CACHE, "keyed"): {
        "MinTTL": 0,
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": listed("Host")}
        },
    },
}


@pytest.mark.parametrize(("members", "is_forwarded"), FORWARDING)
@pytest.mark.parametrize("target", ["blue.example.com", BLUE, GREEN_API, GREEN_LAMBDA])
def test_the_program_and_the_simulation_agree_on_what_forwards_the_host(
    members: dict[str, Any], is_forwarded: bool, target: str
) -> None:
    header = members.get("ForwardedValues")
    if header is not None:
        values = {"QueryString": True, "Cookies": {"Forward": "all"}, "Headers": listed(header)}
        members = {**members, "ForwardedValues": values}
    world = World()
    for (kind, policy_id), content in HIS.items():
        world.store.add_policy(kind, policy_id, content)
    blue = config(origin("blue.example.com"), Aliases=listed("blue-alias.example.com"))
    world.store.add(blue, domain_name=BLUE)
    world.store.edit(
        "EFRONT", Origins=listed(origin(target)), DefaultCacheBehavior=behavior(**members)
    )
    world.after(10.0)
    known = {**POLICIES, **{policy_id: content for (_, policy_id), content in HIS.items()}}
    assert forwards_host(world.front.config["DefaultCacheBehavior"], known) is is_forwarded
    answer = world.get("/", accept="text/html")
    if is_forwarded and target != "blue.example.com":
        assert answer.status == 403
        return
    assert answer.status == 200
    assert ("host" in world.asked[-1].headers) is is_forwarded
    if is_forwarded:
        assert world.asked[-1].headers["host"] == SITE


def test_a_distribution_that_leads_to_itself_goes_round_in_a_circle() -> None:
    world = World(config(origin(BLUE)))
    world.store.add(config(origin("df.cloudfront.net"), Aliases=listed()), domain_name=BLUE)
    assert world.get().status == 403


def test_the_first_path_pattern_decides_and_a_group_leads_to_its_primary() -> None:
    whole = config(
        origin("blue.example.com"),
        origin("green.example.com", "other"),
        OriginGroups=listed(group("both", "other", "app")),
        CacheBehaviors=listed(
            {"PathPattern": "/a/b", **behavior("app")}, {"PathPattern": "a/*", **behavior("both")}
        ),
    )
    world = World(whole)
    found = {path: world.get(path).body for path in ("/a/b", "/a/c?x", "/c")}
    assert found == {"/a/b": b"blue", "/a/c?x": b"green", "/c": b"blue"}


def test_a_method_that_is_not_allowed_and_a_disabled_distribution_are_403() -> None:
    few = {**listed("HEAD", "GET"), "CachedMethods": listed("HEAD", "GET")}
    world = World(
        config(origin("blue.example.com"), DefaultCacheBehavior=behavior(AllowedMethods=few))
    )
    assert world.get(method="POST").status == 403
    assert world.get().status == 200
    world.store.edit("EFRONT", Enabled=False)
    world.after(10.0)
    assert world.get().status == 403


def test_an_update_needs_the_newest_etag() -> None:
    world = World()
    stale = world.front.etag
    world.store.touch("EFRONT")
    update = world.store.update
    assert refusal(lambda: update("EFRONT", world.front.config, stale)) == (
        "PreconditionFailed",
        412,
    )
    assert refusal(lambda: update("EFRONT", world.front.config, None))[0] == "InvalidIfMatchVersion"
    assert refusal(lambda: update("ENONE", {}, stale)) == ("NoSuchDistribution", 404)
    assert world.store.history == []
    update("EFRONT", world.front.config, world.front.etag)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"CallerReference": "another"}, "IllegalUpdate"),
        ({"Aliases": {"Quantity": 2, "Items": [SITE]}}, "InconsistentQuantities"),
        ({"DefaultCacheBehavior": behavior("nothing")}, "NoSuchOrigin"),
        ({"OriginGroups": listed(group("g", "app", "nothing"))}, "NoSuchOrigin"),
        ({"DefaultCacheBehavior": behavior(CachePolicyId="nothing")}, "NoSuchCachePolicy"),
        (
            {"DefaultCacheBehavior": behavior(ResponseHeadersPolicyId="nothing")},
            "NoSuchResponseHeadersPolicy",
        ),
        ({"DefaultCacheBehavior": behavior(CachePolicyId=None)}, "InvalidArgument"),
        ({"Origins": listed(origin(OriginPath="dev"))}, "InvalidArgument"),
        ({"Origins": listed(origin(OriginPath="/dev/"))}, "InvalidArgument"),
        ({"Origins": listed(origin("https://x.example"))}, "InvalidArgument"),
        ({"Origins": listed(origin(S3OriginConfig={}))}, "InvalidArgument"),
        ({"Aliases": listed("Taken.example.com")}, "CNAMEAlreadyExists"),
    ],
)
def test_a_config_that_cannot_be_is_refused_and_nothing_changes(
    members: dict[str, Any], code: str
) -> None:
    world = World()
    world.store.add(config(Aliases=listed("taken.example.com")))
    before, etag = world.front.config, world.front.etag
    assert refusal(lambda: world.store.edit("EFRONT", **members))[0] == code
    assert (world.front.config, world.front.etag) == (before, etag)


def test_a_reference_begins_one_invalidation() -> None:
    world = World()
    first = world.store.invalidate("EFRONT", ["/*"], "one")
    assert world.store.invalidate("EFRONT", ["/*"], "one") == first
    assert world.store.invalidation("EFRONT", first.invalidation_id) == first
    bad = [(["/a"], "one"), ([], "two"), (["a"], "three")]
    for paths, reference in bad:
        with pytest.raises(ApiFault, match="InvalidArgument"):
            world.store.invalidate("EFRONT", paths, reference)
    assert refusal(lambda: world.store.invalidation("EFRONT", "I"))[0] == "NoSuchInvalidation"
    assert [each.invalidated for each in world.store.history] == [("/*",)]


def test_every_write_is_kept_with_its_time_and_its_writer() -> None:
    world = World()
    world.switch()
    world.after(3.0)
    world.store.edit("EFRONT", Comment="by hand")
    mine, theirs = world.store.history
    assert (mine.by, mine.time) == ("client", 1000.0)
    assert (theirs.by, theirs.time, theirs.etag) == ("a person", 1003.0, world.front.etag)
    assert mine.config["Comment"] == "the site"
    assert theirs.config["Comment"] == "by hand"


def test_the_managed_policies_are_there() -> None:
    store = World().store
    assert store.policy(PolicyKind.CACHE, CACHING_DISABLED)["MaxTTL"] == 0
    assert store.policy(PolicyKind.ORIGIN_REQUEST, ALL_VIEWER_EXCEPT_HOST)["HeadersConfig"]
    for kind, code in (
        (PolicyKind.CACHE, "NoSuchCachePolicy"),
        (PolicyKind.ORIGIN_REQUEST, "NoSuchOriginRequestPolicy"),
        (PolicyKind.RESPONSE_HEADERS, "NoSuchResponseHeadersPolicy"),
    ):
        with pytest.raises(ApiFault, match=f"{code}:"):
            store.policy(kind, "x")


def test_greens_distribution_is_reached_through_the_front() -> None:
    world = World(config(origin(GREEN)))
    world.store.add(config(origin("green.example.com"), Aliases=listed()), domain_name=GREEN)
    assert world.get().body == b"green"
    assert world.asked[-1].headers["via"].count("(CloudFront)") == 2
