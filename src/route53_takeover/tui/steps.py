"""The steps of a run as users know them: some are several phases, none takes no time to show.

The deploy with the switch on goes on from `wait for create` to `watch until stable`, so that no
step is called after it.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.status.run_words import RunKind
from route53_takeover.core.status.snapshot import Mark
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.process.protocol import Link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.status.snapshot import Snapshot, Step
    from route53_takeover.tui.frame import Frame

_NAMES: dict[RunKind, dict[str, str]] = {
    RunKind.TAKEOVER: {
        Phase.PREFLIGHT: "read account",
        Phase.BACKUP: "backup",
        Phase.LOWER_TTL: "lower TTL",
        Phase.DRAIN: "caches expire",
        Phase.DEPLOY_OFF: "deploy off",
        Phase.PROVE: "test restore",
        Phase.PREPARE: "prepare",
        Phase.DEPLOY_ON: "wait for create",
        Phase.WATCH: "wait for create",
        Phase.RELEASE: "GAP",
        Phase.CONFIRM: "GAP",
        Phase.GUARD: "until stable",
        Phase.VERIFY: "verify",
        Phase.RESTORE: "put back",
    },
    RunKind.SWITCH: {
        SwitchPhase.PREFLIGHT: "read account",
        SwitchPhase.BACKUP: "backup",
        SwitchPhase.DEPLOY: "deploy green",
        SwitchPhase.CHECK: "check green",
        SwitchPhase.SWITCH: "switch",
        SwitchPhase.SETTLE: "every edge",
        SwitchPhase.BAKE: "watch green",
        SwitchPhase.RETIRE: "delete blue",
        SwitchPhase.RESTORE: "switch back",
        SwitchPhase.VERIFY: "verify",
    },
}
_GAPLESS = "hand over"
_MARKS = (Mark.RUNNING, Mark.FAILED, Mark.UNKNOWN, Mark.UNDONE, Mark.WAITING, Mark.DONE)
"""Of several phases the first of these that one has; the end of a run is not a step."""


class ShownStep(Struct, frozen=True, kw_only=True):
    """A step of the rail.

    Attributes:
        spent: seconds in it so far; ``None`` where the run was not in it.
        usual: what it takes by the plan or took in earlier runs, where that is known.
    """

    name: str
    mark: Mark
    spent: float | None = None
    usual: float | None = None


def steps_of(sight: Frame) -> tuple[ShownStep, ...]:
    """The steps in order."""
    snapshot = sight.view.snapshot
    found: dict[str, list[Step]] = {}
    for step in snapshot.steps:
        if (name := _name(step, snapshot)) is not None:
            found.setdefault(name, []).append(step)
    return tuple(_together(name, steps, sight) for name, steps in found.items())


def running_step(sight: Frame) -> ShownStep | None:
    """The step that the run is in."""
    return next((step for step in steps_of(sight) if step.mark is Mark.RUNNING), None)


def _name(step: Step, snapshot: Snapshot) -> str | None:
    name = _NAMES[snapshot.words.kind].get(step.phase)
    has_gap = any(record.strategy in ("", "delete") for record in snapshot.records)
    return _GAPLESS if name == "GAP" and not has_gap else name


def _together(name: str, steps: list[Step], sight: Frame) -> ShownStep:
    marks = [step.mark for step in steps]
    spent = [*_known(step.spent for step in steps)]
    mark = next((mark for mark in _MARKS if mark in marks), Mark.SKIPPED)
    ahead = sight.ahead if mark is Mark.RUNNING else 0.0
    if mark is Mark.RUNNING and sight.view.link is Link.STALE:  # only what was seen counts
        ahead = sight.view.snapshot.as_of - sight.view.snapshot.now
    by_plan = sum(_known(step.expected for step in steps))
    earlier = sum(sight.view.usual.get(str(step.phase), 0.0) for step in steps)
    shown = max(sum(spent) + ahead, 0.0) if spent else None
    if mark is Mark.RUNNING and shown is not None:
        shown = _beside_what_is_left(shown, sight)
    return ShownStep(
        name=name,
        mark=mark,
        spent=shown,
        usual=by_plan or earlier or None,
    )


def _beside_what_is_left(spent: float, sight: Frame) -> float:
    """The seconds of a step whose countdown is shown, so that both make up the whole."""
    for each in sight.view.snapshot.countdowns:
        if each.until > sight.now and abs(sight.now - each.since - spent) < 1:
            return max(round(each.until - each.since) - ceil(each.until - sight.now), 0)
    return spent


def _known(values: Iterator[float | None]) -> Iterator[float]:
    return (value for value in values if value is not None)
