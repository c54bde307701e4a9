"""The bar under a replay: position and speed, and the requests of its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.content import Content
from textual.widgets import Static

from route53_takeover.process.protocol import Link, Play, Seek, StepBy
from route53_takeover.tui.messages import Scrubbed

if TYPE_CHECKING:
    from textual import events

    from route53_takeover.process.protocol import View

SPEEDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Seconds of the run in a second."""
_ENDS = 2  # cells of the brackets


def request_for(action: str, view: View, speed: float) -> Seek | StepBy | Play | None:
    """What a key asks of the replay.

    Args:
        speed: that it last played at, for one that stands still.
    """
    tenth = max(view.length // 10, 1)
    match action:
        case "play":
            return Play(speed=0.0 if view.speed else speed)
        case "faster":
            return Play(speed=_next_faster(view.speed))
        case "slower":
            slower = [one for one in SPEEDS if one < view.speed]
            return Play(speed=slower[-1] if slower else 0.0)
        case "back":
            return StepBy(events=-1)
        case "forward":
            return StepBy(events=1)
        case "jump-back":
            return StepBy(events=-tenth)
        case "jump-forward":
            return StepBy(events=tenth)
        case "to-start":
            return seek(view, 1)
        case "to-end":
            return seek(view, view.length)
        case _:
            return None


def seek(view: View, position: int) -> Seek:
    """To this event, or to the nearest that there is."""
    return Seek(position=min(max(position, 1), max(view.length, 1)))


def _next_faster(speed: float) -> float:
    return next((one for one in SPEEDS if one > speed), SPEEDS[-1])


class ReplayBar(Static):
    """``REPLAY ▶ 10x [=====>-----] 120/412``; the mouse seeks."""

    ALLOW_SELECT: ClassVar[bool] = False
    DEFAULT_CSS = """
    ReplayBar { dock: bottom; height: 1; background: $panel; display: none; }
    ReplayBar.-on { display: block; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._view: View | None = None
        self._from, self._cells = 0, 1

    def show(self, view: View) -> None:
        """Shows where this view is in its run; nothing where it is no replay."""
        self._view = view
        self.set_class(view.link is Link.REPLAY, "-on")
        self._draw()

    def on_resize(self) -> None:
        """The bar is as wide as there is room."""
        self._draw()

    def _draw(self) -> None:
        view = self._view
        if view is None or view.link is not Link.REPLAY:
            return
        state = f"▶ {view.speed:g}x" if view.speed else "‖ stopped"
        head, tail = f" REPLAY {state:<9} ", f" {view.position}/{view.length} "
        self._cells = max(self.size.width - len(head) - len(tail) - _ENDS, 1)
        self._from = len(head) + 1
        done = round(self._cells * view.position / max(view.length, 1))
        bar = ("=" * max(done - 1, 0) + ">" if done else "").ljust(self._cells, "-")
        self.update(Content.assemble((head, "bold"), f"[{bar}]", tail))

    def on_click(self, event: events.Click) -> None:
        """Seeks to where the mouse was pressed."""
        share = (event.x - self._from + 1) / self._cells
        self.post_message(Scrubbed(min(max(share, 0.0), 1.0)))
