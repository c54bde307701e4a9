"""What an operation of the simulated CloudFormation would change, before it starts.

Asks templates and stacks; it changes neither. A value that only the operation makes known is
`KNOWN_AFTER_APPLY`, as ``DescribeChangeSet`` has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.core.domain.stacks import STACK
from route53_takeover.core.domain.template import TemplateError
from route53_takeover.simulation.aws.cloudformation.account import is_replaced
from route53_takeover.simulation.aws.cloudformation.state import Resource, Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.simulation.aws.cloudformation.account import CloudFormationAccount
    from route53_takeover.simulation.aws.cloudformation.template import Lookup, Template

KNOWN_AFTER_APPLY = "{{changeSet:KNOWN_AFTER_APPLY}}"


class Difference(Struct, frozen=True, kw_only=True):
    """One resource that would change.

    Attributes:
        action: ``Add``, ``Modify`` or ``Remove``.
        after: its properties then, `KNOWN_AFTER_APPLY` for what is not known; none if removed.
        replaced: whether it would be another physical resource then.
    """

    action: str
    logical_id: str
    type: str
    physical_id: str = ""
    after: Mapping[str, Any] | None = None
    replaced: bool = False


def differences(
    account: CloudFormationAccount, stack: Stack, template: Template
) -> Iterator[Difference]:
    """What an update to this template would change; a change of outputs alone has no name."""
    for name, old in stack.resources.items():
        if name not in template.resources:
            yield Difference(
                action="Remove", logical_id=name, type=old.type, physical_id=old.physical_id
            )
    for name, spec in template.resources.items():
        old_one = stack.resources.get(name)
        if old_one is not None and not _is_changed(account, stack, template, name):
            continue
        after = template.foreseen(name, _lookup(account, stack, template), KNOWN_AFTER_APPLY)
        new = Resource.wanted(spec)
        new.properties = after
        yield Difference(
            action="Add" if old_one is None else "Modify",
            logical_id=name,
            type=spec.type,
            physical_id="" if old_one is None else old_one.physical_id,
            after=after,
            replaced=old_one is not None and is_replaced(old_one, new),
        )
    try:
        outputs = template.outputs(stack.lookup)
    except TemplateError:  # one refers to what is still to be created
        outputs = {}
    if outputs != stack.outputs:
        yield Difference(action="Modify", logical_id="", type="")


def nested(
    account: CloudFormationAccount, stack: Stack, template: Template
) -> Iterator[tuple[str, Stack, Template]]:
    """Its nested stacks that have a template: logical id, the stack, and what it would have.

    One that does not exist yet is a stack that was never created.
    """
    for name, spec in template.resources.items():
        if spec.type != STACK:
            continue
        old = stack.resources.get(name)
        child = None if old is None else old.child
        if child is None:
            place = stack.stack_id.partition(":stack/")[0]
            child_name = f"{stack.name}-{name}"
            child = Stack(
                stack_id=f"{place}:stack/{child_name}/{account.uuid()}",
                name=child_name,
                created_at=account.timeline.now,
                parent=stack,
            )
        wanted = Resource.wanted(spec)
        wanted.properties = template.foreseen(
            name, _lookup(account, stack, template), KNOWN_AFTER_APPLY
        )
        yield name, child, account.child_template(child, wanted)


def _lookup(account: CloudFormationAccount, stack: Stack, template: Template) -> Lookup:
    """Values of what exists; the outputs of a nested stack that would change are not known."""

    def lookup(name: str, attribute: str | None) -> str:
        resource = stack.resources.get(name)
        if (
            resource is not None
            and resource.child is not None
            and attribute is not None
            and name in template.resources
            and _is_changed(account, stack, template, name)
        ):
            raise TemplateError(f"{name} changes, and with it its outputs")
        return stack.lookup(name, attribute)

    return lookup


def _is_changed(
    account: CloudFormationAccount, stack: Stack, template: Template, name: str
) -> bool:
    old, new = stack.resources[name], Resource.wanted(template.resources[name])
    try:
        new.properties = template.properties(name, _lookup(account, stack, template))
    except TemplateError:  # it refers to what is still to be created
        return True
    if old.type != new.type or old.properties != new.properties or "FAILED" in old.status:
        return True
    child = old.child
    return child is not None and any(
        differences(account, child, account.child_template(child, new))
    )
