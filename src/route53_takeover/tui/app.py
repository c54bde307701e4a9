"""The application: one source and one screen after another, and what it leaves with.

It owns the newest view, the theme and the terminal's title. What a run may be asked for is the run
screen's; how it is done is the source's, in another process or not.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypedDict, Unpack

from textual import on
from textual.app import App
from textual.screen import ModalScreen
from textual.worker import WorkerCancelled, WorkerFailed

from route53_takeover.base.errors import TakeoverError
from route53_takeover.base.escaping import escape_control
from route53_takeover.process.protocol import ExitInfo, Link
from route53_takeover.tui import themes
from route53_takeover.tui.base_screen import BaseScreen
from route53_takeover.tui.desktop_news import DesktopNews
from route53_takeover.tui.dialogs import Notice
from route53_takeover.tui.help import Help
from route53_takeover.tui.messages import (
    Asked,
    HelpAsked,
    LeaveAsked,
    PaletteAsked,
    PictureAsked,
    StartAsked,
    ThemeAsked,
    ViewArrived,
)
from route53_takeover.tui.palette import Commands, Palette
from route53_takeover.tui.plan_screen import OpeningScreen, PlanScreen
from route53_takeover.tui.preferences import load, remember_theme
from route53_takeover.tui.run_screen import RunScreen
from route53_takeover.tui.state_colour import title_of
from route53_takeover.tui.terminal import GIVE_TITLE_BACK, KEEP_TITLE, NAME, Driver, titled

if TYPE_CHECKING:
    from textual.app import AutopilotCallbackType
    from textual.binding import BindingType
    from textual.theme import Theme

    from route53_takeover.process.protocol import PendingRun, Request, Source, View


class _Options(TypedDict, total=False):
    """Textual's own, all of them passed on."""

    headless: bool
    inline: bool
    inline_no_clear: bool
    mouse: bool
    size: tuple[int, int] | None
    auto_pilot: AutopilotCallbackType | None


class TakeoverApp(App[ExitInfo], inherit_bindings=False):
    """Shows a run, or a plan that then becomes one.

    Args:
        source: a run that exists.
        opening: one that has not started; one of the two is given.
        preferences: file with the theme and the keys that were changed.
        desktop: what the terminal is asked to notify of; nothing by default.
    """

    TITLE = NAME
    CSS_PATH = Path(__file__).with_name("takeover.tcss")
    ENABLE_COMMAND_PALETTE = False  # it would bind a key of its own; ours is in the one list
    COMMANDS: ClassVar = {Commands}
    BINDINGS: ClassVar[list[BindingType]] = []
    SHORTEST_FRAME = 0.1
    """Seconds between two drawings: what comes faster is not seen by anybody."""

    def __init__(
        self,
        *,
        source: Source | None = None,
        opening: PendingRun | None = None,
        preferences: Path,
        desktop: DesktopNews | None = None,
    ) -> None:
        super().__init__(driver_class=Driver)
        self.use_command_palette = True
        for theme in themes.THEMES:
            self.register_theme(theme)
        self._preferences = preferences
        self._desktop = desktop or DesktopNews()
        self._kept, self._complaints = load(preferences, self.available_themes)
        self.theme = self._kept.theme or themes.NAMES[0]
        self._source = source
        self._opening = opening
        self._newest: View | None = None
        self._is_told = False
        self._drawn_at = float("-inf")
        self._rung_for = ""
        self._is_starting = False
        self._is_leaving = False
        self._title_text = ""
        self.set_keymap(self._kept.keys)

    async def on_mount(self) -> None:
        """Opens the run, or the plan."""
        self.write_terminal(KEEP_TITLE)
        self._set_title(NAME)
        self.theme_changed_signal.subscribe(self, self._remember_theme)
        for text in self._complaints:
            self.notify(escape_control(text), severity="warning", markup=False)
        if self._source is not None:
            self.run_worker(self._follow(self._source), group="run")
        elif self._opening is not None:
            self.run_worker(self._open(self._opening), group="opening")

    async def run_async(self, **options: Unpack[_Options]) -> ExitInfo | None:
        """Runs it. What was not foreseen is raised, and never printed from here.

        Raises:
            Exception: a mistake of ours, or of what we stand on.
        """
        left = await super().run_async(**options)
        error = self._exception
        if isinstance(error, WorkerFailed) and isinstance(error.error, Exception):
            error = error.error
        if error is not None:
            raise error
        return left

    def _print_error_renderables(self) -> None:
        """Prints no traceback: it would hold local values. `run_async` raises the error instead."""
        self._exit_renderables.clear()

    # -- before a run

    async def _open(self, opening: PendingRun) -> None:
        screen = OpeningScreen(self._kept.keys)
        await self.push_screen(screen)
        try:
            proposal = await opening.proposal(screen.tell)
        except TakeoverError as error:
            self.exit(ExitInfo(error=error))
            return
        read_at = asyncio.get_running_loop().time()
        await self.switch_screen(PlanScreen(self._kept.keys, proposal, read_at=read_at))

    @on(StartAsked)
    def start(self) -> None:
        """Starts the planned run."""
        if self._opening is not None and not self._is_starting:
            self._is_starting = True
            self.run_worker(self._start(self._opening), group="opening")

    async def _start(self, opening: PendingRun) -> None:
        try:
            self._source = await opening.start()
        except TakeoverError as error:
            self.exit(ExitInfo(error=error))
            return
        await self._follow(self._source)

    async def _decline(self, opening: PendingRun) -> None:
        try:
            await opening.decline()
        except TakeoverError as error:
            self.exit(ExitInfo(error=error))
        else:
            self.exit(ExitInfo())

    # -- a run

    async def _follow(self, source: Source) -> None:
        """Takes in what the source has to show, until there is nothing more."""
        screen = RunScreen(self._kept.keys)
        if isinstance(self.screen, BaseScreen):
            await self.switch_screen(screen)
        else:
            await self.push_screen(screen)
        try:
            async for view in source.subscribe():
                self._newest = view
                if not self._is_told:
                    self._is_told = True
                    self.post_message(ViewArrived())
        except TakeoverError as error:
            self.exit(self.left(error=error))

    @on(ViewArrived)
    def arrive(self) -> None:
        """Draws the newest view, now or when the last drawing has been seen for long enough."""
        wait = self._drawn_at + self.SHORTEST_FRAME - asyncio.get_running_loop().time()
        if wait > 0:
            self.set_timer(wait, self._draw)
        else:
            self._draw()

    def _draw(self) -> None:
        self._is_told = False
        self._drawn_at = asyncio.get_running_loop().time()
        screen = next((s for s in self.screen_stack if isinstance(s, RunScreen)), None)
        if screen is None or self._newest is None:
            return
        screen.show(self._newest)
        self._set_title(title_of(self._newest))
        self._ring(self._newest)
        for sequence in self._desktop.sequences(self._newest):
            self.write_terminal(sequence)

    def _ring(self, view: View) -> None:
        """Rings once for each thing that the user has to do; never for what is over."""
        needed = "" if view.link is Link.REPLAY else view.snapshot.needs_person
        if needed and needed != self._rung_for:
            self.bell()
        self._rung_for = needed

    @on(Asked)
    def ask(self, message: Asked) -> None:
        """Hands a request to the source, without holding the screen up."""
        if self._source is not None:
            self.run_worker(self._submit(self._source, message.request), group="submit")

    async def _submit(self, source: Source, request: Request) -> None:
        try:
            await source.submit(request)
        except TakeoverError as error:
            await self.push_screen(Notice(error))

    # -- the end

    @on(LeaveAsked)
    def leave(self) -> None:
        """Leaves the screen. A run goes on; a plan that was not started is declined.

        Pending requests are sent first; leaving again does not wait for that. While a run is
        starting the screen stays open, because it is not yet known whether there is a run.
        """
        if self._source is None and self._is_starting:
            self.notify("The run is starting: please wait.", markup=False)
        elif self._source is None and self._opening is not None:
            self.workers.cancel_group(self, "opening")
            self.run_worker(self._decline(self._opening), group="decline")
        elif self._is_leaving:
            self.exit(self.left())
        else:
            self._is_leaving = True
            self.run_worker(self._leave(), group="leave")

    async def _leave(self) -> None:
        pending = [w for w in self.workers if w.group == "submit" and not w.is_finished]
        if pending:
            with suppress(WorkerFailed, WorkerCancelled):  # a mistake ends the app by itself
                await self.workers.wait_for_complete(pending)
        self._is_leaving = False
        if not isinstance(self.screen, Notice):  # what was refused is read first
            self.exit(self.left())

    def left(self, error: TakeoverError | None = None) -> ExitInfo:
        """How it would be left now."""
        view = self._newest
        if view is None:
            return ExitInfo(error=error, detached=error is None)
        shown = view.snapshot
        return ExitInfo(
            run=shown.run,
            result=shown.result,
            now=shown.now,
            events=shown.events,
            detached=shown.result is None and view.link in (Link.LIVE, Link.STALE, Link.KILLED),
            paused=shown.paused,
            gone=shown.result is None and view.link is Link.GONE,
            absences=shown.absences,
            error=error,
        )

    def on_unmount(self) -> None:
        """Gives the terminal its title back."""
        self.write_terminal(GIVE_TITLE_BACK)

    # -- the terminal

    def write_terminal(self, sequence: str) -> None:
        """Writes an escape sequence between two frames (see `route53_takeover.tui.terminal`)."""
        if self._driver is not None:
            self._driver.write(sequence)

    def _set_title(self, text: str) -> None:
        if text != self._title_text:
            self._title_text = text
            self.write_terminal(titled(text))

    # -- theme, palette, picture

    @on(HelpAsked)
    def open_help(self) -> None:
        """Shows all keys, and where they are changed."""
        kind = self.screen.kind if isinstance(self.screen, BaseScreen) else None
        _ = self.push_screen(Help(self._kept.keys, self._preferences, kind))

    @on(ThemeAsked)
    def next_theme(self) -> None:
        """Changes to the next theme."""
        names = themes.NAMES
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]

    def _remember_theme(self, theme: Theme) -> None:
        failed = remember_theme(self._preferences, theme.name)
        self.notify(escape_control(failed or f"Theme {theme.name}"), markup=False)

    @on(PaletteAsked)
    def open_palette(self) -> None:
        """Searches what can be done now."""
        if not isinstance(self.screen, ModalScreen):
            _ = self.push_screen(Palette())

    @on(PictureAsked)
    def save_picture(self) -> None:
        """Saves the screen into the working folder."""
        try:
            path = self.save_screenshot()
        except OSError as error:
            self.notify(escape_control(f"The picture cannot be saved: {error}"), markup=False)
        else:
            self.notify(escape_control(f"Picture saved to {path}"), markup=False)
