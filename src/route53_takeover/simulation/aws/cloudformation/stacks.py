"""The simulated CloudFormation: what a caller can ask of it, and what it refuses.

Owns which stacks there are by name, which operation each is in, and the refusals with AWS's codes
and words. How an operation goes is `simulation.aws.cloudformation.operations`. Everything
happens on the timeline that it is given; no call here waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.core.domain.record_sets import normal_name
from route53_takeover.core.domain.stacks import NOT_OWNED, RECORD_SET
from route53_takeover.core.domain.template import TemplateError
from route53_takeover.simulation.aws.cloudformation.account import (
    CloudFormationAccount,
    StackConfig,
    parse_body,
)
from route53_takeover.simulation.aws.cloudformation.change_sets import ChangeSets
from route53_takeover.simulation.aws.cloudformation.differences import (
    Difference,
    differences,
    nested,
)
from route53_takeover.simulation.aws.cloudformation.operations import Operation
from route53_takeover.simulation.aws.cloudformation.placing import place
from route53_takeover.simulation.aws.cloudformation.removal import Deletion
from route53_takeover.simulation.aws.cloudformation.state import (
    Resource,
    Stack,
    StackEventRow,
    to_core,
)
from route53_takeover.simulation.aws.cloudformation.throttling import Buckets, ReadLimit
from route53_takeover.simulation.aws.http.faults import ApiFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from route53_takeover.simulation.aws.cloudformation.placing import Placed
    from route53_takeover.simulation.aws.cloudformation.record_handler import Attempt
    from route53_takeover.simulation.aws.cloudformation.template import Template
    from route53_takeover.simulation.aws.route53.zones import Zones
    from route53_takeover.simulation.aws.timeline import Schedule

__all__ = [
    "ReadLimit",
    "Resource",
    "Stack",
    "StackConfig",
    "StackEventRow",
    "StackStore",
    "to_core",
]

_UPDATABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})
_UPDATABLE_AFTER_FAILURE = frozenset({"CREATE_FAILED", "UPDATE_FAILED"})  # rollback was disabled
_WORDS = "Stack with id {} does not exist"


class Preview(Struct, frozen=True, kw_only=True):
    """What an operation would do to a stack and, by logical id, to its nested stacks."""

    stack: Stack
    body: Mapping[str, Any]
    parameters: Mapping[str, str]
    differences: Sequence[Difference]
    nested: Mapping[str, Preview]


class StackStore:
    """The stacks of one account and region.

    Args:
        timeline: the account's time.
        zones: where record sets are written.
        rng: draws ids and physical names, nothing else.
        config: times and habits.

    Attributes:
        reads: how fast it lets itself be asked.
        change_sets: those of its stacks.
        aliases: second names of stacks -> their ids.
    """

    def __init__(
        self, timeline: Schedule, zones: Zones, rng: Random, *, config: StackConfig | None = None
    ) -> None:
        self.timeline = timeline
        self._account = CloudFormationAccount(timeline, zones, rng, config or StackConfig())
        self._operations: dict[str, Operation] = {}
        self.reads = Buckets(timeline, self._account.config.reads)
        self.change_sets = ChangeSets(self)
        self.aliases: dict[str, str] = {}

    @property
    def on_event(self) -> list[Callable[[StackEventRow], None]]:
        """Called with every event when it happens, however late it becomes visible."""
        return self._account.on_event

    @property
    def attempts(self) -> list[Attempt]:
        """Every try to create a record so far, with when the next one is due."""
        return self._account.records.attempts

    def put_template(self, url: str, body: str | Mapping[str, Any]) -> None:
        """Makes a body known under a URL, for ``TemplateURL``."""
        self._account.templates[url] = parse_body(body)

    def template_at(self, url: str) -> Mapping[str, Any]:
        """The body that was put under a URL."""
        if url not in self._account.templates:
            raise _invalid(f"S3 error: no template has been put under {url}")
        return self._account.templates[url]

    def place(self, stack: Placed) -> Stack:
        """Makes a stack that is there already, with what it owns."""
        return place(self._account, stack)

    # Asking

    def all(self) -> list[Stack]:
        """Every stack, deleted ones and nested ones included, the newest first."""
        return list(reversed(self._account.stacks.values()))

    def find(self, stack: str) -> Stack | None:
        """A stack by id, or by name or alias where it is not deleted."""
        stack = self.aliases.get(stack, stack)
        found = self._account.stacks.get(stack)
        if found is not None:
            return found
        for each in reversed(self._account.stacks.values()):
            if each.name == stack and not each.is_deleted:
                return each
        return None

    def get(self, stack: str, words: str = _WORDS) -> Stack:
        """Like `find`; one that does not exist is a `ValidationError` in the operation's words."""
        found = self.find(stack)
        if found is None:
            raise _invalid(words.format(stack))
        return found

    def events(self, stack: str) -> Iterator[StackEventRow]:
        """The events that can be seen now, newest first; none where there is no such stack."""
        found = self.find(stack)
        return iter(()) if found is None else found.newest_first(self.timeline.now)

    def owner(self, physical_id: str) -> Stack | None:
        """The stack that has a resource of this physical id, if any."""
        for stack in reversed(self._account.stacks.values()):
            if not stack.is_deleted and any(
                resource.physical_id == physical_id and resource.status != "DELETE_COMPLETE"
                for resource in stack.resources.values()
            ):
                return stack
        return None

    def exports(self) -> dict[str, tuple[Stack, str]]:
        """By their names, what the stacks export: whose it is, and the value."""
        return self._account.exports()

    def export_names(self, stack: Stack) -> dict[str, str]:
        """Key of each output of a stack that is exported -> its name there."""
        return self._account.export_names(stack)

    def importers(self, export: str) -> list[str]:
        """Names of the stacks that import an export."""
        return [stack.name for stack in self.all() if export in self._account.imported_names(stack)]

    def works_on(self, zone_id: str, name: str) -> bool:
        """Whether a stack has a record set of this name in the zone, or is just creating it."""
        return any(
            resource.type == RECORD_SET
            and normal_name(str(resource.properties.get("Name", ""))) == normal_name(name)
            and resource.properties.get("HostedZoneId", zone_id) == zone_id
            and (resource.status not in NOT_OWNED or _is_left_over(resource))
            for stack in self._account.stacks.values()
            if not stack.is_deleted
            for resource in stack.resources.values()
        )

    def preview(
        self,
        stack: Stack,
        body: str | Mapping[str, Any],
        parameters: Mapping[str, str],
        *,
        deep: bool = False,
    ) -> Preview:
        """What an update of this stack to this template would change.

        Args:
            deep: nested stacks, too.
        """
        return self._preview(stack, self._template(stack, body, parameters), deep=deep)

    def _preview(self, stack: Stack, template: Template, *, deep: bool) -> Preview:
        try:
            return Preview(
                stack=stack,
                body=template.body,
                parameters=template.parameters,
                differences=list(differences(self._account, stack, template)),
                nested={
                    name: self._preview(child, wanted, deep=True)
                    for name, child, wanted in nested(self._account, stack, template)
                }
                if deep
                else {},
            )
        except TemplateError as error:
            raise _invalid(str(error)) from error

    # Doing

    def reserve(self, name: str) -> Stack:
        """A stack that only a change set knows: ``REVIEW_IN_PROGRESS``."""
        found = self.find(name)
        if found is None:
            found = self._account.add_stack(name)
            self._account.stack_status(found, "REVIEW_IN_PROGRESS", "User Initiated")
        return found

    def create_stack(
        self,
        name: str,
        body: str | Mapping[str, Any],
        parameters: Mapping[str, str] | None = None,
        *,
        token: str = "",
        disable_rollback: bool = False,
        tags: Sequence[Mapping[str, str]] = (),
        capabilities: Sequence[str] = (),
    ) -> Stack:
        """Begins to create a stack.

        Raises:
            ApiFault: `AlreadyExistsException`, or `ValidationError` for the template.
        """
        stack = self.find(name)
        if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
            raise ApiFault("AlreadyExistsException", f"Stack [{name}] already exists")
        fresh = stack is None
        stack = stack or self._account.add_stack(name)
        try:
            template = self._template(stack, body, parameters or {})
        except ApiFault:
            if fresh:
                del self._account.stacks[stack.stack_id]
            raise
        stack.tags, stack.capabilities = tags, capabilities
        return self._begin(stack, body, template, token, disable_rollback=disable_rollback)

    def update_stack(
        self,
        name: str,
        body: str | Mapping[str, Any] | None = None,
        parameters: Mapping[str, str] | None = None,
        *,
        token: str = "",
        disable_rollback: bool = False,
        tags: Sequence[Mapping[str, str]] | None = None,
    ) -> Stack:
        """Begins to update a stack; without a body to the template in force.

        Raises:
            ApiFault: `ValidationError`: there is no such stack, it is busy or cannot be updated,
                the template is not right, or nothing would change.
        """
        stack = self.get(name, "Stack [{}] does not exist")
        if stack.status not in _UPDATABLE | (
            _UPDATABLE_AFTER_FAILURE if stack.disable_rollback else frozenset()
        ):
            raise _invalid(
                f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated."
            )
        wanted = stack.text or stack.body if body is None else body
        given = stack.parameters if parameters is None and body is None else parameters or {}
        template = self._template(stack, wanted, given)
        try:
            if not any(differences(self._account, stack, template)):
                raise _invalid("No updates are to be performed.")
        except TemplateError:
            pass  # what is wrong with a nested template shows as a failure of its resource
        stack.tags = stack.tags if tags is None else tags
        return self._begin(stack, wanted, template, token, disable_rollback=disable_rollback)

    def delete_stack(self, name: str, *, token: str = "") -> None:
        """Begins to delete a stack; one that does not exist is fine.

        Raises:
            ApiFault: `ValidationError`: it is being updated, or protected.
        """
        stack = self.find(name)
        if stack is None or stack.is_deleted or stack.status == "DELETE_IN_PROGRESS":
            return
        if stack.is_protected:
            raise _invalid(
                f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            )
        if stack.is_busy and stack.status != "CREATE_IN_PROGRESS":
            raise _invalid(f"Stack [{stack.name}] cannot be deleted while in status {stack.status}")
        if stack.stack_id in self._operations:
            self._operations[stack.stack_id].abandon()
        stack.token = token
        Deletion(self._account, stack).start(lambda _reason: None)

    def cancel_update(self, name: str, *, token: str = "") -> None:
        """Turns an update back.

        Raises:
            ApiFault: `ValidationError`: there is no update to turn back.
        """
        stack = self.get(name, "Stack [{}] does not exist")
        if stack.status != "UPDATE_IN_PROGRESS":
            raise _invalid("CancelUpdateStack cannot be called from current stack status")
        stack.token = token or stack.token
        self._operations[stack.stack_id].cancel("User Initiated")

    def new_id(self) -> str:
        """A drawn id, for what hangs on a stack without being one."""
        return self._account.uuid()

    def continue_update_rollback(self, name: str) -> None:
        """Turns back again where that failed; the cause of the failure counts as fixed.

        Raises:
            ApiFault: `ValidationError`: its rollback has not failed.
        """
        stack = self.get(name, "Stack [{}] does not exist")
        if stack.status != "UPDATE_ROLLBACK_FAILED":
            raise _invalid(
                f"Stack:{stack.stack_id} is in {stack.status} state and can not continue rollback."
            )
        self._operations[stack.stack_id].resume_back()

    def _template(
        self, stack: Stack, body: str | Mapping[str, Any], parameters: Mapping[str, str]
    ) -> Template:
        try:
            return self._account.template(stack, parse_body(body), parameters)
        except TemplateError as error:
            raise _invalid(str(error)) from error

    def _begin(
        self,
        stack: Stack,
        body: str | Mapping[str, Any],
        template: Template,
        token: str,
        *,
        disable_rollback: bool,
    ) -> Stack:
        operation = Operation(self._account, stack, template, lambda _reason: None)
        stack.token, stack.disable_rollback = token, disable_rollback
        stack.text = body if isinstance(body, str) else ""
        self._operations[stack.stack_id] = operation
        operation.start()
        return stack


def _is_left_over(resource: Resource) -> bool:
    """Adopted, reported, and cancelled: it is the stack's until its rollback has succeeded."""
    return resource.status == "CREATE_FAILED" and bool(resource.physical_id)


def _invalid(message: str) -> ApiFault:
    return ApiFault("ValidationError", message)
