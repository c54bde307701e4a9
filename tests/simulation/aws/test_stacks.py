"""The simulated CloudFormation: operations, their events, and what they leave of the records."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from route53_takeover.core.domain.record_sets import AliasTarget, RecordSet
from route53_takeover.simulation.aws.cloudformation.record_handler import (
    Case,
    Mode,
    RecordHandlerConfig,
)
from route53_takeover.simulation.aws.cloudformation.stacks import StackConfig, StackStore, to_core
from route53_takeover.simulation.aws.http.faults import ApiFault
from route53_takeover.simulation.aws.route53.zones import Zones
from route53_takeover.simulation.aws.timeline import Schedule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from route53_takeover.simulation.aws.cloudformation.stacks import StackEventRow

START = 1_800_000_000.0
ZONE = "Z1"
CLOUDFRONT = "Z2FDTNDATAQYW2"
RECORD = "AWS::Route53::RecordSet"
EXISTS = (
    "[Tried to create resource record set [name='www.example.com.', type='{}'] "
    "but it already exists]"
)
OPERATION = "op-1"


class SimulatedAccount:
    """A zone and the stacks beside it, moved on by hand."""

    def __init__(self, **config: Any) -> None:
        rng = random.Random(1)  # noqa: S311 -- a simulation, not a secret
        self.timeline = Schedule(START)
        self.zones = Zones(self.timeline, rng)
        self.zones.add_zone("example.com", zone_id=ZONE)
        self.stacks = StackStore(self.timeline, self.zones, rng, config=StackConfig(**config))
        self.written: list[StackEventRow] = []
        self.stacks.on_event.append(self.written.append)

    def put(self, record: RecordSet, action: str = "CREATE") -> None:
        self.zones.change(ZONE, [(action, record)], by="test")

    def wait(self, seconds: float = 1000.0) -> None:
        self.timeline.advance(self.timeline.now + seconds)

    def settle(self, name: str) -> str:
        """Lets the stack's operation end, and says how."""
        stack = self.stacks.find(name)
        assert stack is not None
        while stack.is_busy and self.timeline.next_due is not None:
            self.timeline.advance(self.timeline.next_due)
        return stack.status

    def standing(self, name: str = "www.example.com") -> list[str]:
        return [record.describe() for record in self.zones.records_at(ZONE, name)]

    def lines(self, stack: str) -> list[str]:
        """The stack's stream, oldest first: logical id, status, reason."""
        rows = reversed(list(self.stacks.events(stack)))
        name = stack.split("/")[1] if stack.startswith("arn:") else stack
        return [
            " ".join(
                filter(
                    None,
                    ("stack" if row.logical_id == name else row.logical_id, row.status, row.reason),
                )
            )
            for row in rows
        ]


def alias(target: str = "new.cloudfront.net", kind: str = "A") -> RecordSet:
    return RecordSet(
        name="www.example.com",
        type=kind,
        alias=AliasTarget(zone_id=CLOUDFRONT, dns_name=target),
    )


def plain(kind: str = "A", value: str = "192.0.2.1", ttl: int = 60) -> RecordSet:
    return RecordSet(name="www.example.com", type=kind, ttl=ttl, values=(value,))


def resource(record: RecordSet, **more: Any) -> dict[str, Any]:
    """The resource of a template that asks for this record."""
    properties: dict[str, Any] = {
        "HostedZoneId": ZONE,
        "Name": record.name,
        "Type": record.type,
    }
    if record.alias is not None:
        properties["AliasTarget"] = {
            "HostedZoneId": record.alias.zone_id,
            "DNSName": record.alias.dns_name,
        }
    else:
        properties |= {"TTL": record.ttl, "ResourceRecords": list(record.values)}
    return {"Type": RECORD, "Properties": properties, **more}


def inert(*, version: int = 1, **simulation: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::S3::Bucket",
        "Properties": {"Version": version},
        "Metadata": {"Simulation": simulation},
    }


def body(**resources: Any) -> dict[str, Any]:
    return {"Resources": resources}


def nested(**resources: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {},
        "Metadata": {"Simulation": {"Template": body(**resources)}},
    }


# The record handler


@pytest.mark.parametrize("kind", ["A", "AAAA"])
def test_an_alias_that_differs_is_retried_until_it_is_gone_and_then_created(kind: str) -> None:
    world = SimulatedAccount()
    world.put(alias("old.cloudfront.net", kind))
    world.stacks.create_stack("app", body(Dns=resource(alias(kind=kind))))
    world.wait(5)
    assert world.lines("app") == [
        "stack CREATE_IN_PROGRESS User Initiated",
        "Dns CREATE_IN_PROGRESS",
    ]
    world.put(alias("old.cloudfront.net", kind), "DELETE")
    assert world.settle("app") == "CREATE_COMPLETE"
    assert world.standing() == [f"www.example.com {kind} alias to new.cloudfront.net"]
    tries = [(round(t - START, 1), outcome) for t, _, outcome, _ in world.stacks.attempts]
    assert tries == [(0.2, "retry"), (1.2, "retry"), (3.2, "retry"), (7.2, "created")]


def test_an_alias_that_is_never_taken_away_fails_when_the_delays_are_used_up() -> None:
    world = SimulatedAccount(records=RecordHandlerConfig(retry_delays=(1, 2)))
    world.put(alias("old.cloudfront.net"))
    world.stacks.create_stack("app", body(Dns=resource(alias())))
    assert world.settle("app") == "ROLLBACK_COMPLETE"
    assert f"Dns CREATE_FAILED {EXISTS.format('A')}" in world.lines("app")
    assert world.standing() == ["www.example.com A alias to old.cloudfront.net"]


@pytest.mark.parametrize(
    "record",
    [alias(), alias(kind="AAAA"), plain("CNAME", "a.example.net"), plain("TXT", '"x"')],
    ids=lambda record: record.describe(),
)
def test_an_identical_record_is_adopted_in_one_batch(record: RecordSet) -> None:
    world = SimulatedAccount()
    world.put(record)
    world.stacks.create_stack("app", body(Dns=resource(record)))
    assert world.settle("app") == "CREATE_COMPLETE"
    adopted = world.zones.history[-1]
    assert [action for action, _ in adopted.changes] == ["DELETE", "CREATE"]
    assert (adopted.by, adopted.comment) == (
        "cloudformation",
        "Making no-op change to get a ChangeId",
    )
    assert round(adopted.time - START, 1) == 0.5  # 0.2 s to begin, 0.3 s after the listing


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        (plain(), plain()),
        (plain(), plain(value="192.0.2.2")),
        (plain(), alias()),
        (plain("AAAA", "2001:db8::1"), plain("AAAA", "2001:db8::1")),
        (plain("CNAME", "a.example.net"), plain("CNAME", "b.example.net")),
        (plain("CNAME", "a.example.net"), plain("CNAME", "a.example.net", ttl=61)),
        (plain("TXT", '"x"'), plain("TXT", '"y"')),
        (plain("CNAME", "a.example.net"), plain()),
    ],
    ids=lambda record: record.describe(),
)
def test_what_is_not_retried_or_adopted_fails_at_once(there: RecordSet, wanted: RecordSet) -> None:
    world = SimulatedAccount()
    world.put(there)
    world.stacks.create_stack("app", body(Dns=resource(wanted)))
    world.wait(0.2)
    assert [row.status for row in world.written][-2:] == ["CREATE_FAILED", "ROLLBACK_IN_PROGRESS"]
    assert world.settle("app") == "ROLLBACK_COMPLETE"
    assert world.standing() == [there.describe()]


def test_a_cname_is_in_the_way_of_an_alias_that_then_is_retried() -> None:
    world = SimulatedAccount()
    world.put(plain("CNAME", "a.example.net"))
    world.stacks.create_stack("app", body(Dns=resource(alias())))
    world.wait(2)
    assert world.stacks.attempts[-1].outcome == "retry"
    world.put(plain("CNAME", "a.example.net"), "DELETE")
    assert world.settle("app") == "CREATE_COMPLETE"


CASES = {
    Case.ALIAS_SAME: (alias(), alias()),
    Case.ALIAS_DIFFERS: (alias("old.cloudfront.net"), alias()),
    Case.ADDRESS_SAME: (plain(), plain()),
    Case.ADDRESS_DIFFERS: (plain(value="192.0.2.9"), plain()),
    Case.OTHER_SAME: (plain("TXT", '"x"'), plain("TXT", '"x"')),
    Case.OTHER_DIFFERS: (plain("TXT", '"y"'), plain("TXT", '"x"')),
}


@pytest.mark.parametrize("case", list(Case))
@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("decided_by", ["mapping", "callable"])
def test_every_mode_can_be_set_for_every_case(case: Case, mode: Mode, decided_by: str) -> None:
    there, wanted = CASES[case]
    modes: Any = {case: mode} if decided_by == "mapping" else lambda _there, _wanted: mode
    world = SimulatedAccount(records=RecordHandlerConfig(retry_delays=(1, 1, 1), modes=modes))
    world.put(there)
    world.stacks.create_stack("app", body(Dns=resource(wanted)))
    world.wait(1.5)
    assert world.stacks.attempts[0].outcome == mode
    if mode in (Mode.RETRY, Mode.NEVER):
        world.put(there, "DELETE")
    status, standing = world.settle("app"), world.standing()
    match mode:
        case Mode.RETRY | Mode.OVERWRITE:
            assert (status, standing) == ("CREATE_COMPLETE", [wanted.describe()])
        case Mode.FAIL:
            assert (status, standing) == ("ROLLBACK_COMPLETE", [there.describe()])
        case Mode.ADOPT:
            # Adopting is a DELETE of what was listed and a CREATE of what is wanted.
            assert (status, standing) == ("CREATE_COMPLETE", [wanted.describe()])
        case Mode.NEVER:
            assert (status, standing) == ("ROLLBACK_COMPLETE", [])


def test_a_record_deleted_between_the_listing_and_the_adopting_batch_makes_it_fail() -> None:
    world = SimulatedAccount()
    world.put(alias())
    world.stacks.create_stack("app", body(Dns=resource(alias())))
    world.wait(0.4)
    world.put(alias(), "DELETE")
    assert world.settle("app") == "ROLLBACK_COMPLETE"
    assert any("Dns CREATE_FAILED [Tried to delete" in line for line in world.lines("app"))
    assert world.standing() == []


def test_a_zone_that_is_busy_is_tried_again() -> None:
    world = SimulatedAccount()
    world.zones.hold_zone(ZONE, START + 3)
    world.stacks.create_stack("app", body(Dns=resource(alias())))
    assert world.settle("app") == "CREATE_COMPLETE"
    outcomes = [attempt.outcome for attempt in world.stacks.attempts]
    assert outcomes[-1] == "created"
    assert set(outcomes[:-1]) == {"busy"}


def test_a_record_is_complete_only_once_it_is_in_sync() -> None:
    world = SimulatedAccount(records=RecordHandlerConfig(insync_seconds=33))
    world.stacks.create_stack("app", body(Dns=resource(alias())))
    world.wait(33)
    assert world.lines("app")[-1] == "Dns CREATE_IN_PROGRESS Resource creation Initiated"
    world.wait(0.3)
    assert world.settle("app") == "CREATE_COMPLETE"


def test_a_zone_can_be_given_by_name_unless_two_have_it() -> None:
    wanted = resource(alias())
    del wanted["Properties"]["HostedZoneId"]
    wanted["Properties"]["HostedZoneName"] = "example.com."
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(Dns=wanted))
    assert world.settle("app") == "CREATE_COMPLETE"
    world.zones.add_zone("example.com", private=True)
    world.stacks.create_stack("two", body(Dns=wanted))
    assert world.settle("two") == "ROLLBACK_COMPLETE"


# Events


def test_a_created_record_has_three_events_and_its_name_from_the_second_one_on() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(Dns=resource(plain(ttl=300))), token=OPERATION)
    world.settle("app")
    assert world.lines("app") == [
        "stack CREATE_IN_PROGRESS User Initiated",
        "Dns CREATE_IN_PROGRESS",
        "Dns CREATE_IN_PROGRESS Resource creation Initiated",
        "Dns CREATE_COMPLETE",
        "stack CREATE_COMPLETE",
    ]
    own, first, second, third, _ = world.written
    assert own.physical_id == own.stack_id
    assert [row.physical_id for row in (first, second, third)] == [
        "",
        "www.example.com",
        "www.example.com",
    ]
    assert first.properties is not None
    assert first.properties["TTL"] == "300"
    assert {row.token for row in world.written} == {OPERATION}
    assert first.to_api()["ResourceProperties"].startswith('{"HostedZoneId":"Z1"')
    assert "ResourceStatusReason" not in first.to_api()


def test_an_event_becomes_a_core_event_with_the_desired_record() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(Dns=resource(plain(ttl=300))))
    world.settle("app")
    own, first = (to_core(row) for row in world.written[:2])
    assert own.starts_operation
    assert first.desired is not None
    assert first.desired.complete
    assert first.desired.zone_id == ZONE
    assert first.desired.record.same_as(plain(ttl=300))


def test_the_same_seed_writes_the_same_events() -> None:
    worlds = [SimulatedAccount(), SimulatedAccount()]
    for world in worlds:
        world.stacks.create_stack("app", body(Dns=resource(alias()), Child=nested(B=inert())))
        world.settle("app")
    assert worlds[0].written == worlds[1].written
    assert len({row.event_id for row in worlds[0].written}) == len(worlds[0].written)


def test_resources_run_beside_each_other_as_their_dependencies_allow() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack(
        "app",
        body(
            Last={**inert(), "DependsOn": ["One", "Two"]},
            One=inert(Seconds=2),
            Two=inert(Seconds=5),
        ),
    )
    world.settle("app")
    began = {
        row.logical_id: round(row.timestamp - START, 1)
        for row in reversed(world.written)
        if row.status == "CREATE_IN_PROGRESS"
    }
    assert (began["One"], began["Two"], began["Last"]) == (0.2, 0.2, 5.2)


def test_events_can_come_late_twice_or_never() -> None:
    def visible(row: StackEventRow) -> tuple[float, ...]:
        if row.reason:
            return () if row.logical_id == "A" else (0.0,)
        return (0.0, 30.0) if row.status == "CREATE_COMPLETE" else (0.0,)

    world = SimulatedAccount(visible=visible)
    world.stacks.create_stack("app", body(A=inert()))
    world.wait(10)
    once = ["stack CREATE_IN_PROGRESS User Initiated", "A CREATE_IN_PROGRESS", "A CREATE_COMPLETE"]
    assert world.lines("app") == [*once, "stack CREATE_COMPLETE"]
    world.wait(30)
    assert world.lines("app")[4:] == ["A CREATE_COMPLETE", "stack CREATE_COMPLETE"]


def test_a_lag_hides_an_event_for_its_time() -> None:
    world = SimulatedAccount(event_lag=4.0)
    world.stacks.create_stack("app", body(A=inert()))
    world.wait(3.9)
    assert world.lines("app") == []
    world.wait(0.2)
    assert world.lines("app") == ["stack CREATE_IN_PROGRESS User Initiated"]


def test_a_listener_can_act_at_the_very_time_of_an_event() -> None:
    world = SimulatedAccount()
    world.put(alias("old.cloudfront.net"))

    def edit(row: StackEventRow) -> None:
        if (row.logical_id, row.status) == ("Dns", "CREATE_IN_PROGRESS") and not row.reason:
            world.put(alias("old.cloudfront.net"), "DELETE")

    world.stacks.on_event.append(edit)
    world.stacks.create_stack("app", body(Dns=resource(alias())))
    assert world.settle("app") == "CREATE_COMPLETE"
    assert [attempt.outcome for attempt in world.stacks.attempts] == ["created"]


# Failures and turning back


def test_a_failed_create_cancels_the_others_and_deletes_what_was_created() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack(
        "app",
        body(
            Dns=resource(alias()),
            Bad={**inert(Fail="no"), "DependsOn": "Dns"},
            Slow=inert(Seconds=100),
            Never={**inert(), "DependsOn": "Bad"},
        ),
    )
    assert world.settle("app") == "ROLLBACK_COMPLETE"
    assert world.standing() == []
    lines = world.lines("app")
    at = lines.index("Bad CREATE_FAILED no")
    assert lines[at : at + 3] == [
        "Bad CREATE_FAILED no",
        "Slow CREATE_FAILED Resource creation cancelled",
        (
            "stack ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Bad, Slow]. "
            "Rollback requested by user."
        ),
    ]
    assert lines[-3:] == [
        "Dns DELETE_IN_PROGRESS",
        "Dns DELETE_COMPLETE",
        "stack ROLLBACK_COMPLETE",
    ]
    assert not any(line.startswith("Never") for line in lines)


def test_a_failed_update_deletes_the_new_record_in_the_clean_up_and_changes_the_old_back() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(A=inert()))
    world.settle("app")
    world.stacks.update_stack(
        "app",
        body(
            A=inert(version=2),
            Dns=resource(alias()),
            Bad={**inert(Fail="no"), "DependsOn": "Dns"},
        ),
    )
    assert world.settle("app") == "UPDATE_ROLLBACK_COMPLETE"
    assert world.standing() == []
    lines = world.lines("app")
    at = lines.index("Bad CREATE_FAILED no")
    assert lines[at + 1 :] == [
        "stack UPDATE_ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Bad]. ",
        "A UPDATE_IN_PROGRESS",
        "A UPDATE_COMPLETE",
        "stack UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "Bad DELETE_COMPLETE",
        "Dns DELETE_IN_PROGRESS",
        "Dns DELETE_COMPLETE",
        "stack UPDATE_ROLLBACK_COMPLETE",
    ]
    stack = world.stacks.get("app")
    assert list(stack.resources) == ["A"]
    assert stack.resources["A"].properties == {"Version": "1"}


def test_a_record_that_failed_because_it_exists_is_not_deleted_by_the_rollback() -> None:
    world = SimulatedAccount()
    world.put(plain())
    world.stacks.create_stack("app", body(Dns=resource(alias())))
    assert world.settle("app") == "ROLLBACK_COMPLETE"
    assert world.standing() == [plain().describe()]
    assert world.lines("app")[-2:] == ["Dns DELETE_COMPLETE", "stack ROLLBACK_COMPLETE"]


def test_a_record_to_retain_outlives_the_rollback() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack(
        "app",
        body(
            Dns=resource(alias(), DeletionPolicy="Retain"),
            Bad={**inert(Fail="no"), "DependsOn": "Dns"},
        ),
    )
    assert world.settle("app") == "ROLLBACK_COMPLETE"
    assert world.standing() == [alias().describe()]
    assert "Dns DELETE_SKIPPED" in world.lines("app")


def test_an_adopted_record_is_deleted_by_the_rollback() -> None:
    world = SimulatedAccount()
    world.put(alias())
    world.stacks.create_stack(
        "app", body(Dns=resource(alias()), Bad={**inert(Fail="no"), "DependsOn": "Dns"})
    )
    assert world.settle("app") == "ROLLBACK_COMPLETE"
    assert world.standing() == []


def test_a_rollback_of_a_create_can_fail() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack(
        "app",
        body(
            A=inert(Fail="stuck", FailOn="rollback"),
            Bad={**inert(Fail="no"), "DependsOn": "A"},
        ),
    )
    assert world.settle("app") == "ROLLBACK_FAILED"
    assert world.stacks.get("app").reason == ("The following resource(s) failed to delete: [A]. ")


def test_a_rollback_of_an_update_can_fail_and_be_continued_to_the_deletion_of_the_record() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(A=inert(), Child=nested(B=inert())))
    world.settle("app")
    world.stacks.update_stack(
        "app",
        body(
            A=inert(version=2, Fail="stuck", FailOn="rollback"),
            Child=nested(
                B=inert(version=2, Fail="stuck", FailOn="rollback"), Dns=resource(alias())
            ),
            Bad={**inert(Fail="no"), "DependsOn": ["A", "Child"]},
        ),
    )
    assert world.settle("app") == "UPDATE_ROLLBACK_FAILED"
    assert world.standing() == [alias().describe()]
    world.stacks.continue_update_rollback("app")
    assert world.settle("app") == "UPDATE_ROLLBACK_COMPLETE"
    assert world.standing() == []


@pytest.mark.parametrize("first", [True, False])
def test_the_account_can_let_every_rollback_fail(*, first: bool) -> None:
    world = SimulatedAccount(fail_rollback="denied")
    if not first:
        world.stacks.create_stack("app", body(A=inert()))
        world.settle("app")
    template = body(A=inert(), Bad=inert(Fail="no"))
    (world.stacks.create_stack if first else world.stacks.update_stack)("app", template)
    assert world.settle("app") == ("ROLLBACK_FAILED" if first else "UPDATE_ROLLBACK_FAILED")
    assert world.stacks.get("app").reason == "denied"
    if not first:
        world.stacks.continue_update_rollback("app")
        assert world.settle("app") == "UPDATE_ROLLBACK_COMPLETE"


def test_without_rollback_a_failure_is_where_it_ends_and_an_update_may_follow() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(A=inert(Fail="no")), disable_rollback=True)
    assert world.settle("app") == "CREATE_FAILED"
    world.stacks.update_stack("app", body(A=inert()))
    assert world.settle("app") == "UPDATE_COMPLETE"


def test_a_cancelled_update_turns_back_and_leaves_the_manual_record() -> None:
    world = SimulatedAccount()
    world.put(alias("old.cloudfront.net"))
    world.stacks.create_stack("app", body(A=inert()))
    world.settle("app")
    world.stacks.update_stack("app", body(A=inert(), Child=nested(Dns=resource(alias()))))
    world.wait(3)
    world.stacks.cancel_update("app")
    assert world.settle("app") == "UPDATE_ROLLBACK_COMPLETE"
    assert "Child CREATE_FAILED Resource creation cancelled" in world.lines("app")
    world.wait()
    assert world.standing() == [alias("old.cloudfront.net").describe()]
    assert {row.status for row in world.written if row.logical_id == "Dns"} == {
        "CREATE_IN_PROGRESS",
        "CREATE_FAILED",
        "DELETE_COMPLETE",
    }


# Updates


def test_nothing_to_update_is_refused_in_awss_words() -> None:
    world = SimulatedAccount()
    template = body(A=inert(), Child=nested(B=inert()))
    world.stacks.create_stack("app", template)
    world.settle("app")
    with pytest.raises(ApiFault, match=r"No updates are to be performed\.") as refused:
        world.stacks.update_stack("app", template)
    assert refused.value.code == "ValidationError"


def test_a_busy_stack_cannot_be_updated() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(A=inert()))
    with pytest.raises(ApiFault, match=r"is in CREATE_IN_PROGRESS state and can not be updated"):
        world.stacks.update_stack("app", body(A=inert(version=2)))


def test_a_stack_that_exists_cannot_be_created_and_one_that_does_not_cannot_be_updated() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(A=inert()))
    with pytest.raises(ApiFault, match=r"Stack \[app\] already exists") as refused:
        world.stacks.create_stack("app", body(A=inert()))
    assert refused.value.code == "AlreadyExistsException"
    with pytest.raises(ApiFault, match=r"Stack \[other\] does not exist"):
        world.stacks.update_stack("other", body(A=inert()))


def test_a_new_logical_id_for_a_record_leaves_no_record() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(Old=resource(alias())))
    world.settle("app")
    world.stacks.update_stack("app", body(New=resource(alias())))
    assert world.settle("app") == "UPDATE_COMPLETE"
    assert world.standing() == []
    lines = world.lines("app")
    at = lines.index("stack UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    assert lines[at - 1] == "New CREATE_COMPLETE"
    assert lines[at + 1 :] == [
        "Old DELETE_IN_PROGRESS",
        "Old DELETE_COMPLETE",
        "stack UPDATE_COMPLETE",
    ]


def test_the_clean_up_tries_a_delete_three_times_and_then_leaves_it() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(Old=resource(alias()), A=inert()))
    world.settle("app")
    world.put(alias("edited.cloudfront.net"), "UPSERT")
    world.stacks.update_stack("app", body(A=inert()))
    assert world.settle("app") == "UPDATE_COMPLETE"
    failed = [line for line in world.lines("app") if line.startswith("Old DELETE_FAILED")]
    assert len(failed) == 3
    assert "do not match the current values" in failed[0]
    assert world.standing() == [alias("edited.cloudfront.net").describe()]


def test_a_record_is_changed_in_place_and_replaced_under_another_name() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(Dns=resource(plain())))
    world.settle("app")
    world.stacks.update_stack("app", body(Dns=resource(plain("CNAME", "a.example.net"))))
    assert world.settle("app") == "UPDATE_COMPLETE"
    assert world.standing() == [plain("CNAME", "a.example.net").describe()]
    moved = resource(plain("CNAME", "a.example.net"))
    moved["Properties"]["Name"] = "web.example.com"
    world.stacks.update_stack("app", body(Dns=moved))
    assert world.settle("app") == "UPDATE_COMPLETE"
    assert (world.standing(), len(world.standing("web.example.com"))) == ([], 1)


def test_a_replacement_that_fails_leaves_the_old_record() -> None:
    world = SimulatedAccount()
    world.put(RecordSet(name="web.example.com", type="A", ttl=60, values=("192.0.2.7",)))
    world.stacks.create_stack("app", body(Dns=resource(plain())))
    world.settle("app")
    moved = resource(plain())
    moved["Properties"]["Name"] = "web.example.com"
    world.stacks.update_stack("app", body(Dns=moved))
    assert world.settle("app") == "UPDATE_ROLLBACK_COMPLETE"
    assert (len(world.standing()), len(world.standing("web.example.com"))) == (1, 1)
    assert world.stacks.get("app").resources["Dns"].physical_id == "www.example.com"


# Nested stacks


def children(world: SimulatedAccount, name: str) -> dict[str, str]:
    """The ids of a stack's nested stacks, by logical id."""
    return {
        key: each.child.stack_id
        for key, each in world.stacks.get(name).resources.items()
        if each.child is not None
    }


def test_a_nested_stack_has_its_own_stream_and_the_parent_names_it_with_its_second_event() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(Child=nested(Dns=resource(alias()))), token=OPERATION)
    assert world.settle("app") == "CREATE_COMPLETE"
    child = children(world, "app")["Child"]
    assert world.lines("app") == [
        "stack CREATE_IN_PROGRESS User Initiated",
        "Child CREATE_IN_PROGRESS",
        "Child CREATE_IN_PROGRESS Resource creation Initiated",
        "Child CREATE_COMPLETE",
        "stack CREATE_COMPLETE",
    ]
    assert [row.physical_id for row in world.written if row.logical_id == "Child"] == [
        "",
        child,
        child,
    ]
    assert world.lines(child)[0] == "stack CREATE_IN_PROGRESS"
    assert world.lines(child)[-1] == "stack CREATE_COMPLETE"
    assert {row.token for row in world.stacks.events(child)} == {OPERATION}
    nested_stack = world.stacks.get(child)
    assert nested_stack.parent is not None
    assert nested_stack.root.name == "app"


def test_an_update_touches_every_nested_stack() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(Same=nested(B=inert()), A=inert()))
    world.settle("app")
    before = len(world.written)
    world.stacks.update_stack("app", body(Same=nested(B=inert()), A=inert(version=2)))
    assert world.settle("app") == "UPDATE_COMPLETE"
    child = children(world, "app")["Same"]
    assert [row.status for row in world.written[before:] if row.stack_id == child] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_COMPLETE",
    ]
    assert [row.status for row in world.written[before:] if row.logical_id == "Same"] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_COMPLETE",
        "UPDATE_COMPLETE",
    ]


def test_a_nested_stacks_record_is_only_deleted_once_the_root_has_succeeded() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(Child=nested(Dns=resource(alias()), B=inert())))
    world.settle("app")
    world.stacks.update_stack(
        "app",
        body(Child=nested(B=inert()), Bad={**inert(Fail="no", Seconds=50), "DependsOn": "Child"}),
    )
    assert world.settle("app") == "UPDATE_ROLLBACK_COMPLETE"
    assert world.standing() == [alias().describe()]
    world.stacks.update_stack("app", body(Child=nested(B=inert())))
    assert world.settle("app") == "UPDATE_COMPLETE"
    assert world.standing() == []


def test_a_failure_in_a_nested_stack_rolls_its_parent_back() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(A=inert()))
    world.settle("app")
    world.put(plain())
    bad = body(A=inert(version=2), Child=nested(B=inert(), Dns=resource(plain())))
    world.stacks.update_stack("app", bad)
    assert world.settle("app") == "UPDATE_ROLLBACK_COMPLETE"
    failed = next(
        row for row in world.written if row.status == "CREATE_FAILED" and row.logical_id == "Child"
    )
    assert failed.reason.startswith("Embedded stack arn:aws:cloudformation:us-east-1:")
    assert (
        "was not successfully created: The following resource(s) failed to create: [Dns"
        in failed.reason
    )
    assert world.standing() == [plain().describe()]
    assert world.stacks.get(failed.physical_id).status == "DELETE_COMPLETE"


def test_a_failed_update_of_a_nested_stack_rolls_both_back() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(Child=nested(B=inert())))
    world.settle("app")
    world.put(plain())
    world.stacks.update_stack(
        "app", body(Child=nested(B=inert(version=2), Dns=resource(plain())), A=inert())
    )
    assert world.settle("app") == "UPDATE_ROLLBACK_COMPLETE"
    child = children(world, "app")["Child"]
    assert world.stacks.get(child).status == "UPDATE_ROLLBACK_COMPLETE"
    assert any(
        "was not successfully updated. Currently in UPDATE_ROLLBACK_IN_PROGRESS with reason: "
        in line
        for line in world.lines("app")
    )
    assert world.stacks.get(child).resources["B"].properties == {"Version": "1"}


def test_outputs_and_parameters_go_between_nested_stacks() -> None:
    world = SimulatedAccount()
    world.stacks.put_template(
        "https://s3/dns.json",
        {
            "Parameters": {"Target": {"Type": "String"}},
            "Resources": {"Dns": resource(alias())},
            "Outputs": {"Given": {"Value": {"Ref": "Target"}}},
        },
    )
    cdn = nested(Cdn={"Type": "AWS::CloudFront::Distribution"})
    cdn["Metadata"]["Simulation"]["Template"]["Outputs"] = {
        "Domain": {"Value": {"Fn::GetAtt": ["Cdn", "DomainName"]}}
    }
    template = {
        "Resources": {
            "Dns": {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {
                    "TemplateURL": "https://s3/dns.json",
                    "Parameters": {"Target": {"Fn::GetAtt": ["Cdn", "Outputs.Domain"]}},
                },
            },
            "Cdn": cdn,
        },
        "Outputs": {"Given": {"Value": {"Fn::GetAtt": "Dns.Outputs.Given"}}},
    }
    world.stacks.create_stack("app", template)
    assert world.settle("app") == "CREATE_COMPLETE"
    given = world.stacks.get("app").outputs["Given"]
    assert given.endswith(".cloudfront.net")


def test_a_nested_stack_without_a_template_fails() -> None:
    world = SimulatedAccount()
    child = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://none"}}
    world.stacks.create_stack("app", body(Child=child))
    assert world.settle("app") == "ROLLBACK_COMPLETE"
    assert "Child CREATE_FAILED S3 error: no template has been put under https://none" in (
        world.lines("app")
    )


# Deleting


def test_a_deleted_stack_takes_its_records_and_children_along_and_is_found_by_its_id_only() -> None:
    world = SimulatedAccount()
    stack = world.stacks.create_stack("app", body(A=inert(), Child=nested(Dns=resource(alias()))))
    world.settle("app")
    assert world.stacks.owner("www.example.com") is not None
    world.stacks.delete_stack("app")
    world.wait()
    assert stack.status == "DELETE_COMPLETE"
    assert world.standing() == []
    assert world.stacks.owner("www.example.com") is None
    assert world.stacks.find("app") is None
    assert next(world.stacks.events(stack.stack_id)).status == "DELETE_COMPLETE"


def test_a_resource_that_cannot_be_deleted_keeps_the_stack_and_what_it_depends_on() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack(
        "app", body(A=inert(), B={**inert(Fail="held", FailOn="delete"), "DependsOn": "A"})
    )
    world.settle("app")
    world.stacks.delete_stack("app")
    assert world.settle("app") == "DELETE_FAILED"
    statuses = {key: each.status for key, each in world.stacks.get("app").resources.items()}
    assert statuses == {"A": "CREATE_COMPLETE", "B": "DELETE_FAILED"}


def test_a_stack_can_be_deleted_while_it_is_being_created() -> None:
    world = SimulatedAccount()
    world.put(alias("old.cloudfront.net"))
    stack = world.stacks.create_stack("app", body(Dns=resource(alias())))
    world.wait(3)
    world.stacks.delete_stack("app")
    world.wait()
    assert stack.status == "DELETE_COMPLETE"
    assert world.standing() == [alias("old.cloudfront.net").describe()]


def properties_of(world: SimulatedAccount, name: str) -> Mapping[str, Any]:
    return {key: each.properties for key, each in world.stacks.get(name).resources.items()}


def test_a_failed_update_without_rollback_stays_as_it_is() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(A=inert()))
    world.settle("app")
    world.stacks.update_stack(
        "app",
        body(A=inert(version=2), Bad={**inert(Fail="no"), "DependsOn": "A"}),
        disable_rollback=True,
    )
    assert world.settle("app") == "UPDATE_FAILED"
    assert properties_of(world, "app")["A"] == {"Version": "2"}


def test_a_record_that_is_gone_already_does_not_keep_its_stack_from_being_deleted() -> None:
    world = SimulatedAccount()
    stack = world.stacks.create_stack("app", body(Dns=resource(alias())))
    world.settle("app")
    world.put(alias(), "DELETE")
    world.stacks.delete_stack("app")
    world.wait()
    assert stack.status == "DELETE_COMPLETE"


def test_a_record_that_another_writer_changed_keeps_its_stack_from_being_deleted() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(Dns=resource(alias())))
    world.settle("app")
    world.put(alias("edited.cloudfront.net"), "UPSERT")
    world.stacks.delete_stack("app")
    assert world.settle("app") == "DELETE_FAILED"
    assert world.standing() == [alias("edited.cloudfront.net").describe()]


def test_a_record_without_values_fails() -> None:
    wanted = resource(plain())
    del wanted["Properties"]["ResourceRecords"]
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(Dns=wanted))
    assert world.settle("app") == "ROLLBACK_COMPLETE"


def test_a_reference_to_a_resource_that_a_condition_leaves_out_fails_what_refers_to_it() -> None:
    template = body(
        Out={**inert(), "Condition": "Never"},
        A={"Type": "T", "Properties": {"Other": {"Ref": "Out"}}},
    )
    template["Conditions"] = {"Never": {"Fn::Equals": ["a", "b"]}}
    world = SimulatedAccount()
    world.stacks.create_stack("app", template)
    assert world.settle("app") == "ROLLBACK_COMPLETE"
    assert any("Unresolved resource dependencies [Out]" in line for line in world.lines("app"))


def test_a_resource_may_begin_to_refer_to_one_that_is_new() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(A=inert()))
    world.settle("app")
    template = body(A={**inert(), "Properties": {"Other": {"Ref": "B"}}}, B=inert())
    template["Outputs"] = {"B": {"Value": {"Ref": "B"}}}
    world.stacks.update_stack("app", template)
    assert world.settle("app") == "UPDATE_COMPLETE"
    made = world.stacks.get("app").resources["B"].physical_id
    assert properties_of(world, "app")["A"] == {"Other": made}
    assert world.stacks.get("app").outputs == {"B": made}


def test_a_changed_type_fails_the_update_and_leaves_the_resource() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(Dns=resource(alias())))
    world.settle("app")
    world.stacks.update_stack("app", body(Dns=inert()))
    assert world.settle("app") == "UPDATE_ROLLBACK_COMPLETE"
    assert world.standing() == [alias().describe()]


def test_a_replaced_resource_is_deleted_in_the_clean_up_unless_its_policy_keeps_it() -> None:
    for policy, last in (("Delete", "A DELETE_COMPLETE"), ("Retain", "A DELETE_SKIPPED")):
        world = SimulatedAccount()
        world.stacks.create_stack("app", body(A={**inert(), "UpdateReplacePolicy": policy}))
        world.settle("app")
        before = world.stacks.get("app").resources["A"]
        world.stacks.update_stack("app", body(A=inert(version=2, Replace=True)))
        assert world.settle("app") == "UPDATE_COMPLETE"
        assert world.lines("app")[-2] == last
        assert world.stacks.get("app").resources["A"].physical_id != before.physical_id


@pytest.mark.parametrize("is_nested", [True, False])
def test_a_cancelled_creation_never_writes_a_record_afterwards(*, is_nested: bool) -> None:
    world = SimulatedAccount()
    world.put(alias("old.cloudfront.net"))
    world.stacks.create_stack("app", body(A=inert()))
    world.settle("app")
    wanted = {"Dns": resource(alias())}
    update = body(A=inert(), Child=nested(**wanted)) if is_nested else body(A=inert(), **wanted)
    world.stacks.update_stack("app", update)
    world.wait(3)
    world.stacks.cancel_update("app")
    world.put(alias("old.cloudfront.net"), "DELETE")
    world.wait()
    assert world.stacks.get("app").status == "UPDATE_ROLLBACK_COMPLETE"
    assert world.standing() == []
    assert [applied.by for applied in world.zones.history] == ["test", "test"]


def test_a_record_that_was_rolled_back_has_no_owner() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack(
        "app", body(Dns=resource(alias()), Bad={**inert(Fail="no"), "DependsOn": "Dns"})
    )
    assert world.settle("app") == "ROLLBACK_COMPLETE"
    assert world.stacks.get("app").resources["Dns"].physical_id == "www.example.com"
    assert world.stacks.owner("www.example.com") is None


def test_a_child_whose_own_turning_back_ended_first_is_waited_for_no_more() -> None:
    world = SimulatedAccount()
    world.stacks.create_stack("app", body(Child=nested(B=inert()), A=inert()))
    world.settle("app")
    slow = inert(version=2, Seconds=50)
    world.stacks.update_stack("app", body(Child=nested(B=inert(), Bad=inert(Fail="no")), A=slow))
    assert world.settle("app") == "UPDATE_ROLLBACK_COMPLETE"
    child = children(world, "app")["Child"]
    assert world.stacks.get(child).status == "UPDATE_ROLLBACK_COMPLETE"
    own = [row.status for row in world.stacks.events(child) if to_core(row).is_of_stack]
    assert own[:4] == [
        "UPDATE_ROLLBACK_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_IN_PROGRESS",
    ]
    assert list(world.stacks.get(child).resources) == ["B"]
