"""MiniStack's main program with CloudFormation's way of creating a record over one that exists.

MiniStack (PyPI, version 1.5.33) deploys stacks, keeps zones and speaks AWS's wire formats. This
program starts it with some of its private functions exchanged, so keep that exact version. What
is exchanged, and to what end:

* a record set over one that stands is tried again after growing delays, and Route 53's rules:
  CNAMEs stand alone, names in normal form, messages in brackets (`ministack_route53`);
* record set groups, one batch each (`ministack_groups`);
* events in CloudFormation's order and with its members (`ministack_events`);
* change sets with values, conditions and nested stacks (`ministack_change_sets`);
* here: ``Custom::Wait``, a resource that takes a while or fails as its properties say, and nested
  stacks, which are torn down with the operation that failed in them.

Environment, in seconds: ``RETRY_DELAYS`` (``1,2,4``) between the attempts, after the last of which
the create fails; ``PROPAGATION`` that a stack's change of a record takes. A resource's ``Metadata:
{RetryDelays: "0.2,0.2"}`` in the template wins, and with ``{Gap: "3"}`` the next try comes so long
after nothing is in its way any more: a gap of a known length. With ``EXIT_WITH_STDIN=1`` the server
ends when its standard input does, so that it never outlives who started it.

Run it as ``python -P -m tests.e2e.ministack_retry``: a module beside it has the package's name.
Still unlike AWS: resources are made one after another; DeleteStack in the middle of a create is
not handled; what a nested stack changed is sent back only if the properties of its resource
changed (so give a changed template a new key); nested stacks ignore DeletionPolicy when they are
deleted.
"""

from __future__ import annotations

import os
import sys
import threading
from importlib import import_module
from typing import Any

from tests.e2e.ministack_change_sets import ChangeSets
from tests.e2e.ministack_events import STACK, Answers, Events, creating, pause, stack_named
from tests.e2e.ministack_groups import RecordSetGroups
from tests.e2e.ministack_route53 import RecordSets, Route53

app: Any = import_module("ministack.app")
cfn: Any = import_module("ministack.services.cloudformation")
handlers: Any = import_module("ministack.services.cloudformation.handlers")
provisioners: Any = import_module("ministack.services.cloudformation.provisioners")
stacks: Any = import_module("ministack.services.cloudformation.stacks")

WAIT = "Custom::Wait"


class Waits:
    """``Custom::Wait``: ``Seconds``, ``Failure`` (a reason), ``DeleteSeconds``; touches nothing."""

    def __init__(self) -> None:
        provisioners._RESOURCE_HANDLERS[WAIT] = {
            "create": self.create,
            "update": self.update,
            "delete": lambda _physical_id, props: pause(float(props.get("DeleteSeconds", 0))),
        }

    @staticmethod
    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        pause(float(props.get("Seconds", 0)), stack_name)
        if props.get("Failure"):
            raise ValueError(props["Failure"])
        return f"{stack_name}-{logical_id}", {}

    def update(
        self, physical_id: str, _old: dict[str, Any], props: dict[str, Any], stack_name: str
    ) -> Any:
        return physical_id, self.create(physical_id, props, stack_name)[1]


class NestedStacks:
    """``AWS::CloudFormation::Stack``: what of a child that fails, and its last events."""

    def __init__(self, events: Events) -> None:
        self.events = events
        self._own = provisioners._RESOURCE_HANDLERS[STACK]
        provisioners._RESOURCE_HANDLERS[STACK] = self._own | {
            "create": self.create,
            "update": self.update,
            "delete": self.delete,
        }
        self._roll_back = stacks._roll_back_operation
        stacks._roll_back_operation = self.roll_back
        handlers._roll_back_operation = self.roll_back

    def create(self, logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        scope = creating.set(logical_id)
        try:
            return self._own["create"](logical_id, props, stack_name)
        except ValueError as error:
            child = next(
                stack
                for stack in reversed(list(cfn._stacks.values()))
                if (stack.get("_parent_stack_name"), stack.get("_logical_id"))
                == (stack_name, logical_id)
            )
            reason = self.events.failed(child)
            self.events.of_stack(child, "CREATE_FAILED", reason)
            # With this the parent's rollback finds it and deletes what it did create.
            stack_named(stack_name)["_resources"][logical_id] = {
                "PhysicalResourceId": child["StackId"],
                "ResourceType": STACK,
                "ResourceStatus": "CREATE_FAILED",
                "LogicalResourceId": logical_id,
                "Properties": props,
                "Attributes": {},
                "Timestamp": provisioners.now_iso(),
            }
            raise ValueError(
                f"Embedded stack {child['StackId']} was not successfully created: {reason}"
            ) from error
        finally:
            creating.reset(scope)

    def update(
        self, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str
    ) -> Any:
        try:
            return self._own["update"](physical_id, old, new, stack_name)
        except ValueError as error:
            child = stack_named(provisioners._nested_stack_lookup_name(physical_id))
            reason = self.events.failed(child)
            self.events.of_stack(child, "UPDATE_ROLLBACK_IN_PROGRESS", reason)
            raise ValueError(
                f"Embedded stack {physical_id} was not successfully updated. "
                f"Currently in UPDATE_ROLLBACK_IN_PROGRESS with reason: {reason}"
            ) from error

    def delete(self, physical_id: str, props: dict[str, Any]) -> None:
        child = stack_named(provisioners._nested_stack_lookup_name(physical_id))
        if child and child["StackStatus"] != "DELETE_COMPLETE":
            self.events.of_stack(child, "DELETE_IN_PROGRESS")
            self._own["delete"](physical_id, props)
            self.events.of_stack(child, "DELETE_COMPLETE")

    def roll_back(
        self, stack_name: str, stack_id: str, stack: dict[str, Any], operation: Any, *more: Any
    ) -> Any:
        """Lets the rollback delete the nested stack whose create failed, too."""
        failed = operation.get("failed_logical_id")
        record = stack.get("_resources", {}).get(failed) or {}
        if record.get("ResourceStatus") == "CREATE_FAILED":
            operation["created"].append(failed)
        return self._roll_back(stack_name, stack_id, stack, operation, *more)


def end_with_stdin() -> None:
    """Ends the process once the other end of its standard input is closed."""
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    """Exchanges the functions, then starts the server as ``python -m ministack`` would."""
    Route53()
    Waits()
    Answers()
    ChangeSets()
    events = Events()
    RecordSets(events)
    RecordSetGroups(events)
    NestedStacks(events)
    if os.environ.get("EXIT_WITH_STDIN") == "1":
        threading.Thread(target=end_with_stdin, daemon=True).start()
    app.main()


if __name__ == "__main__":
    main()
