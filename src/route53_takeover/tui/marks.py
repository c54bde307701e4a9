"""The word, symbol and colour of each `Mark`, the same everywhere on the screen.

Symbols take one cell in any font and differ from each other, so that nothing depends on colour.
Colours are names of the theme's, so that every theme and the terminal's own colours work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from route53_takeover.core.endings import Outcome
from route53_takeover.core.status.messages import OUTCOME_MARKS
from route53_takeover.core.status.snapshot import Mark

if TYPE_CHECKING:
    from collections.abc import Mapping

MUTED = "$text-muted"
STRONG = "bold"
ALARM = "bold reverse $text-error"
WARN = "bold reverse $text-warning"


class Look(NamedTuple):
    """How something is shown."""

    word: str
    symbol: str
    style: str


LOOKS: Mapping[Mark, Look] = {
    Mark.WAITING: Look("waiting", "·", MUTED),
    Mark.RUNNING: Look("running", "»", "bold $text-primary"),
    Mark.DONE: Look("done", "✔", "$text-success"),
    Mark.FAILED: Look("failed", "✘", "bold $text-error"),
    Mark.UNDONE: Look("undone", "↩", "$text-warning"),
    Mark.SKIPPED: Look("skipped", "–", MUTED),  # noqa: RUF001 -- a dash, not a minus
    Mark.UNKNOWN: Look("unknown", "?", "bold $text-warning"),
}
WORD_WIDTH = max(len(look.word) for look in LOOKS.values())


def symbol(mark: Mark) -> Content:
    """The mark as one cell."""
    look = LOOKS[mark]
    return Content.styled(look.symbol, look.style)


def outcome_mark(outcome: str) -> Mark:
    """How an outcome is shown; another word is shown as unknown."""
    try:
        return OUTCOME_MARKS[Outcome(outcome)]
    except ValueError:
        return Mark.UNKNOWN
