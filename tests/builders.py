"""States of a takeover for unit tests, without an engine or a simulated account.

Every value has a default of one small run: the stack ``shop`` is to create an alias A record at
``www.example.com``, where a manual one stands. A test gives by keyword only what it is about.
`due_state` is the run when its release is due; `released`, `created` and
`restored` go on from there with events, by the machine itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from route53_takeover.core.deploys import Deploy
from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.record_sets import AliasTarget, RecordSet
from route53_takeover.core.domain.stacks import RECORD_SET, STACK, StackDescription, StackEvent
from route53_takeover.core.events import Switch
from route53_takeover.core.plan.model import Manual, Options, Plan
from route53_takeover.core.takeover import commands as cmd
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.name_state import Handover, NameState, Reading
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.stack_state import RecordResource, StackState
from route53_takeover.core.takeover.state import State
from route53_takeover.core.takeover.step import step

if TYPE_CHECKING:
    from route53_takeover.core.takeover.events import Purpose

NAME = "www.example.com."
ROOT = "arn:aws:cloudformation:us-east-1:123456789012:stack/shop/1"
CHILD = "arn:aws:cloudformation:us-east-1:123456789012:stack/shop-Site/2"
NOW = 1_000_000.0
_BASELINE, _OPERATION, _CREATING = NOW - 10.0, NOW - 7.0, NOW - 2.0
"""When the baseline was read, the operation began, and the record's create did."""


def alias(distribution: str = "d1old", **members: Any) -> RecordSet:
    target = AliasTarget(zone_id="Z2FDTNDATAQYW2", dns_name=f"{distribution}.cloudfront.net.")
    return RecordSet(**{"name": NAME, "type": "A", "alias": target, **members})


def cname(ttl: int = 300, *values: str) -> RecordSet:
    return RecordSet(name=NAME, type="CNAME", ttl=ttl, values=values or ("d1new.cloudfront.net",))


OLD, NEW = alias("d1old"), alias("d1new")


def plan(*originals: RecordSet, lowered: int | None = None, **members: Any) -> Plan:
    """A plan for these record sets; ``lowered``: the TTL that they get beforehand."""
    manuals = (
        Manual(original=r, lowered=replace(r, ttl=lowered) if lowered else None)
        for r in originals or (OLD,)
    )
    given: dict[str, Any] = {
        "options": Options(stack="shop", records=(NAME,), deploy_off="off", deploy_on="on"),
        "zone_id": "ZPUBLIC",
        "zone_name": "example.com.",
        "zone_private": False,
        "zone_is_unique": True,
        "name_servers": (),
        "root": StackDescription(stack_id=ROOT, stack_name="shop", status="UPDATE_COMPLETE"),
        "account": "123456789012",
        "manuals": tuple(manuals),
    }
    return Plan(**given | members)


def resource(desired: RecordSet = NEW, **members: Any) -> RecordResource:
    """The record set of the stack, which CloudFormation is creating."""
    given: dict[str, Any] = {
        "stack_id": ROOT,
        "logical_id": "DnsRecord",
        "status": "CREATE_IN_PROGRESS",
        "since": _CREATING,
        "desired": DesiredRecord(record=desired, complete=True, zone_name="example.com."),
    }
    return RecordResource(**given | members)


def stack(stack_id: str = ROOT, *resources: RecordResource, **members: Any) -> StackState:
    """A stack that is being updated and was polled a moment ago."""
    given: dict[str, Any] = {
        "status": "UPDATE_IN_PROGRESS",
        "status_time": _OPERATION,
        "operations": 1,
        "started": _OPERATION,
        "records": {one.logical_id: one for one in resources},
        "newest": {one.logical_id: (one.since, one.status) for one in resources},
        "polled": NOW - 0.5,
        "poll_told": NOW - 0.4,
        "listed": NOW - 0.5,
        "told": NOW - 0.4,
        "baseline": "baseline",
        "floor": _BASELINE,
        "template_for": 1,
    }
    return StackState(stack_id=stack_id, **given | members)


def tree(desired: RecordSet = NEW, *, nested: bool = False) -> dict[str, StackState]:
    """The root alone with the record, or with a nested stack that has it."""
    if not nested:
        return {ROOT: stack(ROOT, resource(desired))}
    child = stack(CHILD, resource(desired, stack_id=CHILD), parent=ROOT)
    return {ROOT: stack(ROOT), CHILD: child}


def name_state(*originals: RecordSet, **members: Any) -> NameState:
    """The name, whose record sets stand as a read has just shown."""
    standing = originals or (OLD,)
    given: dict[str, Any] = {
        "name": standing[0].name,
        "handovers": tuple(Handover(original=r, standing=r) for r in standing),
        "read": Reading(began=NOW - 1.0, told=NOW - 0.9, records=standing),
        "wrote_at": _BASELINE - 1.0,
        "proven": True,
    }
    return NameState(**given | members)


def due_state(
    *originals: RecordSet, desired: RecordSet = NEW, nested: bool = False, **members: Any
) -> State:
    """A run in ``watch`` whose release is due."""
    made_plan = members.pop("plan", None) or plan(*originals)
    given: dict[str, Any] = {
        "run": "run",
        "plan": made_plan,
        "phase": Phase.WATCH,
        "phase_since": _BASELINE,
        "now": NOW,
        "names": {NAME: name_state(*originals)},
        "root": made_plan.root,
        "stacks": tree(desired, nested=nested),
        "lag": 0.05,
        "backed_up": True,
        "baseline": Switch.ON,
        "baseline_at": _BASELINE,
        "deploys": {
            Switch.OFF: Deploy(intended_at=NOW - 30.0, exited_at=NOW - 20.0, code=0),
            Switch.ON: Deploy(intended_at=_BASELINE),
        },
        "in_flight": frozenset({cmd.RejoinDeploy(switch=Switch.ON).request}),
        "news_at": _CREATING,
    }
    return State(**given | members)


def before_deploys(
    phase: Phase, *originals: RecordSet, lowered: int | None = None, **members: Any
) -> State:
    """A run in a phase before the deploys: the stack is at rest and has no record."""
    at_rest = stack(status="UPDATE_COMPLETE", operations=0)
    given: dict[str, Any] = {
        "plan": plan(*originals, lowered=lowered),
        "phase": phase,
        "stacks": {ROOT: at_rest},
        "baseline": None,
        "deploys": {},
        "in_flight": frozenset(),
        "names": {NAME: name_state(*originals, proven=False)},
    }
    return due_state(*originals, **given | members)


# -- changes of a state


def with_name(of: State, **changes: Any) -> State:
    """The same with changes at its name."""
    return replace(of, names={**of.names, NAME: replace(of.names[NAME], **changes)})


def with_handover(of: State, **changes: Any) -> State:
    """The same with changes of its only record set."""
    (handover,) = of.names[NAME].handovers
    return with_name(of, handovers=(replace(handover, **changes),))


def with_stacks(of: State, *, only: str = "", **changes: Any) -> State:
    """The same with changes of every stack, or of one."""
    changed = {
        key: one if only and key != only else replace(one, **changes)
        for key, one in of.stacks.items()
    }
    return replace(of, stacks=changed)


def with_resource(of: State, **changes: Any) -> State:
    """The same with changes of the stack's record resource."""
    changed = {
        key: replace(one, records={k: replace(r, **changes) for k, r in one.records.items()})
        for key, one in of.stacks.items()
    }
    return replace(of, stacks=changed)


def with_options(of: State, **changes: Any) -> State:
    return replace(of, plan=replace(of.plan, options=replace(of.plan.options, **changes)))


# -- events


def name_read(
    of: State, *records: RecordSet, after: float = 0.1, took: float = 0.05
) -> ev.NameRead:
    """A read of the name that begins so many seconds after the state's newest event."""
    began = of.now + after
    return ev.NameRead(time=began + took, began=began, name=NAME, records=records)


def stack_event(
    logical_id: str = "shop", status: str = "UPDATE_COMPLETE", **members: Any
) -> StackEvent:
    """An event of the stack itself, or of the resource with this logical id."""
    is_own = logical_id == "shop"
    given: dict[str, Any] = {
        "event_id": f"{logical_id}-{status}",
        "stack_id": ROOT,
        "stack_name": "shop",
        "logical_id": logical_id,
        "physical_id": ROOT if is_own else "www.example.com",
        "resource_type": STACK if is_own else RECORD_SET,
        "status": status,
        "timestamp": NOW + 60.0,
    }
    return StackEvent(**given | members)


def polled(of: State, *events: StackEvent, after: float = 0.1) -> ev.StackPolled:
    """A poll that shows these events, all of one stack."""
    began = of.now + after
    stack_id = events[0].stack_id if events else ROOT
    return ev.StackPolled(time=began + 0.05, began=began, stack=stack_id, events=events)


# -- a run that goes on


def fed(of: State, *events: ev.AnyEvent) -> State:
    """The state after these events, by the machine."""
    for event in events:
        of, _ = step(of, event)
    return of


def write_of(of: State) -> ev.WriteIntended:
    """The intent of the batch that the state has asked for."""
    write = of.names[NAME].write
    assert write is not None
    return ev.WriteIntended(
        time=of.now, id=write.id, name=NAME, purpose=write.purpose, changes=write.changes
    )


def purpose_of(of: State) -> Purpose | None:
    write = of.names[NAME].write
    return None if write is None else write.purpose


def accepted(of: State) -> State:
    """Its batch was sent and accepted."""
    intent = write_of(of)
    answer = ev.WriteAccepted(time=of.now + 0.05, id=intent.id, name=NAME, change_id="C1")
    return fed(of, intent, answer)


def releasing(**members: Any) -> State:
    """The release is about to be sent."""
    of = due_state(**members)
    return fed(of, ev.TimePassed(time=of.now))


def released(**members: Any) -> State:
    """The release was accepted, and the name has no record."""
    of = accepted(releasing(**members))
    return fed(of, name_read(of))


def created(**members: Any) -> State:
    """CloudFormation has created its record, and its stack goes on."""
    of = released(**members)
    (owner,) = (key for key, one in of.stacks.items() if one.records)
    reported = stack_event("DnsRecord", "CREATE_COMPLETE", stack_id=owner, timestamp=of.now)
    return fed(of, name_read(of, NEW, after=0.5), polled(of, reported, after=0.6))


def restored(**members: Any) -> State:
    """The deadman has restored the record."""
    of = released(**members)
    deadman_at = of.names[NAME].deadman_at
    assert deadman_at is not None
    return accepted(fed(of, ev.TimePassed(time=deadman_at + 0.01)))
