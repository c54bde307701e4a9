"""Reads which records the stack tree owns, and which its templates define.

It only reads; `core.plan.ownership` and `core.plan.replacement` decide. The records of other stacks
are found by `route53_takeover.runtime.inventory`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.base.errors import AccessDeniedError, ApiError, NotFoundError
from route53_takeover.core.domain.intrinsics import Values
from route53_takeover.core.domain.stacks import ABSENT, STACK
from route53_takeover.core.domain.template import resources_of
from route53_takeover.core.plan.holdings import RECORD_TYPES, held, holdings
from route53_takeover.runtime.inventory import StackReader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from route53_takeover.core.domain.desired_records import DesiredRecord
    from route53_takeover.core.domain.stacks import StackDescription, StackResource
    from route53_takeover.core.plan.model import OwnedRecord
    from route53_takeover.core.ports import Stacks

CUSTOM_DOMAIN = "AWS::ApiGateway::DomainName"
"""A resource whose physical id is the domain's name."""


class Tree:
    """The stacks below a root, and the records that they own or define.

    Attributes:
        stack_ids: every stack of the tree, the root included.
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
        todo = [] if root.status == ABSENT else [root.stack_id]
        for stack_id in todo:
            if stack_id in tree.stack_ids:
                continue
            tree.stack_ids.append(stack_id)
            there = held(await stacks.resources(stack_id), root.status)
            todo += [r.physical_id for r in there if r.resource_type == STACK]
            domains = (r.physical_id for r in there if r.resource_type == CUSTOM_DOMAIN)
            tree.custom_domains += domains
            await tree._take(reader, stack_id, there)
        return tree

    async def _take(
        self, reader: StackReader, stack_id: str, there: Sequence[StackResource]
    ) -> None:
        has_records = any(r.resource_type in RECORD_TYPES for r in there)
        body = await _body(reader, stack_id, is_needed=has_records)
        values = Values()
        if body is not None:
            records = [k for k, each in resources_of(body) if each.get("Type") in RECORD_TYPES]
            values = await reader.values(stack_id, body, there, records)
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
