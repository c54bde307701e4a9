"""What a report says of a run: one frozen value for text, Markdown, HTML and JSON.

Texts are not escaped: each rendering makes foreign text harmless in its own way. Times are seconds
since the epoch, durations seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct

from route53_takeover.core.status.forecast_result import ForecastResult
from route53_takeover.core.status.result import Result
from route53_takeover.core.status.run_status import LaterRestore, RunStatus
from route53_takeover.core.status.snapshot import (
    CheckView,
    DeployView,
    Mark,
    RecordView,
    SwapView,
)


class Fact(Struct, frozen=True):
    """A line of the head."""

    label: str
    text: str


class Line(Struct, frozen=True, kw_only=True):
    """A line of the timeline.

    Attributes:
        phase: that the run entered then; empty where the line says something else.
        times: how often the same was said in a row; ``until``: the last time.
    """

    time: float
    text: str
    mark: Mark
    phase: str = ""
    times: int = 1
    until: float = 0.0


class SentChange(Struct, frozen=True, kw_only=True):
    """One change of a batch.

    Attributes:
        shape: as it was sent to Route 53; empty of what is no record set.
    """

    action: str
    text: str
    shape: dict[str, Any] = {}


class Batch(Struct, frozen=True, kw_only=True):
    """What was sent to AWS in one request, and the answer.

    Attributes:
        id: of the request, as in its comment in CloudTrail where it has one.
        purpose: why it was sent, in words.
        answer: ``accepted``, ``refused``, ``not applied``, ``unknown``, or ``none`` yet.
        detail: the id that AWS gave it, or why it was not applied.
    """

    time: float
    id: str
    purpose: str
    changes: tuple[SentChange, ...]
    answer: str = "none"
    detail: str = ""
    answered_at: float | None = None


class ServerGap(Struct, frozen=True, kw_only=True):
    """How long one name server did not answer for a name after the release; 0: whenever asked."""

    server: str
    name: str
    seconds: float
    is_open: bool = False


class Answered(StrEnum):
    """What a name server answered, as the chart shows it."""

    OLD = "old"
    NEW = "new"
    NXDOMAIN = "nxdomain"
    NODATA = "nodata"
    TIMEOUT = "timeout"
    ERROR = "error"


ANSWERED_WORDS = {
    Answered.OLD: "answers as before",
    Answered.NEW: "answers with the new record",
    Answered.NXDOMAIN: "no such name",
    Answered.NODATA: "no record",
    Answered.TIMEOUT: "no answer",
    Answered.ERROR: "error",
}


class Bar(Struct, frozen=True, kw_only=True):
    """The same answer for a while."""

    since: float
    until: float
    answered: Answered


class ChartRow(Struct, frozen=True, kw_only=True):
    """One name server's answers about one name and type."""

    server: str
    about: str
    bars: tuple[Bar, ...]


class ServerChart(Struct, frozen=True, kw_only=True):
    """What the name servers answered around the release.

    Attributes:
        zero: the first release; the beginning where nothing was deleted.
        released: the times of all; ``back``: when a record was there again.
    """

    zero: float
    start: float
    end: float
    rows: tuple[ChartRow, ...]
    released: tuple[float, ...] = ()
    back: tuple[float, ...] = ()


class Share(Struct, frozen=True, kw_only=True):
    """The answers to users' way in one stretch of time, by the side that gave them."""

    since: float
    until: float
    blue: int = 0
    green: int = 0
    untold: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.blue + self.green + self.untold + self.failed


class ShareChart(Struct, frozen=True, kw_only=True):
    """Who answered users while a site was switched; ``zero``: when the switch began."""

    zero: float
    start: float
    end: float
    shares: tuple[Share, ...]
    first_green_at: float | None = None
    last_blue_at: float | None = None


class Report(Struct, frozen=True, kw_only=True):
    """Everything.

    Attributes:
        title: what the run was for.
        as_of: the time that it is made for; later than ``last`` only of a run that goes on.
        last: time of the newest event; ``events``: how many there are.
        headline: the result, or where the run stands, in a sentence.
        advice: what to do, and commands for it, a line each.
        phases: the phases in order, each with the time at which it was entered.
        api_calls: by operation; ``None`` where they were not kept.
    """

    run: str
    kind: str
    title: str
    rehearsal: str
    began: float
    as_of: float
    last: float
    events: int
    status: RunStatus
    headline: str
    advice: tuple[Fact, ...]
    facts: tuple[Fact, ...]
    phases: tuple[tuple[str, float], ...]
    result: Result | None
    records: tuple[RecordView, ...]
    swaps: tuple[SwapView, ...]
    checks: tuple[CheckView, ...]
    deploys: tuple[DeployView, ...]
    gaps: tuple[ServerGap, ...]
    forecasts: tuple[ForecastResult, ...]
    lines: tuple[Line, ...]
    batches: tuple[Batch, ...]
    restores: tuple[LaterRestore, ...]
    api_calls: Mapping[str, int] | None
    servers: ServerChart | None = None
    shares: ShareChart | None = None
