"""Preflight: reading all that a plan is made from, before the first write. It never writes.

What cannot be found ends here with a refusal that says what was looked for, and where.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.plan import Facts, OwnedRecord
from route53_takeover.core.planning import parse_record
from route53_takeover.core.records import display_name, normal_name, normal_zone_id
from route53_takeover.core.stacks import ABSENT, RECORD_SET, RECORD_SET_GROUP, STACK
from route53_takeover.errors import NotFoundError, RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from route53_takeover.core.plan import Identity, Options
    from route53_takeover.core.stacks import StackDescription, StackTemplate
    from route53_takeover.ports import Clock, Records, Stacks, Zone


async def gather(
    options: Options,
    *,
    clock: Clock,
    records: Records,
    stacks: Stacks,
    identity: Identity,
    region: str,
    ask_delegation: Callable[[str], Awaitable[Sequence[str] | None]] | None,
) -> Facts:
    """Reads everything a plan depends on.

    Args:
        ask_delegation: zone name -> the name servers that the world is sent to, ``None`` where
            that cannot be told; ``None`` itself where it is not to be asked.

    Raises:
        RefusedError: no zone or stack that fits, with what was found instead.
        ApiError: AWS could not be asked.
    """
    names = list(dict.fromkeys(parse_record(text)[0] for text in options.records))
    zone, same_name = await _find_zone(records, options, names)
    stack = await stacks.describe(options.stack)
    given = None
    if stack.root_id:
        given, stack = stack.stack_name, await stacks.describe(stack.root_id)
    # Read for nothing but the permission: a run that may not see events would wait in vain.
    await stacks.newest_event(stack.stack_id or options.stack)
    tree = await _Tree.read(stacks, stack)
    owners: dict[str, StackDescription] = {}
    for name in names:
        owner = await stacks.owner(name)
        if owner is not None and owner.stack_id not in tree.stack_ids:
            owners[name] = owner
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
        same_name_zones=same_name,
        delegated=None if delegated is None else tuple(delegated),
        stack=stack,
        tree_groups=tuple(tree.groups),
        owned=tuple(tree.owned),
        other_owners=owners,
        given_stack=given,
    )


async def _find_zone(
    records: Records, options: Options, names: list[str]
) -> tuple[Zone, tuple[str, ...]]:
    """The zone that holds the names, and the ids of all public zones of its name."""
    if not names:
        raise UsageError("no record was named", "Say which with --record NAME[/TYPE].")
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
                f"zone {wanted} is not one that could hold {display_name(names[0])}",
                f"Found: {_listed(candidates)}. Check --zone and the account.",
            )
        public = [zone for zone in chosen if not zone.private]
        zone = (public or chosen)[0]
    else:
        public = [zone for zone in candidates if not zone.private]
        if not public:
            raise RefusedError(
                f"no public hosted zone of this account holds {display_name(names[0])}",
                f"Found: {_listed(candidates)}. Check the account and --profile; for a private "
                "zone say --zone ID.",
            )
        zone = public[0]
    for name in names:
        if not ("." + name).endswith("." + zone.name):
            raise RefusedError(
                f"{display_name(name)} is not in zone {display_name(zone.name)}",
                "Take the records of one zone over at a time.",
            )
    same = [z.zone_id for z in candidates if z.name == zone.name and not z.private]
    return await records.zone(zone.zone_id), tuple(same)


def _listed(zones: Sequence[Zone]) -> str:
    found = [
        f"{display_name(zone.name)} ({zone.zone_id}{', private' if zone.private else ''})"
        for zone in zones
    ]
    return ", ".join(found) or "none"


class _Tree:
    """The stacks below a root, and the record sets that they own."""

    def __init__(self) -> None:
        self.stack_ids: set[str] = set()
        self.owned: list[OwnedRecord] = []
        self.groups: list[str] = []

    @classmethod
    async def read(cls, stacks: Stacks, root: StackDescription) -> _Tree:
        tree = cls()
        todo = [] if root.status == ABSENT else [root.stack_id]
        for stack_id in todo:
            if stack_id in tree.stack_ids:
                continue
            tree.stack_ids.add(stack_id)
            template: StackTemplate | None = None
            for resource in await stacks.resources(stack_id):
                if not resource.physical_id or resource.status == "DELETE_COMPLETE":
                    continue
                if resource.resource_type == STACK:
                    todo.append(resource.physical_id)
                elif resource.resource_type == RECORD_SET_GROUP:
                    tree.groups.append(resource.logical_id)
                elif resource.resource_type == RECORD_SET:
                    template = template or await _template(stacks, stack_id)
                    tree.owned.append(
                        OwnedRecord(
                            stack_id=stack_id,
                            logical_id=resource.logical_id,
                            name=resource.physical_id,
                            desired=template.record_sets.get(resource.logical_id)
                            if template
                            else None,
                        )
                    )
        return tree


async def _template(stacks: Stacks, stack_id: str) -> StackTemplate | None:
    try:
        return await stacks.template(stack_id)
    except NotFoundError:
        return None
