"""``retire`` on stdout: as text, and as the contract's JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from route53_takeover.core.retire.model import Verdict

_KEYS = ("what", "id", "why", "way_out")


def verdict_object(verdict: Verdict) -> dict[str, Any]:
    """One JSON object."""
    return {
        "event": "verdict",
        "stack": verdict.stack,
        "safe": verdict.safe,
        "breaks": [{key: getattr(each, key) for key in _KEYS} for each in verdict.breaks],
    }


def verdict_lines(verdict: Verdict) -> list[str]:
    """The same as text, and the notes, which the JSON leaves out."""
    lines = [f"Stack {verdict.stack} ({verdict.stack_id})"]
    for each in verdict.breaks:
        lines += [f"✘ {each.what} {each.id}", f"    {each.why}", f"    way out: {each.way_out}"]
    lines += note_lines(verdict)
    if verdict.safe:
        return [*lines, "✔ safe: nothing that was looked at breaks when it is deleted."]
    things = "1 thing" if len(verdict.breaks) == 1 else f"{len(verdict.breaks)} things"
    return [*lines, f"✘ not safe: {things} would break or cannot be told. Nothing was deleted."]


def note_lines(verdict: Verdict) -> list[str]:
    """What is good to know."""
    return [f"! {note}" for note in verdict.notes]
