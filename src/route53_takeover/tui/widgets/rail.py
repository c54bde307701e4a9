"""The rail: the steps of the run, where it is in them, and how long each took.

A narrow rail counts what is over; a wide one has every name, with the times in a second line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from route53_takeover.core.status.snapshot import Mark
from route53_takeover.tui.marks import LOOKS, MUTED, STRONG
from route53_takeover.tui.state_colour import DIED
from route53_takeover.tui.steps import ShownStep, steps_of
from route53_takeover.tui.widgets.lines import DrawnLines
from route53_takeover.tui.wording import duration, seconds

if TYPE_CHECKING:
    from route53_takeover.tui.frame import Frame

_LINKS = (*(f" {'─' * cells} " for cells in range(12, 0, -1)), "  ")
_OVER = (Mark.DONE, Mark.SKIPPED)
_TENTH = 0.05
"""Seconds below which a time is not shown: it would be 0.0 s."""


class Rail(DrawnLines, can_focus=False):
    """The steps from left to right."""

    tall = False
    """Whether there is a second line, with the times."""

    def draw(self, sight: Frame, width: int) -> list[Content]:
        """One line, or two."""
        steps = _seen(sight)
        if not steps:
            return [Content("")]
        if self.tall:
            drawn = [_named(step, sight) for step in steps]
            room = width - sum(name.cell_length for name in drawn)
            for link in _LINKS:
                if len(link) * (len(drawn) - 1) <= room:
                    return [*_two_lines(steps, drawn, link, width)]
        return [_one_line(steps, sight, width)]


def _seen(sight: Frame) -> tuple[ShownStep, ...]:
    """No step runs without a process."""
    steps = steps_of(sight)
    if sight.view.link not in DIED:
        return steps
    return tuple(
        ShownStep(name=step.name, mark=Mark.UNKNOWN) if step.mark is Mark.RUNNING else step
        for step in steps
    )


def _named(step: ShownStep, sight: Frame) -> Content:
    look = LOOKS[step.mark]
    if step.mark is Mark.RUNNING:
        return Content.styled(f"{sight.spinner(look.symbol)} {step.name}", STRONG)
    style = MUTED if step.mark is Mark.DONE else look.style
    return Content.assemble((look.symbol, look.style), (f" {step.name}", style))


def _two_lines(
    steps: tuple[ShownStep, ...], drawn: list[Content], link: str, width: int
) -> tuple[Content, Content]:
    """Below a name how long its step took; of the one that runs what it usually takes, too."""
    first = Content.styled(link, MUTED).join(drawn)
    where = _where(steps)
    if where and first.cell_length + len(where) + 2 <= width:
        gap = " " * (width - first.cell_length - len(where))
        first = Content.assemble(first, gap, (where, MUTED))
    second, at = Content(""), 0
    for step, name in zip(steps, drawn, strict=True):
        times = _times(step)
        if times and second.cell_length <= at:
            second = second.pad_right(at - second.cell_length)
            style = STRONG if step.mark is Mark.RUNNING else MUTED
            second = Content.assemble(second, ("  ", style), (f"{times} ", style))
        at += name.cell_length + len(link)
    return first, second.truncate(width)


def _times(step: ShownStep) -> str:
    """Nothing for what took no time to speak of."""
    if step.mark is Mark.RUNNING:
        text = "" if step.spent is None else duration(step.spent)
        return f"{text} of ~{duration(step.usual)}" if step.usual else text
    if step.spent is not None:
        if step.spent < 1:
            return seconds(step.spent) if step.spent >= _TENTH else ""
        return duration(step.spent)
    is_ahead = step.mark is Mark.WAITING and step.usual
    return f"~{duration(step.usual or 0.0)}" if is_ahead else ""


def _where(steps: tuple[ShownStep, ...]) -> str:
    at = next((n for n, step in enumerate(steps, start=1) if step.mark is Mark.RUNNING), None)
    return "" if at is None else f"step {at} of {len(steps)}"


def _one_line(steps: tuple[ShownStep, ...], sight: Frame, width: int) -> Content:
    """``5 of 9 done``, what did not go well, the one that runs with its times, what is ahead."""
    over = [step for step in steps if step.mark in _OVER]
    look = LOOKS[Mark.DONE]
    parts = [Content.styled(f"{look.symbol} {len(over)} of {len(steps)} done", look.style)]
    for step in steps:
        if step.mark in _OVER:
            continue
        name = _named(step, sight)
        if step.mark is Mark.RUNNING and (times := _times(step)):
            name = Content.assemble(name, (f" {times}", STRONG))
        parts.append(name)
    for kept in range(len(parts), 1, -1):
        more = [Content.styled(f"+{len(parts) - kept} more", MUTED)] if kept < len(parts) else []
        line = Content("  ").join([*parts[:kept], *more])
        if line.cell_length <= width:
            return line
    return Content("  ").join(parts).truncate(width, ellipsis=True)
