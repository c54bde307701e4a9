"""The records: before the takeover, now, and as the stack wants them.

One record has a row for each of the three; several have a row each, the worst first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from route53_takeover.core.status.result import gap_words
from route53_takeover.core.status.snapshot import Mark
from route53_takeover.process.protocol import Link
from route53_takeover.tui.marks import ALARM, LOOKS, MUTED, STRONG, WARN
from route53_takeover.tui.state_colour import DIED
from route53_takeover.tui.widgets.lines import DrawnLines
from route53_takeover.tui.wording import duration, plain, remaining, seconds, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.status.snapshot import RecordView
    from route53_takeover.tui.frame import Frame

_UNKNOWN = "shown once CloudFormation starts creating it"
_OFF = "$text-muted strike"
_LABEL = 8
_GAP = 2
_COLUMNS = ("type", "value", "TTL", "owner")
_TABLE = 96
"""Cells from which on several records are a table."""


class RecordTable(DrawnLines):
    """The records of the takeover: before, now, wanted."""

    BORDER_TITLE = "Record"
    packed = False
    """Whether the names of the columns are left out, where lines are few."""

    def show(self, sight: Frame) -> None:
        many = len(sight.view.snapshot.records)
        self.entitle(f"{many} records, the worst first" if many > 1 else self.BORDER_TITLE)
        super().show(sight)

    def draw(self, sight: Frame, width: int) -> list[Content]:
        """Cells that differ from what is wanted have a sign; what is not created is struck out."""
        records = sorted(sight.view.snapshot.records, key=_weight)
        if not records:
            return [Content.styled("no record in this takeover", MUTED)]
        if len(records) > 1:
            return (_many if width >= _TABLE else _list)(records, sight, width)
        (record,) = records
        head = wrapped(_head(record, sight), width, indent=4)
        return [*head, *_three_rows(record, sight, width, packed=self.packed)]


def _weight(record: RecordView) -> tuple[int, float]:
    """What has no record comes first, the longest of them at the top."""
    if not record.standing and not record.covered_by:
        return (1 if record.still_answers else 0), -(record.gap or 0.0)
    order = (Mark.FAILED, Mark.UNKNOWN, Mark.RUNNING, Mark.UNDONE)
    place = order.index(record.mark) if record.mark in order else len(order)
    return 2 + place, 0.0


def _head(record: RecordView, sight: Frame) -> Content:
    """The record, its gap and what became of it."""
    look = LOOKS[record.mark]
    missing = _missing(record, sight)
    gap = _gap(record, sight)
    parts = [missing, gap] if missing is not None else [gap, plain(record.words)]
    told = Content("  ").join(part for part in (plain(record.label, STRONG), *parts) if part)
    return Content.assemble((f"{look.symbol} ", look.style), told)


def _read(record: RecordView, sight: Frame) -> str:
    if record.read_at is None:
        return "not read since"
    return f"read {duration(sight.now - record.read_at)} ago"


def _missing(record: RecordView, sight: Frame) -> Content | None:
    if record.standing or record.covered_by:
        return None
    if record.still_answers:
        return Content.styled(" MEMBER MISSING ", WARN)
    is_past = sight.view.link is Link.REPLAY
    return Content.styled(" NO RECORD ", "bold reverse" if is_past else ALARM)


def _gap(record: RecordView, sight: Frame) -> Content:
    """How long the record set has been, or was, gone; it grows while there is none."""
    if record.gap is None:
        return Content("")
    is_open = not record.standing
    gap = record.gap + sight.ahead if is_open else record.gap
    by_dns = "" if record.gap_dns is None else seconds(record.gap_dns)
    text = gap_words(seconds(gap), 0.0 if is_open else record.unwatched, by_dns)
    return Content.styled(f"{'for' if is_open else 'gap'} {text}", STRONG)


def _left(record: RecordView, sight: Frame) -> float | None:
    """Until the run restores it, where a process does."""
    is_over = sight.view.link in (*DIED, Link.REPLAY) or sight.view.snapshot.result is not None
    if record.until is None or is_over or record.until <= sight.now:
        return None
    return record.until - sight.now


# -- one record


class _Cells(NamedTuple):
    """A row of the table: what it is called, its cells, and the sign of each."""

    label: str
    cells: tuple[str, ...]
    signs: tuple[str, ...] = ("",) * len(_COLUMNS)
    style: str = ""


def _three_rows(record: RecordView, sight: Frame, width: int, *, packed: bool) -> list[Content]:
    """In columns where every cell fits, else a line a row."""
    rows = [*_rows(record)]
    if not rows:
        return []
    widths = [
        max(len(name), *(len(row.cells[n]) + len(row.signs[n]) for row in rows))
        for n, name in enumerate(_COLUMNS)
    ]
    read = Content.styled(f"  {_read(record, sight)}", MUTED)
    if _LABEL + sum(widths) + _GAP * (len(widths) - 1) > width:
        drawn = [_in_a_line(row, rows[0]) for row in rows]
        drawn[1] = _appended(drawn[1], read, width)
        return [line for each in drawn for line in wrapped(each, width, indent=_LABEL)]
    drawn = [_in_columns(row, widths) for row in rows]
    drawn[1] = _appended(drawn[1], read, width)
    if packed:
        return drawn
    return [_in_columns(_Cells("", _COLUMNS, style=MUTED), widths), *drawn]


def _appended(line: Content, more: Content, width: int) -> Content:
    """Where there is room for it."""
    return line.append(more) if line.cell_length + more.cell_length <= width else line


def _rows(record: RecordView) -> Iterator[_Cells]:
    fields = {field.name: field for field in record.fields}
    chosen = [fields[name] for name in _COLUMNS if name in fields]
    if len(chosen) < len(_COLUMNS):
        return
    before = tuple(field.before for field in chosen)
    yield _Cells("before", before)
    for number, each in enumerate(record.now):
        cells = (each.type, each.value, each.ttl, each.owner)
        yield _Cells("" if number else "now", cells, _compared(cells, before, record), STRONG)
    if not record.now:
        answering = f"nothing; {record.covered_by} answers" if record.covered_by else "nothing"
        yield _Cells("now", ("", answering, "", ""), style=STRONG)
    after = tuple(field.after for field in chosen)
    if not any(after[1:3]):
        what = "" if record.is_off else _UNKNOWN
        yield _Cells("wanted", (after[0], what, "", after[3]), style=MUTED)
        return
    label = "dropped" if record.is_off else "wanted"
    yield _Cells(label, after, style=_OFF if record.is_off else "")


def _compared(now: tuple[str, ...], before: tuple[str, ...], record: RecordView) -> tuple[str, ...]:
    """Which of what stands is as it is wanted, and was not so before."""
    fields = {field.name: field for field in record.fields}
    signs = []
    for name, cell, was in zip(_COLUMNS, now, before, strict=True):
        wanted = "" if record.is_off else fields[name].after
        if not cell or not wanted or (was.startswith(cell) and not fields[name].differs):
            signs.append("")
        else:
            signs.append("✔ " if cell == wanted else "")
    return tuple(signs)


def _cell(row: _Cells, number: int) -> Content:
    return Content.assemble((row.signs[number], MUTED), plain(row.cells[number], row.style))


def _in_columns(row: _Cells, widths: list[int]) -> Content:
    drawn = [_cell(row, number) for number in range(len(widths))]
    padded = [
        each.pad_right(width - each.cell_length) for each, width in zip(drawn, widths, strict=True)
    ]
    return Content.assemble(
        (f"{row.label:<{_LABEL}}", MUTED), Content(" " * _GAP).join(padded)
    ).rstrip()


def _in_a_line(row: _Cells, before: _Cells) -> Content:
    """Without the type where it is the same, and without the TTL of an alias, which has none."""
    texts = dict(zip(_COLUMNS, row.cells, strict=True))
    ttl = texts["TTL"] if texts["TTL"][:1].isdigit() else ""
    shown = {
        "type": texts["type"] if texts["type"] != before.cells[0] else "",
        "value": texts["value"],
        "TTL": f"TTL {ttl}" if ttl else "",
        "owner": texts["owner"],
    }
    drawn = [
        Content.assemble((sign, MUTED), plain(text, row.style))
        for text, sign in zip(shown.values(), row.signs, strict=True)
        if text
    ]
    return Content.assemble((f"{row.label:<{_LABEL}}", MUTED), Content(" · ").join(drawn))


# -- several records


def _short(record: RecordView) -> tuple[str, str, str]:
    """The values: before, now, wanted."""
    value = next((field for field in record.fields if field.name == "value"), None)
    now = " | ".join(each.value for each in record.now)
    return ("", now, "") if value is None else (value.before, now, value.after)


def _list(records: list[RecordView], sight: Frame, width: int) -> list[Content]:
    """A line a record, where there is no room for values."""
    name = min(max(len(record.label) for record in records), width // 2)
    lines = []
    for record in records:
        look = LOOKS[record.mark]
        missing = _missing(record, sight)
        state = _became(record) if missing is None else _absence(record, missing, sight)
        label = plain(record.label, STRONG).truncate(name, ellipsis=True, pad=True)
        line = Content.assemble((f"{look.symbol} ", look.style), label, " " * _GAP, state)
        lines.append(line.truncate(width, ellipsis=True))
    return lines


def _absence(record: RecordView, missing: Content, sight: Frame) -> Content:
    """How long, and how long it may still last."""
    gap = "" if record.gap is None else f" {seconds(record.gap + sight.ahead)}"
    until = _left(record, sight)
    return Content.assemble(missing, gap, "" if until is None else f", {remaining(until)} left")


def _became(record: RecordView) -> Content:
    gap = ""
    if record.gap is not None:
        gap = f", gap {gap_words(seconds(record.gap), record.unwatched)}"
    return Content.assemble(plain(record.words), (gap, STRONG))


def _many(records: list[RecordView], sight: Frame, width: int) -> list[Content]:
    """A table with a row a record."""
    name = min(max(len(record.label) for record in records), width // 4)
    state = min(max(len(_state(record, sight).plain) for record in records), width // 3)
    room = (width - name - state - 4 * _GAP - 2) // 3
    widths = (name, room, room, room, state)
    head = [Content.styled(t, MUTED) for t in ("record", "before", "now", "wanted", "state")]
    lines = [Content.assemble("  ", _columns(head, widths))]
    for record in records:
        look = LOOKS[record.mark]
        before, now, after = _short(record)
        cells = [
            plain(record.label, STRONG),
            plain(before),
            plain(now, STRONG) if now else _missing(record, sight) or plain(record.covered_by),
            plain(after, _OFF if record.is_off else ""),
            _state(record, sight),
        ]
        line = Content.assemble((f"{look.symbol} ", look.style), _columns(cells, widths))
        lines.append(line.truncate(width, ellipsis=True))
    return lines


def _state(record: RecordView, sight: Frame) -> Content:
    until = _left(record, sight)
    left = Content("" if until is None else f"restored in {remaining(until)}")
    parts = (_gap(record, sight), left, plain(record.words))
    return Content("  ").join(part for part in parts if part)


def _columns(cells: list[Content], widths: tuple[int, ...]) -> Content:
    return Content(" " * _GAP).join(
        cell.truncate(width, ellipsis=True, pad=True)
        for cell, width in zip(cells, widths, strict=True)
    )
