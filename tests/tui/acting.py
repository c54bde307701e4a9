"""A source and an opening that a test plays, and hand-made views for them."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

from msgspec.structs import replace
from rich.console import Console

from route53_takeover.base.errors import ExitCode
from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.domain.stacks import StackDescription
from route53_takeover.core.plan.model import (
    Finding,
    Manual,
    Options,
    Plan,
    Strategy,
    StrategyForecast,
)
from route53_takeover.core.status.choices import Act, Choice
from route53_takeover.core.status.result import Result
from route53_takeover.core.status.snapshot import Copy, Field, Mark, RecordView, Snapshot
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.process.protocol import Link, Proposal, View
from route53_takeover.tui.app import TakeoverApp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from route53_takeover.base.errors import TakeoverError
    from route53_takeover.process.protocol import ExitInfo, PendingRun, Request, Source

WWW, API = "www.example.com.", "api.example.com."
NOW = 1_800_000_000.0
RESULT = Result(
    run="r1", phase="ended", outcome="done", exit_code=ExitCode.DONE, reason="handed over"
)
COPIES = (
    Copy(label="dig", text="dig @ns1 www.example.com"),
    Copy(label="change", text="C123[bold]\n"),
)


def choice(act: Act, name: str = "") -> Choice:
    return Choice(
        act=act,
        name=name,
        effect=f"what {act} does to [red]{name}",
        unchanged="what stays",
        undo="the way back",
    )


PAUSE, GO_ON, ABORT, RESTORE = map(choice, (Act.PAUSE, Act.GO_ON, Act.ABORT, Act.RESTORE))
RELEASE = choice(Act.RELEASE_NOW, WWW)
CONFIRM = choice(Act.CONFIRM_RELEASE, WWW)
EXTEND = choice(Act.EXTEND_DEADMAN, WWW)


def record(name: str) -> RecordView:
    return RecordView(
        name=name.removesuffix("."),
        type="CNAME",
        mark=Mark.WAITING,
        words="stands",
        fields=(Field(name="type", before="CNAME", after="A", differs=True),),
    )


def snapshot(*choices: Choice, **more: object) -> Snapshot:
    base = Snapshot(
        run="r1",
        stack="web",
        zone="example.com",
        account="123456789012",
        phase=Phase.WATCH,
        has_ended=False,
        began=NOW - 60,
        now=NOW,
        doing="watching the stack for the moment",
        next="the release",
        waits=("the record is not in progress",),
        needs_person="",
        alerts=(),
        paused=False,
        news_at=NOW - 5,
        events=10,
        steps=(),
        records=(record(WWW), record(API)),
        tree=(),
        servers=(),
        released=(),
        back=(),
        countdowns=(),
        deploys=(),
        choices=choices,
        copies=COPIES,
        news=(),
    )
    return replace(base, **more)


def view(*choices: Choice, link: Link = Link.LIVE, **more: object) -> View:
    return View(snapshot=snapshot(*choices, **more), link=link)


def ended(link: Link = Link.ENDED) -> View:
    return view(link=link, result=RESULT, phase=Phase.ENDED)


def replayed(position: int = 50, length: int = 100, speed: float = 0.0) -> View:
    return replace(view(link=Link.REPLAY), position=position, length=length, speed=speed)


class PlayedSource:
    """Shows what the test puts in, and keeps what was submitted."""

    def __init__(self, *views: View) -> None:
        self.queue: asyncio.Queue[View | Exception] = asyncio.Queue()
        self.submitted: list[Request] = []
        self.refusal: TakeoverError | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        for one in views:
            self.queue.put_nowait(one)

    async def subscribe(self) -> AsyncIterator[View]:
        while True:
            found = await self.queue.get()
            if isinstance(found, Exception):
                raise found
            yield found

    async def submit(self, request: Request) -> None:
        await self.may_answer.wait()
        if self.refusal is not None:
            raise self.refusal
        self.submitted.append(request)


class PlayedOpening:
    """Gives a proposal when the test lets it, and keeps what became of it."""

    def __init__(
        self,
        proposal: Proposal,
        source: Source,
        *,
        error: TakeoverError | None = None,
        start_error: TakeoverError | None = None,
    ) -> None:
        self.said = ("reading the zone \x1b[2J", "reading the stack")
        self.go_on = asyncio.Event()
        self.calls: list[str] = []
        self._proposal = proposal
        self._source = source
        self._error = error
        self._start_error = start_error

    async def proposal(self, tell: Callable[[str], None]) -> Proposal:
        for text in self.said:
            tell(text)
        await self.go_on.wait()
        if self._error is not None:
            raise self._error
        return self._proposal

    async def start(self) -> Source:
        self.calls.append("start")
        if self._start_error is not None:
            raise self._start_error
        return self._source

    async def decline(self) -> None:
        self.calls.append("decline")


def proposal(rehearsal: str = "") -> Proposal:
    manual = RecordSet(name=WWW, type="CNAME", ttl=300, values=("old.example.net",))
    plan = Plan(
        options=Options(stack="web", records=("www.example.com",)),
        zone_id="Z1",
        zone_name="example.com.",
        zone_private=False,
        zone_is_unique=True,
        name_servers=("ns1.example.net",),
        root=StackDescription(stack_id="arn:1", stack_name="web", status="UPDATE_COMPLETE"),
        account="123456789012",
        manuals=(Manual(original=manual),),
        strategies=(
            StrategyForecast(strategy=Strategy.DELETE, gap_seconds=5.0, harmed_seconds=15.0),
            StrategyForecast(strategy=Strategy.ADOPT, reason="not known [bold]to the letter."),
            StrategyForecast(strategy=Strategy.BRIDGE, side_effects=("others answer",)),
        ),
        warnings=(Finding(text="high [bold]negative TTL", hint="Lower it: `--negative-ttl 60`"),),
    )
    return Proposal(
        plan=plan,
        rehearsal=rehearsal,
    )


class HeardApp(TakeoverApp):
    """Draws at once, and keeps what goes to the terminal beside the screen."""

    SHORTEST_FRAME = 0.0

    def __init__(
        self, *, source: Source | None = None, opening: PendingRun | None = None, preferences: Path
    ) -> None:
        self.bells = 0
        self.written: list[str] = []
        super().__init__(source=source, opening=opening, preferences=preferences)

    def bell(self) -> None:
        self.bells += 1

    def write_terminal(self, sequence: str) -> None:
        self.written.append(sequence)


def notices(app: TakeoverApp) -> list[str]:
    """The lines that were said, the newest last."""
    return [note.message for note in app._notifications]


def text_of(app: TakeoverApp) -> str:
    """What stands on the terminal, dialogs in front of it included."""
    width, height = app.size
    console = Console(width=width, height=height, file=io.StringIO(), color_system=None)
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    with console.capture() as capture:
        console.print(update)
    return capture.get()


async def show(pilot: Pilot[ExitInfo], source: PlayedSource, *views: View) -> None:
    """Puts views in and waits until the last was drawn."""
    for one in views:
        source.queue.put_nowait(one)
    await settle(pilot)


async def settle(pilot: Pilot[ExitInfo]) -> None:
    """Waits until every message has been handled."""
    for _ in range(3):
        await pilot.pause()
