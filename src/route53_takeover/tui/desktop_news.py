"""What a screen asks the terminal to notify of: what is new from one view to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.status.rehearsal_marks import prefix
from route53_takeover.output.desktop import notification
from route53_takeover.process.protocol import Link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.process.protocol import View


class DesktopNews:
    """Compares each view with the one before; what the first one shows is no news.

    Args:
        sequence: of `route53_takeover.output.desktop.sequence_for`; empty: the terminal has none.
        asked: whether rehearsals are reported too.
    """

    def __init__(self, sequence: str = "", *, asked: bool = False) -> None:
        self._sequence = sequence
        self._asked = asked
        self._before: View | None = None

    def sequences(self, view: View) -> tuple[str, ...]:
        """What to write to the terminal, now that this is shown."""
        before, self._before = self._before, view
        rehearsal = view.snapshot.rehearsal
        is_off = not self._sequence or (rehearsal and not self._asked)
        if is_off or before is None or view.link is Link.REPLAY:
            return ()
        return tuple(
            notification(self._sequence, f"{prefix(rehearsal)}{text}")
            for text in _news(before, view)
        )


def _news(before: View, view: View) -> Iterator[str]:
    old, new = before.snapshot, view.snapshot
    was = {each.name for each in old.absences if each.is_certain}
    now = {each.name: each for each in new.absences if each.is_certain}
    for name, each in now.items():
        if name not in was:
            yield f"{name} is missing; {each.answers}" if each.answers else f"{name} has no record"
    for name in sorted(was - now.keys()):
        yield f"{name} has a record again"
    if new.needs_person and new.needs_person != old.needs_person and new.result is None:
        yield new.needs_person
    if new.result is not None and old.result is None:
        yield f"{new.result.outcome}: {new.result.reason}"
    if view.link is Link.GONE and before.link is not Link.GONE:
        missing = f"; {', '.join(now)} has no record" if now else ""
        yield f"the process of the run has died{missing}"
