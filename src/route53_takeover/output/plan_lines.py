"""A plan in print, of a takeover or a switch: its cards, and how it is carried out."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from route53_takeover.base.stdio import write_line
from route53_takeover.core.plan.takeover_cards import takeover_cards
from route53_takeover.core.switch.cards import switch_cards
from route53_takeover.core.switch.plan_steps import switch_steps
from route53_takeover.output.card_lines import print_cards
from route53_takeover.output.json_lines import plan_object
from route53_takeover.output.text_lines import pasteable

if TYPE_CHECKING:
    from pathlib import Path

    from route53_takeover.base.stdio import Sink
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.core.switch.model import SwitchPlan
    from route53_takeover.storage.config import Common

_UNATTENDED = " --auto"


def print_plan(
    common: Common, plan: Plan, steps: list[str], run_line: str, out: Path | None
) -> None:
    """Prints the plan, as one JSON object or as text; ``out``: the file that it was saved in."""
    config, saved = common.config, str(out) if out else None
    if common.as_json:
        path = config.path if config else None
        write_line(json.dumps(plan_object(plan, steps, run_line, path, saved)), sys.stdout)
    else:
        last = last_lines(plan, run_line, out=saved)
        print_cards(takeover_cards(plan, str(config or "")), last, sys.stdout)


def print_switch_plan(
    plan: SwitchPlan, run_line: str | None, file: Sink, *, config: str = ""
) -> None:
    """Prints the plan of a switch as text."""
    print_cards(switch_cards(plan, config), last_switch_lines(plan, run_line), file)


def last_lines(plan: Plan, run_line: str | None, *, out: str | None = None) -> list[str]:
    """What follows the cards; ``run_line``: ``None`` where the start is asked otherwise."""
    if plan.refused:
        return ["", "Refused: nothing was written."]
    saved = [f"Plan saved in {out}"] if out else []
    if not plan.manuals:
        return ["", "Nothing to do.", *saved]
    return ["", *saved, *_run_it(run_line)]


def last_switch_lines(plan: SwitchPlan, run_line: str | None) -> list[str]:
    """The same of a switch."""
    if plan.refused:
        return ["", "Refused: nothing was written."]
    return ["", *_run_it(run_line)] if switch_steps(plan) else ["", "Nothing to do."]


def _run_it(run_line: str | None) -> list[str]:
    """The line to run: for scripts unattended, on a terminal with the screen, which asks first."""
    if run_line is None:
        return []
    attended = run_line.removesuffix(_UNATTENDED)
    if attended == run_line or not sys.stdout.isatty():
        return ["Run it with:", f"  {pasteable(run_line)}"]
    asks = "It shows this plan on the screen and starts when you confirm; with --auto, at once."
    return ["Run it with:", f"  {pasteable(attended)}", asks]
