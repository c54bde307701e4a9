"""What the name servers answer: the latest of each, and how that changed around the release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.status.messages import ANSWER_WORDS
from route53_takeover.core.status.snapshot import Mark
from route53_takeover.tui.marks import LOOKS, MUTED, STRONG
from route53_takeover.tui.widgets.lines import DrawnLines
from route53_takeover.tui.widgets.timeline import MARKS, timeline
from route53_takeover.tui.wording import cell, duration, plain, wrapped

if TYPE_CHECKING:
    from route53_takeover.core.status.snapshot import ServerAnswer, ServerView
    from route53_takeover.tui.frame import Frame

_AGE = 12
_UNWATCHED = "not watched yet: answers are shown before the record can be deleted"
_ALL_IN_VIEW = 6
"""Name servers that are in view at most sizes without scrolling."""


class Servers(DrawnLines):
    """Name servers and resolvers."""

    BORDER_TITLE = "Name servers"

    def show(self, sight: Frame) -> None:
        """The title counts those that answer."""
        latest = [server.answers[-1] for server in sight.view.snapshot.servers if server.answers]
        answering = sum(each.status == "answer" for each in latest)
        told = f" · {answering} of {len(latest)} answer" if latest else ""
        self.entitle(f"{self.BORDER_TITLE}{told}")
        super().show(sight)

    def draw(self, sight: Frame, width: int) -> list[Content]:
        """The latest answers; once a record is deleted, the timeline, which ends with them."""
        servers = sight.view.snapshot.servers
        if not servers:
            return wrapped(Content.styled(_UNWATCHED, MUTED), width)
        if len(servers) > _ALL_IN_VIEW:
            servers = failing_first(servers)
        return timeline(sight, servers, width) or _grid(servers, sight, width)


def failing_first(servers: tuple[ServerView, ...]) -> tuple[ServerView, ...]:
    """What fails is never below what is in view; the servers of a name stay together."""

    def fails(server: ServerView) -> bool:
        return bool(server.answers) and server.answers[-1].status != "answer"

    bad = {server.name for server in servers if fails(server)}
    return tuple(sorted(servers, key=lambda s: (s.name not in bad, s.name, s.type, not fails(s))))


def _grid(servers: tuple[ServerView, ...], sight: Frame, width: int) -> list[Content]:
    longest = max(len(server.server) for server in servers)
    lines: list[Content] = []
    about: tuple[str, str] | None = None
    for server in servers:
        if about != (server.name, server.type):
            about = (server.name, server.type)
            text = f"latest answers for {display_name(server.name)} {server.type}"
            lines.append(cell(text, width, MUTED))
        lines.append(_latest(server, sight, width, longest))
    return lines


def _latest(server: ServerView, sight: Frame, width: int, longest: int) -> Content:
    room = max(width - 3 - _AGE, 10)
    name = min(longest, room // 2)
    shown = server.server.removesuffix(".")
    if not server.answers:
        asked = Content.styled("not queried yet", MUTED)
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
        f"{'for ' + duration(sight.now - latest.since):>{_AGE}}",
    )


def words_of(answer: ServerAnswer) -> tuple[str, Mark]:
    """The words and mark of a status; an unknown status is shown as it is."""
    words = ANSWER_WORDS.get(answer.status, answer.status)
    return words, MARKS.get(answer.status, Mark.UNKNOWN)
