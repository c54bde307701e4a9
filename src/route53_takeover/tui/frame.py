"""The data that every part of the run's screen is drawn from."""

from __future__ import annotations

from msgspec import Struct

from route53_takeover.process.protocol import Link, View


class Frame(Struct, frozen=True, kw_only=True):
    """A view, and what time it is in the run that it shows.

    ``now`` is the run's time, which goes on between two views where the run itself goes on. A
    rehearsal or a replay has a clock of its own, so that it is never compared with this machine's.
    """

    view: View
    now: float

    @property
    def ahead(self) -> float:
        """Seconds since the snapshot was made."""
        return max(self.now - self.view.snapshot.now, 0.0)


def goes_on(view: View) -> bool:
    """Whether time passes in the run between this view and the next."""
    snapshot = view.snapshot
    return (
        view.link in (Link.LIVE, Link.STALE) and snapshot.result is None and not snapshot.has_ended
    )
