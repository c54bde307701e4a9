"""The data that every part of the run's screen is drawn from."""

from __future__ import annotations

from msgspec import Struct

from route53_takeover.process.protocol import Link, View
from route53_takeover.tui.key_bar import Hint

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Frame(Struct, frozen=True, kw_only=True):
    """A view, and what time it is in the run that it shows.

    ``now`` is the run's time, which goes on between two views where the run itself goes on. A
    rehearsal or a replay has a clock of its own, so that it is never compared with this machine's.

    Attributes:
        beat: counts the drawings of what moves; ``None`` where nothing does.
        hints: the keys that apply now, the most urgent first.
    """

    view: View
    now: float
    beat: int | None = None
    hints: tuple[Hint, ...] = ()

    @property
    def ahead(self) -> float:
        """Seconds since the snapshot was made."""
        return max(self.now - self.view.snapshot.now, 0.0)

    def spinner(self, still: str) -> str:
        """One cell that moves while the run goes on; ``still`` where it does not."""
        return still if self.beat is None else SPINNER[self.beat % len(SPINNER)]


def is_moving(view: View) -> bool:
    """Whether a process works on the run: only then anything is shown as moving."""
    snapshot = view.snapshot
    return view.link is Link.LIVE and snapshot.result is None and not snapshot.has_ended


def goes_on(view: View) -> bool:
    """Whether time passes in the run between this view and the next.

    A gap goes on without a process, too.
    """
    snapshot = view.snapshot
    if view.link in (Link.GONE, Link.KILLED):
        return bool(snapshot.absences)
    is_over = snapshot.result is not None or snapshot.has_ended
    return view.link in (Link.LIVE, Link.STALE) and not is_over
