"""Making a preview: a command of the user's creates a change set, which is read and deleted.

The command runs once, with the switch on. It must not execute what it creates: where it did, the
plan is refused. Of the change sets only one that appeared during the command, and that its output
names, is deleted: another process may make change sets of the same stack.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.base.errors import ApiError, RefusedError
from route53_takeover.core.domain.stacks import ABSENT
from route53_takeover.core.plan.model import Finding

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from route53_takeover.core.domain.stacks import EventMark, StackDescription
    from route53_takeover.core.plan.facts import PendingTemplate
    from route53_takeover.core.ports import ChangeSets, Clock, DeployExit, Stacks
    from route53_takeover.runtime.pending_template import PendingReader

_READY_LIMIT, _LOOK_EVERY = 600.0, 1.5
"""Seconds until a change set is ready at last, and between two looks at it."""
_CLEAN_UP_LIMIT = 30.0
_NO_CHANGES = ("no changes", "no updates are to be performed", "didn't contain changes")
_TAIL_LINES = 6


class Preview:
    """One preview of one stack.

    Args:
        run: runs the command.
        tell: receives progress messages.
    """

    def __init__(
        self,
        stacks: Stacks,
        change_sets: ChangeSets,
        clock: Clock,
        run: Callable[[str], Awaitable[DeployExit]],
        *,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._stacks = stacks
        self._change_sets = change_sets
        self._clock = clock
        self._run = run
        self._tell = tell

    async def make(
        self, command: str, stack: StackDescription, name: str, reader: PendingReader
    ) -> PendingTemplate:
        """Runs the command, reads the change set that it made, and deletes that again.

        Args:
            stack: as it was before; ``name``: what it is called where it does not exist.

        Raises:
            RefusedError: there is no change set that tells, or the command deployed.
        """
        whose = stack.stack_id or name
        before = frozenset(await self._change_sets.change_sets(whose))
        newest = await self._stacks.newest_event(whose)
        self._tell(f"running the preview: {command}")
        pending: PendingTemplate | RefusedError | None = None
        left: list[Finding] = []
        said = ""
        try:
            ended = await self._run(command)
            said = ended.tail
            made = [c for c in await self._change_sets.change_sets(whose) if c not in before]
            await self._refuse_deployed(stack, name, newest)
            pending = await self._read(command, ended, _named(made, said) or made, reader)
        except RefusedError as error:
            pending = error
        finally:
            left = await asyncio.shield(self._clean_up(whose, before, said))
            if pending is None:  # interrupted, or AWS could not be asked
                for each in left:
                    self._tell(str(each))
        if stack.status == ABSENT:
            left += await self._left_stack(name)
        if isinstance(pending, RefusedError):
            hints = [pending.hint, *(f"Also, {each.text} {each.hint}" for each in left)]
            raise RefusedError(pending.message, " ".join(hints)) from pending
        return replace(pending, warnings=(*pending.warnings, *left))

    async def _refuse_deployed(
        self, before: StackDescription, name: str, newest: EventMark | None
    ) -> None:
        """Refuses where the command began an operation: making a change set begins none."""
        now = await self._stacks.describe(before.stack_id or name)
        if before.status in (ABSENT, "REVIEW_IN_PROGRESS"):
            deployed = now.status not in (ABSENT, "REVIEW_IN_PROGRESS")
        else:
            deployed = await self._stacks.newest_event(now.stack_id) != newest
        if deployed:
            raise RefusedError(
                f"the preview command deployed: stack {now.stack_name} is {now.status}",
                "Give --preview a command that creates a change set and does not execute it (aws "
                "cloudformation deploy --no-execute-changeset, sam deploy --no-execute-changeset, "
                "cdk deploy --method=prepare-change-set).",
            )

    async def _read(
        self, command: str, ended: DeployExit, made: Sequence[str], reader: PendingReader
    ) -> PendingTemplate:
        if len(made) > 1:
            raise RefusedError(
                f"{len(made)} change sets appeared while the preview ran: {', '.join(made)}",
                "Another process makes change sets of this stack: run this again once it has "
                "ended. They were left alone; delete yours with aws cloudformation "
                "delete-change-set --change-set-name ARN.",
            )
        if not made:
            if _says_no_changes(ended.tail) or ended.code == 0:
                return await self._unchanged(reader)
            raise _failed(command, ended)
        status, reason = await self._settled(made[0])
        if status == "FAILED" and _says_no_changes(reason):
            return await self._unchanged(reader)
        if status != "CREATE_COMPLETE":
            raise RefusedError(
                f"the change set of the preview is {status}: {reason or 'no reason is given'}",
                "The deploy would fail in the same way: correct that first.",
            )
        return await reader.from_change_set(made[0])

    async def _unchanged(self, reader: PendingReader) -> PendingTemplate:
        found = await reader.in_force("the preview (no changes)")
        note = Finding(
            text="the preview has no changes: with ROUTE53_ENABLE=true the command would deploy "
            "what is deployed already.",
            hint="If a record was to come: check that the deploy reads ROUTE53_ENABLE.",
        )
        return replace(found, warnings=(*found.warnings, note))

    async def _settled(self, change_set_id: str) -> tuple[str, str]:
        """Status and reason of the change set, once it has been made."""
        until = self._clock.now() + _READY_LIMIT
        while True:
            told = await self._change_sets.change_set(change_set_id)
            if not told.status.endswith(("_PENDING", "_IN_PROGRESS")):
                return told.status, told.reason
            if self._clock.now() >= until:
                return told.status, f"it was not ready after {_READY_LIMIT:.0f} s"
            await self._clock.sleep(_LOOK_EVERY)

    async def _clean_up(self, whose: str, before: frozenset[str], said: str) -> list[Finding]:
        """Deletes the change set that appeared and that the output names; returns what was left."""
        try:
            async with asyncio.timeout(_CLEAN_UP_LIMIT):
                made = [c for c in await self._change_sets.change_sets(whose) if c not in before]
                ours = _named(made, said)
                if len(ours) == 1:
                    await self._change_sets.delete_change_set(ours[0])
                elif len(made) == 1:
                    return [_not_named(made[0])]
                return []
        except (ApiError, TimeoutError) as error:
            why = str(error) or "no answer"
            return [
                Finding(
                    text=f"the change set of the preview could not be deleted: {why}.",
                    hint=f"See aws cloudformation list-change-sets --stack-name {whose}, and "
                    "delete it with aws cloudformation delete-change-set.",
                )
            ]

    async def _left_stack(self, name: str) -> list[Finding]:
        now = await self._stacks.describe(name)
        if now.status != "REVIEW_IN_PROGRESS":
            return []
        return [
            Finding(
                text=f"the preview created stack {name}, which is REVIEW_IN_PROGRESS and has no "
                "resources.",
                hint="A deploy by change sets (aws cloudformation deploy, SAM, CDK) continues with "
                "it. For any other, or if there will be none, remove it first: aws cloudformation "
                f"delete-stack --stack-name {name}.",
            )
        ]


def _named(made: Sequence[str], said: str) -> list[str]:
    """Those whose id the output of the command has: nothing else shows who made one."""
    return [each for each in made if each.rpartition("/")[2] in said]


def _not_named(change_set_id: str) -> Finding:
    return Finding(
        text=f"change set {change_set_id} appeared while the preview ran, and the preview's output "
        "does not have its ARN: it may be another process's and was not deleted.",
        hint="If it is the preview's: aws cloudformation delete-change-set --change-set-name "
        f"{change_set_id}. Let the preview print the ARN; then it is deleted.",
    )


def _says_no_changes(text: str) -> bool:
    return any(words in text.lower() for words in _NO_CHANGES)


def _failed(command: str, ended: DeployExit) -> RefusedError:
    lines = [line for line in ended.tail.splitlines() if line.strip()][-_TAIL_LINES:]
    how = "took too long" if ended.timed_out else f"ended with exit code {ended.code}"
    return RefusedError(
        f"the preview command `{command}` {how} and made no change set",
        f"It said: {' | '.join(lines)}" if lines else "It said nothing.",
    )
