"""The events of a switch: everything that its machine learns.

Events are facts in the past tense, each with the time at which the engine took it in. Those of any
run are in `route53_takeover.core.events`; the commands in `route53_takeover.core.switch.commands`.
"""

from __future__ import annotations

from enum import StrEnum

from route53_takeover.core.domain.http_checks import CheckAnswer, Side
from route53_takeover.core.events import (
    AbortAsked,
    AlertFailed,
    BackupFailed,
    BackupWritten,
    DeployExited,
    DeployIntended,
    Event,
    Interrupted,
    JournalFailed,
    Observation,
    RestoreAsked,
    RunPaused,
    RunResumed,
    RunUnpaused,
    TimePassed,
)
from route53_takeover.core.switch.model import SwapReading, SwitchPlan


class RuleIntended(Event, frozen=True, kw_only=True):
    """The routing rule of the plan is about to be created. Durable before the first byte leaves."""


class RuleTested(Event, frozen=True, kw_only=True):
    """Green was asked through it.

    Attributes:
        problem: why it did not pass; empty where it did.
        is_removed: whether the rule is gone again.
    """

    problem: str = ""
    is_removed: bool = False


class RuleRemoved(Event, frozen=True, kw_only=True):
    """The rule is gone, or it is not: ``problem`` says why."""

    problem: str = ""


class RetirementJudged(Event, frozen=True, kw_only=True):
    """Whether the stack to retire may be deleted, and its id.

    Attributes:
        breaks: what would break, a line each; none: it is safe.
    """

    stack_id: str
    breaks: tuple[str, ...] = ()


class RetirementUnjudged(Event, frozen=True, kw_only=True):
    """That cannot be told."""

    reason: str


class DeleteIntended(Event, frozen=True, kw_only=True):
    """The delete of the stack is about to begin: from here on there is no way back to blue."""


class DeleteEnded(Event, frozen=True, kw_only=True):
    """It has ended.

    Attributes:
        problem: why the stack is not gone; empty where it is.
        is_begun: ``False`` where it certainly was not begun: there is a way back to blue again.
    """

    problem: str = ""
    is_begun: bool = True


class SwapPurpose(StrEnum):
    """Why a swap is written."""

    PROVE = "prove"  # nothing is changed: it proves that it may be
    SWITCH = "switch"
    KEEP = "keep"  # what the deploy of green, or the delete of blue, has moved is put back
    BACK = "back"


class Way(StrEnum):
    """By which way a check goes."""

    BLUE = "blue"
    GREEN = "green"
    LIVE = "live"  # as users go
    RULE = "rule"  # the same, with the secret header of a routing rule that leads to green


class SwitchStarted(Event, frozen=True, kw_only=True):
    """The plan was accepted; nothing has been written yet."""

    run: str
    plan: SwitchPlan


class GreenFound(Event, frozen=True, kw_only=True):
    """The deploy has made green: the plan with what it leads to."""

    plan: SwitchPlan


class GreenNotFound(Event, frozen=True, kw_only=True):
    """What the deploy has made cannot be told."""

    reason: str


class SwapRead(Observation, frozen=True, kw_only=True):
    """Where a swap leads, by a read that began at ``began``."""

    swap: str
    began: float
    reading: SwapReading


class SwapUnread(Observation, frozen=True, kw_only=True):
    """A read failed; it says nothing of the swap."""

    swap: str
    reason: str


class SwapIntended(Event, frozen=True, kw_only=True):
    """This write will be sent now, once. Durable before the first byte leaves.

    Attributes:
        to: where it lets the swap lead.
        etag: of the config that it replaces; empty where there is no such thing.
    """

    id: str
    swap: str
    to: Side
    purpose: SwapPurpose
    etag: str = ""


class SwapAccepted(Event, frozen=True, kw_only=True):
    """AWS applied it."""

    id: str
    swap: str


class SwapRefused(Event, frozen=True, kw_only=True):
    """AWS applied nothing."""

    id: str
    swap: str
    code: str
    reason: str


class SwapHeldOff(Event, frozen=True, kw_only=True):
    """Nothing was applied: throttled, or never sent."""

    id: str
    swap: str
    reason: str


class SwapUnknown(Event, frozen=True, kw_only=True):
    """The answer was lost: it may have been applied, or may yet be."""

    id: str
    swap: str
    reason: str


class CheckAnswered(Observation, frozen=True, kw_only=True):
    """What came of a check (its place in the plan), by one way."""

    check: int
    way: Way
    began: float
    answer: CheckAnswer


class InvalidationBegun(Event, frozen=True, kw_only=True):
    """CloudFront has accepted an invalidation."""

    swap: str
    invalidation: str


class InvalidationFailed(Observation, frozen=True, kw_only=True):
    """It has not, or it cannot be told whether it is complete."""

    swap: str
    reason: str


class InvalidationCompleted(Event, frozen=True, kw_only=True):
    """It is complete on every edge."""

    swap: str


SwapWriteAnswer = SwapAccepted | SwapRefused | SwapHeldOff | SwapUnknown
"""What becomes of a write."""

SwitchEvent = (
    SwitchStarted
    | RunResumed
    | BackupWritten
    | BackupFailed
    | TimePassed
    | Interrupted
    | JournalFailed
    | AlertFailed
    | DeployIntended
    | DeployExited
    | GreenFound
    | GreenNotFound
    | SwapRead
    | SwapUnread
    | SwapIntended
    | SwapAccepted
    | SwapRefused
    | SwapHeldOff
    | SwapUnknown
    | CheckAnswered
    | InvalidationBegun
    | InvalidationFailed
    | InvalidationCompleted
    | RuleIntended
    | RuleTested
    | RuleRemoved
    | RetirementJudged
    | RetirementUnjudged
    | DeleteIntended
    | DeleteEnded
    | RunPaused
    | RunUnpaused
    | RestoreAsked
    | AbortAsked
)
"""Every event that the machine takes."""
