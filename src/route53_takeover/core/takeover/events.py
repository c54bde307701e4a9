"""The events of a run: everything that the machine learns.

Events are facts, named in the past tense; each carries the time at which the engine took it in. A
run's journal is the list of them; those of every run are in `route53_takeover.core.events`. The
machine's commands are in `route53_takeover.core.takeover.commands`.
"""

from __future__ import annotations

from enum import StrEnum

from route53_takeover.core.domain.record_sets import Change, RecordSet
from route53_takeover.core.domain.stacks import (
    StackDescription,
    StackEvent,
    StackResource,
    StackTemplate,
)
from route53_takeover.core.events import (
    AbortAsked,
    AlertFailed,
    BackupFailed,
    BackupWritten,
    DeployExited,
    DeployIntended,
    Event,
    Interrupted,
    JournalFailed,
    Observation,
    RestoreAsked,
    RunPaused,
    RunResumed,
    RunUnpaused,
    TimePassed,
)
from route53_takeover.core.plan.model import Plan


class Purpose(StrEnum):
    """Why a batch is written."""

    LOWER = "lower-ttl"
    PROVE = "prove"
    PREPARE = "prepare"  # into what the stack wants, or what its record can stand beside
    BRIDGE = "bridge"  # the helper records are created
    RELEASE = "release"
    RESTORE = "restore"
    UNDO = "undo-ttl"  # back to the original, whatever was changed of it
    WEIGH = "weigh"  # a step of weight
    REMOVE = "remove"  # a helper record, or the last manual member, is deleted
    LOWER_SOA = "lower-negative-ttl"
    RESTORE_SOA = "restore-negative-ttl"


SOA_PURPOSES = frozenset({Purpose.LOWER_SOA, Purpose.RESTORE_SOA})
"""What is written of the zone's SOA, and nothing else by these: each batch is one UPSERT."""


# -- the run itself


class RunStarted(Event, frozen=True, kw_only=True):
    """The plan was accepted; nothing has been written yet.

    ``rehearsal``: the account is a simulated one, which ends with the run.
    """

    run: str
    plan: Plan
    rehearsal: bool = False


# -- Route 53


class NameRead(Observation, frozen=True, kw_only=True):
    """Every record set at a name, by a read that began at ``began``.

    ``protected``: the types that are protected there, as far as that was asked and is known.
    """

    name: str
    began: float
    records: tuple[RecordSet, ...]
    protected: tuple[str, ...] = ()


class NameUnread(Observation, frozen=True, kw_only=True):
    """A read failed; it says nothing of the name."""

    name: str
    reason: str


class WriteIntended(Event, frozen=True, kw_only=True):
    """This batch will be sent now, once. Durable before the first byte leaves."""

    id: str
    name: str
    purpose: Purpose
    changes: tuple[Change, ...]


class WriteAccepted(Event, frozen=True, kw_only=True):
    """Route 53 applied the whole batch."""

    id: str
    name: str
    change_id: str


class WriteRefused(Event, frozen=True, kw_only=True):
    """Route 53 applied nothing of it, for a reason of the zone's or of permissions."""

    id: str
    name: str
    code: str
    reason: str


class WriteHeldOff(Event, frozen=True, kw_only=True):
    """Nothing was applied: throttled, a prior request not complete, or never sent."""

    id: str
    name: str
    reason: str


class WriteUnknown(Event, frozen=True, kw_only=True):
    """The answer was lost: it may have been applied, or may yet be."""

    id: str
    name: str
    reason: str


class ChangeInsync(Event, frozen=True, kw_only=True):
    """Every name server serves the change (``GetChange``)."""

    name: str
    change_id: str


class NamesAnswered(Observation, frozen=True, kw_only=True):
    """How the name servers' answers changed: server -> status, for one name and type.

    Attributes:
        values: server -> the values it answered, sorted, of those that answered with any.
    """

    name: str
    type: str
    statuses: dict[str, str]
    values: dict[str, tuple[str, ...]] = {}


NameEvent = (
    NameRead
    | NameUnread
    | WriteIntended
    | WriteAccepted
    | WriteRefused
    | WriteHeldOff
    | WriteUnknown
    | ChangeInsync
    | NamesAnswered
)
"""What is told of one name: a manual one, that of a helper record, or the zone's, of its SOA."""


# -- the deadman in AWS


class DeadmanTested(Event, frozen=True, kw_only=True):
    """What ``TestState`` says of restoring a name with the real role: proven without a ``reason``.

    ``is_certain``: it will say the same again.
    """

    name: str
    reason: str = ""
    is_certain: bool = True


class DeadmanIntended(Event, frozen=True, kw_only=True):
    """This execution will be started now; it restores the record set after so many seconds."""

    id: str
    name: str
    record: RecordSet
    seconds: float


class DeadmanAnswer(StrEnum):
    """What a call about an execution came to."""

    STARTED = "started"
    REFUSED = "refused"  # it was not started
    HELD_OFF = "held-off"  # the same, for now
    UNKNOWN = "unknown"  # no answer: it may have been started
    FOUND = "found"  # it runs
    ABSENT = "absent"  # it was not found
    ENDED = "ended"  # it has ended by itself
    STOPPED = "stopped"
    NOT_STOPPED = "not-stopped"
    NOT_FOUND_OUT = "not-found-out"


class DeadmanAnswered(Event, frozen=True, kw_only=True):
    """What became of an execution, or of a call about it."""

    id: str
    name: str
    answer: DeadmanAnswer
    reason: str = ""


DeadmanEvent = DeadmanTested | DeadmanIntended | DeadmanAnswered


# -- CloudFormation


class BaselineRead(Event, frozen=True, kw_only=True):
    """The stack tree before a deploy: stack id -> newest event id, and its resources.

    Attributes:
        root: the root stack, `ABSENT` where there is none yet.
        newest: stack id -> id of its newest event; a stack in progress that we joined has none.
        until: stack id -> AWS's time of that event.
        existing: stack id -> logical ids it holds already.
        parents: id of each nested stack -> id of its parent.
    """

    root: StackDescription
    newest: dict[str, str] = {}
    until: dict[str, float] = {}
    existing: dict[str, tuple[str, ...]] = {}
    parents: dict[str, str] = {}


class BaselineUnread(Event, frozen=True, kw_only=True):
    """It could not be read; nothing is deployed before it is."""

    reason: str


class StackPolled(Observation, frozen=True, kw_only=True):
    """Whole pages of new events, oldest first, of a poll that began at ``began``."""

    stack: str
    began: float
    events: tuple[StackEvent, ...] = ()


class StackUnpolled(Observation, frozen=True, kw_only=True):
    """A poll failed; the next one returns what was missed."""

    stack: str
    reason: str


class RootDescribed(Observation, frozen=True, kw_only=True):
    """The root stack as ``DescribeStacks`` shows it."""

    began: float
    root: StackDescription


class RootUndescribed(Observation, frozen=True, kw_only=True):
    """It could not be described."""

    reason: str


class TemplateRead(Observation, frozen=True, kw_only=True):
    """What the template in force says of record sets; ``None`` where it could not be read."""

    stack: str
    template: StackTemplate | None


class ResourcesRead(Observation, frozen=True, kw_only=True):
    """Every resource of one stack, by a read that began at ``began``: events may lag behind it."""

    stack: str
    began: float
    resources: tuple[StackResource, ...] = ()


class ResourcesUnread(Observation, frozen=True, kw_only=True):
    """They could not be read."""

    stack: str
    reason: str


# -- the operator's requests


class HoldCut(Event, frozen=True, kw_only=True):
    """The operator wants the name released now, without the rest of the hold."""

    name: str


class ReleaseConfirmed(Event, frozen=True, kw_only=True):
    """The operator confirms the release of the name (``--confirm-release``)."""

    name: str


class DeadmanExtended(Event, frozen=True, kw_only=True):
    """The operator gives CloudFormation this many seconds more, while the name has no record."""

    name: str
    seconds: float


OperatorEvent = (
    RunPaused
    | RunUnpaused
    | HoldCut
    | ReleaseConfirmed
    | DeadmanExtended
    | RestoreAsked
    | AbortAsked
)
"""What a screen may submit. Keys come late, twice, and from two screens at once: each of these is
folded by `core.takeover.fold_requests`, and changes nothing where it does not apply."""

AnyEvent = (
    RunStarted
    | RunResumed
    | BackupWritten
    | BackupFailed
    | TimePassed
    | Interrupted
    | JournalFailed
    | AlertFailed
    | NameRead
    | NameUnread
    | WriteIntended
    | WriteAccepted
    | WriteRefused
    | WriteHeldOff
    | WriteUnknown
    | ChangeInsync
    | NamesAnswered
    | BaselineRead
    | BaselineUnread
    | StackPolled
    | StackUnpolled
    | RootDescribed
    | RootUndescribed
    | TemplateRead
    | ResourcesRead
    | ResourcesUnread
    | DeadmanTested
    | DeadmanIntended
    | DeadmanAnswered
    | DeployIntended
    | DeployExited
    | RunPaused
    | RunUnpaused
    | HoldCut
    | ReleaseConfirmed
    | DeadmanExtended
    | RestoreAsked
    | AbortAsked
)
