"""Measures reading and folding the journal of a run that is stuck for hours.

    uv run scripts/bench_fold.py [--hours 8] [--profile CASE]

Each journal begins as the virtual rehearsal of a scenario and then stands still: from some point on
the account answers every look with what it answered before, for as long as asked. What is polled,
and which answers leave an event, follows from `takeover.polling`, as it does in the engine.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.plan.model import Options
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.commands import Subject
from route53_takeover.core.takeover.machine import fold
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.polling import NameRecords, StackEvents, polls
from route53_takeover.core.takeover.state import State
from route53_takeover.core.takeover.step import step
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.runner import options_of, rehearse_once
from route53_takeover.simulation.scenarios import SCENARIOS
from route53_takeover.storage.journal_format import decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.machine import Poll
    from route53_takeover.core.takeover.commands import Request
    from route53_takeover.core.takeover.polling import Target

_ANSWER = 0.08
"""Seconds that a call takes."""


class Case(Struct, frozen=True, kw_only=True):
    """Where a run is stuck.

    Attributes:
        scenario: as it begins.
        options: what the user asked for.
        sticks: whether it stands still from this event on.
        asks: what the operator asks for then.
    """

    scenario: str
    sticks: Callable[[ev.AnyEvent, State], bool]
    options: Callable[[Options], Options] = lambda options: options
    asks: type[ev.RunPaused] | None = None


def _in(phase: Phase) -> Callable[[ev.AnyEvent, State], bool]:
    return lambda _, state: state.phase is phase


def _creating(_: ev.AnyEvent, state: State) -> bool:
    return any(stack.records for stack in state.stacks.values())


def _created(event: ev.AnyEvent, state: State) -> bool:
    records = (r for stack in state.stacks.values() for r in stack.records.values())
    is_read = isinstance(event, ev.NameRead) and state.phase is Phase.GUARD
    return is_read and all(r.status == "CREATE_COMPLETE" for r in records)


CASES = {
    "nothing is deployed": Case(
        scenario="alias",
        sticks=_in(Phase.WATCH),
        options=lambda options: replace(options, deploy_on=None, deploy_timeout=86400.0),
    ),
    "the stack is at work before the record": Case(
        scenario="nested",
        sticks=lambda e, s: s.phase is Phase.WATCH and isinstance(e, ev.StackPolled),
    ),
    "paused while the record is retried": Case(
        scenario="nested", sticks=_creating, asks=ev.RunPaused
    ),
    "the release is not confirmed": Case(
        scenario="nested",
        sticks=_creating,
        options=lambda options: replace(options, confirm_release=True),
    ),
    "the stack cleans up for ever": Case(scenario="nested", sticks=_created),
}


def stuck(case: Case, hours: float) -> Iterator[ev.AnyEvent]:
    """The events of such a run."""
    state: State | None = None
    scenario = SCENARIOS[case.scenario]
    options = case.options(options_of(scenario))
    plan_options = options if options.deploy_on else None
    for event in rehearse_once(scenario, "stuck", Faults(), options=plan_options).events:
        if isinstance(event, ev.RunStarted):
            event = replace(event, plan=replace(event.plan, options=options))  # noqa: PLW2901
        yield event
        state, _ = step(state, event)
        if case.sticks(event, state):
            break
    if state is None:
        raise ValueError("nothing happened")
    if case.asks is not None:
        yield (asked := case.asks(time=state.now))
        state, _ = step(state, asked)
    yield from _StandingStill(state).events(state.now + hours * 3600.0)


class _StandingStill:
    """The account as it was last seen, and how the engine looks at it."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._records = {
            n.name: n.read.records if n.read else tuple(h.standing for h in n.handovers)
            for n in state.names.values()
        }
        self._looked: dict[object, float] = {}

    def events(self, until: float) -> Iterator[ev.AnyEvent]:
        now = self._state.now
        while now < until and self._state.phase is not Phase.ENDED:
            event = self._next(now)
            if event is not None:
                yield event
                self._state, _ = step(self._state, event)
                now = event.time
            else:
                now = max(self._looked.values())

    def _next(self, now: float) -> ev.AnyEvent | None:
        """What a request, the machine or a poll has next to tell; ``None``: a poll without news."""
        for request in sorted(self._state.in_flight, key=str):
            if (answer := self._answer(request, now)) is not None:
                return answer
        due = [
            (max(self._due(poll), poll.not_before), number, poll)
            for number, poll in enumerate(polls(self._state))
            if isinstance(poll.target, StackEvents | NameRecords)
        ]
        wake = self._state.wake_at
        at, _, poll = min(due, default=(float("inf"), 0, None))
        if wake is not None and wake < at:
            return ev.TimePassed(time=max(wake, now))
        if poll is None:
            raise ValueError("the run waits for nothing")
        began = max(at, now)
        self._looked[poll.target] = began
        time = began + _ANSWER
        match poll.target:
            case NameRecords(name):
                return self._read(name, began)
            case StackEvents(stack) if poll.tell_all:
                return ev.StackPolled(time=time, began=began, stack=stack)
            case _:
                return None

    def _due(self, poll: Poll[Target]) -> float:
        last = self._looked.get(poll.target, 0.0) if poll.last is None else poll.last
        return last + poll.every

    def _read(self, name: str, began: float) -> ev.NameRead:
        records = self._records[name]
        return ev.NameRead(time=began + _ANSWER, began=began, name=name, records=records)

    def _answer(self, request: Request, now: float) -> ev.AnyEvent | None:
        time = now + _ANSWER
        match request.subject:
            case Subject.NAME:
                return self._read(request.of, now)
            case Subject.ROOT:
                return ev.RootDescribed(time=time, began=now, root=self._state.root)
            case Subject.RESOURCES:
                return ev.ResourcesRead(time=time, began=now, stack=request.of)
            case Subject.TEMPLATE:
                template = self._state.stacks[request.of].template
                return ev.TemplateRead(time=time, stack=request.of, template=template)
            case _:
                return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--profile", choices=sorted(CASES))
    arguments = parser.parse_args()
    for name, case in CASES.items():
        if arguments.profile not in (None, name):
            continue
        events = list(stuck(case, arguments.hours))
        data = b"".join(encode(seq, event) for seq, event in enumerate(events, 1))
        if arguments.profile:
            with cProfile.Profile() as profile:
                fold(events)
            pstats.Stats(profile).sort_stats("tottime").print_stats(30)
            continue
        began = time.process_time()
        read, _ = decode(data)
        decoded = time.process_time()
        state = fold(read)
        folded = time.process_time()
        phase = state.phase if state else "-"
        print(
            f"{name:40} {phase:8} {len(events):7} events {len(data) / 1e6:6.1f} MB  "
            f"read {decoded - began:.2f} s, folded {folded - decoded:.2f} s of CPU"
        )


if __name__ == "__main__":
    main()
