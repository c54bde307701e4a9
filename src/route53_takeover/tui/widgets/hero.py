"""The hero: what happens now, how long, what comes next, which keys count. Always on top.

Big digits are at the left, a few lines at the right: what happens, a bar where a total is known,
what is wrong, what is waited for, what comes next, the keys. Where lines are few the last of them
but the keys go first. Nothing is promised that needs a process where none is there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.renderables.digits import Digits

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.endings import Outcome
from route53_takeover.core.status.rehearsal_marks import mark
from route53_takeover.process.protocol import Link
from route53_takeover.tui.marks import ALARM, MUTED, STRONG
from route53_takeover.tui.state_colour import DIED, TEXT, Tone, failing, failing_since, state_of
from route53_takeover.tui.steps import running_step
from route53_takeover.tui.widgets.big_words import PAUSED, YOUR_TURN, big
from route53_takeover.tui.widgets.hero_words import (
    ALERT,
    after_death,
    asked_for,
    ending,
    fallback,
    first_in_doubt,
    headline,
    in_the_past,
    last_seen,
    users,
    was_due,
    while_silent,
)
from route53_takeover.tui.widgets.lines import DrawnLines
from route53_takeover.tui.wording import bar, clock, duration, plain, remaining, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.status.result import Result
    from route53_takeover.core.status.snapshot import Countdown, Snapshot
    from route53_takeover.tui.frame import Frame
    from route53_takeover.tui.key_bar import Hint
    from route53_takeover.tui.state_colour import State

_WITH_DIGITS = 70
"""Cells from which on there are digits."""
_WITH_WHOLE_LABEL = 100
"""Cells from which on the label says that the number grows, where no process works on it."""
_COUNTING = ", counting"
_LONGEST_BAR = 60
_SHORTEST_BAR = 8
_TENTHS_BELOW = 100.0
_FEW = 4
"""Lines from which down a long sentence is cut."""
_MOST = 8
"""Lines that say how a run ended, at most; below them are the keys."""
_KEYS = 4
_WANTED = ("release", "resume", "restore", "extend", "pause", "abort", "play", "leave")
"""The actions whose keys are shown, if they apply."""
_WORDS = (PAUSED, YOUR_TURN)
_LABEL = 12
_LONGER = {
    "resume": "Resume: restores or continues",
    "extend": "More time (+60 s without a record)",
    "leave": "Leave (the run goes on)",
}
"""What a key does, where there is room to say it."""
_OF_A_SILENT_PROCESS = ("restore", "leave")
"""The keys of use then: a request to restore is taken once the process runs again."""


class _Number(NamedTuple):
    """What stands in big digits; the label below says what it is."""

    text: str
    unit: str
    label: str


class Hero(DrawnLines):
    """The state of the run in one panel."""

    rows = 4
    """Lines of its text while the run goes on."""
    wide = False
    """Whether the header has room for the place, so that the run's name is below the hero."""

    def show(self, sight: Frame) -> None:
        """The border says the state and the place."""
        state = state_of(sight.view)
        self.entitle(_title(sight, state), _place(sight.view.snapshot, wide=self.wide))
        super().show(sight)

    def draw(self, sight: Frame, width: int) -> list[Content]:
        """Digits and text, side by side."""
        tone = state_of(sight.view).tone
        number = _number(sight)
        least = _WITH_WHOLE_LABEL if number is not None and number.text in _WORDS else _WITH_DIGITS
        if number is None or width < least:
            return self._text(sight, width)
        if width < _WITH_WHOLE_LABEL:
            number = number._replace(label=number.label.removesuffix(_COUNTING))
        left = _digits(number, TEXT[tone])
        margin = max(line.cell_length for line in left) + 3
        left = [line.pad_right(margin - line.cell_length) for line in left]
        right = self._text(sight, width - margin)
        height = max(len(left), len(right))
        left += [Content(" " * margin)] * (height - len(left))
        right += [Content("")] * (height - len(right))
        return [Content.assemble(*pair) for pair in zip(left, right, strict=True)]

    def _text(self, sight: Frame, width: int) -> list[Content]:
        is_lost = sight.view.link in DIED and bool(sight.view.snapshot.absences)
        style = f"bold {TEXT[Tone.DIED]}" if is_lost else STRONG
        head = wrapped(headline(sight).stylize_before(style), width)
        keys = [line.truncate(width, ellipsis=True) for line in _keys(sight, width)]
        if sight.view.snapshot.result is not None:
            told = [line for text in ending(sight) for line in wrapped(text, width, indent=2)]
            if len(told) > _MOST:  # the rest of it is in the events
                told = [*told[: _MOST - 1], told[_MOST - 1].truncate(width - 2).append(" …")]
            return [*told, *keys]
        if self.rows <= _FEW and len(head) > _FEW // 2:  # the rest of it is in the events
            head = [head[0], head[1].truncate(width - 2).append(" …")]
        spare = max(self.rows - len(head) - len(keys), 0)
        alerts = [*_alerts(sight, width)]
        told = [*_bars(sight, width)][: max(spare - len(alerts), 1)]
        for part in (alerts, *_more(sight, width)):
            if len(told) + len(part) <= spare:
                told += part
        if len(told) < spare:
            told.append(Content(""))
        return [*head, *told, *keys]


def _title(sight: Frame, state: State) -> str:
    snapshot = sight.view.snapshot
    marks = [f"{mark(snapshot.rehearsal)}: nothing real"] if snapshot.rehearsal else []
    if sight.view.link is Link.REPLAY:
        marks.append(f"REPLAY of {datetime.fromtimestamp(snapshot.now, UTC):%Y-%m-%d %H:%M:%SZ}")
    word = state.word
    if sight.view.link in DIED and snapshot.result is None:
        word += " · NO RECORD" if snapshot.absences else ""
    return f" {' · '.join([*marks, word])} "


def _place(snapshot: Snapshot, *, wide: bool) -> str:
    if wide:
        return f" run {snapshot.run} "
    stack = f"{snapshot.words.stack} {snapshot.stack}" if snapshot.stack else ""
    parts = [stack, f"account {snapshot.account}"]
    return f" {' · '.join(filter(None, parts))} "


# -- the digits


def _number(sight: Frame) -> _Number | None:
    snapshot = sight.view.snapshot
    if snapshot.result is not None:
        return _final(snapshot)
    gaps = [
        record.gap
        for record in snapshot.records
        if record.gap is not None and not record.standing and not record.covered_by
    ]
    if gaps:
        label = (
            "member missing" if all(a.answers for a in snapshot.absences) else "without a record"
        )
        if sight.view.link in DIED:
            label += _COUNTING
        return _Number(*_long(max(gaps) + sight.ahead), label)
    if sight.view.link in DIED:
        return None
    if sight.view.link is Link.LIVE and (since := failing_since(snapshot)) is not None:
        return _Number(*_long(sight.now - since), "no such name")
    if sight.view.link is Link.STALE:
        return _Number(_clock(sight.now - last_seen(sight)), "", "silent")
    meter = snapshot.meter
    if meter is not None and meter.share is not None and meter.began_at is not None:
        return _Number(f"{meter.share * 100:.0f}", "%", "on green")
    for each in snapshot.countdowns:
        if each.until > sight.now:
            return _Number(_clock(round(each.until - sight.now)), "", "left")
    step = running_step(sight)
    spent = None if step is None else step.spent
    if sight.view.link is Link.LIVE and state_of(sight.view).tone is Tone.YOUR_TURN:
        label = "" if spent is None else f"{duration(spent)} in this step"
        return _Number(PAUSED if snapshot.paused else YOUR_TURN, "", label)
    if step is None or step.spent is None:
        return None
    return _Number(_clock(step.spent), "", "in this step")


def _final(snapshot: Snapshot) -> _Number | None:
    result = snapshot.result
    records = () if result is None else result.records
    at_most = "at most, " if any(r.unwatched for r in records) else ""
    by_dns = [r.gap_seconds_dns for r in records if r.gap_seconds_dns is not None]
    by_api = [r.gap_seconds for r in records if r.gap_seconds is not None]
    if by_dns and max(by_dns) >= max(by_api, default=0.0):
        return _Number(*_long(max(by_dns)), f"{at_most}worst gap")
    if by_api:
        return _Number(*_long(max(by_api)), f"{at_most}gap")
    meter = snapshot.meter
    is_done = result is not None and result.outcome == Outcome.DONE
    if is_done and meter is not None and meter.share is not None:
        return _Number(f"{meter.share * 100:.0f}", "%", "on green")
    return None


def _long(gap: float) -> tuple[str, str]:
    """A gap with its unit: tenths count while it is short."""
    return (f"{max(gap, 0.0):.1f}", "s") if gap < _TENTHS_BELOW else (_clock(gap), "")


def _clock(spent: float) -> str:
    minutes, rest = divmod(max(int(spent), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _digits(number: _Number, style: str) -> list[Content]:
    """Textual's digits in three lines, and what they count in a fourth."""
    if number.text in _WORDS:
        lines = [Content.styled(f" {row}", f"bold {style}") for row in big(number.text)]
        return [*lines, Content.styled(f" {number.label}", MUTED)]
    drawn = Digits(number.text).render(Style(bold=True))
    text = "".join(each.text for each in drawn if isinstance(each, Segment))
    rows = text.splitlines()[:3]
    rows[2] = f"{rows[2]} {number.unit}"
    lines = [Content.styled(f" {row}", f"bold {style}") for row in rows]
    return [*lines, Content.styled(f" {number.label}", MUTED)]


# -- how long


def _bars(sight: Frame, width: int) -> Iterator[Content]:
    """A line for everything whose total is known, the soonest first."""
    if sight.view.link in DIED:
        return  # nothing happens when a time is up
    snapshot = sight.view.snapshot
    for each in snapshot.countdowns:
        yield _countdown(each, sight, width)
    if snapshot.absences and snapshot.absences[0].until is None:
        yield Content.styled("The run restores it now, with a CREATE every second.", STRONG)
    if not snapshot.countdowns and (usual := _usual(sight, width)) is not None:
        yield usual


def _countdown(each: Countdown, sight: Frame, width: int) -> Content:
    """``record is restored in 22s  ████░░░░  at 10:56:47Z``."""
    left = each.until - sight.now
    name = ""
    if each.name and len(sight.view.snapshot.records) > 1:
        name = f" · {display_name(each.name)}"
    if left <= 0:
        over = (f"{duration(-left)} over:", ALERT)
        return Content.assemble(over, " ", plain(each.label), plain(name)).truncate(width)
    if sight.view.link is Link.STALE:  # whether anything happens then is not known
        text = f"If the process runs, {each.label} at {clock(each.until)}"
        return plain(f"{text}{name}").truncate(width, ellipsis=True)
    what = each.label.removeprefix("the ")
    if sight.view.link is Link.REPLAY:
        what = was_due(what)
    text = f"{what} in {remaining(left)}{name}"
    end = f"at {clock(each.until)}"
    if _room(text, end, width) < _SHORTEST_BAR:
        text = text.removesuffix(name)
    share = 1 - left / (each.until - each.since) if each.until > each.since else 1.0
    return _with_bar(text, share, end, sight, width)


def _room(text: str, end: str, width: int) -> int:
    return min(width - len(text) - len(end) - 4, _LONGEST_BAR)


def _with_bar(text: str, share: float, end: str, sight: Frame, width: int) -> Content:
    cells = _room(text, end, width)
    start = plain(text, STRONG)
    if cells < _SHORTEST_BAR:
        return Content.assemble(start, "  ", plain(end)).truncate(width, ellipsis=True)
    style = TEXT[state_of(sight.view).tone]
    return Content.assemble(start, "  ", (bar(share, cells), style), "  ", plain(end))


def _usual(sight: Frame, width: int) -> Content | None:
    """How far a step is by what it took in earlier runs."""
    step = running_step(sight)
    if step is None or step.spent is None or not step.usual:
        return None
    text, end = f"{duration(step.spent)} so far", f"usually {duration(step.usual)}"
    return _with_bar(text, min(step.spent / step.usual, 1.0), end, sight, width)


# -- what is wrong, what is waited for, what comes next


def _alerts(sight: Frame, width: int) -> Iterator[Content]:
    """The first, and how many more there are."""
    snapshot = sight.view.snapshot
    texts = [*snapshot.alerts]
    fails = failing(snapshot)
    if fails and not any("name servers:" in text for text in texts):
        texts.append(f"{fails}.")
    if snapshot.needs_person and state_of(sight.view).tone is not Tone.YOUR_TURN:
        texts.insert(0, f"YOUR TURN: {snapshot.needs_person}")
    if not texts:
        return
    more = f" +{len(texts) - 1} more" if len(texts) > 1 else ""
    first = Content.assemble("! ", plain(texts[0])).truncate(width - len(more), ellipsis=True)
    is_past = sight.view.link is Link.REPLAY
    yield Content.assemble(first, more).stylize(STRONG if is_past else ALERT)


def _more(sight: Frame, width: int) -> Iterator[list[Content]]:
    """Texts of one or more lines, the most important first; each is shown whole or not at all."""
    for label, text in _labels(sight):
        yield _labelled(label, text, width)


def _labels(sight: Frame) -> Iterator[tuple[str, str]]:
    snapshot, link = sight.view.snapshot, sight.view.link
    if link in DIED:
        yield from after_death(sight)
        return
    if link is Link.STALE:
        yield from while_silent(sight)
        return
    if text := users(snapshot):
        yield "users", in_the_past(text) if link is Link.REPLAY else text
    if link is not Link.REPLAY:
        yield from asked_for(sight)
    if state_of(sight.view).tone is Tone.YOUR_TURN:
        return
    if text := fallback(snapshot):
        yield "if it fails", text
    if link is Link.REPLAY:
        return  # what came next is later in it
    if text := first_in_doubt(sight):
        yield "in doubt", text
    if snapshot.next:
        yield "next", snapshot.next
    if snapshot.cloud_rescues and link is Link.LIVE:
        yield "rescue", snapshot.cloud_rescues[0].text
    if snapshot.absences:
        return  # it waits for what comes next
    for number, reason in enumerate(snapshot.waits):
        yield "" if number else "waits for", reason


def _labelled(label: str, text: str, width: int) -> list[Content]:
    line = Content.assemble((f"{label:<{_LABEL}}", MUTED), plain(text))
    return wrapped(line, width, indent=_LABEL)


# -- the keys


def _keys(sight: Frame, width: int) -> Iterator[Content]:
    wanted = _OF_A_SILENT_PROCESS if sight.view.link is Link.STALE else _WANTED
    hints = {hint.action: hint for hint in sight.hints}
    shown = [hints[name] for name in wanted if name in hints][: _KEYS - 1]
    if "leave" in hints and hints["leave"] not in shown:
        shown.append(hints["leave"])
    result = sight.view.snapshot.result
    goes_on = result is None and sight.view.link is Link.LIVE
    longer = {k: v for k, v in _LONGER.items() if goes_on or k != "leave"}
    if goes_on and state_of(sight.view).tone is Tone.YOUR_TURN:
        longer["leave"] = "Leave (the run keeps waiting)"
    line = _in_a_row(shown, longer, result)
    yield line if line.cell_length <= width else _in_a_row(shown, {}, result)


def _in_a_row(shown: list[Hint], longer: dict[str, str], result: Result | None) -> Content:
    texts = [
        Content.assemble(
            (f" {hint.key} ", ALARM if hint.action == "release" else "bold reverse"),
            f" {longer.get(hint.action, hint.label)}",
        )
        for hint in shown
    ]
    if result is not None:
        texts.append(Content.styled(f"exit code {result.exit_code}", MUTED))
    return Content("    ").join(texts)
