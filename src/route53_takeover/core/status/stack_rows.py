"""The tree of stacks as a screen shows it: the root, its resources, and those of each child below.

Rows are in the order in which the resources first appeared. A child is one row: its resource in the
parent, with its newest status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.record_sets import conflict
from route53_takeover.core.domain.stacks import RECORD_SET, STACK
from route53_takeover.core.status.snapshot import Row, mark_of
from route53_takeover.core.status.timeline import ResourceStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.status.timeline import Timeline
    from route53_takeover.core.takeover.state import State


def rows(state: State, timeline: Timeline) -> tuple[Row, ...]:
    """The tree; one row of a stack that does not exist yet where there is no more."""
    return tuple(_Tree(state, timeline).rows())


def stack_name(stack_id: str) -> str:
    """The name in a stack's ARN; another id as it is."""
    parts = stack_id.split("/")
    return parts[1] if stack_id.startswith("arn:") and len(parts) > 1 else stack_id


class _Tree:
    """One tree while it is walked."""

    def __init__(self, state: State, timeline: Timeline) -> None:
        self._state = state
        self._timeline = timeline
        self._walked: set[str] = set()
        self._resources: dict[str, list[tuple[str, ResourceStatus]]] = {}
        for (stack_id, logical_id), told in timeline.resources.items():
            self._resources.setdefault(stack_id, []).append((logical_id, told))

    def rows(self) -> Iterator[Row]:
        yield self._root()
        yield from self._below(self._state.root.stack_id, 1)
        for stack_id in self._state.stacks:  # whose parent is not known yet
            if stack_id and stack_id not in self._walked:
                told = self._timeline.stacks.get(stack_id)
                told = told or ResourceStatus(label=stack_name(stack_id), kind=STACK, status="")
                yield _row(told, depth=1)
                yield from self._below(stack_id, 2)

    def _root(self) -> Row:
        state = self._state
        described = state.described or state.root
        status = state.root_stack.status if state.root_stack else ""
        told = self._timeline.stacks.get(state.root.stack_id)
        is_told = told is not None and told.status == (status or described.status)
        return _row(
            ResourceStatus(
                label=state.root.stack_name or state.plan.options.stack,
                kind=STACK,
                status=status or described.status,
                since=told.since if told is not None and is_told else 0.0,
                reason=told.reason if told is not None and is_told else "",
            ),
            depth=0,
        )

    def _below(self, stack_id: str, depth: int) -> Iterator[Row]:
        if stack_id in self._walked:
            return
        self._walked.add(stack_id)
        for logical_id, told in self._resources.get(stack_id, ()):
            if told.kind != STACK:
                yield self._resource(stack_id, logical_id, told, depth)
                continue
            own = self._timeline.stacks.get(told.physical_id)
            newest = own if own is not None and own.timestamp > told.timestamp else told
            yield _row(newest, depth=depth, label=told.label)
            if told.physical_id:
                yield from self._below(told.physical_id, depth + 1)

    def _resource(self, stack_id: str, logical_id: str, told: ResourceStatus, depth: int) -> Row:
        """A record set's status is the one that the run uses: its stack's list counts too."""
        status = told.status
        stack = self._state.stacks.get(stack_id)
        if stack is not None and logical_id in stack.records:
            status = stack.records[logical_id].status
        return Row(
            depth=depth,
            label=told.label,
            kind=told.kind,
            status=status,
            mark=mark_of(status, told.reason),
            since=told.since,
            reason=told.reason if status == told.status else "",
            is_record=told.kind == RECORD_SET and self._may_be_ours(stack_id, logical_id),
        )

    def _may_be_ours(self, stack_id: str, logical_id: str) -> bool:
        state = self._state
        if f"{stack_id} {logical_id}" in state.plan.resources:
            return False
        stack = state.stacks.get(stack_id)
        resource = stack.records.get(logical_id) if stack is not None else None
        if resource is None or resource.desired is None:
            return True
        desired = resource.desired.record
        return any(conflict(desired, handover.original) for handover in state.handovers)


def _row(told: ResourceStatus, *, depth: int, label: str = "") -> Row:
    return Row(
        depth=depth,
        label=label or told.label,
        kind=told.kind,
        status=told.status,
        mark=mark_of(told.status, told.reason),
        since=told.since,
        reason=told.reason,
        is_stack=True,
    )
