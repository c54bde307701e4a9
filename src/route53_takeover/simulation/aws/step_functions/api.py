"""Step Functions' operations, as the API spells them, over the simulated state machines."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from route53_takeover.simulation.aws.http.faults import Operation
    from route53_takeover.simulation.aws.step_functions.state_machines import (
        Execution,
        StateMachines,
    )


def operations(machines: StateMachines) -> dict[str, Operation]:
    """The operations over these state machines."""

    def describe_machine(params: Mapping[str, Any]) -> Mapping[str, Any]:
        found = machines.machine(params["stateMachineArn"])
        return {
            "stateMachineArn": found.arn,
            "name": found.arn.rpartition(":")[2],
            "status": "ACTIVE",
            "definition": found.definition,
            "roleArn": found.role_arn,
            "type": "STANDARD",
            "creationDate": datetime.fromtimestamp(0, UTC),
        }

    def start(params: Mapping[str, Any]) -> Mapping[str, Any]:
        made = machines.start(params["stateMachineArn"], params["name"], params["input"])
        return {"executionArn": made.arn, "startDate": datetime.fromtimestamp(made.started, UTC)}

    def stop(params: Mapping[str, Any]) -> Mapping[str, Any]:
        found = machines.stop(params["executionArn"])
        return {"stopDate": datetime.fromtimestamp(found.stopped_at or 0.0, UTC)}

    def describe(params: Mapping[str, Any]) -> Mapping[str, Any]:
        return _shape(machines.execution(params["executionArn"]))

    def list_(params: Mapping[str, Any]) -> Mapping[str, Any]:
        arn = machines.machine(params["stateMachineArn"]).arn
        status = params.get("statusFilter")
        return {
            "executions": [
                _shape(each)
                for each in machines.executions.values()
                if each.machine == arn and status in (None, each.status)
            ]
        }

    def test(params: Mapping[str, Any]) -> Mapping[str, Any]:
        error = machines.test(params["roleArn"], params["definition"], params["input"])
        if error is None:
            return {"status": "SUCCEEDED", "output": "{}"}
        return {"status": "FAILED", "error": error.error, "cause": error.cause}

    return {
        "DescribeStateMachine": describe_machine,
        "StartExecution": start,
        "StopExecution": stop,
        "DescribeExecution": describe,
        "ListExecutions": list_,
        "TestState": test,
    }


def _shape(execution: Execution) -> dict[str, Any]:
    ended = execution.stopped_at
    return {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine,
        "name": execution.name,
        "status": execution.status,
        "startDate": datetime.fromtimestamp(execution.started, UTC),
        "stopDate": None if ended is None else datetime.fromtimestamp(ended, UTC),
    }
