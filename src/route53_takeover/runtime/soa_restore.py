"""`restore RUN` puts the negative TTL of the zone's SOA back, where it is still as the run set it.

What another writer changed in the SOA meanwhile is kept. Where that is the negative TTL itself, it
is left, unless ``--force`` replaces it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.base.errors import (
    ApiError,
    ManualActionRequiredError,
    RejectedChangeError,
)
from route53_takeover.core.domain.names import shown_name
from route53_takeover.core.domain.record_sets import Change
from route53_takeover.core.domain.soa import negative_caching, soa_of, with_negative_caching
from route53_takeover.runtime.restore import Rescue
from route53_takeover.runtime.restore_attempts import TEMPORARY, TRIES, attempts, save_or_tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.model import LoweredSoa
    from route53_takeover.core.ports import Clock, Records


async def put_soa_back(
    soa: LoweredSoa,
    *,
    zone_id: str,
    clock: Clock,
    records: Records,
    by_force: str,
    dry_run: bool,
    tell: Callable[[str], None],
    save: Callable[[Sequence[Change]], None],
) -> list[Rescue]:
    """Puts the SOA's negative TTL back, and reads that it is; a lost answer is settled so too.

    Args:
        by_force: the command line that replaces what another writer set; empty where that is
            replaced now.
        save: makes durable what is about to be changed; raises OSError.

    Returns:
        What was done, or would be with ``dry_run``; nothing where nothing is to do.

    Raises:
        ManualActionRequiredError: another writer set another negative TTL, or it could not be read
            or written in about a minute of tries.
    """
    name, zone = soa.original.key.name, shown_name(soa.original.key.name)
    done: tuple[Change, ...] = ()
    failure = f" in {TRIES} tries"
    async for _ in attempts(clock):
        try:
            here = soa_of(await records.read_name(zone_id, name), name)
            if here is None or negative_caching(here) == negative_caching(soa.original):
                return [Rescue(name=name, changes=done)] if done else []
            is_ours = negative_caching(here) == negative_caching(soa.lowered)
            if not is_ours and by_force and not done:
                raise _changed(soa, here, by_force)
            change = Change.upsert_soa(_as_before(soa, here))
            if dry_run:
                return [Rescue(name=name, changes=(change,))]
            if not done:
                save_or_tell((change,), save, tell)
            done = (change,)
            await records.change(zone_id, done, "route53-takeover restore")
        except (*TEMPORARY, RejectedChangeError) as error:
            tell(f"the SOA of {zone}: {error}; trying again")
        except ApiError as error:
            failure = f": {error}"
            break
    raise ManualActionRequiredError(
        f"cannot put the SOA of {zone} back{failure}: it had {negative_caching(soa.original)} "
        "before the run",
        "Run `restore` again, or set it by hand.",
    )


def _as_before(soa: LoweredSoa, here: RecordSet) -> RecordSet:
    """The SOA with its negative TTL of before; the original where only the run changed it."""
    if here == soa.lowered:
        return soa.original
    return with_negative_caching(here, negative_caching(soa.original))


def _changed(soa: LoweredSoa, here: RecordSet, by_force: str) -> ManualActionRequiredError:
    return ManualActionRequiredError(
        f"the SOA of {shown_name(here.key.name)} has {negative_caching(here)}, which another "
        f"writer set: it is left as it is (it had {negative_caching(soa.original)} before the run)",
        f"Set it by hand, or replace it: `{by_force}`.",
    )
