"""What `restore` does at one name, in the simulated account: what is missing comes first."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import Struct
from msgspec.structs import replace
from tests.simulated_runs.test_refusals import WWW, Case, inside, own

from route53_takeover.base.errors import (
    AccessDeniedError,
    ManualActionRequiredError,
    RefusedError,
    TakeoverError,
    ThrottledError,
    UnansweredError,
)
from route53_takeover.core.domain.creation_order import names_targets_first
from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.plan.model import OwnerCheck
from route53_takeover.runtime.inventory import Inventory
from route53_takeover.runtime.restore import OtherRegions, Place, Rescue, rescue
from route53_takeover.simulation.chaos.cloudformation_port import SimulatedStacks
from route53_takeover.simulation.chaos.route53_port import SimulatedRecords
from route53_takeover.simulation.chaos.transport import FaultRates, Transport, VirtualClock
from route53_takeover.simulation.chaos.virtual_time import VirtualLoop
from route53_takeover.simulation.scenarios import (
    alias,
    cname,
    cname_resource,
    site_account,
    site_template,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from route53_takeover.core.domain.stacks import StackDescription

A, AAAA = alias("d1old"), replace(alias("d1old"), type="AAAA")
TEXT = RecordSet(name=WWW, type="TXT", ttl=300, values=('"x"',))
LOWERED = replace(TEXT, ttl=60)

OTHER = replace(alias("d1other"), type="AAAA")


class Counted(SimulatedStacks):
    """Stacks that count what is asked of them."""

    def __init__(
        self, transport: Transport, case: Case, region: str = "", asked: Counter[str] | None = None
    ) -> None:
        super().__init__(transport, case.abroad, region)
        self._case = case
        self._closed = case.closed
        self.asked: Counter[str] = Counter() if asked is None else asked

    async def stacks(self, found: Callable[[int], None]) -> Sequence[StackDescription]:
        self.asked[self._region or "home"] += 1
        return await super().stacks(found)

    @asynccontextmanager
    async def in_region(self, region: str) -> AsyncIterator[SimulatedStacks]:
        if region in self._closed:
            raise AccessDeniedError(f"{region} is closed")
        async with super().in_region(region):
            there = type(self)(self._transport, self._case, region, self.asked)
            yield there


class Closed(Counted):
    """Stacks that may not be read."""

    async def describe(self, stack: str) -> StackDescription:
        raise AccessDeniedError(f"may not describe {stack}")


class Flaky(Counted):
    """Stacks that do not answer at first."""

    async def stacks(self, found: Callable[[int], None]) -> Sequence[StackDescription]:
        listed = await super().stacks(found)
        if self.asked["home"] <= 5:
            raise UnansweredError("the connection was closed")
        return listed


class Busy(SimulatedRecords):
    """Route 53 that is read, and never takes a change."""

    async def change(self, *_: object) -> str:
        raise ThrottledError("PriorRequestNotComplete")


class Restored(Struct, frozen=True, kw_only=True):
    """What came of each name, what was asked, and what stands at the first."""

    ends: list[Rescue | TakeoverError]
    asked: Counter[str]
    here: set[RecordSet]


def restored(
    case: Case,
    *names: Sequence[RecordSet],
    stacks: type[Counted] = Counted,
    records: type[SimulatedRecords] = SimulatedRecords,
    force: bool = False,
    dry_run: bool = False,
    check: OwnerCheck = OwnerCheck.FULL,
) -> Restored:
    """`restore` in a case's account, of the original record sets of each name."""

    async def one_after_the_other() -> Restored:
        clock = VirtualClock(case.world.timeline.now)
        transport = Transport(case.world, clock, Random("restore"), FaultRates())  # noqa: S311 -- simulated
        account = stacks(transport, case)
        inventory = Inventory(account, clock, region="us-east-1")
        others = OtherRegions(inventory, [originals[0].name for originals in names], check)
        ends: list[Rescue | TakeoverError] = []
        for originals in names:
            try:
                end: Rescue | TakeoverError = await rescue(
                    originals[0].name,
                    originals,
                    place=Place(zone_id=case.zone, zone_name="example.com.", root="shop"),
                    clock=clock,
                    records=records(transport),
                    stacks=account,
                    changed=[replace(r, ttl=60) for r in originals if r.ttl],
                    force=force,
                    by_force="restore RUN --force",
                    dry_run=dry_run,
                    tell=lambda _: None,
                    save=lambda _: None,
                    others=others,
                )
            except TakeoverError as error:
                end = error
            ends.append(end)
        return Restored(ends=ends, asked=account.asked, here=set(case.world.holds(WWW)))

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(one_after_the_other())


def lost(*standing: RecordSet) -> Case:
    """The original is gone, and these stand at the name."""
    case = Case()
    case.world.write([("DELETE", A)])
    case.holds(*standing)
    return case


def owned_by_a_stack() -> tuple[Case, type[Counted], str]:
    case = lost()
    target = {"DNSName": "d1other.cloudfront.net", "HostedZoneId": "Z2FDTNDATAQYW2"}
    case.deploys("legacy", Six=own(Type="AAAA", AliasTarget=target))
    return case, Counted, "stack legacy owns"


def edited_by_another_writer() -> tuple[Case, type[Counted], str]:
    return lost(OTHER), Counted, "neither this run nor a stack created"


def of_unknown_owner() -> tuple[Case, type[Counted], str]:
    return lost(OTHER), Closed, "cannot check whether a stack owns the record there"


@pytest.mark.parametrize(
    "made",
    [owned_by_a_stack, edited_by_another_writer, of_unknown_owner],
    ids=lambda made: made.__name__,
)
def test_what_is_missing_is_created_whatever_stands_beside_it(made: Any) -> None:
    case, stacks, reason = made()
    beside = case.world.holds(WWW)
    (would,) = restored(case, [A, AAAA], stacks=stacks, dry_run=True).ends
    assert isinstance(would, RefusedError)
    assert f"would create {A.describe()}; " in would.message
    assert case.world.holds(WWW) == beside

    done = restored(case, [A, AAAA], stacks=stacks)
    (refused,) = done.ends
    assert isinstance(refused, RefusedError)
    assert f": create {A.describe()} (done); " in refused.message
    assert reason in refused.message
    assert beside[0].describe() in refused.message
    assert refused.hint[:1] not in ("", ";")
    assert [(c.action, c.record) for c in refused.done] == [("CREATE", A)]
    assert done.here == {A, *beside}


def test_what_cannot_be_created_keeps_nothing_else_from_being_put_back() -> None:
    nowhere = inside(WWW, "nowhere.example.com.")
    done = restored(lost(LOWERED), [nowhere, AAAA, TEXT])
    (error,) = done.ends
    assert isinstance(error, ManualActionRequiredError)
    assert f"missing: {nowhere.describe()}" in error.message
    assert done.here == {AAAA, TEXT}
    assert [c.record for c in error.done] == [AAAA, LOWERED, TEXT]

    (hopeless,) = restored(lost(OTHER), [nowhere, AAAA], stacks=Closed).ends
    assert isinstance(hopeless, ManualActionRequiredError), "missing is worse than in the way"


def test_a_ttl_of_our_own_is_put_back_beside_what_may_not_be_replaced() -> None:
    case, stacks, reason = owned_by_a_stack()
    case.holds(LOWERED)
    (owned,) = [record for record in case.world.holds(WWW) if record.type == "AAAA"]
    done = restored(case, [AAAA, TEXT], stacks=stacks)
    (refused,) = done.ends
    assert isinstance(refused, RefusedError)
    assert reason in refused.message
    assert f"then create {TEXT.describe()} (done); " in refused.message
    assert done.here == {owned, TEXT}


@pytest.mark.parametrize(
    ("status", "is_theirs"),
    [
        ("UPDATE_IN_PROGRESS", True),
        ("UPDATE_ROLLBACK_IN_PROGRESS", True),
        ("UPDATE_ROLLBACK_FAILED", True),
        ("UPDATE_ROLLBACK_COMPLETE", False),
    ],
)
def test_what_a_stack_adopted_and_cancelled_is_its_own_until_it_has_rolled_back(
    status: str, is_theirs: bool
) -> None:
    """It looks like the record with a lowered TTL, which a restore puts back otherwise."""
    original = cname(300)
    case = Case(site_account(existing=original, template=site_template(cname_resource())))
    case.world.write([("DELETE", original)])
    case.switch_on()
    (adopted,) = case.world.holds(WWW)
    assert adopted == replace(original, ttl=60)
    stack = case.world.stacks.get("shop")
    stack.status, stack.resources["DnsRecord"].status = status, "CREATE_FAILED"
    done = restored(case, [original])
    assert done.here == ({adopted} if is_theirs else {original})
    assert isinstance(done.ends[0], RefusedError) is is_theirs


def test_other_regions_are_asked_once_and_not_for_a_ttl_of_our_own() -> None:
    def busy(standing: RecordSet) -> Case:
        case = Case(site_account(existing=standing))
        case.deploys_in("eu-west-1", "unrelated", Old=own(name="other.example.com"))
        return case

    api = RecordSet(name="api.example.com.", type="A", ttl=300, values=("192.0.2.7",))
    case = busy(replace(cname(300), values=("elsewhere.example.org",)))
    case.holds(replace(api, values=("192.0.2.8",)))
    edited = restored(case, [cname(300)], [api], records=Busy, force=True)
    assert [type(end) for end in edited.ends] == [ManualActionRequiredError] * 2
    assert edited.asked == {"home": 1, "eu-west-1": 1}, "one inventory serves all of it"

    lowered = restored(busy(cname(60)), [cname(300)], records=Busy)
    assert lowered.asked == {"home": 1}


def test_a_stack_of_another_region_is_known_to_own_what_stands_there() -> None:
    case = lost()
    case.deploys_in("eu-west-1", "legacy", Old=own())
    (refused,) = restored(case, [A], force=True).ends
    assert isinstance(refused, RefusedError)
    assert "stack legacy in eu-west-1 owns" in refused.message


def test_nothing_is_replaced_where_a_region_cannot_be_read_unless_the_run_left_it_out() -> None:
    case = lost(OTHER)
    case.deploys_in("eu-west-1", "unrelated", Old=own(name="other.example.com"))
    case.closed = {"eu-west-1"}
    (refused,) = restored(case, [A, AAAA], force=True).ends
    assert isinstance(refused, RefusedError)
    assert "cannot check whether a stack owns the record there" in refused.message
    assert "eu-west-1 is closed" in refused.message
    assert "delete it by hand" in refused.hint
    assert set(case.world.holds(WWW)) == {A, OTHER}, "what was missing is there"
    left_out = restored(case, [A, AAAA], force=True, check=OwnerCheck.REGION)
    assert left_out.here == {A, AAAA}


def test_stacks_that_do_not_answer_at_first_are_asked_again() -> None:
    done = restored(lost(OTHER), [A, AAAA], stacks=Flaky, force=True)
    assert done.here == {A, AAAA}
    assert done.asked["home"] == 6


@pytest.mark.parametrize("kind", ["TXT", "AAAA"])
def test_a_group_of_the_stack_is_recognised_by_its_records(kind: str) -> None:
    case = lost()
    values = {"Type": kind, "TTL": "60", "ResourceRecords": ['"x"' if kind == "TXT" else "::1"]}
    entry = {"Name": "www.example.com", **values}
    group = {"HostedZoneId": case.zone, "RecordSets": [entry]}
    case.deploys("others", Names={"Type": "AWS::Route53::RecordSetGroup", "Properties": group})
    if kind == "TXT":
        case.holds(OTHER)
    (end,) = restored(case, [AAAA], force=True).ends
    assert isinstance(end, RefusedError) is (kind == "AAAA")


def test_an_alias_is_put_back_after_its_target() -> None:
    """Route 53 creates no alias whose target is absent."""
    first, second = inside("aaa.example.com.", "bbb.example.com."), inside("bbb.example.com.", WWW)
    round_about = inside("ccc.example.com.", "aaa.example.com.")
    names = names_targets_first([round_about, first, second, A, AAAA])
    assert names == [WWW, "bbb.example.com.", "aaa.example.com.", "ccc.example.com."]
    circle = [first, inside("bbb.example.com.", "aaa.example.com.")]
    assert names_targets_first(circle) == ["aaa.example.com.", "bbb.example.com."]
