"""Reading the record set protections at names: what keeps Route 53 from changing a record there.

The operation is new, and older policies do not allow it. So where it cannot be asked, that is told
as a reason, and the first batch that Route 53 refuses says the rest. It never writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.base.errors import ApiError, CredentialsError, EndpointError
from route53_takeover.core.domain.protections import Protection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.ports import Records


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
