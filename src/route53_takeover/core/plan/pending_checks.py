"""What the pending template rules out, and what it warns of: before anything is done.

Each check takes the facts and the plan and yields findings. Where only the template in force is
known, its records hang on conditions: those that hang on the same one come together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.names import display_name, shown_name
from route53_takeover.core.domain.record_sets import conflict
from route53_takeover.core.plan.claims import (
    Claim,
    claim,
    clashes,
    is_elsewhere,
    is_unclear,
    may_own,
)
from route53_takeover.core.plan.comparison import lost_values, new_records
from route53_takeover.core.plan.model import ADDRESSING, Finding
from route53_takeover.core.plan.ownership import resource_of, site_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.domain.record_sets import RecordKey, RecordSet
    from route53_takeover.core.plan.facts import Facts, PendingRecord
    from route53_takeover.core.plan.model import Plan

_VALIDATION = ".acm-validations.aws."


def conflicts(facts: Facts) -> Iterator[tuple[PendingRecord, RecordSet]]:
    """Each new record with each live one in its way that the stack does not own.

    One that may as well be in another zone is not certain.
    """
    site = site_of(facts)
    for new in new_records(facts):
        desired, each = new.record.desired, new
        if desired is None or new.record.pattern:
            continue
        if is_unclear(site, new.record, desired.record.key.name):
            each = replace(new, certain=False, condition="")
        for record in facts.zone_records:
            if conflict(desired.record, record) and resource_of(facts, record) is None:
                yield each, record


def refuse_nothing(facts: Facts) -> Iterator[Finding]:
    """No record was named, and nothing stands in the way of the pending template."""
    pending = facts.pending
    uncertain = [(each, record) for each, record in conflicts(facts) if not each.certain]
    hint = "With no record in the way, just deploy."
    if pending.unread:
        hint = (
            f"Not all of it is known: {'; '.join(pending.unread)}. If it creates one there, add "
            "--record NAME."
        )
    elif uncertain:
        each, record = uncertain[0]
        names = pending.assumed.get(each.condition, ())
        told = " ".join(f"--parameter {name}=VALUE" for name in names) or "--record"
        hint = (
            f"{record.key} would be in the way of {each.path}, which is only created where "
            f"condition {each.condition} holds: if the deploy makes it hold, add {told}."
        )
    yield Finding(
        text=f"{pending.source} creates no record in zone {shown_name(facts.zone_name)} "
        f"({facts.zone_id}) that exists already.",
        hint=hint,
    )


def refuse_pending(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """A deploy that would certainly fail, or would do what was not asked for."""
    yield from _refuse_twice(facts)
    yield from _refuse_unasked(facts, plan)
    yield from _refuse_absent(facts, plan)
    yield from _refuse_delete_existing(facts, plan)
    yield from _refuse_loss(facts, plan)
    yield from _refuse_controllers(facts, plan)


def warn_pending(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """What of the pending template is not known, or will hurt later."""
    yield from facts.pending.warnings
    yield from _warn_unread(facts)
    yield from _warn_assumed(facts, plan)
    yield from _warn_renamed(facts, plan)
    yield from _warn_open_values(facts, plan)
    yield from _warn_delegation(plan)


def _refuse_twice(facts: Facts) -> Iterator[Finding]:
    """Two resources for one record set: the second one fails on the first."""
    site = site_of(facts)
    seen: dict[tuple[object, ...], PendingRecord] = {}
    for each in facts.pending.records:
        desired = each.record.desired
        if desired is None or each.record.pattern or is_elsewhere(site, each.record):
            continue
        if is_unclear(site, each.record, desired.record.key.name):
            continue
        if not each.certain and not each.condition:
            continue
        together = "" if each.certain else each.condition
        first = seen.setdefault((desired.record.key, together), each)
        if first is not each:
            yield Finding(
                text=f"{first.path} and {each.path} are two resources for {desired.record.key}: "
                "CloudFormation creates the one and fails on the other.",
                hint="Take one of them out of the template.",
            )


def _refuse_unasked(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """The stack also creates what exists and was not asked for: it would fail on that."""
    taken = plan.keys | {record.key for record in plan.owned}
    conditions = {
        each.condition for each, record in conflicts(facts) if record.key in plan.keys
    } - {""}
    groups = {
        each.path for each, record in conflicts(facts) if each.record.group and record.key in taken
    }
    told: set[RecordKey] = set()
    for each, record in conflicts(facts):
        certain = each.certain or each.condition in conditions or each.path in groups
        if record.key in taken or not certain or record.key in told:
            continue
        told.add(record.key)
        desired = each.record.desired
        kind = "" if desired and desired.record.type == record.type else f"/{record.type}"
        name = display_name(record.key.name)
        what = "which exists" if not kind else f"where {record.type} exists"
        yield Finding(
            text=f"the stack also creates {shown_name(record.key.name)} {each.record.record_type} "
            f"({each.path}), {what}.",
            hint=f"Take it over, too: add --record {name}{kind}.",
        )


def _refuse_absent(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """The template that will be deployed has nothing there: nothing would ever be released."""
    pending = facts.pending
    for manual in plan.manuals:
        record = manual.original
        if _is_replaced(facts, record):
            continue
        if is_validation_record(facts, record):
            yield Finding(
                text=f"{record.key} is the validation record of a certificate, and the stack has "
                f"only the certificate ({', '.join(pending.certificates)}): there is nothing to "
                "take over.",
                hint="The certificate writes this record itself. Leave it as it is, and just "
                "deploy.",
            )
        elif is_never_replaced(facts, record):
            yield Finding(
                text=f"{pending.source} creates nothing in the place of {record.key}: it would "
                "never be released.",
                hint="Check that it was made with the switch on (ROUTE53_ENABLE=true, and "
                "--parameter for what the deploy gives it), or leave that --record out.",
            )


def is_validation_record(facts: Facts, record: RecordSet) -> bool:
    """Whether one of the stack's certificates writes it, so that there is nothing to take over."""
    is_one = any(_VALIDATION in f"{value}." for value in record.values)
    return is_one and bool(facts.pending.certificates) and not _is_replaced(facts, record)


def is_never_replaced(facts: Facts, record: RecordSet) -> bool:
    """Whether the template that will be deployed certainly creates nothing in its place."""
    is_read = facts.pending.given and not facts.pending.unread
    return not _is_replaced(facts, record) if is_read else is_validation_record(facts, record)


def _is_replaced(facts: Facts, record: RecordSet) -> bool:
    """Whether the pending template has, or may have, something in its place."""
    site = site_of(facts)
    return any(
        claim(site, each.record, record) is not Claim.NO or clashes(site, each.record, record)
        for each in facts.pending.records
    )


def _refuse_delete_existing(facts: Facts, plan: Plan) -> Iterator[Finding]:
    site = site_of(facts)
    for each in facts.pending.deletions:
        if is_elsewhere(site, each):
            continue
        hit = [
            manual.key
            for manual in plan.manuals
            if each.may_be_at(manual.key.name) and each.record_type in (None, manual.key.type)
        ]
        if hit:
            yield Finding(
                text=f"{each.logical_id} (deleteExisting of the CDK) deletes "
                f"{', '.join(map(str, hit))} before the stack creates its own: the name has no "
                "record for half a minute at least, and nothing restores it.",
                hint="Set deleteExisting to false (it is for what this program does), and make the "
                "template anew.",
            )


def _refuse_loss(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """Values that no one would have any more: others may have put them there."""
    if plan.options.accept_loss:
        return
    for manual in plan.manuals:
        record = manual.original
        if record.type in ADDRESSING or record.alias is not None:
            continue
        for each in new_records(facts):
            desired = each.record.desired
            if desired is None or each.record.pattern or not conflict(desired.record, record):
                continue
            same = desired.record.type == record.type
            if same and not desired.complete:
                continue  # which values come is not known: `_warn_open_values`
            lost = lost_values(record, desired if same else None)
            if lost:
                yield Finding(
                    text=f"{each.path} does not have {len(lost)} of the values of {record.key}: "
                    f"{', '.join(lost)}. They would be lost.",
                    hint="Add them to the template; or say --accept-loss if no one needs them.",
                )
            break


def _refuse_controllers(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """A controller that writes the record again, whatever the stack does."""
    heritage = [
        record
        for record in facts.zone_records
        if record.type == "TXT" and any("heritage=external-dns" in v for v in record.values)
    ]
    if not heritage:
        return
    names = {r.key.name for r in facts.zone_records if r.type in ADDRESSING}
    for manual in plan.manuals:
        for record in heritage:
            if _subject(record.key.name, names) == manual.key.name:
                yield Finding(
                    text=f"external-dns writes {manual.key}: {record.key} says so "
                    f"({record.values[0]}). It would write its own record again.",
                    hint="Let it go of the name first (remove the host from the Ingress or "
                    "Service, or its annotation), with --policy=upsert-only so that the record "
                    "stays; then delete that TXT record and run this again.",
                )
                break


def _subject(name: str, names: set[str]) -> str:
    """The name that a TXT record of external-dns speaks of: its own, or behind a prefix."""
    if name in names:
        return name
    for kind in ("a-", "aaaa-", "cname-"):
        before, found, rest = name.partition(kind)
        if found and (not before or (before.endswith((".", "-")) and rest in names)):
            return rest
    behind = [each for each in names if name.endswith(("-" + each, "." + each))]
    return max(behind, key=len, default="")


def _warn_unread(facts: Facts) -> Iterator[Finding]:
    if facts.pending.unread:
        yield Finding(
            text=f"not all of {facts.pending.source} is known: {'; '.join(facts.pending.unread)}.",
            hint="Use --preview with a command that makes a change set: CloudFormation tells then.",
        )


def _warn_assumed(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """Records of a given template that only other parameters bring."""
    if not facts.pending.given:
        return
    for each in new_records(facts):
        parameters = facts.pending.assumed.get(each.condition)
        if each.certain or parameters is None or not _concerns(each, plan):
            continue
        told = ", ".join(f"--parameter {name}=VALUE" for name in parameters)
        yield Finding(
            text=f"{each.record.name} {each.record.record_type} ({each.path}) is only created "
            f"where condition {each.condition} holds, and it does not by the values that are "
            "known.",
            hint=f"If the deploy gives others, say so: {told}." if told else "",
        )


def _concerns(each: PendingRecord, plan: Plan) -> bool:
    return not plan.names or any(each.record.may_be_at(name) for name in plan.names)


def _warn_renamed(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """The stack's record moves to another logical id: the clean-up deletes the new one."""
    site = site_of(facts)
    wanted = {f"{each.record.stack_id} {each.record.logical_id}" for each in _kept(facts)}
    for record in plan.owned:
        old = resource_of(facts, record)
        if old is None:
            continue
        itself = f"{old.stack_id} {old.logical_id}"
        heir = next(
            (each for each in new_records(facts) if claim(site, each.record, record) is Claim.YES),
            None,
        )
        if heir is None or itself in wanted or itself in facts.outliving:
            continue
        then = f"as {heir.path}" if heir.record.logical_id != old.logical_id else "replaced"
        yield Finding(
            text=f"the stack owns {record.key} as {old.logical_id}, and the template has it "
            f"{then}: CloudFormation creates the new resource first and then deletes the old one, "
            "and with it the record.",
            hint=f"In three deploys: 1. set DeletionPolicy: Retain on {old.logical_id} and deploy; "
            f"2. remove {old.logical_id} and deploy; 3. add {heir.path} and take the record over "
            "with this program. Or keep the old logical id.",
        )


def _kept(facts: Facts) -> Iterator[PendingRecord]:
    return (each for each in facts.pending.records if each.exists)


def _warn_open_values(facts: Facts, plan: Plan) -> Iterator[Finding]:
    site = site_of(facts)
    for manual in plan.manuals:
        record = manual.original
        for each in new_records(facts):
            desired = each.record.desired
            hides = desired is not None and not desired.complete
            if hides and record.type not in ADDRESSING and may_own(site, each.record, record):
                yield Finding(
                    text=f"the values that {each.path} gives {record.key} are not known before the "
                    "deploy: those that exist now may be lost.",
                    hint="Check that the template contains each of them.",
                )


def _warn_delegation(plan: Plan) -> Iterator[Finding]:
    for manual in plan.manuals:
        if manual.key.type == "NS":
            name = shown_name(manual.key.name)
            yield Finding(
                text=f"{manual.key} delegates {name}: while it is gone, or points to other name "
                f"servers, every name below {name} goes with it."
            )
