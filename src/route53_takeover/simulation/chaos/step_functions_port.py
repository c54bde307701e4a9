"""Step Functions of the simulated account, in process, by way of a transport that may fail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from route53_takeover.base.errors import AccessDeniedError, ApiError, NotFoundError
from route53_takeover.core.ports import StateMachine
from route53_takeover.simulation.aws.http.faults import ApiFault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from route53_takeover.simulation.aws.account import SimulatedAccount
    from route53_takeover.simulation.chaos.transport import Transport

_Answer = TypeVar("_Answer")


class SimulatedStepFunctions:
    """The account's state machines."""

    def __init__(self, transport: Transport, world: SimulatedAccount) -> None:
        self._transport = transport
        self._machines = world.step_functions
        self.region = self._machines.region

    async def machine(self, machine_arn: str) -> StateMachine:
        found = await self._call(
            "states:DescribeStateMachine", lambda: self._machines.machine(machine_arn)
        )
        return StateMachine(definition=found.definition, role_arn=found.role_arn)

    async def test(self, role_arn: str, definition: str, given: str) -> tuple[str, str]:
        error = await self._call(
            "states:TestState", lambda: self._machines.test(role_arn, definition, given)
        )
        return ("", "") if error is None else (error.error, error.cause)

    async def start(self, machine_arn: str, name: str, given: str) -> None:
        def arrive() -> object:
            return self._machines.start(machine_arn, name, given)

        try:
            await self._call("states:StartExecution", arrive)
        except asyncio.CancelledError:
            self._transport.outlives(lambda: _or_nothing(arrive))
            raise

    async def is_running(self, execution_arn: str) -> bool:
        found = await self._call(
            "states:DescribeExecution", lambda: self._machines.execution(execution_arn)
        )
        return found.status == "RUNNING"

    async def stop(self, execution_arn: str) -> None:
        await self._call("states:StopExecution", lambda: self._machines.stop(execution_arn))

    async def running(self, machine_arn: str) -> Sequence[str]:
        def listed() -> list[str]:
            self._machines.machine(machine_arn)
            return [
                each.name
                for each in self._machines.executions.values()
                if each.machine == machine_arn and each.status == "RUNNING"
            ]

        return await self._call("states:ListExecutions", listed)

    async def _call(self, operation: str, arrive: Callable[[], _Answer]) -> _Answer:
        try:
            return await self._transport.carry(operation, arrive)
        except ApiFault as fault:
            kind: type[ApiError] = ApiError
            if fault.code.endswith("DoesNotExist"):
                kind = NotFoundError
            elif fault.code == "AccessDeniedException":
                kind = AccessDeniedError
            raise kind(fault.message, code=fault.code, operation=operation) from fault


def _or_nothing(arrive: Callable[[], object]) -> None:
    """Its sender is dead: no one learns what came of it."""
    try:
        arrive()
    except ApiFault:
        return
