"""CloudFront over the wire, read and written by the program's own session.

The simulated service has settings that the SDK does not know, as a newer CloudFront will have.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import json
from tests.distributions import SITE, behavior, config, listed, origin

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.adapters.cloudfront import CloudFrontDistributions
from route53_takeover.adapters.operation_allowlist import NotAllowedError
from route53_takeover.adapters.session import AwsSession, Credentials
from route53_takeover.base.errors import (
    AccessDeniedError,
    ApiError,
    CredentialsError,
    EndpointError,
    NotFoundError,
    RejectedChangeError,
    ThrottledError,
    UnansweredError,
)
from route53_takeover.core.domain.cloudfront_policies import (
    ALL_VIEWER,
    ALL_VIEWER_EXCEPT_HOST,
    CACHING_DISABLED,
    CACHING_OPTIMIZED,
    MANAGED,
)
from route53_takeover.core.domain.distribution_configs import normal, origins
from route53_takeover.core.domain.distributions import PolicyKind
from route53_takeover.simulation.aws.cloudfront.api import operations
from route53_takeover.simulation.aws.cloudfront.store import CloudFront, Habits
from route53_takeover.simulation.aws.http.faults import AnswerLost, Refused, RequestLost
from route53_takeover.simulation.aws.http.server import AccountServer
from route53_takeover.simulation.aws.timeline import Schedule

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Mapping

    from tests.adapters.conftest import FakeAws

    from route53_takeover.simulation.aws.http.faults import Fault

UPDATE = "cloudfront:UpdateDistribution"


class Cloud:
    """A front over the wire, and the two ends of it."""

    def __init__(self) -> None:
        self.timeline = Schedule(1000.0)
        self.store = CloudFront(self.timeline, Random(1), Habits(deploying=10.0))  # noqa: S311 -- a simulation
        self.front = self.store.add(
            config(), distribution_id="EFRONT", domain_name="df.cloudfront.net"
        )
        self.server = AccountServer(
            {"cloudfront": operations(self.store)}, before=lambda: None, fault=self._fault
        )
        self.fault: Fault | None = None
        self.faulty = ""
        self.url = ""
        self.aws: AwsSession
        self.port: CloudFrontDistributions

    def _fault(self, called: str, _: Mapping[str, Any]) -> Fault | None:
        return self.fault if called == self.faulty else None

    def fail(self, operation: str, fault: Fault) -> None:
        self.faulty, self.fault = operation, fault

    def session(self, *, writable: bool = True) -> AwsSession:
        account = Credentials(endpoint_url=self.url)
        return AwsSession(account, SystemClock(), writable=writable, switches=True)


@pytest.fixture
async def cloud() -> AsyncIterator[Cloud]:
    made = Cloud()
    made.url = await made.server.start()
    async with made.session() as aws:
        made.aws, made.port = aws, CloudFrontDistributions(aws)
        yield made
    await made.server.stop()


async def test_a_distribution_is_read_whole_with_its_etag(cloud: Cloud) -> None:
    cloud.store.edit(
        "EFRONT", Comment="é & <x>", CacheBehaviors=listed({"PathPattern": "/a", **behavior()})
    )
    found = await cloud.port.distribution("EFRONT")
    assert (found.etag, found.status) == (cloud.front.etag, "InProgress")
    assert (found.domain_name, found.aliases) == ("df.cloudfront.net", (SITE,))
    assert found.config == cloud.front.config
    assert found.unknown == ()
    assert json.decode(json.encode(found.config)) == found.config
    cloud.timeline.advance(1010.0)
    assert (await cloud.port.distribution("EFRONT")).is_deployed


async def test_an_update_replaces_the_whole_config_and_tells_the_next_etag(cloud: Cloud) -> None:
    before = await cloud.port.distribution("EFRONT")
    other = {**before.config, "Origins": listed(origin("green.example.com", OriginPath="/dev_2"))}
    found = await cloud.port.update("EFRONT", before.etag, other)
    assert cloud.front.config["Origins"]["Items"][0]["OriginPath"] == "/dev_2"
    assert found.etag == cloud.front.etag != before.etag
    assert not found.is_deployed
    assert normal(found.config) == normal(other)
    back = await cloud.port.update("EFRONT", found.etag, before.config)
    assert back.config == before.config
    assert cloud.aws.calls[UPDATE] == 2


async def test_a_stale_etag_is_refused_by_its_code(cloud: Cloud) -> None:
    before = await cloud.port.distribution("EFRONT")
    cloud.store.touch("EFRONT")
    with pytest.raises(RejectedChangeError) as caught:
        await cloud.port.update("EFRONT", before.etag, before.config)
    assert (caught.value.code, caught.value.operation) == ("PreconditionFailed", UPDATE)
    assert cloud.store.history == []
    assert cloud.aws.calls[UPDATE] == 1


async def test_what_the_sdk_does_not_know_is_told_and_would_be_erased(cloud: Cloud) -> None:
    cloud.store.plant("EFRONT")
    cloud.store.plant("EFRONT", origin_id="app")
    found = await cloud.port.distribution("EFRONT")
    assert sorted(found.unknown) == ["NewerSetting", "Origins.Items.Origin.NewerSetting"]
    assert "NewerSetting" not in json.encode(found.config).decode()
    after = await cloud.port.update("EFRONT", found.etag, found.config)
    assert after.unknown == ()
    assert "NewerSetting" not in cloud.front.config


async def test_every_distribution_is_listed_page_by_page(cloud: Cloud) -> None:
    for number in range(205):
        cloud.store.add(
            config(Aliases=listed(f"s{number}.example.com")), distribution_id=f"F{number:03}"
        )
    found = await cloud.port.distributions()
    assert [each.distribution_id for each in found] == [
        "EFRONT",
        *(f"F{number:03}" for number in range(205)),
    ]
    assert found[1].aliases == ("s0.example.com",)
    assert (found[1].etag, list(origins(found[1].config))) == ("", ["app"])
    assert "Status" not in found[1].config
    assert cloud.aws.calls["cloudfront:ListDistributions"] == 3


async def test_an_account_without_distributions_has_none(cloud: Cloud) -> None:
    cloud.store._by_id.clear()
    assert await cloud.port.distributions() == []


@pytest.mark.parametrize(
    ("kind", "policy_id"),
    [
        (PolicyKind.CACHE, CACHING_DISABLED),
        (PolicyKind.CACHE, CACHING_OPTIMIZED),
        (PolicyKind.ORIGIN_REQUEST, ALL_VIEWER),
        (PolicyKind.ORIGIN_REQUEST, ALL_VIEWER_EXCEPT_HOST),
        (PolicyKind.RESPONSE_HEADERS, "ours"),
    ],
)
async def test_a_policy_is_its_content_and_not_its_name(
    cloud: Cloud, kind: PolicyKind, policy_id: str
) -> None:
    ours = {"CustomHeadersConfig": listed({"Header": "x", "Value": "y", "Override": True})}
    cloud.store.add_policy(PolicyKind.RESPONSE_HEADERS, "ours", {**ours, "Comment": "a comment"})
    found = await cloud.port.policy(kind, policy_id)
    assert found == (ours if policy_id == "ours" else MANAGED[policy_id])


async def test_an_invalidation_begins_once_and_is_complete_later(cloud: Cloud) -> None:
    first = await cloud.port.invalidate("EFRONT", ["/*", "/a"], "run-1")
    assert await cloud.port.invalidate("EFRONT", ["/*", "/a"], "run-1") == first
    assert [each.invalidated for each in cloud.store.history] == [("/*", "/a")]
    assert not await cloud.port.is_invalidated("EFRONT", first)
    cloud.timeline.advance(1003.0)
    assert await cloud.port.is_invalidated("EFRONT", first)
    with pytest.raises(RejectedChangeError) as caught:
        await cloud.port.invalidate("EFRONT", ["/b"], "run-1")
    assert caught.value.code == "InvalidArgument"


def same(cloud: Cloud) -> Coroutine[Any, Any, object]:
    return cloud.port.update("EFRONT", cloud.front.etag, cloud.front.config)


@pytest.mark.parametrize(
    ("fault", "kind", "written"),
    [
        (Refused(), ThrottledError, 0),
        (Refused(code="AccessDenied", message="no", status=403), AccessDeniedError, 0),
        (Refused(code="ExpiredToken", message="no", status=403), CredentialsError, 0),
        (Refused(code="NoSuchDistribution", message="no", status=404), NotFoundError, 0),
        (Refused(code="NoSuchCachePolicy", message="no", status=404), RejectedChangeError, 0),
        (Refused(code="NoSuchOrigin", message="no", status=404), RejectedChangeError, 0),
        (Refused(code="IllegalUpdate", message="no"), RejectedChangeError, 0),
        (Refused(code="CNAMEAlreadyExists", message="no", status=409), RejectedChangeError, 0),
        (Refused(code="InternalError", message="no", status=500), UnansweredError, 0),
        (RequestLost(), UnansweredError, 0),
        (AnswerLost(), UnansweredError, 1),
    ],
)
async def test_a_failed_update_says_what_it_has_done_and_is_never_sent_again(
    cloud: Cloud, fault: Fault, kind: type[ApiError], written: int
) -> None:
    cloud.fail(UPDATE, fault)
    with pytest.raises(ApiError) as caught:
        await same(cloud)
    assert type(caught.value) is kind
    assert (cloud.aws.calls[UPDATE], len(cloud.store.history)) == (1, written)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Refused(code="TooManyInvalidationsInProgress", message="wait"), ThrottledError),
        (Refused(code="BatchTooLarge", message="no", status=413), RejectedChangeError),
        (Refused(code="NoSuchDistribution", message="no", status=404), NotFoundError),
        (AnswerLost(), UnansweredError),
    ],
)
async def test_a_failed_invalidation_says_the_same(
    cloud: Cloud, fault: Fault, kind: type[ApiError]
) -> None:
    cloud.fail("cloudfront:CreateInvalidation", fault)
    with pytest.raises(ApiError) as caught:
        await cloud.port.invalidate("EFRONT", ["/*"], "run-1")
    assert type(caught.value) is kind
    assert cloud.aws.calls["cloudfront:CreateInvalidation"] == 1


async def test_what_does_not_exist_is_not_found(cloud: Cloud) -> None:
    for reading in (
        cloud.port.distribution("ENONE"),
        cloud.port.policy(PolicyKind.CACHE, "none"),
        cloud.port.policy(PolicyKind.ORIGIN_REQUEST, "none"),
        cloud.port.policy(PolicyKind.RESPONSE_HEADERS, "none"),
        cloud.port.is_invalidated("EFRONT", "INONE"),
    ):
        with pytest.raises(NotFoundError):
            await reading


async def test_a_config_that_the_sdk_refuses_was_not_sent(cloud: Cloud) -> None:
    with pytest.raises(RejectedChangeError) as caught:
        await cloud.port.update("EFRONT", cloud.front.etag, {"Comment": "half"})
    assert (caught.value.code, cloud.aws.calls[UPDATE]) == ("ParamValidation", 0)


async def test_nobody_there_means_that_nothing_was_sent(cloud: Cloud) -> None:
    await cloud.server.stop()
    with pytest.raises(EndpointError):
        await same(cloud)


async def test_a_session_that_only_reads_sends_no_write(cloud: Cloud) -> None:
    async with cloud.session(writable=False) as aws:
        port = CloudFrontDistributions(aws)
        found = await port.distribution("EFRONT")
        with pytest.raises(NotAllowedError):
            await port.update("EFRONT", found.etag, found.config)
        with pytest.raises(NotAllowedError):
            await port.invalidate("EFRONT", ["/*"], "run-1")
    assert cloud.server.calls[UPDATE] == 0


async def test_an_answer_that_is_not_awss_is_in_doubt(server: FakeAws) -> None:
    server.succeed("<html>busy</html>", 412)
    account = Credentials(endpoint_url=server.url)
    async with AwsSession(account, SystemClock(), writable=True, switches=True) as aws:
        with pytest.raises(UnansweredError):
            await CloudFrontDistributions(aws).update("EFRONT", "E1", config())
    assert len(server.requests) == 1
