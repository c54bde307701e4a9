"""What the name servers answer: the latest of each, and how that changed around the release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.status.snapshot import Mark
from route53_takeover.tui.marks import LOOKS, MUTED, STRONG
from route53_takeover.tui.widgets.lines import DrawnLines
from route53_takeover.tui.widgets.timeline import timeline
from route53_takeover.tui.wording import cell, duration, plain

if TYPE_CHECKING:
    from route53_takeover.core.status.snapshot import ServerAnswer, ServerView
    from route53_takeover.tui.frame import Frame

WORDS = {
    "answer": ("answers", Mark.DONE),
    "nxdomain": ("no such name", Mark.FAILED),
    "nodata": ("no record", Mark.FAILED),
    "timeout": ("no answer", Mark.UNKNOWN),
    "error": ("error", Mark.UNKNOWN),
}
"""NXDOMAIN, no data and silence are three facts."""
_AGE = 9


class Servers(DrawnLines):
    """Name servers and resolvers."""

    BORDER_TITLE = "name servers"

    def draw(self, sight: Frame, width: int) -> list[Content]:
        """The timeline comes first, once there is one: it ends with the latest answers."""
        servers = sight.view.snapshot.servers
        if not servers:
            return [Content.styled("no name server is asked", MUTED)]
        lines = timeline(sight, width) if sight.view.snapshot.released else []
        return [*lines, *_grid(servers, sight, width)]


def _grid(servers: tuple[ServerView, ...], sight: Frame, width: int) -> list[Content]:
    longest = max(len(server.server) for server in servers)
    lines: list[Content] = []
    about: tuple[str, str] | None = None
    for server in servers:
        if about != (server.name, server.type):
            about = (server.name, server.type)
            text = f"latest answers about {display_name(server.name)} {server.type}"
            lines.append(cell(text, width, MUTED))
        lines.append(_latest(server, sight, width, longest))
    return lines


def _latest(server: ServerView, sight: Frame, width: int, longest: int) -> Content:
    room = max(width - 3 - _AGE, 10)
    name = min(longest, room // 2)
    shown = server.server.removesuffix(".")
    if not server.answers:
        asked = Content.styled("not asked yet", MUTED)
        return Content.assemble("· ", cell(shown, name), " ", asked).truncate(width)
    latest = server.answers[-1]
    word, mark = words_of(latest)
    look = LOOKS[mark]
    said = Content.assemble(plain(word, look.style), " ", plain(" ".join(latest.values)))
    return Content.assemble(
        (f"{look.symbol} ", look.style),
        cell(shown, name, STRONG),
        " ",
        said.truncate(room - name, ellipsis=True, pad=True),
        f"{duration(sight.now - latest.since):>{_AGE}}",
    )


def words_of(answer: ServerAnswer) -> tuple[str, Mark]:
    """What a status means, in words; one that nobody knows is shown as it is."""
    return WORDS.get(answer.status, (answer.status, Mark.UNKNOWN))
