"""Reading single assignments (``config.a.b = value``) of a Ruby configuration file.

It is not a parser of Ruby. It knows comments, the conditional that an assignment stands in, and the
few forms in which ``ROUTE53_ENABLE`` is read. Everything else is `Reads.UNSURE`, never guessed. All
regular expressions are linear in the text.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SWITCH = "ROUTE53_ENABLE"
"""The environment variable that says whether a deploy is to create the record."""
LONGEST = 100_000
"""Characters of a file that are looked at."""
_DEEPEST = 20
"""Blocks around an assignment that are looked at."""


class Reads(StrEnum):
    """How a setting depends on the switch."""

    SWITCHED = "switched"
    """True exactly where the variable is ``true``."""
    WRONG = "wrong"
    """The variable is read, but the setting is the same for both values, or the wrong way round."""
    ON = "on"
    OFF = "off"
    UNSURE = "unsure"


class Assignment(Struct, frozen=True, kw_only=True):
    """An assignment as it stands in the file.

    Attributes:
        key: without ``config.``, such as ``domain.route53``.
        operator: ``=``, ``+=``, ``<<`` or ``||=``.
        value: without comments and without a modifier; an open bracket continues it.
        text: its first line, without a comment.
        guards: the conditionals that it stands in, from the outermost, a modifier included.
    """

    file: str
    line: int
    key: str
    operator: str
    value: str
    text: str
    guards: tuple[str, ...] = ()

    @property
    def mentions_switch(self) -> bool:
        """Whether its line, or a conditional around it, names the variable."""
        return any(SWITCH in text for text in (self.text, self.value)) or any(
            SWITCH in guard for guard in self.guards
        )

    @property
    def literal(self) -> str | None:
        """The string that is assigned, where it is spelled out."""
        if self.operator != "=" or self.guards:
            return None
        found = _STRING.fullmatch(self.value)
        return None if found is None else found[1] if found[1] is not None else found[2]


_STRING = re.compile(r"""(?:"([^"\\#]*+)"|'([^'\\]*+)')(?:\s*+\.freeze)?""")
_CODE = re.compile(r"""(?:[^#'"\\]|\\.|'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+")*+""")
"""A line up to its comment; a quote that is open at its end ends it too."""
_ASSIGNMENT = re.compile(r"\s*+config\.([\w.]++)\s*+(=(?![=~>])|\+=|<<|\|\|=)\s*+(.*+)")
_OPENS = re.compile(r"\s*+(if|unless|case|while|until|begin|def|class|module)\b(.*+)")
_BRANCHES = re.compile(r"\s*+(else|elsif|when|rescue|ensure)\b")
_CLOSES = re.compile(r"\s*+end\b")
_BLOCK = re.compile(r"\bdo(?:\s*+\|[^|]*+\|)?\s*+$")
_ENDS = re.compile(r"\bend\s*+$")
_MODIFIER = re.compile(r"\s(if|unless)\s")
_CONDITIONAL = frozenset({"if", "unless", "case", "while", "until", "begin", "def"})

_READ = rf'ENV(?:\["{SWITCH}"\]|\.fetch\("{SWITCH}"(?:,[^()]*+)?\))'
_AS_TEXT = r"(?:&?\.(?:to_s|downcase|strip))*+"
_SWITCHED = re.compile(
    rf'(?:{_READ}{_AS_TEXT}(?:=="true"|!="false")|"true"=={_READ}{_AS_TEXT})(?:\?true:false)?'
)
_WRONG = re.compile(
    rf"!?!?{_READ}{_AS_TEXT}(?:\.present\?|\.blank\?|\.nil\?)?"
    rf'|!?!?ENV\.(?:key|has_key|include)\?\("{SWITCH}"\)'
    rf'|{_READ}{_AS_TEXT}(?:=="false"|!="true")'
)


def code_lines(text: str, only: str = "") -> Iterator[tuple[int, str]]:
    """The lines that hold code, and this word, by number, without their comments."""
    in_comment = False
    for number, line in enumerate(text[:LONGEST].split("\n"), start=1):
        if not line:
            continue
        if line.startswith("__END__"):
            return
        if line.startswith("=begin"):
            in_comment = True
        found = None if in_comment or only not in line else _CODE.match(line)
        if found is not None and (code := found[0].rstrip()):
            yield number, code
        if line.startswith("=end"):
            in_comment = False


def assignments(file: str, text: str) -> list[Assignment]:
    """The assignments to ``config...`` in a file, from its first line to its last."""
    found = []
    opened: list[tuple[str, str]] = []
    lines = code_lines(text)
    for number, code in lines:
        if _CLOSES.match(code):
            if opened:
                opened.pop()
            continue
        if branch := _BRANCHES.match(code):
            if opened:
                opened[-1] = (opened[-1][0], branch[1])
            continue
        if (block := _OPENS.match(code)) is not None:
            if not _ENDS.search(code[-8:]):
                opened.append((block[1], f"{block[1]}{block[2]}"))
            continue
        if (assigned := _ASSIGNMENT.match(code)) is not None:
            guards = [text for kind, text in opened[:_DEEPEST] if kind in _CONDITIONAL]
            value, modifier = _split(_continued(assigned[3], lines))
            found.append(
                Assignment(
                    file=file,
                    line=number,
                    key=assigned[1],
                    operator=assigned[2],
                    value=value.strip(),
                    text=code.strip(),
                    guards=(*guards, modifier) if modifier else tuple(guards),
                )
            )
        if _BLOCK.search(code[-200:]):
            opened.append(("do", code))
    return found


def _continued(value: str, lines: Iterator[tuple[int, str]]) -> str:
    """A value with the lines that follow it, as long as a bracket of it is open."""
    parts, is_open = [value], _open_brackets(value)
    while is_open > 0 and (line := next(lines, None)) is not None:
        parts.append(line[1])
        is_open += _open_brackets(line[1])
    return " ".join(parts)


def _open_brackets(text: str) -> int:
    return sum(text.count(each) for each in "[{(") - sum(text.count(each) for each in ")}]")


def _split(value: str) -> tuple[str, str]:
    """A value, and the modifier behind it (``true if ready``)."""
    found = _MODIFIER.search(value)
    if found is None:
        return value, ""
    return value[: found.start()], f"{found[1]} {value[found.end() :]}"


def reads(settings: Iterable[Assignment]) -> Reads | None:
    """How a setting stands at the end of these assignments; ``None`` where there is none."""
    now: Reads | None = None
    for each in settings:
        kind = _kind_of(each.value) if each.operator == "=" else Reads.UNSURE
        if not each.guards:
            now = kind
        elif kind is Reads.ON and now in (None, Reads.OFF) and _is_switch(each.guards):
            now = Reads.SWITCHED
        else:
            now = Reads.UNSURE
    return now


def _kind_of(value: str) -> Reads:
    dense = _dense(value)
    if dense in ("true", "false", "nil"):
        return Reads.ON if dense == "true" else Reads.OFF
    if _SWITCHED.fullmatch(dense):
        return Reads.SWITCHED
    return Reads.WRONG if _WRONG.fullmatch(dense) else Reads.UNSURE


def _is_switch(guards: tuple[str, ...]) -> bool:
    """Whether these conditionals hold exactly where the variable is ``true``."""
    (first, *more) = guards
    return not more and first.startswith("if") and _kind_of(first[2:]) is Reads.SWITCHED


def _dense(value: str) -> str:
    dense = "".join(value.split()).replace("'", '"')
    is_in_brackets = dense.startswith("(") and dense.endswith(")")
    return dense[1:-1] if is_in_brackets and ")" not in dense[1:-1] else dense
