"""Which side an answer came from."""

from __future__ import annotations

import pytest

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.switch.who_answered import are_told_apart, who_answered


@pytest.mark.parametrize(
    ("marks", "blue", "green", "side"),
    [
        ("b", ["b"], ["g"], Side.BLUE),
        ("g", ["b"], ["g"], Side.GREEN),
        ("g2", ["b"], ["g", "g2"], Side.GREEN),
        ("x", ["b"], ["g"], Side.UNKNOWN),
        ("s", ["s"], ["s"], Side.UNKNOWN),
        ("s", ["s", "b"], ["s"], Side.UNKNOWN),
        ("b", ["s", "b"], ["s"], Side.BLUE),
        ("", [""], ["g"], Side.UNKNOWN),
        ("b", ["b"], [], Side.BLUE),
    ],
)
def test_the_marks_tell_the_side(marks: str, blue: list[str], green: list[str], side: Side) -> None:
    assert who_answered(marks, blue, green) is side


@pytest.mark.parametrize(
    ("blue", "green", "apart"),
    [
        (["b"], ["g"], True),
        (["s"], ["s"], False),
        (["s", "b"], ["s", "g"], True),
        (["s", "b"], ["s"], False),
        (["b"], [""], False),
        (["b"], [], False),
    ],
)
def test_sides_are_told_apart_where_each_gives_an_answer_of_its_own(
    blue: list[str], green: list[str], apart: bool
) -> None:
    assert are_told_apart(blue, green) is apart
