"""Preflight: reads everything that a plan is made from. It never writes.

A zone or record that does not exist is refused here, with the place that was searched.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from route53_takeover.base.errors import RefusedError, UsageError
from route53_takeover.core.domain.record_sets import display_name, normal_name, normal_zone_id
from route53_takeover.core.domain.stacks import ABSENT
from route53_takeover.core.plan.model import Facts, OtherZone
from route53_takeover.core.plan.planner import parse_record
from route53_takeover.runtime.inventory import Inventory
from route53_takeover.runtime.ownership_lookup import Tree

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from route53_takeover.core.plan.model import Identity, Options
    from route53_takeover.core.ports import Clock, Records, Stacks, Zone


async def gather(
    options: Options,
    *,
    clock: Clock,
    records: Records,
    stacks: Stacks,
    identity: Identity,
    region: str,
    ask_delegation: Callable[[str], Awaitable[Sequence[str] | None]] | None,
    inventory: Inventory | None = None,
) -> Facts:
    """Reads everything a plan depends on.

    Args:
        ask_delegation: zone name -> the delegated name servers, ``None`` where
            that cannot be told; ``None`` itself where it is not to be asked.
        inventory: what the account's stacks hold; a new one without it.

    Raises:
        RefusedError: no zone or stack that fits, with what was found instead.
        ApiError: AWS could not be asked.
    """
    names = list(dict.fromkeys(parse_record(text)[0] for text in options.records))
    zone, others = await _find_zone(records, options, names)
    stack = await stacks.describe(options.stack)
    given = None
    if stack.root_id:
        given, stack = stack.stack_name, await stacks.describe(stack.root_id)
    # Read for nothing but the permission: a run that may not see events would wait in vain.
    await stacks.newest_event(stack.stack_id or options.stack)
    tree = await Tree.read(stacks, stack)
    inventory = inventory or Inventory(stacks, clock, region=region)
    found = await inventory.beside(tree.stack_ids, names, options.owner_check)
    near: list[str] = []
    if stack.status == ABSENT:
        near = get_close_matches(options.stack, sorted(inventory.roots), n=3, cutoff=_LIKE)
    delegated = None
    if ask_delegation is not None and not zone.private:
        delegated = await ask_delegation(zone.name)
    return Facts(
        now=clock.now(),
        identity=identity,
        region=region,
        zone_id=zone.zone_id,
        zone_name=zone.name,
        zone_private=zone.private,
        zone_name_servers=zone.name_servers,
        zone_records=tuple(await records.read_zone(zone.zone_id)),
        same_name_zones=(zone.zone_id, *(z.zone_id for z in others if _is_rival(z, zone))),
        other_zones=tuple(others),
        delegated=None if delegated is None else tuple(delegated),
        stack=stack,
        owned=tuple(tree.owned),
        expected=tuple(tree.expected),
        expecting=tuple(tree.expecting),
        retained=tuple(tree.retained),
        hidden=tuple(tree.hidden),
        coming=tuple(tree.coming),
        foreign=found.records,
        unasked=found.unasked,
        near_stacks=tuple(near),
        given_stack=given,
        custom_domains=tuple(tree.custom_domains),
    )


_LIKE = 0.75
"""Similarity from which on a name counts as a misspelling of another (`difflib`'s ratio)."""


async def _find_zone(
    records: Records, options: Options, names: list[str]
) -> tuple[Zone, list[OtherZone]]:
    """The zone of the names, and all others of the account that could contain them."""
    if not names:
        raise UsageError("no record was given", "Use --record NAME[/TYPE].")
    candidates = await records.zones(names[0])
    wanted = options.zone
    if wanted is not None:
        chosen = [
            zone
            for zone in candidates
            if normal_zone_id(wanted) == zone.zone_id or normal_name(wanted) == zone.name
        ]
        if not chosen:
            raise RefusedError(
                f"zone {wanted} does not exist or cannot contain {display_name(names[0])}",
                f"Found: {_listed(candidates)}. Check --zone and the account.",
            )
        public = [zone for zone in chosen if not zone.private]
        zone = (public or chosen)[0]
    else:
        public = [zone for zone in candidates if not zone.private]
        if not public:
            raise RefusedError(
                f"no public hosted zone of this account contains {display_name(names[0])}",
                f"Found: {_listed(candidates)}. Check the account and --profile; for a private "
                "zone use --zone ID.",
            )
        zone = public[0]
    for name in names:
        if not ("." + name).endswith("." + zone.name):
            raise RefusedError(
                f"{display_name(name)} is not in zone {display_name(zone.name)}",
                "One run takes over the records of one zone.",
            )
    others = [_other(each) for each in candidates if each.zone_id != zone.zone_id]
    return await records.zone(zone.zone_id), others


def _is_rival(other: OtherZone, zone: Zone) -> bool:
    return (other.name, other.private) == (zone.name, zone.private)


def _other(zone: Zone) -> OtherZone:
    return OtherZone(
        zone_id=zone.zone_id,
        name=zone.name,
        private=zone.private,
        name_servers=zone.name_servers,
    )


def _listed(zones: Sequence[Zone]) -> str:
    return ", ".join(str(_other(zone)) for zone in zones) or "none"
