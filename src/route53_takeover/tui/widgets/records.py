"""The records: before the takeover, as the stack wants them, and now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from route53_takeover.tui.marks import ALARM, LOOKS, MUTED, STRONG, WARN
from route53_takeover.tui.widgets.lines import DrawnLines
from route53_takeover.tui.wording import duration, plain, seconds, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.status.snapshot import Field, RecordView
    from route53_takeover.tui.frame import Frame

_UNKNOWN = "not known yet"


class RecordTable(DrawnLines):
    """The records of the takeover, before and after."""

    BORDER_TITLE = "records: before → after"
    packed = False
    """Whether short fields share a line, where lines are few."""

    def draw(self, sight: Frame, width: int) -> list[Content]:
        """Fields that differ have one sign, fields that do not another."""
        lines: list[Content] = []
        for record in sight.view.snapshot.records:
            for content, indent in _record(record, sight, width, packed=self.packed):
                lines += wrapped(content, width, indent=indent)
        return lines or [Content.styled("no record in this takeover", MUTED)]


def _record(
    record: RecordView, sight: Frame, width: int, *, packed: bool
) -> Iterator[tuple[Content, int]]:
    look = LOOKS[record.mark]
    gap = _gap(record, sight)
    yield (
        Content.assemble(
            (f"{look.symbol} ", look.style),
            plain(record.label, STRONG),
            Content.assemble("  ", gap, "  ") if gap else ": ",
            plain(record.words),
        ),
        4,
    )
    label = 0 if packed else max((len(field.name) for field in record.fields), default=0)
    yield _standing(record, sight, label), label + 4
    lines: list[Content] = []
    for field in record.fields:
        drawn = _field(field, label, width)
        together = Content("   ").join([*lines[-1:], *drawn])
        if packed and lines and len(drawn) == 1 and together.cell_length <= width:
            lines[-1] = together
        else:
            lines += drawn
    yield from ((line, label + 4) for line in lines)


def _field(field: Field, label: int, width: int) -> list[Content]:
    sign = "≠" if field.differs else "=" if field.after else "?"
    start = Content.assemble(
        (f"{sign} ", MUTED if sign == "=" else "bold $text-warning"),
        (f"{field.name:<{label}}  ", MUTED),
    )
    before = Content.assemble(start, plain(field.before))
    if sign == "=":
        return [before]
    after = plain(field.after, STRONG) if field.after else Content.styled(_UNKNOWN, MUTED)
    line = Content.assemble(before, (" → ", STRONG), after)
    if line.cell_length <= width:
        return [line]
    # Two long values are below each other, so that they can be compared.
    return [before, Content.assemble((f"{'→':>{start.cell_length - 1}} ", STRONG), after)]


def _standing(record: RecordView, sight: Frame, label: int) -> Content:
    """The records at the name now; the lines below it are only the plan."""
    start = Content.assemble("  ", (f"{'now':<{label}}  ", MUTED))
    stands = " | ".join(record.standing)
    missing = (" MEMBER MISSING ", WARN) if record.still_answers else (" NO RECORD ", ALARM)
    if record.covered_by:
        missing = (f"{record.covered_by} answers", STRONG)
    what = plain(stands) if stands else Content.styled(*missing)
    if record.read_at is None:
        return Content.assemble(start, what, ("  (not read since)", MUTED))
    age = duration(sight.now - record.read_at)
    return Content.assemble(start, what, (f"  (read {age} ago)", MUTED))


def _gap(record: RecordView, sight: Frame) -> Content:
    """How long the record set has been, or was, gone; it grows while there is none."""
    if record.gap is None:
        return Content("")
    is_open = not record.standing
    gap = record.gap + sight.ahead if is_open else record.gap
    text = f" GAP {seconds(gap)} " if is_open else f"gap {seconds(gap)}"
    by_dns = "" if record.gap_dns is None else f" ({seconds(record.gap_dns)} by DNS)"
    look = WARN if record.still_answers else ALARM
    return Content.assemble((text, look if is_open else STRONG), by_dns)
