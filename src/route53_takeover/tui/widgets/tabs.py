"""One line of tabs: the pane that is shown, and the state of the others."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message

from route53_takeover.core.status.run_words import RunKind
from route53_takeover.core.status.snapshot import Mark
from route53_takeover.tui.marks import LOOKS, MUTED
from route53_takeover.tui.widgets.lines import DrawnLines
from route53_takeover.tui.widgets.servers import words_of

if TYPE_CHECKING:
    from textual import events

    from route53_takeover.core.status.snapshot import Snapshot
    from route53_takeover.tui.frame import Frame


class Pane(StrEnum):
    """The parts that share a place on a small screen, in the order of their keys."""

    TREE = "tree"
    SERVERS = "servers"
    DEPLOY = "deploy"
    NEWS = "news"


LABELS = {
    RunKind.TAKEOVER: {
        Pane.TREE: "Stack",
        Pane.SERVERS: "Name servers",
        Pane.DEPLOY: "Deploy",
        Pane.NEWS: "Events",
    },
    RunKind.SWITCH: {
        Pane.TREE: "Checks",
        Pane.SERVERS: "Answers",
        Pane.DEPLOY: "Deploy",
        Pane.NEWS: "Events",
    },
}


class PaneTabs(DrawnLines, can_focus=False):
    """The line; a click on a label asks for that part."""

    class Asked(Message):
        """A click on a label."""

        def __init__(self, pane: Pane) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's word
        super().__init__(id=id)
        self.pane = Pane.TREE
        self._ends: list[tuple[int, Pane]] = []

    def choose(self, pane: Pane) -> None:
        """Marks this one."""
        self.pane = pane
        self.lay_out()
        self.refresh()

    def draw(self, sight: Frame, width: int) -> list[Content]:
        """The keys are in brackets; the chosen one is in reverse, which needs no colour."""
        line, self._ends = Content(""), []
        labels = LABELS[sight.view.snapshot.words.kind]
        for number, pane in enumerate(Pane, start=1):
            style = "bold reverse" if pane is self.pane else MUTED
            tab = Content.styled(f" [{number}] {labels[pane]}", style)
            state = _state(pane, sight.view.snapshot)
            if pane is self.pane:
                state = Content.styled(state.plain, style)
            line = Content.assemble(line, tab, state, Content.styled(" ", style), " ")
            self._ends.append((line.cell_length, pane))
        return [line.truncate(width)]

    def on_click(self, event: events.Click) -> None:
        """Asks for the label that was hit."""
        pane = next((pane for end, pane in self._ends if event.x < end), None)
        if pane is not None:
            self.post_message(self.Asked(pane))


def _state(pane: Pane, snapshot: Snapshot) -> Content:
    """Trouble in a part that is not shown, or whether it is busy."""
    marks: list[Mark] = []
    match pane:
        case Pane.TREE:
            marks = [row.mark for row in snapshot.tree] + [c.mark for c in snapshot.checks]
        case Pane.SERVERS:
            marks = [
                words_of(server.answers[-1])[1] for server in snapshot.servers if server.answers
            ]
        case Pane.DEPLOY:
            marks = [deploy.mark for deploy in snapshot.deploys]
        case Pane.NEWS:
            pass  # it tells of trouble that the other parts show
    failed = marks.count(Mark.FAILED)
    if failed:
        look = LOOKS[Mark.FAILED]
        return Content.styled(f" {look.symbol}{failed}", look.style)
    if Mark.RUNNING in marks:
        look = LOOKS[Mark.RUNNING]
        return Content.styled(f" {look.symbol}", look.style)
    return Content("")
