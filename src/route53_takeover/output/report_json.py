"""A report as one JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from route53_takeover.core.status.forecast_result import forecast_result_object
from route53_takeover.output.json_lines import result_object, rfc3339

if TYPE_CHECKING:
    from route53_takeover.core.status.report.model import Batch, Report


def report_object(report: Report) -> dict[str, Any]:
    """Everything that the other renderings show."""
    status = report.status
    is_takeover = report.kind == "takeover"
    return {
        "event": "report",
        "run": report.run,
        "kind": report.kind,
        "rehearsal": report.rehearsal or None,
        "state": str(status.standing),
        "alive": status.alive,
        "needs": None if status.needs is None else str(status.needs),
        "no_record": [each.name for each in status.missing if not each.answers],
        "headline": report.headline,
        "advice": [f"{each.label}: {each.text}".removeprefix(": ") for each in report.advice],
        "head": {each.label.lower().replace(" ", "_"): each.text for each in report.facts},
        "begun": rfc3339(report.began),
        "as_of": rfc3339(report.as_of),
        "events": report.events,
        "phases": [{"phase": p, "since": rfc3339(t)} for p, t in report.phases],
        "timeline": [
            {
                "time": rfc3339(line.time),
                "phase": line.phase or None,
                "text": line.text,
                "times": line.times,
            }
            for line in report.lines
        ],
        "name_servers": [
            {
                "name": gap.name,
                "server": gap.server,
                "gap_seconds": gap.seconds,
                "is_open": gap.is_open,
            }
            for gap in report.gaps
        ],
        "forecast": [forecast_result_object(each) for each in report.forecasts]
        if is_takeover
        else None,
        "changes": [_batch(batch) for batch in report.batches],
        "restores": [
            {
                "time": rfc3339(each.time),
                "changes": list(each.changes),
                "outcome": each.outcome or None,
                "reason": each.reason,
            }
            for each in report.restores
        ],
        "api_calls": None if report.api_calls is None else dict(report.api_calls),
        "result": None
        if report.result is None
        else result_object(report.result, seq=report.events + 1, time=report.last),
    }


def _batch(batch: Batch) -> dict[str, Any]:
    return {
        "time": rfc3339(batch.time),
        "id": batch.id,
        "purpose": batch.purpose,
        "answer": batch.answer,
        "detail": batch.detail,
        "answered": None if batch.answered_at is None else rfc3339(batch.answered_at),
        "changes": [
            {"action": each.action, "text": each.text, "record": each.shape or None}
            for each in batch.changes
        ],
    }
