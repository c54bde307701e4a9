"""When a gap opens and when it closes: a record set is missing, or a mapping that a site needs.

Each is reported once, by the event that shows it. One that is known only after its end (the answer
to the DELETE was lost) opens and closes with the same event.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.status.result import gap_words, unwatched_seconds
from route53_takeover.core.switch.state import SwitchState
from route53_takeover.core.takeover.absence import lack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.status.any_run import RunState
    from route53_takeover.core.switch.state import SwapState
    from route53_takeover.core.takeover.name_state import Handover, NameState
    from route53_takeover.core.takeover.state import State


class GapOpened(Struct, frozen=True, kw_only=True):
    """A record set, or a mapping, is missing; ``text`` says so in a sentence.

    ``deadline``: when the record set is created again at the latest, if a release of ours came
    before; ``None`` or past: as soon as possible.
    """

    name: str
    type: str
    text: str
    set_identifier: str | None = None
    deadline: float | None = None


class GapClosed(Struct, frozen=True, kw_only=True):
    """It exists again, after so many seconds."""

    name: str
    type: str
    text: str
    set_identifier: str | None = None
    gap_seconds: float


def gap_changes(before: RunState | None, after: RunState) -> Iterator[GapOpened | GapClosed]:
    """The gaps that opened or closed from one state of a run to the next.

    Args:
        before: ``None`` before the first event.
    """
    if isinstance(after, SwitchState):
        known = before.swaps if isinstance(before, SwitchState) else {}
        for swap in after.swaps.values():
            if (old := known.get(swap.id)) is not swap:
                yield from _of_swap(old, swap, after.now)
        return
    names = {} if before is None or isinstance(before, SwitchState) else before.names
    for name in after.names.values():
        if (old_name := names.get(name.name)) is not name:
            yield from _of_name(old_name, name, after)


def _of_name(
    before: NameState | None, after: NameState, state: State
) -> Iterator[GapOpened | GapClosed]:
    known = {h.original.key: h for h in before.handovers} if before is not None else {}
    for handover in after.handovers:
        old = known.get(handover.original.key)
        if old is not handover:
            yield from _of_release(old, handover, after, state)
            yield from _of_loss(old, handover, after, state.now)


def _of_release(
    before: Handover | None, after: Handover, name: NameState, state: State
) -> Iterator[GapOpened | GapClosed]:
    """The gap that a release of ours left."""
    began = after.gap_began_at
    if began is None:
        return
    is_new = before is None or before.gap_began_at != began
    if is_new:
        yield _opened(after, name, state.now)
    if after.back_at is not None and (is_new or before is None or before.back_at is None):
        yield _closed(after, after.back_at - began, unwatched_seconds(state, after))


def _of_loss(
    before: Handover | None, after: Handover, name: NameState, now: float
) -> Iterator[GapOpened | GapClosed]:
    """The gap that another writer, or CloudFormation, left."""
    began = None if before is None else before.gone_at
    if after.gone_at is not None and began is None:
        yield _opened(after, name, now)
    elif after.gone_at is None and began is not None:
        yield _closed(after, now - began)


def _opened(handover: Handover, name: NameState, now: float) -> GapOpened:
    key, deadline = handover.original.key, name.deadman_at
    text = str(lack(name)) if name.is_absent else f"{key} was missing"
    if name.is_absent and name.restoring:
        text = f"{text}; the run is restoring it"
    elif name.is_absent and deadline is not None and deadline > now:
        until = datetime.fromtimestamp(deadline, UTC).strftime("%H:%M:%SZ")
        text = f"{text}; restored at {until} at the latest"
    return GapOpened(
        name=display_name(key.name),
        type=key.type,
        set_identifier=key.set_identifier,
        text=text,
        deadline=deadline,
    )


def _closed(handover: Handover, seconds: float, unwatched: float = 0.0) -> GapClosed:
    key, lasted = handover.original.key, round(max(seconds, 0.0), 3)
    shown = gap_words(f"{lasted:.1f} s", unwatched)
    return GapClosed(
        name=display_name(key.name),
        type=key.type,
        set_identifier=key.set_identifier,
        text=f"{key} has a record again; it was missing for {shown}",
        gap_seconds=lasted,
    )


def _of_swap(
    before: SwapState | None, after: SwapState, now: float
) -> Iterator[GapOpened | GapClosed]:
    began = None if before is None else before.absent_since
    kind, target = str(after.swap.kind), after.swap.target
    if after.absent_since is not None and began is None:
        text = f"the mapping of {target} is gone: it leads nowhere"
        yield GapOpened(name=target, type=kind, text=text)
    elif after.absent_since is None and began is not None:
        lasted = round(max(now - began, 0.0), 3)
        text = f"the mapping of {target} is there again; it was gone for {lasted:.1f} s"
        yield GapClosed(name=target, type=kind, text=text, gap_seconds=lasted)
