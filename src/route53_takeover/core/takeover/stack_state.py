"""What a run knows of the stack tree: one state a stack, and the record resources in it.

Folded by `core.takeover.fold_stacks`. What a name holds is in `core.takeover.state`: that is read,
not told by a stack.
"""

from __future__ import annotations

from msgspec import Struct

from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.stacks import StackPhase, StackTemplate, kind_of


class RecordResource(Struct, frozen=True, kw_only=True):
    """An ``AWS::Route53::RecordSet`` in the current operation of its stack.

    Attributes:
        since: when its first ``CREATE_IN_PROGRESS`` was taken in.
        initiated_at: when an event or a list with a physical id was: CloudFormation may have it,
            and be waiting for INSYNC only.
        guessed: only its name is known, so ``desired`` is a guess: it may keep a batch from being
            written, and tells nothing else.
        group: it is one record of a ``RecordSetGroup``, all of which share its logical id;
            ``desired`` is ``None`` where nothing tells which.
    """

    stack_id: str
    logical_id: str
    status: str
    since: float
    initiated_at: float | None = None
    desired: DesiredRecord | None = None
    guessed: bool = False
    group: bool = False
    reason: str = ""


class StackState(Struct, frozen=True, kw_only=True):
    """One stack of the tree, since the baseline.

    Attributes:
        status: its newest own status; empty until an event told one.
        operations: how many operations it began.
        started: AWS's time of the current one; older events belong to earlier ones.
        newest: logical id -> AWS's time and status of its newest event.
        polled: when the newest successful poll began; ``poll_told`` when its answer came.
        listed: when the newest successful read of its resources began; ``told`` when it ended.
        template: what it says of record sets; ``None`` until it was read.
        template_for: in which operation that was.
        template_failures: reads of it in vain since; the next is not before ``template_after``.
        seen: ids of the events taken in.
        baseline: id of the newest event before the deploy, where there was one.
        floor: AWS's time of that event: one that is not later belongs to an earlier operation,
            whenever it becomes visible.
    """

    stack_id: str
    parent: str | None = None
    status: str = ""
    status_time: float = 0.0
    operations: int = 0
    started: float = 0.0
    newest: dict[str, tuple[float, str]] = {}
    records: dict[str, RecordResource] = {}
    existing: frozenset[str] = frozenset()
    polled: float = 0.0
    poll_told: float = 0.0
    listed: float = 0.0
    told: float = 0.0
    seen: frozenset[str] = frozenset()
    baseline: str | None = None
    floor: float = 0.0
    template: StackTemplate | None = None
    template_for: int = 0
    template_failures: int = 0
    template_after: float = 0.0
    first_error: str = ""

    @property
    def kind(self) -> StackPhase:
        return kind_of(self.status) if self.status else StackPhase.ABSENT
