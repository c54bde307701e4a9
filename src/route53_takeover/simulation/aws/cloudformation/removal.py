"""Taking resources and stacks of the simulated account away, in reverse order of dependency.

Knows deletion policies, failures and further tries. Which resources go, and what becomes of the
operation that wanted it, is the caller's to decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.simulation.aws.cloudformation.account import Task
from route53_takeover.simulation.aws.cloudformation.jobs import Jobs, reversed_waits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from route53_takeover.simulation.aws.cloudformation.account import CloudFormationAccount
    from route53_takeover.simulation.aws.cloudformation.state import Resource, Stack

    Then = Callable[[str], None]
    """Called at the end: with the reason of a failure, or with nothing."""


class Removal:
    """Deletes resources of a stack in reverse order of dependency.

    Args:
        tries: how often a delete is tried.
        forget: whether a deleted resource leaves the stack's list (a deleted stack keeps its own).
        undo: whether this takes back what an operation made, which ``rollback`` can be asked to
            fail and ``RetainExceptOnCreate`` does not keep.
    """

    def __init__(
        self,
        account: CloudFormationAccount,
        stack: Stack,
        *,
        tries: int = 1,
        forget: bool = False,
        undo: bool = False,
    ) -> None:
        self._account = account
        self._stack = stack
        self._tries = tries
        self._forget = forget
        self._undo = undo

    def run(
        self,
        resources: Iterable[tuple[Resource, str]],
        ended: Callable[[list[str]], None],
    ) -> None:
        """Deletes each, as its policy lets it; ``ended`` gets those that could not be deleted."""
        self._policies = {each.logical_id: (each, policy) for each, policy in resources}
        waits = {name: each.depends for name, (each, _) in self._policies.items()}
        self._jobs = Jobs(
            reversed_waits(waits),
            start=lambda name: self._delete(name, self._tries),
            ended=lambda: ended(self._jobs.failures),
        )
        self._jobs.go()

    def _delete(self, name: str, tries: int) -> None:
        resource, policy = self._policies[name]
        kept = policy == "Retain" or (policy == "RetainExceptOnCreate" and not self._undo)
        if kept and resource.physical_id:
            self._account.resource_status(self._stack, resource, "DELETE_SKIPPED")
            self._gone(resource)
        elif not resource.physical_id:
            self._account.resource_status(self._stack, resource, "DELETE_COMPLETE")
            self._gone(resource)
        else:
            self._account.resource_status(self._stack, resource, "DELETE_IN_PROGRESS")
            self._take_away(resource, lambda reason: self._deleted(resource, reason, tries - 1))

    def _take_away(self, resource: Resource, then: Then) -> None:
        if resource.child is not None:
            resource.child.token = self._stack.token
            Deletion(self._account, resource.child).start(then)
            return
        asked = resource.simulation
        fails = asked.fails("delete") or (asked.fails("rollback") if self._undo else "")
        task = Task("delete", resource, ended=then)
        self._account.work(self._stack, task, fails=fails)

    def _deleted(self, resource: Resource, reason: str, tries: int) -> None:
        if not reason:
            self._account.resource_status(self._stack, resource, "DELETE_COMPLETE")
            self._gone(resource)
            return
        self._account.resource_status(self._stack, resource, "DELETE_FAILED", reason)
        if tries:
            again = self._account.config.cleanup_retry
            self._account.after(again, lambda: self._delete(resource.logical_id, tries))
        else:
            self._jobs.failed(resource.logical_id)

    def _gone(self, resource: Resource) -> None:
        if self._forget and self._stack.resources.get(resource.logical_id) is resource:
            del self._stack.resources[resource.logical_id]
        self._jobs.done(resource.logical_id)


class Deletion:
    """Deletes a stack: for itself, or for the parent that holds it."""

    def __init__(self, account: CloudFormationAccount, stack: Stack) -> None:
        self._account = account
        self._stack = stack

    def start(self, then: Then) -> None:
        """Deletes every resource, then the stack."""
        stack = self._stack
        self._account.stack_status(stack, "DELETE_IN_PROGRESS", initiator(stack))
        standing = [
            (each, each.deletion_policy)
            for each in stack.resources.values()
            if each.status != "DELETE_COMPLETE"
        ]
        removal = Removal(self._account, stack)
        self._account.after(
            self._account.config.pace,
            lambda: removal.run(standing, lambda failures: self._ended(failures, then)),
        )

    def _ended(self, failures: list[str], then: Then) -> None:
        reason = could_not("delete", failures)
        status = "DELETE_FAILED" if reason else "DELETE_COMPLETE"
        self._account.stack_status(self._stack, status, reason)
        then(reason)


def could_not(action: str, names: Iterable[str]) -> str:
    """CloudFormation's reason of a stack's failure; empty without names."""
    listed = ", ".join(names)
    return f"The following resource(s) failed to {action}: [{listed}]. " if listed else ""


def initiator(stack: Stack) -> str:
    """The reason of an operation's first event."""
    return "User Initiated" if stack.parent is None else ""
