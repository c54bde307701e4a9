"""Lines about names without a record, for text: that one has none and until when, and its end.

They are beside the timeline's: the screen shows the same facts in a place of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.status.gaps import GapOpened, gap_changes
from route53_takeover.core.status.result import gap_words, unwatched_seconds
from route53_takeover.core.status.snapshot import Mark, News
from route53_takeover.core.status.spoken_times import length, time_of_day
from route53_takeover.core.takeover.absence import lack
from route53_takeover.core.takeover.name_state import ABSENT_STAGES, RecordStatus
from route53_takeover.core.takeover.queries import IN_PROGRESS, root_kind
from route53_takeover.core.takeover.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.status.any_run import RunState
    from route53_takeover.core.status.gaps import GapClosed
    from route53_takeover.core.takeover.name_state import NameState

_MOVED = 0.5
"""Seconds by which a deadline must move before it is said again."""


class _Gap(NamedTuple):
    """Since when a name has no record, and the time that was said for its restore."""

    since: float
    until: float | None


class GapLines:
    """Follows a run's states; keeps which names have no record."""

    def __init__(self) -> None:
        self._open: dict[str, _Gap] = {}
        self._before: RunState | None = None

    def take(self, state: RunState) -> tuple[News, ...]:
        """The lines that the newest event adds."""
        if not isinstance(state, State):
            changes, self._before = tuple(gap_changes(self._before, state)), state
            return tuple(_of_mapping(change, state.now) for change in changes)
        return tuple(line for name in state.names.values() for line in self._follow(state, name))

    def _follow(self, state: State, name: NameState) -> Iterator[News]:
        is_open = name.is_absent and not lack(name).answers
        before = self._open.get(name.name)
        if not is_open:
            if before is not None:
                del self._open[name.name]
                text = _closed(state, name, state.now - before.since)
                yield News(time=state.now, text=text, mark=Mark.DONE)
            return
        until = None if name.restoring else name.deadman_at
        if before is not None and not _has_moved(before.until, until):
            return
        since = _began(state, name) if before is None else before.since
        self._open[name.name] = _Gap(since, until)
        what = f"NO RECORD: {display_name(name.name)} does not resolve"
        then = "it is being restored"
        if until is not None:
            then = f"restored at {time_of_day(until)} at the latest"
        yield News(time=state.now, text=f"{what}; {then}", mark=Mark.FAILED)


def _of_mapping(change: GapOpened | GapClosed, now: float) -> News:
    """A mapping of a switch that is gone, or there again."""
    mark = Mark.FAILED if isinstance(change, GapOpened) else Mark.DONE
    return News(time=now, text=change.text, mark=mark)


def _has_moved(before: float | None, now: float | None) -> bool:
    """Whether another deadline is to be said; that a restore has begun has a line of its own."""
    return now is not None and (before is None or abs(now - before) > _MOVED)


def _began(state: State, name: NameState) -> float:
    """Since when it has none: perhaps since before this process was there to say so."""
    absent = [h for h in name.handovers if h.stage in ABSENT_STAGES]
    return min((h.gap_began_at for h in absent if h.gap_began_at is not None), default=state.now)


def _closed(state: State, name: NameState, lasted: float) -> str:
    unwatched = max((unwatched_seconds(state, h) for h in name.handovers), default=0.0)
    after = f" after {gap_words(length(lasted), unwatched)}"
    shown = display_name(name.name)
    if not any(h.stage is RecordStatus.RESTORED for h in name.handovers):
        return f"{shown} has a record again{after}"
    if root_kind(state) not in IN_PROGRESS:
        return f"{shown}: record restored{after}"
    stack = state.root.stack_name or state.plan.options.stack
    return f"{shown}: record restored{after}; waiting for stack {stack} to roll back"
