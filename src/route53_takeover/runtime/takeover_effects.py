"""Carrying out a takeover's commands: writes, reads, deploys. Each answers with an event.

What may be sent, and when, is decided before (`core.takeover.machine`); here a call is made and
what became of it is told. An answer that does not say whether a write was applied makes it unknown.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

import structlog

from route53_takeover.base.errors import (
    AccessDeniedError,
    ApiError,
    CredentialsError,
    EndpointError,
    NotFoundError,
    RejectedChangeError,
    ThrottledError,
    one_line,
)
from route53_takeover.core.domain.stacks import (
    ABSENT,
    RECORD_SET,
    RECORD_SET_GROUP,
    STACK,
    kind_of,
)
from route53_takeover.core.domain.template import read_template
from route53_takeover.core.takeover import commands as cmd
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.machine import TAKEOVER
from route53_takeover.core.takeover.polling import Target
from route53_takeover.core.takeover.queries import IN_PROGRESS
from route53_takeover.core.takeover.state import State
from route53_takeover.core.timing import DEPLOY_LOOK_BACKOFF, INSYNC_EVERY, INSYNC_PATIENCE, backoff
from route53_takeover.runtime.cloud_deadman import CloudDeadmen
from route53_takeover.runtime.engine import Engine
from route53_takeover.runtime.takeover_looks import TakeoverLooks

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable

    from route53_takeover.core.events import Switch
    from route53_takeover.core.ports import (
        Clock,
        Deployer,
        DeployExit,
        Prober,
        Records,
        Stacks,
        StepFunctions,
    )
    from route53_takeover.storage.journal import Journal

    Submit = Callable[[ev.AnyEvent], None]

_log = structlog.get_logger(__name__)

_KEPT = frozenset({RECORD_SET, RECORD_SET_GROUP, STACK})
"""The resources that a list is read for; a journal needs no others."""

Observer: TypeAlias = "Callable[[ev.AnyEvent, State, int], None]"
"""Is told of every event and the state after it; must return at once and never raise."""
TakeoverEngine: TypeAlias = Engine[State, ev.AnyEvent, cmd.AnyCommand, Target]


def takeover_engine(
    *,
    clock: Clock,
    journal: Journal[ev.AnyEvent],
    records: Records,
    stacks: Stacks,
    deployer: Deployer,
    prober: Prober | None,
    save_backup: Callable[[], Awaitable[None]],
    rng: random.Random,
    observer: Observer,
    step_functions: StepFunctions | None = None,
    strict: bool = False,
) -> TakeoverEngine:
    """An engine that runs one takeover to its end.

    Args:
        save_backup: writes backup.json durably from the plan; raises OSError.
        rng: for jitter.
        observer: told of every event.
        step_functions: for a plan with a deadman in AWS.
        strict: what is a defect raises, as tests and rehearsals want it (`Engine`).
    """
    failures: type[Exception] = ApiError if strict else Exception
    looks = TakeoverLooks(
        clock=clock, records=records, stacks=stacks, prober=prober, failures=failures
    )
    effects = TakeoverEffects(
        clock=clock,
        records=records,
        stacks=stacks,
        deployer=deployer,
        save_backup=save_backup,
        looks=looks,
        deadmen=CloudDeadmen(step_functions, clock),
        failures=failures,
    )
    return Engine(
        machine=TAKEOVER,
        carry_out=effects.carry_out,
        look=looks.look,
        clock=clock,
        journal=journal,
        rng=rng,
        observer=observer,
        strict=strict,
    )


class TakeoverEffects:
    """Carries out one command at a time, as many at once as there are.

    Args:
        looks: reads the names.
        failures: what of a port counts as a call that failed.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        records: Records,
        stacks: Stacks,
        deployer: Deployer,
        save_backup: Callable[[], Awaitable[None]],
        looks: TakeoverLooks,
        deadmen: CloudDeadmen,
        failures: type[Exception],
    ) -> None:
        self._clock = clock
        self._records = records
        self._stacks = stacks
        self._deployer = deployer
        self._save_backup = save_backup
        self._looks = looks
        self._deadmen = deadmen
        self._failures = failures

    async def carry_out(self, command: cmd.AnyCommand, state: State, submit: Submit) -> None:
        """Carries a command out and submits what came of it.

        Args:
            state: as it is now.
            submit: takes the events.
        """
        match command:
            case cmd.WriteBatch():
                submit(await self._write(command, state.plan.zone_id))
            case cmd.RunDeploy():
                submit(await self._deployed(command.switch, self._deployer.run))
            case cmd.RejoinDeploy():
                submit(await self._deployed(command.switch, self._deployer.rejoin))
            case cmd.WriteBackup():
                submit(await self._backup())
            case cmd.ReadName():
                read = await self._looks.read_name(state, command.name)
                if read is not None:
                    submit(read)
            case cmd.AwaitInsync():
                await self._await_insync(command, submit)
            case cmd.ReadBaseline():
                submit(await self._baseline(_root(state), joining=command.joining))
            case cmd.DescribeRoot():
                submit(await self._described(_root(state)))
            case cmd.ReadTemplate():
                submit(await self._template(command.stack))
            case cmd.ReadResources():
                submit(await self._resources(command.stack, urgent=command.urgent))
            case cmd.TestDeadman() | cmd.StartDeadman() | cmd.FindDeadman() | cmd.StopDeadman():
                submit(await self._deadmen.carry_out(command, state.plan))

    # -- Route 53

    async def _write(self, write: cmd.WriteBatch, zone_id: str) -> ev.AnyEvent:
        """Sends the batch once and says what became of it."""
        comment = f"route53-takeover {write.id} {write.purpose}"
        about = {"id": write.id, "name": write.name}
        try:
            async with asyncio.timeout(write.patience and write.patience / self._clock.speed):
                change_id = await self._records.change(zone_id, write.changes, comment)
        except (ThrottledError, EndpointError, CredentialsError) as error:
            return ev.WriteHeldOff(time=self._clock.now(), reason=one_line(error), **about)
        except (RejectedChangeError, AccessDeniedError, NotFoundError) as error:
            return ev.WriteRefused(
                time=self._clock.now(), code=error.code, reason=one_line(error), **about
            )
        except Exception as error:  # noqa: BLE001 -- whatever it was, it may have been applied
            return ev.WriteUnknown(time=self._clock.now(), reason=one_line(error), **about)
        return ev.WriteAccepted(time=self._clock.now(), change_id=change_id, **about)

    async def _await_insync(self, command: cmd.AwaitInsync, submit: Submit) -> None:
        """Asks until the machine takes the change as INSYNC without it."""
        for _ in range(int(INSYNC_PATIENCE / INSYNC_EVERY)):
            try:
                if await self._records.is_insync(command.change_id):
                    now = self._clock.now()
                    submit(
                        ev.ChangeInsync(time=now, name=command.name, change_id=command.change_id)
                    )
                    return
            except self._failures as error:
                _log.info("insync.unread", reason=one_line(error))
            await self._clock.sleep(INSYNC_EVERY)

    # -- the disk and the deploys

    async def _backup(self) -> ev.AnyEvent:
        try:
            await self._save_backup()
        except OSError as error:
            return ev.BackupFailed(time=self._clock.now(), reason=str(error))
        return ev.BackupWritten(time=self._clock.now())

    async def _deployed(
        self, switch: Switch, watch: Callable[[str], Awaitable[DeployExit]]
    ) -> ev.AnyEvent:
        """Waits for a deploy's end, however often looking at it fails; starts it once at most."""
        failures = 0
        while True:
            try:
                ended = await watch(switch)
            except Exception as error:  # noqa: BLE001 -- no failure of the host ends a rescue
                _log.error("deploy.unwatched", switch=switch, reason=one_line(error))
                failures += 1
                watch = self._deployer.rejoin  # it may have been started
                await self._clock.sleep(backoff(failures, first=0.5, most=DEPLOY_LOOK_BACKOFF))
            else:
                return ev.DeployExited(
                    time=self._clock.now(),
                    switch=switch,
                    code=ended.code,
                    tail=ended.tail,
                    timed_out=ended.timed_out,
                )

    # -- CloudFormation

    async def _baseline(self, root: str, *, joining: bool) -> ev.AnyEvent:
        """Reads the tree as it is before a deploy: newest events and resources of each stack."""
        try:
            return await self._tree(root, joining=joining)
        except self._failures as error:
            return ev.BaselineUnread(time=self._clock.now(), reason=one_line(error))

    async def _tree(self, name: str, *, joining: bool) -> ev.BaselineRead:
        root = await self._stacks.describe(name)
        in_progress = kind_of(root.status) in IN_PROGRESS
        newest: dict[str, str] = {}
        until: dict[str, float] = {}
        existing: dict[str, tuple[str, ...]] = {}
        parents: dict[str, str] = {}
        todo = [] if root.status == ABSENT else [root.stack_id]
        for stack_id in todo:
            if not (joining and in_progress):
                mark = await self._stacks.newest_event(stack_id)
                if mark is not None:
                    newest[stack_id], until[stack_id] = mark.event_id, mark.timestamp
            try:
                resources = await self._stacks.resources(stack_id)
            except NotFoundError:
                resources = []
            existing[stack_id] = tuple(r.logical_id for r in resources)
            for child in resources:
                is_new = child.physical_id not in existing and child.physical_id
                if child.resource_type == STACK and is_new:
                    parents[child.physical_id] = stack_id
                    todo.append(child.physical_id)
        return ev.BaselineRead(
            time=self._clock.now(),
            root=root,
            newest=newest,
            until=until,
            existing=existing,
            parents=parents,
        )

    async def _described(self, root: str) -> ev.AnyEvent:
        began = self._clock.now()
        try:
            described = await self._stacks.describe(root)
        except self._failures as error:
            return ev.RootUndescribed(time=self._clock.now(), reason=one_line(error))
        return ev.RootDescribed(time=self._clock.now(), began=began, root=described)

    async def _template(self, stack: str) -> ev.AnyEvent:
        """What the template in force says of record sets; a hint, so failing is no harm."""
        try:
            template = read_template(await self._stacks.body(stack))
        except self._failures:
            template = None
        return ev.TemplateRead(time=self._clock.now(), stack=stack, template=template)

    async def _resources(self, stack: str, *, urgent: bool) -> ev.AnyEvent:
        """The resources of one stack; of one that does not exist there are none."""
        began = self._clock.now()
        try:
            resources = tuple(await self._stacks.resources(stack, urgent=urgent))
        except NotFoundError:
            resources = ()
        except self._failures as error:
            return ev.ResourcesUnread(time=self._clock.now(), stack=stack, reason=one_line(error))
        return ev.ResourcesRead(
            time=self._clock.now(),
            stack=stack,
            began=began,
            resources=tuple(r for r in resources if r.resource_type in _KEPT),
        )


def _root(state: State) -> str:
    """What the root stack is asked for by: its name also finds one that was made anew."""
    return state.root.stack_name or state.plan.options.stack
