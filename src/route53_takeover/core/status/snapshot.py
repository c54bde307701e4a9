"""What a view shows of a run: one frozen value, made from its state and its timeline.

A screen needs nothing else: no journal, no AWS, no clock but the ``now`` that it is made for.
Texts are not escaped: the code that writes one to a terminal makes control characters visible.
Times are seconds since the epoch, durations seconds.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

from msgspec import Struct

from route53_takeover.core.domain.record_sets import RecordKey
from route53_takeover.core.domain.stacks import ABSENT
from route53_takeover.core.status.choices import Choice
from route53_takeover.core.status.result import Result
from route53_takeover.core.status.run_words import TAKEOVER_WORDS, RunWords


class Mark(StrEnum):
    """The progress of anything shown: a phase, a resource, a deploy, a server."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNDONE = "undone"  # rolled back, deleted, restored
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


def mark_of(status: str, reason: str = "") -> Mark:
    """What a status of CloudFormation's means, of a stack or of a resource.

    Args:
        status: such as ``CREATE_IN_PROGRESS``; empty where none is known.
        reason: its status reason: what was cancelled has not failed by itself.
    """
    if status in ("", ABSENT, "REVIEW_IN_PROGRESS"):
        return Mark.WAITING
    if status == "DELETE_SKIPPED" or (status.endswith("_FAILED") and _CANCELLED in reason):
        return Mark.SKIPPED
    if status.endswith("_FAILED"):
        return Mark.FAILED
    if "ROLLBACK" in status or status.startswith("DELETE_"):
        return Mark.UNDONE
    if status.endswith("_IN_PROGRESS"):
        return Mark.RUNNING
    return Mark.DONE if status.endswith("_COMPLETE") else Mark.UNKNOWN


_CANCELLED = "cancelled"


class Step(Struct, frozen=True, kw_only=True):
    """A phase on the rail.

    Attributes:
        spent: how long the run was, or has been, in it; ``None`` where it was not yet.
        expected: how long it takes if nothing goes wrong, where that is known.
    """

    phase: StrEnum
    words: str
    mark: Mark
    spent: float | None = None
    expected: float | None = None


class Field(Struct, frozen=True, kw_only=True):
    """One line of a record's before and after; ``after`` is empty while it is unknown."""

    name: str
    before: str
    after: str
    differs: bool


class Standing(Struct, frozen=True, kw_only=True):
    """A record at the name now, as the columns of a table; ``owner`` is empty where not known."""

    type: str
    value: str
    ttl: str
    owner: str = ""


class RecordView(Struct, frozen=True, kw_only=True):
    """A manual record set beside the one that the stack wants, and the records at the name now.

    Attributes:
        fields: type, value, TTL, owner.
        standing: the records at the name by the last read, a line a record set; empty: none.
        still_answers: whether the name answers without it, from other members of its routed group.
        covered_by: the wildcard that answers while it is gone.
        read_at: when that read began; ``None``: not read since the run's own last write, and
            ``standing`` is what that write left.
        mark: its progress; ``words`` says it.
        gap: how long the record set has been, or was, gone by the API; ``None``: never.
        gap_dns: the same by the worst name server.
        unwatched: for how many seconds of a gap that is over no process lived.
        now: ``standing`` in columns.
        strategy: how the name is handed over.
        until: when the run creates the record again at the latest, while there is none.
        is_off: whether the stack's record is not created any more in this run.
    """

    name: str
    type: str
    mark: Mark
    words: str
    fields: tuple[Field, ...]
    set_identifier: str | None = None
    standing: tuple[str, ...] = ()
    still_answers: bool = False
    covered_by: str = ""
    read_at: float | None = None
    gap: float | None = None
    gap_dns: float | None = None
    unwatched: float = 0.0
    now: tuple[Standing, ...] = ()
    strategy: str = ""
    until: float | None = None
    is_off: bool = False

    @property
    def label(self) -> str:
        """The record set as text names it."""
        return str(RecordKey(self.name, self.type, self.set_identifier))


class Row(Struct, frozen=True, kw_only=True):
    """A line of the tree of stacks: a stack, or a resource of one below it.

    Attributes:
        depth: 0 for the root.
        kind: the resource's type, such as ``AWS::Route53::RecordSet``.
        is_record: whether it is, or may be, a record of the takeover.
        since: when the status was taken in; 0 where no event told it.
    """

    depth: int
    label: str
    kind: str
    status: str
    mark: Mark
    since: float
    reason: str = ""
    is_stack: bool = False
    is_record: bool = False


class ServerAnswer(Struct, frozen=True, kw_only=True):
    """What one name server answered from ``since`` until its next answer.

    ``status``: ``answer``, ``nxdomain``, ``nodata``, ``timeout``, ``error``.
    """

    since: float
    status: str
    values: tuple[str, ...] = ()


class ServerView(Struct, frozen=True, kw_only=True):
    """One name server's answers about one name, oldest first; the last one is its latest."""

    server: str
    name: str
    type: str
    answers: tuple[ServerAnswer, ...]


class SwapView(Struct, frozen=True, kw_only=True):
    """What a blue-green switch switches.

    Attributes:
        before: where it leads at first; ``after``: where it is to lead.
        standing: where it led by the last read; empty where it was not read, or is gone.
        side: which side that is, as a word.
        read_at: when that was told.
    """

    kind: str
    target: str
    before: str
    after: str
    mark: Mark
    words: str
    standing: str = ""
    side: str = ""
    read_at: float | None = None


class LiveMeter(Struct, frozen=True, kw_only=True):
    """Who answers users, by the checks on their way.

    Attributes:
        recent: the newest answers, oldest first: time, side, whether it passed.
        share: green's part of the newest answers that tell; ``None`` where none does.
        answered: how many came from each side since the switch.
        failed: failed checks since the switch; ``max_failures``: those that are allowed.
        tells_sides: whether any check tells by its answer which side gave it, as far as is known.
        began_at: when the switch began.
    """

    recent: tuple[tuple[float, str, bool], ...]
    share: float | None
    answered: dict[str, int]
    failed: int
    max_failures: int
    first_green_at: float | None = None
    last_blue_at: float | None = None
    tells_sides: bool = True
    began_at: float | None = None


class CheckedWay(Struct, frozen=True, kw_only=True):
    """What came of a check by one way: of green alone, or as users go.

    Attributes:
        failure: why it did not pass the last time; empty where it always has.
        asked_at: when the newest question began.
    """

    way: str
    mark: Mark
    passed: int
    failed: int
    failure: str
    asked_at: float


class CheckView(Struct, frozen=True, kw_only=True):
    """A check of a blue-green switch; ``ways`` are those that it was asked by."""

    text: str
    mark: Mark
    ways: tuple[CheckedWay, ...] = ()


class Countdown(Struct, frozen=True, kw_only=True):
    """Something that happens at a known time unless something else does before.

    ``label``: ``the old TTL expires``, ``the record is restored``, ``the hold ends``.
    """

    label: str
    name: str
    since: float
    until: float


class Absence(Struct, frozen=True, kw_only=True):
    """A name that has no record, or is just losing it.

    Attributes:
        name: the name; where it still answers, the member that is missing.
        answers: that the name still answers from other members; empty where it does not.
        until: when the run creates the record again at the latest; ``None``: it does that now.
        is_certain: whether Route 53 has said that the record is gone.
    """

    name: str
    until: float | None
    is_certain: bool = True
    answers: str = ""


class CloudRescue(Struct, frozen=True, kw_only=True):
    """The deadman in AWS of one name.

    Attributes:
        at: when it creates the old record, if none stands then.
        text: that as a line: ``if this machine dies, AWS restores ... at 11:04:55Z``.
    """

    name: str
    at: float
    text: str


class DeployView(Struct, frozen=True, kw_only=True):
    """One of the deploy commands; ``label`` says which, ``log`` is its file in the run's folder."""

    label: str
    command: str
    mark: Mark
    words: str
    log: str
    since: float | None = None
    ended: float | None = None


class Copy(Struct, frozen=True, kw_only=True):
    """A text to copy, and what it is."""

    label: str
    text: str


class Detail(IntEnum):
    """Where a line of news is shown."""

    MAIN = 0  # everywhere
    MORE = 1  # on the screen, and in text with -v
    ALL = 2  # in text with -v: the screen shows it in another place


class News(Struct, frozen=True, kw_only=True):
    """A line of what happened.

    Attributes:
        phase: the phase that the run entered, where the line says that.
    """

    time: float
    text: str
    mark: Mark = Mark.DONE
    detail: Detail = Detail.MAIN
    phase: StrEnum | None = None


class Snapshot(Struct, frozen=True, kw_only=True):
    """A run as it was at ``now``; which phases there are, its machine says.

    Attributes:
        has_ended: whether nothing is done in it any more.
        doing: what the run does now, in a sentence.
        next: what happens next.
        waits: what it waits for, one condition a line; empty where it does not.
        needs_person: what the operator must do now; empty where nothing is needed.
        alerts: what went wrong and still counts.
        paused: whether the operator has paused it.
        news_at: when something last changed.
        events: how many events it was folded from.
        absences: the names without a record that the run must give one, the worst first.
        cloud_rescues: what AWS restores if this machine dies (``--cloud-deadman``).
        swaps: what a blue-green switch switches; ``meter``: who answers users in it; ``checks``:
            what its checks got.
        words: what is called otherwise in another kind of run; in a switch ``stack`` is green's, or
            empty, and ``zone`` the name of the site.
        as_of: the time of the newest event.
        deploys_elsewhere: whether the deploy is started by something else (``--no-deploy``).
    """

    run: str
    stack: str
    zone: str
    account: str
    phase: StrEnum
    has_ended: bool
    began: float
    now: float
    doing: str
    next: str
    waits: tuple[str, ...]
    needs_person: str
    alerts: tuple[str, ...]
    paused: bool
    news_at: float
    events: int
    steps: tuple[Step, ...]
    records: tuple[RecordView, ...]
    tree: tuple[Row, ...]
    servers: tuple[ServerView, ...]
    released: tuple[float, ...]
    back: tuple[float, ...]
    countdowns: tuple[Countdown, ...]
    deploys: tuple[DeployView, ...]
    choices: tuple[Choice, ...]
    copies: tuple[Copy, ...]
    news: tuple[News, ...]
    result: Result | None = None
    rehearsal: str = ""
    absences: tuple[Absence, ...] = ()
    cloud_rescues: tuple[CloudRescue, ...] = ()
    swaps: tuple[SwapView, ...] = ()
    meter: LiveMeter | None = None
    checks: tuple[CheckView, ...] = ()
    words: RunWords = TAKEOVER_WORDS
    as_of: float = 0.0
    deploys_elsewhere: bool = False
