"""Carrying out what a switch asks for: reads, writes, checks, deploys. Each answers with an event.

What may be sent, and when, is decided before (`core.switch.machine`); here a call is made and what
became of it is told. An answer that does not say whether a write was applied makes it unknown.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, TypeAlias

import structlog

from route53_takeover.base.errors import (
    AccessDeniedError,
    ApiError,
    CredentialsError,
    EndpointError,
    NotFoundError,
    RejectedChangeError,
    TakeoverError,
    ThrottledError,
    one_line,
)
from route53_takeover.core.events import BackupFailed, BackupWritten, DeployExited, Switch
from route53_takeover.core.switch import commands as cmd
from route53_takeover.core.switch import events as ev
from route53_takeover.core.switch.events import SwitchEvent, Way
from route53_takeover.core.switch.machine import SWITCH
from route53_takeover.core.switch.polling import (
    LiveCheck,
    RunningInvalidation,
    SwitchTarget,
    WatchedSwap,
)
from route53_takeover.core.switch.routes import route_for
from route53_takeover.core.switch.state import SwitchState
from route53_takeover.core.timing import DEPLOY_LOOK_BACKOFF, backoff
from route53_takeover.runtime.engine import Engine
from route53_takeover.runtime.pollers import Look
from route53_takeover.runtime.secret_rule import SecretRules, rule_of

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable

    from route53_takeover.core.machine import Poll
    from route53_takeover.core.ports import (
        Clock,
        Deployer,
        DeployExit,
        HttpChecks,
    )
    from route53_takeover.core.status.any_run import RunObserver
    from route53_takeover.core.switch.model import SwitchPlan
    from route53_takeover.runtime.site_swaps import SiteSwaps
    from route53_takeover.storage.journal import Journal

    Submit = Callable[[SwitchEvent], None]

_log = structlog.get_logger(__name__)

SwitchEngine: TypeAlias = Engine[SwitchState, SwitchEvent, cmd.SwitchCommand, SwitchTarget]

_DELETE_TRIES = 60
"""Failed looks in a row after which the end of a delete is not waited for (some minutes)."""
_WRITE_LIMIT = 8.0
"""Seconds of the clock after which a write counts as unanswered, whatever the client does."""


def switch_engine(
    *,
    clock: Clock,
    journal: Journal[SwitchEvent],
    sites: SiteSwaps,
    checks: HttpChecks,
    deployer: Deployer,
    find_green: Callable[[SwitchPlan], Awaitable[SwitchPlan]],
    save_backup: Callable[[], Awaitable[None]],
    rng: random.Random,
    observer: RunObserver,
    retirement: Retires | None = None,
    strict: bool = False,
) -> SwitchEngine:
    """An engine that runs one switch to its end.

    Args:
        sites: reads and writes what is switched.
        find_green: the plan with what the deploy has made; raises TakeoverError.
        save_backup: writes backup.json durably from the plan; raises OSError.
        rng: for jitter.
        observer: told of every event.
        retirement: of ``--retire``.
        strict: what is a defect raises, as tests and rehearsals want it (`Engine`).
    """
    effects = SwitchEffects(
        clock=clock,
        sites=sites,
        checks=checks,
        deployer=deployer,
        find_green=find_green,
        save_backup=save_backup,
        retirement=retirement,
        failures=ApiError if strict else Exception,
    )
    return Engine(
        machine=SWITCH,
        carry_out=effects.carry_out,
        look=effects.look,
        clock=clock,
        journal=journal,
        rng=rng,
        observer=observer,
        strict=strict,
    )


class Retires(Protocol):
    """Judges and deletes the stack to retire."""

    async def judged(self, stack: str) -> tuple[str, tuple[str, ...]]:
        """Its id, and what its delete would break. Raises TakeoverError."""

    async def deleted(self, stack_id: str, run: str, *, begins: bool) -> str:
        """Waits for the end of its delete; why it is not gone, or nothing.

        Args:
            begins: begins it, too, unless this run has begun it already.
        """


class SwitchEffects:
    """Carries out one command at a time, as many at once as there are, and looks at polls.

    Args:
        failures: what of a port counts as a call that failed.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        sites: SiteSwaps,
        checks: HttpChecks,
        deployer: Deployer,
        find_green: Callable[[SwitchPlan], Awaitable[SwitchPlan]],
        save_backup: Callable[[], Awaitable[None]],
        failures: type[Exception],
        retirement: Retires | None = None,
    ) -> None:
        self._clock = clock
        self._sites = sites
        self._checks = checks
        self._deployer = deployer
        self._find_green = find_green
        self._save_backup = save_backup
        self._retirement = retirement
        self._rules = SecretRules(sites.api_gateway, checks, clock)
        self._failures = failures

    async def carry_out(
        self, command: cmd.SwitchCommand, state: SwitchState, submit: Submit
    ) -> None:
        """Carries a command out and submits what came of it."""
        match command:
            case cmd.WriteSwap():
                submit(await self._write(command, state))
            case cmd.ReadSwap():
                submit(await self._read(command.swap, state))
            case cmd.CarryOutCheck():
                submit(await self._check(command.check, command.way, state))
            case cmd.Invalidate():
                submit(await self._invalidate(command, state))
            case cmd.FindGreen():
                submit(await self._green(state))
            case cmd.SaveBackup():
                submit(await self._backup())
            case cmd.TryByRule():
                submit(await self._rules.test(rule_of(state.plan), state))
            case cmd.RemoveRule():
                submit(await self._rules.remove(rule_of(state.plan)))
            case cmd.JudgeRetirement():
                submit(await self._judged(state))
            case cmd.DeleteBlue():
                submit(await self._deleted(command.stack_id, state, begins=True))
            case cmd.RejoinDelete():
                submit(await self._deleted(command.stack_id, state, begins=False))
            case cmd.DeployGreen():
                submit(await self._deployed(self._deployer.run))
            case cmd.RejoinGreenDeploy():
                submit(await self._deployed(self._deployer.rejoin))

    async def look(self, poll: Poll[SwitchTarget], state: SwitchState) -> Look[SwitchEvent]:
        """Looks once."""
        match poll.target:
            case WatchedSwap(swap=swap):
                read = await self._read(swap, state)
                return Look(read, failed=isinstance(read, ev.SwapUnread))
            case LiveCheck(check=check):
                return Look(await self._check(check, Way.LIVE, state))
            case RunningInvalidation():
                return await self._invalidation(poll.target, state)

    # -- the swaps

    async def _read(self, swap_id: str, state: SwitchState) -> ev.SwapRead | ev.SwapUnread:
        began = self._clock.now()
        try:
            reading = await self._sites.read(state.swaps[swap_id].swap)
        except self._failures as error:
            return ev.SwapUnread(time=self._clock.now(), swap=swap_id, reason=one_line(error))
        return ev.SwapRead(time=self._clock.now(), swap=swap_id, began=began, reading=reading)

    async def _write(self, write: cmd.WriteSwap, state: SwitchState) -> ev.SwapWriteAnswer:
        """Sends it once and says what became of it."""
        swap = state.swaps[write.swap].swap
        about = {"id": write.id, "swap": write.swap}
        try:
            async with asyncio.timeout(_WRITE_LIMIT / self._clock.speed):
                await self._sites.lead(swap, write.to, shown=write.shown, etag=write.etag)
        except (ThrottledError, EndpointError, CredentialsError) as error:
            return ev.SwapHeldOff(time=self._clock.now(), reason=one_line(error), **about)
        except (RejectedChangeError, AccessDeniedError, NotFoundError) as error:
            if error.code == _STALE:  # another config is in force: read again, and decide anew
                return ev.SwapHeldOff(time=self._clock.now(), reason=one_line(error), **about)
            return ev.SwapRefused(
                time=self._clock.now(), code=error.code, reason=one_line(error), **about
            )
        except Exception as error:  # noqa: BLE001 -- whatever it was, it may have been applied
            return ev.SwapUnknown(time=self._clock.now(), reason=one_line(error), **about)
        return ev.SwapAccepted(time=self._clock.now(), **about)

    async def _invalidate(
        self, command: cmd.Invalidate, state: SwitchState
    ) -> ev.InvalidationBegun | ev.InvalidationFailed:
        swap = state.swaps[command.swap].swap
        try:
            invalidation = await self._sites.invalidate(swap, command.reference)
        except self._failures as error:
            return ev.InvalidationFailed(
                time=self._clock.now(), swap=command.swap, reason=one_line(error)
            )
        return ev.InvalidationBegun(
            time=self._clock.now(), swap=command.swap, invalidation=invalidation
        )

    async def _invalidation(
        self, target: RunningInvalidation, state: SwitchState
    ) -> Look[SwitchEvent]:
        swap = state.swaps[target.swap].swap
        try:
            is_complete = await self._sites.is_invalidated(swap, target.invalidation)
        except self._failures as error:
            _log.info("invalidation.unread", reason=one_line(error))
            return Look(None, failed=True)
        if not is_complete:
            return Look(None)
        return Look(ev.InvalidationCompleted(time=self._clock.now(), swap=target.swap))

    # -- the stack to retire

    async def _judged(self, state: SwitchState) -> ev.RetirementJudged | ev.RetirementUnjudged:
        try:
            stack_id, breaks = await self._retires.judged(state.plan.options.retire or "")
        except TakeoverError as error:
            return ev.RetirementUnjudged(time=self._clock.now(), reason=one_line(error))
        return ev.RetirementJudged(time=self._clock.now(), stack_id=stack_id, breaks=breaks)

    async def _deleted(self, stack_id: str, state: SwitchState, *, begins: bool) -> ev.DeleteEnded:
        """Waits for the end of the delete, however often looking at it fails."""
        failures = 0
        while True:
            try:
                problem = await self._retires.deleted(stack_id, state.run, begins=begins)
            except Exception as error:  # noqa: BLE001 -- what was begun goes on: it is looked at again
                _log.error("delete.unwatched", reason=one_line(error))
                failures += 1
                if failures > _DELETE_TRIES:
                    return ev.DeleteEnded(time=self._clock.now(), problem=one_line(error))
                await self._clock.sleep(backoff(failures, first=1.0, most=DEPLOY_LOOK_BACKOFF))
            else:
                return ev.DeleteEnded(time=self._clock.now(), problem=problem)

    @property
    def _retires(self) -> Retires:
        if self._retirement is None:
            raise ApiError("nothing here can retire a stack", operation="cloudformation")
        return self._retirement

    # -- checks, the disk and the deploy

    async def _check(self, place: int, way: Way, state: SwitchState) -> ev.CheckAnswered:
        check, began = state.plan.checks[place], self._clock.now()
        answer = await self._checks.carry_out(check, route_for(state.plan, check, way))
        return ev.CheckAnswered(
            time=self._clock.now(), check=place, way=way, began=began, answer=answer
        )

    async def _green(self, state: SwitchState) -> ev.GreenFound | ev.GreenNotFound:
        try:
            plan = await self._find_green(state.plan)
        except TakeoverError as error:
            return ev.GreenNotFound(time=self._clock.now(), reason=one_line(error))
        return ev.GreenFound(time=self._clock.now(), plan=plan)

    async def _backup(self) -> BackupWritten | BackupFailed:
        try:
            await self._save_backup()
        except OSError as error:
            return BackupFailed(time=self._clock.now(), reason=str(error))
        return BackupWritten(time=self._clock.now())

    async def _deployed(self, watch: Callable[[str], Awaitable[DeployExit]]) -> DeployExited:
        """Waits for the deploy's end, however often looking at it fails; starts it once at most."""
        failures = 0
        while True:
            try:
                ended = await watch(Switch.GREEN)
            except Exception as error:  # noqa: BLE001 -- no failure of the host ends a rescue
                _log.error("deploy.unwatched", switch=Switch.GREEN, reason=one_line(error))
                failures += 1
                watch = self._deployer.rejoin  # it may have been started
                await self._clock.sleep(backoff(failures, first=0.5, most=DEPLOY_LOOK_BACKOFF))
            else:
                return DeployExited(
                    time=self._clock.now(),
                    switch=Switch.GREEN,
                    code=ended.code,
                    tail=ended.tail,
                    timed_out=ended.timed_out,
                )


_STALE = "PreconditionFailed"
"""CloudFront's answer to an ETag that is not the newest any more."""
