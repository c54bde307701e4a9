"""What a dry run would have written: each `ChangeResourceRecordSets` batch, in order.

Taken from the journal, in which every batch stands before it is sent. As text it is printed before
the summary, as JSON lines before the result line.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from route53_takeover.base.stdio import write_line, write_lines
from route53_takeover.core.domain.names import shown_name
from route53_takeover.core.status.rehearsal_marks import DRY_RUN
from route53_takeover.core.takeover import events as ev
from route53_takeover.output.json_lines import rfc3339
from route53_takeover.storage.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.storage.config import Common
    from route53_takeover.storage.run_folder import RunFolder

_ANSWERS = {
    ev.WriteAccepted: "accepted",
    ev.WriteRefused: "refused",
    ev.WriteHeldOff: "held-off",
    ev.WriteUnknown: "unknown",
}


def print_would_write(common: Common, folder: RunFolder) -> None:
    """Prints the batches of a dry run; nothing for any other run."""
    if folder.rehearses != DRY_RUN:
        return
    events, plan = read_journal(folder.journal), folder.plan().plan
    if common.as_json:
        for line in would_write(events, plan):
            write_line(json.dumps({"run": folder.name} | line), sys.stdout)
    else:
        write_lines(_lines(events, plan), sys.stdout)


def would_write(events: Sequence[ev.AnyEvent], plan: Plan) -> Iterator[dict[str, object]]:
    """One object for each batch; ``answer``: what the simulated account answered."""
    answers = _answers(events)
    for event in events:
        if isinstance(event, ev.WriteIntended):
            yield {
                "seq": len(events),
                "time": rfc3339(events[-1].time),
                "phase": "ended",
                "event": "would-write",
                "operation": "route53:ChangeResourceRecordSets",
                "zone_id": plan.zone_id,
                "purpose": str(event.purpose),
                "intended_at": rfc3339(event.time),
                "answer": answers.get(event.id, "unknown"),
                "changes": [
                    {"action": change.action, "record": change.record.to_api()}
                    for change in event.changes
                ],
            }


def _answers(events: Sequence[ev.AnyEvent]) -> dict[str, str]:
    found: dict[str, str] = {}
    for event in events:
        if isinstance(
            event, ev.WriteAccepted | ev.WriteRefused | ev.WriteHeldOff | ev.WriteUnknown
        ):
            found[event.id] = _ANSWERS[type(event)]
    return found


def _lines(events: Sequence[ev.AnyEvent], plan: Plan) -> Iterator[str]:
    intents = [event for event in events if isinstance(event, ev.WriteIntended)]
    if not intents:
        yield "A run would have written nothing."
        return
    answers = _answers(events)
    yield f"A run would have written to zone {shown_name(plan.zone_name)} ({plan.zone_id}):"
    for number, event in enumerate(intents, start=1):
        answer = answers.get(event.id, "unknown")
        told = "" if answer == "accepted" else f" ({answer})"
        yield f"{number}. ChangeResourceRecordSets, {event.purpose}{told}"
        for change in event.changes:
            yield f"   {change.action} {change.record.describe()}{_routing(change.record)}"


def _routing(record: RecordSet) -> str:
    return "".join(f", {key} {json.loads(value)}" for key, value in record.routing)
