"""HTML elements whose texts are escaped: nothing foreign can become markup.

A child that is a plain string is text; only what `element` made is markup.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from route53_takeover.base.escaping import escape_control

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_VOID = frozenset({"br", "meta", "link", "rect", "line"})


class Markup(str):
    """HTML of our own making."""

    __slots__ = ()


def text(value: str) -> Markup:
    """A text as markup: with visible control characters, and as ASCII whatever the encoding."""
    escaped = html.escape(escape_control(value))
    return Markup(escaped.encode("ascii", "xmlcharrefreplace").decode())


def element(tag: str, *children: str, **attributes: str | float) -> Markup:
    """An element; ``_`` in an attribute's name stands for ``-``, one at its end for nothing."""
    named = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    given = "".join(f' {key}="{text(str(value))}"' for key, value in named.items())
    if tag in _VOID:
        return Markup(f"<{tag}{given}>" if tag in ("br", "meta", "link") else f"<{tag}{given}/>")
    inner = "".join(c if isinstance(c, Markup) else text(c) for c in children)
    return Markup(f"<{tag}{given}>{inner}</{tag}>")


def preformatted(value: str) -> Markup:
    """A text of our own making, with its line breaks."""
    lines = Markup("\n".join(map(text, value.split("\n"))))
    return element("pre", lines)


def joined(*parts: str) -> Markup:
    """Several, one after the other."""
    return Markup("".join(p if isinstance(p, Markup) else text(p) for p in parts))


def table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, is_keyed: bool = False
) -> Markup:
    """A table that scrolls by itself where the page is too narrow for it.

    Args:
        is_keyed: whether the first cell of each row is its heading.
    """
    head = element("thead", element("tr", *(element("th", h, scope="col") for h in headings)))
    body = []
    for row in rows:
        cells = [element("td", cell) for cell in row]
        if is_keyed:
            cells[0] = element("th", row[0], scope="row")
        body.append(element("tr", *cells))
    whole = element("table", head, element("tbody", *body))
    return element("div", whole, class_="scroll", tabindex="0", role="group")
