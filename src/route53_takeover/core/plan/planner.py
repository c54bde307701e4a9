"""Makes a plan: what to do with each requested record, decided from what preflight read.

Pure: the same facts and options give the same plan. What it refuses and warns of is decided in
`route53_takeover.core.plan.checks`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.names import normal_name, requested_pairs
from route53_takeover.core.domain.soa import (
    NegativeCaching,
    negative_caching,
    negative_ttl,
    soa_of,
    with_negative_caching,
)
from route53_takeover.core.plan.checks import refusals, warnings
from route53_takeover.core.plan.claims import is_elsewhere
from route53_takeover.core.plan.comparison import planned_records
from route53_takeover.core.plan.group_checks import vacant_records
from route53_takeover.core.plan.model import ADDRESSING, LoweredSoa, Manual, Plan
from route53_takeover.core.plan.ownership import expected_types, resource_of, site_of
from route53_takeover.core.plan.pending_checks import conflicts
from route53_takeover.core.plan.routing_checks import is_member_left_alone
from route53_takeover.core.plan.strategies.selection import with_strategies
from route53_takeover.core.plan.zone_checks import is_of_the_zone, targets_first

if TYPE_CHECKING:
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.facts import Facts
    from route53_takeover.core.plan.model import Options


def make_plan(facts: Facts, options: Options) -> Plan:
    """Decides what to do, or why not."""
    wanted = wanted_records(facts, options)
    found = _asked_for(facts, wanted)
    owned, manual = _split_by_owner(facts, found)
    plan = Plan(
        options=options,
        zone_id=facts.zone_id,
        zone_name=facts.zone_name,
        zone_private=facts.zone_private,
        zone_is_unique=len(facts.same_name_zones) <= 1
        and all(zone.name != facts.zone_name for zone in facts.other_zones),
        name_servers=facts.zone_name_servers,
        root=facts.stack,
        account=facts.identity.account,
        manuals=tuple(
            Manual(original=r, lowered=_lowered(r, options.ttl))
            for r in targets_first(facts, manual)
        ),
        owned=tuple(owned),
        resources=tuple(f"{r.stack_id} {r.logical_id}" for r in facts.owned),
        expecting=facts.expecting,
        negative_ttl=negative_ttl(soa_of(facts.zone_records, facts.zone_name)),
        measured=facts.measured,
    )
    names = {name for name, _ in wanted}
    taken = plan.keys | {record.key for record in owned}
    plan = replace(
        plan,
        staying=tuple(
            r
            for r in facts.zone_records
            if r.key.name in names and r.key not in taken and not is_of_the_zone(facts, r)
        ),
        vacant=tuple(dict.fromkeys(vacant_records(facts))),
    )
    plan = replace(with_strategies(facts, plan), soa=_lowered_soa(facts, plan))
    return replace(
        plan,
        records=tuple(planned_records(facts, plan)),
        refusals=tuple(refusals(facts, plan, wanted)),
        warnings=tuple(warnings(facts, plan)),
    )


def wanted_records(facts: Facts, options: Options) -> list[tuple[str, str | None]]:
    """Name and type of what was asked for: every conflict of the pending template by default.

    Where there is no conflict those count that the stack owns already.
    """
    if options.records:
        return requested_pairs(options.records)
    names = [record.key.name for each, record in conflicts(facts) if each.certain]
    if not names:
        names = [
            normal_name(each.record.name)
            for each in facts.pending.records
            if each.exists
            and not each.record.pattern
            and not is_elsewhere(site_of(facts), each.record)
        ]
    return [(name, None) for name in dict.fromkeys(names)]


def _asked_for(facts: Facts, wanted: list[tuple[str, str | None]]) -> list[RecordSet]:
    """The live record sets that were requested.

    Without a type those are meant that the stack's templates are going to have at the name, and
    what stands in their way; where they do not tell, all that say where the name leads.
    """
    return [
        record
        for record in facts.zone_records
        if not is_member_left_alone(facts, record)
        and any(
            record.key.name == name
            and (record.type == kind if kind else _is_meant(facts, record, coming=coming))
            for name, kind, coming in ((n, k, expected_types(facts, n)) for n, k in wanted)
        )
    ]


def _is_meant(facts: Facts, record: RecordSet, *, coming: frozenset[str]) -> bool:
    """Whether ``--record NAME`` means this record set; ``coming``: types in the templates."""
    if facts.pending.given and coming and not facts.hidden:
        if resource_of(facts, record) is not None:
            return True
        there = [(each, r) for each, r in conflicts(facts) if r.key.name == record.key.name]
        sure = [(each, r) for each, r in there if each.certain]
        return any(r == record for _, r in sure or there)
    if not coming or facts.hidden or resource_of(facts, record) is not None:
        return record.type in ADDRESSING
    if "CNAME" in (record.type, *coming):
        return record.type in ADDRESSING  # a CNAME stands alone
    return record.type in coming and record.type not in _MANY_OWNERS


_MANY_OWNERS = frozenset({"CAA", "DS", "MX", "NS", "SOA", "SPF", "TXT"})
"""Types whose values may be several parties': one of them is only taken where it is named."""


def _split_by_owner(
    facts: Facts, found: list[RecordSet]
) -> tuple[list[RecordSet], list[RecordSet]]:
    """Those that the stack owns, and those that are manual."""
    owned = [record for record in found if resource_of(facts, record) is not None]
    return owned, [record for record in found if record not in owned]


def _lowered(record: RecordSet, ttl: int | None) -> RecordSet | None:
    if ttl is None or record.ttl is None or record.ttl <= ttl:
        return None
    return replace(record, ttl=ttl)


def _lowered_soa(facts: Facts, plan: Plan) -> LoweredSoa | None:
    """The zone's SOA with a lower negative TTL, where that is asked for and makes it lower."""
    soa, wanted = soa_of(facts.zone_records, facts.zone_name), plan.options.negative_ttl
    if wanted is None or soa is None or not plan.manuals or wanted >= plan.negative_ttl:
        return None
    if negative_caching(soa).minimum is None:
        return None
    fields = NegativeCaching(ttl=wanted, minimum=wanted)
    return LoweredSoa(original=soa, lowered=with_negative_caching(soa, fields))
