"""The text view of a run in another process, for terminals that cannot show the screen.

The plan, the questions and the progress are lines on stderr; answers come from stdin. SIGINT or
SIGQUIT from the keyboard requests an abort; a later one leaves the view, as a hang-up does, and the
run continues. Ctrl-Z does nothing.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from route53_takeover.base.errors import TakeoverError
from route53_takeover.base.signals import asking, heeded
from route53_takeover.base.stdio import write_lines
from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.plan.takeover_cards import takeover_cards
from route53_takeover.core.status.choices import Act, event_of
from route53_takeover.core.status.rehearsal_marks import title
from route53_takeover.core.status.run_words import TAKEOVER_WORDS, RunKind
from route53_takeover.core.switch.cards import switch_cards
from route53_takeover.core.timing import ONE_REQUEST
from route53_takeover.output import text_lines
from route53_takeover.process.protocol import KILLED, ExitInfo, Link, is_newly_killed

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from route53_takeover.process.protocol import PendingRun, Proposal, Source, View
    from route53_takeover.storage.config import Common

_LINE = 1 << 12
_ENDS = 5
"""Ctrl+d, or reads of nothing, in a row after which the keyboard is not asked any more."""
_FROM_KEYS = ("SIGINT", "SIGQUIT")
"""What a terminal sends for a key: Ctrl-C, and Ctrl with a backslash."""
_CANNOT_SUSPEND = (
    "Ctrl-Z has no effect: the run continues in its own process. Ctrl-C aborts the run; a second "
    "Ctrl-C leaves this view, and the run continues"
)
_Answer = TypeVar("_Answer")


class TextView:
    """Shows one run.

    Args:
        lines: prints the events of the source, and from time to time what the run waits for.
    """

    def __init__(self, common: Common, lines: text_lines.TextLines) -> None:
        self._common = common
        self._lines = lines
        self._typed: asyncio.Queue[str] = asyncio.Queue()
        self._signals: asyncio.Queue[str] = asyncio.Queue()
        self._has_explained_suspending = False
        self._words = TAKEOVER_WORDS
        self._has_told_back = False

    async def open(self, opening: PendingRun) -> ExitInfo:
        """Shows the plan, and the run if it is started."""
        with self._attentive():
            try:
                proposal = await self._unless_stopped(opening.proposal(self._tell))
                if proposal is None or not await self._agrees(proposal):
                    await opening.decline()
                    return ExitInfo()
                source = await opening.start()
            except TakeoverError as error:
                return ExitInfo(error=error)
            return await self._show(source)

    async def show(self, source: Source) -> ExitInfo:
        """Shows a run that has started."""
        with self._attentive():
            return await self._show(source)

    async def _agrees(self, proposal: Proposal) -> bool:
        _propose(proposal)
        self._forget_typed()
        sys.stderr.write("Start it? Type yes: ")
        sys.stderr.flush()
        answer = await self._unless_stopped(self._typed.get())
        return (answer or "").strip().lower() in ("y", "yes")

    def _forget_typed(self) -> None:
        """What was typed before a question is no answer to it."""
        if sys.stdin.isatty():
            termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
        while not self._typed.empty():
            self._typed.get_nowait()

    async def _unless_stopped(self, work: Coroutine[None, None, _Answer]) -> _Answer | None:
        """Its result; ``None`` where a signal came first."""
        working = asyncio.ensure_future(work)
        stopped = asyncio.ensure_future(self._signals.get())
        await asyncio.wait((working, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if working.done():
            return working.result()
        working.cancel()
        return None

    async def _show(self, source: Source) -> ExitInfo:
        views = source.subscribe()
        shown: View | None = None
        asked_for = ""
        stopping = asyncio.create_task(self._stops(source))
        arriving = asyncio.ensure_future(anext(views, None))
        typing = asyncio.ensure_future(self._typed.get())
        try:
            while True:
                await asyncio.wait(
                    (arriving, typing, stopping),
                    timeout=1.0,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if stopping.done():
                    return _detached(shown)
                if arriving.done():
                    view = arriving.result()
                    if view is None:
                        return _left(shown)
                    before, shown = shown, view
                    self._words = view.snapshot.words
                    if view.link is Link.GONE:
                        return ExitInfo(run=view.snapshot.run, gone=True)
                    if is_newly_killed(before, view):
                        self._tell(f"REHEARSAL {KILLED}")
                    arriving = asyncio.ensure_future(anext(views, None))
                    asked_for = self._ask(view, asked_for)
                if typing.done():
                    await self._answer(source, shown, typing.result())
                    typing = asyncio.ensure_future(self._typed.get())
                if shown is not None:
                    self._lines.tick(shown.snapshot.now)
        finally:
            for task in (stopping, arriving, typing):
                task.cancel()

    async def _stops(self, source: Source) -> None:
        """Ends when the view is to be left: a hang-up, SIGTERM, or a second Ctrl-C.

        The first Ctrl-C aborts. A signal within `ONE_REQUEST` of it is the same request: launchers
        repeat what the terminal has delivered already. A closed terminal ends the view at once.
        """
        if await self._signals.get() not in _FROM_KEYS:
            return
        clock = asyncio.get_running_loop().time
        one_request = clock() + ONE_REQUEST
        self._tell(f"abort requested: {self._words.aborts}; Ctrl-C again leaves this view")
        await self._submit(source, Act.ABORT, "")
        while await self._signals.get() in _FROM_KEYS and clock() < one_request:
            pass

    async def _submit(self, source: Source, act: Act, name: str) -> None:
        try:
            await source.submit(event_of(act, name, time=0.0))
        except TakeoverError as error:
            text_lines.tell_error(error)

    def _ask(self, view: View, before: str) -> str:
        """Asks once for what only the operator can decide."""
        self._tell_back(view)
        needed = view.snapshot.needs_person
        if needed and needed != before:
            self._tell(needed)
            for choice in view.snapshot.choices:
                if choice.act is Act.CONFIRM_RELEASE:
                    self._tell(choice.effect)
                    self._tell(f"To confirm, type: release {display_name(choice.name)}")
        return needed

    def _tell_back(self, view: View) -> None:
        """Says once how a site is led back, as soon as that is possible."""
        line = _back_line(view)
        if line and not self._has_told_back:
            self._has_told_back = True
            self._tell(f"To lead the site back to blue, type: {line}")

    async def _answer(self, source: Source, view: View | None, line: str) -> None:
        """``release NAME`` confirms a release that waits for it; ``switch back SITE``."""
        typed = " ".join(line.lower().split()).rstrip(".")
        for choice in view.snapshot.choices if view else ():
            wanted = ""
            if choice.act is Act.CONFIRM_RELEASE:
                wanted = f"release {display_name(choice.name)}"
            elif choice.act is Act.RESTORE and view is not None:
                wanted = _back_line(view)
            if wanted and typed == wanted.lower():
                await self._submit(source, choice.act, choice.name)

    def _tell(self, text: str) -> None:
        text_lines.talk(self._common, text)

    @contextmanager
    def _attentive(self) -> Iterator[None]:
        """Listens to the keyboard and to signals."""
        loop = asyncio.get_running_loop()
        keyboard = sys.stdin.fileno()

        empty = 0

        def read() -> None:
            nonlocal empty
            try:
                line = os.read(keyboard, _LINE)
            except OSError:
                line, empty = b"", _ENDS
            empty = 0 if line else empty + 1
            if empty >= _ENDS:  # a closed terminal never stops being readable
                loop.remove_reader(keyboard)
            self._typed.put_nowait(line.decode(errors="replace"))  # ctrl+d: no

        asked = asking()
        for number in asked:
            loop.add_signal_handler(number, self._signals.put_nowait, number.name)
        suspending = heeded(signal.SIGTSTP)
        for number in suspending:
            loop.add_signal_handler(number, self._refuse_to_suspend)
        if sys.stdin.isatty():
            loop.add_reader(keyboard, read)
        try:
            yield
        finally:
            loop.remove_reader(keyboard)
            for number in (*asked, *suspending):
                loop.remove_signal_handler(number)

    def _refuse_to_suspend(self) -> None:
        """Says once why Ctrl-Z does nothing."""
        if not self._has_explained_suspending:
            self._has_explained_suspending = True
            self._tell(_CANNOT_SUSPEND)


def _back_line(view: View) -> str:
    """What to type to switch back; empty where nothing can be."""
    snapshot = view.snapshot
    if snapshot.words.kind is not RunKind.SWITCH:
        return ""
    is_possible = any(choice.act is Act.RESTORE for choice in snapshot.choices)
    return f"switch back {display_name(snapshot.zone)}" if is_possible else ""


def _propose(proposal: Proposal) -> None:
    """Prints the plan."""
    from route53_takeover.output.card_lines import print_cards  # noqa: PLC0415 -- loads rich

    name = [title(proposal.rehearsal)] if proposal.rehearsal else []
    write_lines(name, sys.stderr)
    if proposal.switch is not None:
        print_cards(switch_cards(proposal.switch, proposal.config), ["", *name], sys.stderr)
    elif proposal.plan is not None:
        print_cards(takeover_cards(proposal.plan, proposal.config), ["", *name], sys.stderr)


def _detached(view: View | None) -> ExitInfo:
    if view is None:
        return ExitInfo(detached=True)
    return ExitInfo(run=view.snapshot.run, detached=True, absences=view.snapshot.absences)


def _left(view: View | None) -> ExitInfo:
    if view is None:
        return ExitInfo()
    shown = view.snapshot
    return ExitInfo(run=shown.run, result=shown.result, now=shown.now, events=shown.events)
