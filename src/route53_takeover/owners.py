"""Reading who owns what: the stack tree's record sets, and other stacks' at the same names.

It only asks; what follows from the answers is decided in `route53_takeover.core.ownership`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from route53_takeover.core.plan import ForeignRecord, OwnedRecord
from route53_takeover.core.records import normal_name
from route53_takeover.core.stacks import (
    ABSENT,
    RECORD_SET,
    RECORD_SET_GROUP,
    STACK,
    Kind,
    kind_of,
)
from route53_takeover.errors import AccessDeniedError, ApiError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from route53_takeover.core.records import DesiredRecord
    from route53_takeover.core.stacks import StackDescription, StackResource, StackTemplate
    from route53_takeover.ports import Stacks

REGIONS_AT_ONCE = 12
REGIONS_LIMIT = 15.0
"""Seconds that asking all other regions may take together; it usually takes two or three."""
_NOT_ENABLED = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClient", "UnrecognizedClientException"}
)
"""What a region says that does not know the account's credentials: it is not enabled for it."""


class Tree:
    """The stacks below a root, and the record sets that they own or are going to.

    Attributes:
        stack_ids: every stack of the tree, the root included.
        owned: the record sets that exist by the stacks' own lists.
        expected: those that only the templates in force hold, as far as they can be read.
        retained: those of them that have ``DeletionPolicy: Retain``.
        hidden: logical ids of those whose name or type the templates hide.
        groups: ``RecordSetGroup`` resources that exist; ``coming_groups``: those that do not.
    """

    def __init__(self) -> None:
        self.stack_ids: list[str] = []
        self.owned: list[OwnedRecord] = []
        self.expected: list[DesiredRecord] = []
        self.retained: list[DesiredRecord] = []
        self.hidden: list[str] = []
        self.groups: list[str] = []
        self.coming_groups: list[str] = []

    @classmethod
    async def read(cls, stacks: Stacks, root: StackDescription) -> Tree:
        """Reads the stacks one after the other: two calls each, three where parameters count."""
        tree = cls()
        todo = [] if root.status == ABSENT else [root.stack_id]
        for stack_id in todo:
            if stack_id in tree.stack_ids:
                continue
            tree.stack_ids.append(stack_id)
            is_at_rest = kind_of(root.status) in (Kind.SUCCEEDED, Kind.ROLLED_BACK)
            held = [
                r
                for r in await stacks.resources(stack_id)
                if r.is_owned or (not is_at_rest and r.is_left_over)
            ]
            todo += [r.physical_id for r in held if r.resource_type == STACK]
            await tree._take(stacks, stack_id, held)
        return tree

    async def _take(self, stacks: Stacks, stack_id: str, held: Sequence[StackResource]) -> None:
        records = [r for r in held if r.resource_type == RECORD_SET]
        groups = [r.logical_id for r in held if r.resource_type == RECORD_SET_GROUP]
        template = await _template(stacks, stack_id, is_needed=bool(records))
        self.owned += [_owned(resource, template) for resource in records]
        self.groups += groups
        if template is not None:
            there = {resource.logical_id for resource in records}
            for logical_id, desired in template.record_sets.items():
                if logical_id in there:
                    continue
                if desired is None:
                    self.hidden.append(logical_id)
                    continue
                self.expected.append(desired)
                if logical_id in template.retained:
                    self.retained.append(desired)
            self.coming_groups += [name for name in template.groups if name not in groups]


async def foreign_records(
    stacks: Stacks, names: Sequence[str], tree: Collection[str]
) -> tuple[list[ForeignRecord], list[str]]:
    """The record sets of these names that stacks outside the tree own, in every region.

    Returns:
        What was found, and the regions that could not be asked.
    """
    here = await foreign_here(stacks, names, tree)
    abroad, unasked = await foreign_abroad(stacks, names)
    return here + abroad, unasked


async def foreign_here(
    stacks: Stacks, names: Sequence[str], tree: Collection[str]
) -> list[ForeignRecord]:
    """Those that stacks of this region own: one call for each spelling of each name."""
    return [r for name in names for r in await _held_by_others(stacks, name, tree, region="")]


async def foreign_abroad(
    stacks: Stacks, names: Sequence[str]
) -> tuple[list[ForeignRecord], list[str]]:
    """Those that stacks of all other regions own, to which no stack of the tree can belong.

    One call a region for each spelling of each name (with and without the trailing dot), all
    regions side by side. A region that does not know the credentials is not enabled for the
    account. One that cannot be asked for any other reason, or does not answer in time, keeps
    nothing up.

    Returns:
        What was found, and the regions that could not be asked.
    """
    regions = await stacks.other_regions()
    asked: dict[str, list[ForeignRecord]] = {}
    at_once = asyncio.Semaphore(REGIONS_AT_ONCE)

    async def ask(region: str) -> None:
        try:
            async with at_once, stacks.in_region(region) as there:
                asked[region] = [
                    record
                    for name in names
                    for record in await _held_by_others(there, name, (), region=region)
                ]
        except ApiError as error:
            if error.code in _NOT_ENABLED:
                asked[region] = []

    try:
        async with asyncio.timeout(REGIONS_LIMIT), asyncio.TaskGroup() as group:
            for region in regions:
                group.create_task(ask(region))
    except TimeoutError:
        pass  # who has not answered by now is told of
    found = [record for region in regions for record in asked.get(region, ())]
    return found, [region for region in regions if region not in asked]


async def _held_by_others(
    stacks: Stacks, name: str, tree: Collection[str], *, region: str
) -> list[ForeignRecord]:
    owner = await stacks.owner(name)
    if owner is None or owner.stack_id in tree:
        return []
    template = await _template(stacks, owner.stack_id, is_needed=False)
    records = [
        _owned(resource, template)
        for resource in await stacks.resources(owner.stack_id)
        if resource.is_owned
        and resource.resource_type == RECORD_SET
        and normal_name(resource.physical_id) == name
    ]
    return [ForeignRecord(stack=owner, record=record, region=region) for record in records]


def _owned(resource: StackResource, template: StackTemplate | None) -> OwnedRecord:
    return OwnedRecord(
        stack_id=resource.stack_id,
        logical_id=resource.logical_id,
        name=resource.physical_id,
        desired=template.record_sets.get(resource.logical_id) if template else None,
    )


async def _template(stacks: Stacks, stack_id: str, *, is_needed: bool) -> StackTemplate | None:
    """The template in force; ``None`` where it hides what it holds.

    Args:
        is_needed: whether not to be allowed to read it ends the preflight.
    """
    try:
        return await stacks.template(stack_id, with_parameters=True)
    except NotFoundError:
        return None
    except AccessDeniedError:
        if is_needed:
            raise
        return None
    except ApiError as error:
        if is_needed or type(error) is not ApiError:
            raise
        return None  # what cannot be parsed is of no stack's record, or only of another stack's
