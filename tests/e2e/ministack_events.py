"""Part of the exchanged MiniStack: stack events in CloudFormation's order and with its members.

Owns what every part of `tests.e2e.ministack_retry` says of a stack. MiniStack's own events lack
the second CREATE_IN_PROGRESS, the resources' properties, the child's ARN in the parent's stream,
the clean-up phase and the child's rollback; they call a resource that is new in an update an
update, and tell of resources that did not change. It must never decide what becomes of a resource.
"""

from __future__ import annotations

import json
import re
import threading
from contextvars import ContextVar
from importlib import import_module
from typing import Any

# Loaded by name: nothing there is typed, and the project's own environment does not have it.
cfn: Any = import_module("ministack.services.cloudformation")
engine: Any = import_module("ministack.services.cloudformation.engine")
handlers: Any = import_module("ministack.services.cloudformation.handlers")
provisioners: Any = import_module("ministack.services.cloudformation.provisioners")
changesets: Any = import_module("ministack.services.cloudformation.changesets")
stacks: Any = import_module("ministack.services.cloudformation.stacks")

RECORD_SET = "AWS::Route53::RecordSet"
RECORD_SET_GROUP = "AWS::Route53::RecordSetGroup"
STACK = "AWS::CloudFormation::Stack"

creating: ContextVar[str] = ContextVar("creating", default="")
"""The logical id of the nested stack that this thread is creating."""


def stack_named(name: str | None) -> dict[str, Any]:
    """The live record of a stack; empty where there is none."""
    found: dict[str, Any] | None = cfn._stacks.get(name)
    return found or {}


def is_cancelled(stack_name: str | None) -> bool:
    """Whether the update was cancelled of this stack or of one that it is nested in."""
    while stack_name:
        stack = stack_named(stack_name)
        if stack.get("_cancel_requested"):
            return True
        stack_name = stack.get("_parent_stack_name")
    return False


def pause(seconds: float, stack_name: str | None = None) -> None:
    """Waits on the resource's own thread; ends at once when the operation is cancelled."""
    never = threading.Event()
    for _ in range(round(seconds / 0.05)):
        if is_cancelled(stack_name):
            raise ValueError("Resource creation cancelled")
        never.wait(0.05)


class Events:
    """The stacks' events: their order, their members, and which there are none of."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._resolved = threading.local()
        self._add = stacks._add_event
        for module in (stacks, handlers, changesets):
            module._add_event = self.add
        resolve = engine._resolve_refs

        def resolving(value: Any, *context: Any) -> Any:
            """The last value resolved before a resource's first event is its properties."""
            self._resolved.value = resolve(value, *context)
            return self._resolved.value

        stacks._resolve_refs = engine._resolve_refs = resolving
        self._delete = provisioners._delete_resource
        stacks._delete_resource = provisioners._delete_resource = self.deleting

    def add(
        self,
        _stack_id: str,
        stack_name: str,
        logical_id: str,
        kind: str,
        status: str,
        *more: str,
        **named: str,
    ) -> None:
        """Takes the place of MiniStack's own; ends in `_append` or, for no event, nowhere."""
        stack = stack_named(stack_name)
        rest = dict(zip(("reason", "physical_id", "detailed_status"), more, strict=False)) | named
        if kind == STACK and logical_id == stack_name:
            rest.pop("physical_id", None)
            self._add_of_stack(stack, status, **rest)
            return
        self._add_of_resource(stack, logical_id, kind, status, **rest)

    def _add_of_resource(
        self,
        stack: dict[str, Any],
        logical_id: str,
        kind: str,
        status: str,
        *,
        reason: str = "",
        physical_id: str = "",
        detailed_status: str = "",
    ) -> None:
        """A resource's event: what CloudFormation would call it, if it would tell of it at all."""
        known = stack.get("_resources", {}).get(logical_id)
        if status == "UPDATE_IN_PROGRESS" and not physical_id:
            stack["_new"].discard(logical_id)
            if known is None:
                stack["_new"].add(logical_id)
            elif kind != STACK and known["Properties"] == self._properties():
                stack["_unchanged"][logical_id] = known["ResourceStatus"]
                return
            else:
                physical_id = known["PhysicalResourceId"]
        if status == "UPDATE_COMPLETE" and logical_id in stack["_unchanged"]:
            known["ResourceStatus"] = stack["_unchanged"].pop(logical_id)
            return
        if status.startswith("UPDATE_") and logical_id in stack["_new"]:
            status = status.replace("UPDATE_", "CREATE_")
            if known:
                known["ResourceStatus"] = status
        if status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS") and not reason:
            stack.setdefault("_asked", {})[logical_id] = self._properties()
        if status == "CREATE_COMPLETE" and kind not in (RECORD_SET, RECORD_SET_GROUP, STACK):
            self.initiated(stack["StackName"], logical_id, kind, physical_id)
        self._append(
            stack,
            logical_id,
            kind,
            status,
            reason=reason,
            physical_id=physical_id,
            detailed_status=detailed_status,
        )

    def _add_of_stack(
        self, stack: dict[str, Any], status: str, reason: str = "", detailed_status: str = ""
    ) -> None:
        """A stack's own status, with what CloudFormation says before and beside it."""
        parent = stack_named(stack.get("_parent_stack_name"))
        if "ROLLBACK" in parent.get("StackStatus", "") and status.startswith("UPDATE_"):
            status = "UPDATE_ROLLBACK_" + status.removeprefix("UPDATE_").removeprefix("ROLLBACK_")
        if status.endswith("_IN_PROGRESS"):  # a nested stack's record is new with each operation
            stack.setdefault("_new", set())
            stack.setdefault("_unchanged", {})
        if status == "UPDATE_IN_PROGRESS":
            stack["_new"], stack["_unchanged"] = set(), {}
        previous = self._last_status(stack, stack["StackName"])
        if status == previous:
            stack["StackStatus"] = status
            return
        cleaning = status.removesuffix("COMPLETE") + "COMPLETE_CLEANUP_IN_PROGRESS"
        if status in ("UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE") and previous != cleaning:
            self.of_stack(stack, cleaning)
        self.of_stack(stack, status, reason, detailed_status)
        if parent and status == "CREATE_IN_PROGRESS":
            stack["_logical_id"] = creating.get()
            self.initiated(parent["StackName"], stack["_logical_id"], STACK, stack["StackId"])

    def of_stack(
        self, stack: dict[str, Any], status: str, reason: str = "", detailed_status: str = ""
    ) -> None:
        """Sets the stack's status and says so."""
        stack["StackStatus"] = status
        self._append(
            stack,
            stack["StackName"],
            STACK,
            status,
            reason=reason,
            physical_id=stack["StackId"],
            detailed_status=detailed_status,
        )

    @staticmethod
    def _last_status(stack: dict[str, Any], logical_id: str) -> str:
        """What was last told of a resource, or of the stack itself; empty where nothing was."""
        reported = [
            event["ResourceStatus"]
            for event in list(cfn._stack_events.get(stack["StackId"]) or [])
            if event["LogicalResourceId"] == logical_id
        ]
        return reported[-1] if reported else ""

    def initiated(self, stack_name: str, logical_id: str, kind: str, physical_id: str) -> None:
        """The second CREATE_IN_PROGRESS: the resource exists and has an id."""
        stack = stack_named(stack_name)
        updating = "UPDATE" in stack.get("StackStatus", "")
        if updating and logical_id not in stack["_new"]:
            return
        self._append(
            stack,
            logical_id,
            kind,
            "CREATE_IN_PROGRESS",
            reason="Resource creation Initiated",
            physical_id=physical_id,
        )

    @staticmethod
    def failed(stack: dict[str, Any]) -> str:
        """The reason a stack gives for its failure: which of its resources failed."""
        last = [
            event
            for event in cfn._stack_events[stack["StackId"]]
            if event["ResourceStatus"].endswith("_FAILED")
        ][-1]
        verb = last["ResourceStatus"].removesuffix("_FAILED").lower()
        return f"The following resource(s) failed to {verb}: [{last['LogicalResourceId']}]. "

    def deleting(
        self,
        kind: str,
        physical_id: str,
        props: dict[str, Any],
        stack_name: str | None = None,
        logical_id: str | None = None,
    ) -> None:
        """Deletes a resource between two events, also where MiniStack itself has none."""
        stack = stack_named(stack_name)
        if not stack or logical_id is None:
            self._delete(kind, physical_id, props, stack_name, logical_id)
            return
        if stack["StackStatus"] in ("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"):
            turning = stack["StackStatus"].removesuffix("IN_PROGRESS")
            self.of_stack(stack, turning + "COMPLETE_CLEANUP_IN_PROGRESS")
        reported = self._last_status(stack, logical_id) == "DELETE_IN_PROGRESS"
        if not reported:
            self._append(stack, logical_id, kind, "DELETE_IN_PROGRESS", physical_id=physical_id)
        self._delete(kind, physical_id, props, stack_name, logical_id)
        if not reported:
            self._append(stack, logical_id, kind, "DELETE_COMPLETE", physical_id=physical_id)

    def _properties(self) -> Any:
        value = self._resolved.value
        if not isinstance(value, dict):
            return value
        return {key: each for key, each in value.items() if each is not engine._NO_VALUE}

    def _append(
        self,
        stack: dict[str, Any],
        logical_id: str,
        kind: str,
        status: str,
        *,
        reason: str = "",
        physical_id: str = "",
        detailed_status: str = "",
    ) -> None:
        stack_id, name = stack["StackId"], stack["StackName"]
        asked = stack.get("_asked", {}).get(logical_id)
        with self._lock:
            self._add(
                stack_id, name, logical_id, kind, status, reason, physical_id, detailed_status
            )
            if asked is not None and logical_id != name:
                text = json.dumps(as_text(asked), separators=(",", ":"))
                cfn._stack_events[stack_id][-1]["ResourceProperties"] = text


def as_text(value: Any) -> Any:
    """A resource's properties as events show them: numbers and booleans are strings."""
    if isinstance(value, dict):
        return {key: as_text(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_text(each) for each in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


class Answers:
    """Two API answers with what MiniStack leaves out of them."""

    def __init__(self) -> None:
        self._events = cfn._ACTION_HANDLERS["DescribeStackEvents"]
        self._resources = cfn._ACTION_HANDLERS["DescribeStackResources"]
        cfn._ACTION_HANDLERS["DescribeStackEvents"] = self.events
        cfn._ACTION_HANDLERS["DescribeStackResources"] = self.resources

    def events(self, params: dict[str, Any]) -> Any:
        """Adds ``ResourceProperties``."""
        status, headers, body = self._events(params)
        text = body.decode() if isinstance(body, bytes) else body
        asked = {
            event["EventId"]: event["ResourceProperties"]
            for events in list(cfn._stack_events.values())
            for event in list(events)
            if "ResourceProperties" in event
        }

        def with_properties(found: re.Match[str]) -> str:
            if found[1] not in asked:
                return found[0]
            escaped = handlers._esc(asked[found[1]])
            return f"{found[0]}<ResourceProperties>{escaped}</ResourceProperties>"

        return (
            status,
            headers,
            re.sub(r"<EventId>([^<]+)</EventId>", with_properties, text).encode(),
        )

    def resources(self, params: dict[str, Any]) -> Any:
        """Finds the stack by ``PhysicalResourceId`` of one of its resources."""
        physical_id = handlers._p(params, "PhysicalResourceId")
        if physical_id and not handlers._p(params, "StackName"):
            owner = next(
                (
                    name
                    for name, stack in list(cfn._stacks.items())
                    if stack["StackStatus"] != "DELETE_COMPLETE"
                    for resource in stack.get("_resources", {}).values()
                    if resource["PhysicalResourceId"] == physical_id
                ),
                None,
            )
            if owner is None:
                return handlers._error("ValidationError", f"Stack for {physical_id} does not exist")
            params = params | {"StackName": [owner]}
        return self._resources(params)
