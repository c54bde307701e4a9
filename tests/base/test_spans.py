"""Colours: on a terminal that wants them, from our own code alone."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from route53_takeover.base import stdio
from route53_takeover.base.stdio import RED, Background, Plain, Span, takes_styles, write_spans

if TYPE_CHECKING:
    from collections.abc import Callable

LINES = ([Span("NO RECORD", RED), Span(" \x1b[31mforged\n")],)
PLAIN = "NO RECORD \\u001b[31mforged\\n\n"
COLOURED = "\x1b[1;31mNO RECORD\x1b[0m \\u001b[31mforged\\n\n"


class Terminal(io.StringIO):
    """With the descriptor of one."""


@pytest.fixture(autouse=True)
def _colours_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(stdio, "width_of", lambda file: 80 if _is_terminal(file) else None)


def _is_terminal(file: object) -> bool:
    return isinstance(getattr(file, "_stream", file), Terminal)


def test_only_our_own_styles_reach_a_terminal_and_all_else_is_visible() -> None:
    terminal = Terminal()
    write_spans(LINES, Plain(terminal))
    assert terminal.getvalue() == COLOURED


@pytest.mark.parametrize(
    "spoil",
    [
        lambda env: env.setenv("NO_COLOR", "1"),
        lambda env: env.setenv("TERM", "dumb"),
        lambda env: env.delenv("TERM"),
    ],
)
def test_there_are_no_colours_where_they_are_not_wanted(
    monkeypatch: pytest.MonkeyPatch, spoil: Callable[[pytest.MonkeyPatch], None]
) -> None:
    spoil(monkeypatch)
    terminal = Terminal()
    write_spans(LINES, Plain(terminal))
    assert terminal.getvalue() == PLAIN


def test_a_file_and_a_pipe_get_none() -> None:
    for file in (io.StringIO(), Plain(io.StringIO())):
        assert not takes_styles(file)
        write_spans(LINES, file)
        assert file.getvalue() == PLAIN


def test_lines_and_texts_in_the_background_keep_their_order() -> None:
    terminal = Terminal()
    background = Background(Plain(terminal))
    background.write("first\n")
    write_spans(LINES, background)
    background.write("last\n")
    assert background.close(10)
    assert terminal.getvalue() == f"first\n{COLOURED}last\n"
