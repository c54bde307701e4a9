"""Every change that a run sent, batch by batch, with the answers: from its journal's events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.status.report.model import Batch, SentChange
from route53_takeover.core.switch import events as sw
from route53_takeover.core.switch.events import SwapPurpose
from route53_takeover.core.switch.state import SwitchState
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from route53_takeover.core.domain.record_sets import Change
    from route53_takeover.core.events import Event
    from route53_takeover.core.status.any_run import RunState

_PURPOSES = {
    Purpose.LOWER: "lower the TTL",
    Purpose.PROVE: "test the restore",
    Purpose.PREPARE: "prepare the record for the deploy",
    Purpose.BRIDGE: "create what answers meanwhile",
    Purpose.RELEASE: "delete the old record",
    Purpose.RESTORE: "restore the old record",
    Purpose.UNDO: "undo a change of the run",
    Purpose.WEIGH: "change the weight",
    Purpose.REMOVE: "remove what is not needed any more",
    Purpose.LOWER_SOA: "lower the negative TTL",
    Purpose.RESTORE_SOA: "put the negative TTL back",
}
_SWAP_PURPOSES = {
    SwapPurpose.PROVE: "test the way back: an update without a change",
    SwapPurpose.SWITCH: "switch to green",
    SwapPurpose.KEEP: "put back what a deploy or a delete had moved",
    SwapPurpose.BACK: "lead back to blue",
}
_RULE, _DELETE = "routing rule", "stack delete"


def batches(history: Iterable[Event], state: RunState) -> tuple[Batch, ...]:
    """In the order in which they were sent."""
    found: dict[str, Batch] = {}
    for event in history:
        if (sent := _sent(event, state)) is not None:
            found[sent.id] = sent
            continue
        for number, answer, detail in _answer(event):
            if number in found:
                found[number] = replace(
                    found[number], answer=answer, detail=detail, answered_at=event.time
                )
    return tuple(found.values())


def _sent(event: Event, state: RunState) -> Batch | None:
    match event:
        case ev.WriteIntended():
            return Batch(
                time=event.time,
                id=event.id,
                purpose=_PURPOSES[event.purpose],
                changes=tuple(map(_change, event.changes)),
            )
        case sw.SwapIntended():
            return Batch(
                time=event.time,
                id=event.id,
                purpose=_SWAP_PURPOSES[event.purpose],
                changes=(_swap(event, state),),
            )
        case sw.RuleIntended():
            text = "a routing rule with a secret header, which leads to green"
            made = SentChange(action="CREATE", text=text)
            return Batch(time=event.time, id=_RULE, purpose="test green", changes=(made,))
        case sw.DeleteIntended() if isinstance(state, SwitchState):
            text = f"stack {state.plan.options.retire}"
            gone = SentChange(action="DELETE", text=text)
            return Batch(time=event.time, id=_DELETE, purpose="retire blue", changes=(gone,))
        case sw.InvalidationBegun():
            text = f"what CloudFront has cached of {_target(event.swap, state)}"
            made = SentChange(action="INVALIDATE", text=text)
            return Batch(
                time=event.time,
                id=event.invalidation,
                purpose="answer from green",
                changes=(made,),
                answer="accepted",
                detail=event.invalidation,
                answered_at=event.time,
            )
        case _:
            return None


def _answer(event: Event) -> Iterator[tuple[str, str, str]]:
    """The id of what it answers, the answer, and what belongs to it."""
    match event:
        case ev.WriteAccepted():
            yield event.id, "accepted", event.change_id
        case sw.SwapAccepted():
            yield event.id, "accepted", ""
        case ev.WriteRefused() | sw.SwapRefused():
            yield event.id, "refused", f"{event.code}: {event.reason}"
        case ev.WriteHeldOff() | sw.SwapHeldOff():
            yield event.id, "not applied", event.reason
        case ev.WriteUnknown() | sw.SwapUnknown():
            yield event.id, "unknown", event.reason
        case sw.RuleTested(is_removed=True) | sw.RuleRemoved(problem=""):
            yield _RULE, "accepted", "removed again"
        case sw.RuleRemoved():
            yield _RULE, "accepted", f"not removed: {event.problem}"
        case sw.DeleteEnded(problem=""):
            yield _DELETE, "accepted", "deleted"
        case sw.DeleteEnded():
            yield _DELETE, "unknown", event.problem
        case _:
            return


def _change(change: Change) -> SentChange:
    record = change.record
    routing = [f"{key} {_plain(value)}" for key, value in record.routing]
    text = ", ".join((record.describe(), *routing))
    return SentChange(action=change.action, text=text, shape=record.to_api())


def _plain(value: str) -> str:
    read = json.loads(value)
    return value if isinstance(read, dict | list) else str(read)


def _swap(event: sw.SwapIntended, state: RunState) -> SentChange:
    target, where = _target(event.swap, state), str(event.to)
    if isinstance(state, SwitchState) and event.swap in state.swaps:
        swap = state.swaps[event.swap].swap
        where = swap.after if event.to is Side.GREEN else swap.before
    return SentChange(action="UPDATE", text=f"{target} leads to {where} ({event.to})")


def _target(swap: str, state: RunState) -> str:
    if isinstance(state, SwitchState) and swap in state.swaps:
        return state.swaps[swap].swap.target
    return swap
