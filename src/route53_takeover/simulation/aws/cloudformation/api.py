"""CloudFormation's operations, as the API spells them, over the simulated stacks.

Owns the shapes and the paging of the API, and its words for what does not exist. What the calls do
is the stacks'.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from route53_takeover.core.domain.template import TemplateError
from route53_takeover.simulation.aws.cloudformation.account import parse_body
from route53_takeover.simulation.aws.cloudformation.template import refuse_unknown
from route53_takeover.simulation.aws.http.faults import ApiFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from route53_takeover.simulation.aws.cloudformation.stacks import Resource, Stack, StackStore
    from route53_takeover.simulation.aws.http.faults import Operation

    Params = Mapping[str, Any]

EVENTS_PER_PAGE = 100
RESOURCES_PER_PAGE = 100
STACKS_PER_PAGE = 100
CHANGES_PER_PAGE = 100
_BRACKETS = "Stack [{}] does not exist"
_QUOTES = "Stack '{}' does not exist"


def operations(stacks: StackStore) -> dict[str, Operation]:
    """CloudFormation's operations over ``stacks``."""
    api = _Api(stacks)
    handlers: Sequence[Callable[[Params], Mapping[str, Any]]] = (
        api.create_stack,
        api.update_stack,
        api.delete_stack,
        api.cancel_update_stack,
        api.continue_update_rollback,
        api.describe_stacks,
        api.list_stacks,
        api.list_exports,
        api.list_imports,
        api.describe_stack_events,
        api.list_stack_resources,
        api.describe_stack_resources,
        api.describe_stack_resource,
        api.get_template,
        api.get_template_summary,
        api.validate_template,
        api.create_change_set,
        api.describe_change_set,
        api.list_change_sets,
        api.execute_change_set,
        api.delete_change_set,
    )
    named = {handler.__name__.title().replace("_", ""): handler for handler in handlers}
    return {name: _limited(stacks, name, handler) for name, handler in named.items()}


def _limited(stacks: StackStore, name: str, handler: Operation) -> Operation:
    """The operation, which is refused where it is asked too fast."""

    def limited(params: Params) -> Mapping[str, Any]:
        if not stacks.reads.admits(name):
            raise ApiFault("Throttling", "Rate exceeded")
        return handler(params)

    return limited


class _Api:
    """One method for each operation, under its name."""

    def __init__(self, stacks: StackStore) -> None:
        self._stacks = stacks
        self._change_sets = stacks.change_sets

    # Changing

    def create_stack(self, params: Params) -> Mapping[str, Any]:
        stack = self._stacks.create_stack(
            params["StackName"],
            self._body(params),
            _parameters(params, None),
            token=params.get("ClientRequestToken", ""),
            disable_rollback=params.get("DisableRollback", False)
            or params.get("OnFailure") == "DO_NOTHING",
            tags=params.get("Tags", ()),
            capabilities=params.get("Capabilities", ()),
        )
        return {"StackId": stack.stack_id}

    def update_stack(self, params: Params) -> Mapping[str, Any]:
        found = self._stacks.get(params["StackName"], _BRACKETS)
        stack = self._stacks.update_stack(
            params["StackName"],
            self._body(params, found),
            _parameters(params, found),
            token=params.get("ClientRequestToken", ""),
            disable_rollback=params.get("DisableRollback", False),
            tags=params.get("Tags"),
        )
        return {"StackId": stack.stack_id}

    def delete_stack(self, params: Params) -> Mapping[str, Any]:
        self._stacks.delete_stack(params["StackName"], token=params.get("ClientRequestToken", ""))
        return {}

    def cancel_update_stack(self, params: Params) -> Mapping[str, Any]:
        self._stacks.cancel_update(params["StackName"], token=params.get("ClientRequestToken", ""))
        return {}

    def continue_update_rollback(self, params: Params) -> Mapping[str, Any]:
        self._stacks.continue_update_rollback(params["StackName"])
        return {}

    # Stacks and their events

    def describe_stacks(self, params: Params) -> Mapping[str, Any]:
        if "StackName" in params:
            return {"Stacks": [self._described(self._stacks.get(params["StackName"]))]}
        standing = [stack for stack in self._stacks.all() if not stack.is_deleted]
        page, token = _page(standing, params, STACKS_PER_PAGE)
        return {"Stacks": [self._described(stack) for stack in page], "NextToken": token}

    def _described(self, stack: Stack) -> dict[str, Any]:
        return _stack(stack, self._stacks.export_names(stack))

    def list_stacks(self, params: Params) -> Mapping[str, Any]:
        wanted = params.get("StackStatusFilter")
        found = [each for each in self._stacks.all() if not wanted or each.status in wanted]
        page, token = _page(found, params, STACKS_PER_PAGE)
        return {"StackSummaries": [_summary(stack) for stack in page], "NextToken": token}

    def list_exports(self, params: Params) -> Mapping[str, Any]:
        found = [
            {"ExportingStackId": stack.stack_id, "Name": name, "Value": value}
            for name, (stack, value) in self._stacks.exports().items()
        ]
        page, token = _page(found, params, STACKS_PER_PAGE)
        return {"Exports": page, "NextToken": token}

    def list_imports(self, params: Params) -> Mapping[str, Any]:
        name = params["ExportName"]
        if not (found := self._stacks.importers(name)):
            raise ApiFault("ValidationError", f"Export '{name}' is not imported by any stack.")
        page, token = _page(found, params, STACKS_PER_PAGE)
        return {"Imports": page, "NextToken": token}

    def describe_stack_events(self, params: Params) -> Mapping[str, Any]:
        stack = self._stacks.get(params["StackName"], _BRACKETS)
        # Counted from the oldest, so that events that come meanwhile do not move the pages.
        token = params.get("NextToken")
        end = stack.visible(self._stacks.timeline.now) if token is None else _number(token)
        start = max(0, end - EVENTS_PER_PAGE)
        return {
            "StackEvents": [stack.event(index).to_api() for index in reversed(range(start, end))],
            "NextToken": str(start) if start else None,
        }

    # Resources

    def list_stack_resources(self, params: Params) -> Mapping[str, Any]:
        stack = self._stacks.get(params["StackName"])
        page, token = _page(list(stack.resources.values()), params, RESOURCES_PER_PAGE)
        return {
            "StackResourceSummaries": [
                _resource(each) | {"LastUpdatedTimestamp": each.updated_at} for each in page
            ],
            "NextToken": token,
        }

    def describe_stack_resources(self, params: Params) -> Mapping[str, Any]:
        if "PhysicalResourceId" in params:
            owner = self._stacks.owner(params["PhysicalResourceId"])
            if owner is None:
                message = f"Stack for {params['PhysicalResourceId']} does not exist"
                raise ApiFault("ValidationError", message)
            stack = owner
        else:
            stack = self._stacks.get(params["StackName"])
        wanted = params.get("LogicalResourceId")
        found = [
            _resource(each)
            | {"StackId": stack.stack_id, "StackName": stack.name, "Timestamp": each.updated_at}
            for each in stack.resources.values()
            if wanted in (None, each.logical_id)
        ]
        return {"StackResources": found[:RESOURCES_PER_PAGE]}

    def describe_stack_resource(self, params: Params) -> Mapping[str, Any]:
        stack, name = (
            self._stacks.get(params["StackName"], _QUOTES),
            params["LogicalResourceId"],
        )
        found = stack.resources.get(name)
        if found is None:
            message = f"Resource {name} does not exist for stack {stack.name}"
            raise ApiFault("ValidationError", message)
        return {
            "StackResourceDetail": _resource(found)
            | {
                "StackId": stack.stack_id,
                "StackName": stack.name,
                "LastUpdatedTimestamp": found.updated_at,
            }
        }

    # Templates

    def get_template(self, params: Params) -> Mapping[str, Any]:
        if "ChangeSetName" in params:
            return {"TemplateBody": self._change_sets.get(params).body}
        stack = self._stacks.get(params["StackName"])
        return {
            "TemplateBody": stack.text or json.dumps(stack.body),
            "StagesAvailable": ["Original", "Processed"],
        }

    def get_template_summary(self, params: Params) -> Mapping[str, Any]:
        found = None
        if "StackName" in params:
            found = self._stacks.get(params["StackName"])
        body = _checked(self._body({**params, "UsePreviousTemplate": found is not None}, found))
        types = {each.get("Type") for each in body.get("Resources", {}).values()}
        return {
            "Parameters": [
                each | {"ParameterType": str(declared.get("Type", "String"))}
                for each, declared in _declared(body)
            ],
            "Description": body.get("Description"),
            "ResourceTypes": sorted(types - {None}),
        }

    def validate_template(self, params: Params) -> Mapping[str, Any]:
        body = _checked(self._body(params))
        return {
            "Parameters": [each for each, _ in _declared(body)],
            "Description": body.get("Description"),
        }

    # Change sets

    def create_change_set(self, params: Params) -> Mapping[str, Any]:
        found = self._stacks.find(params["StackName"])
        body = self._body(params, found)
        made = self._change_sets.create(
            params,
            body=body if isinstance(body, str) else json.dumps(body),
            parameters=_parameters(params, found),
        )
        return {"Id": made.change_set_id, "StackId": made.stack_id}

    def describe_change_set(self, params: Params) -> Mapping[str, Any]:
        found = self._change_sets.get(params)
        answer = found.to_api(values=bool(params.get("IncludePropertyValues")))
        answer["Changes"], answer["NextToken"] = _page(answer["Changes"], params, CHANGES_PER_PAGE)
        return answer

    def list_change_sets(self, params: Params) -> Mapping[str, Any]:
        stack = self._stacks.get(params["StackName"], _BRACKETS)
        found = [each.summary() for each in self._change_sets.of_stack(stack.stack_id)]
        page, token = _page(found, params, STACKS_PER_PAGE)
        return {"Summaries": page, "NextToken": token}

    def execute_change_set(self, params: Params) -> Mapping[str, Any]:
        self._change_sets.execute(params)
        return {}

    def delete_change_set(self, params: Params) -> Mapping[str, Any]:
        self._change_sets.delete(params)
        return {}

    def _body(self, params: Params, stack: Stack | None = None) -> str | Mapping[str, Any]:
        """The template that a request sends, points at, or means to keep."""
        if "TemplateBody" in params:
            return str(params["TemplateBody"])
        if "TemplateURL" in params:
            return self._stacks.template_at(params["TemplateURL"])
        if params.get("UsePreviousTemplate") and stack is not None:
            return stack.text or stack.body
        raise ApiFault("ValidationError", "Either Template URL or Template Body must be specified.")


def _parameters(params: Params, stack: Stack | None) -> dict[str, str]:
    """The parameters that a request gives; ``UsePreviousValue`` takes the stack's."""
    previous = {} if stack is None else stack.parameters
    given: dict[str, str] = {}
    for each in params.get("Parameters", ()):
        key = each["ParameterKey"]
        if not each.get("UsePreviousValue"):
            given[key] = each.get("ParameterValue", "")
        elif key in previous:
            given[key] = previous[key]
        else:
            message = f"Invalid input for parameter key {key}. Cannot specify usePreviousValue"
            raise ApiFault("ValidationError", message)
    return given


def _page(items: Sequence[Any], params: Params, size: int) -> tuple[Sequence[Any], str | None]:
    start = _number(params.get("NextToken", "0"))
    end = start + size
    return items[start:end], str(end) if end < len(items) else None


def _number(token: str) -> int:
    if not token.isdecimal():
        raise ApiFault("ValidationError", "The specified token is invalid")
    return int(token)


def _stack(stack: Stack, exported: Mapping[str, str]) -> dict[str, Any]:
    return {
        "StackId": stack.stack_id,
        "StackName": stack.name,
        "Description": stack.body.get("Description"),
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in stack.parameters.items()
        ],
        "CreationTime": stack.created_at,
        "LastUpdatedTime": stack.updated_at,
        "DeletionTime": stack.deleted_at,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason or None,
        "DisableRollback": stack.disable_rollback,
        "NotificationARNs": [],
        "Capabilities": stack.capabilities,
        "Outputs": [
            {"OutputKey": key, "OutputValue": value}
            | ({"ExportName": exported[key]} if key in exported else {})
            for key, value in stack.outputs.items()
        ],
        "Tags": stack.tags,
        "EnableTerminationProtection": stack.is_protected,
        **_family(stack),
    }


def _summary(stack: Stack) -> dict[str, Any]:
    return {
        "StackId": stack.stack_id,
        "StackName": stack.name,
        "TemplateDescription": stack.body.get("Description"),
        "CreationTime": stack.created_at,
        "LastUpdatedTime": stack.updated_at,
        "DeletionTime": stack.deleted_at,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason or None,
        **_family(stack),
    }


def _family(stack: Stack) -> dict[str, str]:
    if stack.parent is None:
        return {}
    return {"ParentId": stack.parent.stack_id, "RootId": stack.root.stack_id}


def _resource(resource: Resource) -> dict[str, Any]:
    return {
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id or None,
        "ResourceType": resource.type,
        "ResourceStatus": resource.status,
        "ResourceStatusReason": resource.reason or None,
    }


def _checked(body: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """The parsed body, which uses nothing that the account does not know."""
    try:
        parsed = parse_body(body)
        refuse_unknown(parsed.get("Conditions"))
        refuse_unknown(parsed.get("Outputs"))
        for each in parsed.get("Resources", {}).values():
            refuse_unknown(each.get("Properties"))
    except TemplateError as error:
        raise ApiFault("ValidationError", str(error)) from error
    return parsed


def _declared(body: Mapping[str, Any]) -> list[tuple[dict[str, Any], Mapping[str, Any]]]:
    """The template's parameters in the API's shape, each with its declaration."""
    return [
        (
            {
                "ParameterKey": name,
                "DefaultValue": None if "Default" not in declared else str(declared["Default"]),
                "NoEcho": str(declared.get("NoEcho", "false")).lower() == "true",
                "Description": declared.get("Description"),
            },
            declared,
        )
        for name, declared in body.get("Parameters", {}).items()
    ]
