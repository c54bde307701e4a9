"""What happened in a run, as far as views show it and the state does not keep it.

A `Timeline` is folded beside the state, from the same events: when each phase was entered, every
resource of the stacks, what each name server answered, and the lines of news. It decides nothing,
knows no clock, and is bounded: time that passes and reads that show nothing new add nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.status import messages
from route53_takeover.core.status.message import Message
from route53_takeover.core.status.messages import stage_words
from route53_takeover.core.status.run_timeline import RunTimeline
from route53_takeover.core.status.snapshot import Mark, ServerAnswer
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.name_state import ABSENT_STAGES, RecordStatus
from route53_takeover.core.takeover.phases import Phase

if TYPE_CHECKING:
    from route53_takeover.core.domain.record_sets import RecordKey
    from route53_takeover.core.domain.stacks import StackEvent, StackResource
    from route53_takeover.core.status.snapshot import News
    from route53_takeover.core.takeover.state import State

_ANSWERS = 200
"""How many of a name server's answers are kept."""


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


class Timeline(RunTimeline):
    """What happened so far in a takeover.

    Attributes:
        baseline_at: when the newest deploy's baseline was read.
        stacks: stack id -> its own status.
        resources: stack id and logical id -> its newest status, in order of first appearance.
        answers: name, type and name server -> its answers, oldest first. Where they are too many,
            those around the release are kept.
        change_ids: name -> id of the newest batch that Route 53 accepted for it.
        absences: the newest one of each record set.
    """

    def __init__(self) -> None:
        super().__init__()
        self.baseline_at: float | None = None
        self.stacks: dict[str, ResourceStatus] = {}
        self.resources: dict[tuple[str, str], ResourceStatus] = {}
        self.answers: dict[tuple[str, str, str], tuple[ServerAnswer, ...]] = {}
        self.change_ids: dict[str, str] = {}
        self.absences: dict[RecordKey, Gap] = {}
        self._seen: set[str] = set()
        self._stages: dict[RecordKey, RecordStatus] = {}

    def take(self, event: ev.AnyEvent, state: State) -> tuple[News, ...]:
        """Takes in an event, after the machine has, and returns the lines that it adds.

        Args:
            event: what happened.
            state: what the machine made of it.
        """
        self._begin(event.time)
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
        self._follow_run(state, "the takeover", _entered(state))

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


def _entered(state: State) -> Message:
    """The phase that the run is in; there may be nothing to undo."""
    soa = () if state.soa is None else (state.soa,)
    written = (*state.names.values(), *state.helpers.values(), *soa)
    if state.phase is Phase.RESTORE and not any(name.tried for name in written):
        return Message("nothing was changed; reading everything once more", Mark.RUNNING)
    is_elsewhere = state.plan.options.deploy_on is None
    return messages.of_phase(state.phase, deploys_elsewhere=is_elsewhere)


def _kept(answers: tuple[ServerAnswer, ...], released_at: float | None) -> tuple[ServerAnswer, ...]:
    """No more than are kept: those that were over before the release go first.

    If there are none, the last but one goes: those around the release and the newest stay.
    """
    if len(answers) <= _ANSWERS:
        return answers
    if released_at is None or answers[1].since < released_at:
        return answers[1:]
    return (*answers[:-2], answers[-1])
