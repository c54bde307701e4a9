"""Cards of a plan as lines of a given width, for text and screen; and a plan in print.

A line is a `rich.text.Text` whose styles are the names of tones: who draws it decides on colours.
Every text of a card is escaped here. Only what prints or shows a plan may import this: it loads
rich.
"""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text
from rich.theme import Theme

from route53_takeover.base.escaping import escape_control
from route53_takeover.base.stdio import takes_styles, width_of, write_styled_lines
from route53_takeover.core.plan.cards import Line, Rule, Table, Tone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from route53_takeover.base.stdio import Sink
    from route53_takeover.core.plan.cards import Card, Part, Row, Words

TITLE, RULE, HEAD = "title", "rule", "head"
"""Names of styles, beside those of the tones."""
UNLIMITED = 1 << 20
"""A width at which nothing is wrapped: of a file or a pipe."""
_STYLES = {
    Tone.PLAIN: "none",
    Tone.STRONG: "bold",
    Tone.MUTED: "dim",
    Tone.GOES: "red",
    Tone.COMES: "green",
    Tone.WARNING: "yellow",
    Tone.REFUSAL: "bold red",
    TITLE: "bold cyan",
    RULE: "bold red",
    HEAD: "dim",
}
_GAP = 2
_LEAST = 8
"""Cells below which no column is made narrower."""
_NOTE = 40
"""Cells that a note needs beside its row; with less it has lines of its own below it."""
_INDENT = 4
_MARGIN = "  "
_wrapping = Console(file=StringIO(), width=80)


def print_cards(cards: Sequence[Card], last: Sequence[str], file: Sink) -> None:
    """Prints a plan: in colour on a terminal that takes it, wrapped to a terminal's width.

    ``last``: the lines after the cards, which are never wrapped: a command is copied from there.
    """
    width = width_of(file)
    lines = card_lines(cards, UNLIMITED if width is None else width)
    after = [Text(escape_control(line)) for line in last]
    if takes_styles(file):
        buffer = StringIO()
        theme = Theme({str(name): style for name, style in _STYLES.items()})
        console = Console(
            file=buffer,
            theme=theme,
            width=UNLIMITED,
            force_terminal=True,
            color_system="standard",
            no_color=False,
        )
        for line in (*lines, *after):
            console.print(line, end="\n", soft_wrap=True, highlight=False)
        write_styled_lines(buffer.getvalue().splitlines(), file)
    else:
        write_styled_lines([line.plain for line in (*lines, *after)], file)


def card_lines(cards: Sequence[Card], width: int = UNLIMITED) -> list[Text]:
    """The cards below each other: a title, and its lines indented; an empty line between two."""
    lines: list[Text] = []
    for card in cards:
        if lines:
            lines.append(Text())
        lines.append(Text(card.title, style=_title_style(card)))
        lines += [
            Text.assemble(_MARGIN if line.plain else "", line)
            for line in lines_of(card.parts, width - len(_MARGIN))
        ]
    return lines


def _title_style(card: Card) -> str:
    return TITLE if card.tone is Tone.PLAIN else str(card.tone)


def lines_of(parts: Iterable[Part], width: int) -> Iterator[Text]:
    """The lines of a card's parts, none wider than this."""
    for part in parts:
        match part:
            case Line():
                yield from _line(part, width)
            case Rule(text=text):
                yield from _rule(f"-- {escape_control(text)} --", width)
            case Table():
                yield from _table(part, width)


def _rule(words: str, width: int) -> Iterator[Text]:
    """Words in a line across; of a file only the words have their dashes."""
    text = Text(words, style=RULE)
    if width < UNLIMITED - len(_MARGIN) and text.cell_len < width:
        text.append("-" * (width - text.cell_len))
    yield from _wrapped(text, width)


def _line(line: Line, width: int) -> Iterator[Text]:
    lead = Text(escape_control(line.lead), style=str(line.tone))
    text = Text(escape_control(line.text), style=str(line.tone))
    if line.note:
        text = Text.assemble(text, (f"  ({escape_control(line.note)})", str(Tone.MUTED)))
    yield from _beside(lead, text, width)


def _beside(lead: Text, text: Text, width: int) -> Iterator[Text]:
    """A text that is wrapped behind its lead; below it where that takes more than half."""
    indent, first = lead.cell_len, lead
    if indent > width // 2:
        text, indent, first = Text.assemble(lead, text), _INDENT, Text()
    for number, part in enumerate(_wrapped(text, width - indent)):
        yield Text.assemble(" " * indent if number else first, part)


def _wrapped(text: Text, width: int) -> list[Text]:
    lines = list(text.wrap(_wrapping, max(width, 1), overflow="fold"))
    for line in lines:
        line.rstrip()
    return lines


# -- tables


def _table(table: Table, width: int) -> Iterator[Text]:
    head = [Text(name, style=HEAD) for name in table.head]
    rows = [[_words(cell) for cell in row.cells] for row in table.rows]
    widths = _widths([head, *rows], width)
    used = sum(widths) + _GAP * len(widths)
    yield from _row(head, widths)
    for row, cells in zip(table.rows, rows, strict=True):
        yield from _noted(row, cells, widths, width - used)


def _words(words: Words) -> Text:
    return Text(escape_control(words.text), style=str(words.tone))


def _widths(rows: Sequence[Sequence[Text]], width: int) -> list[int]:
    """As wide as the widest cell; where that is too much, the widest columns share the room."""
    widths = [max(cell.cell_len for cell in column) for column in zip(*rows, strict=True)]
    room = width - _GAP * (len(widths) - 1)
    while sum(widths) > room and max(widths) > _LEAST:
        widest = max(widths)
        at = [n for n, each in enumerate(widths) if each == widest]
        below = max([each for each in widths if each < widest], default=0)
        even = (room - sum(each for each in widths if each < widest)) // len(at)
        for n in at:
            widths[n] = max(even, below, _LEAST)
        if max(widths) == widest:
            break
    return widths


def _row(cells: Sequence[Text], widths: Sequence[int]) -> Iterator[Text]:
    columns = [_wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for number in range(max(map(len, columns))):
        line = Text()
        for column, width in zip(columns, widths, strict=True):
            part = column[number].copy() if number < len(column) else Text()
            part.pad_right(max(width - part.cell_len, 0) + _GAP)
            line.append_text(part)
        line.rstrip()
        yield line


def _noted(row: Row, cells: Sequence[Text], widths: Sequence[int], room: int) -> Iterator[Text]:
    """A row, and its note where there is room for it."""
    if not row.note.text:
        yield from _row(cells, widths)
    elif room >= min(_NOTE, _words(row.note).cell_len):
        yield from _row([*cells, _words(row.note)], [*widths, room])
    else:
        yield from _row(cells, widths)
        whole = sum(widths) + _GAP * len(widths) + room
        yield from _beside(Text(" " * _INDENT), _words(row.note), whole)
