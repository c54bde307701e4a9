"""Preflight: reads everything that a plan is made from. It never writes.

A zone or record that does not exist is refused here, with the place that was searched.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from route53_takeover.base.errors import UsageError
from route53_takeover.core.domain.names import normal_name, requested_pairs, shown_name
from route53_takeover.core.domain.stacks import ABSENT
from route53_takeover.core.plan.facts import Facts, StackRead
from route53_takeover.core.plan.pending import outlook
from route53_takeover.runtime.inventory import Inventory
from route53_takeover.runtime.ownership_lookup import Tree
from route53_takeover.runtime.protection_reading import read_protections
from route53_takeover.runtime.zone_lookup import find_zone
from route53_takeover.runtime.zone_reading import read_needed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from route53_takeover.core.plan.facts import Identity, OwnedRecord, PendingTemplate
    from route53_takeover.core.plan.model import Options
    from route53_takeover.core.ports import Clock, Records, Stacks
    from route53_takeover.runtime.pending_template import PendingSource


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
    pending: PendingSource | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Facts:
    """Reads everything a plan depends on.

    Args:
        ask_delegation: zone name -> the delegated name servers, ``None`` where
            that cannot be told; ``None`` itself where it is not to be asked.
        inventory: what the account's stacks hold; a new one without it.
        pending: where the pending template is read, if one is given.
        tell: receives what is being read.

    Raises:
        RefusedError: no zone or stack that fits, with what was found instead.
        ApiError: AWS could not be asked.
    """
    wanted = requested_pairs(options.records)
    if not wanted and (pending is None or not options.has_pending_template):
        raise UsageError("no record was given", "Use --record NAME[/TYPE].")
    tell(f"reading stack {options.stack}")
    stack = await stacks.describe(options.stack)
    given = None
    if stack.root_id:
        given, stack = stack.stack_name, await stacks.describe(stack.root_id)
    # Read for nothing but the permission: a run that may not see events would wait in vain.
    await stacks.newest_event(stack.stack_id or options.stack)
    tree = await Tree.read(stacks, stack)
    template = tree.pending
    if pending is not None:
        template = await pending.read(options, stack, tree, identity, region)
    tell("reading the zone and its records")
    found_zone = await find_zone(records, options, template, wanted)
    zone, names = found_zone.zone, found_zone.names
    tell("looking for other stacks that own the records")
    inventory = inventory or Inventory(stacks, clock, region=region)
    found = await inventory.beside(tree.stack_ids, names, options.owner_check)
    near: list[str] = []
    if stack.status == ABSENT:
        near = get_close_matches(options.stack, sorted(inventory.roots), n=3, cutoff=_LIKE)
    coming = outlook(template, names) if template.given else tree.outlook
    beside = _created(zone.name, template, coming.coming, tree.owned)
    reading = await read_needed(records, zone, names, beside)
    guarded = await read_protections(records, zone.zone_id, names)
    delegated = None
    if ask_delegation is not None and not zone.private:
        tell(f"asking which name servers {shown_name(zone.name)} is delegated to")
        delegated = await ask_delegation(zone.name)
    return Facts(
        now=clock.now(),
        identity=identity,
        region=region,
        zone_id=zone.zone_id,
        zone_name=zone.name,
        zone_private=zone.private,
        zone_name_servers=zone.name_servers,
        zone_records=reading.records,
        zone_unread=reading.unread,
        zone_names=frozenset((zone.name, *names, *beside)),
        guardrails=zone.guardrails,
        protections=guarded.protections,
        protections_unread=guarded.unread,
        same_name_zones=(zone.zone_id, *found_zone.rivals),
        other_zones=found_zone.others,
        delegated=None if delegated is None else tuple(delegated),
        stack=stack,
        stacks=tuple(
            StackRead(stack_id=each.stack_id, path=each.path, resources=tuple(each.there))
            for each in tree.stacks.values()
        ),
        owned=tuple(tree.owned),
        expected=coming.expected,
        expecting=coming.expecting,
        retained=coming.retained,
        hidden=coming.hidden,
        coming=coming.coming,
        pending=template,
        outliving=frozenset(tree.outliving),
        foreign=found.records,
        unasked=found.unasked,
        near_stacks=tuple(near),
        given_stack=given,
        custom_domains=tuple(tree.custom_domains),
        custom_domains_elsewhere=inventory.custom_domains,
    )


def _created(
    zone_name: str,
    template: PendingTemplate,
    coming: Sequence[OwnedRecord],
    owned: Sequence[OwnedRecord],
) -> list[str]:
    """The names in the zone at which the deploy creates records, or its groups have some."""
    groups = {(each.stack_id, each.logical_id) for each in coming}
    new = [each.record for each in template.records if not each.exists]
    kept = [each for each in owned if (each.stack_id, each.logical_id) in groups]
    names = [normal_name(each.name) for each in (*new, *coming, *kept) if not each.pattern]
    return [name for name in names if f".{name}".endswith(f".{zone_name}")]


_LIKE = 0.75
"""Similarity from which on a name counts as a misspelling of another (`difflib`'s ratio)."""
