"""Where the machines meet: a run of whichever kind, folded and shown.

Whoever reads a journal, hosts a run or shows one takes it from here, and knows no machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from route53_takeover.core.projection import Projection
from route53_takeover.core.status.attention import needs_person
from route53_takeover.core.status.build import snapshot
from route53_takeover.core.status.choices import choices
from route53_takeover.core.status.deadman_words import cloud_rescues
from route53_takeover.core.status.result import result
from route53_takeover.core.status.sentences import doing
from route53_takeover.core.status.switch.build import (
    switch_doing,
    switch_needs,
    switch_progress,
    switch_snapshot,
)
from route53_takeover.core.status.switch.choices import switch_choices
from route53_takeover.core.status.switch.result import switch_result
from route53_takeover.core.status.switch.timeline import SwitchTimeline
from route53_takeover.core.status.timeline import Timeline
from route53_takeover.core.switch.events import SwitchEvent, SwitchStarted
from route53_takeover.core.switch.machine import SWITCH
from route53_takeover.core.switch.state import SwitchState
from route53_takeover.core.takeover.events import AnyEvent, OperatorEvent, RunStarted
from route53_takeover.core.takeover.machine import TAKEOVER
from route53_takeover.core.takeover.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from route53_takeover.core.events import Event
    from route53_takeover.core.status.choices import Choice
    from route53_takeover.core.status.result import Result
    from route53_takeover.core.status.snapshot import News, Snapshot

RunEvent = AnyEvent | SwitchEvent
"""An event of a run of any kind."""
RunObserver: TypeAlias = Callable[[Any, Any, int], None]
"""Is told of every event and the state after it; must return at once and never raise."""
RunState = State | SwitchState
"""The state of a run of any kind."""
RunRequest = OperatorEvent
"""What an operator may ask of a run of any kind; what does not apply changes nothing."""


class RunReading:
    """State and timeline of a run, one event further at a time.

    The first event says of which kind it is.
    """

    def __init__(self) -> None:
        self._projection: Projection[Any, Any, Any] = Projection(TAKEOVER.step)
        self.timeline: Timeline | SwitchTimeline = Timeline()

    @property
    def state(self) -> RunState | None:
        """``None`` before the first event."""
        known: RunState | None = self._projection.state
        return known

    @property
    def events(self) -> int:
        """How many were taken."""
        return self._projection.seq

    def take(self, event: Event) -> tuple[News, ...]:
        """Takes one more event; the lines that it adds.

        Raises:
            ValueError: it is the first, and no run begins with it.
        """
        if isinstance(event, SwitchStarted) and self.state is None:
            seq = self._projection.seq
            self._projection = Projection(SWITCH.step)
            self._projection.seq = seq
            self.timeline = SwitchTimeline()
        self._projection.take(event)
        return tell(self.timeline, event, self.state)

    def copy(self) -> RunReading:
        """One that goes on by itself."""
        other = RunReading()
        other._projection = self._projection.copy()
        other.timeline = self.timeline.copy()
        return other

    def snapshot(self, now: float, *, rehearsal: str, state_dir: str) -> Snapshot | None:
        """The run as it is; ``None`` before the first event."""
        match self.state, self.timeline:
            case State() as state, Timeline() as timeline:
                return snapshot(
                    state, timeline, max(now, state.now), rehearsal=rehearsal, state_dir=state_dir
                )
            case SwitchState() as state, SwitchTimeline() as timeline:
                return switch_snapshot(
                    state, timeline, max(now, state.now), rehearsal=rehearsal, state_dir=state_dir
                )
            case _:
                return None


def tell(
    timeline: Timeline | SwitchTimeline, event: Event, state: RunState | None
) -> tuple[News, ...]:
    """Takes an event of its kind in, after the machine has; the lines that it adds."""
    told: Any = timeline
    news: tuple[News, ...] = told.take(event, state)
    return news


def timeline_for(state: RunState) -> Timeline | SwitchTimeline:
    """An empty timeline of a run of this kind."""
    return Timeline() if isinstance(state, State) else SwitchTimeline()


def begins(event: Event) -> bool:
    """Whether a run of any kind begins with this event."""
    return isinstance(event, RunStarted | SwitchStarted)


def fold_run(history: Iterable[Event]) -> RunState | None:
    """The state after these events; ``None`` where there are none.

    Raises:
        ValueError: no run begins so.
    """
    projection: Projection[Any, Any, Any] | None = None
    for event in history:
        if projection is None:
            is_switch = isinstance(event, SwitchStarted)
            projection = Projection(SWITCH.step) if is_switch else Projection(TAKEOVER.step)
        projection.take(event)
    state: RunState | None = None if projection is None else projection.state
    return state


def has_run_ended(state: RunState) -> bool:
    """Whether nothing is done in it any more."""
    return TAKEOVER.has_ended(state) if isinstance(state, State) else SWITCH.has_ended(state)


def result_of(state: RunState, api_calls: Mapping[str, int] | None) -> Result:
    """The result of a run that has ended.

    Raises:
        ValueError: it has not ended.
    """
    if isinstance(state, State):
        return result(state, api_calls)
    return switch_result(state, api_calls)


def doing_of(state: RunState) -> str:
    """What a run does now, in a sentence."""
    return doing(state) if isinstance(state, State) else switch_doing(state)


def progress_of(state: RunState) -> str:
    """How far what it does now is: who answers users in a switch; what AWS does if this ends."""
    if isinstance(state, SwitchState):
        return switch_progress(state)
    return "; ".join(each.text for each in cloud_rescues(state))


def needs_of(state: RunState, timeline: Timeline | SwitchTimeline) -> str:
    """What the operator must do now; empty where nothing is needed."""
    if isinstance(state, State) and isinstance(timeline, Timeline):
        return needs_person(state, timeline)
    return switch_needs(state) if isinstance(state, SwitchState) else ""


def choices_of(state: RunState) -> tuple[Choice, ...]:
    """The operator's choices now."""
    return choices(state) if isinstance(state, State) else switch_choices(state)
