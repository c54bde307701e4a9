"""The events of the stack as a tree of stacks and what is in them.

Rows are laid out as numbers and drawn one by one as they become visible: a stack of a thousand
resources must not hold up the keys. A row of the takeover has a sign, a failed one its reason.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from textual.content import Content

from route53_takeover.core.status.snapshot import Mark
from route53_takeover.tui.marks import LOOKS, MUTED, STRONG, WORD_WIDTH
from route53_takeover.tui.widgets.lines import Lines
from route53_takeover.tui.wording import cell, clock, duration, plain, wrapped

if TYPE_CHECKING:
    from route53_takeover.core.status.snapshot import Row
    from route53_takeover.tui.frame import Frame

_AGE = 12
_LEAST = 12
"""Cells that a name has at least; the status has the others, if it needs them."""
_NARROW = 70
"""Cells below which the status alone says what the word of the mark says."""
_WIDE = 90
"""Cells from which on the resource's type has a column."""
_TELLING = (Mark.FAILED, Mark.UNDONE, Mark.UNKNOWN)
"""Whose reason is shown; of a record it always is: it says whether CloudFormation tries again."""


class StackTree(Lines):
    """The tree. It goes to what matters until the user scrolls it."""

    BORDER_TITLE = "Stack"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._at: list[tuple[int, Content | None]] = []
        self._width = 0
        self._left_at = 0

    def show(self, sight: Frame) -> None:
        """The title is the root stack and its status."""
        rows = sight.view.snapshot.tree
        told = f" {rows[0].label} · {rows[0].status or 'not there yet'}" if rows else ""
        self.entitle(f"{self.BORDER_TITLE}{told}")
        super().show(sight)

    def changes(self, before: Frame | None, after: Frame) -> bool:
        """Ages are drawn, not laid out."""
        if before is None or not self.is_laid_out:
            return True
        if before.view is after.view:
            return False
        return before.view.snapshot.tree != after.view.snapshot.tree

    def measure(self, width: int) -> int:
        """A row is a line, and its reason some more."""
        self._width = width
        self._at = []
        rows = () if self.sight is None else self.sight.view.snapshot.tree
        for index, row in enumerate(rows):
            self._at.append((index, None))
            if row.reason and (row.is_record or row.mark in _TELLING):
                indent = _indent(row, width) + 4
                self._at += [(index, line) for line in _reason(row.reason, width, indent)]
        return len(self._at) or 1

    def line(self, index: int) -> Content:
        if self.sight is None or not self._at:
            return Content.styled("no stack events yet", MUTED)
        row, reason = self._at[index]
        if reason is not None:
            return reason
        tree = self.sight.view.snapshot.tree
        return _row(tree[row], self._width, self.sight)

    def on_resize(self) -> None:
        """Keeps the current row in view at another height."""
        self.lay_out()

    def lay_out(self) -> None:
        """Lays the rows out; then shows what matters, unless the user has scrolled."""
        follows = self.scroll_offset.y == self._left_at
        super().lay_out()
        self.refresh()
        if follows and self.sight is not None:
            target = self._line_of(_matters(self.sight.view.snapshot.tree))
            height = self.scrollable_content_region.height
            top = min(max(target - height // 2, 0), max(self._count - height, 0))
            self.scroll_to(y=top, animate=False, force=True, immediate=True)
            self._left_at = self.scroll_offset.y

    def repaint(self) -> None:
        """Only visible rows with an age: the others show a time."""
        top = self.scroll_offset.y
        tree = () if self.sight is None else self.sight.view.snapshot.tree
        for index in range(top, min(top + self.size.height, len(self._at))):
            row, reason = self._at[index]
            if reason is None and _ticks(tree[row]):
                self.refresh_lines(index)

    def _line_of(self, row: int) -> int:
        return next((line for line, (index, _) in enumerate(self._at) if index == row), 0)


def _matters(rows: tuple[Row, ...]) -> int:
    """The row to show: the newest that failed, else the newest record, else what moved last."""

    def weight(index: int) -> tuple[int, float]:
        row = rows[index]
        if row.mark is Mark.FAILED:
            return 2, row.since
        return (1 if row.is_record else 0), row.since

    return max(range(len(rows)), key=weight, default=0)


def _ticks(row: Row) -> bool:
    return row.mark is Mark.RUNNING and row.since > 0


def _when(row: Row, now: float) -> str:
    """How long it has been going on; of what is over, when that was."""
    if row.since <= 0:
        return ""
    return f"for {duration(now - row.since)}" if _ticks(row) else clock(row.since)


def _indent(row: Row, width: int) -> int:
    return min(2 * row.depth, width // 4)


def _row(row: Row, width: int, sight: Frame) -> Content:
    look = LOOKS[row.mark]
    symbol = sight.spinner(look.symbol) if _ticks(row) else look.symbol
    sign = "◆ " if row.is_record else "  "
    word = f"{look.word:<{WORD_WIDTH}} " if width >= _NARROW else ""
    room = max(width - len(sign) - 2 - len(word) - _AGE, 10)
    indent = _indent(row, width)
    kind = room * 30 // 100 if width >= _WIDE else 0
    status = min(max(len(row.status) + 1, room * 35 // 100), max(room - indent - kind - _LEAST, 8))
    style = STRONG if row.is_stack or row.is_record else ""
    return Content.assemble(
        (sign, "bold $text-accent"),
        (f"{symbol} {word}", look.style),
        " " * indent,
        cell(row.label, max(room - indent - kind - status - 1, 1), style),
        " ",
        cell(row.kind.removeprefix("AWS::"), kind, MUTED),
        cell(row.status, status, look.style),
        f"{_when(row, sight.now):>{_AGE}}",
    )


@lru_cache(maxsize=4096)
def _reason(reason: str, width: int, indent: int) -> tuple[Content, ...]:
    room = max(width - indent, 20)
    lines = wrapped(Content.assemble("└ ", plain(reason)), room, indent=2)
    return tuple(line.pad_left(indent).truncate(width) for line in lines)
