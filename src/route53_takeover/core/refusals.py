"""Why a plan is refused, and what it warns of: each with the way out.

Every check takes the facts and the plan that was made from them, and yields what is wrong, naming
what and where. Nothing here changes the plan; a check that cannot know does not guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.plan import Finding
from route53_takeover.core.records import display_name, normal_name, normal_zone_id
from route53_takeover.core.stacks import Kind, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from route53_takeover.core.plan import Facts, Manual, OwnedRecord, Plan
    from route53_takeover.core.records import RecordSet

CREDENTIAL_MARGIN = 15 * 60
"""Seconds that credentials must outlive the drain by."""
LONG_NEGATIVE_TTL = 60
"""Seconds above which the zone's negative TTL makes a short gap costly."""


def refusals(
    facts: Facts, plan: Plan, wanted: Sequence[tuple[str, str | None]]
) -> Iterator[Finding]:
    """Every reason not to carry the plan out; ``wanted``: name and type of what was asked for."""
    yield from _refuse_missing(facts, plan, wanted)
    yield from _refuse_drift(facts, plan)
    if plan.manuals:
        for check in _CHECKS:
            yield from check(facts, plan)


def warnings(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """What the user should know before saying yes."""
    yield from _warn_uncompared(facts, plan)
    if plan.manuals:
        yield from _warn_bystanders(facts, plan)
        yield from _warn_waiting(facts, plan)


def resource_of(facts: Facts, record: RecordSet) -> OwnedRecord | None:
    """The tree's resource for this record set; one whose template hides its type counts as it."""
    here = [r for r in _owned_here(facts) if normal_name(r.name) == record.key.name]
    for resource in here:
        if resource.desired is not None and (
            (resource.desired.record.type, resource.desired.record.set_identifier)
            == (record.type, record.set_identifier)
        ):
            return resource
    return next((resource for resource in here if resource.desired is None), None)


def _owned_here(facts: Facts) -> list[OwnedRecord]:
    """The tree's record sets, without those that certainly are in another zone.

    A stack may own a private zone's record of the same name, which says nothing of this one.
    """
    return [resource for resource in facts.owned if not _is_elsewhere(facts, resource)]


def _is_elsewhere(facts: Facts, resource: OwnedRecord) -> bool:
    desired = resource.desired
    if desired is None:
        return False
    if desired.zone_id is not None:
        return desired.zone_id != facts.zone_id
    return desired.zone_name not in (None, facts.zone_name)


def _refuse_missing(
    facts: Facts, plan: Plan, wanted: Sequence[tuple[str, str | None]]
) -> Iterator[Finding]:
    found = [(key.name, key.type) for key in (*plan.keys, *(r.key for r in plan.owned))]
    for name, kind in wanted:
        if any(at == name and kind in (None, is_a) for at, is_a in found):
            continue
        here = [r.type for r in facts.zone_records if r.key.name == name]
        what = f"no {kind}" if kind else "no A, AAAA or CNAME"
        also = f"it holds {', '.join(here)} there" if here else "it holds nothing at that name"
        yield Finding(
            text=f"zone {display_name(facts.zone_name)} ({facts.zone_id}) has {what} record "
            f"{display_name(name)}: {also}.",
            hint="Check --record NAME/TYPE and --zone; with no record in the way, just deploy.",
        )


def _refuse_drift(facts: Facts, plan: Plan) -> Iterator[Finding]:
    for record in plan.owned:
        resource = resource_of(facts, record)
        if resource is None or resource.desired is None or not resource.desired.complete:
            continue
        if not resource.desired.record.same_as(record):
            yield Finding(
                text=f"the stack owns {record.key} ({resource.logical_id}), but the live record "
                f"is {record.describe()} where its template says "
                f"{resource.desired.record.describe()}.",
                hint="Somebody edited it (drift): put the live record back, or change the template "
                "and deploy.",
            )


def _refuse_owners(facts: Facts, plan: Plan) -> Iterator[Finding]:
    for name, owner in facts.other_owners.items():
        if name in plan.names:
            yield Finding(
                text=f"stack {owner.stack_name} owns a record at {display_name(name)}.",
                hint="Remove it there with DeletionPolicy: Retain first, then run this again.",
            )
    for resource in _owned_here(facts):
        kind = None if resource.desired is None else resource.desired.record.type
        beside = [str(m.key) for m in plan.manuals if m.key.name == normal_name(resource.name)]
        if beside:
            yield Finding(
                text=f"the stack owns {kind or 'a record'} at {display_name(resource.name)} "
                f"({resource.logical_id}), beside the manual {', '.join(beside)}.",
                hint="Take that resource out of the stack first.",
            )
    if plan.options.deploy_off and facts.owned:
        ids = ", ".join(f"{r.logical_id} ({display_name(r.name)})" for r in facts.owned)
        yield Finding(
            text=f"deploying with the switch off might delete what the stack owns: {ids}.",
            hint="Use --skip-off: the stack exists, so only the deploy with the switch on is due.",
        )
    if facts.tree_groups:
        yield Finding(
            text=f"the stack has RecordSetGroup resources ({', '.join(facts.tree_groups)}), which "
            "are not handled yet.",
            hint="Use one AWS::Route53::RecordSet a record.",
        )


def _refuse_kinds(facts: Facts, plan: Plan) -> Iterator[Finding]:
    for manual in plan.manuals:
        record = manual.original
        if record.traffic_policy_instance:
            yield Finding(
                text=f"{record.key} belongs to traffic policy instance "
                f"{record.traffic_policy_instance} and cannot be changed directly.",
                hint="Delete the traffic policy instance or replace it by a record first.",
            )
        elif record.is_routed:
            yield Finding(
                text=f"{record.key} has a routing policy; routed records are not handled yet.",
                hint="Only simple record sets can be taken over for now.",
            )
        elif record.type == "SOA" or (record.type == "NS" and record.key.name == facts.zone_name):
            yield Finding(
                text=f"{record.key} is the zone's own and cannot be handed over.",
                hint="Leave it out of --record.",
            )
        elif (
            record.alias is None
            and record.type in ("A", "AAAA")
            and not plan.options.strategy_given
        ):
            yield Finding(
                text=f"{record.key} is a plain {record.type} record: CloudFormation fails at once "
                "on it, without a moment to release it in.",
                hint="Turn it into an alias first; or say --strategy delete, which at worst costs "
                "a failed deploy and no gap.",
            )


def _refuse_zone(facts: Facts, plan: Plan) -> Iterator[Finding]:
    zone = plan.options.zone  # its name does not tell the zones of that name apart
    said_which = zone is not None and normal_zone_id(zone) == facts.zone_id
    if len(facts.same_name_zones) > 1 and not said_which:
        yield Finding(
            text=f"there are {len(facts.same_name_zones)} public zones named "
            f"{display_name(facts.zone_name)}: {', '.join(facts.same_name_zones)}.",
            hint="Say which with --zone ID.",
        )
    if facts.delegated is not None and not facts.zone_private:
        ours = {normal_name(server) for server in facts.zone_name_servers}
        theirs = {normal_name(server) for server in facts.delegated}
        if ours.isdisjoint(theirs):
            yield Finding(
                text=f"zone {display_name(facts.zone_name)} ({facts.zone_id}) is not the delegated "
                f"one: the world asks {_listed(theirs)}, the zone's name servers are "
                f"{_listed(ours)}.",
                hint="Find the zone that is delegated to and name it with --zone ID.",
            )
    cuts = [r for r in facts.zone_records if r.type == "NS" and r.key.name != facts.zone_name]
    for manual in plan.manuals:
        for cut in cuts:
            if _hides(cut, manual):
                yield Finding(
                    text=f"{cut.key} delegates {manual.key} away: the record in this zone is not "
                    "what the world sees.",
                    hint="Take the record over in the delegated zone.",
                )


def _hides(cut: RecordSet, manual: Manual) -> bool:
    """Whether NS records make this zone's copy of the record unseen.

    NS and DS records at the cut itself are the parent zone's business, and seen.
    """
    if manual.key.name == cut.key.name:
        return manual.key.type not in ("NS", "DS")
    return manual.key.name.endswith("." + cut.key.name)


def _refuse_dependants(facts: Facts, plan: Plan) -> Iterator[Finding]:
    for manual in plan.manuals:
        if manual.key.type != "CNAME":
            continue
        for record in facts.zone_records:
            if record.type == "CNAME" and _alias_name(record) == manual.key.name:
                yield Finding(
                    text=f"{record.key} is an alias to {manual.key}: it breaks when the stack "
                    "creates another type there.",
                    hint="Point it elsewhere first.",
                )


def _refuse_stack(facts: Facts, plan: Plan) -> Iterator[Finding]:
    stack, options = facts.stack, plan.options
    watching_only = options.deploy_on is None
    kind = kind_of(stack.status)
    if kind is Kind.ABSENT:
        if watching_only or options.deploy_off is None or options.stack.startswith("arn:"):
            yield Finding(
                text=f"stack {options.stack} does not exist in {facts.region}.",
                hint="Check --stack and --region; or give --deploy without --skip-off, whose "
                "first deploy creates it.",
            )
    elif stack.status == "DELETE_COMPLETE":
        yield Finding(
            text=f"stack {stack.stack_name} was deleted: {stack.stack_id} will never change again.",
            hint="Give --stack by its name, which a new stack may bear.",
        )
    elif kind is Kind.FAILED or stack.status == "ROLLBACK_COMPLETE":
        yield Finding(
            text=f"stack {stack.stack_name} is {stack.status}: it cannot be updated.",
            hint="Repair it first (continue-update-rollback, or delete it), then run this again.",
        )
    elif kind in (Kind.GOING, Kind.CLEANING, Kind.TURNING_BACK) and not watching_only:
        yield Finding(
            text=f"stack {stack.stack_name} is {stack.status}: an operation is under way.",
            hint="Wait until it has ended; or join it with --no-deploy.",
        )


def _refuse_credentials(facts: Facts, plan: Plan) -> Iterator[Finding]:
    identity = facts.identity
    if identity.needs_mfa:
        yield Finding(
            text=f"the credentials of {identity.arn} would ask for an MFA code, and nobody is "
            "there to give it.",
            hint="Use a session that is already open: aws sts get-session-token, or another "
            "--profile.",
        )
    left, needed = _seconds_left(facts), plan.drain_seconds + CREDENTIAL_MARGIN
    if left is not None and left < needed:
        yield Finding(
            text=f"the credentials of {identity.arn} end in {left / 60:.0f} min and cannot renew "
            f"themselves; the drain and 15 min after it need {needed / 60:.0f} min.",
            hint="Get fresh ones (aws sso login, aws sts assume-role --duration-seconds)"
            + (", or use --no-drain." if plan.drain_seconds else "."),
        )


_CHECKS = (
    _refuse_owners,
    _refuse_kinds,
    _refuse_zone,
    _refuse_dependants,
    _refuse_stack,
    _refuse_credentials,
)


def _warn_uncompared(facts: Facts, plan: Plan) -> Iterator[Finding]:
    for record in plan.owned:
        resource = resource_of(facts, record)
        if resource is not None and (resource.desired is None or not resource.desired.complete):
            yield Finding(
                text=f"the stack owns {display_name(resource.name)} ({resource.logical_id}), but "
                f"its template does not tell all of it: {record.describe()} was not compared."
            )


def _warn_bystanders(facts: Facts, plan: Plan) -> Iterator[Finding]:
    if facts.given_stack:
        yield Finding(
            text=f"{facts.given_stack} is a nested stack: its root {facts.stack.stack_name} is "
            "watched."
        )
    for record in plan.staying:
        yield Finding(text=f"{record.describe()} stays as it is: it is not part of this takeover.")
    for record in facts.zone_records:
        target = _alias_name(record)
        if target in plan.names:
            yield Finding(
                text=f"{record.key} is an alias to {display_name(target)} and has no answer "
                "either while the name is gone."
            )


def _warn_waiting(facts: Facts, plan: Plan) -> Iterator[Finding]:
    if plan.negative_ttl > LONG_NEGATIVE_TTL:
        yield Finding(
            text=f"the zone's negative TTL is {plan.negative_ttl} s: a resolver that asks during "
            "the gap remembers for so long that the name does not exist.",
            hint="Lower the SOA record's TTL to 5 s beforehand if you can.",
        )
    left = _seconds_left(facts)
    if left is not None and left < plan.options.deploy_timeout:
        yield Finding(
            text=f"the credentials end in {left / 60:.0f} min, before the deploy's time limit of "
            f"{plan.options.deploy_timeout / 60:.0f} min.",
            hint="If they expire half-way the run waits for fresh ones.",
        )
    yield Finding(
        text="put DeletionPolicy: Retain on the record in the template, so that no later mistake "
        "deletes it."
    )


def _alias_name(record: RecordSet) -> str:
    """The name that an alias points to, in normal form; empty where it is none."""
    return normal_name(record.alias.dns_name) if record.alias else ""


def _seconds_left(facts: Facts) -> float | None:
    """How long the credentials last; ``None`` where they last or renew themselves."""
    identity = facts.identity
    if identity.expires is None or identity.renewable:
        return None
    return max(identity.expires - facts.now, 0.0)


def _listed(servers: set[str]) -> str:
    return ", ".join(sorted(display_name(server) for server in servers)) or "nobody"
