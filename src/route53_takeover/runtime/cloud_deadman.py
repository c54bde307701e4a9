"""Carrying out what is asked about the deadman in AWS: test it, start it, find it, stop it.

Each answers with an event. Whether the state machine in the account is the expected one is checked
with the test; what `restore` stops it finds without a journal, by the names of the executions.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from route53_takeover.base.errors import (
    ApiError,
    CredentialsError,
    EndpointError,
    NotFoundError,
    ThrottledError,
    UnansweredError,
    one_line,
)
from route53_takeover.core.plan.cloud_deadman import (
    DeadmanRole,
    create_task,
    execution_input,
    is_definition,
    run_prefix,
    why_not_proven,
)
from route53_takeover.core.takeover import commands as cmd
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import DeadmanAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.core.plan.model import Plan
    from route53_takeover.core.ports import Clock, StepFunctions

_PASSING = (ThrottledError, EndpointError, CredentialsError, UnansweredError)
"""Errors that may not come again."""
DeadmanCommand = cmd.TestDeadman | cmd.StartDeadman | cmd.FindDeadman | cmd.StopDeadman


class CloudDeadmen:
    """The deadmen in AWS of one run.

    Args:
        port: ``None`` where the plan has none.
    """

    def __init__(self, port: StepFunctions | None, clock: Clock) -> None:
        self._port = port
        self._clock = clock

    async def carry_out(self, command: DeadmanCommand, plan: Plan) -> ev.AnyEvent:
        """Carries a command out.

        Raises:
            ValueError: the plan has no such deadman.
        """
        if self._port is None or plan.options.cloud_deadman is None:
            raise ValueError("the plan has no deadman in AWS")
        role = DeadmanRole.parse(plan.options.cloud_deadman)
        if isinstance(command, cmd.TestDeadman):
            return await self._test(self._port, role, plan, command.name)
        reason = ""
        try:
            answer = await self._answer(self._port, role, plan, command)
        except Exception as error:  # noqa: BLE001 -- whatever it was, a run must go on
            answer, reason = _failed(command, error), one_line(error)
        return ev.DeadmanAnswered(
            time=self._clock.now(), id=command.id, name=command.name, answer=answer, reason=reason
        )

    async def _answer(
        self,
        port: StepFunctions,
        role: DeadmanRole,
        plan: Plan,
        command: cmd.StartDeadman | cmd.FindDeadman | cmd.StopDeadman,
    ) -> DeadmanAnswer:
        execution = role.execution(port.region, command.id)
        match command:
            case cmd.StartDeadman():
                given = execution_input(plan.zone_id, command.record, command.id, command.seconds)
                await port.start(role.machine(port.region), command.id, given)
                return DeadmanAnswer.STARTED
            case cmd.FindDeadman():
                runs = await port.is_running(execution)
                return DeadmanAnswer.FOUND if runs else DeadmanAnswer.ENDED
            case cmd.StopDeadman():
                await port.stop(execution)
                return DeadmanAnswer.STOPPED

    async def _test(
        self, port: StepFunctions, role: DeadmanRole, plan: Plan, name: str
    ) -> ev.DeadmanTested:
        reason, is_certain = "", True
        try:
            reason = await self._why_not(port, role, plan, name)
        except Exception as error:  # noqa: BLE001 -- the same
            reason = one_line(error)
            is_certain = isinstance(error, ApiError) and not isinstance(error, _PASSING)
        return ev.DeadmanTested(
            time=self._clock.now(), name=name, reason=reason, is_certain=is_certain
        )

    async def _why_not(self, port: StepFunctions, role: DeadmanRole, plan: Plan, name: str) -> str:
        """Why the name could not be restored; empty where it could."""
        arn = role.machine(port.region)
        machine = await port.machine(arn)
        if machine.role_arn != role.arn or not is_definition(machine.definition, role.partition):
            return (
                f"the state machine {arn} is not the one of `policy --cloud-deadman`: deploy its "
                "template again"
            )
        task = json.dumps(create_task(role.partition))
        for manual in plan.manuals:
            if manual.key.name != name:
                continue
            given = execution_input(plan.zone_id, manual.original, "test", 0)
            error, cause = await port.test(role.arn, task, given)
            if reason := why_not_proven(error, cause):
                return f"{manual.key}: {reason}"
        return ""


def _failed(command: DeadmanCommand, error: Exception) -> DeadmanAnswer:
    """What a call that failed says of the execution."""
    match command:
        case cmd.StartDeadman():
            if isinstance(error, ThrottledError | EndpointError | CredentialsError):
                return DeadmanAnswer.HELD_OFF
            refused = isinstance(error, ApiError) and not isinstance(error, UnansweredError)
            is_there = isinstance(error, ApiError) and error.code == "ExecutionAlreadyExists"
            return DeadmanAnswer.REFUSED if refused and not is_there else DeadmanAnswer.UNKNOWN
        case cmd.StopDeadman():
            gone = isinstance(error, NotFoundError)
            return DeadmanAnswer.STOPPED if gone else DeadmanAnswer.NOT_STOPPED
        case _:
            absent = isinstance(error, NotFoundError)
            return DeadmanAnswer.ABSENT if absent else DeadmanAnswer.NOT_FOUND_OUT


async def stop_deadmen(
    port: StepFunctions, plan: Plan, run: str, *, dry_run: bool, tell: Callable[[str], None]
) -> list[str]:
    """Stops every execution of a run, for ``restore``; their names.

    Raises:
        ApiError: one cannot be stopped, or they cannot be listed.
    """
    if plan.options.cloud_deadman is None:
        return []
    role = DeadmanRole.parse(plan.options.cloud_deadman)
    try:
        running = await port.running(role.machine(port.region))
    except NotFoundError:
        return []  # without a state machine nothing of it runs
    ours = [name for name in running if name.startswith(f"{run_prefix(run)}--")]
    for name in ours:
        if not dry_run:
            await port.stop(role.execution(port.region, name))
        tell(f"{'would stop' if dry_run else 'stopped'} the deadman in AWS {name}")
    return ours
