"""Which side an answer came from, told by its marks alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.http_checks import Side

if TYPE_CHECKING:
    from collections.abc import Collection


def who_answered(marks: str, blue: Collection[str], green: Collection[str]) -> Side:
    """The side that an answer with these marks came from.

    A site may give several answers in turn, so each side has all the marks that it is known by.

    Args:
        marks: of the answer; empty where there was none.
        blue: the marks of the answers that blue gave when it was asked directly.
        green: the same of green.

    Returns:
        `Side.UNKNOWN` where both give these marks, or neither.
    """
    by_blue, by_green = bool(marks) and marks in blue, bool(marks) and marks in green
    if by_blue == by_green:
        return Side.UNKNOWN
    return Side.BLUE if by_blue else Side.GREEN


def are_told_apart(blue: Collection[str], green: Collection[str]) -> bool:
    """Whether any answer of the one side is certainly not the other's."""
    return bool({*blue} - {"", *green}) and bool({*green} - {"", *blue})
