"""Part of the exchanged MiniStack: change sets that say what CloudFormation's say.

Owns what MiniStack leaves out of them: changes by a condition alone, ``AfterContext`` with the
properties after the change, change sets of nested stacks, and the one stack that all change sets
of a new stack's name share. It must never change what an executed change set does.

Still unlike AWS: there is no ``BeforeContext``; a nested stack that does not change has a change
set too; a function with one unknown part is unknown as a whole.
"""

from __future__ import annotations

import copy
import json
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.e2e.ministack_events import (
    STACK,
    as_text,
    cfn,
    changesets,
    engine,
    handlers,
    stack_named,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

helpers: Any = import_module("ministack.services.cloudformation.helpers")

UNKNOWN = "{{changeSet:KNOWN_AFTER_APPLY}}"
_NESTED, _PLACEHOLDERS = "_nested", "_placeholders"


class ChangeSets:
    """The API's four actions on change sets, each around MiniStack's own."""

    def __init__(self) -> None:
        self._actions = dict(cfn._ACTION_HANDLERS)
        self._resolve = changesets._resolve_props_for_diff
        changesets._resolve_props_for_diff = self.resolved
        cfn._ACTION_HANDLERS |= {
            "CreateChangeSet": self.create,
            "DescribeChangeSet": self.describe,
            "DeleteChangeSet": self.delete,
            "ExecuteChangeSet": self.execute,
            "ListChangeSets": self.list,
        }

    def resolved(self, template: Any, params: Any, *where: str) -> Any:
        """The template to compare: without what its conditions leave out."""
        found = self._resolve(template, params, *where)
        if found:
            found["Resources"] = {
                name: each
                for name, each in found["Resources"].items()
                if _is_there(each, engine._evaluate_conditions(template, params))
            }
        return found

    def create(self, params: dict[str, Any]) -> Any:
        """Keeps the stack in REVIEW_IN_PROGRESS that is there, and makes the nested ones."""
        before = handlers._resolve_stack(helpers._p(params, "StackName")) or {}
        answer = self._actions["CreateChangeSet"](params)
        if answer[0] != 200:
            return answer
        made = next(reversed(list(cfn._change_sets.values())))
        if before.get("StackStatus") == "REVIEW_IN_PROGRESS":
            cfn._stack_events.pop(made["StackId"], None)
            cfn._stacks[before["StackName"]] = before
            body = answer[2].decode() if isinstance(answer[2], bytes) else answer[2]
            answer = (*answer[:2], body.replace(made["StackId"], before["StackId"]).encode())
            made["StackId"] = before["StackId"]
        if helpers._p(params, "IncludeNestedStacks") == "true":
            self._create_nested(made)
        return answer

    def _create_nested(self, parent: dict[str, Any]) -> None:
        """A change set for each nested stack of the template; noted in that of its parent."""
        stack = stack_named(parent["StackName"])
        parent[_NESTED], parent[_PLACEHOLDERS] = {}, []
        for logical_id, resource in _resources(parent):
            if resource["Type"] != STACK:
                continue
            properties = _after(parent, resource)
            known = stack["_resources"].get(logical_id)
            name = f"{parent['StackName']}-{logical_id}-PREVIEW"
            if known:
                name = handlers._resolve_stack(known["PhysicalResourceId"])["StackName"]
            else:
                parent[_PLACEHOLDERS].append(name)
            params = {
                "StackName": [name],
                "ChangeSetName": [f"{parent['ChangeSetName']}-{logical_id}"],
                "ChangeSetType": ["UPDATE" if known else "CREATE"],
                "TemplateURL": [properties["TemplateURL"]],
                "IncludeNestedStacks": ["true"],
            }
            for number, (key, value) in enumerate(properties.get("Parameters", {}).items(), 1):
                params[f"Parameters.member.{number}.ParameterKey"] = [key]
                params[f"Parameters.member.{number}.ParameterValue"] = [as_text(value)]
            answer = self.create(params)
            if answer[0] != 200:
                raise ValueError(f"the nested change set of {logical_id}: {answer[2]}")
            text = answer[2].decode() if isinstance(answer[2], bytes) else answer[2]
            parent[_NESTED][logical_id] = re.findall(r"<Id>([^<]+)</Id>", text)[0]
            listed = {c["ResourceChange"]["LogicalResourceId"] for c in parent["Changes"]}
            if logical_id not in listed:
                change = {
                    "Action": "Modify",
                    "LogicalResourceId": logical_id,
                    "ResourceType": STACK,
                    "PhysicalResourceId": known["PhysicalResourceId"],
                    "Replacement": "False",
                }
                parent["Changes"].append({"ResourceChange": change})
        if parent["Changes"]:
            parent |= {
                "Status": "CREATE_COMPLETE",
                "ExecutionStatus": "AVAILABLE",
                "StatusReason": "",
            }

    def describe(self, params: dict[str, Any]) -> Any:
        """Adds the properties after the change and the change sets of nested stacks."""
        status, headers, body = self._actions["DescribeChangeSet"](params)
        found = self._found(params)
        if status != 200 or found is None:
            return status, headers, body
        resources = dict(_resources(found))
        with_values = helpers._p(params, "IncludePropertyValues") == "true"

        def more(told: re.Match[str]) -> str:
            name, said = told[1], told[0]
            if with_values and name in resources:
                after = as_text({"Properties": _after(found, resources[name])})
                said += f"<AfterContext>{helpers._esc(json.dumps(after))}</AfterContext>"
            if name in found.get(_NESTED, {}):
                said += f"<ChangeSetId>{found[_NESTED][name]}</ChangeSetId>"
            return said

        text = body.decode() if isinstance(body, bytes) else body
        text = re.sub(r"<LogicalResourceId>([^<]+)</LogicalResourceId>", more, text)
        return status, headers, text.encode()

    def delete(self, params: dict[str, Any]) -> Any:
        """Deletes the nested ones first."""
        found = self._found(params)
        if found is not None:
            self._forget_nested(found)
        return self._actions["DeleteChangeSet"](params)

    def execute(self, params: dict[str, Any]) -> Any:
        """The parent's execution makes the nested stacks: their own change sets only tell."""
        found = self._found(params)
        if found is not None:
            self._forget_nested(found)
        return self._actions["ExecuteChangeSet"](params)

    def list(self, params: dict[str, Any]) -> Any:
        """Of a stack, whether it is given by name or by id."""
        stack = handlers._resolve_stack(helpers._p(params, "StackName"))
        if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
            name = helpers._p(params, "StackName")
            return helpers._error("ValidationError", f"Stack [{name}] does not exist")
        return self._actions["ListChangeSets"](params | {"StackName": [stack["StackName"]]})

    def _forget_nested(self, found: dict[str, Any]) -> None:
        for change_set_id in found.pop(_NESTED, {}).values():
            nested = cfn._change_sets.get(change_set_id)
            if nested is not None:
                self._forget_nested(nested)
                cfn._change_sets.pop(change_set_id, None)
        for name in found.pop(_PLACEHOLDERS, []):
            gone = cfn._stacks.pop(name, None)
            if gone:
                cfn._stack_events.pop(gone["StackId"], None)

    @staticmethod
    def _found(params: dict[str, Any]) -> dict[str, Any] | None:
        name = helpers._p(params, "StackName")
        stack = handlers._resolve_stack(name) if name else None
        change_set = helpers._p(params, "ChangeSetName")
        found: dict[str, Any] | None
        _, found = changesets._find_change_set(change_set, stack["StackName"] if stack else name)
        return found


def _is_there(resource: dict[str, Any], conditions: dict[str, Any]) -> bool:
    return bool(conditions.get(resource.get("Condition", ""), True))


def _resources(change_set: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The resources that the stack has once it is executed."""
    template = change_set["_template"]
    conditions = engine._evaluate_conditions(template, change_set["_resolved_params"])
    for name, resource in template["Resources"].items():
        if _is_there(resource, conditions):
            yield name, resource


def _after(change_set: dict[str, Any], resource: dict[str, Any]) -> Any:
    """The resource's properties after the change; `UNKNOWN` for what only the deploy tells."""
    template, params = change_set["_template"], change_set["_resolved_params"]
    conditions = engine._evaluate_conditions(template, params)
    there = stack_named(change_set["StackName"]).get("_resources", {})
    to_come = template["Resources"].keys() - there.keys()

    def resolve(value: Any) -> Any:
        if isinstance(value, list):
            return [each for each in map(resolve, value) if each is not engine._NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and "Fn::If" in value:
            condition, yes, no = value["Fn::If"]
            return resolve(yes if conditions[condition] else no)
        if len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref")):
            if _named(value) & to_come:
                return UNKNOWN
            where = (change_set["StackName"], change_set["StackId"])
            mappings = template.get("Mappings", {})
            whole = copy.deepcopy(value)
            return engine._resolve_refs(whole, there, params, conditions, mappings, *where)
        found = {key: resolve(each) for key, each in value.items()}
        return {key: each for key, each in found.items() if each is not engine._NO_VALUE}

    return resolve(resource.get("Properties") or {})


def _named(value: Any) -> set[str]:
    """Every name that functions in this value refer to."""
    if isinstance(value, list):
        return set().union(*map(_named, value))
    if isinstance(value, dict):
        return set().union(*map(_named, value.values()))
    text = str(value)
    return {text, text.partition(".")[0], *re.findall(r"\$\{([^}!.]+)", text)}
