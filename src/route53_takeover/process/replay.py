"""The replay of a run from its journal: seek, step, play."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.process.client import DeployLog, WatchedRun
from route53_takeover.process.protocol import Link, Play, Seek, StepBy
from route53_takeover.storage.run_folder import named

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from route53_takeover.core.events import Event
    from route53_takeover.core.status.any_run import RunState
    from route53_takeover.process.protocol import Request, View
    from route53_takeover.storage.run_folder import RunFolder

_FRAME = 0.1
"""Real seconds between two pictures of a replay."""
_EVERY = 200
"""Events between two places from which folding can go on."""


class Replay:
    """A `route53_takeover.process.protocol.Source` on a finished run; it begins at the end."""

    def __init__(self, folder: RunFolder, events: Sequence[Event], *, rehearsal: str = "") -> None:
        self._events = events
        self._times = [event.time for event in events]
        self._rehearsal = rehearsal
        self._state_dir = named(folder.state_dir)
        self._output = DeployLog(folder)
        self._places: list[WatchedRun] = []
        self._position = len(events)
        self._now = self._times[-1] if events else 0.0
        self._speed = 0.0
        self._changed = asyncio.Event()

    async def subscribe(self) -> AsyncGenerator[View, None]:
        """What was to be seen at the position of the replay, for ever."""
        while True:
            self._changed.clear()
            view = self._view()
            if view is not None:
                yield view
            if self._speed:
                await asyncio.sleep(_FRAME)
                self._advance(_FRAME * self._speed)
            else:
                await self._changed.wait()

    async def submit(self, request: Request) -> None:
        """Moves, plays or stops; there is nothing else to ask of a run that has ended."""
        match request:
            case Seek(position=position):
                self._move(position)
            case StepBy(events=events):
                self._move(self._position + events)
            case Play(speed=speed):
                if speed and self._position == len(self._events):
                    self._position, self._now = 1, self._times[0]
                self._speed = max(speed, 0.0)
            case _:
                return
        self._changed.set()

    def _move(self, position: int) -> None:
        self._position = min(max(position, 1), len(self._events))
        self._now = self._times[self._position - 1]

    def _advance(self, seconds: float) -> None:
        if self._changed.is_set():
            return  # it was moved meanwhile
        self._now += seconds
        self._position = max(self._position, bisect_right(self._times, self._now))
        if self._position == len(self._events):
            self._speed = 0.0

    def _view(self) -> View | None:
        unfolding = self._unfolded(self._position)
        output = self._output.lines(unfolding.state) if _has_exited(unfolding.state) else ()
        view = unfolding.view(self._now, Link.REPLAY, output, self._rehearsal)
        if view is None:
            return None
        return replace(view, length=len(self._events), speed=self._speed)

    def _unfolded(self, position: int) -> WatchedRun:
        """The run after so many events, from the nearest place before."""
        while len(self._places) <= position // _EVERY:
            number = len(self._places)
            place = self._places[-1].copy() if self._places else WatchedRun(self._state_dir)
            for event in self._events[max(number - 1, 0) * _EVERY : number * _EVERY]:
                place.take(event)
            self._places.append(place)
        unfolding = self._places[position // _EVERY].copy()
        for event in self._events[unfolding.events : position]:
            unfolding.take(event)
        return unfolding


def _has_exited(state: RunState | None) -> bool:
    """Whether all of the output that there is was there already: its lines have no times."""
    if state is None or not state.deploys:
        return False
    newest = max(state.deploys.values(), key=lambda deploy: deploy.intended_at)
    return newest.exited_at is not None or state.ending is not None
