"""What happened in a run, as far as views show it and the state does not keep it.

A `Timeline` is folded beside the state, from the same events: when each phase was entered, every
resource of the stacks, what each name server answered, and the lines of news. It decides nothing,
knows no clock, and is bounded: time that passes and reads that show nothing new add nothing.
"""

from __future__ import annotations

from collections import deque
from copy import copy
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.status import messages
from route53_takeover.core.status.messages import OUTCOME_MARKS, Message, stage_words
from route53_takeover.core.status.snapshot import Detail, Mark, News, ServerAnswer
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.name_state import ABSENT_STAGES, RecordStatus

if TYPE_CHECKING:
    from route53_takeover.core.domain.record_sets import RecordKey
    from route53_takeover.core.domain.stacks import StackEvent, StackResource
    from route53_takeover.core.takeover.phases import Phase
    from route53_takeover.core.takeover.state import State

_NEWS, _ANSWERS, _VISITS = 500, 200, 200
"""How many are kept: of lines, of a name server's answers, of stays in a phase."""
_REPEATED = 60.0
"""Seconds after which a failed read with the same reason is reported again."""


class Visit(Struct, frozen=True, kw_only=True):
    """One stay in a phase; ``left`` is ``None`` while it lasts."""

    phase: StrEnum
    entered: float
    left: float | None = None


class ResourceStatus(Struct, frozen=True, kw_only=True):
    """The newest status of one resource, or of a stack itself.

    Attributes:
        since: when the status was taken in; 0 where it is from a list.
        timestamp: AWS's time of the event; 0 where it is from a list, which any event overrules.
    """

    label: str
    kind: str
    status: str
    since: float = 0.0
    timestamp: float = 0.0
    reason: str = ""
    physical_id: str = ""


class Gap(Struct, frozen=True, kw_only=True):
    """The newest time without a record set, or any in its place."""

    since: float
    until: float | None = None


class Trouble(Struct, frozen=True, kw_only=True):
    """Something that cannot be read: since when, when it was tried last, and why not."""

    since: float
    last: float
    reason: str


class Timeline:
    """What happened so far. It changes with every event; `copy` keeps how it was.

    Attributes:
        events: how many it took in.
        began: when the run did; ``baseline_at``: when the newest deploy's baseline was read.
        visits: the stays in phases, oldest first; the last one lasts.
        stacks: stack id -> its own status.
        resources: stack id and logical id -> its newest status, in order of first appearance.
        answers: name, type and name server -> its answers, oldest first. Where they are too many,
            those around the release are kept.
        change_ids: name -> id of the newest batch that Route 53 accepted for it.
        absences: the newest one of each record set.
        troubles: what could not be read, by what was asked for.
        news: the newest lines.
    """

    def __init__(self) -> None:
        self.events = 0
        self.began = 0.0
        self.baseline_at: float | None = None
        self.visits: deque[Visit] = deque(maxlen=_VISITS)
        self.stacks: dict[str, ResourceStatus] = {}
        self.resources: dict[tuple[str, str], ResourceStatus] = {}
        self.answers: dict[tuple[str, str, str], tuple[ServerAnswer, ...]] = {}
        self.change_ids: dict[str, str] = {}
        self.absences: dict[RecordKey, Gap] = {}
        self.troubles: dict[str, Trouble] = {}
        self.news: deque[News] = deque(maxlen=_NEWS)
        self._seen: set[str] = set()
        self._stages: dict[RecordKey, RecordStatus] = {}
        self._given_up = ""
        self._failure = ("", 0.0)
        self._new: list[News] = []

    def copy(self) -> Timeline:
        """The same, to go on from later: everything in it is a value."""
        other = Timeline()
        other.__dict__.update({key: copy(value) for key, value in vars(self).items()})
        return other

    def take(self, event: ev.AnyEvent, state: State) -> tuple[News, ...]:
        """Takes in an event, after the machine has, and returns the lines that it adds.

        Args:
            event: what happened.
            state: what the machine made of it.
        """
        self._new = []
        self.events += 1
        self.began = self.began or event.time
        match event:
            case ev.StackPolled():
                self._clear(f"stack:{event.stack}")
                for item in event.events:
                    self._take_stack_event(item, event.time)
            case ev.ResourcesRead():
                self._clear(f"list:{event.stack}")
                for resource in event.resources:
                    self._take_listed(resource)
            case ev.NamesAnswered():
                self._take_answers(event, state)
            case ev.TimePassed():
                pass
            case _:
                self._take_other(event)
        self._follow(state)
        return tuple(self._new)

    # -- what follows from the state

    def _follow(self, state: State) -> None:
        """Reports what the machine made of the event."""
        for name in state.names.values():
            for handover in name.handovers:
                key, stage = handover.original.key, handover.stage
                if self._stages.get(key, RecordStatus.STANDING) is not stage:
                    self._stages[key] = stage
                    if not name.covered_by:
                        self._follow_absence(key, stage, handover.gap_began_at, state.now)
                    mark, words = stage_words(name, handover)
                    self._say(state.now, Message(f"{key} {words}", mark))
        if state.given_up != self._given_up:
            self._given_up = state.given_up
            if self._given_up:
                text = f"the takeover is given up: {self._given_up}"
                self._say(state.now, Message(text, Mark.FAILED))
        current = self.visits[-1] if self.visits else None
        if current is not None and current.phase is state.phase:
            return
        if current is not None:
            self.visits[-1] = replace(current, left=state.now)
        self.visits.append(Visit(phase=state.phase, entered=state.now))
        if state.ending is not None:
            mark = OUTCOME_MARKS[state.ending.outcome]
            message = Message(f"{state.ending.outcome}: {state.ending.reason}", mark)
        else:
            message = messages.of_phase(state.phase)
        self._say(state.now, message, state.phase)

    def _follow_absence(
        self, key: RecordKey, stage: RecordStatus, began: float | None, now: float
    ) -> None:
        absence = self.absences.get(key)
        if stage in ABSENT_STAGES:
            since = now if began is None or stage is RecordStatus.LOST else began
            self.absences[key] = Gap(since=since)
        elif absence is not None and absence.until is None:
            self.absences[key] = replace(absence, until=now)

    # -- the stacks

    def _take_stack_event(self, event: StackEvent, now: float) -> None:
        """Repeated events count once; of late ones only the newest by AWS's time is kept."""
        if event.event_id in self._seen:
            return
        self._seen.add(event.event_id)
        self._say(now, messages.of_stack_event(event))
        key = (event.stack_id, event.logical_id)
        old = self.stacks.get(event.stack_id) if event.is_of_stack else self.resources.get(key)
        if old is not None and event.timestamp < old.timestamp:
            return
        same = old is not None and old.status == event.status and old.since > 0
        told = ResourceStatus(
            label=event.stack_name if event.is_of_stack else event.logical_id,
            kind=event.resource_type,
            status=event.status,
            since=old.since if old is not None and same else now,
            timestamp=event.timestamp,
            reason=event.reason or (old.reason if old is not None and same else ""),
            physical_id=event.physical_id or (old.physical_id if old is not None else ""),
        )
        if event.is_of_stack:
            self.stacks[event.stack_id] = told
        else:
            self.resources[key] = told

    def _take_listed(self, item: StackResource) -> None:
        """A list counts where no event has named the resource; else only the events count."""
        key = (item.stack_id, item.logical_id)
        old = self.resources.get(key)
        if old is None or old.timestamp == 0:
            self.resources[key] = ResourceStatus(
                label=item.logical_id,
                kind=item.resource_type,
                status=item.status,
                physical_id=item.physical_id,
            )
        elif not old.physical_id:
            self.resources[key] = replace(old, physical_id=item.physical_id)

    # -- the name servers

    def _take_answers(self, event: ev.NamesAnswered, state: State) -> None:
        name = state.names.get(event.name)
        releases = [h.released_at for h in name.handovers if h.released_at] if name else []
        for server, status in event.statuses.items():
            key = (event.name, event.type, server)
            before = self.answers.get(key, ())
            answer = ServerAnswer(
                since=event.time, status=status, values=event.values.get(server, ())
            )
            if before and before[-1].status == status:
                if before[-1].values == answer.values:
                    continue
            elif before:
                record = f"{display_name(event.name)} {event.type}"
                self._say(event.time, messages.of_answer(server, status, record))
            self.answers[key] = _kept((*before, answer), min(releases, default=None))

    # -- everything else

    def _take_other(self, event: ev.AnyEvent) -> None:
        match event:
            case ev.WriteAccepted():
                self.change_ids[event.name] = event.change_id
            case ev.BaselineRead():
                self.baseline_at = event.time
                self.troubles.clear()
            case ev.RunResumed():
                self.troubles.clear()
            case ev.RootDescribed():
                self._clear("root")
            case ev.NameRead():
                self._clear(f"name:{event.name}")
            case ev.NameUnread():
                self._cannot(f"name:{event.name}", event.time, event.reason)
            case ev.StackUnpolled():
                self._cannot(f"stack:{event.stack}", event.time, event.reason)
            case ev.ResourcesUnread():
                self._cannot(f"list:{event.stack}", event.time, event.reason)
            case ev.RootUndescribed() | ev.BaselineUnread():
                self._cannot("root", event.time, event.reason)
            case _:
                pass
        for message in messages.of_event(event):
            self._say(event.time, message)

    def _cannot(self, what: str, time: float, reason: str) -> None:
        """The same reason is reported once, and again only after a while."""
        old = self.troubles.get(what)
        is_new = all(trouble.reason != reason for trouble in self.troubles.values())
        if is_new and (reason != self._failure[0] or time - self._failure[1] >= _REPEATED):
            self._failure = (reason, time)
            self._say(time, messages.of_failed_read(reason))
        since = old.since if old is not None else time
        self.troubles[what] = Trouble(since=since, last=time, reason=reason)

    def _clear(self, what: str) -> None:
        self.troubles.pop(what, None)

    def _say(self, time: float, message: Message, phase: Phase | None = None) -> None:
        news = News(
            time=time, text=message.text, mark=message.mark, detail=message.detail, phase=phase
        )
        self._new.append(news)
        if news.detail is not Detail.ALL:
            self.news.append(news)


def _kept(answers: tuple[ServerAnswer, ...], released_at: float | None) -> tuple[ServerAnswer, ...]:
    """No more than are kept: those that were over before the release go first.

    If there are none, the last but one goes: those around the release and the newest stay.
    """
    if len(answers) <= _ANSWERS:
        return answers
    if released_at is None or answers[1].since < released_at:
        return answers[1:]
    return (*answers[:-2], answers[-1])
