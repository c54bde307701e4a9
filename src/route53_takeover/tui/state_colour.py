"""The one state of a run that hero, header and terminal title share: a colour and a word.

A colour alone says nothing: each state has a word, and the colours differ in the border's shape.
What is replayed has the word of then and no colour: nothing of it happens now.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.endings import Outcome
from route53_takeover.core.status.choices import Act
from route53_takeover.core.status.messages import ANSWER_WORDS
from route53_takeover.core.status.run_words import RunKind
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.process.protocol import Link

if TYPE_CHECKING:
    from route53_takeover.core.status.snapshot import Snapshot
    from route53_takeover.process.protocol import View


class Tone(StrEnum):
    """The state colour; the value is the end of its CSS class."""

    WORKING = "working"  # blue
    YOUR_TURN = "your-turn"  # amber
    WARNING = "warning"  # amber, too: something is wrong, and no key is waited for
    NO_RECORD = "no-record"  # red
    DONE = "done"  # green
    DIED = "died"  # red, hollow
    STILL = "still"  # grey: over without a change, out of reach, or replayed


TEXT = {
    Tone.WORKING: "$text-primary",
    Tone.YOUR_TURN: "$text-warning",
    Tone.WARNING: "$text-warning",
    Tone.NO_RECORD: "$text-error",
    Tone.DONE: "$text-success",
    Tone.DIED: "$text-error",
    Tone.STILL: "$text",
}
"""The colour of text in this state."""
_CIRCLES = {
    Tone.WORKING: "🔵",
    Tone.YOUR_TURN: "🟠",
    Tone.WARNING: "🟠",
    Tone.NO_RECORD: "🔴",
    Tone.DONE: "🟢",
    Tone.DIED: "⭕",
    Tone.STILL: "⚪",
}
"""The colour of a terminal's title."""

DIED = (Link.GONE, Link.KILLED)
"""Where no process runs that would do anything."""

DENIED = ("nxdomain", "nodata")
_WORDS: dict[RunKind, dict[str, str]] = {
    RunKind.TAKEOVER: {
        Phase.PREFLIGHT: "READING THE ACCOUNT",
        Phase.BACKUP: "BACKUP",
        Phase.LOWER_TTL: "LOWERING THE TTL",
        Phase.DRAIN: "WAITING FOR CACHES",
        Phase.DEPLOY_OFF: "DEPLOY WITH SWITCH OFF",
        Phase.PROVE: "TESTING THE RESTORE",
        Phase.PREPARE: "PREPARING THE RECORD",
        Phase.DEPLOY_ON: "DEPLOY WITH SWITCH ON",
        Phase.WATCH: "DEPLOY WITH SWITCH ON",
        Phase.RELEASE: "DELETING THE RECORD",
        Phase.CONFIRM: "WAITING FOR THE NEW RECORD",
        Phase.GUARD: "WATCHING UNTIL STABLE",
        Phase.RESTORE: "UNDOING CHANGES",
        Phase.VERIFY: "VERIFYING",
        Phase.ENDED: "ENDED",
    },
    RunKind.SWITCH: {
        SwitchPhase.PREFLIGHT: "READING THE ACCOUNT",
        SwitchPhase.BACKUP: "BACKUP",
        SwitchPhase.DEPLOY: "DEPLOYING GREEN",
        SwitchPhase.CHECK: "CHECKING GREEN",
        SwitchPhase.SWITCH: "SWITCHING TO GREEN",
        SwitchPhase.SETTLE: "WAITING FOR EVERY EDGE",
        SwitchPhase.BAKE: "WATCHING GREEN",
        SwitchPhase.RETIRE: "DELETING BLUE",
        SwitchPhase.RESTORE: "SWITCHING BACK TO BLUE",
        SwitchPhase.VERIFY: "VERIFYING",
        SwitchPhase.ENDED: "ENDED",
    },
}


class State(NamedTuple):
    """What a run is like now, in one word."""

    tone: Tone
    word: str


def state_of(view: View) -> State:
    """The state; what is urgent comes before what is merely going on."""
    found = _state(view)
    return State(Tone.STILL, found.word) if view.link is Link.REPLAY else found


def _state(view: View) -> State:
    snapshot = view.snapshot
    if view.link in DIED and snapshot.result is None:
        return State(Tone.DIED, "PROCESS DIED" if view.link is Link.GONE else "PROCESS KILLED")
    if missing := _missing(snapshot):
        return State(Tone.NO_RECORD, missing)
    if snapshot.result is not None:
        return _ended(Outcome(snapshot.result.outcome), snapshot)
    if view.link is Link.STALE:
        return State(Tone.WARNING, "NO ANSWER FROM THE RUN")
    if snapshot.paused:
        return State(Tone.YOUR_TURN, "YOUR TURN: PAUSED")
    if snapshot.needs_person or to_confirm(snapshot):
        return State(Tone.YOUR_TURN, "YOUR TURN")
    if failing(snapshot):
        return State(Tone.WARNING, "NOT ON EVERY NAME SERVER")
    if snapshot.phase is Phase.WATCH and snapshot.deploys_elsewhere:
        return State(Tone.WORKING, "WAITING FOR A DEPLOY")
    return State(Tone.WORKING, _WORDS[snapshot.words.kind][snapshot.phase])


def to_confirm(snapshot: Snapshot) -> list[str]:
    """The names whose release waits for a key."""
    return [c.name for c in snapshot.choices if c.act is Act.CONFIRM_RELEASE]


def failing_since(snapshot: Snapshot) -> float | None:
    """Since when a name server has had no record, once one was deleted; ``None`` where all have."""
    latest = [server.answers[-1] for server in snapshot.servers if server.answers]
    denied = [answer.since for answer in latest if answer.status in DENIED]
    return min(denied) if snapshot.released and denied else None


def failing(snapshot: Snapshot) -> str:
    """How many name servers have no record once one was deleted; empty where all of them have."""
    latest = [server.answers[-1].status for server in snapshot.servers if server.answers]
    for status in DENIED:
        if snapshot.released and (count := latest.count(status)):
            return f"{count} of {len(latest)} name servers: {ANSWER_WORDS[status]}"
    return ""


def _ended(outcome: Outcome, snapshot: Snapshot) -> State:
    if outcome is Outcome.RESTORED and snapshot.words.kind is RunKind.TAKEOVER:
        return State(Tone.WARNING, "TAKEOVER FAILED: OLD RECORD RESTORED")
    tones = {
        Outcome.DONE: Tone.DONE,
        Outcome.UNKNOWN: Tone.YOUR_TURN,
        Outcome.FAILED: Tone.WARNING,
        Outcome.RESTORED: Tone.WARNING,
    }
    return State(tones.get(outcome, Tone.STILL), outcome.upper())


def _missing(snapshot: Snapshot) -> str:
    """What users do not get; empty where they get all of it."""
    if any(swap.side == Side.ABSENT for swap in snapshot.swaps):
        return "SITE LEADS NOWHERE"
    if snapshot.result is not None:
        gone = [r for r in snapshot.records if not r.standing and not r.covered_by]
        is_bare = any(not record.still_answers for record in gone)
        return "" if not gone else "NO RECORD" if is_bare else "MEMBER MISSING"
    if not snapshot.absences:
        return ""
    if any(not absence.answers for absence in snapshot.absences if absence.is_certain):
        return "NO RECORD"
    is_certain = any(absence.is_certain for absence in snapshot.absences)
    return "MEMBER MISSING" if is_certain else "DELETING THE RECORD"


def names_of(snapshot: Snapshot) -> str:
    """What the run is about."""
    if snapshot.words.kind is RunKind.SWITCH:
        return display_name(snapshot.zone)
    names = [record.label for record in snapshot.records]
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else "".join(names)


def title_of(view: View) -> str:
    """The terminal's title."""
    state = state_of(view)
    marks = ["REHEARSAL"] if view.snapshot.rehearsal else []
    marks += ["REPLAY"] if view.link is Link.REPLAY else []
    return " ".join([_CIRCLES[state.tone], *marks, state.word, "·", names_of(view.snapshot)])
