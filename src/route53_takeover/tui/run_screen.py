"""The screen of a run: the view, the replay bar and the keys.

It decides nothing: what may be asked for comes with the snapshot, and is asked again when a
question is answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on

from route53_takeover.core.plan.cards import Line
from route53_takeover.core.status.choices import Act, event_of
from route53_takeover.core.status.rehearsal_marks import prefix
from route53_takeover.core.status.run_words import TAKEOVER_WORDS, RunKind
from route53_takeover.process.protocol import Link, Play, Resume
from route53_takeover.tui.base_screen import BaseScreen
from route53_takeover.tui.dialogs import LAPSED, Confirm, question
from route53_takeover.tui.keys import Where, bindings, label_of
from route53_takeover.tui.messages import Asked, LeaveAsked, Scrubbed
from route53_takeover.tui.replay import SPEEDS, ReplayBar, request_for, seek
from route53_takeover.tui.run_layout import RunView
from route53_takeover.tui.widgets.hero_words import ITS_ACCOUNT_TOO, said_in_a_line
from route53_takeover.tui.widgets.tabs import Pane

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from route53_takeover.core.status.choices import Choice
    from route53_takeover.core.status.run_words import RunWords
    from route53_takeover.core.status.snapshot import Copy
    from route53_takeover.process.protocol import Seek, StepBy, View
    from route53_takeover.tui.dialogs import Dialog
    from route53_takeover.tui.keys import Action

SILENT = "The run's process is silent: this key works once it answers again."
PANES = {f"pane-{number}": name for number, name in enumerate(Pane, start=1)}


class RunScreen(BaseScreen):
    """A run, live or replayed."""

    PLACES = (Where.RUN, Where.REPLAY)
    FIRST = (
        "release",
        "resume",
        "restore",
        "extend",
        "pause",
        "abort",
        "play",
        "back",
        "forward",
        "leave",
        "help",
        "copy",
        "palette",
        "next-pane",
        "theme",
    )
    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Where.RUN, Where.REPLAY))
    DEFAULT_CSS = "RunScreen RunView { height: 1fr; }"

    def __init__(self, keymap: Mapping[str, str]) -> None:
        super().__init__(keymap)
        self._view: View | None = None
        self._dialog: Dialog[Choice] | None = None
        self._speed = SPEEDS[0]

    def compose_content(self) -> ComposeResult:
        yield RunView()
        yield ReplayBar()

    # -- what it shows

    def show(self, view: View) -> None:
        """Shows the newest view."""
        self._view = view
        self._speed = view.speed or self._speed
        with self.app.batch_update():
            shown = self.query_one(RunView)
            shown.hints = self.hints()
            shown.show(view)
            self.query_one(ReplayBar).show(view)
            self.update_keys()
            self.update_essential()
        if self._dialog is not None:
            self._dialog.update_choices(self._choices())

    def essential(self) -> str:
        if self._view is None:
            return "Waiting for the run."
        return f"{prefix(self._view.snapshot.rehearsal)}{said_in_a_line(self._view, self.hints())}"

    def label(self, action: Action) -> str:
        found = self._offered(action)
        if action.id == "play" and self._view is not None and self._view.speed:
            return "Stop"
        return label_of(action, found[0].act if found else None)

    def copies(self) -> tuple[Copy, ...]:
        return () if self._view is None else self._view.snapshot.copies

    # -- what can be done

    @property
    def kind(self) -> RunKind | None:
        return None if self._view is None else self._view.snapshot.words.kind

    def why_not(self, action: Action) -> str:
        view = self._view
        refused = super().why_not(action)
        if refused or action.id == "interrupt" or action.where is Where.ALWAYS:
            return refused
        if view is None:
            return "Nothing is shown yet."
        if action.where is Where.REPLAY:
            return "" if view.link is Link.REPLAY else "This is not a replay."
        if action.id in PANES or action.id == "next-pane":
            return ""
        if action.id == "resume":
            return "" if self._may_resume() else self._why_not_resume(action, view)
        if action.id == "enter":
            return (
                "" if view.link is Link.GONE or self._has_ended(view) else "Enter has no use here."
            )
        return "" if self._offered(action) else self._why_no_act(action, view)

    def _why_no_act(self, action: Action, view: View) -> str:
        if view.link is Link.REPLAY:
            return "This is a replay: the run is over."
        if self._has_ended(view):
            return "The run has ended."
        if view.link is Link.STALE:
            return SILENT
        if view.link is Link.GONE and self._may_resume():
            return f"The run's process has died: {self.key('resume')} resumes the run."
        return self._why_not_resume(action, view)

    @staticmethod
    def _why_not_resume(action: Action, view: View) -> str:
        return ITS_ACCOUNT_TOO if view.link is Link.GONE else action.otherwise

    @staticmethod
    def _has_ended(view: View) -> bool:
        return view.link is Link.ENDED or view.snapshot.result is not None

    def _choices(self) -> tuple[Choice, ...]:
        view = self._view
        if view is None or view.link not in (Link.LIVE, Link.STALE):
            return ()
        if self._has_ended(view):
            return ()
        if view.link is Link.STALE:  # the others would take effect at a time that is not known
            return tuple(c for c in view.snapshot.choices if c.act is Act.RESTORE)
        return view.snapshot.choices

    def _offered(self, action: Action) -> tuple[Choice, ...]:
        """The choices of the first act of this action that applies, one a name."""
        choices = self._choices()
        for act in action.acts:
            if found := tuple(choice for choice in choices if choice.act is act):
                return found
        return ()

    # -- keys

    def take(self, action: Action) -> None:
        view = self._view
        if action.where is Where.REPLAY and view is not None:
            self._replay(request_for(action.id, view, self._speed))
        elif action.acts:
            self._ask(self._offered(action))
        elif action.id in PANES:
            self.query_one(RunView).show_pane(PANES[action.id])
        elif action.id == "next-pane":
            self.query_one(RunView).next_pane()
        elif action.id == "interrupt":
            self._interrupt()
        elif action.id == "resume" or (action.id == "enter" and self._may_resume()):
            self._ask_to_resume()
        elif action.id == "enter":
            self.post_message(LeaveAsked())
        else:
            super().take(action)

    def _may_resume(self) -> bool:
        view = self._view
        return view is not None and view.link is Link.GONE and view.resumable

    def _ask(self, choices: tuple[Choice, ...]) -> None:
        """Asks what has to be asked before it is done."""

        def answered(choice: Choice | None) -> None:
            self._dialog = None
            if choice is not None:
                self._submit(choice)

        self._dialog = question(choices, self._names(), self._words().name)
        if self._dialog is None:
            self._submit(choices[0])
        else:
            self.open(self._dialog, answered)

    def _submit(self, choice: Choice) -> None:
        """Asks for it if it still applies; the run's own time is what counts, not ours."""
        if any((c.act, c.name) == (choice.act, choice.name) for c in self._choices()):
            self.post_message(Asked(event_of(choice.act, choice.name, time=0.0)))
        else:
            self.say(LAPSED.partition(" Escape")[0])

    def _names(self) -> tuple[str, ...]:
        if self._view is None:
            return ()
        snapshot = self._view.snapshot
        if self.kind is RunKind.SWITCH:
            return (snapshot.zone,)
        return tuple(dict.fromkeys(record.name for record in snapshot.records))

    def _words(self) -> RunWords:
        return TAKEOVER_WORDS if self._view is None else self._view.snapshot.words

    def _interrupt(self) -> None:
        """ctrl+c never ends the screen by itself: that would look like ending the run."""
        view = self._view
        if self.copy_selection():
            return
        found = tuple(choice for choice in self._choices() if choice.act is Act.ABORT)
        leave = f"{self.key('leave')} leaves the screen"
        if found:
            self._ask(found)
        elif view is None or view.link is Link.REPLAY or self._has_ended(view):
            self.say(f"No run is in progress: {leave}.")
        elif self._may_resume():
            self.say(f"The run's process has died: {self.key('resume')} resumes the run, {leave}.")
        elif view.link is Link.STALE:
            self.say(f"{SILENT} {leave}.")
        elif view.link is Link.GONE:
            self.say(f"{ITS_ACCOUNT_TOO} {leave}.")
        else:
            self.say(f"{self._words().no_abort} {leave}; the run continues.")

    def _ask_to_resume(self) -> None:
        text = (
            f"Its process has died, and {self._words().dead}. A new process reads the journal and "
            "the account, and continues the run."
        )

        def answered(yes: bool | None) -> None:
            if yes and self._may_resume():
                self.post_message(Asked(Resume()))

        self.open(Confirm("Resume the run?", [Line(text=text)], "Resume", answer=True), answered)

    def _replay(self, request: Seek | StepBy | Play | None) -> None:
        if isinstance(request, Play) and request.speed:
            self._speed = request.speed
        if request is not None:
            self.post_message(Asked(request))

    @on(Scrubbed)
    def scrub(self, message: Scrubbed) -> None:
        """The mouse on the bar."""
        view = self._view
        if view is not None:
            self._replay(seek(view, round(message.share * view.length)))
