"""The oracle that judges each DELETE of a simulated run is itself tested: by breaking the program.

Conditions of the release gate are taken out one by one, and DELETEs that the program never decided
are sent in its name. The oracle shares no code with the gate, so it tells each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.simulated_runs.test_faults import BOTH, IDENTICAL, failing, options_for, story
from tests.simulated_runs.test_refusals import own

from route53_takeover.base.errors import UnansweredError
from route53_takeover.core.domain.record_sets import Change
from route53_takeover.core.plan import hold
from route53_takeover.core.status.choices import Act
from route53_takeover.core.takeover import release_gate
from route53_takeover.core.takeover.release_gate import Condition
from route53_takeover.runtime.inventory import Found, Inventory
from route53_takeover.simulation.aws.account import MAIN, TWIN
from route53_takeover.simulation.aws.cloudformation.record_handler import Case, Mode
from route53_takeover.simulation.aws.route53.zones import ZoneError
from route53_takeover.simulation.chaos.fault_injection import FaultKind, InjectedFault
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.harness import InjectionPoint
from route53_takeover.simulation.chaos.release_oracle import Ground
from route53_takeover.simulation.chaos.runner import rehearse_once
from route53_takeover.simulation.chaos.transport import TAKEOVER, FaultRates, Storm, Transport
from route53_takeover.simulation.scenarios import (
    SCENARIOS,
    alias,
    alias_resource,
    cname,
    cname_resource,
    in_zone,
    site_account,
    site_template,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.simulation.aws.cloudformation.stacks import StackEventRow
    from route53_takeover.simulation.chaos.harness import Harness
    from route53_takeover.simulation.scenarios import Scenario

ALIAS, ADOPTED = SCENARIOS["alias"], SCENARIOS["adopted"]
GROUNDS = frozenset(Ground)


def grounds(
    scenario: Scenario,
    *injected: InjectedFault,
    begin: Callable[[Harness], None] = lambda _: None,
    **options: Any,
) -> AbstractSet[str]:
    """What the releases of a run lacked."""
    rehearsal = rehearse_once(
        scenario,
        "oracle",
        Faults(injected=injected),
        options=options_for(scenario, deploy_timeout=200.0, **options),
        begin=begin,
    )
    return GROUNDS.intersection(rehearsal.broken)


# -- the gate without one of its conditions


def no_answers(operation: str) -> Callable[[Harness], None]:
    """Half a second after the create began, nothing that is asked so is answered any more."""

    def fail(harness: Harness) -> None:
        error = lambda op: UnansweredError("timed out", operation=op)  # noqa: E731
        until = harness.clock.true() + 60.0
        harness.transport.storms.append(Storm(until=until, only=operation, error=error))

    return lambda harness: harness.on(
        InjectionPoint.CREATING, lambda: harness.later(0.8, lambda: fail(harness))
    )


def turns_back_unseen(scenario: Scenario) -> Scenario:
    """The stack says that it rolls back; that the record's create was cancelled comes late."""

    def visible(row: StackEventRow) -> list[float]:
        return [60.0] if (row.logical_id, row.status) == ("DnsRecord", "CREATE_FAILED") else [0.0]

    account = scenario.account
    return replace(
        scenario,
        account=replace(account, config=replace(account.config, visible=visible)),
    )


def the_other_zone_first() -> Scenario:
    """The private zone's record is being created for a minute before the public one is."""
    slow = {"Type": "AWS::Logs::LogGroup", "Metadata": {"Simulation": {"Seconds": 60}}}
    record = {**in_zone(alias_resource("d1new"), MAIN), "DependsOn": "Slow"}
    template = site_template(
        record,
        Twin=in_zone(alias_resource("d1new"), TWIN),
        Slow={**slow, "Condition": "Enabled"},
    )
    account = site_account(template=template, modes={Case.ALIAS_DIFFERS: Mode.RETRY})
    return story("the other zone first", replace(account, twin=True))


def in_the_other_zone(harness: Harness) -> None:
    harness.world.zones.change(TWIN, [("CREATE", alias("d1old"))], by="a person")


WITHOUT: dict[str, tuple[frozenset[Condition], Ground, Callable[[], AbstractSet[str]]]] = {
    "the hold": (frozenset({Condition.HOLD}), Ground.HELD, lambda: grounds(ALIAS)),
    "a stack that goes forward": (
        frozenset({Condition.FORWARD, Condition.EVENTS}),  # it is polled slowly once it turns back
        Ground.FORWARD,
        lambda: grounds(
            turns_back_unseen(
                story(
                    "turns back",
                    site_account(
                        template=site_template(alias_resource("d1new"), Permission=failing(5))
                    ),
                )
            ),
            hold=5.5,
        ),
    ),
    "no protection": (
        frozenset({Condition.UNPROTECTED}),
        Ground.UNPROTECTED,
        lambda: grounds(
            story("reserved", site_account(existing=cname(60))),
            begin=lambda harness: harness.on(
                InjectionPoint.PROVE,
                lambda: harness.world.zones.protect(MAIN, "www.example.com", "A"),
            ),
            hold=20.0,
        ),
    ),
    "fresh events": (
        frozenset({Condition.EVENTS}),
        Ground.POLLED,
        lambda: grounds(ALIAS, begin=no_answers("DescribeStackEvents"), hold=20.0),
    ),
    "a fresh read": (
        frozenset({Condition.READ}),
        Ground.READ,
        lambda: grounds(ALIAS, begin=no_answers("ListResourceRecordSets"), hold=20.0),
    ),
    "a confirmation": (
        frozenset({Condition.CONFIRMATION}),
        Ground.CONFIRMED,
        lambda: grounds(ALIAS, confirm_release=True),
    ),
    "a run that is not paused": (
        frozenset({Condition.NOT_PAUSED}),
        Ground.WANTED,
        lambda: grounds(
            ALIAS,
            InjectedFault(
                deed=FaultKind.KEYS, act=Act.PAUSE, cue=InjectionPoint.CREATING, seconds=30.0
            ),
        ),
    ),
    "the zone": (
        frozenset({Condition.ZONE}),
        Ground.CREATING,
        lambda: grounds(the_other_zone_first(), begin=in_the_other_zone, zone=MAIN),
    ),
}


@pytest.mark.parametrize("what", WITHOUT)
def test_the_oracle_reports_a_condition_that_the_gate_leaves_out(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    conditions, ground, run = WITHOUT[what]
    assert run() == set(), "with every condition it is well"
    left_out: set[Condition] = set()
    unmet = release_gate._unmet

    def without(*args: Any) -> Iterator[Condition]:
        for condition in unmet(*args):
            if condition in conditions:
                left_out.add(condition)
            else:
                yield condition

    monkeypatch.setattr(release_gate, "_unmet", without)
    assert ground in run()
    assert left_out, "the gate never had these conditions unmet: correct this test"


def test_the_oracle_reports_an_adoption_that_the_gate_does_not_wait_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = site_account(existing=alias("d1new"))
    records = replace(account.config.records, listing_seconds=3.0, insync_seconds=60.0)
    account = replace(account, config=replace(account.config, records=records))
    scenario = story("slow adoption", account)
    assert grounds(scenario) == set()
    monkeypatch.setattr(release_gate, "_is_disowned", lambda *_: True)
    assert Ground.UNTAKEN in grounds(scenario)


def test_the_oracle_reports_a_hold_that_is_too_short_for_an_identical_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert grounds(IDENTICAL) == set()
    monkeypatch.setattr(release_gate, "OTHER_HOLD", 2.0)
    monkeypatch.setattr(hold, "OTHER_HOLD", 2.0)
    assert grounds(IDENTICAL) == {Ground.HELD}


def test_the_oracle_reports_a_record_of_another_stack_that_the_inventory_overlooks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def blind(*_: object, **__: object) -> Found:
        return Found()

    account = replace(
        site_account(), existing=(), others={"legacy": {"Resources": {"Old": own(MAIN)}}}
    )
    monkeypatch.setattr(Inventory, "beside", blind)
    assert Ground.UNOWNED in grounds(story("another's", account))


# -- DELETEs that nothing decided


def rogue(
    cue: InjectionPoint, record: RecordSet, *, after: float = 0.0
) -> Callable[[Harness], None]:
    """A DELETE in the run's name that the machine knows nothing of."""

    def send(harness: Harness) -> None:
        transport = Transport(harness.world, harness.clock, harness.rng, FaultRates(), by=TAKEOVER)
        transport.arrivals = harness.transport.arrivals
        now = harness.world.timeline.now
        try:
            transport._arrive(MAIN, [Change.delete(record)], "route53-takeover rogue", now)
        except ZoneError:
            return

    def begin(harness: Harness) -> None:
        harness.on(cue, lambda: harness.after(after, lambda: send(harness)))

    return begin


SIX = replace(alias("d1old"), type="AAAA")
TO_CNAME = story(
    "both to a CNAME",
    replace(
        site_account(
            template=site_template(cname_resource()), modes={Case.ALIAS_DIFFERS: Mode.RETRY}
        ),
        existing=(alias("d1old"), SIX),
    ),
)
NEVER = SCENARIOS["never-created"]


@pytest.mark.parametrize(
    ("scenario", "begin", "ground"),
    [
        (ALIAS, rogue(InjectionPoint.PROVE, alias("d1old"), after=0.5), Ground.CREATING),
        (ALIAS, rogue(InjectionPoint.CREATING, alias("d1old"), after=0.1), Ground.HELD),
        (ALIAS, rogue(InjectionPoint.RELEASE, alias("d1new"), after=0.0), Ground.PLANNED),
        (ADOPTED, rogue(InjectionPoint.INITIATED, alias("d1new"), after=3.0), Ground.UNTAKEN),
        (ALIAS, rogue(InjectionPoint.COMPLETE, alias("d1new"), after=9.0), Ground.CREATING),
        (NEVER, rogue(InjectionPoint.RESTORE, alias("d1old"), after=2.0), Ground.ONCE),
        (TO_CNAME, rogue(InjectionPoint.CREATING, SIX, after=9.9), Ground.ALONE),
    ],
    ids=lambda each: each.name if isinstance(each, Ground) else None,
)
def test_the_oracle_reports_a_delete_that_the_gate_did_not_decide(
    scenario: Scenario, begin: Callable[[Harness], None], ground: Ground
) -> None:
    assert grounds(scenario) == set()
    assert ground in grounds(scenario, begin=begin)


def test_no_release_comes_after_a_request_to_stop() -> None:
    stop = InjectedFault(deed=FaultKind.STOP, cue=InjectionPoint.CREATING, delay=0.5)
    assert grounds(ALIAS, stop, hold=20.0) == set()
    assert Ground.WANTED in grounds(
        ALIAS, stop, hold=20.0, begin=rogue(InjectionPoint.CREATING, alias("d1old"), after=5.0)
    )
    assert grounds(BOTH, replace(stop, cue=InjectionPoint.RELEASE)) == set(), (
        "once one is gone, the others go"
    )
