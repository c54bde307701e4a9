"""Step Functions over its API: the `StepFunctions` port, for the deadman in AWS.

Each call is sent once: what a lost answer means is decided in `core.takeover.cloud_deadman`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from route53_takeover.base.errors import ApiError, UnansweredError
from route53_takeover.core.ports import StateMachine, StepFunctions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.adapters.session import AwsSession


class AwsStepFunctions(StepFunctions):
    """The state machines of one region.

    Args:
        aws: its session, opened with ``deadman``.
    """

    def __init__(self, aws: AwsSession) -> None:
        self._aws = aws
        self.region = aws.region

    async def machine(self, machine_arn: str) -> StateMachine:
        async with self._aws.writing("states:DescribeStateMachine") as clients:
            found = await clients.step_functions.describe_state_machine(stateMachineArn=machine_arn)
        return StateMachine(definition=found["definition"], role_arn=found["roleArn"])

    async def test(self, role_arn: str, definition: str, given: str) -> tuple[str, str]:
        async with self._aws.writing("states:TestState") as clients:
            answer = await clients.step_functions.test_state(
                definition=definition, roleArn=role_arn, input=given
            )
        return answer.get("error", ""), answer.get("cause", "")

    async def start(self, machine_arn: str, name: str, given: str) -> None:
        async with self._aws.writing("states:StartExecution") as clients:
            await clients.step_functions.start_execution(
                stateMachineArn=machine_arn, name=name, input=given
            )

    async def is_running(self, execution_arn: str) -> bool:
        async with self._aws.writing("states:DescribeExecution") as clients:
            found = await clients.step_functions.describe_execution(
                executionArn=execution_arn, includedData="METADATA_ONLY"
            )
        return found["status"] in ("RUNNING", "PENDING_REDRIVE")

    async def stop(self, execution_arn: str) -> None:
        """Stops it; where that is refused, a look tells whether it had ended by itself."""
        try:
            async with self._aws.writing("states:StopExecution") as clients:
                await clients.step_functions.stop_execution(executionArn=execution_arn)
        except UnansweredError:
            raise
        except ApiError as error:
            if error.code != "ValidationException" or await self.is_running(execution_arn):
                raise

    async def running(self, machine_arn: str) -> Sequence[str]:
        names: list[str] = []
        position: dict[str, Any] = {}
        while True:
            async with self._aws.writing("states:ListExecutions") as clients:
                page = await clients.step_functions.list_executions(
                    stateMachineArn=machine_arn, statusFilter="RUNNING", **position
                )
            names += [each["name"] for each in page["executions"]]
            if not page.get("nextToken"):
                return names
            position = {"nextToken": page["nextToken"]}
