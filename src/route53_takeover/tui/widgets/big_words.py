"""Words as large as Textual's digits, which have no letters for them."""

from __future__ import annotations

_LETTERS = {
    "A": ("┏━┓", "┣━┫", "╹ ╹"),
    "D": ("╺┳┓", " ┃┃", "╺┻┛"),
    "E": ("┏━╸", "┣━╸", "┗━╸"),
    "N": ("┏┓╻", "┃┗┫", "╹ ╹"),
    "O": ("┏━┓", "┃ ┃", "┗━┛"),
    "P": ("┏━┓", "┣━┛", "╹  "),
    "R": ("┏━┓", "┣┳┛", "╹┗╸"),
    "S": ("┏━╸", "┗━┓", "╺━┛"),
    "T": ("╺┳╸", " ┃ ", " ╹ "),
    "U": ("╻ ╻", "┃ ┃", "┗━┛"),
    "Y": ("╻ ╻", "┗┳┛", " ╹ "),
    " ": (" ", " ", " "),
}
PAUSED, YOUR_TURN = "PAUSED", "YOUR TURN"


def big(word: str) -> list[str]:
    """The word in three lines; `PAUSED` and `YOUR_TURN` can be drawn."""
    return ["".join(_LETTERS[letter][row] for letter in word) for row in range(3)]
