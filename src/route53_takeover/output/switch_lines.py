"""The plan of a switch as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from route53_takeover.core.switch.model import SwitchPlan


def switch_plan_object(plan: SwitchPlan, steps: list[str], run_line: str) -> dict[str, Any]:
    """The plan of a switch as JSON; what green will be is ``null`` until its deploy has made it."""
    return {
        "event": "plan",
        "refused": plan.refused,
        "reasons": [str(finding) for finding in plan.refusals],
        "warnings": [str(finding) for finding in plan.warnings],
        "switches": [
            {
                "kind": str(swap.kind),
                "target": swap.target,
                "from": swap.before,
                "to": swap.after if plan.swaps else None,
            }
            for swap in plan.swaps or plan.watched
        ],
        "differences": [
            {
                "what": each.what,
                "blue": each.blue,
                "green": each.green,
                "weight": each.weight,
                "hint": each.hint,
            }
            for each in plan.differences
        ],
        "checks": [check.text for check in plan.checks],
        "steps": [] if plan.refused else steps,
        "run_line": run_line,
    }
