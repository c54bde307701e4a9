"""The simulated CloudFront in process: what the real adapter returns and raises, without a wire."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from tests.distributions import config, listed, origin

from route53_takeover.base.errors import (
    NotFoundError,
    RejectedChangeError,
    ThrottledError,
    UnansweredError,
)
from route53_takeover.core.domain.cloudfront_policies import CACHING_DISABLED, MANAGED
from route53_takeover.core.domain.distributions import PolicyKind
from route53_takeover.simulation.aws.cloudfront.store import CloudFront, Habits
from route53_takeover.simulation.aws.timeline import Schedule
from route53_takeover.simulation.chaos.distributions_port import SimulatedDistributions
from route53_takeover.simulation.chaos.way import Way

if TYPE_CHECKING:
    from route53_takeover.base.errors import ApiError


class Road(Way):
    """A way that takes no time, and fails where it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.there_fails: ApiError | None = None
        self.back_fails: ApiError | None = None

    async def there(self, operation: str) -> None:
        self.asked.append(operation)
        if self.there_fails is not None:
            raise self.there_fails

    async def back(self, operation: str) -> None:  # noqa: ARG002
        if self.back_fails is not None:
            raise self.back_fails


class Door:
    def __init__(self) -> None:
        self.timeline = Schedule(0.0)
        self.store = CloudFront(self.timeline, Random(1), Habits(deploying=5.0))  # noqa: S311 -- a simulation
        self.front = self.store.add(config(), distribution_id="EFRONT")
        self.road = Road()
        self.port = SimulatedDistributions(self.store, self.road, by="takeover")


@pytest.fixture
def door() -> Door:
    return Door()


async def test_an_update_shows_in_the_next_read_and_in_the_history(door: Door) -> None:
    before = await door.port.distribution("EFRONT")
    assert (before.config, before.etag, before.is_deployed) == (
        door.front.config,
        door.front.etag,
        True,
    )
    other = {**before.config, "Origins": listed(origin("green.example.com"))}
    after = await door.port.update("EFRONT", before.etag, other)
    assert (await door.port.distribution("EFRONT")) == after
    assert not after.is_deployed
    assert [each.by for each in door.store.history] == ["takeover"]
    door.timeline.advance(5.0)
    (listed_one,) = await door.port.distributions()
    assert (listed_one.status, listed_one.etag) == ("Deployed", "")
    assert listed_one.config["Origins"] == after.config["Origins"]


async def test_what_is_returned_is_not_the_accounts_own(door: Door) -> None:
    found = await door.port.distribution("EFRONT")
    found.config["Origins"]["Items"][0]["DomainName"] = "spoilt.example.com"
    assert "spoilt" not in str(door.front.config)
    sent = (await door.port.distribution("EFRONT")).config
    await door.port.update("EFRONT", door.front.etag, sent)
    sent["Origins"]["Items"][0]["DomainName"] = "spoilt.example.com"
    assert "spoilt" not in str(door.front.config)


async def test_a_newer_setting_is_unknown_and_an_update_erases_it(door: Door) -> None:
    door.store.plant("EFRONT")
    door.store.plant("EFRONT", origin_id="app")
    found = await door.port.distribution("EFRONT")
    assert found.unknown == ("NewerSetting", "Origins.Items.Origin.NewerSetting")
    after = await door.port.update("EFRONT", found.etag, found.config)
    assert after.unknown == ()


async def test_refusals_are_the_real_adapters(door: Door) -> None:
    port, whole = door.port, door.front.config
    with pytest.raises(RejectedChangeError) as stale:
        await port.update("EFRONT", "E0", whole)
    assert (stale.value.code, stale.value.operation) == (
        "PreconditionFailed",
        "cloudfront:UpdateDistribution",
    )
    behavior = {**whole["DefaultCacheBehavior"], "CachePolicyId": "none"}
    with pytest.raises(RejectedChangeError, match="none"):
        await port.update("EFRONT", door.front.etag, {**whole, "DefaultCacheBehavior": behavior})
    with pytest.raises(RejectedChangeError):
        await port.invalidate("EFRONT", ["a"], "one")
    for missing in (
        port.distribution("ENONE"),
        port.update("ENONE", "E0", whole),
        port.policy(PolicyKind.CACHE, "none"),
        port.is_invalidated("EFRONT", "none"),
    ):
        with pytest.raises(NotFoundError):
            await missing
    assert door.store.history == []


async def test_a_lost_answer_was_applied_and_a_lost_request_was_not(door: Door) -> None:
    door.road.there_fails = ThrottledError("slow down", operation="x")
    with pytest.raises(ThrottledError):
        await door.port.update("EFRONT", door.front.etag, door.front.config)
    assert door.store.history == []
    door.road.there_fails, door.road.back_fails = None, UnansweredError("lost", operation="x")
    with pytest.raises(UnansweredError):
        await door.port.update("EFRONT", door.front.etag, door.front.config)
    with pytest.raises(UnansweredError):
        await door.port.invalidate("EFRONT", ["/*"], "one")
    assert len(door.store.history) == 2


async def test_policies_and_invalidations(door: Door) -> None:
    assert await door.port.policy(PolicyKind.CACHE, CACHING_DISABLED) == MANAGED[CACHING_DISABLED]
    made = await door.port.invalidate("EFRONT", ["/*"], "one")
    assert await door.port.invalidate("EFRONT", ["/*"], "one") == made
    assert not await door.port.is_invalidated("EFRONT", made)
    door.timeline.advance(3.0)
    assert await door.port.is_invalidated("EFRONT", made)
    assert door.road.asked[0] == "cloudfront:GetCachePolicy"
