"""What a switch knows, folded from its events. Plain data: what to do about it is the machine's."""

from __future__ import annotations

from msgspec import Struct

from route53_takeover.core.deploys import Deploy
from route53_takeover.core.domain.http_checks import CheckAnswer, Side
from route53_takeover.core.endings import Ending, Stop
from route53_takeover.core.events import Switch
from route53_takeover.core.switch.commands import SwitchRequest
from route53_takeover.core.switch.events import SwapPurpose, Way
from route53_takeover.core.switch.model import Swap, SwapReading, SwitchPlan
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.timing import SWAP_READ, SWAP_READ_CLOSE, backoff


class SwapWrite(Struct, frozen=True, kw_only=True):
    """A write on its way, or of which no answer came (``is_unknown``)."""

    id: str
    to: Side
    purpose: SwapPurpose
    sent: float
    is_unknown: bool = False


class SwapState(Struct, frozen=True, kw_only=True):
    """One swap. Times are seconds since the epoch.

    Attributes:
        swap: as planned.
        reading: the newest; its read began at ``read_began`` and was told at ``read_at``.
        write: on its way, or of unknown fate.
        wrote: where the newest write that was applied lets it lead; ``None``: none was.
        wrote_at: when that was told.
        agreed_since: beginning of the first of the newest reads that agree with it; ``None``: the
            newest one does not.
        ever_green: a write to green was sent that may have been applied.
        proven: whether the way back is.
        switched_at: when the write to green was accepted; ``returned_at``: the one back to blue.
        moved_at: when it was first seen not to lead to blue while green was made.
        moves: how often it was put back then.
        absent_since: since when reads show that it is gone; ``None``: the newest does not.
        held_off: writes in a row that were not sent or not taken now; ``refusals``: refused ones.
        unread: reads in a row that failed; the newest of them at ``unread_at``.
        not_before: no write earlier than this; ``invalidate_after``: no invalidation.
        trouble: why the newest write or read did not succeed.
        invalidation: id of the one that is under way, or was; empty: none since the newest write.
        invalidating_since: when it began.
        is_invalidated: whether it is complete.
        uninvalidated: attempts in a row that failed.
    """

    swap: Swap
    reading: SwapReading | None = None
    read_began: float = 0.0
    read_at: float = 0.0
    write: SwapWrite | None = None
    wrote: Side | None = None
    wrote_at: float = 0.0
    agreed_since: float | None = None
    ever_green: bool = False
    proven: bool = False
    switched_at: float | None = None
    returned_at: float | None = None
    moved_at: float | None = None
    moves: int = 0
    absent_since: float | None = None
    held_off: int = 0
    refusals: int = 0
    unread: int = 0
    unread_at: float = 0.0
    not_before: float = 0.0
    invalidate_after: float = 0.0
    trouble: str = ""
    invalidation: str = ""
    invalidating_since: float = 0.0
    is_invalidated: bool = False
    uninvalidated: int = 0

    @property
    def id(self) -> str:
        return self.swap.id

    @property
    def read_again_at(self) -> float:
        """When it is read again at the earliest: failing reads are made less and less often."""
        if not self.unread:
            return 0.0
        return self.unread_at + backoff(self.unread, first=SWAP_READ_CLOSE, most=SWAP_READ)

    @property
    def side(self) -> Side:
        """Where the newest read showed that it leads."""
        return Side.UNKNOWN if self.reading is None else self.reading.side

    def is_on(self, side: Side) -> bool:
        """Whether it leads to a side; one that is not to change is on both."""
        is_either = not self.swap.changes and self.side in (Side.BLUE, Side.GREEN)
        return self.side is side or is_either


class RuleTest(Struct, frozen=True, kw_only=True):
    """The test of green through the plan's routing rule.

    Attributes:
        may_stand: whether the rule may exist now.
        passed: whether green has passed; ``problem``: why it has not, or the rule is not gone.
        failures: attempts in a row to remove it that failed; ``not_before``: none earlier.
    """

    may_stand: bool = False
    passed: bool = False
    problem: str = ""
    failures: int = 0
    not_before: float = 0.0


class Retirement(Struct, frozen=True, kw_only=True):
    """The stack that is retired at the end.

    Attributes:
        stack_id: once it is known.
        breaks: what its delete would break, as told at ``judged_at``; ``None``: not judged yet.
        unjudged: attempts in a row that failed; ``not_before``: no attempt earlier than this.
        begun_at: when its delete was intended; ``None`` again where it was not begun after all.
        ended_at: when that ended.
        problem: why it is not gone.
    """

    stack_id: str = ""
    breaks: tuple[str, ...] | None = None
    judged_at: float = 0.0
    unjudged: int = 0
    not_before: float = 0.0
    begun_at: float | None = None
    ended_at: float | None = None
    problem: str = ""


class CheckState(Struct, frozen=True, kw_only=True):
    """One check by one way.

    Attributes:
        last: the newest answer, to a question that began at ``began``; it came at ``answered_at``.
        passed: how often it has passed; ``failed``: how often it has not.
        failed_in_a_row: how often it has not since it last passed.
        last_failure: why it did not pass the last time.
        marks: of its answers, the newest first, each once.
    """

    last: CheckAnswer | None = None
    began: float = 0.0
    answered_at: float = 0.0
    passed: int = 0
    failed: int = 0
    failed_in_a_row: int = 0
    last_failure: str = ""
    marks: tuple[str, ...] = ()


class LiveAnswer(Struct, frozen=True):
    """An answer to users' way, and which side gave it."""

    time: float
    side: Side
    passed: bool


class SwitchState(Struct, frozen=True, kw_only=True):
    """Everything a switch knows.

    Attributes:
        now: time of the newest event.
        wake_at: when the machine wants a `TimePassed`.
        swaps: by id; those of ``plan.watched`` while green is being made.
        checks: by place and way.
        deploy: of green.
        green_found: whether the plan has its swaps: at once where nothing is deployed.
        green_failures: attempts in a row to find green in vain.
        live: the newest answers on users' way, oldest first.
        answered: how many came from each side since the switch.
        first_green_at: when green first answered on users' way; ``last_blue_at``: blue last did.
        failed_checks: failed checks on users' way since the switch began.
        switch_began: when the first write to green was intended.
        in_flight: what was asked for and not answered yet, of that asked for once at a time.
        writes: how many were ever asked for; their ids are derived from it.
        resumes: how often the run was resumed; ``resumed_at``: when it was last.
        paused: the operator has paused it.
        interrupts: the requests to stop this process; ``interrupted_at``: when the first began.
        stopped: the first that any process of the run was asked by.
        given_up: why no further step is taken towards green.
        refused: whether that was a refusal of the plan's, once green was there.
        journal_lost: why the journal cannot be written any more.
        rule_test: of the plan's routing rule; ``retirement``: of ``--retire``.
        news_at: when something last changed.
    """

    run: str
    plan: SwitchPlan
    phase: SwitchPhase
    phase_since: float
    now: float
    swaps: dict[str, SwapState]
    wake_at: float | None = None
    checks: dict[tuple[int, Way], CheckState] = {}
    deploy: Deploy | None = None
    green_found: bool = False
    green_failures: int = 0
    live: tuple[LiveAnswer, ...] = ()
    answered: dict[Side, int] = {}
    first_green_at: float | None = None
    last_blue_at: float | None = None
    failed_checks: int = 0
    switch_began: float | None = None
    backed_up: bool = False
    in_flight: frozenset[SwitchRequest] = frozenset()
    writes: int = 0
    resumes: int = 0
    resumed_at: float = 0.0
    paused: bool = False
    interrupts: tuple[Stop, ...] = ()
    interrupted_at: float = 0.0
    stopped: Stop | None = None
    given_up: str = ""
    refused: bool = False
    journal_lost: str = ""
    rule_test: RuleTest = RuleTest()
    retirement: Retirement = Retirement()
    news_at: float = 0.0
    ending: Ending | None = None

    @property
    def may_go_back(self) -> bool:
        """Whether blue is still there: its delete has not begun."""
        return self.retirement.begun_at is None

    @property
    def since(self) -> float:
        """When this phase began, or another process went on with it: what waits begins anew."""
        return max(self.phase_since, self.resumed_at)

    @property
    def deploys(self) -> dict[Switch, Deploy]:
        """The commands that were run: the deploy of green, and what deletes blue."""
        found = {} if self.deploy is None else {Switch.GREEN: self.deploy}
        begun = self.retirement.begun_at
        if begun is not None and self.plan.options.retire_command is not None:
            found[Switch.RETIRE] = Deploy(intended_at=begun, exited_at=self.retirement.ended_at)
        return found

    @property
    def ever_green(self) -> bool:
        """Whether a write to green was sent that may have been applied."""
        return any(swap.ever_green for swap in self.swaps.values())

    @property
    def may_pause(self) -> bool:
        """Whether the operator can keep it from its next step: not once the switch has begun."""
        early = (SwitchPhase.BACKUP, SwitchPhase.DEPLOY, SwitchPhase.CHECK)
        return self.phase in early and not self.given_up

    @property
    def may_abort(self) -> bool:
        """Whether it can be given up with nothing to lead back."""
        is_over = self.phase in (SwitchPhase.RESTORE, SwitchPhase.VERIFY, SwitchPhase.ENDED)
        is_late = self.ever_green or not self.may_go_back
        return not (is_over or self.interrupts or self.given_up or is_late)

    @property
    def may_switch_back(self) -> bool:
        """Whether the operator can lead everything back to blue."""
        is_over = self.phase in (SwitchPhase.RESTORE, SwitchPhase.VERIFY, SwitchPhase.ENDED)
        return self.ever_green and self.may_go_back and not is_over and not self.given_up
