#!/usr/bin/env python3
"""Draws docs/images: the screen as the documentation shows it.

    uv run scripts/screenshots.py [--check] [--folder docs/images]

Each picture is the real screen on a run of the real engine, in the simulated account on virtual
time: the same program draws the same bytes. With ``--check`` nothing is written, and the exit code
is 1 where a picture is not what the program would draw now.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.status.any_run import RunReading
from route53_takeover.core.status.build import snapshot
from route53_takeover.core.status.timeline import Timeline
from route53_takeover.core.switch.model import SwapKind
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.switch.state import SwitchState
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.step import step
from route53_takeover.process.protocol import Link, Proposal, View
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.runner import options_of, rehearse_once
from route53_takeover.simulation.chaos.switch.faults import SwitchFaults
from route53_takeover.simulation.chaos.switch.runner import rehearse_switch
from route53_takeover.simulation.chaos.switch.setup import SwitchSetup
from route53_takeover.simulation.scenarios import SCENARIOS
from route53_takeover.tui.app import TakeoverApp
from route53_takeover.tui.plan_screen import PlanScreen
from route53_takeover.tui.run_layout import RunView
from route53_takeover.tui.state_colour import title_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from textual.pilot import Pilot

    from route53_takeover.process.protocol import ExitInfo, Request, Source

FOLDER = Path(__file__).parents[1] / "docs" / "images"
SCENARIO = "alias"
DEPLOY = "npx cdk deploy Shop --require-approval never"
SIZE = (120, 36)
_FONTS = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
_SEEDS = 100
_TURNS = 100
"""How often the application may take its turn before a screen counts as one that never comes."""


class Shot(Struct, frozen=True, kw_only=True):
    """A picture of the run.

    Attributes:
        name: its file, without the ending.
        at: the events up to the last one after which this holds are shown.
        pane: which part is opened.
        later: seconds after the newest event.
    """

    name: str
    at: Callable[[Phase, ev.AnyEvent], bool]
    pane: str
    later: float = 0.0


def _shows_the_gap(phase: Phase, event: ev.AnyEvent) -> bool:
    """Whether the name is without a record, and most name servers say so."""
    if phase is not Phase.CONFIRM or not isinstance(event, ev.NamesAnswered):
        return False
    said = list(event.statuses.values())
    return 2 * said.count("nxdomain") > len(said)


SHOTS = (
    Shot(name="watching", at=lambda phase, _: phase is Phase.WATCH, pane="tree"),
    Shot(name="gap", at=_shows_the_gap, pane="servers", later=0.4),
    Shot(name="done", at=lambda phase, _: phase is Phase.ENDED, pane="servers"),
)


SWITCH, SWITCH_PANE, SWITCH_LATER = "blue-green", "servers", 0.4
"""The picture of a switch: what it rehearses, the part that is opened, seconds after its event."""
_NEWEST = 3
_GREENS = range(12, 17)


def _shows_both_sides(state: object) -> bool:
    """Whether the site is being led to green, and both sides still answer."""
    if not isinstance(state, SwitchState) or state.phase is not SwitchPhase.SETTLE:
        return False
    sides = [answer.side for answer in state.live]
    return {*sides[-_NEWEST:]} == {Side.BLUE, Side.GREEN} and sides.count(Side.GREEN) in _GREENS


class Still:
    """A source, and an opening, that show what they are given and ask nothing."""

    def __init__(self, proposal: Proposal) -> None:
        self._proposal = proposal
        self._views = asyncio.Queue[View]()

    def show(self, view: View) -> None:
        """Shows this one next."""
        self._views.put_nowait(view)

    async def subscribe(self) -> AsyncIterator[View]:
        """What it was given, one after the other."""
        while True:
            yield await self._views.get()

    async def submit(self, request: Request) -> None:
        """Nobody asks a picture."""

    async def proposal(self, tell: Callable[[str], None]) -> Proposal:
        """The plan."""
        del tell
        return self._proposal

    async def start(self) -> Source:
        """Nobody starts it."""
        return self

    async def decline(self) -> None:
        """Nor declines it."""


class Drawn(TakeoverApp):
    """The application without what takes time."""

    SHORTEST_FRAME = 0.0


def proposal_of(events: Sequence[ev.AnyEvent]) -> Proposal:
    """The plan of a run, as it was proposed."""
    state, _ = step(None, events[0])
    return Proposal(plan=state.plan, rehearsal=SCENARIO)


def view_of(events: Sequence[ev.AnyEvent], shot: Shot) -> View | None:
    """What was to be seen of a run when a picture is taken; ``None`` where it never came to it."""
    state, timeline, view = None, Timeline(), None
    for position, event in enumerate(events, start=1):
        state, _ = step(state, event)
        timeline.take(event, state)
        if shot.at(state.phase, event):
            view = View(
                snapshot=snapshot(state, timeline, state.now + shot.later, rehearsal=SCENARIO),
                link=Link.ENDED if state.phase is Phase.ENDED else Link.LIVE,
                position=position,
                length=len(events),
            )
    return view


def run_to_show() -> tuple[Sequence[ev.AnyEvent], list[View]]:
    """The first run, of those that the simulated account may make, with all that is to be seen."""
    scenario = SCENARIOS[SCENARIO]
    options = replace(options_of(scenario), deploy_off=DEPLOY, deploy_on=DEPLOY)
    for seed in range(_SEEDS):
        rehearsal = rehearse_once(scenario, f"pictures/{seed}", Faults(), options=options)
        events = rehearsal.events
        views = [view for shot in SHOTS if (view := view_of(events, shot)) is not None]
        if len(views) == len(SHOTS):
            return events, views
    raise SystemExit("no run shows all that is to be seen")


def switch_to_show() -> View:
    """A distribution that is led to green, while some edges ask blue and some green."""
    setup = SwitchSetup(kind=SwapKind.CLOUDFRONT_ORIGIN, bake=300.0)
    for seed in range(_SEEDS):
        reading, view = RunReading(), None
        rehearsal = rehearse_switch(setup, f"pictures/{seed}", SwitchFaults())
        for position, event in enumerate(rehearsal.events, start=1):
            reading.take(event)
            if _shows_both_sides(reading.state):
                now = event.time + SWITCH_LATER
                seen = reading.snapshot(now, rehearsal=SWITCH, state_dir="")
                length = len(rehearsal.events)
                if seen is not None:
                    view = View(snapshot=seen, link=Link.LIVE, position=position, length=length)
        if view is not None:
            return view
    raise SystemExit("no switch shows all that is to be seen")


async def pictures(
    events: Sequence[ev.AnyEvent], views: Sequence[View], switch: View
) -> dict[str, str]:
    """File name -> picture of this run, and of a switch."""
    proposal = proposal_of(events)
    drawn = {}
    with tempfile.TemporaryDirectory() as folder:
        preferences = Path(folder) / "none"
        opening = Drawn(opening=Still(proposal), preferences=preferences)
        async with opening.run_test(size=SIZE) as pilot:
            await _until(pilot, lambda: isinstance(opening.screen, PlanScreen))
            drawn["plan.svg"] = _svg(opening, "the plan")
        shown = [(shot.name, view, shot.pane) for shot, view in zip(SHOTS, views, strict=True)]
        drawn |= await _of_runs(Still(proposal), shown, preferences)
        drawn |= await _of_runs(Still(proposal), [("switch", switch, SWITCH_PANE)], preferences)
    return drawn


async def _of_runs(
    still: Still, shots: Sequence[tuple[str, View, str]], preferences: Path
) -> dict[str, str]:
    """File name -> picture, of one run: each a name, what is to be seen, and the part opened."""
    drawn = {}
    running = Drawn(source=still, preferences=preferences)
    async with running.run_test(size=SIZE) as pilot:
        await _until(pilot, lambda: bool(running.screen.query(RunView)))
        shown = running.screen.query_one(RunView)
        shown.clock = lambda: 0.0  # a picture has no time that goes on
        for name, view, pane in shots:
            still.show(view)
            await _until(pilot, partial(_is_shown, shown, view))
            shown.show_pane(pane)
            await _settle(pilot)
            drawn[f"{name}.svg"] = _svg(running, title_of(view))
    return drawn


def _is_shown(run_view: RunView, view: View) -> bool:
    return run_view.view == view


async def _until(pilot: Pilot[ExitInfo], is_true: Callable[[], bool]) -> None:
    for _ in range(_TURNS):
        await pilot.pause()
        if is_true():
            await _settle(pilot)
            return
    raise SystemExit("the screen does not come to what is to be seen")


async def _settle(pilot: Pilot[ExitInfo]) -> None:
    """Waits until every message has been handled."""
    for _ in range(3):
        await pilot.pause()


def _svg(app: TakeoverApp, title: str) -> str:
    """The screen without fonts from elsewhere: a picture in a document loads nothing."""
    text = _FONTS.sub("", app.export_screenshot(title=f"route53-takeover · {title}", simplify=True))
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def outdated(folder: Path, drawn: dict[str, str]) -> Iterator[str]:
    """The pictures in a folder that are not what would be drawn, or are of nothing."""
    there = {path.name: path.read_text("utf-8") for path in folder.glob("*.svg")}
    yield from sorted(
        name for name in there.keys() | drawn.keys() if there.get(name) != drawn.get(name)
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Draw the pictures of the documentation.")
    parser.add_argument("--check", action="store_true", help="only say which are outdated")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args()
    for name in ("NO_COLOR", "COLORTERM", "TERM"):
        os.environ.pop(name, None)  # of whoever draws; the pictures are all alike
    drawn = asyncio.run(pictures(*run_to_show(), switch_to_show()))
    wrong = list(outdated(given.folder, drawn))
    for name in wrong:
        print(f"{name}: {'outdated' if given.check else 'drawn'}")
    if given.check:
        return 1 if wrong else 0
    given.folder.mkdir(parents=True, exist_ok=True)
    for name in wrong:
        path = given.folder / name
        if name in drawn:
            path.write_text(drawn[name], "utf-8")
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
