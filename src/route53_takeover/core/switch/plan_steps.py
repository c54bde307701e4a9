"""What a switch does, step by step, as it is shown before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.plan.steps import DEPLOYING, Actor, PlannedStep
from route53_takeover.core.switch.model import OriginSwap
from route53_takeover.core.timing import SETTLE_ANSWERS, SETTLE_BLIND, SETTLE_PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.switch.model import Swap, SwitchPlan

_EDGES = "minutes"
"""How long CloudFront takes to reach every edge, in words."""


def switch_steps(plan: SwitchPlan) -> list[str]:
    """What a run of this plan does, a line each; nothing where it is refused or has nothing to do.

    The lines have no numbers.
    """
    return [step.text for step in planned_switch_steps(plan)]


def planned_switch_steps(plan: SwitchPlan) -> list[PlannedStep]:
    """The same, with who acts and how long it takes."""
    return [] if _is_idle(plan) else [*_before(plan), *_switching(plan), *_after(plan)]


def first_green_step(plan: SwitchPlan) -> int | None:
    """The number of the step in which users begin to get green; ``None`` where there is none."""
    if _is_idle(plan) or not any(_switching(plan)):
        return None
    return len([*_before(plan)]) + 1


def ways_back(plan: SwitchPlan) -> list[str]:
    """How users come back to blue, a line each: before the switch, by itself, by hand."""
    first = first_green_step(plan)
    if first is None:
        return []
    settled = f"green is not served everywhere within {span(SETTLE_PATIENCE)}"
    if plan.checks:
        most = plan.options.max_failures
        why = f"if more than {most} checks of the live site fail, or {settled}"
    else:
        why = f"if {settled}; without --check nothing tells that green fails"
    by_hand = "`b` on the screen while it runs, `route53-takeover restore RUN` after its end"
    lines = [
        f"Before step {first} users stay on blue: a run that fails or is stopped ends there.",
        f"From step {first} on the run leads the site back to blue by itself {why}.",
        f"By hand: {by_hand}, as long as blue stands.",
    ]
    if plan.options.retire:
        delete = len(switch_steps(plan)) - 1  # the last step is a look
        lines.append(f"Once step {delete}, the delete of blue, has begun there is no way back.")
    return lines


def span(seconds: float) -> str:
    """A time as an option would have it: ``90 s``, ``5 min``, ``2 h``."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _is_idle(plan: SwitchPlan) -> bool:
    return plan.refused or not (plan.swaps or plan.options.deploy)


def _before(plan: SwitchPlan) -> Iterator[PlannedStep]:
    """What comes before users get anything from green."""
    options = plan.options
    swaps = plan.swaps or plan.watched
    targets = _all(swap.target for swap in swaps) or plan.site
    yield PlannedStep(text=f"Save to backup.json where users are led now: {targets}.")
    if options.deploy is not None:
        extra = f" with JETS_EXTRA={options.extra}" if options.extra else ""
        yield PlannedStep(
            text=f"Deploy green{extra}: {options.deploy}", actor=Actor.DEPLOY, takes=DEPLOYING
        )
        yield PlannedStep(
            text=f"Meanwhile watch {targets}: what the deploy moves is led back to blue at once."
        )
        where = f" in stack {options.to_stack}" if options.to_stack else ""
        yield PlannedStep(text=f"Find what the deploy has made{where}, and compare it with blue.")
    if plan.checks:
        which = f"each of the {len(plan.checks)} checks" if len(plan.checks) > 1 else "the check"
        yield PlannedStep(
            text=f"Ask green directly: it has to pass {which} before anything is switched."
        )
    if plan.rule is not None:
        yield PlannedStep(
            text=f"Ask green under {plan.site} as well, through a routing rule with a secret "
            "header that is removed again."
        )
    for swap in plan.swaps:
        if isinstance(swap, OriginSwap):
            yield PlannedStep(
                text=f"Update distribution {swap.distribution_id} without a change, and wait until "
                "it is deployed: that proves the way back.",
                takes=_EDGES,
            )


def _switching(plan: SwitchPlan) -> Iterator[PlannedStep]:
    """What leads users to green: each in one write, on a read of just now."""
    for swap in _moving(plan):
        yield PlannedStep(text=f"Switch {_described(swap)} from {swap.before} to {swap.after}.")
    if not plan.swaps:
        targets = _all(swap.target for swap in plan.watched) or plan.site
        yield PlannedStep(text=f"Switch {targets} from blue to what the deploy has made.")


def _after(plan: SwitchPlan) -> Iterator[PlannedStep]:
    """From the switch to the end."""
    options = plan.options
    origins = [swap for swap in _moving(plan) if isinstance(swap, OriginSwap)]
    if origins:
        yield PlannedStep(
            text="Wait until CloudFront has deployed it to every edge; meanwhile both sides "
            "answer.",
            actor=Actor.CLOUDFRONT,
            takes=_EDGES,
        )
    for swap in origins:
        if swap.invalidate:
            paths = _all(swap.invalidate)
            yield PlannedStep(
                text=f"Invalidate {paths} of distribution {swap.distribution_id}, and wait for it."
            )
    if plan.checks:
        yield PlannedStep(
            text=f"Wait until the newest {SETTLE_ANSWERS} answers on users' way come from green "
            f"({SETTLE_BLIND:g} s where no answer tells the side).",
            takes=f"up to {span(SETTLE_PATIENCE)}",
        )
    elif any(_switching(plan)):
        yield PlannedStep(text=f"Wait {SETTLE_BLIND:g} s.", takes=span(SETTLE_BLIND))
    if options.bake > 0:
        what = "ask the live site" if plan.checks else "read where it leads"
        yield PlannedStep(
            text=f"Watch the site on green for {span(options.bake)}: {what} again and again.",
            takes=span(options.bake),
        )
    if options.retire:
        yield PlannedStep(
            text=f"Tell what deleting stack {options.retire} would break; if it is anything, it "
            "stays."
        )
        by = f" by {options.retire_command}" if options.retire_command else ""
        yield PlannedStep(
            text=f"Delete it{by}, and lead to green again what the delete takes from the site."
        )
    yield PlannedStep(text="Read everything once more, and say who serves the site.")


def _moving(plan: SwitchPlan) -> list[Swap]:
    """What is led elsewhere: a run that only retires a stack watches what stays as it is."""
    return [swap for swap in plan.swaps if swap.before != swap.after]


def _described(swap: Swap) -> str:
    if isinstance(swap, OriginSwap):
        return f"origin {swap.origin_id} of distribution {swap.distribution_id}"
    return swap.target


def _all(texts: Iterator[str] | tuple[str, ...]) -> str:
    return " and ".join(dict.fromkeys(texts))
