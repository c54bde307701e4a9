"""The reporter of a run: where its plan, events and result go.

`ConsoleReporter` writes JSON lines or text to this process's own streams. It accepts every plan
that is not refused, without asking.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from route53_takeover.base.stdio import Background
from route53_takeover.core.status.rehearsal_marks import prefix
from route53_takeover.output import json_lines, text_lines
from route53_takeover.output.desktop import DesktopAlerts, sequence_for
from route53_takeover.output.would_write import print_would_write
from route53_takeover.storage.run_folder import RunFolder, line_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from route53_takeover.base.errors import ExitCode
    from route53_takeover.core.events import Event
    from route53_takeover.core.plan.model import Finding, Plan
    from route53_takeover.core.ports import Clock
    from route53_takeover.core.status.any_run import RunObserver, RunState
    from route53_takeover.core.status.result import Result
    from route53_takeover.core.switch.model import SwitchPlan
    from route53_takeover.storage.config import Common
    from route53_takeover.storage.run_folder import SavedRun


class Reporter(Protocol):
    """Where a run reports to."""

    def tell(self, text: str) -> None:
        """A message before or beside the run."""

    def warn(self, text: str) -> None:
        """A warning, shown with ``-q`` too."""

    async def agrees(self, made: Plan) -> bool:
        """Whether to carry out this plan, which is not refused."""

    async def agrees_to_switch(self, made: SwitchPlan) -> bool:
        """Whether to carry out this plan of a switch, which is not refused."""

    def begins(self, folder: RunFolder) -> None:
        """The run's folder has its journal, and the engine is about to start."""

    def observing(
        self, folder: RunFolder, saved: SavedRun, clock: Clock, known: RunState | None = None
    ) -> AbstractAsyncContextManager[RunObserver]:
        """The observer of every event, while the run lasts.

        Args:
            known: the state of a run that is resumed.
        """

    def drain(self, patience: float | None) -> bool:
        """Waits up to this long until all output has been read; whether it was."""

    def ended(
        self, ended: Result, now: float, *, seq: int | None = None, saved: SavedRun | None = None
    ) -> ExitCode:
        """The result; returns the exit code."""


class ConsoleReporter:
    """This process's own stdout and stderr."""

    def __init__(self, common: Common) -> None:
        self._common = common
        self._sinks: tuple[Background, ...] = ()

    def tell(self, text: str) -> None:
        """On stderr."""
        text_lines.talk(self._common, text)

    def warn(self, text: str) -> None:
        """On stderr, with ``-q`` too."""
        text_lines.talk(self._common, f"warning: {text}", always=True)

    async def agrees(self, made: Plan) -> bool:
        """Prints the warnings and accepts."""
        return await self._accepts(made.warnings)

    async def agrees_to_switch(self, made: SwitchPlan) -> bool:
        """The same, with what is set in another way for green."""
        for each in made.differences:
            weight = "warning" if each.weight == "warn" else "note"
            text = f"{each.what}: blue has {each.blue}, green {each.green}"
            self.tell(f"{weight}: {text} {each.hint}".rstrip())
        return await self._accepts(made.warnings)

    async def _accepts(self, warnings: Sequence[Finding]) -> bool:
        for finding in warnings:
            self.tell(f"warning: {finding.text} {finding.hint}".rstrip())
        return True

    def begins(self, folder: RunFolder) -> None:
        """Prints the run's folder."""
        self.tell(f"run {folder.name} in {folder.path}")

    @asynccontextmanager
    async def observing(
        self, folder: RunFolder, saved: SavedRun, clock: Clock, known: RunState | None = None
    ) -> AsyncIterator[RunObserver]:
        """JSON lines on stdout, or text on stderr."""
        talk = Background(sys.stderr)
        if self._common.as_json:
            out = Background(sys.stdout)
            self._sinks = (out, talk)
            yield json_lines.JsonLines(folder.name, out, talk, known)
            return
        self._sinks = (talk,)
        lines = text_lines.TextLines(
            talk,
            prefix=prefix(saved.rehearsal),
            quiet=self._common.quiet,
            verbose=self._common.verbose,
        )
        sequence = _sequence(self._common, saved)
        desktop = DesktopAlerts(sequence, saved.rehearsal, known) if sequence else None

        def observer(event: Event, state: RunState, seq: int) -> None:
            lines(event, state, seq)
            if desktop is not None:
                desktop(event, state, seq)

        task = asyncio.create_task(_tick(lines, clock))
        try:
            yield observer
        finally:
            task.cancel()

    def drain(self, patience: float | None) -> bool:
        """Stdout decides; stderr is waited for no longer than that."""
        out, *others = self._sinks
        drained = out.close(patience)
        for sink in others:
            sink.close(patience)
        return drained

    def ended(
        self, ended: Result, now: float, *, seq: int | None = None, saved: SavedRun | None = None
    ) -> ExitCode:
        """The last JSON line, or the summary, behind what a dry run would have written."""
        if saved is not None:
            print_would_write(self._common, RunFolder(self._common.state_dir / "runs" / saved.run))
        return text_lines.print_result(
            self._common,
            ended,
            now,
            seq=seq,
            resume=line_for(self._common.state_dir, "resume", ended.run, "--auto")
            if ended.run
            else None,
            rehearsal=saved.rehearsal if saved else None,
        )


def _sequence(common: Common, saved: SavedRun) -> str:
    """What makes the terminal notify; empty off a terminal, and in a rehearsal unless asked for."""
    if not sys.stderr.isatty() or (saved.rehearsal and not common.notify):
        return ""
    return sequence_for(os.environ, asked=common.notify)


async def _tick(lines: text_lines.TextLines, clock: Clock) -> None:
    """Prints from time to time what the run waits for."""
    while True:
        await asyncio.sleep(1.0)
        lines.tick(clock.now())
