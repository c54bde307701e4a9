"""Reads which records the stack tree owns, and which its templates define.

It only reads; `core.plan.ownership` and `core.plan.replacement` decide. The records of other stacks
are found by `route53_takeover.runtime.inventory`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.base.errors import AccessDeniedError, ApiError, NotFoundError
from route53_takeover.core.domain.intrinsics import Values
from route53_takeover.core.domain.stacks import ABSENT, CUSTOM_DOMAIN, STACK, StackResource
from route53_takeover.core.domain.template import is_retained, resources_of
from route53_takeover.core.plan.facts import PendingTemplate
from route53_takeover.core.plan.holdings import RECORD_TYPES, held, holdings
from route53_takeover.core.plan.pending import Outlook, waiting_records
from route53_takeover.runtime.inventory import StackReader

if TYPE_CHECKING:
    from route53_takeover.core.domain.desired_records import DesiredRecord
    from route53_takeover.core.domain.stacks import StackDescription
    from route53_takeover.core.plan.facts import OwnedRecord
    from route53_takeover.core.ports import Stacks


class TreeStack(Struct, frozen=True, kw_only=True):
    """One stack of the tree as it is in force.

    Attributes:
        path: the logical ids that lead to it from the root, each with a slash behind it.
        body: its template; ``None`` where it cannot be read.
        there: its resources that exist.
    """

    stack_id: str
    path: str
    body: Mapping[str, Any] | None
    there: Sequence[StackResource]


class Tree:
    """The stacks below a root, and the records that they own or define.

    Attributes:
        stack_ids: every stack of the tree, the root included.
        stacks: the same, as they are in force, by id.
        waiting: what their templates hold and they do not have.
        outliving: ``STACK_ID LOGICAL_ID`` of what they own and CloudFormation leaves when a later
            template lacks it.
        owned: the records that exist by the stacks' own lists.
        expected: record sets that only the templates in force hold, as far as they can be read.
        retained: those of them that have ``DeletionPolicy: Retain``.
        hidden: logical ids of those whose name or type the templates hide.
        coming: the same of the records of groups.
        expecting: the stacks whose templates hold such record sets, or hide which they are.
        custom_domains: the API Gateway custom domains among the resources.
    """

    def __init__(self) -> None:
        self.stack_ids: list[str] = []
        self.stacks: dict[str, TreeStack] = {}
        self.waiting: list[PendingTemplate] = []
        self.outliving: set[str] = set()
        self.owned: list[OwnedRecord] = []
        self.expected: list[DesiredRecord] = []
        self.retained: list[DesiredRecord] = []
        self.hidden: list[str] = []
        self.coming: list[OwnedRecord] = []
        self.expecting: list[str] = []
        self.custom_domains: list[str] = []

    @classmethod
    async def read(cls, stacks: Stacks, root: StackDescription) -> Tree:
        """Reads the stacks one after the other: two calls each, more where values count."""
        tree = cls()
        reader = StackReader(stacks)
        todo = [] if root.status == ABSENT else [(root.stack_id, "")]
        for stack_id, path in todo:
            if stack_id in tree.stack_ids:
                continue
            tree.stack_ids.append(stack_id)
            there = held(await stacks.resources(stack_id), root.status)
            todo += [
                (r.physical_id, f"{path}{r.logical_id}/") for r in there if r.resource_type == STACK
            ]
            domains = (r.physical_id for r in there if r.resource_type == CUSTOM_DOMAIN)
            tree.custom_domains += domains
            await tree._take(reader, stack_id, path, there)
        return tree

    @property
    def pending(self) -> PendingTemplate:
        """What the templates in force may still bring."""
        return PendingTemplate(
            source="the template in force",
            records=tuple(record for each in self.waiting for record in each.records),
            deletions=tuple(record for each in self.waiting for record in each.deletions),
            certificates=tuple(name for each in self.waiting for name in each.certificates),
        )

    @property
    def outlook(self) -> Outlook:
        """What only the templates in force hold, as `Facts` has it."""
        return Outlook(
            expected=tuple(self.expected),
            retained=tuple(self.retained),
            hidden=tuple(self.hidden),
            coming=tuple(self.coming),
            expecting=tuple(self.expecting),
        )

    async def _take(
        self, reader: StackReader, stack_id: str, path: str, there: Sequence[StackResource]
    ) -> None:
        has_records = any(r.resource_type in RECORD_TYPES for r in there)
        body = await _body(reader, stack_id, is_needed=has_records)
        values = Values()
        if body is not None:
            records = [k for k, each in resources_of(body) if each.get("Type") in RECORD_TYPES]
            values = await reader.values(stack_id, body, there, records)
            exist = {r.logical_id: r for r in there}
            self.waiting.append(waiting_records(stack_id, path, body, values, exist))
            self.outliving |= {
                f"{stack_id} {name}"
                for name, each in resources_of(body)
                if name in exist and is_retained(each)
            }
        self.stacks[stack_id] = TreeStack(stack_id=stack_id, path=path, body=body, there=there)
        found = holdings(stack_id, body, values, there)
        self.owned += found.owned
        self.expected += found.expected
        self.retained += found.retained
        self.hidden += found.hidden
        self.coming += found.coming
        if found.expected or found.hidden:
            self.expecting.append(stack_id)


async def _body(reader: StackReader, stack_id: str, *, is_needed: bool) -> Mapping[str, Any] | None:
    """The template in force; ``None`` where it hides what it holds.

    Args:
        is_needed: whether not to be allowed to read it ends the preflight.
    """
    try:
        return await reader.body(stack_id)
    except NotFoundError:
        return None
    except AccessDeniedError:
        if is_needed:
            raise
        return None
    except ApiError as error:
        if is_needed or type(error) is not ApiError:
            raise
        return None  # it holds no record that exists
