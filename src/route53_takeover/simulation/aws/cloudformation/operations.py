"""One operation of one stack, from its first status to its last: create, update or delete.

Owns the order of things: what starts when, what a failure cancels, how an operation turns back,
what is cleaned up. A nested stack has an operation of its own, which its parent drives. An update
goes through three phases, and only the last one deletes anything, so that it can turn back:

- forward: resources are created and changed; a nested stack then waits for its root.
- back, after a failure or a cancel: what was changed is changed back.
- clean-up: what is in use no more is deleted, the new resources after turning back, the old ones
  otherwise. The root's clean-up takes its nested stacks along.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from route53_takeover.core.domain.stacks import STACK
from route53_takeover.core.domain.template import TemplateError
from route53_takeover.simulation.aws.cloudformation.account import Task, is_replaced
from route53_takeover.simulation.aws.cloudformation.jobs import Jobs
from route53_takeover.simulation.aws.cloudformation.removal import Removal, could_not, initiator
from route53_takeover.simulation.aws.cloudformation.state import Resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.simulation.aws.cloudformation.account import CloudFormationAccount
    from route53_takeover.simulation.aws.cloudformation.removal import Then
    from route53_takeover.simulation.aws.cloudformation.state import Stack
    from route53_takeover.simulation.aws.cloudformation.template import Template

CLEANUP_TRIES = 3
_CANCELLED = {"create": "Resource creation cancelled", "update": "Resource update cancelled"}


class Operation:
    """Creates or updates a stack towards a template.

    Args:
        account: what all stacks share.
        stack: the stack; its token, tags and the like are set already.
        template: the template that is wanted.
        then: called when the forward phase ended; a nested stack's parent waits for this.
    """

    def __init__(
        self, account: CloudFormationAccount, stack: Stack, template: Template, then: Then
    ) -> None:
        self.stack = stack
        self.creates = not stack.status or stack.status == "REVIEW_IN_PROGRESS"
        self.forward = True
        self.turned_back = False
        self.repaired = False
        self._account = account
        self._template = template
        self._then = then
        self._before = {name: each for name, each in stack.resources.items() if each.physical_id}
        self._settings_before = (stack.body, stack.text, stack.parameters, stack.outputs)
        self._tasks: dict[str, Task] = {}
        self._failures: list[str] = []
        self._children: dict[str, Operation] = {}
        self._touched: list[str] = []
        self._made: list[Resource] = []
        self._replaced: dict[str, Resource] = {}
        self._waiting_for_back: list[Then] = []

    # Forward

    def start(self) -> None:
        """Begins; everything else happens on the timeline."""
        stack, template = self.stack, self._template
        stack.parameters, stack.body = template.parameters, template.body
        if not self.creates:
            stack.updated_at = self._account.timeline.now
        self._status("IN_PROGRESS", initiator(stack))
        self._jobs = Jobs(
            {name: spec.depends for name, spec in template.resources.items()},
            start=self._begin,
            ended=self._arrived,
        )
        self._account.after(
            self._account.config.pace, lambda: self._jobs.go() if self.forward else None
        )

    def _begin(self, name: str) -> None:
        spec, old = self._template.resources[name], self._before.get(name)
        new = Resource.wanted(spec)
        problem = ""
        try:
            new.properties = self._template.properties(name, self.stack.lookup)
        except TemplateError as error:
            problem = str(error)
        if old is None:
            self._create(new, problem)
        elif problem or old.type != new.type:
            problem = problem or f"Update of resource type is not permitted: {new.type}"
            self._update(old, new, problem)
        elif new.type == STACK or old.properties != new.properties:
            self._update(old, new)
        else:
            self._take_place(old, new, old.status)
            self._jobs.done(name)

    def _create(self, new: Resource, problem: str = "") -> None:
        self.stack.resources[new.logical_id] = new
        self._made.append(new)
        self._account.resource_status(self.stack, new, "CREATE_IN_PROGRESS")
        self._work("create", new, problem=problem)

    def _update(self, old: Resource, new: Resource, problem: str = "") -> None:
        self._take_place(old, new, old.status)
        self._touched.append(new.logical_id)
        if is_replaced(old, new) and not problem:
            self._account.resource_status(
                self.stack,
                new,
                "UPDATE_IN_PROGRESS",
                "Requested update requires the creation of a new physical resource; hence "
                "creating one.",
            )
            self._work("create", new, old=old, reports="UPDATE")
        else:
            self._account.resource_status(self.stack, new, "UPDATE_IN_PROGRESS")
            self._work("update", new, old=old, problem=problem)

    def _take_place(self, old: Resource, new: Resource, status: str) -> None:
        new.physical_id, new.child, new.updated_at = old.physical_id, old.child, old.updated_at
        new.status = status
        self.stack.resources[new.logical_id] = new

    def _work(
        self,
        action: str,
        new: Resource,
        *,
        old: Resource | None = None,
        reports: str = "",
        problem: str = "",
    ) -> None:
        reports = reports or action.upper()
        name = new.logical_id

        def initiated(physical_id: str) -> None:
            if action == "create":
                if old is not None:
                    self._replaced[name] = old
                    self._made.append(new)
                new.physical_id = physical_id
                self._account.resource_status(
                    self.stack, new, f"{reports}_IN_PROGRESS", "Resource creation Initiated"
                )

        def ended(reason: str) -> None:
            del self._tasks[name]
            if reason:
                self._failed(new, reports, reason)
                return
            self._account.resource_status(self.stack, new, f"{reports}_COMPLETE")
            self._jobs.done(name)

        task = Task(
            action,
            new,
            ended=ended,
            initiated=initiated,
            previous=None if old is None else old.properties,
        )
        self._tasks[name] = task
        fails = problem or new.simulation.fails(action)
        if new.type == STACK and not fails:
            self._nest(task, new)
        else:
            self._account.work(self.stack, task, fails=fails)

    def _nest(self, task: Task, resource: Resource) -> None:
        """Lets a nested stack be created or updated by an operation of its own."""
        account, creates = self._account, resource.child is None
        if resource.child is None:
            generated = account.generated_name(self.stack, resource.logical_id)
            resource.child = account.add_stack(generated, parent=self.stack)
        child = resource.child
        child.token = self.stack.token
        try:
            template = account.child_template(child, resource)
        except TemplateError as error:
            if creates:
                del account.stacks[child.stack_id]
                resource.child = None
            reason = str(error)
            account.after(account.config.pace, lambda: task.fail(reason) if task.live else None)
            return
        how = "created" if creates else "updated"

        def ended(reason: str) -> None:
            embedded = f"Embedded stack {child.stack_id} was not successfully {how}: {reason}"
            if not creates:
                embedded = embedded.replace(
                    f"{how}: ", f"{how}. Currently in {child.status} with reason: "
                )
            account.after(
                account.config.pace,
                lambda: (
                    None if not task.live else task.fail(embedded) if reason else task.succeed()
                ),
            )

        operation = Operation(account, child, template, ended)
        self._children[resource.logical_id] = operation
        if creates:
            task.initiated(child.stack_id)
        operation.start()

    def _failed(self, resource: Resource, reports: str, reason: str) -> None:
        """One resource failed: cancel the others, and turn back."""
        self._account.resource_status(self.stack, resource, f"{reports}_FAILED", reason)
        self._failures = [resource.logical_id]
        self._cancel_running()
        self._give_up(could_not(reports.lower(), self._failures))

    def _cancel_running(self) -> None:
        self.forward = False
        self._jobs.stop()
        tasks, self._tasks = self._tasks, {}
        for name, task in tasks.items():
            task.cancel()
            child = self._children.get(name)
            if child is not None:
                child.cancel(_CANCELLED[task.action])
            replaced = task.action == "create" and name in self._touched
            status = "UPDATE_FAILED" if replaced else f"{task.action.upper()}_FAILED"
            self._account.resource_status(
                self.stack, task.resource, status, _CANCELLED[task.action]
            )
            self._failures.append(name)

    def cancel(self, reason: str) -> None:
        """Stops going forward and turns back: for the user, or for the parent that failed."""
        if self.forward:
            self._cancel_running()
            self._give_up(reason)

    def abandon(self) -> None:
        """Stops without turning back: the stack is about to be deleted."""
        if self.forward:
            self._cancel_running()

    def _give_up(self, reason: str) -> None:
        stack = self.stack
        if stack.disable_rollback or (self.creates and stack.parent is not None):
            self._status("FAILED", reason)
        elif self.creates:
            self._account.stack_status(
                stack, "ROLLBACK_IN_PROGRESS", f"{reason.strip()} Rollback requested by user."
            )
            self._account.after(self._account.config.pace, self._undo_creation)
        else:
            self._start_back(reason)
        self._then(reason)

    def _arrived(self) -> None:
        """Every resource is as the template wants it."""
        self.forward = False
        stack = self.stack
        try:
            stack.outputs = self._template.outputs(stack.lookup)
        except TemplateError as error:
            self._give_up(str(error))
            return
        if self.creates:
            self._status("COMPLETE")
        else:
            self._status("COMPLETE_CLEANUP_IN_PROGRESS")
            if stack.parent is None:
                self._account.after(self._account.config.pace, self.clean_up)
        self._then("")

    # Back

    def _undo_creation(self) -> None:
        if self._account.config.fail_rollback:
            self._undone(["fail_rollback"])
            return
        everything = [(each, each.deletion_policy) for each in self.stack.resources.values()]
        Removal(self._account, self.stack, undo=True).run(everything, self._undone)

    def _undone(self, failures: list[str]) -> None:
        reason = could_not("delete", failures)
        if self._account.config.fail_rollback:
            reason = self._account.config.fail_rollback
        status = "ROLLBACK_FAILED" if reason else "ROLLBACK_COMPLETE"
        self._account.stack_status(self.stack, status, reason)

    def turn_back(self, then: Then) -> None:
        """Changes back what an update changed; joins in where that is going on already."""
        if self.turned_back:
            then("")
            return
        self._waiting_for_back.append(then)
        if not self.stack.status.startswith("UPDATE_ROLLBACK_IN"):
            self._start_back("")

    def resume_back(self) -> None:
        """Tries again to turn back, after the cause of the failure was fixed."""
        self.repaired = True
        self._start_back("User Initiated")

    def _start_back(self, reason: str) -> None:
        self._account.stack_status(self.stack, "UPDATE_ROLLBACK_IN_PROGRESS", reason)
        self._account.after(self._account.config.pace, self._go_back)

    def _go_back(self) -> None:
        stack, fails = self.stack, self._account.config.fail_rollback
        if fails and stack.parent is None and not self.repaired:
            self._back_again(fails)
            return
        stack.body, stack.text, stack.parameters, stack.outputs = self._settings_before
        for name, old in self._before.items():
            if name not in self._touched:
                stack.resources[name] = old
        self._jobs = Jobs(
            {name: self._before[name].depends for name in self._touched},
            start=self._restore,
            ended=lambda: self._back_again(could_not("update", self._jobs.failures)),
        )
        self._jobs.go()

    def _restore(self, name: str) -> None:
        """Puts one resource back as it was before the update."""
        old, new = self._before[name], self.stack.resources[name]
        self.stack.resources[name] = old
        self._account.resource_status(self.stack, old, "UPDATE_IN_PROGRESS")

        def ended(reason: str) -> None:
            status = "UPDATE_FAILED" if reason else "UPDATE_COMPLETE"
            self._account.resource_status(self.stack, old, status, reason)
            (self._jobs.failed if reason else self._jobs.done)(name)

        fails = new.simulation.fails("rollback")  # a second try finds the old one, which does not
        task = Task("update", old, ended=ended, previous=new.properties)
        child = self._children.get(name)
        if child is not None and not fails:
            child.turn_back(ended)
        elif not fails and (is_replaced(old, new) or old.type == STACK):
            self._account.after(self._account.config.pace, task.succeed)
        else:
            self._account.work(self.stack, task, fails=fails)

    def _back_again(self, reason: str) -> None:
        waiting, self._waiting_for_back = self._waiting_for_back, []
        if reason:
            self._account.stack_status(self.stack, "UPDATE_ROLLBACK_FAILED", reason)
        else:
            self.turned_back = True
            self._account.stack_status(self.stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
            if self.stack.parent is None:
                self._account.after(self._account.config.pace, self.clean_up)
        for then in waiting:
            then(reason)

    # Clean-up

    def clean_up(self, then: Callable[[], None] = lambda: None) -> None:
        """Deletes what is in use no more, here and in the nested stacks; then it is complete."""
        children = {name: self._children[name] for name in self._touched if name in self._children}
        left = {"", *children}

        def cleaned(name: str) -> None:
            left.discard(name)
            if name:
                resource = self.stack.resources[name]
                self._account.resource_status(self.stack, resource, "UPDATE_COMPLETE")
            if not left:
                self._status("ROLLBACK_COMPLETE" if self.turned_back else "COMPLETE")
                then()

        for name, child in children.items():
            child.clean_up(partial(cleaned, name))
        removal = Removal(
            self._account, self.stack, tries=CLEANUP_TRIES, forget=True, undo=self.turned_back
        )
        removal.run(self._unused(), lambda _skipped: cleaned(""))

    def _unused(self) -> list[tuple[Resource, str]]:
        """What the clean-up deletes, and by which policy."""
        if self.turned_back:
            return [(each, each.deletion_policy) for each in self._made]
        wanted = self._template.resources
        gone = [old for name, old in self._before.items() if name not in wanted]
        return [
            *((old, old.deletion_policy) for old in gone),
            *((old, old.replace_policy) for old in self._replaced.values()),
        ]

    def _status(self, word: str, reason: str = "") -> None:
        verb = "CREATE" if self.creates else "UPDATE"
        self._account.stack_status(self.stack, f"{verb}_{word}", reason)
