"""What happened in a switch, as far as views show it and the state does not keep it."""

from __future__ import annotations

from collections import deque
from copy import copy
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.events import RunResumed
from route53_takeover.core.status.messages import OUTCOME_MARKS, Message, of_failed_read
from route53_takeover.core.status.snapshot import Detail, Mark, News
from route53_takeover.core.status.switch.messages import of_switch_event, of_switch_phase
from route53_takeover.core.status.timeline import Trouble, Visit
from route53_takeover.core.switch import events as ev

if TYPE_CHECKING:
    from enum import StrEnum

    from route53_takeover.core.switch.state import SwitchState

_NEWS, _VISITS = 500, 100
"""How many are kept: of lines, of stays in a phase."""


class SwitchTimeline:
    """What happened so far. It changes with every event; `copy` keeps how it was.

    Attributes:
        events: how many it took in.
        began: when the run did.
        visits: the stays in phases, oldest first; the last one lasts.
        troubles: what could not be read, by swap.
        news: the newest lines.
    """

    def __init__(self) -> None:
        self.events = 0
        self.began = 0.0
        self.visits: deque[Visit] = deque(maxlen=_VISITS)
        self.troubles: dict[str, Trouble] = {}
        self.news: deque[News] = deque(maxlen=_NEWS)
        self._given_up = ""
        self._new: list[News] = []

    def copy(self) -> SwitchTimeline:
        """The same, to go on from later: everything in it is a value."""
        other = SwitchTimeline()
        other.__dict__.update({key: copy(value) for key, value in vars(self).items()})
        return other

    def take(self, event: ev.SwitchEvent, state: SwitchState) -> tuple[News, ...]:
        """Takes in an event, after the machine has, and returns the lines that it adds."""
        self._new = []
        self.events += 1
        self.began = self.began or event.time
        match event:
            case ev.SwapRead():
                self.troubles.pop(event.swap, None)
            case ev.SwapUnread():
                self._cannot(event)
            case RunResumed():
                self.troubles.clear()
            case _:
                pass
        for message in of_switch_event(event, state):
            self._say(event.time, message)
        self._follow(state)
        return tuple(self._new)

    def _follow(self, state: SwitchState) -> None:
        if state.given_up != self._given_up:
            self._given_up = state.given_up
            if self._given_up:
                text = f"the switch is given up: {self._given_up}"
                self._say(state.now, Message(text, Mark.FAILED))
        current = self.visits[-1] if self.visits else None
        if current is not None and current.phase is state.phase:
            return
        if current is not None:
            self.visits[-1] = replace(current, left=state.now)
        self.visits.append(Visit(phase=state.phase, entered=state.now))
        if state.ending is not None:
            mark = OUTCOME_MARKS[state.ending.outcome]
            message = Message(f"{state.ending.outcome}: {state.ending.reason}", mark)
        else:
            message = of_switch_phase(state.phase)
        self._say(state.now, message, state.phase)

    def _cannot(self, event: ev.SwapUnread) -> None:
        """The same reason is told once."""
        old = self.troubles.get(event.swap)
        if all(trouble.reason != event.reason for trouble in self.troubles.values()):
            self._say(event.time, of_failed_read(event.reason))
        since = event.time if old is None else old.since
        self.troubles[event.swap] = Trouble(since=since, last=event.time, reason=event.reason)

    def _say(self, time: float, message: Message, phase: StrEnum | None = None) -> None:
        news = News(
            time=time, text=message.text, mark=message.mark, detail=message.detail, phase=phase
        )
        self._new.append(news)
        if news.detail is not Detail.ALL:
            self.news.append(news)
