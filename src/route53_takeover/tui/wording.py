"""Durations, times and untrusted texts as the screen writes them."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.cells import cell_len
from textual.content import Content

from route53_takeover.base.escaping import escape_control

QUIET_FOR = 10.0
"""Seconds without news after which the screen says that the run still waits."""
_QUIET_STEP = 10.0
"""Seconds between two such words: they are in a border, and a new one draws its whole panel."""

_WIDOW = 4
"""Cells of a rest that does not get a line of its own."""


def duration(seconds: float) -> str:
    """``42s``, ``2m10s`` or ``1h02m10s``: as options of the command line take it."""
    minutes, rest = divmod(max(int(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02d}m{rest:02d}s"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


def remaining(seconds: float) -> str:
    """What is left of a time, in whole seconds: with what has passed it is the whole."""
    return duration(max(round(seconds), 0))


def seconds(value: float) -> str:
    """A gap: tenths count while it is short."""
    return f"{max(value, 0.0):.1f} s" if value < 100 else duration(value)  # noqa: PLR2004 -- words


def bar(share: float, cells: int) -> str:
    """A progress bar whose two halves differ without colour."""
    full = min(max(round(cells * share), 0), cells)
    return "█" * full + "░" * (cells - full)


def clock(time: float) -> str:
    """A time of day; UTC, so that it compares with AWS's own."""
    return f"{datetime.fromtimestamp(time, UTC):%H:%M:%S}Z"


def still_waiting(now: float, news_at: float) -> str:
    """``still waiting 2m10s`` once nothing has changed for a while, else nothing."""
    quiet = (now - news_at) // _QUIET_STEP * _QUIET_STEP
    return f"still waiting {duration(quiet)}" if quiet >= QUIET_FOR else ""


def plain(text: str, style: str = "") -> Content:
    """Text from anywhere: control characters made visible, and never read as markup."""
    return Content.styled(escape_control(text), style) if style else Content(escape_control(text))


def cell(text: str, width: int, style: str = "") -> Content:
    """Text in exactly this many cells, cut with an ellipsis where it does not fit."""
    return plain(text, style).truncate(max(width, 0), ellipsis=True, pad=True)


def wrapped(content: Content, width: int, *, indent: int = 0) -> list[Content]:
    """The lines of a text; those after the first are indented.

    A word that is longer than most of a line, such as a host name, is broken where the line ends:
    otherwise it would leave most of one empty.
    """
    if content.cell_length <= width:
        return [content]
    indent = indent if indent < width // 2 else 0
    first, rest = _cut(content, width)
    lines = [first]
    while rest:
        first, rest = _cut(rest, width - indent)
        lines.append(first.pad_left(indent))
    return lines


def _cut(content: Content, width: int) -> tuple[Content, Content]:
    """What fits into a line, and what is left."""
    if content.cell_length <= width:
        return content, Content("")
    end = max(len(content.truncate(max(width, 1))), 1)
    text = content.plain
    while end > 1 and cell_len(text[:end]) > width:  # half of a wide character was counted
        end -= 1
    at = text.rfind(" ", 0, end + 1)
    if len(text) - at <= _WIDOW and text.rfind(" ", 0, max(at, 0)) > end // 2:
        at = text.rfind(" ", 0, at)
    if at > end // 3:
        end = at
    elif (joint := max(text.rfind(sign, 0, end) for sign in "_.-/")) > end // 2:
        end = joint + 1
    rest = end + len(text[end:]) - len(text[end:].lstrip(" "))
    return content[:end].rstrip(), content[rest:]
