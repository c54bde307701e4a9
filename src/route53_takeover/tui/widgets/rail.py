"""The phases of a run: as one line where there is little room, else as a column with times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from route53_takeover.core.status.snapshot import Mark
from route53_takeover.tui.marks import LOOKS, MUTED, STRONG
from route53_takeover.tui.widgets.lines import DrawnLines
from route53_takeover.tui.wording import duration

if TYPE_CHECKING:
    from route53_takeover.core.status.snapshot import Step
    from route53_takeover.tui.frame import Frame

_PHASE_WIDTH = 11


def spent(step: Step, sight: Frame) -> float | None:
    """How long the run is in this phase by now."""
    if step.spent is None or step.mark is not Mark.RUNNING:
        return step.spent
    return step.spent + sight.ahead


class RailLine(DrawnLines, can_focus=False):
    """The rail in one line: the phase that runs with its times, the others as far as they fit."""

    def draw(self, sight: Frame, width: int) -> list[Content]:
        """What is over loses its names first, the oldest first; then what is far ahead."""
        steps = sight.view.snapshot.steps
        folded: set[int] = set()
        over = [i for i, step in enumerate(steps) if _is_over(step)]
        ahead = [i for i, step in enumerate(steps) if step.mark is Mark.WAITING]
        line = _line(steps, folded, sight)
        for index in (*over, *reversed(ahead)):
            if line.cell_length <= width:
                break
            folded.add(index)
            line = _line(steps, folded, sight)
        return [line.truncate(width, ellipsis=True)]


def _is_over(step: Step) -> bool:
    return step.mark in (Mark.DONE, Mark.SKIPPED, Mark.UNDONE)


def _line(steps: tuple[Step, ...], folded: set[int], sight: Frame) -> Content:
    line = Content("")
    for index, step in enumerate(steps):
        look = LOOKS[step.mark]
        glued = index in folded and index - 1 in folded
        text = look.symbol if index in folded else f"{look.symbol}{step.phase}"
        gap = "" if glued or not index else " "
        line = Content.assemble(line, gap, (text, look.style))
        if step.mark is Mark.RUNNING:
            line = Content.assemble(line, " ", (_times(step, sight), STRONG))
    return line


def _times(step: Step, sight: Frame) -> str:
    been = spent(step, sight)
    text = "" if been is None else duration(been)
    return text if step.expected is None else f"{text} of ~{duration(step.expected)}".strip()


class RailColumn(DrawnLines, can_focus=False):
    """The rail with the time that each phase took, and is expected to take."""

    BORDER_TITLE = "phases"

    def draw(self, sight: Frame, width: int) -> list[Content]:
        """A line a phase, and what the times are above them."""
        head = f"{'':2}{'':{_PHASE_WIDTH}}{'spent':>8}  {'expected':>9}"
        lines = [Content.styled(head, MUTED)]
        for step in sight.view.snapshot.steps:
            look = LOOKS[step.mark]
            been = spent(step, sight)
            took = "" if been is None else duration(been)
            due = "" if step.expected is None else f"~{duration(step.expected)}"
            name = f"{look.symbol} {step.phase:<{_PHASE_WIDTH}}"
            lines.append(Content.assemble((name, look.style), f"{took:>8}  ", (f"{due:>9}", MUTED)))
        return [line.truncate(width, ellipsis=True) for line in lines]
