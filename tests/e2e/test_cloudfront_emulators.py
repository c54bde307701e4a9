"""CloudFront's adapter against emulators that other people wrote, over real HTTP.

Both keep a whole config and invalidations. MiniStack also compares ETags, has policies, and keeps
elements that it does not know; moto takes any ETag. Neither is ever ``InProgress`` for long.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from tests.distributions import BLUE, GREEN_API, SITE, config, listed, origin
from tests.e2e import moto
from tests.e2e.installed import NotInstallableError

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.adapters.cloudfront import CloudFrontDistributions
from route53_takeover.adapters.session import AwsSession, Credentials
from route53_takeover.base.errors import NotFoundError, RejectedChangeError
from route53_takeover.core.domain.distribution_configs import normal
from route53_takeover.core.domain.distributions import PolicyKind
from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.switch.model import OriginSwap
from route53_takeover.core.switch.origins import reading, switched, target_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.e2e.ministack import Account

REGION = "eu-central-1"  # not CloudFront's own: the SDK has to find that


@pytest.fixture(scope="session")
def moto_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server; skips where it cannot be installed."""
    try:
        with moto.running(tmp_path_factory.mktemp("moto")) as url:
            yield url
    except NotInstallableError as error:
        pytest.skip(f"moto cannot be installed here: {error}")


class Emulated:
    """CloudFront of an emulator: by the SDK's own client, and by the program's adapter."""

    def __init__(self, url: str, port: CloudFrontDistributions) -> None:
        make: Any = boto3.Session().client  # of the environment as it is now
        self.client: Any = make(
            "cloudfront",
            endpoint_url=url,
            region_name="us-east-1",
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )
        self.port = port

    def create(self, reference: str, **members: Any) -> str:
        """A distribution; returns its id."""
        whole = config(CallerReference=reference, **members)
        made = self.client.create_distribution(DistributionConfig=whole)
        return str(made["Distribution"]["Id"])


@pytest.fixture
async def of_moto(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Emulated]:
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    account = Credentials(endpoint_url=moto_url, region=REGION)
    async with AwsSession(account, SystemClock(), writable=True, switches=True) as aws:
        yield Emulated(moto_url, CloudFrontDistributions(aws))


@pytest.fixture
async def of_ministack(account: Account) -> AsyncIterator[Emulated]:
    where = Credentials(endpoint_url=account.endpoint_url, region=REGION)
    async with AwsSession(where, SystemClock(), writable=True, switches=True) as aws:
        yield Emulated(account.endpoint_url, CloudFrontDistributions(aws))


async def switch_and_back(emulated: Emulated) -> None:
    """Reads, switches, recognizes, goes back: what a switch does, without the machine."""
    distribution_id = emulated.create("switched")
    before = await emulated.port.distribution(distribution_id)
    assert (before.unknown, before.aliases) == ((), (SITE,))
    listing = await emulated.port.distributions()
    assert distribution_id in [each.distribution_id for each in listing]
    to = target_of(f"{GREEN_API}/dev_2")
    assert to is not None
    swap = OriginSwap(
        id="s",
        distribution_id=distribution_id,
        domain_name=before.domain_name,
        aliases=before.aliases,
        origin_id="app",
        config=dict(before.config),
        switched=switched(before.config, "app", to),
    )
    assert reading(swap, before).side is Side.BLUE
    after = await emulated.port.update(distribution_id, before.etag, swap.switched)
    read = await emulated.port.distribution(distribution_id)
    for found in (reading(swap, after), reading(swap, read)):
        assert (found.side, found.shown) == (Side.GREEN, f"{GREEN_API}/dev_2")
    back = await emulated.port.update(distribution_id, read.etag, swap.config)
    assert reading(swap, back).side is Side.BLUE
    there = await emulated.port.distribution(distribution_id)
    assert reading(swap, there).shown == BLUE
    edited = {**swap.config, "Comment": "by hand"}
    other = await emulated.port.update(distribution_id, there.etag, edited)
    assert reading(swap, other).side is Side.OTHER


async def invalidate(emulated: Emulated) -> None:
    distribution_id = emulated.create("invalidated")
    made = await emulated.port.invalidate(distribution_id, ["/*"], "run-1")
    assert await emulated.port.is_invalidated(distribution_id, made)
    for missing in (
        emulated.port.distribution("ENONE"),
        emulated.port.update("ENONE", "E1", config()),
        emulated.port.is_invalidated(distribution_id, "INONE"),
    ):
        with pytest.raises(NotFoundError):
            await missing


async def test_moto_is_switched_and_back(of_moto: Emulated) -> None:
    await switch_and_back(of_moto)


async def test_ministack_is_switched_and_back(of_ministack: Emulated) -> None:
    await switch_and_back(of_ministack)


async def test_moto_invalidates(of_moto: Emulated) -> None:
    await invalidate(of_moto)


async def test_ministack_invalidates(of_ministack: Emulated) -> None:
    await invalidate(of_ministack)


async def test_ministack_refuses_a_stale_etag(of_ministack: Emulated) -> None:
    distribution_id = of_ministack.create("stale")
    port = of_ministack.port
    before = await port.distribution(distribution_id)
    edited = {**before.config, "Comment": "another writer"}
    of_ministack.client.update_distribution(
        Id=distribution_id, IfMatch=before.etag, DistributionConfig=edited
    )
    with pytest.raises(RejectedChangeError) as caught:
        await port.update(distribution_id, before.etag, before.config)
    assert caught.value.code == "PreconditionFailed"
    now = await port.distribution(distribution_id)
    assert now.config["Comment"] == "another writer"
    await port.update(distribution_id, now.etag, before.config)


async def test_ministack_has_an_element_that_the_sdk_does_not_know(of_ministack: Emulated) -> None:
    def add(params: dict[str, Any], **_: object) -> None:
        body = params["body"].decode()
        params["body"] = body.replace("</Origin>", "<Newer><A>1</A></Newer></Origin>").encode()

    of_ministack.client.meta.events.register("before-call.cloudfront.CreateDistribution", add)
    distribution_id = of_ministack.create("unknown", Origins=listed(origin()))
    found = await of_ministack.port.distribution(distribution_id)
    assert found.unknown == ("Origins.Items.Origin.Newer",)
    await of_ministack.port.update(distribution_id, found.etag, found.config)
    assert (await of_ministack.port.distribution(distribution_id)).unknown == ()


async def test_ministacks_policies_are_compared_by_content(of_ministack: Emulated) -> None:
    key = {
        "EnableAcceptEncodingGzip": True,
        "EnableAcceptEncodingBrotli": False,
        "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": listed("Accept", "X-A")},
        "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "all"},
    }
    found = []
    for name, headers in (("blue", ("Accept", "X-A")), ("green", ("X-A", "accept"))):
        key["HeadersConfig"] = {"HeaderBehavior": "whitelist", "Headers": listed(*headers)}
        content = {
            "Name": name,
            "Comment": f"of {name}",
            "MinTTL": 0,
            "DefaultTTL": 5,
            "MaxTTL": 60,
            "ParametersInCacheKeyAndForwardedToOrigin": key,
        }
        made = of_ministack.client.create_cache_policy(CachePolicyConfig=content)
        found.append(await of_ministack.port.policy(PolicyKind.CACHE, made["CachePolicy"]["Id"]))
    assert found[0]["MaxTTL"] == 60
    assert not found[0].keys() & {"Name", "Comment", "Id"}
    assert normal(found[0]) == normal(found[1])
