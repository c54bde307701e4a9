"""The simulated Step Functions: state machines, their roles and their executions.

A task changes the account's own zones, as far as its role may, and the zones' history names
`DEADMAN` as the writer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.core.domain.record_sets import RecordSet, normal_name
from route53_takeover.core.plan.cloud_deadman import as_route53_spells
from route53_takeover.simulation.aws.http.faults import ApiFault
from route53_takeover.simulation.aws.route53.zones import ZoneError
from route53_takeover.simulation.aws.step_functions.interpreter import (
    TaskError,
    Walk,
    filled,
    parsed,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from route53_takeover.core.domain.record_sets import RecordKey
    from route53_takeover.simulation.aws.route53.zones import Zones
    from route53_takeover.simulation.aws.timeline import Schedule

DEADMAN = "the deadman in AWS"
"""Who writes in the zones' history where a state machine does."""
_CHANGE = ":states:::aws-sdk:route53:changeResourceRecordSets"


class Execution:
    """One execution.

    Attributes:
        created_at: when it created its record set.
        stopped_at: when it ended.
        fires_at: when it sends its first CREATE.
        record: what it creates.
    """

    def __init__(self, arn: str, machine: str, given: str, started: float) -> None:
        self.arn = arn
        self.machine = machine
        self.name = arn.rpartition(":")[2]
        self.given = given
        self.started = started
        self.status = "RUNNING"
        self.created_at: float | None = None
        self.stopped_at: float | None = None
        data = parsed(given)
        self.fires_at = started + data["seconds"]
        self.record = RecordSet.from_api(as_route53_spells(data["record"]))

    def was_running(self, time: float) -> bool:
        """Whether it was running then."""
        return self.started <= time and (self.stopped_at is None or time < self.stopped_at)


class Machine(Struct, frozen=True, kw_only=True):
    """A state machine."""

    arn: str
    definition: str
    role_arn: str


class StateMachines:
    """The state machines of one account and region.

    Attributes:
        executions: by ARN, ended ones included.
        denied_until: until when the roles may do nothing.
        stuck_until: until when no execution can be stopped.
    """

    def __init__(self, timeline: Schedule, zones: Zones, *, region: str = "us-east-1") -> None:
        self._timeline = timeline
        self._zones = zones
        self.region = region
        self.machines: dict[str, Machine] = {}
        self.executions: dict[str, Execution] = {}
        self.denied_until = 0.0
        self.stuck_until = 0.0
        self._roles: dict[str, frozenset[tuple[str, str]]] = {}

    def add(self, machine: Machine, keys: Collection[RecordKey]) -> None:
        """A state machine whose role may create these record sets."""
        self.machines[machine.arn] = machine
        self._roles[machine.role_arn] = frozenset((key.name, key.type) for key in keys)

    def remove(self, arn: str) -> None:
        """Deletes a state machine, which ends its executions."""
        del self.machines[arn]
        for each in self.executions.values():
            if each.machine == arn and each.status == "RUNNING":
                each.status, each.stopped_at = "ABORTED", self._timeline.now

    def machine(self, arn: str) -> Machine:
        """A state machine; raises ApiFault."""
        if arn not in self.machines:
            message = f"State Machine Does Not Exist: '{arn}'"
            raise ApiFault("StateMachineDoesNotExist", message)
        return self.machines[arn]

    def start(self, machine_arn: str, name: str, given: str) -> Execution:
        """Starts an execution; the same name and input start it once."""
        machine = self.machine(machine_arn)
        arn = f"{machine.arn.replace(':stateMachine:', ':execution:')}:{name}"
        known = self.executions.get(arn)
        if known is not None:
            if known.status == "RUNNING" and known.given == given:
                return known
            raise ApiFault("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        made = Execution(arn, machine.arn, given, self._timeline.now)
        self.executions[arn] = made

        def ended(error: TaskError | None) -> None:
            made.status = "FAILED" if error else "SUCCEEDED"
            made.stopped_at = self._timeline.now

        def task(resource: str, parameters: Any) -> Any:  # noqa: ANN401 -- any JSON
            answer = self._carry_out(machine.role_arn, resource, parameters)
            made.created_at = self._timeline.now
            return answer

        walk = Walk(
            parsed(machine.definition),
            self._timeline,
            task,
            ended=ended,
            goes_on=lambda: made.status == "RUNNING",
        )
        walk.begin(parsed(given))
        return made

    def execution(self, arn: str) -> Execution:
        """An execution; raises ApiFault."""
        if arn not in self.executions:
            raise ApiFault("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return self.executions[arn]

    def stop(self, arn: str) -> Execution:
        """Stops an execution; one that has ended stays as it is."""
        found = self.execution(arn)
        if self._timeline.now < self.stuck_until:
            denied = "not authorized to perform: states:StopExecution"
            raise ApiFault("AccessDeniedException", denied)
        if found.status == "RUNNING":
            found.status, found.stopped_at = "ABORTED", self._timeline.now
        return found

    def test(self, role_arn: str, definition: str, given: str) -> TaskError | None:
        """``TestState`` of one task; its error, if any."""
        try:
            state = parsed(definition)
            self._carry_out(role_arn, state["Resource"], filled(state["Parameters"], parsed(given)))
        except TaskError as error:
            return error
        return None

    def _carry_out(self, role_arn: str, resource: str, parameters: Any) -> Any:  # noqa: ANN401
        if not resource.endswith(_CHANGE):
            raise TaskError("States.Runtime", f"{resource} is not part of the simulated account")
        changes = [
            (change["Action"], RecordSet.from_api(as_route53_spells(change["ResourceRecordSet"])))
            for change in parameters["ChangeBatch"]["Changes"]
        ]
        allowed = self._roles.get(role_arn, frozenset())
        may = self._timeline.now >= self.denied_until and all(
            action == "CREATE" and (normal_name(record.name), record.type) in allowed
            for action, record in changes
        )
        if not may:
            cause = f"{role_arn} is not authorized to perform: route53:ChangeResourceRecordSets"
            raise TaskError("Route53.Route53Exception", cause)
        zone_id, comment = parameters["HostedZoneId"], parameters["ChangeBatch"]["Comment"]
        try:
            change_id = self._zones.change(zone_id, changes, by=DEADMAN, comment=comment)
        except ZoneError as error:
            raise TaskError(f"Route53.{error.code}Exception", error.message) from error
        return {"ChangeInfo": {"Id": f"/change/{change_id}", "Status": "PENDING"}}
