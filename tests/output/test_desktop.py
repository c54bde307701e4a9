"""Which terminals are asked for a notification, and that no text can do more than be shown."""

from __future__ import annotations

import pytest

from route53_takeover.output.desktop import notification, sequence_for

KITTY = {"TERM": "xterm-kitty"}
FOOT = {"TERM": "foot"}
ITERM = {"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}
GNOME = {"TERM": "xterm-256color", "VTE_VERSION": "7600"}
PLAIN = {"TERM": "xterm-256color"}


@pytest.mark.parametrize(
    ("environ", "sent"),
    [
        (KITTY, "\x1b]99;;gap\x1b\\"),
        (FOOT, "\x1b]777;notify;route53-takeover;gap\x07"),
        (ITERM, "\x1b]9;gap\x07"),
        (GNOME, "\x1b]777;notify;route53-takeover;gap\x07"),
        ({**GNOME, "VTE_VERSION": "4200"}, ""),
        (PLAIN, ""),
        ({**ITERM, "TERM": "dumb"}, ""),
        ({**ITERM, "TERM": "linux"}, ""),
        ({**ITERM, "TMUX": "1,2,3"}, ""),
        ({"TERM": "screen.xterm-256color"}, ""),
        ({}, ""),
    ],
    ids=str,
)
def test_a_terminal_gets_the_sequence_that_it_is_known_to_have(
    environ: dict[str, str], sent: str
) -> None:
    assert notification(sequence_for(environ, asked=None), "gap") == sent
    assert sequence_for(environ, asked=False) == ""


@pytest.mark.parametrize(
    ("environ", "sent"),
    [
        (PLAIN, "\x1b]9;gap\x07"),
        ({**PLAIN, "TMUX": "1,2,3"}, "\x1bPtmux;\x1b\x1b]9;gap\x07\x1b\\"),
        ({"TERM": "screen"}, "\x1bP\x1b]9;gap\x07\x1b\\"),
        ({"TERM": "dumb"}, ""),
        ({}, ""),
    ],
    ids=str,
)
def test_who_asks_for_it_gets_it_wherever_it_may_be_understood(
    environ: dict[str, str], sent: str
) -> None:
    assert notification(sequence_for(environ, asked=True), "gap") == sent


def test_nothing_in_the_text_ends_the_sequence_or_begins_another() -> None:
    for environ in (KITTY, FOOT, ITERM):
        hostile = "a;b\x07\x1b]52;c;x\x1b\\\x9c\n" + "x" * 1000
        sent = notification(sequence_for(environ, asked=None), hostile)
        plain = sent.removeprefix("\x1b]").removesuffix("\x07").removesuffix("\x1b\\")
        assert plain.isprintable()
        assert len(sent) < 300
