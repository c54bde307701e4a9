"""Retiring a stack for a run: the verdict, and its delete by the program or by a command."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from route53_takeover.base.errors import UnansweredError
from route53_takeover.core.domain.stacks import ABSENT
from route53_takeover.core.events import Switch
from route53_takeover.core.retire.verdict import judge
from route53_takeover.runtime.retire_reading import gather_retirement
from route53_takeover.runtime.switch_effects import Retires

if TYPE_CHECKING:
    from route53_takeover.core.ports import Deployer, StackDeletes
    from route53_takeover.runtime.retire_reading import RetirePorts

_LOOK_EVERY = 5.0
"""Seconds between two looks at a stack that is being deleted."""
_BEGINS_WITHIN = 30.0
"""Seconds within which a delete that was accepted shows in the stack's status."""
_GONE = (ABSENT, "DELETE_COMPLETE")


class StackRetirement(Retires):
    """Judges and deletes one stack.

    Args:
        ports: where the verdict is read from.
        deletes: deletes it, where no command does.
        deployer: runs the command, as it runs deploys.
        has_command: whether a command deletes it.
    """

    def __init__(
        self, *, ports: RetirePorts, deletes: StackDeletes, deployer: Deployer, has_command: bool
    ) -> None:
        self._ports = ports
        self._deletes = deletes
        self._deployer = deployer
        self._has_command = has_command

    async def judged(self, stack: str) -> tuple[str, tuple[str, ...]]:
        """Its id, and a line for each thing that its delete would break."""
        verdict = judge(await gather_retirement(stack, self._ports))
        lines = (f"{each.what} {each.id}: {each.why}" for each in verdict.breaks)
        return verdict.stack_id, tuple(lines)

    async def deleted(self, stack_id: str, run: str, *, begins: bool) -> str:
        """Waits for the end; why it is not gone, or nothing."""
        if self._has_command:
            return await self._by_command(stack_id, begins=begins)
        if begins or await self._status(stack_id) not in (*_GONE, "DELETE_IN_PROGRESS"):
            with suppress(UnansweredError):  # the status tells; the same token begins it once
                await self._deletes.delete_stack(stack_id, f"route53-takeover-{run}"[:128])
        return await self._watched(stack_id)

    async def _by_command(self, stack_id: str, *, begins: bool) -> str:
        watch = self._deployer.run if begins else self._deployer.rejoin
        ended = await watch(Switch.RETIRE)
        status = await self._status(stack_id)
        if status == "DELETE_IN_PROGRESS":
            return await self._watched(stack_id)
        if status in _GONE:
            return ""
        how = "with an unknown status" if ended.code is None else f"with {ended.code}"
        return f"the command exited {how}, and the stack is {status}: see deploy-retire.log"

    async def _watched(self, stack_id: str) -> str:
        clock = self._ports.clock
        until = clock.now() + _BEGINS_WITHIN
        while True:
            status = await self._status(stack_id)
            if status in _GONE:
                return ""
            if status != "DELETE_IN_PROGRESS" and clock.now() >= until:
                return f"its delete ended {status}"
            await clock.sleep(_LOOK_EVERY)

    async def _status(self, stack_id: str) -> str:
        return (await self._ports.stacks.describe(stack_id)).status
