"""What a plan shows, as data: cards of lines and tables. Screen and text draw the same cards.

Nothing here knows a width or a colour; texts are not escaped. What the cards say is in
`core.plan.takeover_cards` and `core.switch.cards`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.plan.model import Finding


class Tone(StrEnum):
    """What a text means: a drawing may give it a colour, and the words say it without one."""

    PLAIN = "plain"
    STRONG = "strong"
    MUTED = "muted"
    GOES = "goes"
    COMES = "comes"
    WARNING = "warning"
    REFUSAL = "refusal"


class Words(Struct, frozen=True):
    """A text of one tone."""

    text: str
    tone: Tone = Tone.PLAIN


class Line(Struct, frozen=True, kw_only=True):
    """A text; its later lines start below its first word.

    Attributes:
        lead: what stands before it, such as a number or a label.
        note: what stands behind it, muted.
    """

    text: str
    lead: str = ""
    note: str = ""
    tone: Tone = Tone.PLAIN


class Rule(Struct, frozen=True):
    """A line across, with words: what is below it is of another kind."""

    text: str


class Row(Struct, frozen=True, kw_only=True):
    """A row of a table; ``note``: what is said of it in its last column, or below it."""

    cells: tuple[Words, ...]
    note: Words = Words("")


class Table(Struct, frozen=True, kw_only=True):
    """Columns that stand below each other; ``head`` may name fewer than there are."""

    head: tuple[str, ...]
    rows: tuple[Row, ...]


Part = Line | Rule | Table


class Card(Struct, frozen=True, kw_only=True):
    """A part of a plan with a title of its own."""

    title: str
    parts: tuple[Part, ...]
    tone: Tone = Tone.PLAIN


def finding_cards(refusals: tuple[Finding, ...], warnings: tuple[Finding, ...]) -> Iterator[Card]:
    """Why a plan is refused, then what it warns of; a card each, where there is something."""
    for title, sign, tone, findings in (
        ("Refused", "✘", Tone.REFUSAL, refusals),
        ("Warnings", "!", Tone.WARNING, warnings),
    ):
        if findings:
            parts = [part for finding in findings for part in _finding(sign, tone, finding)]
            yield Card(title=title, parts=tuple(parts), tone=tone)


def _finding(sign: str, tone: Tone, finding: Finding) -> Iterator[Line]:
    yield Line(lead=f"{sign} ", text=finding.text, tone=tone)
    if finding.hint:
        yield Line(lead="    ", text=finding.hint)
