"""The connection to one AWS account: clients, their time-outs, their credentials, their count.

Reads are retried by the SDK and pass a call budget. Writes have a client of their own which sends
once: a DELETE whose answer was lost must never be sent again by a library that cannot know what
happened since. After a call without an answer the next ones go out on new connections: when the
network changes, every open one is dead without a word. Nothing but this module makes clients or
knows profiles. A session only reads unless writing is asked for: `adapters.operation_allowlist`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from aiobotocore.session import AioSession
from botocore.exceptions import NoRegionError
from msgspec import Struct

from route53_takeover.adapters.aws_models import add_to
from route53_takeover.adapters.client_config import (
    READ_ATTEMPTS,
    READ_LIMIT,
    WRITE_LIMIT,
    client_config,
    timestamp,
)
from route53_takeover.adapters.endpoint import is_loopback
from route53_takeover.adapters.error_mapping import REGION_HINT, translate
from route53_takeover.adapters.operation_allowlist import NotAllowedError, guard
from route53_takeover.adapters.profiles import chosen_region, login_hint
from route53_takeover.adapters.rate_limit import CallBudget, budgets
from route53_takeover.adapters.regions import (
    ATTEMPTS,
    BURST,
    RATE,
    Region,
    regions_beside,
    trail_region,
)
from route53_takeover.adapters.unknown_members import keep_unknown_members
from route53_takeover.base.errors import CredentialsError, UnansweredError, UsageError
from route53_takeover.base.redaction import remember_signature

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from types import TracebackType

    from botocore.awsrequest import AWSPreparedRequest
    from types_aiobotocore_apigateway import APIGatewayClient
    from types_aiobotocore_apigatewayv2 import ApiGatewayV2Client
    from types_aiobotocore_cloudformation import CloudFormationClient
    from types_aiobotocore_cloudfront import CloudFrontClient
    from types_aiobotocore_route53 import Route53Client
    from types_aiobotocore_stepfunctions import SFNClient

    from route53_takeover.core.ports import Clock

__all__ = ["AwsSession", "Clients", "Credentials", "translate"]

DISTRUST = 60.0
"""Seconds of the clock for which open connections are not used after a call without an answer."""

_RENEW_PAUSE = 5.0
"""Seconds of the clock between two looks at the profile while the credentials are bad."""

_SERVICES = {"route-53": "route53", "api-gateway": "apigateway", "sfn": "states"}
"""What a service is called here, where the SDK's events call it otherwise."""


class Credentials(Struct, frozen=True, kw_only=True):
    """Which account, as the user named it; what is ``None`` comes from the environment."""

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Clients:
    """One client for each use."""

    route53: Route53Client
    route53_writes: Route53Client
    cloudformation: CloudFormationClient
    switching: SwitchClients | None = None
    cloudtrail: Any = None
    deadman: SFNClient | None = None

    @property
    def step_functions(self) -> SFNClient:
        """That of a session that was opened with ``deadman``."""
        if self.deadman is None:
            raise ValueError("this session was opened without Step Functions")
        return self.deadman

    @property
    def switch(self) -> SwitchClients:
        """Those of a session that was opened with ``switches``."""
        if self.switching is None:
            raise ValueError("this session was opened for records alone")
        return self.switching


@dataclass(frozen=True, kw_only=True)
class SwitchClients:
    """One client for each use, of the services that only a switch needs."""

    apigateway: APIGatewayClient
    apigateway_writes: APIGatewayClient
    apigatewayv2: ApiGatewayV2Client
    apigatewayv2_writes: ApiGatewayV2Client
    cloudfront: CloudFrontClient
    cloudfront_writes: CloudFrontClient


class _Connected:
    """The clients made from one reading of the profile.

    Attributes:
        pooled: keep their connections open.
        fresh: open a new connection for every call.
    """

    session: AioSession
    pooled: Clients
    fresh: Clients

    def __init__(self) -> None:
        self.stack = AsyncExitStack()
        self.in_flight = 0


class AwsSession:
    """An account's clients, as an async context manager.

    Args:
        credentials: which account.
        clock: paces reads and renewals.
        writable: whether records may be changed; without it every such call raises, unsent.
        previews: whether change sets may be deleted; the same holds.
        switches: whether it is for API Gateway and CloudFront; ``writable`` means these then, and
            no record.
        deletes: whether a stack may be deleted.
        measures: whether a throw-away stack may be made, and CloudTrail be asked.
        deadman: whether Step Functions can be asked.
        read_budgets: of the reads, by service; `call_budget.budgets` unless given.

    Attributes:
        calls: how often each ``service:Operation`` was really sent, retries included.
        region: the region in use, once it is open.
        partition: the region's, such as ``aws-cn``.
        switches: whether API Gateway and CloudFront can be asked.
    """

    def __init__(
        self,
        credentials: Credentials,
        clock: Clock,
        *,
        writable: bool = False,
        previews: bool = False,
        switches: bool = False,
        deletes: bool = False,
        measures: bool = False,
        deadman: bool = False,
        read_budgets: Mapping[str, CallBudget] | None = None,
    ) -> None:
        self.credentials = credentials
        self.calls: Counter[str] = Counter()
        self.region = ""
        self.partition = ""
        self._writable = writable
        self._previews = previews
        self._deletes = deletes
        self._measures = measures
        self._deadman = deadman
        self.switches = switches
        self._clock = clock
        self._budgets = read_budgets or budgets(clock)
        self._regional: dict[str, CallBudget] = {}
        self._open: list[_Connected] = []
        self._distrusted_until: dict[str, float] = {}
        self._renewing = asyncio.Lock()
        self._bad = False
        self._renewed_at = float("-inf")
        self._login_hint = ""

    async def __aenter__(self) -> Self:
        self._open = [await self._connect()]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        while self._open:
            await self._open.pop().stack.aclose()

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The URLs that Route 53 and CloudFormation are asked at."""
        clients = self._open[-1].pooled
        return clients.route53.meta.endpoint_url, clients.cloudformation.meta.endpoint_url

    async def renew(self) -> None:
        """Forgets the credentials, reads the profile again and makes new clients.

        Calls in flight end on the clients that they began on.

        Raises:
            CredentialsError: the profile cannot be read; the old clients stay.
        """
        async with self._renewing:
            await self._renew()

    @asynccontextmanager
    async def reading(self, operation: str, *, urgent: bool = False) -> AsyncIterator[Clients]:
        """The clients for one read, such as ``route53:GetChange``; errors come out translated."""
        service = operation.partition(":")[0]
        await self._budgets[service].take(urgent=urgent)
        async with self._calling(operation, READ_LIMIT) as clients:
            yield clients

    @asynccontextmanager
    async def writing(self, operation: str) -> AsyncIterator[Clients]:
        """The same for a call on a client that writes: no budget, a single attempt."""
        async with self._calling(operation, WRITE_LIMIT) as clients:
            yield clients

    async def other_regions(self) -> Sequence[str]:
        """The regions besides this one in which CloudFormation can be asked."""
        connected, given = self._open[-1], self.credentials.endpoint_url
        here = connected.pooled.cloudformation.meta
        return await regions_beside(
            connected.session,
            here.region_name,
            here.endpoint_url,
            is_given=given is not None,
            is_loopback=is_loopback(given),
        )

    @asynccontextmanager
    async def in_region(self, region: str) -> AsyncIterator[Region]:
        """CloudFormation in another region, on the same credentials and a budget of its own."""
        budget = self._regional.setdefault(region, CallBudget(self._clock, rate=RATE, burst=BURST))
        async with AsyncExitStack() as stack:
            session = self._open[-1].session
            try:
                client = await self._client(
                    stack, session, "cloudformation", attempts=ATTEMPTS, region=region
                )
            except Exception as error:
                raise translate(error, "aws:Credentials", login_hint=self._login_hint) from error
            yield Region(client, self._login_hint, budget)

    @asynccontextmanager
    async def _calling(self, operation: str, limit: float) -> AsyncIterator[Clients]:
        await self._renew_if_bad()
        connected, service = self._open[-1], operation.partition(":")[0]
        is_distrusted = self._clock.now() < self._distrusted_until.get(service, 0.0)
        connected.in_flight += 1
        try:
            async with asyncio.timeout(limit):
                yield connected.fresh if is_distrusted else connected.pooled
        except NotAllowedError:
            raise
        except asyncio.CancelledError:  # the caller has waited long enough
            self._distrust(service)
            raise
        except Exception as error:
            failure = translate(error, operation, login_hint=self._login_hint)
            if isinstance(failure, CredentialsError):
                self._bad = True
            if isinstance(failure, UnansweredError):
                self._distrust(service)
            raise failure from error
        finally:
            connected.in_flight -= 1
            await self._close_the_idle()

    def _distrust(self, service: str) -> None:
        self._distrusted_until[service] = self._clock.now() + DISTRUST

    async def _renew_if_bad(self) -> None:
        """After bad credentials the next call checks first for a new login."""
        if not self._bad:
            return
        async with self._renewing:
            if self._clock.now() - self._renewed_at >= _RENEW_PAUSE:
                await self._renew()

    async def _renew(self) -> None:
        self._renewed_at = self._clock.now()
        self._open.append(await self._connect())
        self._bad = False
        await self._close_the_idle()

    async def _close_the_idle(self) -> None:
        for connected in self._open[:-1]:
            if connected.in_flight == 0:
                self._open.remove(connected)
                await connected.stack.aclose()

    async def _connect(self) -> _Connected:
        session = AioSession(profile=self.credentials.profile)
        guard(
            session,
            writable=self._writable,
            previews=self._previews,
            deletes=self._deletes,
            switches=self.switches,
            measures=self._measures,
            deadman=self._deadman,
        )
        keep_unknown_members(session)
        session.get_component("response_parser_factory").set_parser_defaults(
            timestamp_parser=timestamp
        )
        self._login_hint = login_hint(session, self.credentials.profile)
        connected = _Connected()
        connected.session = session
        async with AsyncExitStack() as stack:
            try:
                add_to(session.get_component("data_loader"))
                connected.pooled = await self._clients(stack, session, is_fresh=False)
                connected.fresh = await self._clients(stack, session, is_fresh=True)
            except NoRegionError as error:
                raise UsageError("no AWS region is set", REGION_HINT) from error
            except ValueError as error:  # an endpoint or region that cannot be one
                raise UsageError(str(error), "check --endpoint-url and --region") from error
            except Exception as error:
                raise translate(error, "aws:Credentials", login_hint=self._login_hint) from error
            connected.stack = stack.pop_all()
        self.region = connected.pooled.cloudformation.meta.region_name
        self.partition = connected.pooled.cloudformation.meta.partition
        return connected

    async def _clients(
        self, stack: AsyncExitStack, session: AioSession, *, is_fresh: bool
    ) -> Clients:
        client = partial(self._client, stack, session, is_fresh=is_fresh)
        return Clients(
            route53=await client("route53", attempts=READ_ATTEMPTS),
            route53_writes=await client("route53", attempts=1),
            cloudformation=await client("cloudformation", attempts=READ_ATTEMPTS),
            cloudtrail=await client(
                "cloudtrail",
                attempts=READ_ATTEMPTS,
                region=trail_region(session, self.credentials.region),
            )
            if self._measures
            else None,
            deadman=await client("stepfunctions", attempts=1) if self._deadman else None,
            switching=None
            if not self.switches
            else SwitchClients(
                apigateway=await client("apigateway", attempts=READ_ATTEMPTS),
                apigateway_writes=await client("apigateway", attempts=1),
                apigatewayv2=await client("apigatewayv2", attempts=READ_ATTEMPTS),
                apigatewayv2_writes=await client("apigatewayv2", attempts=1),
                cloudfront=await client("cloudfront", attempts=READ_ATTEMPTS),
                cloudfront_writes=await client("cloudfront", attempts=1),
            ),
        )

    async def _client(
        self,
        stack: AsyncExitStack,
        session: AioSession,
        service: str,
        *,
        attempts: int,
        is_fresh: bool = False,
        region: str | None = None,
    ) -> Any:  # noqa: ANN401 -- each service has its own class of client
        create_client: Any = session.create_client
        client = await stack.enter_async_context(
            create_client(
                service,
                region_name=region or chosen_region(self.credentials.region),
                endpoint_url=self.credentials.endpoint_url,
                config=client_config(attempts, self.credentials.endpoint_url, is_fresh=is_fresh),
            )
        )
        client.meta.events.register("before-send", self._count)
        return client

    def _count(self, event_name: str, request: AWSPreparedRequest, **_: object) -> None:
        remember_signature(request.headers)
        service, operation = event_name.split(".")[1:]
        self.calls[f"{_SERVICES.get(service, service)}:{operation}"] += 1
