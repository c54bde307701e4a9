"""What a switch can ask for: the commands that the engine carries out.

Each is answered by one of the events named in its docstring. They are never journalled.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.switch import events as ev
from route53_takeover.core.switch.events import SwapPurpose, Way

if TYPE_CHECKING:
    from route53_takeover.core.switch.events import SwitchEvent


class SwitchSubject(StrEnum):
    """What is asked for at most once at a time."""

    BACKUP = "backup"
    DEPLOY = "deploy"
    GREEN = "green"
    SWAP = "swap"
    CHECK = "check"
    INVALIDATION = "invalidation"
    RULE = "rule"
    VERDICT = "verdict"
    DELETE = "delete"


class SwitchRequest(Struct, frozen=True):
    """What identifies a command under way: ``of`` is a swap, or a check and its way."""

    subject: SwitchSubject
    of: str = ""


class SwitchAction(Struct, frozen=True, kw_only=True, tag=True):
    """Something the machine asks for."""


class SaveBackup(SwitchAction, frozen=True, kw_only=True):
    """-> `BackupWritten` or `BackupFailed`."""

    @property
    def request(self) -> SwitchRequest:
        return SwitchRequest(SwitchSubject.BACKUP)


class DeployGreen(SwitchAction, frozen=True, kw_only=True):
    """-> `DeployIntended` at once, then `DeployExited`."""

    @property
    def request(self) -> SwitchRequest:
        return SwitchRequest(SwitchSubject.DEPLOY)


class RejoinGreenDeploy(SwitchAction, frozen=True, kw_only=True):
    """-> `DeployExited`, of a command that an earlier process may have started."""

    @property
    def request(self) -> SwitchRequest:
        return SwitchRequest(SwitchSubject.DEPLOY)


class FindGreen(SwitchAction, frozen=True, kw_only=True):
    """-> `GreenFound` or `GreenNotFound`."""

    @property
    def request(self) -> SwitchRequest:
        return SwitchRequest(SwitchSubject.GREEN)


class ReadSwap(SwitchAction, frozen=True, kw_only=True):
    """-> `SwapRead` or `SwapUnread`. For a decision that waits for it; see also `polling`."""

    swap: str

    @property
    def request(self) -> SwitchRequest:
        return SwitchRequest(SwitchSubject.SWAP, self.swap)


class CarryOutCheck(SwitchAction, frozen=True, kw_only=True):
    """-> `CheckAnswered`."""

    check: int
    way: Way

    @property
    def request(self) -> SwitchRequest:
        return SwitchRequest(SwitchSubject.CHECK, f"{self.check} {self.way}")


class Invalidate(SwitchAction, frozen=True, kw_only=True):
    """-> `InvalidationBegun` or `InvalidationFailed`. ``reference``: sent twice, it begins once."""

    swap: str
    reference: str

    @property
    def request(self) -> SwitchRequest:
        return SwitchRequest(SwitchSubject.INVALIDATION, self.swap)


class TryByRule(SwitchAction, frozen=True, kw_only=True):
    """-> `RuleIntended` at once, then `RuleTested`: the rule is created, used, and deleted."""

    @property
    def request(self) -> SwitchRequest:
        return SwitchRequest(SwitchSubject.RULE)


class RemoveRule(SwitchAction, frozen=True, kw_only=True):
    """-> `RuleRemoved`; where there is none, it is."""

    @property
    def request(self) -> SwitchRequest:
        return SwitchRequest(SwitchSubject.RULE)


class JudgeRetirement(SwitchAction, frozen=True, kw_only=True):
    """-> `RetirementJudged` or `RetirementUnjudged`."""

    @property
    def request(self) -> SwitchRequest:
        return SwitchRequest(SwitchSubject.VERDICT)


class DeleteBlue(SwitchAction, frozen=True, kw_only=True):
    """-> `DeleteIntended` at once, then `DeleteEnded`."""

    stack_id: str

    @property
    def request(self) -> SwitchRequest:
        return SwitchRequest(SwitchSubject.DELETE)


class RejoinDelete(SwitchAction, frozen=True, kw_only=True):
    """-> `DeleteEnded`, of a delete that an earlier process may have begun."""

    stack_id: str

    @property
    def request(self) -> SwitchRequest:
        return SwitchRequest(SwitchSubject.DELETE)


class WriteSwap(SwitchAction, frozen=True, kw_only=True):
    """-> `SwapIntended` at once, then one of `SwapWriteAnswer`.

    Attributes:
        id: unique in the run: it is never sent twice.
        shown: where the swap led by the read that this was decided on; ``etag``: of that read.
    """

    id: str
    swap: str
    to: Side
    purpose: SwapPurpose
    shown: str = ""
    etag: str = ""


SwitchOnceAtATime = (
    SaveBackup
    | DeployGreen
    | RejoinGreenDeploy
    | FindGreen
    | ReadSwap
    | CarryOutCheck
    | Invalidate
    | TryByRule
    | RemoveRule
    | JudgeRetirement
    | DeleteBlue
    | RejoinDelete
)
"""Commands of which one `SwitchRequest` is under way at a time (`SwitchState.in_flight`)."""

SwitchCommand = SwitchOnceAtATime | WriteSwap


def answered_by(event: SwitchEvent) -> SwitchRequest | None:
    """The request that this event answers, if it is one that is asked for once at a time."""
    match event:
        case ev.BackupWritten() | ev.BackupFailed():
            return SwitchRequest(SwitchSubject.BACKUP)
        case ev.DeployExited():
            return SwitchRequest(SwitchSubject.DEPLOY)
        case ev.GreenFound() | ev.GreenNotFound():
            return SwitchRequest(SwitchSubject.GREEN)
        case ev.SwapRead() | ev.SwapUnread():
            return SwitchRequest(SwitchSubject.SWAP, event.swap)
        case ev.CheckAnswered():
            return SwitchRequest(SwitchSubject.CHECK, f"{event.check} {event.way}")
        case ev.InvalidationBegun() | ev.InvalidationFailed():
            return SwitchRequest(SwitchSubject.INVALIDATION, event.swap)
        case ev.RuleTested() | ev.RuleRemoved():
            return SwitchRequest(SwitchSubject.RULE)
        case ev.RetirementJudged() | ev.RetirementUnjudged():
            return SwitchRequest(SwitchSubject.VERDICT)
        case ev.DeleteEnded():
            return SwitchRequest(SwitchSubject.DELETE)
        case _:
            return None
