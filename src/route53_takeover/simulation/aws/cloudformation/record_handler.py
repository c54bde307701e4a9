"""How the simulated CloudFormation creates, changes and deletes ``AWS::Route53::RecordSet``.

Owns the one thing that this program lives on: what CloudFormation does about a record that exists
already. AWS documents none of it, so each case has a `Mode` that a scenario can set. It writes to
the zones only through batches, as ``cloudformation``, and it touches no stack: it tells its task
what became of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from msgspec import Struct

from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.record_sets import RecordSet, conflict, display_name
from route53_takeover.simulation.aws.route53.zones import ZoneError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.simulation.aws.route53.zones import Zones
    from route53_takeover.simulation.aws.timeline import Schedule

WRITER = "cloudformation"
NO_OP_COMMENT = "Making no-op change to get a ChangeId"
BUSY = frozenset({"PriorRequestNotComplete", "Throttling"})


class Mode(StrEnum):
    """What is done about a record that stands in the way of a create."""

    RETRY = "retry"  # tried again after each delay, until the record is gone
    FAIL = "fail"  # CREATE_FAILED at once
    ADOPT = "adopt"  # taken over as it is
    OVERWRITE = "overwrite"  # UPSERT
    NEVER = "never"  # tried again and never created, even when the record is gone


class Case(StrEnum):
    """What stands in the way, compared with what is desired."""

    ALIAS_SAME = "alias-same"
    ALIAS_DIFFERS = "alias-differs"
    ADDRESS_SAME = "address-same"
    ADDRESS_DIFFERS = "address-differs"
    OTHER_SAME = "other-same"
    OTHER_DIFFERS = "other-differs"


DEFAULT_MODES = {
    Case.ALIAS_SAME: Mode.ADOPT,
    Case.ALIAS_DIFFERS: Mode.RETRY,
    Case.ADDRESS_SAME: Mode.FAIL,
    Case.ADDRESS_DIFFERS: Mode.FAIL,
    Case.OTHER_SAME: Mode.ADOPT,
    Case.OTHER_DIFFERS: Mode.FAIL,
}
"""As far as the public has seen it; no primary source."""


class RecordHandlerConfig(Struct, frozen=True, kw_only=True):
    """The handler's habits.

    Attributes:
        retry_delays: seconds before each further try; after the last one it fails.
        modes: what is done in each case (those left out as in `DEFAULT_MODES`), or who decides,
            given the existing and the desired record.
        insync_seconds: from an accepted batch until the resource is complete.
        id_seconds: from an accepted batch until an event and the list show its physical id.
        listing_seconds: from the listing of an existing record to the batch that adopts it.
        groups: what a record set group does about a record that exists.
        busy_seconds: before another try after ``PriorRequestNotComplete`` or ``Throttling``.
    """

    retry_delays: tuple[float, ...] = (1, 2, 4, 8, 15, 30, 30, 60, 60, 60)
    modes: Mapping[Case, Mode] | Callable[[RecordSet, RecordSet], Mode] = {}
    insync_seconds: float = 20.0
    id_seconds: float = 0.0
    listing_seconds: float = 0.3
    groups: Mode = Mode.FAIL
    busy_seconds: float = 0.5


class Attempt(NamedTuple):
    """One try to create a record, and what came of it: a `Mode`, ``created`` or ``busy``.

    ``next_at`` is when the next try is due, ``None`` where there is none.
    """

    time: float
    logical_id: str
    outcome: str
    next_at: float | None = None


class RecordTask(Protocol):
    """What the handler works on; see `simulation.aws.cloudformation.account.Task`."""

    logical_id: str
    live: bool
    """False once it has ended or was cancelled: nothing may be written for it any more."""
    properties: Mapping[str, Any]
    previous: Mapping[str, Any]

    def initiated(self, physical_id: str) -> None: ...

    def succeed(self) -> None: ...

    def fail(self, reason: str) -> None: ...


class RecordHandler:
    """Creates, updates and deletes record sets on the timeline."""

    def __init__(self, timeline: Schedule, zones: Zones, config: RecordHandlerConfig) -> None:
        self.attempts: list[Attempt] = []
        self._timeline = timeline
        self._zones = zones
        self._config = config

    def create(self, task: RecordTask) -> None:
        """Creates the record, or does about an existing one what the mode says."""
        target = self._target(task, task.properties)
        if target is not None:
            self._try(_Creation(task, *target))

    def update(self, task: RecordTask) -> None:
        """Changes the record in place: the stack owns it, so whatever is there is overwritten."""
        target = self._target(task, task.properties)
        if target is None:
            return
        zone_id, record = target
        old = DesiredRecord.from_properties(task.previous)
        there = None if old is None else self._standing(zone_id, old.record)
        if there is None or there.key == record.key:
            self._change(task, zone_id, [("UPSERT", record)])
        else:
            self._change(task, zone_id, [("DELETE", there), ("CREATE", record)])

    def delete(self, task: RecordTask) -> None:
        """Deletes exactly what the stack last asked for; one that is gone already is fine."""
        target = self._target(task, task.properties)
        if target is None:
            return
        zone_id, record = target
        if self._standing(zone_id, record) is None:
            self._later(task, 0, task.succeed)
        else:
            self._change(task, zone_id, [("DELETE", record)])

    def _target(
        self, task: RecordTask, properties: Mapping[str, Any]
    ) -> tuple[str, RecordSet] | None:
        """The zone and the record; ``None``, and a task that will fail, where they are unclear."""
        desired = DesiredRecord.from_properties(properties)
        if desired is None or not desired.complete:
            self._later(task, 0, lambda: task.fail("Invalid request: incomplete record set"))
            return None
        zone_id = desired.zone_id
        if zone_id is None:
            name = desired.zone_name or ""
            found = [zone.zone_id for zone in self._zones.zones() if zone.name == name]
            if len(found) != 1:
                how_many = "Found multiple hosted zones" if found else "No hosted zones"
                reason = f"{how_many} named {display_name(name)}. found"
                self._later(task, 0, lambda: task.fail(reason))
                return None
            zone_id = found[0]
        return zone_id, desired.record

    def _try(self, creation: _Creation) -> None:
        task, zone_id, record = creation.task, creation.zone_id, creation.record
        if creation.never:
            self._again(creation, Mode.NEVER, creation.reason)
            return
        try:
            self._zones.change(zone_id, [("CREATE", record)], by=WRITER)
        except ZoneError as error:
            self._met(creation, error)
            return
        self._note(task, "created")
        self._accepted(task, record)

    def _met(self, creation: _Creation, error: ZoneError) -> None:
        """A create was refused: find out why, and do what the mode says."""
        task, zone_id, record = creation.task, creation.zone_id, creation.record
        if error.code in BUSY:
            delay = self._config.busy_seconds
            self._note(task, "busy", self._timeline.now + delay)
            self._later(task, delay, lambda: self._try(creation))
            return
        there = self._in_the_way(zone_id, record) if error.code == "InvalidChangeBatch" else None
        creation.reason = error.message
        mode = Mode.FAIL if there is None else self._mode(there, record)
        match mode:
            case Mode.RETRY | Mode.NEVER:
                creation.never = mode is Mode.NEVER
                self._again(creation, mode, error.message)
            case Mode.ADOPT if there is not None:
                batch = [("DELETE", there), ("CREATE", record)]
                self._note(task, mode)
                self._later(
                    task,
                    self._config.listing_seconds,
                    lambda: self._change(task, zone_id, batch, comment=NO_OP_COMMENT),
                )
            case Mode.OVERWRITE:
                self._note(task, mode)
                self._change(task, zone_id, [("UPSERT", record)])
            case _:
                self._note(task, Mode.FAIL)
                self._later(task, 0, lambda: task.fail(error.message))

    def _again(self, creation: _Creation, mode: Mode, reason: str) -> None:
        delays = self._config.retry_delays
        if creation.tries >= len(delays):
            self._note(creation.task, Mode.FAIL)
            self._later(creation.task, 0, lambda: creation.task.fail(reason))
            return
        delay = delays[creation.tries]
        creation.tries += 1
        self._note(creation.task, mode, self._timeline.now + delay)
        self._later(creation.task, delay, lambda: self._try(creation))

    def _change(
        self,
        task: RecordTask,
        zone_id: str,
        batch: Sequence[tuple[str, RecordSet]],
        comment: str = "",
    ) -> None:
        """Sends a batch; the task ends with it, or once every name server has it."""
        try:
            self._zones.change(zone_id, batch, by=WRITER, comment=comment)
        except ZoneError as error:
            if error.code in BUSY:
                again = self._config.busy_seconds
                self._later(task, again, lambda: self._change(task, zone_id, batch, comment))
                return
            reason = error.message
            self._later(task, 0, lambda: task.fail(reason))
            return
        self._accepted(task, batch[-1][1])

    def _accepted(self, task: RecordTask, record: RecordSet) -> None:
        known, done = self._config.id_seconds, self._config.insync_seconds
        if known:
            self._later(task, known, lambda: task.initiated(display_name(record.name)))
        else:
            task.initiated(display_name(record.name))
        self._later(task, max(known, done), task.succeed)

    def _mode(self, there: RecordSet, record: RecordSet) -> Mode:
        modes = self._config.modes
        if isinstance(modes, Mapping):
            case = case_of(there, record)
            return modes.get(case, DEFAULT_MODES[case])
        return modes(there, record)

    def _in_the_way(self, zone_id: str, record: RecordSet) -> RecordSet | None:
        """The record set that conflicts: the one of the same key before any other."""
        there = [
            other
            for other in self._zones.records_at(zone_id, record.name)
            if conflict(other, record)
        ]
        return next((other for other in there if other.key == record.key), next(iter(there), None))

    def _standing(self, zone_id: str, record: RecordSet) -> RecordSet | None:
        at_name = self._zones.records_at(zone_id, record.name)
        return next((other for other in at_name if other.key == record.key), None)

    def _note(self, task: RecordTask, outcome: str, next_at: float | None = None) -> None:
        self.attempts.append(Attempt(self._timeline.now, task.logical_id, str(outcome), next_at))

    def _later(self, task: RecordTask, seconds: float, action: Callable[[], None]) -> None:
        self._timeline.after(seconds, lambda: action() if task.live else None)


class _Creation:
    """A create that is under way, over all its tries."""

    def __init__(self, task: RecordTask, zone_id: str, record: RecordSet) -> None:
        self.task = task
        self.zone_id = zone_id
        self.record = record
        self.tries = 0
        self.never = False
        self.reason = ""


def case_of(there: RecordSet, desired: RecordSet) -> Case:
    """What stands in the way of ``desired``.

    A plain A or AAAA in the way is an address, whatever is desired. A desired alias over anything
    else that differs, a CNAME for one, is the alias that CloudFormation retries.
    """
    same = there.same_as(desired)
    if there.alias is None and there.type in ("A", "AAAA"):
        return Case.ADDRESS_SAME if same else Case.ADDRESS_DIFFERS
    if desired.alias is not None or there.alias is not None:
        return Case.ALIAS_SAME if same else Case.ALIAS_DIFFERS
    return Case.OTHER_SAME if same else Case.OTHER_DIFFERS
