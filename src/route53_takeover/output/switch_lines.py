"""The plan of a switch in print: as text, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from route53_takeover.core.switch.model import SwapKind
from route53_takeover.core.switch.plan_steps import first_green_step, ways_back
from route53_takeover.output.text_lines import pasteable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.plan.model import Finding
    from route53_takeover.core.switch.model import Difference, SwitchPlan

USERS_GET_GREEN = "-- from here on users get green --"
"""Between the steps that leave users on blue and those that do not."""
_KINDS = {
    SwapKind.API_MAPPING: "mapping",
    SwapKind.CLOUDFRONT_ORIGIN: "origin",
}
_SIGNS = {"refuse": "✘", "warn": "!", "note": "·"}
_LABEL = 11
_LONG = 60
"""Characters of both values from which on each has a line of its own."""


def switch_plan_lines(
    plan: SwitchPlan, steps: list[str], run_line: str | None, *, config: str = ""
) -> list[str]:
    """The plan of a switch as text.

    Args:
        steps: `core.switch.plan_steps.switch_steps` of it.
        run_line: the command that runs it; ``None`` where that is asked otherwise.
        config: a file and the options in it.
    """
    lines = [f"Site {plan.site}, account {plan.account}, region {plan.region}"]
    lines += [f"Options from {config}"] if config else []
    lines += _swaps(plan)
    lines += _findings("✘", plan.refusals)
    lines += _findings("!", plan.warnings)
    if plan.differences:
        lines += ["", "Differences between blue and green:"]
        for each in plan.differences:
            lines += _difference(each)
    lines += ["", *_checks(plan)]
    if plan.refused:
        return [*lines, "", "Refused: nothing was written."]
    if not steps:
        return [*lines, "", "Nothing to do."]
    lines += ["", "Steps:"]
    first = first_green_step(plan)
    for number, step in enumerate(steps, start=1):
        lines += [USERS_GET_GREEN] if number == first else []
        lines.append(f"{number:>2}. {step}")
    lines += ["", "The way back:", *(f"  {line}" for line in ways_back(plan))]
    return lines if run_line is None else [*lines, "", "Run it with:", f"  {pasteable(run_line)}"]


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


def _swaps(plan: SwitchPlan) -> Iterator[str]:
    for swap in plan.swaps or plan.watched:
        yield f"  {_KINDS[swap.kind]:<{_LABEL - 2}}  {swap.target}"
        yield f"{'':<{_LABEL + 2}}- {swap.before} (blue)"
        after = f"{swap.after} (green)" if plan.swaps else "green, once its deploy has made it"
        yield f"{'':<{_LABEL + 2}}+ {after}"


def _findings(sign: str, findings: tuple[Finding, ...]) -> Iterator[str]:
    for finding in findings:
        yield f"{sign} {finding.text}"
        if finding.hint:
            yield f"    {finding.hint}"


def _difference(each: Difference) -> Iterator[str]:
    start = f"{_SIGNS.get(each.weight, '?')} {each.weight:<7} {each.what}"
    blue, green = each.blue or "none", each.green or "none"
    if len(blue) + len(green) <= _LONG:
        yield f"{start}: {blue} -> {green}"
    else:
        yield from (start, f"{'':<{_LABEL + 2}}- {blue}", f"{'':<{_LABEL + 2}}+ {green}")
    if each.hint:
        yield f"    {each.hint}"


def _checks(plan: SwitchPlan) -> Iterator[str]:
    if not plan.checks:
        yield "Checks: none. Without --check nothing tells whether green works."
        return
    yield "Checks:"
    for check in plan.checks:
        yield f"  {check.text}"
