"""Watching the stack tree, one poller a stack, and the name servers, at the state's pace.

Watchers only report. What they find goes to the engine as events; a poll that fails is backed off
and tried again, and never ends a run.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from route53_takeover.core import events as ev
from route53_takeover.core.live import watches
from route53_takeover.core.stacks import (
    ABSENT,
    RECORD_SET,
    RECORD_SET_GROUP,
    STACK,
    Kind,
    kind_of,
)
from route53_takeover.core.state import LIVE, Phase
from route53_takeover.core.template import read_template
from route53_takeover.errors import ApiError, NotFoundError

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from route53_takeover.core.live import Watch
    from route53_takeover.core.state import State
    from route53_takeover.ports import Clock, Prober, Stacks

_TOLD = frozenset({RECORD_SET, RECORD_SET_GROUP, STACK})
"""The resources that a list is read for; a journal needs no others."""
_BACK_OFF_AT_MOST = 10.0
_PROBE, _PROBE_IN_GAP = 2.0, 0.5
"""Seconds between two questions to the name servers."""
_VALUES_TOLD, _VALUES_WITHIN = 8, 240.0
"""How often, and in how many seconds, it is told that only the values differ: the addresses behind
an alias come and go by themselves, and a journal must not grow by that."""
_PROBED = frozenset({Phase.PROVE, Phase.DEPLOY_ON, Phase.VERIFY, *LIVE})


class StackWatcher:
    """Keeps a poller running for each stack that matters now.

    Args:
        submit: takes the events that are found.
        rng: for the jitter of back-offs.
        failures: what of a port counts as a call that failed.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        stacks: Stacks,
        rng: random.Random,
        submit: Callable[[ev.AnyEvent], None],
        failures: type[Exception] = ApiError,
    ) -> None:
        self._failures = failures
        self._clock = clock
        self._stacks = stacks
        self._rng = rng
        self._submit = submit
        self._root = ""
        self._watches: dict[str, Watch] = {}
        self._pollers: dict[str, asyncio.Task[None]] = {}
        self._hurry: dict[str, asyncio.Event] = {}
        self._tasks: asyncio.TaskGroup

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Gives it the group in which its pollers live."""
        self._tasks = tasks

    def stop(self) -> None:
        """Ends every poller."""
        for task in self._pollers.values():
            task.cancel()

    def follow(self, state: State) -> bool:
        """Starts, stops and paces pollers after a step; whether a moment is near."""
        self._root = state.plan.options.stack
        if state.root.stack_name:
            self._root = state.root.stack_name
        wanted = {watch.stack: watch for watch in watches(state)}
        for stack in self._watches.keys() - wanted.keys():
            self._pollers.pop(stack).cancel()
        before, self._watches = self._watches, wanted
        for stack, watch in wanted.items():
            old = before.get(stack)
            if old is None or old.after != watch.after:
                if stack in self._pollers:
                    self._pollers.pop(stack).cancel()
                self._hurry[stack] = asyncio.Event()
                self._pollers[stack] = self._tasks.create_task(self._poll(stack))
            elif watch.every < old.every:
                self._hurry[stack].set()
        return any(watch.tell_all for watch in wanted.values())

    async def _poll(self, stack: str) -> None:
        known: set[str] = set()
        failures = 0
        hurry = self._hurry[stack]
        while True:
            began = self._clock.now()
            try:
                watch = self._watches[stack]
                events = await self._stacks.events(
                    stack, known, after=watch.after, urgent=watch.urgent
                )
            except self._failures as error:
                failures += 1
                self._submit(
                    ev.StackUnpolled(time=self._clock.now(), stack=stack, reason=str(error))
                )
            else:
                failures = 0
                known.update(event.event_id for event in events)
                if events or self._watches[stack].tell_all:
                    self._submit(
                        ev.StackPolled(
                            time=self._clock.now(), stack=stack, began=began, events=tuple(events)
                        )
                    )
            pause = self._watches[stack].every
            if failures:
                longest = min(pause * 2 ** min(failures, 10), _BACK_OFF_AT_MOST)
                pause = self._rng.uniform(pause, max(longest, pause))
            rest = began + pause - self._clock.now()
            hurry.clear()
            if rest > 0:
                try:
                    async with asyncio.timeout(rest / self._clock.speed):
                        await hurry.wait()
                except TimeoutError:
                    continue

    async def read_baseline(self, *, joining: bool) -> None:
        """Reads the tree as it is before a deploy: newest events and resources of each stack."""
        event: ev.AnyEvent
        try:
            event = await self._baseline(joining=joining)
        except self._failures as error:
            event = ev.BaselineUnread(time=self._clock.now(), reason=str(error))
        self._submit(event)

    async def _baseline(self, *, joining: bool) -> ev.BaselineRead:
        root = await self._stacks.describe(self._root)
        in_progress = kind_of(root.status) in (Kind.GOING, Kind.CLEANING, Kind.TURNING_BACK)
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

    async def describe_root(self) -> None:
        """Reads the root stack's status."""
        began = self._clock.now()
        event: ev.AnyEvent
        try:
            root = await self._stacks.describe(self._root)
        except self._failures as error:
            event = ev.RootUndescribed(time=self._clock.now(), reason=str(error))
        else:
            event = ev.RootDescribed(time=self._clock.now(), began=began, root=root)
        self._submit(event)

    async def read_template(self, stack: str) -> None:
        """Reads what the template in force says of record sets; a hint, so failing is no harm."""
        try:
            template = read_template(await self._stacks.body(stack))
        except self._failures:
            template = None
        self._submit(ev.TemplateRead(time=self._clock.now(), stack=stack, template=template))

    async def read_resources(self, stack: str, *, urgent: bool = False) -> None:
        """Reads the resources of one stack; of one that does not exist there are none."""
        began = self._clock.now()
        event: ev.AnyEvent
        try:
            resources = tuple(await self._stacks.resources(stack, urgent=urgent))
        except NotFoundError:
            event = ev.ResourcesRead(time=self._clock.now(), stack=stack, began=began)
        except self._failures as error:
            event = ev.ResourcesUnread(time=self._clock.now(), stack=stack, reason=str(error))
        else:
            event = ev.ResourcesRead(
                time=self._clock.now(),
                stack=stack,
                began=began,
                resources=tuple(r for r in resources if r.resource_type in _TOLD),
            )
        self._submit(event)


class NameWatcher:
    """Asks the zone's name servers while it matters, and tells what changed.

    Args:
        known: the state now.
        submit: takes the events that are found.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        prober: Prober,
        known: Callable[[], State],
        submit: Callable[[ev.AnyEvent], None],
    ) -> None:
        self._clock = clock
        self._prober = prober
        self._known = known
        self._submit = submit
        self._last: dict[tuple[str, str], ev.NamesAnswered] = {}
        self._told: dict[tuple[str, str], deque[float]] = {}

    async def watch(self) -> None:
        """Asks for ever; is cancelled in the end."""
        while True:
            if self._known().phase in _PROBED:
                for name, record_type in _questions(self._known()):
                    await self._ask(name, record_type)
            in_gap = self._known().phase in (Phase.RELEASE, Phase.CONFIRM, Phase.RESTORE)
            await self._clock.sleep(_PROBE_IN_GAP if in_gap else _PROBE)

    async def _ask(self, name: str, record_type: str) -> None:
        answers = await self._prober.probe(name, record_type)
        now = self._clock.now()
        heard = ev.NamesAnswered(
            time=now,
            name=name,
            type=record_type,
            statuses={answer.server: answer.status for answer in answers},
            values={
                answer.server: tuple(sorted(answer.values))
                for answer in answers
                if answer.status == "answer" and answer.values
            },
        )
        if self._is_news(heard):
            self._last[name, record_type] = heard
            self._submit(heard)

    def _is_news(self, heard: ev.NamesAnswered) -> bool:
        """Whether it differs from what was told last, and not too often by the values alone."""
        key = heard.name, heard.type
        told = self._last.get(key)
        if told is None or heard.statuses != told.statuses:
            return True
        if heard.values == told.values:
            return False
        times = self._told.setdefault(key, deque(maxlen=_VALUES_TOLD))
        if len(times) == _VALUES_TOLD and heard.time < times[0] + _VALUES_WITHIN:
            return False
        times.append(heard.time)
        return True


def _questions(state: State) -> list[tuple[str, str]]:
    """What to ask for: the type of the record, or A where a CNAME leads on."""
    types = {
        (h.original.key.name, "A" if h.original.type == "CNAME" else h.original.type)
        for h in state.handovers
    }
    return sorted(types)
