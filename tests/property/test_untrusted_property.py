"""Text from outside never acts on a terminal, never forges a line, and is never lost in JSON."""

from __future__ import annotations

import io
import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from route53_takeover.base.escaping import escape_control
from route53_takeover.base.stdio import write_line, write_lines

NASTY = "\x00\x07\x08\t\n\r\x1b\x7f\x80\x85\x90\x9b\x9d\x9f\xad\u200b\u200e\u200f\u061c"
BIDI = "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\ufff9\U000e0001"
HOSTILE = st.text(st.sampled_from(NASTY + BIDI) | st.characters())
TEXTS = st.text(st.sampled_from(NASTY + BIDI) | st.characters(exclude_categories=["Cs"]))


@given(HOSTILE)
def test_nothing_that_acts_on_a_terminal_is_left(text: str) -> None:
    shown = escape_control(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert escape_control(shown) == shown
    assert shown.encode().decode() == shown


@given(st.text(st.characters(exclude_categories=["C", "Z"])) | st.just("übung ☃ 東京"))
def test_what_can_be_printed_is_left_as_it_is(text: str) -> None:
    assert escape_control(text) == text


@given(TEXTS)
def test_json_stays_the_json_that_it_is(text: str) -> None:
    for ascii_only in (True, False):
        for indent in (None, 1):
            body = json.dumps({text: [text]}, ensure_ascii=ascii_only, indent=indent)
            assert json.loads(escape_control(body, keep="\n")) == {text: [text]}


@given(st.lists(HOSTILE, min_size=1))
def test_as_many_lines_are_written_as_there_are(texts: list[str]) -> None:
    once, each = io.StringIO(newline=""), io.StringIO(newline="")
    write_lines(texts, once)
    for text in texts:
        write_line(text, each)
    assert once.getvalue() == each.getvalue()
    assert len(once.getvalue().splitlines()) == len(texts)
