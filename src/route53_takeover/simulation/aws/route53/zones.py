"""The simulated Route 53: hosted zones, batches of changes, and how they reach name servers.

Owns what the zones of the account hold, what each of their name servers serves, and the exact
history of who wrote what, when. The rules of a batch are in `simulation.aws.route53.rules`.
Time is the timeline's: nothing here waits, reads the wall clock or knows HTTP.
"""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.domain.record_sets import RecordSet, normal_name, normal_zone_id
from route53_takeover.simulation.aws.route53.guards import (
    ALWAYS_ON,
    guardrail_messages,
    protection_messages,
)
from route53_takeover.simulation.aws.route53.rules import apply_batch, input_error, stored
from route53_takeover.simulation.aws.route53.wildcards import answering_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from random import Random

    from route53_takeover.core.domain.record_sets import RecordKey
    from route53_takeover.simulation.aws.route53.guards import Protections
    from route53_takeover.simulation.aws.timeline import Schedule

ADDRESS_TYPES = frozenset({"A", "AAAA", "CNAME"})
"""The types that make a name reachable: without any of them it is absent."""


Absences = list[tuple[float, float | None]]
"""Intervals in seconds since the epoch; ``None`` where one has not ended."""


class ZoneError(Exception):
    """Route 53's refusal, with AWS's code, message and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class AppliedChange(Struct, frozen=True, kw_only=True):
    """One batch that was accepted: at ``time``, seconds since the epoch, ``by`` whom.

    ``changes`` are pairs of action (``CREATE``, ``DELETE``, ``UPSERT``) and record set, the names
    in normal form.
    """

    time: float
    by: str
    zone_id: str
    change_id: str
    changes: tuple[tuple[str, RecordSet], ...]
    comment: str = ""


class RefusedChange(Struct, frozen=True, kw_only=True):
    """One batch that was refused; members as in `AppliedChange`."""

    time: float
    by: str
    zone_id: str
    changes: tuple[tuple[str, RecordSet], ...]
    comment: str = ""
    code: str
    message: str


class SimZone:
    """A hosted zone and what it holds now, by key. Written to by `Zones` alone.

    Attributes:
        zone_id: the id without prefix.
        name: the name in normal form.
        private: whether it is private; such a zone is never served to the public.
        name_servers: the names of its delegated name servers.
        created: when it was made, seconds since the epoch.
        records: the newest submitted state, which `ListResourceRecordSets` shows.
        served: what each name server serves; another object after each change that reaches it.
        arrivals: what has reached each name server, and when.
        served_until: when the newest change reaches each name server.
        held_until: until when a prior request is not complete.
        protections: the record set protections.
        protected_at: when each that there ever was began.
        guardrails: the change guardrails that are on; every record counts as one in use.
    """

    def __init__(
        self, zone_id: str, name: str, *, private: bool, name_servers: tuple[str, ...], time: float
    ) -> None:
        self.zone_id = zone_id
        self.name = name
        self.private = private
        self.name_servers = name_servers
        self.created = time
        self.records: dict[RecordKey, RecordSet] = {}
        self.served: list[dict[RecordKey, RecordSet]] = [{} for _ in name_servers]
        self.arrivals: list[list[tuple[float, AppliedChange]]] = [[] for _ in name_servers]
        self.served_until: list[float] = [time for _ in name_servers]
        self.held_until = time
        self.protections: Protections = {}
        self.protected_at: dict[tuple[str, str], float] = {}
        self.guardrails: set[str] = set(ALWAYS_ON)


def _answers(
    name: str, keys: Collection[RecordKey], zone_name: str, members: Collection[str | None] | None
) -> bool:
    """Whether a record set of these leads from the name to an address."""
    there = [key for key in keys if key.name == name and key.type in ADDRESS_TYPES]
    if there:
        return members is None or any(key.set_identifier in members for key in there)
    owner = answering_name(name, keys, zone_name)
    return any(key.name == owner and key.type in ADDRESS_TYPES for key in keys)


class Zones:
    """Every hosted zone of the account.

    Args:
        timeline: the account's time. Propagation is scheduled on it.
        rng: draws the propagation delays, one a change and name server.
        propagation: the shortest and the longest delay, in seconds.
        servers: how many name servers each zone has.
    """

    def __init__(
        self,
        timeline: Schedule,
        rng: Random,
        *,
        propagation: tuple[float, float] = (2.0, 10.0),
        servers: int = 4,
    ) -> None:
        self.history: list[AppliedChange] = []
        self.refused: list[RefusedChange] = []
        self.timeline = timeline
        self._rng = rng
        self._propagation = propagation
        self._servers = servers
        self._zones: dict[str, SimZone] = {}
        self._applied: dict[str, AppliedChange] = {}
        self._pending: Counter[str] = Counter()

    def add_zone(
        self,
        name: str,
        *,
        zone_id: str | None = None,
        private: bool = False,
        soa_ttl: int = 900,
        soa_minimum: int = 86400,
        name_servers: tuple[str, ...] = (),
        records: Sequence[RecordSet] = (),
    ) -> SimZone:
        """Makes a zone with its SOA and NS records, served at once by all its name servers.

        Args:
            name_servers: their names; made up where there are none.
            records: what else it holds at once, in the place of those two where it is one of them.
        """
        number = len(self._zones)
        first = number * self._servers + 1
        name_servers = name_servers or tuple(
            f"ns-{first + index}.awsdns.example." for index in range(self._servers)
        )
        zone = SimZone(
            zone_id or f"ZSIMULATED{number + 1:04d}",
            normal_name(name),
            private=private,
            name_servers=name_servers,
            time=self.timeline.now,
        )
        if zone.zone_id in self._zones:
            raise ZoneError("HostedZoneAlreadyExists", f"The zone {zone.zone_id} exists.", 409)
        soa = f"{name_servers[0]} awsdns-hostmaster.example. 1 7200 900 1209600 {soa_minimum}"
        for record in (
            RecordSet(name=zone.name, type="NS", ttl=172800, values=name_servers),
            RecordSet(name=zone.name, type="SOA", ttl=soa_ttl, values=(soa,)),
            *map(stored, records),
        ):
            zone.records[record.key] = record
        for served in zone.served:
            served.update(zone.records)
        self._zones[zone.zone_id] = zone
        return zone

    def change(
        self, zone_id: str, changes: Sequence[tuple[str, RecordSet]], *, by: str, comment: str = ""
    ) -> str:
        """Applies a batch whole or not at all, and returns the change id.

        Args:
            zone_id: the zone, with or without prefix.
            changes: pairs of action and record set.
            by: who asks, for the history.
            comment: the batch's comment.

        Raises:
            ZoneError: with Route 53's code; nothing was applied.
        """
        try:
            return self._change(self.zone(zone_id), changes, by=by, comment=comment)
        except ZoneError as error:
            self.refused.append(
                RefusedChange(
                    time=self.timeline.now,
                    by=by,
                    zone_id=normal_zone_id(zone_id),
                    changes=tuple(changes),
                    comment=comment,
                    code=error.code,
                    message=error.message,
                )
            )
            raise

    def _change(
        self, zone: SimZone, changes: Sequence[tuple[str, RecordSet]], *, by: str, comment: str
    ) -> str:
        if self.timeline.now < zone.held_until:
            raise ZoneError(
                "PriorRequestNotComplete",
                "The request was rejected because Route 53 was still processing a prior request.",
            )
        invalid = input_error(changes)
        if invalid is not None:
            raise ZoneError("InvalidInput", invalid)
        batch = tuple((action, stored(record)) for action, record in changes)
        records, messages = apply_batch(zone.zone_id, zone.name, zone.records, batch)
        messages += protection_messages(zone.protections, batch)
        messages = messages or [
            *guardrail_messages(
                zone.guardrails, zone.zone_id, records, batch, self._name_servers_of
            )
        ]
        if messages:
            raise ZoneError("InvalidChangeBatch", f"[{', '.join(messages)}]")
        zone.records = records
        applied = AppliedChange(
            time=self.timeline.now,
            by=by,
            zone_id=zone.zone_id,
            change_id=f"C{len(self.history) + 1:013d}",
            changes=batch,
            comment=comment,
        )
        self.history.append(applied)
        self._applied[applied.change_id] = applied
        self._propagate(zone, applied)
        return applied.change_id

    def protect(self, zone_id: str, name: str, kind: str, comment: str = "") -> None:
        """Creates a record set protection."""
        zone, key = self.zone(zone_id), (normal_name(name), kind)
        zone.protections[key] = comment
        zone.protected_at[key] = self.timeline.now

    def _name_servers_of(self, name: str) -> list[str]:
        """Of every public zone of this name."""
        named = (zone for zone in self._zones.values() if zone.name == name and not zone.private)
        return [server for zone in named for server in zone.name_servers]

    def zone(self, zone_id: str) -> SimZone:
        """The zone of this id, with or without prefix.

        Raises:
            ZoneError: `NoSuchHostedZone`.
        """
        found = self._zones.get(normal_zone_id(zone_id))
        if found is None:
            raise ZoneError(
                "NoSuchHostedZone", f"No hosted zone found with ID: {normal_zone_id(zone_id)}", 404
            )
        return found

    def zones(self) -> list[SimZone]:
        """Every zone, in the order in which they were made."""
        return list(self._zones.values())

    def records_at(self, zone_id: str, name: str) -> tuple[RecordSet, ...]:
        """Every record set at exactly this name, in AWS's order."""
        wanted = normal_name(name)
        there = [r for r in self.zone(zone_id).records.values() if r.name == wanted]
        return tuple(sorted(there, key=lambda record: order(record.key)))

    def list(self, zone_id: str) -> list[RecordSet]:
        """Every record set of the zone, as AWS orders them: by reversed labels, then type."""
        return sorted(self.zone(zone_id).records.values(), key=lambda record: order(record.key))

    def applied(self, change_id: str) -> AppliedChange:
        """The change of this id, with or without prefix.

        Raises:
            ZoneError: `NoSuchChange`.
        """
        wanted = change_id.rpartition("/")[2]
        found = self._applied.get(wanted)
        if found is None:
            raise ZoneError("NoSuchChange", f"Could not find resource with ID: {wanted}", 404)
        return found

    def insync(self, change_id: str) -> bool:
        """Whether every name server serves the change."""
        return not self._pending[self.applied(change_id).change_id]

    def served(self, zone_id: str, server_index: int) -> Mapping[RecordKey, RecordSet]:
        """What one name server of the zone serves now."""
        return MappingProxyType(self.zone(zone_id).served[server_index])

    def hold_zone(self, zone_id: str, until: float) -> None:
        """Lets every batch before ``until`` meet `PriorRequestNotComplete`."""
        self.zone(zone_id).held_until = until

    def absences(
        self,
        zone_id: str,
        name: str,
        members: Collection[str | None] | None = None,
        *,
        server: int | None = None,
    ) -> Absences:
        """When the name, once it had an A, AAAA or CNAME, had no answer: no wildcard's either.

        Args:
            members: only record sets with these set identifiers count; all by default.
            server: as this name server serves it; by default as submitted.

        Each interval is from the batch that took the last one away to the batch that brought one
        back, ``None`` while it is still away. A batch that does both leaves no interval.
        """
        zone, wanted = self.zone(zone_id), normal_name(name)
        keys: set[RecordKey] = set()
        is_present = False
        gaps: Absences = []
        submitted = ((each.time, each) for each in self.history if each.zone_id == zone.zone_id)
        for time, applied in submitted if server is None else zone.arrivals[server]:
            was_present = is_present
            for action, record in applied.changes:
                (keys.discard if action == "DELETE" else keys.add)(record.key)
            is_present = _answers(wanted, keys, zone.name, members)
            if was_present and not is_present:
                gaps.append((time, None))
            elif is_present and not was_present and gaps:
                gaps[-1] = (gaps[-1][0], time)
        return gaps

    def _propagate(self, zone: SimZone, applied: AppliedChange) -> None:
        """Lets the change reach each name server after its delay, never before an earlier one."""
        until = zone.served_until
        self._pending[applied.change_id] = len(zone.name_servers)
        for index in range(len(zone.name_servers)):
            arrival = self.timeline.now + self._rng.uniform(*self._propagation)
            until[index] = max(until[index], arrival)

            def arrive(index: int = index) -> None:
                served = zone.served[index] = {**zone.served[index]}
                for action, record in applied.changes:
                    if action == "DELETE":
                        del served[record.key]
                    else:
                        served[record.key] = record
                zone.arrivals[index].append((self.timeline.now, applied))
                self._pending[applied.change_id] -= 1

            self.timeline.at(until[index], arrive)


def order(key: RecordKey) -> tuple[str, str, str]:
    """Where AWS lists a record set: by its labels reversed, its type, its set identifier."""
    return (reversed_labels(key.name), key.type, key.set_identifier or "")


def reversed_labels(name: str) -> str:
    """``www.example.com.`` as ``com.example.www.``, which is how AWS sorts names."""
    return ".".join(reversed(name.removesuffix(".").split("."))) + "."
