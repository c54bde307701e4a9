"""Reading the pending template: from a file, or from the change set that a preview makes.

What exists fills in what the template refers to. What the records come to is decided in
`route53_takeover.core.plan.pending`; the preview itself is run in
`route53_takeover.runtime.preview`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.base.errors import UsageError
from route53_takeover.core.domain.intrinsics import functions_in
from route53_takeover.core.domain.record_sets import canonical
from route53_takeover.core.domain.stacks import ABSENT, STACK, StackDetails
from route53_takeover.core.domain.template import members_of, resources_of
from route53_takeover.core.plan.pending import read_pending
from route53_takeover.core.plan.pending_values import PendingStack
from route53_takeover.core.ports import ChangeSets, Clock, DeployExit, Stacks
from route53_takeover.runtime.preview import Preview
from route53_takeover.storage.template_files import TemplateFile, template_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from route53_takeover.core.domain.stacks import ResourceChange, StackDescription
    from route53_takeover.core.plan.facts import Identity, PendingTemplate
    from route53_takeover.core.plan.model import Options
    from route53_takeover.runtime.ownership_lookup import Tree


class PendingSource(Struct, frozen=True, kw_only=True):
    """Where the pending template is read, as the options say.

    Attributes:
        read_file: reads a template file, with those nested in it.
        run: runs a preview command.
        tell: receives progress messages.
    """

    stacks: Stacks
    change_sets: ChangeSets
    clock: Clock
    read_file: Callable[[str], Awaitable[TemplateFile]]
    run: Callable[[str], Awaitable[DeployExit]]
    tell: Callable[[str], None]

    async def read(
        self, options: Options, root: StackDescription, tree: Tree, identity: Identity, region: str
    ) -> PendingTemplate:
        """The pending template; the one in force, where none is given.

        Raises:
            UsageError: a file or a parameter that cannot be.
            RefusedError: the preview does not tell.
        """
        reader = PendingReader(
            self.stacks,
            self.change_sets,
            root=root,
            tree=tree,
            options=options,
            identity=identity,
            region=region,
        )
        if options.template is not None:
            return await reader.from_file(await self.read_file(options.template))
        if options.preview is None:
            return tree.pending
        preview = Preview(self.stacks, self.change_sets, self.clock, self.run, tell=self.tell)
        return await preview.make(options.preview, root, options.stack, reader)


class PendingReader:
    """Reads the pending template of one root stack.

    Args:
        root: the stack, which need not exist.
        tree: it and its nested stacks as they are in force.
    """

    def __init__(
        self,
        stacks: Stacks,
        change_sets: ChangeSets,
        *,
        root: StackDescription,
        tree: Tree,
        options: Options,
        identity: Identity,
        region: str,
    ) -> None:
        self._stacks = stacks
        self._change_sets = change_sets
        self._root_id = "" if root.status == ABSENT else root.stack_id
        self._tree = tree
        self._options = options
        partition = ([*identity.arn.split(":"), "", "aws"])[1] or "aws"
        self._pseudo = {
            "AWS::AccountId": identity.account,
            "AWS::Partition": partition,
            "AWS::Region": region,
            "AWS::URLSuffix": "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
        }
        if root.stack_name or not options.stack.startswith("arn:"):
            self._pseudo["AWS::StackName"] = root.stack_name or options.stack
        self._imports = False

    async def from_file(self, file: TemplateFile) -> PendingTemplate:
        """What a template file, with those nested in it, comes to.

        Raises:
            UsageError: a parameter is none of its.
        """
        given = _given(file, self._options.parameters)
        stack = await self._of_file(file, self._root_id, given=given)
        return await self._read(stack, file.path)

    async def from_change_set(self, change_set_id: str) -> PendingTemplate:
        """What a change set, with those nested in it, comes to."""
        stack, name = await self._of_change_set(change_set_id, self._root_id)
        return await self._read(stack, f"change set {name}")

    async def in_force(self, source: str) -> PendingTemplate:
        """What the tree comes to if nothing changes."""
        return await self._read(await self._unchanged(self._root_id), source)

    async def _read(self, stack: PendingStack, source: str) -> PendingTemplate:
        exports = await self._stacks.exports() if self._imports else {}
        found = read_pending(stack, source=source, exports=exports, pseudo=self._pseudo)
        return replace(found, digest=sha256(canonical(_bodies(stack)).encode()).hexdigest())

    async def _of_file(
        self, file: TemplateFile, stack_id: str, *, given: Mapping[str, str] | None = None
    ) -> PendingStack:
        """One stack of a template file.

        Args:
            given: of the root: its parameters; a nested stack gets its own from its parent.
        """
        nested: dict[str, PendingStack] = {}
        for logical_id, resource in resources_of(file.body):
            if resource.get("Type") != STACK:
                continue
            child_id = self._child_id(stack_id, logical_id)
            if logical_id in file.nested:
                nested[logical_id] = await self._of_file(file.nested[logical_id], child_id)
            else:
                why = f"its template ({template_url(resource)}) is not beside {file.path}"
                nested[logical_id] = await self._unread(child_id, why)
        in_force: Mapping[str, str] = {}
        if given is not None and stack_id and members_of(file.body.get("Parameters")):
            in_force = (await self._stacks.details(stack_id)).parameters
        stack = self._known(stack_id, file.body, {})
        return replace(stack, nested=nested, given=dict(given or {}), in_force=dict(in_force))

    async def _of_change_set(self, change_set_id: str, stack_id: str) -> tuple[PendingStack, str]:
        """One stack of a change set, and the change set's name."""
        told = await self._change_sets.change_set(change_set_id)
        body = dict(await self._change_sets.change_set_body(change_set_id))
        changes = {each.logical_id: each for each in told.changes}
        nested: dict[str, PendingStack] = {}
        for logical_id, resource in resources_of(body):
            if resource.get("Type") != STACK:
                continue
            change, child_id = changes.get(logical_id), self._child_id(stack_id, logical_id)
            if change is None and child_id:
                nested[logical_id] = await self._unchanged(child_id)
            elif change is not None and change.change_set_id:
                child, _ = await self._of_change_set(change.change_set_id, child_id)
                nested[logical_id] = child
            else:
                why = "the change set does not include nested stacks (--include-nested-stacks)"
                nested[logical_id] = await self._unread(child_id, why)
        stack = self._known(stack_id, body, changes)
        stack = replace(
            stack,
            stack_id=stack_id or told.stack_id,
            nested=nested,
            given=dict(told.parameters),
            is_processed=True,
        )
        return stack, told.name

    async def _unchanged(self, stack_id: str) -> PendingStack:
        """A stack that stays as it is, with those nested in it."""
        stack = self._tree.stacks.get(stack_id)
        body = dict(stack.body or {}) if stack else {}
        nested: dict[str, PendingStack] = {}
        for logical_id, resource in resources_of(body):
            child_id = self._child_id(stack_id, logical_id)
            if resource.get("Type") == STACK and child_id:
                nested[logical_id] = await self._unchanged(child_id)
        told = StackDetails()
        if body.get("Parameters") or body.get("Outputs"):
            told = await self._stacks.details(stack_id)
        return replace(
            self._known(stack_id, body, {}),
            nested=nested,
            given=dict(told.parameters),
            outputs=dict(told.outputs),
            is_processed=True,
        )

    async def _unread(self, stack_id: str, why: str) -> PendingStack:
        """A nested stack whose new template is not known; the one in force stands for it."""
        if not stack_id or self._tree.stacks[stack_id].body is None:
            return PendingStack(unread=why)
        stack = await self._unchanged(stack_id)
        return replace(stack, unread=why, given={}, in_force=stack.given, outputs={})

    def _known(
        self, stack_id: str, body: dict[str, Any], changes: Mapping[str, ResourceChange]
    ) -> PendingStack:
        """A stack of this template, with what exists of it."""
        functions = functions_in(body)
        self._imports = self._imports or "Fn::ImportValue" in functions
        stack = self._tree.stacks.get(stack_id)
        if stack is None:
            return PendingStack(body=body, changes=dict(changes))
        there = [
            r for r in stack.there if r.logical_id not in changes or changes[r.logical_id].keeps_id
        ]
        return PendingStack(
            stack_id=stack_id,
            body=body,
            resources={r.logical_id: (r.resource_type, r.physical_id) for r in there},
            owned=tuple(each for each in self._tree.owned if each.stack_id == stack_id),
            changes=dict(changes),
        )

    def _child_id(self, stack_id: str, logical_id: str) -> str:
        """The id of a nested stack; empty where there is none yet."""
        stack = self._tree.stacks.get(stack_id)
        there = () if stack is None else stack.there
        found = (r.physical_id for r in there if r.logical_id == logical_id)
        return next((each for each in found if each in self._tree.stacks), "")


def _bodies(stack: PendingStack) -> list[Any]:
    """The template of a stack and those nested in it."""
    nested = {logical_id: _bodies(each) for logical_id, each in stack.nested.items()}
    return [stack.body, nested]


def _given(file: TemplateFile, parameters: tuple[str, ...]) -> dict[str, str]:
    given = dict(text.split("=", 1) for text in parameters)
    declared = members_of(file.body.get("Parameters"))
    unknown = sorted(given.keys() - declared.keys())
    if unknown:
        raise UsageError(
            f"{file.path} has no parameter {', '.join(unknown)}",
            f"It has: {', '.join(sorted(declared)) or 'none'}. Check --parameter.",
        )
    return given
