"""The screen of a run: its parts, their layout at each size, and what moves between two views.

It is handed frozen views and keeps the newest one. Between two views only the time goes on, and
only where it goes on in the run: what is replayed or over stands still. Every second the parts are
asked for their lines again, and those that changed are drawn.

Header, rail and hero are on top at every size, and dialogs stay below them (`TOP_ROWS`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace
from textual.containers import Container
from textual.css.query import NoMatches
from textual.reactive import reactive
from textual.widget import Widget

from route53_takeover.core.status.run_words import RunKind
from route53_takeover.process.protocol import Link
from route53_takeover.tui.frame import Frame, goes_on, is_moving
from route53_takeover.tui.state_colour import Tone, state_of
from route53_takeover.tui.widgets.checks import Checks
from route53_takeover.tui.widgets.deploy import DeployOutput
from route53_takeover.tui.widgets.header import Header
from route53_takeover.tui.widgets.hero import Hero
from route53_takeover.tui.widgets.hero_words import last_seen
from route53_takeover.tui.widgets.lines import Lines
from route53_takeover.tui.widgets.meter import Meter
from route53_takeover.tui.widgets.news import NewsLog
from route53_takeover.tui.widgets.rail import Rail
from route53_takeover.tui.widgets.records import RecordTable
from route53_takeover.tui.widgets.servers import Servers
from route53_takeover.tui.widgets.swaps import SwapTable
from route53_takeover.tui.widgets.tabs import Pane, PaneTabs
from route53_takeover.tui.widgets.tree import StackTree
from route53_takeover.tui.wording import clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.app import ComposeResult
    from textual.geometry import Size

    from route53_takeover.core.status.snapshot import Snapshot
    from route53_takeover.process.protocol import View
    from route53_takeover.tui.key_bar import Hint

_TICK = 1.0
_PARTS = {
    RunKind.TAKEOVER: {Pane.TREE: "tree", Pane.SERVERS: "servers"},
    RunKind.SWITCH: {Pane.TREE: "checks", Pane.SERVERS: "meter"},
}
"""What stands in the places that differ between the kinds of run, by its id."""
_LARGE = 150, 42
_MEDIUM = 110, 34
"""Cells from which on there are two columns, and three. Less than the terminals that they are made
for (160x48, 120x40): a footer, and a bar below a replay, take some."""
_HERO_ROWS = {"small": 4, "medium": 7, "large": 7}
_RAIL_ROWS = {"small": 1, "medium": 2, "large": 2}
_HEADER_ROWS, _BORDERS = 1, 2
TOP_ROWS = {
    name: _HEADER_ROWS + _RAIL_ROWS[name] + _HERO_ROWS[name] + _BORDERS for name in _HERO_ROWS
}
"""Lines from the top that nothing covers, in each arrangement."""


def arrangement(size: Size) -> str:
    """Which arrangement of the parts fits. Both directions count: a wide screen may be low."""
    for name, (width, height) in (("large", _LARGE), ("medium", _MEDIUM)):
        if size.width >= width and size.height >= height:
            return name
    return "small"


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


class RunView(Widget):
    """All that is shown of a run."""

    view: reactive[View | None] = reactive(None)
    pane: reactive[Pane] = reactive(Pane.TREE)

    def __init__(
        self,
        *,
        clock: Callable[[], float] | None = None,
        id: str | None = None,  # noqa: A002 -- Textual's word
    ) -> None:
        """Shows nothing yet.

        Args:
            clock: seconds that never go back, from anywhere; the event loop's, where not given.
        """
        super().__init__(id=id, classes="-unknown -no-switch")
        self.clock = clock or _loop_time
        self._arrived = 0.0
        self._due = False
        self._kind: RunKind | None = None
        self._is_chosen = False
        self.hints: tuple[Hint, ...] = ()
        """The keys that apply now."""

    def compose(self) -> ComposeResult:
        yield Header(id="header")
        yield Rail(id="rail")
        yield Hero(id="hero")
        with Container(id="body"):
            yield RecordTable(id="records", classes="panel")
            yield SwapTable(id="swaps", classes="panel")
            yield PaneTabs(id="tabs")
            yield Servers(id="servers", classes="panel")
            yield Meter(id="meter", classes="panel")
            yield StackTree(id="tree", classes="panel")
            yield Checks(id="checks", classes="panel")
            yield DeployOutput(id="deploy", classes="panel")
            yield NewsLog(id="news", classes="panel")

    # -- for the widgets that show a run

    def show(self, view: View) -> None:
        """Shows this view; of those that come before the next frame, only the last is drawn."""
        with self.app.batch_update():
            self.view = view

    def show_pane(self, name: str) -> None:
        """Shows this part (``tree``, ``servers``, ``deploy``, ``news``), and goes to it."""
        self._is_chosen = True
        self.pane = Pane(name)
        self._focus_pane()

    def next_pane(self) -> None:
        """Shows the next part."""
        panes = list(Pane)
        self.show_pane(panes[(panes.index(self.pane) + 1) % len(panes)])

    @property
    def now(self) -> float:
        """What time it is in the run."""
        if self.view is None:
            return 0.0
        passed = self.clock() - self._arrived if goes_on(self.view) else 0.0
        return self.view.snapshot.now + max(passed, 0.0)

    # -- for Textual

    def on_mount(self) -> None:
        self.set_interval(_TICK, self._tick)
        self._arrange()
        self._focus_pane()

    def on_resize(self, event: events.Resize) -> None:
        self._arrange(event.size)
        self.call_later(self._draw)

    def watch_view(self) -> None:
        self._arrived = self.clock()
        if not self._due:
            self._due = True
            self.call_later(self._draw)

    def watch_pane(self) -> None:
        self._arrange()
        for tabs in self.query(PaneTabs):
            tabs.choose(self.pane)

    def on_pane_tabs_asked(self, message: PaneTabs.Asked) -> None:
        message.stop()
        self.show_pane(message.pane)

    # -- its own

    def _tick(self) -> None:
        if self.view is not None and goes_on(self.view):
            with self.app.batch_update():
                self._show_parts(self.view)

    def _frame(self, view: View) -> Frame:
        beat = int(self.now / _TICK) if is_moving(view) else None
        return Frame(view=view, now=self.now, beat=beat, hints=self.hints)

    def _draw(self) -> None:
        self._due = False
        if self.view is None:
            return
        with self.app.batch_update():
            self._adapt(self.view.snapshot)
            self._arrange()
            self.set_class(bool(self.view.snapshot.rehearsal), "-rehearsal")
            tone = state_of(self.view).tone
            for each in Tone:
                self.set_class(each is tone, f"-{each}")
            self._show_parts(self.view)

    def _show_parts(self, view: View) -> None:
        """Of a silent run the panels show what was last seen, as of then."""
        sight = panels = self._frame(view)
        old = ""
        if view.link is Link.STALE:
            panels = replace(sight, now=min(sight.now, last_seen(sight)))
            old = f"last seen at {clock(panels.now)}"
        for part in self.query(Lines):
            is_panel = part.has_class("panel")
            part.show(panels if is_panel else sight)
            if is_panel:
                part.mark_old(old)

    def _adapt(self, snapshot: Snapshot) -> None:
        """Shows the parts of this kind of run, and of a switch the one that matters now."""
        kind, pane = snapshot.words.kind, self.pane
        if kind is RunKind.SWITCH and not self._is_chosen:
            is_asked = snapshot.meter is not None and bool(snapshot.meter.recent)
            self.pane = Pane.SERVERS if is_asked else Pane.TREE
        if kind is self._kind and self.pane is pane:
            return
        self._kind = kind
        self.remove_class("-unknown")
        for each in RunKind:
            self.set_class(each is not kind, f"-no-{each}")
        self._focus_pane()

    def _arrange(self, size: Size | None = None) -> None:
        chosen = arrangement(size or self.size)
        for name in ("small", "medium", "large"):
            self.set_class(name == chosen, f"-{name}")
        for records in self.query(RecordTable):
            records.packed = chosen == "small"
        for rail in self.query(Rail):
            rail.tall = _RAIL_ROWS[chosen] > 1
        for hero in self.query(Hero):
            hero.rows, hero.wide = _HERO_ROWS[chosen], chosen != "small"
        for pane in Pane:
            self.set_class(pane is self.pane, f"-{pane}")
        ended = self.view is not None and self.view.snapshot.result is not None
        self.set_class(ended, "-ended")

    def _focus_pane(self) -> None:
        shown = _PARTS[self._kind or RunKind.TAKEOVER].get(self.pane, str(self.pane))
        try:
            self.query_one(f"#{shown}").focus(scroll_visible=False)
        except NoMatches:  # before it is mounted
            return
