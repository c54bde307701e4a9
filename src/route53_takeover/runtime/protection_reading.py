"""Reading the record set protections at names: what keeps Route 53 from changing a record there.

The operation is new, and older policies do not allow it. So where it cannot be asked, that is told
as a reason, and the first batch that Route 53 refuses says the rest. It never writes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct

from route53_takeover.base.errors import ApiError, CredentialsError, EndpointError, one_line
from route53_takeover.core.domain.protections import Protection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.plan.model import Plan
    from route53_takeover.core.ports import Clock, Records

_log = structlog.get_logger(__name__)


class ProtectionReading(Struct, frozen=True, kw_only=True):
    """What was found, and why it is not all that there is; empty where it is."""

    protections: tuple[Protection, ...] = ()
    unread: str = ""


async def read_protections(
    records: Records, zone_id: str, names: Sequence[str]
) -> ProtectionReading:
    """Lists the protections at these names.

    Raises:
        CredentialsError, EndpointError: Route 53 cannot be asked anything.
    """
    try:
        return ProtectionReading(protections=tuple(await records.protections(zone_id, names)))
    except (CredentialsError, EndpointError):
        raise
    except ApiError as error:
        return ProtectionReading(unread=error.message)


class ProtectionWatch:
    """The types that are protected at names, for the last look before a release.

    A protection may have been created since the plan was made. Those of all names are listed while
    a hold runs, at most every `_AGAIN` seconds, and never waited for longer than `_PATIENCE`: what
    cannot be told keeps no record back, as in the plan.

    Args:
        failures: what of a port counts as a call that failed.
    """

    def __init__(self, clock: Clock, records: Records, failures: type[Exception]) -> None:
        self._clock = clock
        self._records = records
        self._failures = failures
        self._asked = float("-inf")
        self._found: Sequence[Protection] = ()

    async def types_at(self, plan: Plan, name: str) -> tuple[str, ...]:
        """Those that are protected there, as far as that is known."""
        if self._clock.now() - self._asked >= _AGAIN:
            self._asked = self._clock.now()
            try:
                async with asyncio.timeout(_PATIENCE / self._clock.speed):
                    self._found = await self._records.protections(plan.zone_id, plan.names)
            except (TimeoutError, self._failures) as error:
                _log.info("protections.unread", reason=one_line(error))
        return tuple(sorted({one.type for one in self._found if one.name == name}))


_AGAIN, _PATIENCE = 10.0, 1.0
