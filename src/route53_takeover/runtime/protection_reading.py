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

    from route53_takeover.core.ports import Clock, Records

_log = structlog.get_logger(__name__)


class ProtectionReading(Struct, frozen=True, kw_only=True):
    """What was found, and why it is not all that there is; empty where it is."""

    protections: tuple[Protection, ...] = ()
    unread: str = ""


async def read_protections(
    records: Records, zone_id: str, names: Sequence[str]
) -> ProtectionReading:
    """Lists the protections at these names, one call for each.

    Raises:
        CredentialsError, EndpointError: Route 53 cannot be asked anything.
    """
    found: list[Protection] = []
    for name in names:
        try:
            found += await records.protections(zone_id, name)
        except (CredentialsError, EndpointError):
            raise
        except ApiError as error:
            return ProtectionReading(protections=tuple(found), unread=error.message)
    return ProtectionReading(protections=tuple(found))


class ProtectionWatch:
    """The types that are protected at names, for the last look before a release.

    A protection may have been created since the plan was made. It is listed while the hold runs,
    at most every `_AGAIN` seconds a name, and never waited for longer than `_PATIENCE`: what cannot
    be told keeps no record back, as in the plan.

    Args:
        failures: what of a port counts as a call that failed.
    """

    def __init__(self, clock: Clock, records: Records, failures: type[Exception]) -> None:
        self._clock = clock
        self._records = records
        self._failures = failures
        self._listed: dict[str, tuple[float, tuple[str, ...]]] = {}

    async def types_at(self, zone_id: str, name: str) -> tuple[str, ...]:
        """Those that are protected there, as far as that is known."""
        asked, known = self._listed.get(name, (float("-inf"), ()))
        if self._clock.now() - asked < _AGAIN:
            return known
        self._listed[name] = (self._clock.now(), known)
        try:
            async with asyncio.timeout(_PATIENCE / self._clock.speed):
                found = await self._records.protections(zone_id, name)
        except (TimeoutError, self._failures) as error:
            _log.info("protections.unread", reason=one_line(error))
            return known
        types = tuple(sorted({one.type for one in found}))
        self._listed[name] = (self._clock.now(), types)
        return types


_AGAIN, _PATIENCE = 10.0, 1.0
