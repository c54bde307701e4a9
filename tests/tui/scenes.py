"""What a screen is given at the places that matter of recorded runs: one view a scene.

The journals are those of `tests/data/recorded`: the real engine on the simulated account.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.status.build import snapshot
from route53_takeover.core.status.timeline import Timeline
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.step import step
from route53_takeover.process.protocol import Link, View
from route53_takeover.storage.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.takeover.events import AnyEvent

RUN, PID = "20270115-090000-shop", 4242
JOURNALS = Path(__file__).parents[1] / "data" / "recorded"


class Scene(Struct, frozen=True, kw_only=True):
    """A place in a recorded run.

    Attributes:
        journal: its name, without the ending.
        phase: a phase of it.
        share: how far through the events of that phase, from 0 to 1.
        later: seconds after the newest event.
    """

    journal: str
    phase: Phase
    share: float = 1.0
    later: float = 0.0
    link: Link = Link.LIVE
    rehearsal: str = ""


def _end(journal: str) -> Scene:
    return Scene(journal=journal, phase=Phase.ENDED, link=Link.ENDED)


PHASES = {
    "backup": Scene(journal="cname", phase=Phase.BACKUP),
    "lower-ttl": Scene(journal="cname", phase=Phase.LOWER_TTL, later=12.0),
    "drain": Scene(journal="cname", phase=Phase.DRAIN, share=0.3, later=12.0),
    "deploy-off": Scene(journal="nested", phase=Phase.DEPLOY_OFF, share=0.9),
    "prove": Scene(journal="alias", phase=Phase.PROVE),
    "deploy-on": Scene(journal="nested", phase=Phase.DEPLOY_ON),
    "watch": Scene(journal="cname", phase=Phase.WATCH, share=0.9),
    "release": Scene(journal="nested", phase=Phase.RELEASE, share=0.5),
    "confirm": Scene(journal="never-created", phase=Phase.CONFIRM, share=0.5),
    "guard": Scene(journal="nested", phase=Phase.GUARD, share=0.4),
    "verify": Scene(journal="two-names", phase=Phase.VERIFY, share=0.5),
    "restore": Scene(journal="rolled-back", phase=Phase.RESTORE, share=0.4),
    "done": _end("alias"),
}
FAILURES = {
    "restored": _end("never-created"),
    "rolled-back": _end("rolled-back"),
    "failed-at-once": _end("failed-at-once"),
    "edited-meanwhile": _end("edited-meanwhile"),
    "aborted": _end("aborted"),
    "unknown": _end("rollback-failed"),
    "gone": Scene(
        journal="killed-in-the-gap", phase=Phase.CONFIRM, share=0.5, later=30.0, link=Link.GONE
    ),
    "stale": Scene(journal="alias", phase=Phase.WATCH, later=16.0, link=Link.STALE),
    "credentials-expired": Scene(journal="credentials-expired", phase=Phase.CONFIRM, share=0.6),
    "member-missing": Scene(journal="routed", phase=Phase.CONFIRM, share=0.5),
    "paused": Scene(journal="paused", phase=Phase.WATCH, share=0.6),
    "unconfirmed": Scene(journal="confirmed", phase=Phase.WATCH, share=0.7),
    "rehearsal": Scene(
        journal="killed-in-the-gap", phase=Phase.CONFIRM, share=0.3, rehearsal="killed-in-the-gap"
    ),
    "replay": Scene(journal="two-names", phase=Phase.CONFIRM, share=0.7, link=Link.REPLAY),
}
SCENES = PHASES | FAILURES
OUTPUT = (
    "> orders@1.4.2 deploy",
    "Deploying with ROUTE53_ENABLE set",
    "\x1b[32mtemplate\x1b[0m uploaded [bold]not markup[/bold]",
    "waiting for the stack to be created",
)


@cache
def view(name: str) -> View:
    """What is to be seen in this scene."""
    return _view(SCENES[name])


def lost_machine(link: Link) -> View:
    """In the gap, with a deadman in AWS, whether or not the run's process lives."""
    lost = Scene(journal="machine-lost", phase=Phase.CONFIRM, share=0.5, link=link)
    return _view(lost)


def _view(scene: Scene) -> View:
    events = _events(scene.journal)
    within = [i for i, phase in enumerate(_phases(scene.journal)) if phase is scene.phase]
    position = within[round((len(within) - 1) * scene.share)] + 1
    state, timeline = None, Timeline()
    for event in events[:position]:
        state, _ = step(state, event)
        timeline.take(event, state)
    assert state is not None
    shown = snapshot(state, timeline, state.now + scene.later, rehearsal=scene.rehearsal)
    output = OUTPUT if state.deploys else ()
    return View(
        snapshot=replace(shown, run=RUN),
        link=scene.link,
        deploy=output,
        position=position,
        length=len(events),
        pid=PID,
        alive_at=state.now,
    )


@cache
def _events(journal: str) -> Sequence[AnyEvent]:
    return read_journal(JOURNALS / f"{journal}.jsonl")


@cache
def _phases(journal: str) -> tuple[Phase, ...]:
    """The phase after each event."""
    state, phases = None, []
    for event in _events(journal):
        state, _ = step(state, event)
        phases.append(state.phase)
    return tuple(phases)
