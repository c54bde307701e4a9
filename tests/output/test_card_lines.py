"""Cards are laid out for any width, untrusted text is escaped, only terminals get colours."""

from __future__ import annotations

import os
import pty
import re
import struct
import sys
import termios
from fcntl import ioctl
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from tests.core.plan.test_forecast import ALIAS, BELOW, NEW, PLAIN, made
from tests.played_switch import PLAN

from route53_takeover.base.stdio import Plain
from route53_takeover.core.plan.cards import Card, Line, Row, Table, Tone, Words
from route53_takeover.core.plan.model import Strategy
from route53_takeover.core.plan.takeover_cards import NO_RISK, takeover_cards
from route53_takeover.core.switch.cards import switch_cards
from route53_takeover.output.card_lines import card_lines, print_cards
from route53_takeover.output.plan_lines import last_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.plan.model import Plan

EVIL = "\x1b]0;x\x07[bold]www[/bold]\n$(x)"
LONG = Card(
    title="Long",
    parts=(
        Line(lead=f"{EVIL} " * 9, text="a" * 300, note="n " * 90),
        Line(text=EVIL, tone=Tone.WARNING),
        Table(
            head=("", "now", "then"),
            rows=(
                Row(cells=(Words("v" * 90), Words("漢字" * 90), Words(EVIL)), note=Words("x" * 70)),
            ),
        ),
    ),
)
CASES = (
    takeover_cards(made(ALIAS, NEW)),
    takeover_cards(made(ALIAS, NEW, strategy=Strategy.BRIDGE)),
    takeover_cards(made(PLAIN, NEW)),
    switch_cards(PLAN),
    (LONG,),
)


@pytest.mark.parametrize("cards", CASES)
@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal_or_breaks_it(
    cards: tuple[Card, ...], width: int
) -> None:
    for line in card_lines(cards, width):
        assert line.cell_len <= width
        assert line.plain.isprintable()


def test_later_lines_start_below_the_first_word() -> None:
    card = Card(title="Steps", parts=(Line(lead=" 1. ", text="one two three four five"),))
    assert [line.plain for line in card_lines((card,), 18)] == [
        "Steps",
        "   1. one two",
        "      three four",
        "      five",
    ]


def test_markup_in_a_text_is_text() -> None:
    lines = "\n".join(line.plain for line in card_lines((LONG,), 80))
    assert "[bold]www[/bold]" in lines
    assert "\\u001b" in lines


# -- what happens, and from when a name is at risk


def happens(plan: Plan) -> list[str]:
    (card,) = [card for card in takeover_cards(plan) if card.title == "What will happen"]
    return [line.plain for line in card_lines((card,))]


def test_the_line_of_risk_stands_before_the_step_that_may_leave_no_record() -> None:
    for strategy, *more in ((Strategy.DELETE,), (Strategy.ADOPT, BELOW)):
        lines = happens(made(ALIAS, NEW, *more, strategy=strategy))
        at = lines.index("  -- from here www.example.com may have no record --")
        assert "delete www.example.com A" in lines[at + 1] or "delete it then" in lines[at + 1]
        assert "Deploy with the switch on" in lines[at - 1]
        assert f"  {NO_RISK}" not in lines


def test_a_plan_without_such_a_step_says_so() -> None:
    for strategy in (Strategy.BRIDGE, Strategy.ADOPT):
        lines = happens(made(ALIAS, NEW, strategy=strategy))
        assert lines[-1] == f"  {NO_RISK}"
        assert not [line for line in lines if "may have no record" in line]


def test_a_step_says_who_acts_and_how_long_it_takes() -> None:
    lines = "\n".join(happens(made(ALIAS, NEW)))
    assert re.search(
        r"\d\. your deploy +Deploy with the switch on: x  \(your deploy's time\)", lines
    )
    assert re.search(r"\d\. this program +Test the restore: .*  \(up to 60 s\)", lines)


def test_of_a_refused_plan_the_refusals_come_last_and_there_is_no_step() -> None:
    plan = made(PLAIN, NEW)
    assert [card.title for card in takeover_cards(plan)][-2:] == ["Refused", "Warnings"]
    assert "What will happen" not in [card.title for card in takeover_cards(plan)]
    assert last_lines(plan, "line")[-1] == "Refused: nothing was written."


# -- print


@pytest.fixture
def terminal() -> Iterator[tuple[Plain, int]]:
    """A stream on a terminal of 50 columns, and the terminal's other end."""
    other, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 50, 0, 0))
    with os.fdopen(slave, "w") as stream:
        yield Plain(stream), other
    os.close(other)


def printed(terminal: tuple[Plain, int]) -> str:
    stream, other = terminal
    print_cards(CASES[0][:1], ["", f"  {'run ' * 20}"], stream)
    return os.read(other, 1 << 16).decode()


def test_a_terminal_gets_colours_and_its_width(
    terminal: tuple[Plain, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = printed(terminal)
    assert "\x1b[31mno stack" in text
    assert set(re.findall(r"\x1b.", text)) == {"\x1b["}
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()
    assert max(map(len, plain[:-1])) <= 50
    assert plain[-1].strip() == ("run " * 20).strip(), "what is copied is not wrapped"


@pytest.mark.parametrize(
    ("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "unknown")]
)
def test_no_colour_is_no_colour(
    name: str, value: str, terminal: tuple[Plain, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)
    assert "\x1b" not in printed(terminal)


def test_a_file_gets_neither_colours_nor_line_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    file = StringIO()
    card = Card(title="T", parts=(Line(text="word " * 100, tone=Tone.WARNING),))
    print_cards((card,), ["end"], Plain(file))
    assert file.getvalue().splitlines() == ["T", f"  {'word ' * 100}".rstrip(), "end"]


def test_of_all_sequences_only_colours_pass() -> None:
    file = StringIO()
    Plain(file).write_styled("\x1b[31mred\x1b[0m \x1b]0;x\x07 \x1b[2J\n")
    assert file.getvalue() == "\x1b[31mred\x1b[0m \\u001b]0;x\\u0007 \\u001b[2J\n"


def test_only_what_prints_a_plan_loads_rich() -> None:
    from subprocess import run

    code = "import sys, route53_takeover.cli.app; print('rich.table' in sys.modules)"
    told = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


def test_the_line_to_run_asks_first_on_a_terminal_and_nothing_in_a_script(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = made(ALIAS, NEW)
    line = "route53-takeover run --stack shop --auto"
    assert last_lines(plan, line)[-1] == f"  {line}"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    *_, shown, asks = last_lines(plan, line)
    assert shown == "  route53-takeover run --stack shop"
    assert "--auto" in asks
