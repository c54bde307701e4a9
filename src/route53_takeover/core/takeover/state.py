"""What a run knows, folded from its events. Plain data: what to do about it is the machine's.

The state of the run; `name_state` has those of the names, `stack_state` those of the stacks.
Everything is frozen; a new fact makes a new state (`route53_takeover.core.takeover.fold`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.deploys import Deploy
from route53_takeover.core.domain.stacks import StackDescription
from route53_takeover.core.endings import Ending, Stop
from route53_takeover.core.events import Switch
from route53_takeover.core.plan.model import Plan
from route53_takeover.core.takeover.commands import Request
from route53_takeover.core.takeover.deadman_state import CloudDeadman
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.name_state import (
    ABSENT_STAGES,
    UNTOUCHED_STAGES,
    HelperState,
    NameState,
    SoaState,
)
from route53_takeover.core.takeover.phases import LIVE, Phase
from route53_takeover.core.takeover.stack_state import StackState

if TYPE_CHECKING:
    from route53_takeover.core.takeover.name_state import (
        Handover,
    )


class State(Struct, frozen=True, kw_only=True):
    """Everything a run knows.

    Attributes:
        now: time of the newest event.
        wake_at: when the machine wants a `TimePassed`.
        lag: how long calls that read take now, in seconds, the wait for their turn included.
        awake_since: since when the process has run without a stop.
        baseline: for which switch the baseline was read last, if any.
        in_flight: what was asked for and not answered yet, of that asked for once at a time.
        failures: how often in a row the stack tree could not be read.
        unlisted: how often in a row a stack's list of resources could not.
        news_at: when a stack, a deploy or a name last moved.
        deadmen: those in AWS that were ever to be started, by their ids, the oldest first.
        writes: how many batches and deadmen were ever asked for; their ids are derived from it.
        is_rehearsal: its account is a simulated one, which ends with the run.
        resumes: how often the run was resumed; ``resumed_at``: when it was last.
        unwatched: when no process lived before each resume: from and until.
        paused: the operator has paused it; see `is_paused`.
        interrupts: the requests to stop: what began each of them.
        interrupted_at: when the first of them began.
        given_up: why no further step is taken towards the takeover.
        journal_lost: why the journal cannot be written any more.
        verifying_since: when the last look at everything began.
    """

    run: str
    plan: Plan
    phase: Phase
    phase_since: float
    now: float
    names: dict[str, NameState]
    root: StackDescription
    helpers: dict[str, HelperState] = {}
    soa: SoaState | None = None
    deadmen: dict[str, CloudDeadman] = {}
    stacks: dict[str, StackState] = {}
    wake_at: float | None = None
    lag: float = 0.0
    awake_since: float = 0.0
    backed_up: bool = False
    baseline: Switch | None = None
    baseline_at: float = 0.0
    deploys: dict[Switch, Deploy] = {}
    in_flight: frozenset[Request] = frozenset()
    described: StackDescription | None = None
    described_began: float = 0.0
    failures: int = 0
    unlisted: int = 0
    not_before: float = 0.0
    news_at: float = 0.0
    writes: int = 0
    resumes: int = 0
    resumed_at: float = 0.0
    unwatched: tuple[tuple[float, float], ...] = ()
    is_rehearsal: bool = False
    paused: bool = False
    interrupts: tuple[Stop, ...] = ()
    interrupted_at: float = 0.0
    given_up: str = ""
    backup_failed: bool = False
    journal_lost: str = ""
    verifying_since: float | None = None
    ending: Ending | None = None

    @property
    def has_stopped(self) -> bool:
        """Whether nothing is done towards the takeover any more, but to guard and to undo."""
        stopped = self.interrupts and not self.ever_released
        given_up = stopped or self.given_up or self.journal_lost
        return bool(given_up) or self.phase in (Phase.RESTORE, Phase.ENDED)

    @property
    def is_early(self) -> bool:
        """Whether it is in a phase before the names are tended."""
        return self.phase not in LIVE and self.phase not in (Phase.VERIFY, Phase.ENDED)

    @property
    def is_paused(self) -> bool:
        """Whether a pause keeps it from its next step.

        It does not any more once something was released, by whomever: the stack can only succeed
        as a whole, and without the other names takes the first one back.
        """
        return self.paused and not self.has_stopped and (self.is_early or not self.ever_released)

    @property
    def settled_at(self) -> float:
        """When things were last seen to be at rest: what is listed since is the outcome."""
        return max(self.described_began, self.baseline_at)

    @property
    def root_stack(self) -> StackState | None:
        """The root's state since the baseline; ``None`` until it was seen."""
        return self.stacks.get(self.root.stack_id)

    @property
    def handovers(self) -> tuple[Handover, ...]:
        """Every manual record set of every name."""
        return tuple([h for name in self.names.values() for h in name.handovers])

    @property
    def missing(self) -> tuple[Handover, ...]:
        """Those whose record set is gone, with nothing in its place."""
        return tuple([h for h in self.handovers if h.stage in ABSENT_STAGES])

    @property
    def ever_released(self) -> bool:
        """Whether a record set was released, or may have been."""
        for name in self.names.values():
            if name.write is not None and name.write.purpose is Purpose.RELEASE:
                return True
            for handover in name.handovers:
                if handover.released_at is not None or handover.stage not in UNTOUCHED_STAGES:
                    return True
        return False
