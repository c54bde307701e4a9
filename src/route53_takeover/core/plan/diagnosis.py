"""Why record sets failed in a stack's last operation, whose they are, and what to do about it.

Pure: it decides from what `route53_takeover.runtime.diagnosis` read. Where an existing record that
no stack owns is the cause, the advice is the `plan` line that takes it over, one for all such
records of the operation; where it is not, it says what to do instead.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.domain.change_refusals import IN_THE_WAY, Problem, Refusal
from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.names import display_name, shown_name
from route53_takeover.core.domain.protections import Protection
from route53_takeover.core.domain.record_sets import RecordSet, conflict
from route53_takeover.core.domain.stacks import StackDescription, StackPhase, kind_of
from route53_takeover.core.plan.checks import stack_way_out
from route53_takeover.core.plan.claims import Claim, Site, claim
from route53_takeover.core.plan.facts import OwnedRecord, StackRecord, Unasked
from route53_takeover.core.plan.model import Strategy
from route53_takeover.core.plan.ownership import stack_named, way_out

if TYPE_CHECKING:
    from collections.abc import Sequence

UNKNOWN = "unknown"
"""The owner, where that could not be read."""


class FailedRecord(Struct, frozen=True, kw_only=True):
    """A record that CloudFormation could not create, change or delete.

    Attributes:
        desired: what the template wanted, where the events tell.
        refusal: what the reason says of it.
        twin: another resource of the operation that stands for a record beside which this one
            cannot stand; empty where there is none.
        group: of a record set group: the names of all of its records, ``?`` for an unknown one.
        was_retried: whether CloudFormation went on trying: then ``delete`` can take it over.
    """

    stack_name: str
    logical_id: str
    reason: str
    refusal: Refusal
    desired: DesiredRecord | None = None
    twin: str = ""
    group: tuple[str, ...] = ()
    was_retried: bool = True

    @property
    def name(self) -> str:
        """In normal form; empty where neither the template nor the reason tells it."""
        if self.desired is not None:
            return self.desired.record.key.name
        return self.refusal.key.name if self.refusal.key else ""

    @property
    def type(self) -> str:
        if self.desired is not None:
            return self.desired.record.type
        return self.refusal.key.type if self.refusal.key else ""


class Ground(Struct, frozen=True, kw_only=True):
    """What stands at a name now, and in which zone.

    Attributes:
        site: ``None`` where no zone of the account holds the name.
        unread: why that could not be read; empty where it was.
    """

    site: Site | None = None
    records: tuple[RecordSet, ...] = ()
    protections: tuple[Protection, ...] = ()
    unread: str = ""


class DiagnosisFacts(Struct, frozen=True, kw_only=True):
    """What was read of the last operation and of the account.

    Attributes:
        stack: the root.
        grounds: by name in normal form.
        owned: the records that the tree owns now.
        foreign: records at the names that other stacks own.
        unasked: where owners could not be looked for.
        first_failure: of any resource; empty where none failed.
        connection: the words that reach this account, for the `plan` line.
    """

    stack: StackDescription
    failed: tuple[FailedRecord, ...]
    grounds: dict[str, Ground]
    owned: tuple[OwnedRecord, ...] = ()
    foreign: tuple[StackRecord, ...] = ()
    unasked: tuple[Unasked, ...] = ()
    first_failure: str = ""
    connection: tuple[str, ...] = ()


class DiagnosisFinding(Struct, frozen=True, kw_only=True):
    """One record that failed.

    Attributes:
        exists: whether a record that conflicts with the desired one stands there now.
        owner: the stack that owns it, `UNKNOWN`, or ``None`` where no stack does.
        now: what stands there, for people.
        desired: what the template wanted, for people.
        plan_line: takes it over; ``None`` where something else is to be done.
    """

    logical_id: str
    record: str
    type: str
    reason: str
    exists: bool
    owner: str | None
    advice: str
    plan_line: str | None
    stack_name: str
    now: tuple[str, ...] = ()
    desired: str = ""


class Diagnosis(Struct, frozen=True, kw_only=True):
    """The findings about one stack's last operation; ``note``: what applies to all of it."""

    stack: str
    status: str
    findings: tuple[DiagnosisFinding, ...] = ()
    note: str = ""


class _Owner(Struct, frozen=True, kw_only=True):
    name: str | None = None
    advice: str = ""


def diagnose(facts: DiagnosisFacts) -> Diagnosis:
    """Says of each failed record what to do about it."""
    line = plan_line(facts)
    return Diagnosis(
        stack=facts.stack.stack_name,
        status=facts.stack.status,
        findings=tuple(_finding(facts, failed, line) for failed in facts.failed),
        note=_note(facts),
    )


def _note(facts: DiagnosisFacts) -> str:
    status = facts.stack.status
    if kind_of(status) in (StackPhase.FORWARD, StackPhase.CLEANING, StackPhase.ROLLING_BACK):
        return "The operation is still in progress: run this again once it has ended."
    if facts.failed:
        return ""
    if facts.first_failure:
        return f"No record set failed. The first failure: {facts.first_failure}"
    return "Nothing failed in its last operation."


def plan_line(facts: DiagnosisFacts) -> str | None:
    """The line that plans to take over every record in the way that no stack owns."""
    records: dict[str, list[str]] = {}
    zones: set[str] = set()
    grouped: set[str] = set()
    is_retried = True
    for failed in facts.failed:
        ground = facts.grounds.get(failed.name)
        if not _is_free(facts, failed) or ground is None or ground.site is None:
            continue
        types = [record.type for record in _in_the_way(ground, failed)]
        records.setdefault(failed.name, []).extend(types)
        grouped.update(failed.group)
        is_retried &= failed.was_retried
        site = ground.site
        if site.private or any(other.name == site.zone_name for other in site.others):
            zones.add(site.zone_id)
    if not records:
        return None
    words = ["route53-takeover", "plan", "--stack", facts.stack.stack_name]
    for name, types in records.items():
        words += ["--record", f"{display_name(name)}/{','.join(dict.fromkeys(types))}"]
    for zone in sorted(zones):
        words += ["--zone", zone]
    if grouped - records.keys():  # else the plan would not know that these can be created
        words += ["--template", "YOUR TEMPLATE FILE"]
    if not is_retried:
        words += ["--strategy", str(Strategy.AUTO)]
    # a stack that has to be deleted first is created by the deploy command of the run
    deploy = ["--deploy", "YOUR DEPLOY COMMAND"] if stack_way_out(facts.stack) else ["--no-deploy"]
    return shlex.join([*words, *facts.connection, *deploy])


def _finding(facts: DiagnosisFacts, failed: FailedRecord, line: str | None) -> DiagnosisFinding:
    ground = facts.grounds.get(failed.name, Ground())
    standing = _in_the_way(ground, failed)
    owner = _owner(facts, ground, standing)
    is_free = _is_free(facts, failed)
    desired = failed.desired
    return DiagnosisFinding(
        logical_id=failed.logical_id,
        record=display_name(failed.name),
        type=failed.type,
        reason=failed.reason,
        exists=bool(standing),
        owner=owner.name if standing else None,
        advice=_advice(facts, failed, ground, standing, owner),
        plan_line=line if is_free else None,
        stack_name=failed.stack_name,
        now=tuple(record.describe() for record in standing),
        desired="" if desired is None or not desired.complete else desired.record.describe(),
    )


def _is_free(facts: DiagnosisFacts, failed: FailedRecord) -> bool:
    """Whether a record in its way stands there that no stack owns: it can be taken over."""
    ground = facts.grounds.get(failed.name, Ground())
    standing = _in_the_way(ground, failed)
    if failed.twin:
        return False
    is_blocked = failed.refusal.problem in IN_THE_WAY or failed.refusal.problem is Problem.PROTECTED
    return is_blocked and bool(standing) and _owner(facts, ground, standing) == _Owner()


def _in_the_way(ground: Ground, failed: FailedRecord) -> list[RecordSet]:
    if failed.desired is not None:
        return [record for record in ground.records if conflict(record, failed.desired.record)]
    key = failed.refusal.key
    return [
        r for r in ground.records if key and (r.type == key.type or "CNAME" in (r.type, key.type))
    ]


def _owner(facts: DiagnosisFacts, ground: Ground, standing: Sequence[RecordSet]) -> _Owner:
    site = ground.site
    if site is None:
        return _Owner(name=UNKNOWN if ground.unread else None)
    for record in standing:
        own = next((r for r in facts.owned if claim(site, r, record) is Claim.YES), None)
        if own is not None:
            return _Owner(
                name=facts.stack.stack_name,
                advice=f"This stack has {record.key} already, as {own.logical_id}: two resources "
                "stand for one record. Remove one of them from the template and deploy.",
            )
        for wanted, name in ((Claim.YES, ""), (Claim.MAY, UNKNOWN)):
            foreign = next(
                (f for f in facts.foreign if claim(site, f.record, record) is wanted), None
            )
            if foreign is not None:
                may = "may own" if name else "owns"
                return _Owner(
                    name=name or stack_named(foreign),
                    advice=f"Stack {stack_named(foreign)} {may} {record.key} "
                    f"({foreign.record.logical_id}). {way_out(foreign)}; then plan the takeover.",
                )
    if standing and facts.unasked:
        where = ", ".join(one.region for one in facts.unasked)
        return _Owner(
            name=UNKNOWN,
            advice=f"Whether a stack owns the record could not be read in {where}: "
            f"{facts.unasked[0].error}. Look there first.",
        )
    return _Owner()


def _advice(
    facts: DiagnosisFacts,
    failed: FailedRecord,
    ground: Ground,
    standing: Sequence[RecordSet],
    owner: _Owner,
) -> str:
    told = _advice_on_record(failed, ground, standing, owner)
    status, out = facts.stack.status, stack_way_out(facts.stack)
    first = out.partition("; then run this again")[0]
    return f"The stack is {status}. {first}. {told}" if first else told


def _advice_on_record(
    failed: FailedRecord, ground: Ground, standing: Sequence[RecordSet], owner: _Owner
) -> str:
    name, kind = shown_name(failed.name), failed.type
    problem = failed.refusal.problem
    if failed.twin and problem in IN_THE_WAY:
        return (
            f"The template has two resources for {name} {kind}, {failed.logical_id} and "
            f"{failed.twin}: remove one of them and deploy."
        )
    match problem:
        case Problem.APEX:
            return (
                f"{name} is the zone's own name, where no CNAME can stand: let the template create "
                "an alias A (and AAAA) there instead."
            )
        case Problem.OTHER_ZONE:
            return f"{name} is not in that zone: correct HostedZoneId or HostedZoneName."
        case Problem.NO_ZONE:
            return "CloudFormation found no single zone of that name: set HostedZoneId instead."
        case Problem.GUARDRAIL:
            return (
                f"The zone's change guardrail {failed.refusal.guardrail} refuses this change of "
                f"{name} {kind}: remove its cause, or turn the guardrail off for the deploy (aws "
                "route53 update-hosted-zone-features)."
            )
        case Problem.PROTECTED | Problem.RESOURCE_CONFLICT:
            return _advice_on_protection(failed, ground, standing, owner)
        case Problem.OTHER:
            return "No existing record is the cause: fix what the reason says, and deploy again."
        case Problem.EXISTS | Problem.TYPE_CONFLICT | Problem.ROUTING_CONFLICT:
            pass
    if ground.unread:
        return f"What stands at {name} could not be read: {ground.unread}."
    if ground.site is None:
        return (
            f"No zone of this account holds {name}: read it with the zone's credentials "
            "(--dns-profile)."
        )
    if not standing:
        return f"No record is in the way of {name} {kind} any more: deploy again."
    if owner != _Owner():
        return owner.advice
    told = f"No stack owns {_listed(standing)}: take it over with the plan."
    if not failed.was_retried:
        told += (
            " CloudFormation did not retry: --strategy auto takes a way that needs no retry, if "
        )
        told += "there is one."
    if failed.group:
        told += f" The RecordSetGroup {failed.logical_id} creates all of its records or none."
    return told


def _advice_on_protection(
    failed: FailedRecord, ground: Ground, standing: Sequence[RecordSet], owner: _Owner
) -> str:
    name = shown_name(failed.name)
    covering = [str(each) for each in ground.protections if each.type == failed.type]
    what = covering[0] if covering else f"{name} {failed.type}"
    told = (
        f"A record set protection refuses every change of {what}: delete it (aws route53 "
        "delete-resource-record-set-protections), deploy, and create it again."
    )
    if not standing or failed.refusal.problem is Problem.RESOURCE_CONFLICT:
        return told
    if owner != _Owner():
        return f"{told} {owner.advice}"
    return f"{told} No stack owns {_listed(standing)}: take it over with the plan."


def _listed(records: Sequence[RecordSet]) -> str:
    return ", ".join(str(record.key) for record in records)
