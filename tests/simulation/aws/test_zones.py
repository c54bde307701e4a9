"""What Route 53 promises of a batch, of propagation and of the history, kept by the simulation."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from route53_takeover.core.domain.record_sets import AliasTarget, RecordKey, RecordSet
from route53_takeover.simulation.aws.route53.zones import ZoneError, Zones
from route53_takeover.simulation.aws.timeline import Schedule

if TYPE_CHECKING:
    from collections.abc import Sequence

START = 1_700_000_000.0
WWW = "www.example.com."


def a(name: str, *values: str, ttl: int = 300, **more: object) -> RecordSet:
    return RecordSet(name=name, type="A", ttl=ttl, values=values or ("192.0.2.1",), **more)  # type: ignore[arg-type]


def cname(name: str, target: str = "old.example.net.", ttl: int = 300) -> RecordSet:
    return RecordSet(name=name, type="CNAME", ttl=ttl, values=(target,))


def alias(name: str, target: str, zone_id: str = "Z2FDTNDATAQYW2", kind: str = "A") -> RecordSet:
    return RecordSet(name=name, type=kind, alias=AliasTarget(zone_id=zone_id, dns_name=target))


def weighted(name: str, identifier: str, weight: int = 10) -> RecordSet:
    return a(name, set_identifier=identifier, routing=(("Weight", str(weight)),))


@pytest.fixture
def timeline() -> Schedule:
    return Schedule(START)


@pytest.fixture
def zones(timeline: Schedule) -> Zones:
    zones = Zones(timeline, random.Random(7))  # noqa: S311 -- a simulation, not a secret
    zones.add_zone("example.com", zone_id="Z1")
    return zones


def apply(zones: Zones, *changes: tuple[str, RecordSet], by: str = "test") -> str:
    return zones.change("Z1", changes, by=by)


def refusal(zones: Zones, *changes: tuple[str, RecordSet]) -> str:
    """The message of a refused batch, which must leave no trace."""
    before, reported = zones.list("Z1"), len(zones.history)
    with pytest.raises(ZoneError) as caught:
        apply(zones, *changes)
    assert (zones.list("Z1"), len(zones.history)) == (before, reported)
    assert caught.value.status == 400
    return f"{caught.value.code}: {caught.value.message}"


def test_a_new_zone_has_soa_and_ns_which_every_server_serves_at_once(zones: Zones) -> None:
    zone = zones.zone("/hostedzone/Z1")
    assert zone.name == "example.com."
    assert zone.name_servers[0] == "ns-1.awsdns.example."
    assert len(zone.name_servers) == 4
    soa = zone.records[RecordKey("example.com.", "SOA")]
    assert (soa.ttl, soa.values[0].split()[-1]) == (900, "86400")
    assert all(zones.served("Z1", index) == zone.records for index in range(4))


EXISTING: tuple[tuple[str, RecordSet], ...] = (
    ("CREATE", a(WWW)),
    ("CREATE", cname("c.example.com")),
    ("CREATE", weighted("w.example.com", "blue")),
)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            [("CREATE", a(WWW, "192.0.2.9"))],
            (
                "[Tried to create resource record set [name='www.example.com.', type='A'] "
                "but it already exists]"
            ),
        ),
        (
            [("CREATE", weighted("w.example.com", "blue", 1))],
            (
                "[Tried to create resource record set [name='w.example.com.', type='A', "
                "set-identifier='blue'] but it already exists]"
            ),
        ),
        (
            [("DELETE", a("x.example.com"))],
            (
                "[Tried to delete resource record set [name='x.example.com.', type='A'] "
                "but it was not found]"
            ),
        ),
        (
            [("DELETE", a(WWW, ttl=60))],
            (
                "[Tried to delete resource record set [name='www.example.com.', type='A'] "
                "but the values provided do not match the current values]"
            ),
        ),
        (
            [("CREATE", a("c.example.com"))],
            (
                "[RRSet of type A with DNS name c.example.com. is not permitted because a "
                "conflicting RRSet of type  CNAME with the same DNS name already exists in "
                "zone example.com.]"
            ),
        ),
        (
            [("UPSERT", cname(WWW))],
            (
                "[RRSet of type CNAME with DNS name www.example.com. is not permitted as it "
                "conflicts with other records with the same DNS name in zone example.com.]"
            ),
        ),
        (
            [("CREATE", cname("example.com"))],
            (
                "[RRSet of type CNAME with DNS name example.com. is not permitted at apex in zone "
                "example.com.]"
            ),
        ),
        (
            [("CREATE", a("w.example.com"))],
            (
                "[RRSet with DNS name w.example.com., type A cannot be created as other "
                "RRSets exist with the same name and type.]"
            ),
        ),
        (
            [("CREATE", weighted(WWW, "blue"))],
            (
                "[RRSet with DNS name www.example.com., type A, SetIdentifier blue "
                "cannot be created as a non-weighted set exists with the same name and type.]"
            ),
        ),
        (
            [("CREATE", a("www.example.org"))],
            "[RRSet with DNS name www.example.org. is not permitted in zone example.com.]",
        ),
        (
            [("CREATE", a("notexample.com"))],
            "[RRSet with DNS name notexample.com. is not permitted in zone example.com.]",
        ),
        (
            [("CREATE", alias("b.example.com", "gone.example.com", "Z1"))],
            (
                "[Tried to create an alias that targets gone.example.com., type A in zone Z1, "
                "but that target was not found]"
            ),
        ),
        (
            [("CREATE", alias("b.example.com", "b.example.com", "Z1"))],
            (
                "[Tried to create an alias that targets b.example.com., type A in zone Z1, "
                "but an alias cannot target itself]"
            ),
        ),
        (
            [("CREATE", alias("b.example.com", "www.example.com", "Z1", "AAAA"))],
            (
                "[Tried to create an alias that targets www.example.com., type AAAA in zone Z1, "
                "but that target was not found]"
            ),
        ),
        (
            [("CREATE", a("b.example.com", "192.0.2.256"))],
            (
                "[Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value "
                "is not a valid IPv4 address) encountered with '192.0.2.256'']"
            ),
        ),
        (
            [("CREATE", a(WWW)), ("DELETE", a("x.example.com"))],
            (
                "[Tried to create resource record set [name='www.example.com.', type='A'] but it "
                "already exists, Tried to delete resource record set [name='x.example.com.', "
                "type='A'] but it was not found]"
            ),
        ),
    ],
)
def test_a_batch_that_does_not_fit_is_refused_in_aws_words_and_changes_nothing(
    zones: Zones, changes: Sequence[tuple[str, RecordSet]], message: str
) -> None:
    apply(zones, *EXISTING)
    assert refusal(zones, *changes) == f"InvalidChangeBatch: {message}"


@pytest.mark.parametrize(
    ("kind", "value", "allowed"),
    [
        ("A", "192.0.2.1", True),
        ("A", "192.0.2.1, 192.0.2.2", False),
        ("AAAA", "2001:db8::1", True),
        ("AAAA", "192.0.2.1", False),
        ("CNAME", "d1.cloudfront.net", True),
        ("CNAME", "two words", False),
        ("CNAME", "empty..label", False),
        ("MX", "10 mail.example.com", True),
        ("MX", "mail.example.com", False),
        ("MX", "65536 mail.example.com", False),
        ("TXT", '"one" "two \\" quoted"', True),
        ("TXT", '""', True),
        ("TXT", "bare", False),
        ("TXT", '"' + "x" * 255 + '"', True),
        ("TXT", '"' + "x" * 256 + '"', False),
    ],
)
def test_values_are_checked_for_their_type(
    zones: Zones, kind: str, value: str, allowed: bool
) -> None:
    record = RecordSet(name="v.example.com", type=kind, ttl=60, values=(value,))
    if allowed:
        apply(zones, ("CREATE", record))
    else:
        assert "Invalid Resource Record: 'FATAL problem:" in refusal(zones, ("CREATE", record))


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (RecordSet(name=WWW, type="A", values=("192.0.2.1",)), "Missing field 'TTL'"),
        (RecordSet(name=WWW, type="A", ttl=60), "Missing field 'ResourceRecords'"),
        (RecordSet(name=WWW, type="A"), "but found none"),
        (a(WWW, alias=AliasTarget(zone_id="Z9", dns_name="x.")), "but found more than one"),
        (a(WWW, ttl=-1), "greater than or equal to 0"),
        (a(WWW, ttl=2_147_483_648), "less than or equal to 2147483647"),
    ],
)
def test_a_record_set_without_a_fitting_ttl_or_values_is_invalid_input(
    zones: Zones, record: RecordSet, message: str
) -> None:
    refused = refusal(zones, ("CREATE", record))
    assert refused.startswith("InvalidInput: ")
    assert message in refused


def test_soa_and_apex_ns_cannot_be_deleted_but_can_be_changed(zones: Zones) -> None:
    records = {record.type: record for record in zones.list("Z1")}
    assert refusal(zones, ("DELETE", records["SOA"]), ("DELETE", records["NS"])) == (
        "InvalidChangeBatch: [A HostedZone must contain at least one NS record for the zone "
        "itself., A HostedZone must contain exactly one SOA record.]"
    )
    shorter = RecordSet(name="example.com", type="SOA", ttl=5, values=records["SOA"].values)
    apply(zones, ("UPSERT", shorter))
    assert "exactly one SOA" in refusal(zones, ("DELETE", shorter), ("CREATE", records["SOA"]))
    apply(zones, ("UPSERT", records["SOA"]))


def test_a_batch_sees_what_its_earlier_changes_did(zones: Zones) -> None:
    apply(zones, ("CREATE", cname(WWW)))
    apply(zones, ("DELETE", cname(WWW)), ("CREATE", alias(WWW, "D1.CloudFront.net")))
    (record,) = zones.records_at("Z1", "WWW.example.com")
    assert record == alias(WWW, "d1.cloudfront.net.")
    assert "conflicting" in refusal(
        zones, ("CREATE", cname("b.example.com")), ("CREATE", a("b.example.com"))
    )


def test_delete_compares_meaning_not_spelling(zones: Zones) -> None:
    apply(zones, ("CREATE", a("WWW.Example.com", "192.0.2.1", "192.0.2.2")))
    apply(zones, ("DELETE", a("www.example.com.", "192.0.2.2", "192.0.2.1")))
    assert zones.records_at("Z1", WWW) == ()


def test_a_record_of_a_traffic_policy_cannot_be_changed_directly(zones: Zones) -> None:
    owned = a(WWW, routing=(("TrafficPolicyInstanceId", '"1234"'),))
    apply(zones, ("CREATE", owned))
    assert "traffic policy instance 1234" in refusal(zones, ("DELETE", owned))
    assert "traffic policy instance 1234" in refusal(zones, ("UPSERT", a(WWW)))


def test_an_alias_may_follow_its_target_in_one_batch(zones: Zones) -> None:
    apply(zones, ("CREATE", a("t.example.com")), ("CREATE", alias(WWW, "t.example.com", "Z1")))
    assert len(zones.records_at("Z1", WWW)) == 1


def test_members_of_one_policy_stand_side_by_side_and_another_policy_does_not(
    zones: Zones,
) -> None:
    apply(zones, ("CREATE", weighted(WWW, "blue")), ("CREATE", weighted(WWW, "green")))
    latency = a(WWW, set_identifier="eu", routing=(("Region", '"eu-west-1"'),))
    assert "a non-latency set exists" in refusal(zones, ("CREATE", latency))


def test_names_are_stored_in_normal_form_and_listed_in_aws_order(zones: Zones) -> None:
    for name in ("b.example.com", "*.example.com", "a.b.example.com", "B2.Example.com"):
        apply(zones, ("CREATE", a(name)))
    listed = [(record.name, record.type) for record in zones.list("Z1")]
    assert listed == [
        ("example.com.", "NS"),
        ("example.com.", "SOA"),
        ("\\052.example.com.", "A"),
        ("b.example.com.", "A"),
        ("a.b.example.com.", "A"),
        ("b2.example.com.", "A"),
    ]


def test_each_server_serves_a_change_after_its_own_delay_and_in_order(
    zones: Zones, timeline: Schedule
) -> None:
    key = RecordKey(WWW, "A")
    first = apply(zones, ("CREATE", a(WWW, "192.0.2.1")))
    second = apply(zones, ("UPSERT", a(WWW, "192.0.2.2")))
    assert zones.records_at("Z1", WWW)[0].values == ("192.0.2.2",)
    seen: list[list[str]] = [[] for _ in range(4)]
    for tenth in range(110):
        timeline.advance(START + tenth / 10)
        for index in range(4):
            record = zones.served("Z1", index).get(key)
            value = record.values[0] if record else "none"
            if value not in seen[index]:
                seen[index].append(value)
        served = [log[-1] for log in seen]
        assert zones.insync(second) == (set(served) == {"192.0.2.2"})
        assert zones.insync(first) == ("none" not in served)
        assert tenth >= 20 or set(served) == {"none"}
    assert all(log in (["none", "192.0.2.1", "192.0.2.2"], ["none", "192.0.2.2"]) for log in seen)
    assert zones.insync(f"/change/{second}")


def test_the_same_seed_gives_the_same_ids_and_the_same_propagation() -> None:
    def run(seed: int) -> list[object]:
        timeline = Schedule(START)
        zones = Zones(timeline, random.Random(seed))  # noqa: S311 -- a simulation, not a secret
        zones.add_zone("example.com", zone_id="Z1")
        story: list[object] = [apply(zones, ("CREATE", a(WWW)))]
        while (due := timeline.next_due) is not None:
            timeline.advance(due)
            story.append((due, [len(zones.served("Z1", index)) for index in range(4)]))
        return story

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_a_held_zone_refuses_until_its_prior_request_is_complete(
    zones: Zones, timeline: Schedule
) -> None:
    zones.hold_zone("Z1", START + 2)
    assert refusal(zones, ("CREATE", a(WWW))).startswith("PriorRequestNotComplete: ")
    timeline.advance(START + 2)
    apply(zones, ("CREATE", a(WWW)))


def test_absences_are_measured_to_the_batch(zones: Zones, timeline: Schedule) -> None:
    text = RecordSet(name=WWW, type="TXT", ttl=60, values=('"t"',))
    steps: list[tuple[float, list[tuple[str, RecordSet]]]] = [
        (1, [("CREATE", a(WWW))]),
        (2, [("DELETE", a(WWW)), ("CREATE", cname(WWW))]),
        (3, [("DELETE", cname(WWW))]),
        (4, [("CREATE", text)]),
        (5.5, [("CREATE", alias(WWW, "d1.cloudfront.net"))]),
        (6, [("CREATE", alias(WWW, "d1.cloudfront.net", kind="AAAA"))]),
        (7, [("DELETE", alias(WWW, "d1.cloudfront.net"))]),
        (8, [("DELETE", alias(WWW, "d1.cloudfront.net", kind="AAAA"))]),
    ]
    for second, changes in steps:
        timeline.advance(START + second)
        apply(zones, *changes, by="us" if second == 3 else "cloudformation")
    assert zones.absences("Z1", "WWW.example.com") == [
        (START + 3, START + 5.5),
        (START + 8, None),
    ]
    assert [(h.time - START, h.by) for h in zones.history if h.by == "us"] == [(3, "us")]


def test_unknown_zones_and_changes_are_named(zones: Zones) -> None:
    with pytest.raises(ZoneError, match="NoSuchHostedZone: No hosted zone found with ID: Z404"):
        zones.change("Z404", [("CREATE", a(WWW))], by="test")
    with pytest.raises(ZoneError, match=r"NoSuchChange: .* C404") as caught:
        zones.insync("/change/C404")
    assert caught.value.status == 404
