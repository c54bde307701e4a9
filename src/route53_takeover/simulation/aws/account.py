"""The simulated account: zones, stacks and the deploys of one scenario, on one timeline.

The same world is looked at through two doors: in process (`simulation.chaos.ports`, on
virtual time) and over the wire (`route53_takeover.simulation.serve`). It knows neither HTTP nor the
wall clock, and it outlives every engine that works in it: a deploy that was started continues.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.core.domain.record_sets import RecordSet, normal_name
from route53_takeover.core.plan.cloud_deadman import DeadmanRole, definition
from route53_takeover.simulation.aws.cloudformation.stacks import StackConfig, StackStore
from route53_takeover.simulation.aws.http.faults import ApiFault
from route53_takeover.simulation.aws.route53.zones import Zones
from route53_takeover.simulation.aws.step_functions.deployed import DeployedMachines
from route53_takeover.simulation.aws.step_functions.state_machines import Machine, StateMachines
from route53_takeover.simulation.aws.timeline import Schedule

if TYPE_CHECKING:
    from collections.abc import Collection

    from route53_takeover.core.domain.record_sets import RecordKey
    from route53_takeover.simulation.aws.cloudformation.stacks import StackEventRow
    from route53_takeover.simulation.aws.route53.zones import AppliedChange

MAIN, TWIN = "ZSIMULATED0001", "ZPRIVATETWIN"
"""Ids of the zone and of the private one beside it."""
DEADMAN_ROLE = "arn:aws:iam::123456789012:role/route53-takeover-deadman"
"""The role of the deadman in AWS, where an account has one."""
_LOOK_EVERY = 1.0
"""Seconds between a simulated deploy command's looks at its stack."""


class DeployBehavior(StrEnum):
    """What a deploy command may be like."""

    WAITS = "waits for its stack and exits as that ended"
    EXITS_EARLY = "is throttled away and exits 255 while CloudFormation continues"
    DECLINED = "exits 0 and deploys nothing"
    LINGERS = "runs for minutes after the stack is done"
    TWICE = "touches the parent alone, and the real update follows minutes later"
    HANGS = "begins the operation and never exits"
    NEVER_BEGINS = "hangs before it begins the operation"
    DIES = "dies before it begins the operation"
    IGNORES_SIGNALS = "hangs, and begins the operation after it was ended"
    LATER = "exits 0, and another system begins the operation half a minute later"


class AccountSetup(Struct, frozen=True, kw_only=True):
    """What a scenario's account holds at the beginning, and how it behaves.

    Attributes:
        zone: name of the hosted zone.
        existing: the manual record sets in it.
        stack: name of the stack.
        template: its template, with a parameter ``Route53Enable``.
        exists: whether the stack is there already, with the switch off.
        config: CloudFormation's habits.
        edit: what another writer writes, once the create of the record has started.
        negative_ttl: seconds; the SOA record's TTL and minimum.
        habit: what the deploy with the switch on is like; ``habit_off``: the one before.
        twin: a private zone of the same name stands beside it, by the id `TWIN`.
        private: whether the zone is a private one.
        past: how the stack was left: ``create failed`` or ``update failed`` on a resource that the
            template does not have any more, with rollback disabled; ``under review``: it was never
            deployed.
        protections: name, type and comment of each record set protection.
        guardrails: the optional change guardrails that are on.
        others: other stacks of the account and their templates, in the order of their creation.
        deadman: the state machine of the deadman in AWS is there, with a role for ``existing``.
    """

    zone: str
    existing: tuple[RecordSet, ...]
    stack: str
    template: Mapping[str, Any]
    exists: bool = False
    config: StackConfig = StackConfig()
    edit: RecordSet | None = None
    negative_ttl: int = 900
    habit: DeployBehavior = DeployBehavior.WAITS
    habit_off: DeployBehavior = DeployBehavior.WAITS
    twin: bool = False
    private: bool = False
    past: str = ""
    protections: tuple[tuple[str, str, str], ...] = ()
    guardrails: tuple[str, ...] = ()
    others: Mapping[str, Mapping[str, Any]] = {}
    deadman: bool = False


def add_deadman(machines: StateMachines, role_arn: str, keys: Collection[RecordKey]) -> None:
    """What the template of ``policy --cloud-deadman`` makes in an account."""
    role = DeadmanRole.parse(role_arn)
    machine = Machine(
        arn=role.machine(machines.region),
        definition=json.dumps(definition(role.partition)),
        role_arn=role_arn,
    )
    machines.add(machine, keys)


class SimulatedAccount:
    """One account in time.

    Args:
        account: how it begins.
        seed: of every random draw in it.
        start: seconds since the epoch.

    Attributes:
        deploys: deploy command -> its exit code, ``None`` while it runs.
        started: every start of one, in order.
        first_starts: deploy command -> when it was first started.
    """

    def __init__(self, account: AccountSetup, *, seed: str, start: float) -> None:
        self.account = account
        self.timeline = Schedule(start)
        self.rng = Random(seed)  # noqa: S311 -- a simulation, not a secret
        self.zones = Zones(self.timeline, self.rng)
        self.stacks = StackStore(self.timeline, self.zones, self.rng, config=account.config)
        self.step_functions = StateMachines(self.timeline, self.zones)
        DeployedMachines(self.stacks, self.step_functions)
        if account.deadman:
            add_deadman(self.step_functions, DEADMAN_ROLE, [r.key for r in account.existing])
        self.zone = self.zones.add_zone(
            account.zone,
            soa_ttl=account.negative_ttl,
            soa_minimum=account.negative_ttl,
            private=account.private,
        )
        if account.twin:
            self.zones.add_zone(account.zone, zone_id=TWIN, private=True)
        for record in account.existing:
            self.zones.change(self.zone.zone_id, [("CREATE", record)], by="a person")
        for name, template in account.others.items():
            self.stacks.create_stack(name, template)
        self.deploys: dict[str, int | None] = {}
        self.started: list[str] = []
        self.first_starts: dict[str, float] = {}
        if account.exists and account.past in ("", "update failed"):
            self.stacks.create_stack(account.stack, account.template, {"Route53Enable": "false"})
        if account.past == "under review":
            self.stacks.reserve(account.stack)
        elif account.past:
            self.timeline.advance(start + 1800)
            self._fail()
        self.timeline.advance(start + 3600)  # everything of the past has settled
        for name, kind, comment in account.protections:
            self.zones.protect(self.zone.zone_id, name, kind, comment)
        self.zone.guardrails |= {*account.guardrails}
        if account.edit is not None:
            self.stacks.on_event.append(self._edit_once)

    def _fail(self) -> None:
        """Lets an operation of the past fail, and leave the stack as it is."""
        failing = {"Type": "AWS::SQS::Queue", "Metadata": {"Simulation": {"Fail": "no quota"}}}
        body = {
            **self.account.template,
            "Resources": {**self.account.template["Resources"], "Queue": failing},
        }
        name, off = self.account.stack, {"Route53Enable": "false"}
        if self.account.past == "create failed":
            self.stacks.create_stack(name, body, off, disable_rollback=True)
        else:
            self.stacks.update_stack(name, body, off, disable_rollback=True)

    def holds(self, name: str) -> tuple[RecordSet, ...]:
        """The record sets at a name now."""
        return self.zones.records_at(self.zone.zone_id, normal_name(name))

    @property
    def history(self) -> list[AppliedChange]:
        """What was written in the zone."""
        return [c for c in self.zones.history if c.zone_id == self.zone.zone_id]

    def last_writer(self, name: str) -> str:
        """Who wrote at a name last."""
        key = normal_name(name)
        return next(
            change.by
            for change in reversed(self.history)
            if any(record.key.name == key for _, record in change.changes)
        )

    def _edit_once(self, event: StackEventRow) -> None:
        edit = self.account.edit
        if edit is None or event.resource_type != "AWS::Route53::RecordSet":
            return
        self.stacks.on_event.remove(self._edit_once)
        self.timeline.after(
            0.5,
            lambda: self.write([("UPSERT", edit)]),
        )

    def write(self, changes: list[tuple[str, RecordSet]], *, by: str = "a person") -> None:
        """Writes as another writer."""
        self.zones.change(self.zone.zone_id, changes, by=by)

    # -- the deploy command

    def start_deploy(self, deploy: str) -> None:
        """Starts a deploy command, which updates the stack and waits for it, like most do.

        Args:
            deploy: its key in `deploys`; ends with ``on`` or ``off``.
        """
        self.deploys[deploy] = None
        self.started.append(deploy)
        self.first_starts.setdefault(deploy, self.timeline.now)
        habit = self.account.habit if deploy.endswith("on") else self.account.habit_off
        after = self.rng.uniform(0.5, 3.0)
        match habit:
            case DeployBehavior.DECLINED | DeployBehavior.DIES:
                code = 0 if habit is DeployBehavior.DECLINED else 137
                self.timeline.after(after, lambda: self._exit(deploy, code))
            case DeployBehavior.NEVER_BEGINS | DeployBehavior.IGNORES_SIGNALS:
                return
            case DeployBehavior.LATER:
                self.timeline.after(after, lambda: self._exit(deploy, 0))
                self.timeline.after(after + 30.0, lambda: self._begin(deploy))
            case DeployBehavior.TWICE:
                self.timeline.after(after, self._update_parent)
                self.timeline.after(after + 180.0, lambda: self.deploy(deploy, habit))
            case _:
                self.timeline.after(after, lambda: self.deploy(deploy, habit))

    def end_deploy(self, deploy: str) -> None:
        """Ends a deploy command that takes too long."""
        if self.deploys[deploy] is None and self.account.habit is DeployBehavior.IGNORES_SIGNALS:
            self.timeline.after(40.0, lambda: self._begin(deploy))
        self._exit(deploy, 137)

    def deploy(self, deploy: str, habit: DeployBehavior = DeployBehavior.WAITS) -> None:
        """Begins the operation; the command exits as its habit is."""
        refused = self._begin(deploy)
        if refused is not None:
            self._exit(deploy, refused)
        elif habit is DeployBehavior.EXITS_EARLY:
            self.timeline.after(2.0, lambda: self._exit(deploy, 255))
        elif habit is not DeployBehavior.HANGS:
            self._await_end(deploy, 200.0 if habit is DeployBehavior.LINGERS else 0.0)

    def _begin(self, deploy: str) -> int | None:
        """Begins the operation; or the exit code where CloudFormation refuses to."""
        parameters = {"Route53Enable": "true" if deploy.endswith("on") else "false"}
        name, template = self.account.stack, self.account.template
        try:
            found = self.stacks.find(name)
            if found is None or found.status == "REVIEW_IN_PROGRESS":
                self.stacks.create_stack(name, template, parameters)
            else:
                self.stacks.update_stack(name, template, parameters)
        except ApiFault as fault:
            return 0 if "No updates are to be performed" in fault.message else 1
        return None

    def _update_parent(self) -> None:
        first = {**self.account.template, "Outputs": {"Note": {"Value": "first"}}}
        with suppress(ApiFault):  # another operation is under way
            self.stacks.update_stack(self.account.stack, first, {"Route53Enable": "false"})

    def _await_end(self, deploy: str, linger: float) -> None:
        """Looks at the stack now and then, until it is busy no more."""
        stack = self.stacks.find(self.account.stack)
        if stack is not None and stack.is_busy:
            self.timeline.after(_LOOK_EVERY, lambda: self._await_end(deploy, linger))
            return
        succeeded = stack is not None and stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        self.timeline.after(linger, lambda: self._exit(deploy, 0 if succeeded else 1))

    def _exit(self, deploy: str, code: int) -> None:
        if self.deploys[deploy] is None:
            self.deploys[deploy] = code
