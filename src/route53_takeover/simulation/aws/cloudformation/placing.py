"""Stacks that the simulated CloudFormation has from the beginning, as another account has them.

They are put there whole, with their ids: no operation creates them, and nothing is written in a
zone. Their records must stand there already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.simulation.aws.cloudformation.state import Resource

if TYPE_CHECKING:
    from route53_takeover.simulation.aws.cloudformation.account import CloudFormationAccount
    from route53_takeover.simulation.aws.cloudformation.state import Stack

_COMPLETE = "UPDATE_COMPLETE"


class Placed(Struct, frozen=True, kw_only=True):
    """A stack as it stands.

    Attributes:
        stack_id: drawn where it is empty.
        physical_ids: by logical id; made up where one is missing.
        nested: its nested stacks, by logical id.
    """

    name: str
    stack_id: str = ""
    status: str = _COMPLETE
    body: Mapping[str, Any]
    parameters: Mapping[str, str] = {}
    physical_ids: Mapping[str, str] = {}
    nested: Mapping[str, Placed] = {}


def place(account: CloudFormationAccount, placed: Placed, parent: Stack | None = None) -> Stack:
    """Puts a stack and those nested in it into the account."""
    stack = account.add_stack(placed.name, parent, placed.stack_id)
    template = account.template(stack, placed.body, placed.parameters)
    stack.body, stack.parameters = template.body, template.parameters
    stack.disable_rollback = placed.status.endswith("_FAILED")
    for logical_id, spec in template.resources.items():
        resource = Resource.wanted(spec)
        resource.physical_id = placed.physical_ids.get(logical_id) or account.generated_name(
            stack, logical_id
        )
        if logical_id in placed.nested:
            resource.child = place(account, placed.nested[logical_id], stack)
            resource.physical_id = resource.child.stack_id
        stack.resources[logical_id] = resource
        resource.properties = template.properties(logical_id, stack.lookup)
        account.resource_status(stack, resource, _COMPLETE)
    account.stack_status(stack, placed.status)
    return stack
