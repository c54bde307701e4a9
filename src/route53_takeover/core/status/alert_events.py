"""What ``--on-event`` and a desktop notification report: gaps, what needs the operator, the end.

Decided by the events of the journal and the state after each, so that a run that is resumed reports
nothing twice.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.status.any_run import has_run_ended, needs_of, tell, timeline_for
from route53_takeover.core.status.gaps import GapClosed, GapOpened, gap_changes
from route53_takeover.core.takeover.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.events import Event
    from route53_takeover.core.status.any_run import RunState
    from route53_takeover.core.status.switch.timeline import SwitchTimeline
    from route53_takeover.core.status.timeline import Timeline

_AGAIN = 60.0
"""Seconds before the same need is reported again: what comes and goes is one thing to do."""
_PACE = 1.0
"""Seconds between two looks at what is needed: it takes longer than an event, with many names."""


class AlertKind(StrEnum):
    """What is reported."""

    GAP_OPENED = "gap-opened"
    GAP_CLOSED = "gap-closed"
    NEEDS_YOU = "needs-you"
    ENDED = "ended"


class Alert(Struct, frozen=True, kw_only=True):
    """One report: ``text`` says it in a sentence; ``gap`` is the gap that it is about."""

    kind: AlertKind
    text: str
    gap: GapOpened | GapClosed | None = None


class AlertFeed:
    """The alerts of one run, event by event.

    Args:
        known: the state of a run that is resumed: what held then was reported before.
    """

    def __init__(self, known: RunState | None = None) -> None:
        self._state = known
        self._timeline: Timeline | SwitchTimeline | None = None
        self._asked_at = 0.0
        self._needed, self._last = "", ("", 0.0)  # now; reported last, and when
        if known is not None:
            self._timeline = timeline_for(known)
            self._needed = _kind_of(needs_of(known, self._timeline))
            self._last = (self._needed, known.now)

    def take(self, event: Event, state: RunState) -> tuple[Alert, ...]:
        """Takes one more event in, and the state after it; what there is to report now."""
        before, self._state = self._state, state
        if self._timeline is None:
            self._timeline = timeline_for(state)
        tell(self._timeline, event, state)
        return tuple(self._alerts(before, state, self._timeline))

    def _alerts(
        self, before: RunState | None, state: RunState, timeline: Timeline | SwitchTimeline
    ) -> Iterator[Alert]:
        for gap in gap_changes(before, state):
            is_closed = isinstance(gap, GapClosed)
            kind = AlertKind.GAP_CLOSED if is_closed else AlertKind.GAP_OPENED
            yield Alert(kind=kind, text=gap.text, gap=gap)
        if has_run_ended(state):
            if before is None or not has_run_ended(before):
                yield Alert(kind=AlertKind.ENDED, text=_end_of(state))
            return
        if state.now < self._asked_at + _PACE:
            return
        self._asked_at = state.now
        needed, text = self._needed, needs_of(state, timeline)
        self._needed = _kind_of(text)
        if self._needed in ("", needed):
            return
        reported, at = self._last
        if self._needed != reported or state.now - at >= _AGAIN:
            self._last = (self._needed, state.now)
            yield Alert(kind=AlertKind.NEEDS_YOU, text=text)


def _kind_of(needed: str) -> str:
    """What is needed, without the times and numbers that an error message repeats."""
    return "".join(c for c in needed if not c.isdecimal())


def _end_of(state: RunState) -> str:
    what = f"stack {state.plan.options.stack}" if isinstance(state, State) else state.plan.site
    if state.ending is None:
        return f"{what}: ended"
    return f"{what}: {state.ending.outcome}: {state.ending.reason}"
