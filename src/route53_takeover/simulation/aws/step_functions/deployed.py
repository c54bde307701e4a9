"""State machines that a stack creates: those of the deadman's template, with their role.

A role may create what its inline policies name by the condition keys of Route 53, and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from route53_takeover.core.domain.names import normal_name
from route53_takeover.core.domain.record_sets import RecordKey
from route53_takeover.simulation.aws.step_functions.state_machines import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from route53_takeover.simulation.aws.cloudformation.stacks import StackStore
    from route53_takeover.simulation.aws.cloudformation.state import StackEventRow
    from route53_takeover.simulation.aws.step_functions.state_machines import StateMachines

MACHINE, ROLE = "AWS::StepFunctions::StateMachine", "AWS::IAM::Role"
_CHANGE = "route53:ChangeResourceRecordSets"


class DeployedMachines:
    """Adds the state machines of stacks to an account, and removes them with their stacks."""

    def __init__(self, stacks: StackStore, machines: StateMachines) -> None:
        self._stacks = stacks
        self._machines = machines
        stacks.on_event.append(self._happened)

    def _happened(self, event: StackEventRow) -> None:
        if event.resource_type != MACHINE:
            return
        stack = self._stacks.get(event.stack_id)
        properties: Mapping[str, Any] = stack.resources[event.logical_id].properties
        arn = self._arn(properties, event)
        if event.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            role_arn = str(properties["RoleArn"])
            machine = Machine(
                arn=arn, definition=str(properties["DefinitionString"]), role_arn=role_arn
            )
            roles = [each for each in stack.resources.values() if each.type == ROLE]
            keys = [
                key
                for role in roles
                if role.attribute("Arn") == role_arn
                for key in _creatable(role.properties)
            ]
            self._machines.add(machine, keys)
        elif event.status == "DELETE_COMPLETE":
            self._machines.remove(arn)

    def _arn(self, properties: Mapping[str, Any], event: StackEventRow) -> str:
        name = properties.get("StateMachineName", event.physical_id)
        account = event.stack_id.split(":")[4]
        return f"arn:aws:states:{self._machines.region}:{account}:stateMachine:{name}"


def _creatable(role: Mapping[str, Any]) -> Iterator[RecordKey]:
    """The record sets that a role may create."""
    for policy in role.get("Policies", ()):
        for statement in policy["PolicyDocument"]["Statement"]:
            allowed = statement.get("Condition", {}).get("ForAllValues:StringEquals", {})
            if statement["Action"] != _CHANGE or allowed.get(f"{_CHANGE}Actions") != ["CREATE"]:
                continue
            for name in allowed[f"{_CHANGE}NormalizedRecordNames"]:
                for kind in allowed[f"{_CHANGE}RecordTypes"]:
                    yield RecordKey(name=normal_name(name), type=kind)
