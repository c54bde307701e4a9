"""The plan: what a takeover would do, decided from what preflight read, with its refusals.

`make_plan` is pure: the same facts and options give the same plan. A plan that refuses says why,
with the numbers, and the way out of each refusal. Nothing is written to AWS before a plan without
refusals exists, and nothing outside `Plan.keys` is ever written by a run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.records import DesiredRecord, RecordSet, display_name, normal_name
from route53_takeover.core.stacks import ABSENT, Kind, StackDescription, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.records import RecordKey

DEFAULT_TTL = 60
"""Seconds: what a record's TTL is lowered to."""
ALIAS_HOLD, OTHER_HOLD = 2.0, 10.0
"""Seconds that the moment must last: CloudFormation may be adopting, or may have failed already."""
CREDENTIAL_MARGIN = 15 * 60
"""Seconds that credentials must outlive the drain by."""


class Options(Struct, frozen=True, kw_only=True):
    """What the user asked for. Durations in seconds; ``None`` means the default of the field.

    Attributes:
        ttl: what to lower TTLs to; ``None`` keeps them.
        hold: how long the moment must last; ``None``: `ALIAS_HOLD` or `OTHER_HOLD`.
        restore_after: the deadman; ``None``: from the time that the record had been in progress.
        strategy_given: whether ``--strategy delete`` was said explicitly.
        deploy_off: shell command of the first deploy; ``None`` where it is skipped.
        deploy_on: shell command of the second; ``None`` where somebody else deploys.
    """

    stack: str
    records: tuple[str, ...]
    zone: str | None = None
    deploy_off: str | None = None
    deploy_on: str | None = None
    strategy_given: bool = False
    ttl: int | None = DEFAULT_TTL
    drain: bool = True
    hold: float | None = None
    restore_after: float | None = None
    deploy_timeout: float = 7200.0
    settle: float = 5.0
    probe: bool = True
    unattended: bool = True


class Identity(Struct, frozen=True, kw_only=True):
    """Who calls AWS. ``expires`` is seconds since the epoch, ``None`` for lasting credentials."""

    account: str
    arn: str
    expires: float | None = None
    renewable: bool = True
    needs_mfa: bool = False


class OwnedRecord(Struct, frozen=True, kw_only=True):
    """A record set resource of the stack tree; ``desired`` where its template tells."""

    stack_id: str
    logical_id: str
    name: str
    desired: DesiredRecord | None = None


class Facts(Struct, frozen=True, kw_only=True):
    """What preflight read, all of it before the first write.

    Attributes:
        zone_records: every record set of the zone.
        same_name_zones: public zones of the zone's name, this one included.
        delegated: the name servers that the parent delegates to; ``None`` where not asked.
        stack: the root stack, `ABSENT` where there is none.
        tree_groups: ``RecordSetGroup`` resources of the tree.
        owned: record sets of the tree.
        other_owners: name (normal form) -> a stack outside the tree that owns a record there.
        given_stack: what ``--stack`` named, where it was a child of the root.
    """

    now: float
    identity: Identity
    region: str
    zone_id: str
    zone_name: str
    zone_private: bool
    zone_name_servers: tuple[str, ...]
    zone_records: tuple[RecordSet, ...]
    stack: StackDescription
    same_name_zones: tuple[str, ...] = ()
    delegated: tuple[str, ...] | None = None
    tree_groups: tuple[str, ...] = ()
    owned: tuple[OwnedRecord, ...] = ()
    other_owners: dict[str, StackDescription] = {}
    given_stack: str | None = None


class Finding(Struct, frozen=True, kw_only=True):
    """A refusal or a warning, and the way out of it."""

    text: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.hint}".strip()


class Manual(Struct, frozen=True, kw_only=True):
    """A record set to hand over: as it is now, and with its TTL lowered if it will be."""

    original: RecordSet
    lowered: RecordSet | None = None

    @property
    def key(self) -> RecordKey:
        return self.original.key


class Plan(Struct, frozen=True, kw_only=True):
    """What a run does, and all that it may write.

    Attributes:
        zone_is_unique: no other public zone has the name, so ``HostedZoneName`` in a template
            means this zone.
        manuals: the record sets to hand over.
        owned: those of the asked-for record sets that the stack owns already, as it says.
        staying: other record sets at the names, that no one touches.
        negative_ttl: seconds for which a resolver caches that the name is absent.
    """

    options: Options
    zone_id: str
    zone_name: str
    zone_private: bool
    zone_is_unique: bool
    name_servers: tuple[str, ...]
    root: StackDescription
    account: str
    manuals: tuple[Manual, ...] = ()
    owned: tuple[RecordSet, ...] = ()
    staying: tuple[RecordSet, ...] = ()
    refusals: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    negative_ttl: int = 900

    @property
    def refused(self) -> bool:
        """Whether it must not be carried out."""
        return bool(self.refusals)

    @property
    def names(self) -> tuple[str, ...]:
        """The names to hand over, in normal form, each once."""
        return tuple(dict.fromkeys(manual.key.name for manual in self.manuals))

    @property
    def keys(self) -> frozenset[RecordKey]:
        """Every record set that a run of this plan may write."""
        return frozenset(manual.key for manual in self.manuals)

    @property
    def drain_seconds(self) -> int:
        """How long the old TTLs need to run out of caches; 0 where nothing is lowered."""
        if not self.options.drain:
            return 0
        return max((m.original.ttl or 0 for m in self.manuals if m.lowered), default=0)


def hold_for(options: Options, manual: RecordSet, desired: DesiredRecord) -> float:
    """Seconds that the moment must last for this pair."""
    if options.hold is not None:
        return options.hold
    differs = desired.complete and not desired.record.same_as(manual)
    is_alias = desired.record.alias is not None and desired.record.type in ("A", "AAAA")
    return ALIAS_HOLD if is_alias and differs else OTHER_HOLD


def make_plan(facts: Facts, options: Options) -> Plan:
    """Decides what to do, or why not."""
    wanted = [parse_record(text) for text in options.records]
    found = _asked_for(facts, wanted)
    owned, manual = _split_by_owner(facts, found)
    plan = Plan(
        options=options,
        zone_id=facts.zone_id,
        zone_name=facts.zone_name,
        zone_private=facts.zone_private,
        zone_is_unique=len(facts.same_name_zones) <= 1,
        name_servers=facts.zone_name_servers,
        root=facts.stack,
        account=facts.identity.account,
        manuals=tuple(Manual(original=r, lowered=_lowered(r, options.ttl)) for r in manual),
        owned=tuple(owned),
        negative_ttl=_negative_ttl(facts),
    )
    names = {name for name, _ in wanted}
    taken = plan.keys | {record.key for record in owned}
    plan = replace(
        plan,
        staying=tuple(r for r in facts.zone_records if r.key.name in names and r.key not in taken),
    )
    refusals = [*_refuse_missing(facts, wanted, found), *_refuse_drift(facts, found)]
    if manual:
        for check in _CHECKS:
            refusals += check(facts, plan)
    return replace(
        plan, refusals=tuple(refusals), warnings=tuple(_warnings(facts, plan)) if manual else ()
    )


def parse_record(text: str) -> tuple[str, str | None]:
    """Reads ``NAME[/TYPE]``: the name in normal form, and the type or ``None``."""
    name, _, kind = text.partition("/")
    return normal_name(name), kind.upper() or None


def _asked_for(facts: Facts, wanted: list[tuple[str, str | None]]) -> list[RecordSet]:
    """The live record sets that were asked for; without a type, all that resolve the name."""
    return [
        record
        for record in facts.zone_records
        if any(
            record.key.name == name
            and (record.type == kind if kind else record.type in ("A", "AAAA", "CNAME"))
            for name, kind in wanted
        )
    ]


def _split_by_owner(
    facts: Facts, found: list[RecordSet]
) -> tuple[list[RecordSet], list[RecordSet]]:
    """Those that the stack owns, and those that are manual."""
    owned = [record for record in found if _resource_of(facts, record) is not None]
    return owned, [record for record in found if record not in owned]


def _resource_of(facts: Facts, record: RecordSet) -> OwnedRecord | None:
    """The tree's resource for this record set; one of unknown type counts as its resource."""
    for resource in facts.owned:
        if normal_name(resource.name) == record.key.name and (
            resource.desired is None or resource.desired.record.type == record.type
        ):
            return resource
    return None


def _lowered(record: RecordSet, ttl: int | None) -> RecordSet | None:
    if ttl is None or record.ttl is None or record.ttl <= ttl:
        return None
    return replace(record, ttl=ttl)


def _negative_ttl(facts: Facts) -> int:
    soa = next((r for r in facts.zone_records if r.type == "SOA"), None)
    if soa is None or not soa.values:
        return 900
    minimum = soa.values[0].split()[-1]
    return min(soa.ttl or 0, int(minimum) if minimum.isdecimal() else 86400)


def _refuse_missing(
    facts: Facts, wanted: list[tuple[str, str | None]], found: list[RecordSet]
) -> Iterator[Finding]:
    for name, kind in wanted:
        if any(r.key.name == name and kind in (None, r.type) for r in found):
            continue
        here = [r.type for r in facts.zone_records if r.key.name == name]
        what = f"no {kind}" if kind else "no A, AAAA or CNAME"
        also = f"it holds {', '.join(here)} there" if here else "it holds nothing at that name"
        yield Finding(
            text=f"zone {display_name(facts.zone_name)} ({facts.zone_id}) has {what} record "
            f"{display_name(name)}: {also}.",
            hint="Check --record NAME/TYPE and --zone; with no record in the way, just deploy.",
        )


def _refuse_drift(facts: Facts, found: list[RecordSet]) -> Iterator[Finding]:
    for record in found:
        resource = _resource_of(facts, record)
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
                hint="Remove it there with DeletionPolicy Retain first, then run this again.",
            )
    for resource in facts.owned:
        kind = None if resource.desired is None else resource.desired.record.type
        if normal_name(resource.name) in plan.names:
            yield Finding(
                text=f"the stack owns {kind or 'a record'} at {display_name(resource.name)} "
                f"({resource.logical_id}) beside the manual record.",
                hint="Take that resource out of the stack first.",
            )
    if plan.options.deploy_off and facts.owned:
        ids = ", ".join(resource.logical_id for resource in facts.owned)
        yield Finding(
            text=f"deploying with the switch off might delete what the stack owns: {ids}.",
            hint="Use --skip-off: the stack exists, so only the deploy with the switch on is due.",
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
        if (
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
        if record.type == "SOA" or (record.type == "NS" and record.key.name == plan.zone_name):
            yield Finding(text=f"{record.key} is the zone's own and cannot be handed over.")
    if facts.tree_groups:
        yield Finding(
            text=f"the stack has RecordSetGroup resources ({', '.join(facts.tree_groups)}), which "
            "are not handled yet.",
            hint="Use one AWS::Route53::RecordSet a record.",
        )


def _refuse_zone(facts: Facts, plan: Plan) -> Iterator[Finding]:
    if len(facts.same_name_zones) > 1 and plan.options.zone is None:
        yield Finding(
            text=f"there are {len(facts.same_name_zones)} public zones named "
            f"{display_name(plan.zone_name)}: {', '.join(facts.same_name_zones)}.",
            hint="Say which with --zone ID.",
        )
    if facts.delegated is not None and not plan.zone_private:
        ours = {normal_name(server) for server in facts.zone_name_servers}
        theirs = {normal_name(server) for server in facts.delegated}
        if ours.isdisjoint(theirs):
            yield Finding(
                text=f"zone {plan.zone_id} is not the delegated one: the world asks "
                f"{', '.join(sorted(theirs)) or 'nobody'}, the zone's name servers are "
                f"{', '.join(sorted(ours))}.",
                hint="Find the zone that is delegated to and name it with --zone ID.",
            )
    for name in plan.names:
        for record in facts.zone_records:
            if record.type == "NS" and _delegates(record.key.name, name, plan):
                yield Finding(
                    text=f"{record.key} delegates {display_name(name)} away: the record in this "
                    "zone is not what the world sees.",
                    hint="Take the record over in the delegated zone.",
                )


def _delegates(cut: str, name: str, plan: Plan) -> bool:
    if cut == plan.zone_name or (cut, "NS", None) in plan.keys:
        return False
    return name == cut or name.endswith("." + cut)


def _refuse_dependants(facts: Facts, plan: Plan) -> Iterator[Finding]:
    for manual in plan.manuals:
        if manual.original.type != "CNAME":
            continue
        for record in facts.zone_records:
            if (
                record.type == "CNAME"
                and record.alias
                and (normal_name(record.alias.dns_name) == manual.key.name)
            ):
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
        if watching_only or options.deploy_off is None:
            yield Finding(
                text=f"stack {options.stack} does not exist in {facts.region}.",
                hint="Check --stack and --region; or give --deploy without --skip-off, whose "
                "first deploy creates it.",
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
    if identity.needs_mfa and plan.options.unattended:
        yield Finding(
            text="these credentials would ask for an MFA code, and nobody is there to give it.",
            hint="Use a session that is already open: aws sts get-session-token, or another "
            "--profile.",
        )
    if identity.expires is None or identity.renewable:
        return
    left, needed = identity.expires - facts.now, plan.drain_seconds + CREDENTIAL_MARGIN
    if left < needed:
        yield Finding(
            text=f"the credentials end in {left / 60:.0f} min and cannot renew themselves; the "
            f"drain and 15 min after it need {needed / 60:.0f} min.",
            hint="Get fresh ones (aws sso login, aws sts assume-role --duration-seconds), or use "
            "--no-drain.",
        )


_CHECKS = (
    _refuse_owners,
    _refuse_kinds,
    _refuse_zone,
    _refuse_dependants,
    _refuse_stack,
    _refuse_credentials,
)


def _warnings(facts: Facts, plan: Plan) -> Iterator[Finding]:
    if facts.given_stack:
        yield Finding(
            text=f"{facts.given_stack} is a nested stack: its root {facts.stack.stack_name} is "
            "watched."
        )
    for record in plan.staying:
        yield Finding(text=f"{record.describe()} stays as it is: it is not part of this takeover.")
    for record in facts.zone_records:
        if record.alias and normal_name(record.alias.dns_name) in plan.names:
            yield Finding(
                text=f"{record.key} is an alias to {display_name(record.alias.dns_name)} and has "
                "no answer either while the name is gone."
            )
    if plan.negative_ttl > DEFAULT_TTL:
        yield Finding(
            text=f"the zone's negative TTL is {plan.negative_ttl} s: a resolver that asks during "
            "the gap remembers for so long that the name does not exist.",
            hint="Lower the SOA record's TTL to 5 s beforehand if you can.",
        )
    identity = facts.identity
    if (
        identity.expires is not None
        and not identity.renewable
        and identity.expires - facts.now < plan.options.deploy_timeout
    ):
        yield Finding(
            text=f"the credentials end in {(identity.expires - facts.now) / 60:.0f} min, before "
            "the deploy's time limit.",
            hint="If they expire half-way the run waits for fresh ones.",
        )
    yield Finding(
        text="put DeletionPolicy: Retain on the record in the template, so that no later mistake "
        "deletes it."
    )


def steps(plan: Plan) -> list[str]:
    """What a run of this plan does, a line each, for people."""
    options = plan.options
    lowered = [m for m in plan.manuals if m.lowered]
    lines = ["Save every record set it may touch to backup.json."]
    lines += [
        f"Lower the TTL of {m.key} from {m.original.ttl} s to {m.lowered.ttl} s."
        for m in lowered
        if m.lowered
    ]
    if lowered and plan.drain_seconds:
        lines.append(f"Wait for INSYNC and {plan.drain_seconds} s more, until caches have it.")
    if options.deploy_off:
        lines.append(f"Deploy with the switch off: {options.deploy_off}")
    lines.append("Prove the restore: delete and create the same record in one batch (no gap).")
    if options.deploy_on:
        lines.append(f"Deploy with the switch on: {options.deploy_on}")
    else:
        lines.append("Wait for your deploy with the switch on.")
    lines += [
        f"While CloudFormation retries to create it, delete {m.key}; put it back if anything "
        "goes wrong."
        for m in plan.manuals
    ]
    lines.append("Guard the result until the stack is complete and nothing moves any more.")
    return lines


def is_absent(stack: StackDescription) -> bool:
    """Whether there is no such stack yet."""
    return stack.status == ABSENT
