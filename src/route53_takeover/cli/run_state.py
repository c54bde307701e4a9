"""What a run's journal comes to, for the commands that look at runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.base.errors import ManualActionRequiredError
from route53_takeover.core.status.any_run import fold_run
from route53_takeover.core.switch.machine import fold_switch
from route53_takeover.core.takeover.machine import fold
from route53_takeover.storage.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.events import Event
    from route53_takeover.core.status.any_run import RunState
    from route53_takeover.core.switch.events import SwitchEvent
    from route53_takeover.core.switch.state import SwitchState
    from route53_takeover.core.takeover.events import AnyEvent
    from route53_takeover.core.takeover.state import State
    from route53_takeover.storage.run_folder import RunFolder


def read_state(folder: RunFolder) -> RunState | None:
    """The state that a run's journal comes to; ``None`` where it is empty or was never made."""
    if not folder.journal.exists():
        return None
    return fold_journal(folder, read_journal(folder.journal))


def fold_journal(folder: RunFolder, events: Sequence[Event]) -> RunState | None:
    """The state after the events of a run's journal; ``None`` where there are none."""
    try:
        return fold_run(events)
    except ValueError:
        raise no_beginning(folder) from None


def fold_takeover(folder: RunFolder, events: Sequence[AnyEvent]) -> State | None:
    """The same of a takeover."""
    try:
        return fold(events)
    except ValueError:
        raise no_beginning(folder) from None


def fold_switch_journal(folder: RunFolder, events: Sequence[SwitchEvent]) -> SwitchState | None:
    """The same of a switch."""
    try:
        return fold_switch(events)
    except ValueError:
        raise no_beginning(folder) from None


def no_beginning(folder: RunFolder) -> ManualActionRequiredError:
    """The error of a journal that lacks its first events."""
    return ManualActionRequiredError(
        f"{folder.journal} lacks its first events",
        "Check the zone against backup.json; `restore` needs only the backup.",
    )
