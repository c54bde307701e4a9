"""Folding a run's events, one further at a time: for the engine, and for all who read a journal."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Generic

from route53_takeover.core.machine import C, E, S

if TYPE_CHECKING:
    from collections.abc import Callable


def _ignored(event: object, error: Exception) -> None:
    """A reader of a journal ignores what the engine ignored."""


class Projection(Generic[S, E, C]):
    """The state that events come to.

    An event that the machine does not accept changes nothing: it was ignored when it came, and is
    ignored by everyone who folds the journal.

    Args:
        step: the machine's.
        rejected: is told of each such event; may raise.

    Attributes:
        state: ``None`` before the first event.
        seq: how many events of the journal were taken.
    """

    def __init__(
        self,
        step: Callable[[S | None, E], tuple[S, tuple[C, ...]]],
        rejected: Callable[[E, Exception], None] = _ignored,
    ) -> None:
        self.state: S | None = None
        self.seq = 0
        self._step = step
        self._rejected = rejected

    def take(self, event: E) -> tuple[C, ...]:
        """Folds one more event of the journal; what follows from it.

        Raises:
            ValueError: it is the first, and no run begins with it.
        """
        self.seq += 1
        return self.apply(event)

    def apply(self, event: E) -> tuple[C, ...]:
        """The same for an event that no journal holds."""
        try:
            self.state, commands = self._step(self.state, event)
        except Exception as error:  # a defect of ours must not end a rescue
            if self.state is None:
                raise
            self._rejected(event, error)
            return ()
        return commands

    def copy(self) -> Projection[S, E, C]:
        """One that goes on by itself."""
        return copy(self)
