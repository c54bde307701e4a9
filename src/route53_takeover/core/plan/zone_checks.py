"""The checks of a plan on the zone: which zone it is, its delegation, and aliases to its records.

Each check takes the facts and the plan and yields findings; nothing here changes the plan.
"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from route53_takeover.core.domain.creation_order import dependencies_first
from route53_takeover.core.domain.names import shown_name
from route53_takeover.core.domain.record_sets import normal_name, normal_zone_id
from route53_takeover.core.plan.model import Finding
from route53_takeover.core.plan.ownership import expected_types

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from route53_takeover.core.domain.record_sets import RecordKey, RecordSet
    from route53_takeover.core.plan.facts import Facts
    from route53_takeover.core.plan.model import Manual, Plan


def is_of_the_zone(facts: Facts, record: RecordSet) -> bool:
    """Whether the record is the zone's own SOA or NS, which every zone has."""
    return record.key.name == facts.zone_name and record.type in ("SOA", "NS")


def refuse_ambiguous_zone(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """Several zones have the name, and none was given by its id."""
    zone = plan.options.zone  # a name does not choose between zones of that name
    said_which = zone is not None and normal_zone_id(zone) == facts.zone_id
    if len(facts.same_name_zones) > 1 and not said_which:
        kind = "private" if facts.zone_private else "public"
        yield Finding(
            text=f"there are {len(facts.same_name_zones)} {kind} zones named "
            f"{shown_name(facts.zone_name)}: {', '.join(facts.same_name_zones)}.",
            hint=f"Choose one with --zone ID.{_the_delegated_one(facts)}",
        )


def refuse_delegation(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """Resolvers do not query this zone for these names."""
    ours, theirs = _name_servers(facts)
    if theirs is not None and ours.isdisjoint(theirs):
        yield Finding(
            text=f"zone {shown_name(facts.zone_name)} ({facts.zone_id}) is not the delegated "
            f"one: resolvers query {_listed(theirs)}; the zone's name servers are "
            f"{_listed(ours)}.",
            hint=f"Give the delegated zone with --zone ID.{_the_delegated_one(facts)}",
        )
    cuts = [r for r in facts.zone_records if r.type == "NS" and r.key.name != facts.zone_name]
    for manual in plan.manuals:
        for cut in cuts:
            if _hides(cut, manual):
                yield Finding(
                    text=f"{cut.key} delegates {manual.key} to another zone: resolvers do not "
                    "see the record in this zone.",
                    hint="Take over the record in the delegated zone.",
                )


def _hides(cut: RecordSet, manual: Manual) -> bool:
    """Whether NS records hide this zone's copy of the record.

    NS and DS records at the cut itself belong to the parent zone and are visible.
    """
    if manual.key.name == cut.key.name:
        return manual.key.type not in ("NS", "DS")
    return manual.key.name.endswith("." + cut.key.name)


def refuse_dependants(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """Aliases that lose their target once the stack has created another type."""
    for manual in plan.manuals:
        kind, coming = manual.key.type, expected_types(facts, manual.key.name)
        changes = "CNAME" in (kind, *coming) and kind not in coming
        if not changes or (kind != "CNAME" and not coming):
            continue
        new = " and ".join(sorted(coming)) or "another type"
        for leaning in dependants(facts, [manual.key]):
            if leaning.key not in plan.keys:
                yield Finding(
                    text=f"{leaning.key} is an alias to {_target(facts, leaning)}: it loses its "
                    f"target when the stack creates {new} at {shown_name(manual.key.name)}.",
                    hint="Point it to another target first.",
                )


def dependants(facts: Facts, keys: Iterable[RecordKey]) -> list[RecordSet]:
    """The zone's aliases to these record sets, directly or through other aliases.

    An alias and the record set of the same zone that it points to are of one type.
    """
    found: list[RecordSet] = []
    ahead = [(key.name, key.type) for key in keys]
    seen = set(ahead)
    for target in ahead:
        for record in facts.zone_records:
            if record.alias is None or _alias_target(facts, record) != target:
                continue
            itself = (record.key.name, record.type)
            if itself not in seen:
                seen.add(itself)
                ahead.append(itself)
                found.append(record)
    return found


def targets_first(facts: Facts, records: Iterable[RecordSet]) -> list[RecordSet]:
    """The same record sets, those that others are aliases to before these, else in their order."""
    by_key = {record.key: record for record in records}
    needs = {
        key: [k for k in by_key if (k.name, k.type) == _alias_target(facts, record)]
        for key, record in by_key.items()
    }
    return [by_key[key] for key in dependencies_first(needs)]


def warn_zone(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """Problems of the zone that are no reason to refuse."""
    ours, theirs = _name_servers(facts)
    if theirs is not None and ours != theirs and not ours.isdisjoint(theirs):
        only = {f"resolvers also query {_listed(theirs - ours)}": theirs - ours}
        only |= {f"no resolver queries {_listed(ours - theirs)}": ours - theirs}
        yield Finding(
            text=f"the delegation of {shown_name(facts.zone_name)} differs from the name "
            f"servers of zone {facts.zone_id}: {', and '.join(k for k, v in only.items() if v)}.",
            hint="Set the NS records in the parent zone to exactly these name servers.",
        )
    if not plan.zone_is_unique:
        namesakes = [str(zone) for zone in facts.other_zones if zone.name == facts.zone_name]
        yield Finding(
            text=f"zone {facts.zone_id} shares its name with "
            f"{', '.join(namesakes) or 'another zone'}: CloudFormation refuses HostedZoneName "
            "then, and the run releases nothing for a record without HostedZoneId.",
            hint=f"Set HostedZoneId: {facts.zone_id} in the template.",
        )
    if facts.zone_unread:
        yield _unread(facts, plan)
    for record in dependants(facts, [m.key for m in plan.manuals if plan.harms(m)]):
        if record.key not in plan.keys:
            yield Finding(
                text=f"{record.key} is an alias to {_target(facts, record)} and has no answer "
                "during the gap either."
            )


def _unread(facts: Facts, plan: Plan) -> Finding:
    """The finding for a zone that is too large to look at every alias in it."""
    read = len(facts.zone_records)
    harms = any(plan.harms(manual) for manual in plan.manuals)
    gap = "has no answer either while the name is gone, and none at all" if harms else "has none"
    names = " || ".join(f"AliasTarget.DNSName==`{json.dumps(name)}`" for name in plan.names)
    query = shlex.quote(f"ResourceRecordSets[?{names}].[Name,Type]")
    return Finding(
        text=f"zone {shown_name(facts.zone_name)} has {read + facts.zone_unread} record sets, "
        f"and {read} were read: those at the names, above them, and where the stack creates "
        "others. Aliases to "
        f"{', '.join(shown_name(name) for name in plan.names)} were looked for among these only: "
        f"one elsewhere {gap} if the stack creates another type.",
        hint=f"List them all: aws route53 list-resource-record-sets --hosted-zone-id "
        f"{facts.zone_id} --query {query} --output text",
    )


def _alias_target(facts: Facts, record: RecordSet) -> tuple[str, str] | None:
    """Name and type of the record set in this zone that an alias points to."""
    if record.alias is None or normal_zone_id(record.alias.zone_id) != facts.zone_id:
        return None
    return normal_name(record.alias.dns_name), record.type


def _target(facts: Facts, record: RecordSet) -> str:
    name, kind = _alias_target(facts, record) or ("", "")
    return f"{shown_name(name)} {kind}"


def _name_servers(facts: Facts) -> tuple[set[str], set[str] | None]:
    """The zone's own, and those in the delegation, where that is known and matters."""
    ours = {normal_name(server) for server in facts.zone_name_servers}
    if facts.delegated is None or facts.zone_private:
        return ours, None
    return ours, {normal_name(server) for server in facts.delegated}


def _the_delegated_one(facts: Facts) -> str:
    """A sentence that names the delegated zone, where it is in this account."""
    ours, theirs = _name_servers(facts)
    if theirs is None:
        return ""
    zones = [(facts.zone_id, ours)]
    zones += [
        (zone.zone_id, {normal_name(server) for server in zone.name_servers})
        for zone in facts.other_zones
        if zone.name == facts.zone_name and not zone.private
    ]
    found = [zone_id for zone_id, servers in zones if servers & theirs]
    return f" The delegation is to {' and '.join(found)}." if found else ""


def _listed(servers: set[str]) -> str:
    return ", ".join(sorted(shown_name(server) for server in servers)) or "no name server"
