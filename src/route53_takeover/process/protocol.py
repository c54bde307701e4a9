"""The interface of a screen: the views that it gets, and the requests that it may send.

A `Source` is a live run, one in another process, or a finished one that is replayed: a screen
cannot tell and need not. A `PendingRun` comes before: a plan that waits for a confirmation.
Nothing here knows Textual, sockets or AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from route53_takeover.base.errors import TakeoverError
from route53_takeover.core.plan.model import Plan
from route53_takeover.core.status.any_run import RunRequest
from route53_takeover.core.status.result import Result
from route53_takeover.core.status.snapshot import Absence, Snapshot
from route53_takeover.core.switch.model import SwitchPlan

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


GOOD_FOR = 600.0
"""Seconds for which a plan may be started: after that the account may be another one."""


class Link(StrEnum):
    """How the run that is shown can be reached."""

    LIVE = "live"
    STALE = "stale"  # its process is there and has said nothing for a while: it may be stopped
    GONE = "gone"  # the run has not ended, and its process is not there any more
    KILLED = "killed"  # the same, by the rehearsal itself, which resumes the run
    ENDED = "ended"
    REPLAY = "replay"


class View(Struct, frozen=True, kw_only=True):
    """All that a screen shows at one time.

    Attributes:
        deploy: the newest lines of the deploy command that runs, or ran last.
        position: how many of the run's events are shown; ``length``: how many there are.
        speed: of a replay, in its seconds a second; 0 where it stands still.
        resumable: whether the account of the run is there: a rehearsal's is a process that ends.
        usual: phase -> how long it took in earlier runs of the same stack.
        pid: the run's process; 0 where it is not known.
        alive_at: its last sign of life, by the run's clock; 0 where it is not known.
    """

    snapshot: Snapshot
    link: Link
    deploy: tuple[str, ...] = ()
    position: int = 0
    length: int = 0
    speed: float = 0.0
    resumable: bool = True
    usual: Mapping[str, float] = {}
    pid: int = 0
    alive_at: float = 0.0


def is_newly_killed(before: View | None, view: View) -> bool:
    """Whether this view is the first that shows the run's process killed: it is said once."""
    return view.link is Link.KILLED and (before is None or before.link is not Link.KILLED)


KILLED = "The rehearsal has killed the run's process, and resumes the run in a new one."


class Seek(Struct, frozen=True, kw_only=True):
    """Shows a replay as it was after so many events."""

    position: int


class StepBy(Struct, frozen=True, kw_only=True):
    """Moves a replay by so many events; keys that come faster than views add up."""

    events: int


class Play(Struct, frozen=True, kw_only=True):
    """Plays a replay on at this speed; 0 stops it."""

    speed: float


class Resume(Struct, frozen=True, kw_only=True):
    """Starts the process of a run again that has none any more."""


Request = RunRequest | Seek | StepBy | Play | Resume


class Source(Protocol):
    """A run to look at, and to act on."""

    def subscribe(self) -> AsyncIterator[View]:
        """What there is to show: at once, and after every change (bursts come as one)."""

    async def submit(self, request: Request) -> None:
        """Asks for something. What does not apply (any more) changes nothing.

        Raises:
            TakeoverError: it could not be handed over; message and hint say why and what to do.
        """


class Proposal(Struct, frozen=True, kw_only=True):
    """A plan that waits for a yes: of a takeover, or of a blue-green switch.

    Attributes:
        plan: of a takeover; ``switch``: of a switch. One of the two is given.
        rehearsal: name of the scenario, where the account is a simulated one.
        config: a file and the options that it says; empty where there is none.
        run_line: the command that was given, to be copied.
    """

    plan: Plan | None = None
    switch: SwitchPlan | None = None
    rehearsal: str = ""
    config: str = ""
    run_line: str = ""


class PendingRun(Protocol):
    """A run that has not started."""

    async def proposal(self, tell: Callable[[str], None]) -> Proposal:
        """Reads the account and makes the plan; ``tell`` is told what it is doing.

        Raises:
            TakeoverError: there is no account, stack, zone or record, or no permission.
        """

    async def start(self) -> Source:
        """Begins the run.

        Raises:
            TakeoverError: it cannot begin; nothing was written.
        """

    async def decline(self) -> None:
        """Ends it; nothing was written."""


class ExitInfo(Struct, frozen=True, kw_only=True):
    """How a view was left.

    Attributes:
        run: the run's name; empty where none was started.
        result: how it ended, where they saw it end; ``now`` and ``events`` are the run's then.
        detached: it goes on without them; ``paused``: it waits for them, rather.
        gone: it has not ended, and its process is not there any more.
        absences: the names that had no record when they left, the worst first.
        error: why there was nothing to show.
    """

    run: str = ""
    result: Result | None = None
    now: float = 0.0
    events: int = 0
    detached: bool = False
    paused: bool = False
    gone: bool = False
    absences: tuple[Absence, ...] = ()
    error: TakeoverError | None = None
