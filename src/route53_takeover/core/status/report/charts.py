"""What the charts of a report show: name servers around a release, blue and green in a switch."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.status.report.model import (
    Answered,
    Bar,
    ChartRow,
    ServerChart,
    Share,
    ShareChart,
)
from route53_takeover.core.switch.events import CheckAnswered, Way

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from route53_takeover.core.status.snapshot import LiveMeter, ServerAnswer, ServerView, Snapshot
    from route53_takeover.core.switch.state import LiveAnswer

_BEFORE, _AFTER = 0.15, 0.25
"""Parts of the shown span before the release and after the last change."""
_LEAST = 2.0
"""Seconds that are shown on either side at least."""
_PAUSE = 15.0
"""Seconds without an answer that are no gap in the chart of a switch."""
_SHARES = 48
"""Columns of the chart of a switch, at most."""


def server_chart(shown: Snapshot) -> ServerChart | None:
    """The name servers' answers; ``None`` where none was asked."""
    first = [server.answers[0].since for server in shown.servers if server.answers]
    if not first:
        return None
    zero = min(shown.released, default=min(first))
    moved = [a.since for s in shown.servers for a in s.answers if a.since >= zero]
    last = max([zero, *shown.released, *shown.back, *moved])
    if not shown.has_ended and shown.absences:
        last = max(last, shown.now)
    if not shown.released:
        last = max(last, shown.now)
    span = last - zero
    start = zero - max(span * _BEFORE, _LEAST) if shown.released else min(first)
    end = last + max(span * _AFTER, _LEAST) if shown.released else max(last, zero + _LEAST)
    rows = tuple(
        ChartRow(
            server=server.server.removesuffix("."),
            about=f"{server.name} {server.type}",
            bars=_bars(server, zero, start, end),
        )
        for server in sorted(shown.servers, key=lambda s: (s.name, s.type, s.server))
        if server.answers
    )
    return ServerChart(
        zero=zero, start=start, end=end, rows=rows, released=shown.released, back=shown.back
    )


def _bars(server: ServerView, zero: float, start: float, end: float) -> tuple[Bar, ...]:
    """Its answers within the range, one that lasted too short to be seen included."""
    before = [a for a in server.answers if a.since <= zero and a.status == "answer"]
    known = {value for answer in before for value in answer.values}
    ends = [*(answer.since for answer in server.answers[1:]), end]
    return tuple(
        Bar(since=max(a.since, start), until=min(until, end), answered=_answered(a, known))
        for a, until in zip(server.answers, ends, strict=True)
        if until > start and a.since < end
    )


def _answered(answer: ServerAnswer, known: set[str]) -> Answered:
    """Load balancers answer with a part of their addresses: one known before is enough."""
    if answer.status == "answer":
        return Answered.NEW if known.isdisjoint(answer.values) else Answered.OLD
    return Answered(answer.status) if answer.status in set(Answered) else Answered.ERROR


def share_chart(answers: Sequence[LiveAnswer], meter: LiveMeter | None) -> ShareChart | None:
    """Who answered users; ``None`` where no check asked, or the switch never began."""
    if not answers or meter is None or meter.began_at is None:
        return None
    zero, start = meter.began_at, min(meter.began_at, answers[0].time)
    end = max(answers[-1].time, zero) + 1.0
    count = min(_SHARES, max(ceil(end - start), 1))
    step = (end - start) / count
    columns = (
        _share(answers, start + number * step, start + (number + 1) * step)
        for number in range(count)
    )
    return ShareChart(
        zero=zero,
        start=start,
        end=end,
        shares=tuple(_lasting([column for column in columns if column.total], end)),
        first_green_at=meter.first_green_at,
        last_blue_at=meter.last_blue_at,
    )


def _share(answers: Iterable[LiveAnswer], since: float, until: float) -> Share:
    here = [answer for answer in answers if since <= answer.time < until]
    passed = [answer.side for answer in here if answer.passed]
    blue, green = passed.count(Side.BLUE), passed.count(Side.GREEN)
    return Share(
        since=since,
        until=until,
        blue=blue,
        green=green,
        untold=len(passed) - blue - green,
        failed=len(here) - len(passed),
    )


def _lasting(shares: Sequence[Share], end: float) -> Iterator[Share]:
    """Each until the next, where checks are asked seldom; a longer pause stays empty."""
    ends = [*(share.since for share in shares[1:]), end]
    for share, until in zip(shares, ends, strict=True):
        yield replace(share, until=min(until, share.until + _PAUSE))


def is_live_answer(event: object) -> bool:
    """Whether a state's newest live answer is that of this event."""
    return isinstance(event, CheckAnswered) and event.way is Way.LIVE
