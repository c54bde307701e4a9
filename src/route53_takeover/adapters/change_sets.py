"""CloudFormation's change sets over its API: the `ChangeSets` port.

It reads them, and deletes one that a preview of this program made. No change set is created or
executed here: `route53_takeover.adapters.operation_allowlist` lets neither through.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from route53_takeover.adapters.cloudformation import in_force, parsed_body
from route53_takeover.base.errors import NotFoundError
from route53_takeover.core.domain.stacks import ChangeSet, ResourceChange
from route53_takeover.core.ports import ChangeSets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from route53_takeover.adapters.cloudformation import Reader


class CloudFormationChangeSets(ChangeSets):
    """The change sets of one account and region.

    Args:
        aws: its open session.
    """

    def __init__(self, aws: Reader) -> None:
        self._aws = aws

    async def change_sets(self, stack: str) -> Sequence[str]:
        """The ids of a stack's change sets; none where no such stack exists."""
        found: list[str] = []
        position: dict[str, Any] = {}
        while True:
            try:
                async with self._aws.reading("cloudformation:ListChangeSets") as clients:
                    page = await clients.cloudformation.list_change_sets(
                        StackName=stack, **position
                    )
            except NotFoundError:
                return []
            found += [each["ChangeSetId"] for each in page["Summaries"]]
            if not page.get("NextToken"):
                return found
            position = {"NextToken": page["NextToken"]}

    async def change_set(self, change_set_id: str) -> ChangeSet:
        """One change set with its changes, and their values where the API has them."""
        changes: list[ResourceChange] = []
        position: dict[str, Any] = {}
        while True:
            async with self._aws.reading("cloudformation:DescribeChangeSet") as clients:
                page: Mapping[str, Any] = await clients.cloudformation.describe_change_set(
                    ChangeSetName=change_set_id, IncludePropertyValues=True, **position
                )
            changes += [
                _change(each["ResourceChange"])
                for each in page.get("Changes", ())
                if "ResourceChange" in each
            ]
            if not page.get("NextToken"):
                break
            position = {"NextToken": page["NextToken"]}
        return ChangeSet(
            change_set_id=page["ChangeSetId"],
            name=page["ChangeSetName"],
            stack_id=page["StackId"],
            stack_name=page["StackName"],
            status=page["Status"],
            reason=page.get("StatusReason") or "",
            parameters=in_force(page.get("Parameters", ())),
            changes=tuple(changes),
        )

    async def change_set_body(self, change_set_id: str) -> Mapping[str, Any]:
        """Its template, parsed, with macros expanded."""
        async with self._aws.reading("cloudformation:GetTemplate") as clients:
            answer = await clients.cloudformation.get_template(
                ChangeSetName=change_set_id, TemplateStage="Processed"
            )
        return parsed_body(answer["TemplateBody"], change_set_id)

    async def delete_change_set(self, change_set_id: str) -> None:
        """Deletes it, and those nested in it."""
        async with self._aws.reading("cloudformation:DeleteChangeSet") as clients:
            await clients.cloudformation.delete_change_set(ChangeSetName=change_set_id)


def _change(shape: Mapping[str, Any]) -> ResourceChange:
    return ResourceChange(
        action=shape["Action"],
        logical_id=shape["LogicalResourceId"],
        resource_type=shape["ResourceType"],
        keeps_id=shape.get("Replacement", "False") == "False",
        change_set_id=shape.get("ChangeSetId") or "",
        properties=_properties(shape.get("AfterContext")),
    )


def _properties(text: str | None) -> dict[str, Any] | None:
    """The properties after the change; ``None`` where there are none or they are cut short."""
    try:
        context = json.loads(text or "null")
    except ValueError:
        return None
    properties = context.get("Properties") if isinstance(context, dict) else None
    return properties if isinstance(properties, dict) else None
