"""The simulated account: zones, stacks and the deploys of one scenario, on one timeline.

The same world is looked at through two doors: in process (`route53_takeover.sim.inprocess`, on
virtual time) and over the wire (`route53_takeover.sim.rehearse`). It knows neither HTTP nor the
wall clock, and it outlives every engine that works in it: a deploy that was started goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.core.records import RecordSet, normal_name
from route53_takeover.sim.cloudformation.stacks import StackConfig, Stacks
from route53_takeover.sim.route53.zones import Zones
from route53_takeover.sim.timeline import Timeline
from route53_takeover.sim.wire.faults import ApiFault

if TYPE_CHECKING:
    from route53_takeover.sim.cloudformation.stacks import StackEventRow

_LOOK_EVERY = 1.0
"""Seconds between a simulated deploy command's looks at its stack."""


class Account(Struct, frozen=True, kw_only=True):
    """What a scenario's account holds at the beginning, and how it behaves.

    Attributes:
        zone: name of the hosted zone.
        existing: the manual record sets in it.
        stack: name of the stack.
        template: its template, with a parameter ``Route53Enable``.
        exists: whether the stack is there already, with the switch off.
        config: CloudFormation's habits.
        edit: what somebody writes by hand, once the record's create has begun.
        negative_ttl: seconds; the SOA record's TTL and minimum.
    """

    zone: str
    existing: tuple[RecordSet, ...]
    stack: str
    template: Mapping[str, Any]
    exists: bool = False
    config: StackConfig = StackConfig()
    edit: RecordSet | None = None
    negative_ttl: int = 900


class World:
    """One account in time.

    Args:
        account: how it begins.
        seed: of every random draw in it.
        start: seconds since the epoch.
    """

    def __init__(self, account: Account, *, seed: str, start: float) -> None:
        self.account = account
        self.timeline = Timeline(start)
        self.rng = Random(seed)  # noqa: S311 -- a simulation, not a secret
        self.zones = Zones(self.timeline, self.rng)
        self.stacks = Stacks(self.timeline, self.zones, self.rng, config=account.config)
        self.zone = self.zones.add_zone(
            account.zone, soa_ttl=account.negative_ttl, soa_minimum=account.negative_ttl
        )
        for record in account.existing:
            self.zones.change(self.zone.zone_id, [("CREATE", record)], by="a person")
        self.deploys: dict[str, int | None] = {}
        self.started: list[str] = []
        if account.exists:
            self.stacks.create_stack(account.stack, account.template, {"Route53Enable": "false"})
        self.timeline.advance(start + 3600)  # everything of the past has settled
        if account.edit is not None:
            self.stacks.on_event.append(self._edit_once)

    def holds(self, name: str) -> tuple[RecordSet, ...]:
        """The record sets at a name now."""
        return self.zones.records_at(self.zone.zone_id, normal_name(name))

    def last_writer(self, name: str) -> str:
        """Who wrote at a name last."""
        key = normal_name(name)
        return next(
            change.by
            for change in reversed(self.zones.history)
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
        """Lets somebody else write."""
        self.zones.change(self.zone.zone_id, changes, by=by)

    # -- the deploy command

    def start_deploy(self, switch: str) -> None:
        """Starts the deploy command, which updates the stack and waits for it, like most do."""
        self.deploys[switch] = None
        self.started.append(switch)
        self.timeline.after(self.rng.uniform(0.5, 3.0), lambda: self.deploy(switch))

    def deploy(self, switch: str) -> None:
        """Begins the operation; the deploy ends when that has ended."""
        parameters = {"Route53Enable": "true" if switch == "on" else "false"}
        name, template = self.account.stack, self.account.template
        try:
            if self.stacks.find(name) is None:
                self.stacks.create_stack(name, template, parameters)
            else:
                self.stacks.update_stack(name, template, parameters)
        except ApiFault as fault:
            no_updates = "No updates are to be performed" in fault.message
            self.deploys[switch] = 0 if no_updates else 1
            return
        self.await_end(switch)

    def await_end(self, switch: str) -> None:
        """Looks at the stack now and then, until it is busy no more."""
        stack = self.stacks.find(self.account.stack)
        if stack is not None and stack.is_busy:
            self.timeline.after(_LOOK_EVERY, lambda: self.await_end(switch))
            return
        succeeded = stack is not None and stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        self.deploys[switch] = 0 if succeeded else 1
