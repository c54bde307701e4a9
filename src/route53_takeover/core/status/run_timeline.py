"""What any run's timeline keeps: the stays in phases, what cannot be read, the lines of news."""

from __future__ import annotations

from collections import deque
from copy import copy
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, Self

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.status.message import Message
from route53_takeover.core.status.messages import OUTCOME_MARKS, of_failed_read
from route53_takeover.core.status.snapshot import Detail, Mark, News

if TYPE_CHECKING:
    from route53_takeover.core.endings import Ending

_NEWS, _VISITS = 500, 200
"""How many are kept: of lines, of stays in a phase."""
_REPEATED = 60.0
"""Seconds after which a failed read with the same reason is reported again."""


class Visit(Struct, frozen=True, kw_only=True):
    """One stay in a phase; ``left`` is ``None`` while it lasts."""

    phase: StrEnum
    entered: float
    left: float | None = None


class Trouble(Struct, frozen=True, kw_only=True):
    """Something that cannot be read: since when, when it was tried last, and why not."""

    since: float
    last: float
    reason: str


class FollowedState(Protocol):
    """What the state of any run tells its timeline."""

    @property
    def now(self) -> float: ...
    @property
    def phase(self) -> StrEnum: ...
    @property
    def given_up(self) -> str: ...
    @property
    def ending(self) -> Ending | None: ...


class RunTimeline:
    """What happened so far. It changes with every event; `copy` keeps how it was.

    Attributes:
        events: how many it took in.
        began: when the run did.
        visits: the stays in phases, oldest first; the last one lasts.
        troubles: what could not be read, by what was asked for.
        news: the newest lines.
    """

    def __init__(self) -> None:
        self.events = 0
        self.began = 0.0
        self.visits: deque[Visit] = deque(maxlen=_VISITS)
        self.troubles: dict[str, Trouble] = {}
        self.news: deque[News] = deque(maxlen=_NEWS)
        self._given_up = ""
        self._failure = ("", 0.0)
        self._new: list[News] = []

    def copy(self) -> Self:
        """The same, to go on from later: everything in it is a value."""
        other = type(self)()
        other.__dict__.update({key: copy(value) for key, value in vars(self).items()})
        return other

    def _begin(self, time: float) -> None:
        """One more event is taken in."""
        self._new = []
        self.events += 1
        self.began = self.began or time

    def _follow_run(self, state: FollowedState, what: str, entered: Message) -> None:
        """Reports what the machine made of the event, as far as any run has it.

        Args:
            what: is given up: ``the takeover``.
            entered: says the phase that it is in.
        """
        if state.given_up != self._given_up:
            self._given_up = state.given_up
            if self._given_up:
                self._say(state.now, Message(f"{what} is given up: {self._given_up}", Mark.FAILED))
        current = self.visits[-1] if self.visits else None
        if current is not None and current.phase is state.phase:
            return
        if current is not None:
            self.visits[-1] = replace(current, left=state.now)
        self.visits.append(Visit(phase=state.phase, entered=state.now))
        if state.ending is not None:
            mark = OUTCOME_MARKS[state.ending.outcome]
            entered = Message(f"{state.ending.outcome}: {state.ending.reason}", mark)
        self._say(state.now, entered, state.phase)

    def _cannot(self, what: str, time: float, reason: str) -> None:
        """The same reason is reported once, and again only after a while."""
        old = self.troubles.get(what)
        is_new = all(trouble.reason != reason for trouble in self.troubles.values())
        if is_new and (reason != self._failure[0] or time - self._failure[1] >= _REPEATED):
            self._failure = (reason, time)
            self._say(time, of_failed_read(reason))
        since = old.since if old is not None else time
        self.troubles[what] = Trouble(since=since, last=time, reason=reason)

    def _clear(self, what: str) -> None:
        self.troubles.pop(what, None)

    def _say(self, time: float, message: Message, phase: StrEnum | None = None) -> None:
        news = News(
            time=time, text=message.text, mark=message.mark, detail=message.detail, phase=phase
        )
        self._new.append(news)
        if news.detail is not Detail.ALL:
            self.news.append(news)
