"""Change sets of the simulated CloudFormation: enough for ``aws cloudformation deploy`` and CDK.

A change set is ready as soon as it is made. It holds what its maker sent, and one more change set
for each nested stack where that was asked for; what executing it does is the stacks' business.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.simulation.aws.cloudformation.differences import Difference
from route53_takeover.simulation.aws.http.faults import ApiFault

if TYPE_CHECKING:
    from route53_takeover.simulation.aws.cloudformation.stacks import Preview, StackStore

_NO_CHANGES = (
    "The submitted information didn't contain changes. "
    "Submit different information to create a change set."
)


class ChangeSet(Struct, kw_only=True):
    """One change set; ``differences`` is empty where it would change nothing.

    Attributes:
        nested: the change sets of its nested stacks, by logical id.
        parent_id: the change set that this one is nested in, if any.
    """

    change_set_id: str
    name: str
    stack_id: str
    stack_name: str
    creates: bool
    body: str
    parameters: dict[str, str]
    capabilities: Sequence[str]
    tags: Sequence[Mapping[str, str]]
    disable_rollback: bool
    created_at: float
    differences: Sequence[Difference]
    nested: dict[str, ChangeSet]
    includes_nested: bool = False
    parent_id: str | None = None
    executed: bool = False

    def to_api(self, *, values: bool = False) -> dict[str, Any]:
        """The answer of ``DescribeChangeSet``; ``values``: with ``IncludePropertyValues``."""
        return {
            **self.summary(),
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in self.parameters.items()
            ],
            "Capabilities": self.capabilities,
            "Tags": self.tags,
            "Changes": [
                {"Type": "Resource", "ResourceChange": self._change(each, values=values)}
                for each in self.differences
                if each.logical_id
            ],
        }

    def summary(self) -> dict[str, Any]:
        """What ``ListChangeSets`` returns for it."""
        usable = bool(self.differences) or self.creates
        execution = "AVAILABLE" if usable else "UNAVAILABLE"
        return {
            "ChangeSetName": self.name,
            "ChangeSetId": self.change_set_id,
            "StackId": self.stack_id,
            "StackName": self.stack_name,
            "CreationTime": self.created_at,
            "ExecutionStatus": "EXECUTE_COMPLETE" if self.executed else execution,
            "Status": "CREATE_COMPLETE" if usable else "FAILED",
            "StatusReason": None if usable else _NO_CHANGES,
            "IncludeNestedStacks": self.includes_nested,
            "ParentChangeSetId": self.parent_id,
        }

    def _change(self, each: Difference, *, values: bool) -> dict[str, Any]:
        nested = self.nested.get(each.logical_id)
        shown = {
            "Action": each.action,
            "LogicalResourceId": each.logical_id,
            "PhysicalResourceId": each.physical_id or None,
            "ResourceType": each.type,
            "Replacement": str(each.replaced) if each.action == "Modify" else None,
            "ChangeSetId": None if nested is None else nested.change_set_id,
            "AfterContext": None
            if each.after is None or not values
            else json.dumps({"Properties": each.after}),
        }
        return {key: value for key, value in shown.items() if value is not None}


class ChangeSets:
    """The change sets that have not been deleted, by stack."""

    def __init__(self, stacks: StackStore) -> None:
        self._stacks = stacks
        self._change_sets: list[ChangeSet] = []

    def create(
        self,
        params: Mapping[str, Any],
        *,
        body: str,
        parameters: dict[str, str],
    ) -> ChangeSet:
        """Makes one from the request of ``CreateChangeSet``.

        Raises:
            ApiFault: the stack is not there or there already, or the template is not right.
        """
        name, stack_name = params["ChangeSetName"], params["StackName"]
        creates = params.get("ChangeSetType") == "CREATE"
        found = self._stacks.find(stack_name)
        exists = found is not None and found.status != "REVIEW_IN_PROGRESS"
        if creates and exists:
            raise ApiFault(
                "ValidationError",
                f"Stack [{stack_name}] already exists and cannot be created again with the "
                f"changeSet [{name}].",
            )
        if not creates and not exists:
            raise ApiFault("ValidationError", f"Stack [{stack_name}] does not exist")
        stack = self._stacks.reserve(stack_name) if found is None else found
        if self._find(name, stack.stack_id) is not None:
            raise ApiFault("AlreadyExistsException", f"ChangeSet {name} already exists")
        deep = bool(params.get("IncludeNestedStacks"))
        preview = self._stacks.preview(stack, body, parameters, deep=deep)
        return self._add(params, preview, parameters, body, creates=creates)

    def _add(
        self,
        params: Mapping[str, Any],
        preview: Preview,
        parameters: Mapping[str, str],
        body: str,
        *,
        creates: bool,
        parent_id: str | None = None,
    ) -> ChangeSet:
        name, stack = params["ChangeSetName"], preview.stack
        place = stack.stack_id.partition(":stack/")[0]
        change_set_id = f"{place}:changeSet/{name}/{self._stacks.new_id()}"
        change_set = ChangeSet(
            change_set_id=change_set_id,
            name=name,
            stack_id=stack.stack_id,
            stack_name=stack.name,
            creates=creates,
            body=body,
            parameters=dict(parameters),
            capabilities=params.get("Capabilities", ()),
            tags=params.get("Tags", ()),
            disable_rollback=params.get("OnStackFailure") == "DO_NOTHING",
            created_at=self._stacks.timeline.now,
            differences=preview.differences,
            nested={
                logical_id: self._add(
                    {**params, "ChangeSetName": f"{name}-{logical_id}"},
                    each,
                    each.parameters,
                    json.dumps(each.body),
                    creates=not each.stack.status,
                    parent_id=change_set_id,
                )
                for logical_id, each in preview.nested.items()
            },
            includes_nested=bool(params.get("IncludeNestedStacks")),
            parent_id=parent_id,
        )
        self._change_sets.append(change_set)
        return change_set

    def of_stack(self, stack_id: str) -> list[ChangeSet]:
        """Those of one stack, in the order in which they were made."""
        return [each for each in self._change_sets if each.stack_id == stack_id]

    def get(self, params: Mapping[str, Any]) -> ChangeSet:
        """The one that a request names.

        Raises:
            ApiFault: `ChangeSetNotFound`.
        """
        name, stack_name = params["ChangeSetName"], params.get("StackName")
        stack = None if stack_name is None else self._stacks.get(stack_name)
        found = self._find(name, None if stack is None else stack.stack_id)
        if found is None:
            raise ApiFault("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)
        return found

    def execute(self, params: Mapping[str, Any]) -> None:
        """Begins what the change set says.

        Raises:
            ApiFault: `InvalidChangeSetStatus`, or as the stacks refuse it.
        """
        change_set = self.get(params)
        if change_set.executed or not (change_set.differences or change_set.creates):
            raise ApiFault(
                "InvalidChangeSetStatus",
                f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current status",
            )
        begin = self._stacks.create_stack if change_set.creates else self._stacks.update_stack
        begin(
            change_set.stack_name,
            change_set.body,
            change_set.parameters,
            token=params.get("ClientRequestToken", ""),
            disable_rollback=params.get("DisableRollback", change_set.disable_rollback),
            tags=change_set.tags,
        )
        change_set.executed = True

    def delete(self, params: Mapping[str, Any]) -> None:
        """Forgets one, and those nested in it; what is not there is fine."""
        try:
            ahead = [self.get(params)]
        except ApiFault as fault:
            if fault.code != "ChangeSetNotFound":
                raise
            return
        for each in ahead:
            ahead += each.nested.values()
            self._change_sets.remove(each)

    def _find(self, name: str, stack_id: str | None) -> ChangeSet | None:
        for each in self._change_sets:
            if each.change_set_id == name or (each.name, each.stack_id) == (name, stack_id):
                return each
        return None
