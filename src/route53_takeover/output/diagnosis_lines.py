"""``diagnose`` on stdout: as text, and as the contract's JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from route53_takeover.output.text_lines import pasteable

if TYPE_CHECKING:
    from route53_takeover.core.plan.diagnosis import Diagnosis, DiagnosisFinding

_KEYS = ("logical_id", "record", "type", "reason", "exists", "owner", "advice", "plan_line")


def diagnosis_object(found: Diagnosis) -> dict[str, Any]:
    """One JSON object."""
    return {
        "event": "diagnosis",
        "stack": found.stack,
        "status": found.status,
        "findings": [{key: getattr(each, key) for key in _KEYS} for each in found.findings],
    }


def diagnosis_lines(found: Diagnosis) -> list[str]:
    """The same as text, and what the JSON leaves out."""
    lines = [f"Stack {found.stack} is {found.status}"]
    for each in found.findings:
        lines += _lines(each)
    lines += [found.note] if found.note else []
    planned = next((each.plan_line for each in found.findings if each.plan_line), None)
    return lines if planned is None else [*lines, "", "Plan it with:", f"  {pasteable(planned)}"]


def _lines(each: DiagnosisFinding) -> list[str]:
    what = f"{each.record} {each.type}".strip() or "a record of unknown name"
    owner = f"owner: {each.owner or 'no stack'}"
    lines = [f"✘ {what} ({each.logical_id} in {each.stack_name})", f"    {each.reason}"]
    lines += [f"    now      {record} ({owner})" for record in each.now]
    lines += [f"    desired  {each.desired}"] if each.desired else []
    return [*lines, f"    {each.advice}"]
