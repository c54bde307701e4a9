"""Comparing two plans: the one that was reviewed, and the one made anew when it is to be run.

Decides what has changed in a way that matters. Time, the credentials' expiry and the paths and
programs of the machine do not: the checks of the new plan cover them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.domain.names import shown_name
from route53_takeover.core.domain.stacks import StackPhase, kind_of
from route53_takeover.core.plan.comparison import comparison_lines
from route53_takeover.core.plan.model import Finding, Plan
from route53_takeover.core.plan.planner import make_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.domain.record_sets import RecordKey, RecordSet
    from route53_takeover.core.domain.stacks import StackDescription
    from route53_takeover.core.plan.facts import Facts
    from route53_takeover.core.plan.model import Options, PlannedRecord


class Review(Struct, frozen=True, kw_only=True):
    """A plan as it is reviewed, and what it was made from as far as the plan does not tell.

    Attributes:
        plan: made as if the credentials did not expire.
        region: of the stack.
        template: SHA-256 of the template that ``--template`` or ``--preview`` gave; else empty.
    """

    plan: Plan
    region: str
    template: str = ""


def review(facts: Facts, options: Options) -> Review:
    """The plan to compare: without what passes, and without a change set's name."""
    pending = facts.pending
    lasting = replace(
        facts,
        identity=replace(facts.identity, expires=None, needs_mfa=False),
        pending=replace(pending, source="the pending template", warnings=())
        if pending.given
        else pending,
        missing_programs=(),
        cwd="",
    )
    return Review(
        plan=make_plan(lasting, options),
        region=facts.region,
        template=pending.digest if options.has_pending_template else "",
    )


def differences(then: Review, now: Review) -> list[Finding]:
    """What has changed since the review, each named; a new warning only where nothing else has."""
    old, new = then.plan, now.plan
    found = [Finding(text=text) for text in _texts(then, now)]
    found += [each for each in new.refusals if each not in old.refusals]
    if found:
        return found
    return [
        Finding(text=f"new warning: {each.text}", hint=each.hint)
        for each in new.warnings
        if each not in old.warnings
    ]


def _texts(then: Review, now: Review) -> Iterator[str]:
    old, new = then.plan, now.plan
    if old.account != new.account:
        yield f"account {old.account} -> {new.account}"
    if then.region != now.region:
        yield f"region {then.region} -> {now.region}"
    if old.zone_id != new.zone_id:
        yield f"zone {_zone(old)} -> {_zone(new)}"
    if _identity(old.root) != _identity(new.root):
        yield f"stack {new.options.stack}: {_stack(old.root)} -> {_stack(new.root)}"
    yield from _record_sets(old, new)
    yield from _planned(old, new)
    for key in sorted(set(old.vacant) ^ set(new.vacant), key=str):
        free = "no longer free" if key in old.vacant else "free now"
        yield f"{key}: {free} for the stack's group"
    if then.template != now.template:
        which = new.options.template or "of the preview's change set"
        yield f"the pending template {which} has changed"
    if old.zone_is_unique != new.zone_is_unique:
        yield f"other zones named {shown_name(new.zone_name)}: created or deleted"
    if sorted(old.name_servers) != sorted(new.name_servers):
        yield f"name servers {', '.join(old.name_servers)} -> {', '.join(new.name_servers)}"
    if old.negative_ttl != new.negative_ttl:
        yield f"negative TTL of the zone {old.negative_ttl} s -> {new.negative_ttl} s"


def _zone(plan: Plan) -> str:
    return f"{shown_name(plan.zone_name)} ({plan.zone_id})"


def _identity(stack: StackDescription) -> str:
    """The stack's id; empty before its first deploy."""
    return "" if kind_of(stack.status) is StackPhase.ABSENT else stack.stack_id


def _stack(stack: StackDescription) -> str:
    return _identity(stack) or "does not exist"


def _record_sets(old: Plan, new: Plan) -> Iterator[str]:
    """What stands at the names, and whether the run may change it."""
    before, after = _roles(old), _roles(new)
    for key in sorted(before.keys() | after.keys(), key=str):
        if key not in after:
            yield f"{before[key][1].describe()} is gone"
        elif key not in before:
            yield f"{after[key][1].describe()} is new"
        elif before[key][0] != after[key][0]:
            yield f"{key}: {before[key][0]} -> {after[key][0]}"
        elif not before[key][1].same_as(after[key][1]):
            yield _edited(before[key][1], after[key][1])


def _roles(plan: Plan) -> dict[RecordKey, tuple[str, RecordSet]]:
    roles = (
        ("not part of the takeover", plan.staying),
        ("owned by the stack", plan.owned),
        ("taken over", [manual.original for manual in plan.manuals]),
    )
    return {record.key: (role, record) for role, records in roles for record in records}


def _edited(before: RecordSet, after: RecordSet) -> str:
    if before.describe() != after.describe():
        return f"{before.describe()} -> {after.describe()}"
    old, new = before.to_api(), after.to_api()
    members = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return f"{before.key}: {', '.join(members)} changed"


def _planned(old: Plan, new: Plan) -> Iterator[str]:
    """Owners, and what the stack creates."""
    before, after = _by_record(old), _by_record(new)
    for key in sorted(before.keys() | after.keys()):
        one, other = before.get(key), after.get(key)
        if one is None or other is None:
            there = one or other
            if there is not None and there.now is None:  # what stands is in `_record_sets`
                which = "no longer creates" if other is None else "also creates"
                yield f"the stack {which} {there.label}"
            continue
        if one.owner != other.owner:
            yield (
                f"owner of {one.label}: {one.owner or 'no stack'} -> {other.owner or 'no stack'}"
            )
        if (one.known, one.desired) != (other.known, other.desired):
            yield (
                f"change of {one.label}: {', '.join(comparison_lines(one))} -> "
                f"{', '.join(comparison_lines(other))}"
            )
        if one.resource != other.resource:
            yield (
                f"resource of {one.label}: {one.resource or 'not known'} -> "
                f"{other.resource or 'not known'}"
            )


def _by_record(plan: Plan) -> dict[str, PlannedRecord]:
    """Each record by its name, type and set identifier."""
    return {json.dumps([each.name, each.type, each.set_identifier]): each for each in plan.records}
