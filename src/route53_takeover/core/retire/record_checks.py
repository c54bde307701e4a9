"""Route 53: records and zones that the tree has, and records outside that lead into it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from route53_takeover.core.domain.names import display_name, normal_name
from route53_takeover.core.domain.record_sets import normal_zone_id
from route53_takeover.core.retire import model as kinds
from route53_takeover.core.retire.hosts import tell_its_host
from route53_takeover.core.retire.model import Break, Findings
from route53_takeover.core.retire.name_lookup import is_website, targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.retire.facts import RetireFacts, TreeRecord, ZoneRecords
    from route53_takeover.core.retire.hosts import Hosts
    from route53_takeover.core.retire.name_lookup import Lookup

_SHARING = frozenset({"weighted", "latency", "multi-value answer"})
"""Routing policies by which the other members answer where one is gone."""


_TOLD_ELSEWHERE = (*kinds.CUSTOM_DOMAINS, kinds.DISTRIBUTION)
"""What answers only to names that it knows itself: the checks of it look at their records."""


def check_records(facts: RetireFacts, hosts: Hosts, lookup: Lookup) -> Findings:
    """What of Route 53 would break."""
    doomed = [each for each in facts.records if each.is_doomed]
    notes: list[str] = []
    breaks = [
        *_hidden(doomed),
        *_taken_away(doomed, lookup, notes),
        *_leading_in(facts, hosts, lookup),
        *_zones(facts),
    ]
    return Findings(breaks=tuple(breaks), notes=tuple(notes))


def _hidden(doomed: Iterable[TreeRecord]) -> Iterator[Break]:
    for each in doomed:
        if each.record.pattern:
            yield Break(
                what="record of the stack",
                id=f"{each.record.name} {each.record.record_type or ''}".strip(),
                why=f"The template does not tell the name of {each}, so whether its delete takes "
                "a live record away cannot be told.",
                way_out=_retain(each),
            )


def _taken_away(doomed: Iterable[TreeRecord], lookup: Lookup, notes: list[str]) -> Iterator[Break]:
    """The live records that go with the stack."""
    gone: dict[tuple[str, RecordSet], TreeRecord] = {}
    for each in doomed:
        if not each.record.pattern:
            for zone in lookup.zones:
                for record in lookup.at(zone, normal_name(each.record.name)):
                    if _is_this(zone, record, each):
                        gone.setdefault((zone.zone_id, record), each)
    for (zone_id, record), each in gone.items():
        zone = next(zone for zone in lookup.zones if zone.zone_id == zone_id)
        siblings = [
            other
            for other in lookup.at(zone, normal_name(record.name))
            if other.type == record.type and other != record and (zone_id, other) not in gone
        ]
        if record.policy in _SHARING and any(map(_answers, siblings)):
            notes.append(f"{record.describe()} goes with the stack; other members of it answer.")
            continue
        name = display_name(record.key.name)
        yield Break(
            what="record of the stack",
            id=str(record.key),
            why=f"It goes with {each}, and {name} has no {record.type} record then. "
            f"Now: {record.describe()}.",
            way_out=f"{_retain(each)} The new stack can take it over: route53-takeover plan "
            f"--stack NEW_STACK --record {shlex.quote(f'{name}/{record.type}')}",
        )


def _is_this(zone: ZoneRecords, record: RecordSet, each: TreeRecord) -> bool:
    """Whether a live record is, or may be, the one that a resource stands for."""
    owned = each.record
    zone_id, zone_name = owned.zone
    if zone_id is not None and normal_zone_id(zone_id) != zone.zone_id:
        return False
    if zone_id is None and zone_name not in (None, zone.name):
        return False
    if owned.record_type is None:
        is_of_zone = record.type in ("NS", "SOA") and normal_name(record.name) == zone.name
        return not is_of_zone
    if owned.record_type != record.type:
        return False
    desired = owned.desired
    return desired is None or desired.record.set_identifier == record.set_identifier


def _answers(record: RecordSet) -> bool:
    """Whether a member of a routed group gets requests at all."""
    return dict(record.routing).get("Weight") != "0"


def _leading_in(facts: RetireFacts, hosts: Hosts, lookup: Lookup) -> Iterator[Break]:
    """Records that stay and lead to something that goes."""
    buckets = {each.physical_id: each for each in facts.of_type(kinds.BUCKET) if each.is_doomed}
    for zone, record in lookup.leading():
        if any(_is_this_one(zone, record, each) for each in facts.records if each.is_doomed):
            continue
        name = display_name(record.key.name)
        for target in targets(record):
            owner = hosts.owner(target)
            if owner is None and is_website(target):
                owner = buckets.get(name)
            possible = hosts.possible_owner(target)
            if possible is not None:
                yield Break(
                    what="record that may lead into the stack",
                    id=str(record.key),
                    why=f"It leads to {target}, and no output of the stack tells the host of "
                    f"{possible}, so whether that is it cannot be told.",
                    way_out=tell_its_host(possible),
                )
            if owner is None or owner.type in _TOLD_ELSEWHERE:
                continue
            yield Break(
                what="record that leads into the stack",
                id=str(record.key),
                why=f"It leads to {target}, which is {owner}: nothing answers there then.",
                way_out="Let it lead to the new one; if the new stack is to have the record: "
                "route53-takeover plan --stack NEW_STACK --record "
                f"{shlex.quote(f'{name}/{record.type}')}",
            )


def _is_this_one(zone: ZoneRecords, record: RecordSet, each: TreeRecord) -> bool:
    if each.record.pattern or normal_name(each.record.name) != normal_name(record.name):
        return False
    return _is_this(zone, record, each)


def _zones(facts: RetireFacts) -> Iterator[Break]:
    for zone in facts.of_type(kinds.HOSTED_ZONE):
        if zone.is_doomed:
            yield Break(
                what="hosted zone of the stack",
                id=zone.physical_id,
                why=f"{zone} goes: every name in it stops resolving; if it has records of others, "
                "the delete fails there.",
                way_out=f"Add DeletionPolicy: Retain to {zone.logical_id} in the template of "
                f"{zone.stack_name}, deploy that, and run this again.",
            )


def _retain(each: TreeRecord) -> str:
    group = " (a group: all of its records stay)" if each.record.group else ""
    return (
        f"Add DeletionPolicy: Retain to {each.record.logical_id}{group} in the template of "
        f"{each.stack_name}, deploy that, and run this again."
    )
