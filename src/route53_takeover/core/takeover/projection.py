"""Folding a run's events, one further at a time: for the engine, and for all who read a journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.takeover.step import step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from route53_takeover.core.takeover import events as ev
    from route53_takeover.core.takeover.commands import AnyCommand
    from route53_takeover.core.takeover.state import State


def _ignored(event: ev.AnyEvent, error: Exception) -> None:
    """Whoever reads a journal ignores what the engine ignored."""


class Projection:
    """The state that events come to.

    An event that the machine does not accept changes nothing: it was ignored when it came, and is
    ignored by everyone who folds the journal.

    Args:
        rejected: is told of each such event; may raise.

    Attributes:
        state: ``None`` before the first event.
        seq: how many events of the journal were taken.
    """

    def __init__(self, rejected: Callable[[ev.AnyEvent, Exception], None] = _ignored) -> None:
        self.state: State | None = None
        self.seq = 0
        self._rejected = rejected

    def take(self, event: ev.AnyEvent) -> tuple[AnyCommand, ...]:
        """Folds one more event of the journal; what follows from it.

        Raises:
            ValueError: it is the first, and no run begins with it.
        """
        self.seq += 1
        return self.apply(event)

    def apply(self, event: ev.AnyEvent) -> tuple[AnyCommand, ...]:
        """The same for an event that no journal holds."""
        try:
            self.state, commands = step(self.state, event)
        except Exception as error:  # a defect of ours must not end a rescue
            if self.state is None:
                raise
            self._rejected(event, error)
            return ()
        return commands


def fold(history: Iterable[ev.AnyEvent]) -> State | None:
    """The state after these events; ``None`` where there are none.

    Raises:
        ValueError: they do not begin with the beginning of a run.
    """
    projection = Projection()
    for event in history:
        projection.take(event)
    return projection.state
