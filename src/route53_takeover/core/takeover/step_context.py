"""One step's decisions as they are made: its commands, when to wake up, the next phase."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from route53_takeover.core.endings import EXIT_CODES, Ending
from route53_takeover.core.takeover import commands as cmd
from route53_takeover.core.takeover.deadman_state import left_deadmen
from route53_takeover.core.takeover.freshness import is_fresh
from route53_takeover.core.takeover.name_state import (
    HelperState,
    NameState,
    SoaState,
    Write,
    WrittenName,
)
from route53_takeover.core.takeover.phases import ALLOWED, Phase
from route53_takeover.core.takeover.soa_queries import left_soa
from route53_takeover.core.takeover.stack_state import StackState
from route53_takeover.core.timing import TEMPLATE_TRIES

if TYPE_CHECKING:
    from route53_takeover.base.errors import ExitCode
    from route53_takeover.core.domain.record_sets import Change
    from route53_takeover.core.endings import Outcome
    from route53_takeover.core.takeover.events import Purpose
    from route53_takeover.core.takeover.state import State

_Name = TypeVar("_Name", bound=WrittenName)


class StepContext:
    """One step's decisions as they are made."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.commands: list[cmd.AnyCommand] = []
        self.wake_at: float | None = None

    @property
    def life(self) -> str:
        """How often the run was resumed, and when; empty where it was not.

        A part of ids: a process whose journal broke, or whose disk stalled, may have sent some of
        which the next one knows nothing.
        """
        state = self.state
        return f"r{state.resumes}-{round(state.resumed_at * 1000):x}-" if state.resumes else ""

    def move(self, target: Phase) -> None:
        state = self.state
        if target not in ALLOWED[state.phase]:
            raise ValueError(f"{target} does not follow {state.phase}")
        self.state = replace(state, phase=target, phase_since=state.now, verifying_since=None)

    def wake(self, at: float) -> None:
        """Asks to be woken at ``at``, if that is to come."""
        if at > self.state.now and (self.wake_at is None or at < self.wake_at):
            self.wake_at = at

    def ask(self, command: cmd.OnceAtATime) -> None:
        """Asks for something once at a time."""
        if command.request not in self.state.in_flight:
            in_flight = self.state.in_flight | {command.request}
            self.state = replace(self.state, in_flight=in_flight)
            self.commands.append(command)

    def put(self, name: _Name) -> _Name:
        if isinstance(name, HelperState):
            self.state = replace(self.state, helpers={**self.state.helpers, name.name: name})
        elif isinstance(name, NameState):
            self.state = replace(self.state, names={**self.state.names, name.name: name})
        elif isinstance(name, SoaState):
            self.state = replace(self.state, soa=name)
        return name

    def give_up(self, reason: str) -> None:
        if not self.state.given_up:
            self.state = replace(self.state, given_up=reason)

    def read(self, name: WrittenName, *, every: float) -> None:
        """Reads a name that a decision waits for, unless its newest read is as young as that."""
        due = max((name.read.began if name.read else 0.0) + every, name.read_after)
        if due <= self.state.now:
            self.ask(cmd.ReadName(name=name.name))
        else:
            self.wake(due)

    def write(
        self,
        name: WrittenName,
        purpose: Purpose,
        changes: tuple[Change, ...],
        *,
        patience: float | None = None,
    ) -> None:
        """Asks for one batch; its id is derived from how many came before, and from `life`."""
        number = self.state.writes + 1
        write_id = f"{self.state.run}-{self.life}{number}"
        self.state = replace(self.state, writes=number)
        self.put(
            replace(
                name,
                write=Write(id=write_id, purpose=purpose, changes=changes, sent=self.state.now),
            )
        )
        self.commands.append(
            cmd.WriteBatch(
                id=write_id, name=name.name, purpose=purpose, changes=changes, patience=patience
            )
        )

    def end(
        self,
        outcome: Outcome,
        reason: str,
        *,
        exit_code: ExitCode | None = None,
        resumable: bool = True,
    ) -> None:
        """Ends the run, with the exit code of its outcome unless another one is given.

        A reason also tells of a deadman in AWS that still runs, and of a SOA that is not as it was:
        either makes every ending unknown.
        """
        running = left_deadmen(self.state)
        told = "" if running in reason else running
        reason = "; ".join(filter(None, (reason, told, left_soa(self.state))))
        ending = Ending(
            phase=self.state.phase,
            outcome=outcome,
            exit_code=EXIT_CODES[outcome] if exit_code is None else exit_code,
            reason=reason,
            resumable=resumable,
        )
        self.move(Phase.ENDED)
        self.state = replace(self.state, ending=ending)


def ask_list(context: StepContext, stack_id: str, *, urgent: bool = False) -> None:
    """Asks for a stack's own list of resources, unless lists could not be read just now."""
    if context.state.now >= context.state.not_before:
        context.ask(cmd.ReadResources(stack=stack_id, urgent=urgent))
    else:
        context.wake(context.state.not_before)


def look(context: StepContext, *, every: float) -> None:
    """Describes the root stack, unless it was just described or could not be."""
    state = context.state
    due = max(state.described_began + every if state.described else 0.0, state.not_before)
    if state.now >= due:
        context.ask(cmd.DescribeRoot())
    else:
        context.wake(due)


def tree_is_listed(
    context: StepContext, *, since: float = 0.0, within: float | None = None
) -> bool:
    """Whether every stack's own list of resources was read; asks for what was not.

    Events may be late, and a record that the list shows as CloudFormation's must not be written.

    Args:
        since: by a read that began then or later.
        within: and is as fresh as that, in seconds (`route53_takeover.core.takeover.freshness`).
    """
    root = context.state.root.stack_id
    if root and root not in context.state.stacks:
        context.state = replace(
            context.state, stacks={**context.state.stacks, root: StackState(stack_id=root)}
        )
    missing = [
        stack_id
        for stack_id, stack in context.state.stacks.items()
        if not _is_listed(context.state, stack, since, within)
    ]
    for stack_id in missing:
        ask_list(context, stack_id)
    return not missing and _is_understood(context)


def _is_listed(state: State, stack: StackState, since: float, within: float | None) -> bool:
    if not stack.listed or stack.listed < since:
        return False
    return within is None or is_fresh(state, began=stack.listed, told=stack.told, within=within)


def ask_template(context: StepContext, stack: StackState) -> None:
    """Asks for a stack's template, unless it could not be read just now."""
    if context.state.now >= stack.template_after:
        context.ask(cmd.ReadTemplate(stack=stack.stack_id))
    else:
        context.wake(stack.template_after)


def _is_understood(context: StepContext) -> bool:
    """Whether the templates say what the lists do not say of a record set, or cannot be read."""
    understood, now = True, context.state.now
    for stack in context.state.stacks.values():
        if (
            stack.template is None
            and (stack.template_failures < TEMPLATE_TRIES or now >= stack.template_after)
            and any(r.guessed and r.desired is not None for r in stack.records.values())
        ):
            ask_template(context, stack)
            understood = False
    return understood
