"""``--on-event`` of a run: the alerts of its engine, handed to the command.

In the run's own process, so that they go on when the screen has gone. Nothing here may raise into
the engine or make it wait.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from route53_takeover.adapters.deploy_process import command_environment
from route53_takeover.core.events import RunResumed
from route53_takeover.core.status.alert_events import AlertFeed
from route53_takeover.output.json_lines import alert_object
from route53_takeover.process.alert_command import AlertCommand
from route53_takeover.storage.run_folder import line_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from route53_takeover.core.events import Event
    from route53_takeover.core.status.any_run import RunState
    from route53_takeover.storage.config import Common
    from route53_takeover.storage.run_folder import RunFolder, SavedRun

_log = structlog.get_logger(__name__)


class EventAlerts:
    """Observes a run, and sends its alerts; does nothing where no command is given.

    A run keeps the command that it was started with; `resume` may give another one. A rehearsal
    has none but its own.

    Args:
        history: the events of the run's journal, where it is resumed.
        known: the state that they come to.
    """

    def __init__(
        self,
        common: Common,
        folder: RunFolder,
        saved: SavedRun,
        history: Sequence[Event],
        known: RunState | None,
    ) -> None:
        self._rehearsal = saved.rehearsal
        self._attach = line_for(common.state_dir, "attach", folder.name)
        self._failed: Callable[[str], None] = lambda _: None
        self._loop = asyncio.get_running_loop()
        self._feed: AlertFeed | None = None
        given = saved.on_event if saved.rehearsal else common.on_event or saved.on_event
        if not given:
            return
        connection = saved.connection
        environment = command_environment(
            os.environ,
            profile=connection.profile,
            region=connection.region,
            endpoint_url=connection.endpoint_url,
        )
        is_sent = bool(saved.on_event) or any(isinstance(event, RunResumed) for event in history)
        try:
            self._command = AlertCommand(given, environment, Path(saved.cwd), self._fail)
            self._feed = AlertFeed(known if is_sent else None)
        except Exception:  # noqa: BLE001 -- such as no thread to be had: the run matters more
            _log.exception("on-event.ignored")

    def tell_failures(self, failed: Callable[[str], None]) -> None:
        """From now on the first failure of the command is told there."""
        self._failed = failed

    def observe(self, event: Event, state: RunState, seq: int) -> None:
        """Sends what there is to report after this event."""
        if self._feed is None:
            return
        try:
            for alert in self._feed.take(event, state):
                found = alert_object(
                    alert, state, seq=seq, rehearsal=self._rehearsal, attach=self._attach
                )
                self._command.send(found)
        except Exception:  # noqa: BLE001 -- a defect of ours must not end a rescue
            _log.exception("on-event.ignored", type=type(event).__name__, seq=seq)

    def _fail(self, reason: str) -> None:
        """Called from the command's thread."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(lambda: self._failed(reason))
