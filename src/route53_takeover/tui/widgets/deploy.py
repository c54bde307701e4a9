"""The state of the deploy commands, and the newest output of the running one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from route53_takeover.core.status.snapshot import Mark
from route53_takeover.process.protocol import Link
from route53_takeover.tui.marks import LOOKS, MUTED, STRONG
from route53_takeover.tui.widgets.lines import Tail
from route53_takeover.tui.wording import duration, plain, wrapped

if TYPE_CHECKING:
    from route53_takeover.core.status.snapshot import DeployView, Snapshot
    from route53_takeover.tui.frame import Frame

MOST_LINES = 500
"""Lines of output that are kept; the whole of it is in the run's folder."""


class DeployOutput(Tail):
    """The output, newest at the bottom; a line for each command above it."""

    BORDER_TITLE = "Deploy output"

    _folded: tuple[tuple[str, ...], int, list[Content]] = (), 0, []

    def draw(self, sight: Frame, width: int) -> list[Content]:
        """Long lines are folded: the end of a line is where an error says why."""
        snapshot = sight.view.snapshot
        lines = [_command(d, sight).truncate(width, ellipsis=True) for d in snapshot.deploys]
        if snapshot.deploys and (log := snapshot.deploys[-1].log):
            lines.append(plain(f"  full output: {log}", MUTED).truncate(width, ellipsis=True))
        lines += self._output(sight.view.deploy, width)
        if sight.view.link is Link.REPLAY and not sight.view.deploy and _is_running(snapshot):
            text = "A replay shows the output once the command has ended: its lines have no times."
            lines += wrapped(Content.styled(text, MUTED), width)
        return lines or [Content.styled(_nothing(snapshot), MUTED).truncate(width, ellipsis=True)]

    def _output(self, output: tuple[str, ...], width: int) -> list[Content]:
        """Folded once for all the seconds in which nothing new comes."""
        if self._folded[0] is not output or self._folded[1] != width:
            lines: list[Content] = []
            for text in output[-MOST_LINES:]:
                line = plain(text)
                lines += [line] if line.cell_length <= width else line.fold(width)
            self._folded = output, width, lines
        return self._folded[2]


def _is_running(snapshot: Snapshot) -> bool:
    return any(deploy.mark is Mark.RUNNING for deploy in snapshot.deploys)


def _nothing(snapshot: Snapshot) -> str:
    if snapshot.deploys_elsewhere:
        return "the deploy is started elsewhere (--no-deploy)"
    return "no deploy command has started"


def _command(deploy: DeployView, sight: Frame) -> Content:
    look = LOOKS[deploy.mark]
    end = sight.now if deploy.ended is None else deploy.ended
    took = "" if deploy.since is None else f" {duration(end - deploy.since)}"
    return Content.assemble(
        (f"{look.symbol} {look.word} ", look.style),
        plain(deploy.label, STRONG),
        f"{took}: ",
        plain(deploy.words),
        "  ",
        plain(deploy.command, MUTED),
    )
