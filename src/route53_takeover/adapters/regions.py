"""CloudFormation in the other regions: which there are, and a client that only asks.

A stack is listed in its own region alone, so every region has to be asked. An endpoint that was
given by hand serves one region; only a simulated account, on loopback, serves more, and of those
the one that CloudFront's stacks live in is asked, not thirty.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from route53_takeover.adapters.error_mapping import translate
from route53_takeover.adapters.operation_allowlist import NotAllowedError
from route53_takeover.adapters.profiles import chosen_region
from route53_takeover.base.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from aiobotocore.session import AioSession
    from types_aiobotocore_cloudformation import CloudFormationClient

    from route53_takeover.adapters.cloudformation import Reader
    from route53_takeover.adapters.rate_limit import CallBudget

GLOBAL_REGION = "us-east-1"
_TRAIL_REGIONS = {"aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"}
"""Where CloudTrail has the calls of global services, if not in `GLOBAL_REGION`, by partition."""
ATTEMPTS = 2
RATE, BURST = 5.0, 10
"""Calls a second in each other region: AWS counts them by region, and others need theirs."""
_LIMIT = 15.0
"""The loop's seconds after which a call counts as unanswered."""


async def regions_beside(
    session: AioSession, region: str, endpoint: str, *, is_given: bool, is_loopback: bool
) -> Sequence[str]:
    """The regions of this partition in which CloudFormation can be asked, but for ``region``.

    Args:
        endpoint: the URL that CloudFormation has here.
        is_given: whether the user gave it.

    Raises:
        ApiError: the endpoint serves one region, and no other can be asked through it.
    """
    if is_loopback:
        return [] if region == GLOBAL_REGION else [GLOBAL_REGION]
    if is_given or not (urlsplit(endpoint).hostname or "").startswith("cloudformation"):
        raise ApiError(
            f"the endpoint {endpoint} serves only {region}", operation="cloudformation:ListStacks"
        )
    partition = session.get_partition_for_region(region)
    known = await session.get_available_regions("cloudformation", partition)
    return [other for other in known if other != region]


def trail_region(session: AioSession, given: str | None) -> str:
    """The region whose CloudTrail has the calls of Route 53, a global service."""
    region = chosen_region(given) or session.get_config_variable("region") or GLOBAL_REGION
    return _TRAIL_REGIONS.get(session.get_partition_for_region(region), GLOBAL_REGION)


class Region:
    """One other region, while its client is open."""

    def __init__(
        self, cloudformation: CloudFormationClient, login_hint: str, budget: CallBudget
    ) -> None:
        self.cloudformation = cloudformation
        self._login_hint = login_hint
        self._budget = budget

    @asynccontextmanager
    async def reading(
        self,
        operation: str,
        *,
        urgent: bool = False,
    ) -> AsyncIterator[Region]:
        """For one read; errors come out translated, and say nothing of the credentials at home."""
        await self._budget.take(urgent=urgent)
        try:
            async with asyncio.timeout(_LIMIT):
                yield self
        except NotAllowedError:
            raise
        except Exception as error:
            raise translate(error, operation, login_hint=self._login_hint) from error

    async def other_regions(self) -> Sequence[str]:
        """None: that is asked at home."""
        return []

    def in_region(self, region: str) -> AbstractAsyncContextManager[Reader]:
        """Never: that is asked at home."""
        raise NotImplementedError(region)
