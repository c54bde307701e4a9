"""What a plan refuses, found by the real preflight in the simulated account.

Every case changes one thing about an account in which nothing is wrong, and is read through the
ports. In each the plan says what, where and the way out, and not one batch is sent.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from route53_takeover.base.errors import (
    AccessDeniedError,
    CredentialsError,
    RefusedError,
    UnansweredError,
)
from route53_takeover.core.domain.record_sets import AliasTarget, RecordSet
from route53_takeover.core.endings import Outcome
from route53_takeover.core.plan.facts import Identity
from route53_takeover.core.plan.model import JetsApp, Options, OwnerCheck
from route53_takeover.core.plan.planner import make_plan
from route53_takeover.core.takeover import events as ev
from route53_takeover.runtime.pending_template import PendingSource
from route53_takeover.runtime.preflight import gather
from route53_takeover.simulation.aws.account import SimulatedAccount
from route53_takeover.simulation.aws.cloudformation.record_handler import Case as Situation
from route53_takeover.simulation.aws.cloudformation.record_handler import Mode
from route53_takeover.simulation.aws.cloudformation.stacks import StackConfig, StackStore
from route53_takeover.simulation.chaos.cloudformation_port import SimulatedStacks
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.route53_port import SimulatedRecords
from route53_takeover.simulation.chaos.runner import START, rehearse_once
from route53_takeover.simulation.chaos.transport import FaultRates, Transport, VirtualClock
from route53_takeover.simulation.chaos.virtual_time import VirtualLoop
from route53_takeover.simulation.scenarios import (
    Scenario,
    alias,
    alias_resource,
    cname,
    cname_resource,
    nested_template,
    site_account,
    site_template,
)
from route53_takeover.storage.template_files import read_template_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from route53_takeover.base.errors import TakeoverError
    from route53_takeover.core.domain.stacks import StackDescription
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.core.ports import DeployExit
    from route53_takeover.simulation.aws.account import AccountSetup
    from route53_takeover.simulation.aws.cloudformation.state import Stack
    from route53_takeover.storage.template_files import TemplateFile

WWW = "www.example.com."
ZONE = "ZSIMULATED0001"
NAME_SERVERS = tuple(f"ns-{n}.awsdns.example." for n in range(1, 5))


class Case:
    """An account to make something wrong in, and the plan that comes of it."""

    def __init__(self, account: AccountSetup | None = None) -> None:
        self.world = SimulatedAccount(account or site_account(), seed="refusals", start=START)
        self.abroad: dict[str, StackStore] = {}
        self.closed: set[str] = set()
        self.calls: dict[str, int] = {}
        self.previews: dict[str, Callable[[], DeployExit]] = {}

    @property
    def zone(self) -> str:
        return self.world.zone.zone_id

    def holds(self, *records: RecordSet, zone: str | None = None) -> None:
        """Another writer creates these."""
        for record in records:
            self.world.zones.change(zone or self.zone, [("CREATE", record)], by="a person")

    def edit(self, record: RecordSet) -> None:
        """Another writer replaces what is there with this."""
        self.world.write([("UPSERT", record)])

    def deploys(
        self, name: str, parameters: dict[str, str] | None = None, **resources: dict[str, Any]
    ) -> Stack:
        """Another user creates a stack of these resources, and it is complete."""
        return self._create(self.world.stacks, name, parameters or {}, resources)

    def deploys_in(self, region: str, name: str, **resources: dict[str, Any]) -> Stack:
        """The same in another region."""
        world = self.world
        there = self.abroad.setdefault(
            region,
            StackStore(world.timeline, world.zones, world.rng, config=StackConfig(region=region)),
        )
        return self._create(there, name, {}, resources)

    def exports(self, name: str, value: str) -> None:
        """Another stack exports a value."""
        output = {"Value": value, "Export": {"Name": name}}
        body = {"Resources": {"Nothing": {"Type": "Custom::Nothing"}}, "Outputs": {"It": output}}
        self.world.stacks.create_stack(f"exporting-{name}", body)
        self._settle()

    def switch_on(self) -> None:
        """The stack ``shop`` is deployed with the switch on."""
        self.world.stacks.update_stack(
            "shop", self.world.account.template, {"Route53Enable": "true"}
        )
        self._settle()

    def _create(
        self,
        stacks: StackStore,
        name: str,
        parameters: dict[str, str],
        resources: dict[str, dict[str, Any]],
    ) -> Stack:
        declared = {key: {"Type": "String"} for key in parameters}
        stack = stacks.create_stack(
            name, {"Parameters": declared, "Resources": resources}, parameters
        )
        self._settle()
        assert stack.status == "CREATE_COMPLETE", (stack.status, stack.reason)
        return stack

    def _settle(self) -> None:
        self.world.timeline.advance(self.world.timeline.now + 600)

    def plan(
        self,
        *records: str,
        delegated: Sequence[str] | None = NAME_SERVERS,
        stacks: Callable[[Transport], SimulatedStacks] | None = None,
        takes_all: bool = False,
        **options: Any,
    ) -> Plan:
        """The plan; reading for it writes nothing. ``takes_all``: no record is named."""
        written = len(self.world.zones.history)
        asked = Options(
            **{
                "stack": "shop",
                "records": records or (() if takes_all else (WWW,)),
                "deploy_off": "off",
                "deploy_on": "on",
                **options,
            }
        )
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            plan = runner.run(self._plan(asked, delegated, stacks))
        assert len(self.world.zones.history) == written
        return plan

    async def _plan(
        self,
        options: Options,
        delegated: Sequence[str] | None,
        stacks: Callable[[Transport], SimulatedStacks] | None,
    ) -> Plan:
        clock = VirtualClock(self.world.timeline.now)
        rng = Random(1)  # noqa: S311 -- a simulation, not a secret
        transport = Transport(self.world, clock, rng, FaultRates())

        async def ask(_: str) -> Sequence[str] | None:
            return delegated

        here = stacks(transport) if stacks else SimulatedStacks(transport, self.abroad)
        facts = await gather(
            options,
            clock=clock,
            records=SimulatedRecords(transport),
            stacks=here,
            pending=PendingSource(
                stacks=here,
                change_sets=here,
                clock=clock,
                read_file=_read_file,
                run=self._run_preview,
                tell=lambda _: None,
            ),
            identity=Identity(account="123456789012", arn="arn:aws:iam::123456789012:user/ann"),
            region="us-east-1",
            ask_delegation=ask,
        )
        self.calls = dict(transport.calls)
        return make_plan(facts, options)

    async def _run_preview(self, command: str) -> DeployExit:
        """What a preview command does to the account is in `previews`, by the command."""
        return self.previews[command]()


async def _read_file(path: str) -> TemplateFile:
    return read_template_file(Path(path))


def in_zone(zone_id: str, resource: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The resource without its condition, in the zone of this id."""
    properties = {k: v for k, v in resource["Properties"].items() if k != "HostedZoneName"}
    return {
        "Type": resource["Type"],
        "Properties": {**properties, "HostedZoneId": zone_id, **changes},
    }


def own(zone_id: Any = ZONE, name: Any = "www.example.com", **changes: Any) -> dict[str, Any]:
    """An alias A resource of a stack that is not switched."""
    return in_zone(zone_id, alias_resource("d9other"), Name=name, **changes)


PRIVATE_ZONE = {
    "Type": "AWS::Route53::HostedZone",
    "Properties": {"Name": "example.com", "VPCs": [{"VPCId": "vpc-1", "VPCRegion": "us-east-1"}]},
}


def inside(name: str, target: str, kind: str = "A", zone: str = ZONE) -> RecordSet:
    """An alias to another record set of the zone."""
    return RecordSet(name=name, type=kind, alias=AliasTarget(zone_id=zone, dns_name=target))


def refusal(plan: Plan, *words: str, way_out: str) -> None:
    """The plan has one reason, which says all this, and how to get out."""
    assert len(plan.refusals) == 1, [str(finding) for finding in plan.refusals]
    (finding,) = plan.refusals
    for word in words:
        assert word in finding.text, (word, finding.text)
    assert way_out in finding.hint, finding.hint


def warned(plan: Plan) -> str:
    return "\n".join(str(finding) for finding in plan.warnings)


def test_nothing_is_refused_in_an_account_in_which_nothing_is_wrong() -> None:
    case = Case()
    plan = case.plan()
    assert plan.refusals == ()
    assert plan.keys == {alias("d1old").key}
    assert plan.zone_is_unique
    assert "the stack does not define" not in warned(plan), (
        "the template has it under its condition"
    )
    assert case.calls["cloudformation:ListStacks"] == 1
    assert case.calls["cloudformation:GetTemplate"] == 1, "of the stack itself, and of no other"


# -- owners


def another_stack(case: Case, **changes: Any) -> None:
    case.world.write([("DELETE", alias("d1old"))])
    case.deploys("legacy", Old=own(**changes))


@pytest.mark.parametrize("spelling", ["www.example.com", "www.example.com."])
def test_a_record_of_another_stack_is_refused(spelling: str) -> None:
    case = Case()
    another_stack(case, name=spelling)
    refusal(
        case.plan(),
        "stack legacy owns the A record at www.example.com",
        "(Old)",
        way_out="DeletionPolicy: Retain",
    )


def test_a_record_of_a_stack_in_another_region_is_refused() -> None:
    case = Case()
    case.world.write([("DELETE", alias("d1old"))])
    case.deploys_in("eu-west-1", "legacy", Old=own())
    case.deploys_in("ap-south-1", "unrelated", Old=own(name="other.example.com"))
    refusal(
        case.plan(),
        "stack legacy in eu-west-1 owns the A record at www.example.com",
        way_out="There, set DeletionPolicy: Retain",
    )


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
def test_a_record_that_another_stack_has_let_go_of_has_no_owner(policy: str) -> None:
    case = Case()
    case.world.write([("DELETE", alias("d1old"))])
    case.deploys("legacy", Old={**own(), "DeletionPolicy": policy})
    case.world.stacks.delete_stack("legacy")
    case._settle()
    if policy == "Delete":
        case.holds(alias("d1old"))
    assert case.plan().refusals == ()


class Silent(SimulatedStacks):
    """Stacks whose other regions fail, each in its own way; ``None``: no answer ever comes."""

    def __init__(
        self, transport: Transport, here: StackStore, errors: dict[str, TakeoverError | None]
    ) -> None:
        super().__init__(transport, dict.fromkeys(errors, here))
        self._errors = errors

    @asynccontextmanager
    async def in_region(self, region: str) -> AsyncIterator[SimulatedStacks]:
        error = self._errors[region]
        if error is not None:
            raise error
        await asyncio.sleep(3600)
        yield self


def test_a_region_that_does_not_answer_is_refused_by_name_unless_it_is_left_out() -> None:
    case = Case()
    errors: dict[str, TakeoverError | None] = {
        "ap-east-1": CredentialsError("invalid token", code="InvalidClientTokenId"),
        "ap-south-2": CredentialsError("not known", code="UnrecognizedClientException"),
        "ca-west-1": CredentialsError("the token has expired", code="ExpiredToken"),
        "ca-west-2": CredentialsError("the clock is off", code="RequestTimeTooSkewed"),
        "ca-west-3": CredentialsError("the SSO session has ended"),
        "eu-west-1": AccessDeniedError("denied by an organization's policy"),
        "eu-west-2": UnansweredError("time-out"),
        "eu-west-3": None,
    }
    plan = case.plan(stacks=lambda transport: Silent(transport, case.world.stacks, errors))
    unasked = {f.text.partition(" owns www.example.com in ")[2] for f in plan.refusals}
    assert unasked == {
        "ca-west-1: ExpiredToken: the token has expired.",
        "ca-west-2: RequestTimeTooSkewed: the clock is off.",
        "ca-west-3: the SSO session has ended.",
        "eu-west-1: denied by an organization's policy.",
        "eu-west-2: time-out.",
        "eu-west-3: no answer in 20 s.",
    }, "the first two are not enabled for the account"
    assert all("--owner-check region" in finding.hint for finding in plan.refusals)
    for check in (OwnerCheck.REGION, OwnerCheck.NONE):
        there = case.plan(
            stacks=lambda transport: Silent(transport, case.world.stacks, errors), owner_check=check
        )
        assert there.refusals == ()
        assert f"--owner-check {check}" in warned(there)


def test_what_another_stack_owns_beside_the_record_is_no_reason() -> None:
    case = Case()
    private = case.world.zones.add_zone("example.com", private=True).zone_id
    text = {"Type": "TXT", "TTL": "60", "ResourceRecords": ['"x"']}
    beside = {k: v for k, v in own()["Properties"].items() if k != "AliasTarget"}
    case.deploys("verify", Text={"Type": own()["Type"], "Properties": {**beside, **text}})
    assert case.plan().refusals == ()
    case.deploys_in("eu-west-1", "inner", Inner=own(private))
    assert case.plan().refusals == ()


def test_a_custom_domain_of_that_name_in_another_stack_is_no_record() -> None:
    case = Case()
    domain = {"Type": "AWS::ApiGateway::DomainName"}
    stack = case.deploys("api", Domain=domain)
    stack.resources["Domain"].physical_id = "www.example.com"
    assert case.plan().refusals == ()
    app = JetsApp(folder="/app", major=5)
    refusal(
        case.plan(jets=app, deploy_off=None),
        "stack api has the API Gateway custom domain www.example.com",
        "Jets 5 then leaves the record out",
        way_out="app/shared/resources",
    )


# -- this stack


@pytest.mark.parametrize("nested", [False, True])
def test_what_the_stack_owns_as_it_says_is_nothing_to_do(nested: bool) -> None:
    template = site_template(alias_resource("d1new"))
    case = Case(site_account(template=nested_template(template) if nested else template))
    case.world.write([("DELETE", alias("d1old"))])
    case.switch_on()
    plan = case.plan()
    assert (plan.refusals, plan.manuals, plan.warnings) == ((), (), ())
    assert plan.owned == (alias("d1new"),)


@pytest.mark.parametrize("status", ["DELETE_SKIPPED", "DELETE_COMPLETE", "CREATE_FAILED"])
def test_a_record_that_this_stack_has_let_go_of_is_manual(status: str) -> None:
    case = Case()
    case.world.write([("DELETE", alias("d1old"))])
    case.switch_on()
    case.world.stacks.get("shop").resources["DnsRecord"].status = status
    plan = case.plan()
    assert (plan.refusals, plan.owned) == ((), ())
    assert plan.keys == {alias("d1new").key}


def test_an_owned_record_that_another_writer_edited_is_drift() -> None:
    case = Case()
    case.world.write([("DELETE", alias("d1old"))])
    case.switch_on()
    case.edit(alias("d1edited"))
    refusal(case.plan(), "d1edited", "its template says", "d1new", way_out="drift")


def test_an_owned_record_that_another_writer_deleted_is_drift() -> None:
    case = Case()
    case.world.write([("DELETE", alias("d1old"))])
    case.switch_on()
    case.world.write([("DELETE", alias("d1new"))])
    refusal(case.plan(), "the stack owns www.example.com A", "does not have it", way_out="(drift)")


def test_another_type_that_the_stack_owns_at_the_name_is_refused() -> None:
    case = Case()
    case.world.write([("DELETE", alias("d1old"))])
    case.switch_on()
    case.world.write([("DELETE", alias("d1new")), ("CREATE", cname(300))])
    refusal(
        case.plan(deploy_off=None),
        "the stack owns A at www.example.com",
        "cannot exist beside the manual www.example.com CNAME",
        way_out="from the stack",
    )


def test_a_deploy_with_the_switch_off_is_refused_while_the_stack_owns_a_record_of_the_plan() -> (
    None
):
    template = site_template(alias_resource("d1new"), Api=own(name="api.example.com"))
    case = Case(site_account(template=template))
    refusal(case.plan(WWW, "api.example.com"), "Api (api.example.com)", way_out="--skip-off")
    assert case.plan(WWW, "api.example.com", deploy_off=None).refusals == ()
    other = case.plan()
    assert other.refusals == ()
    assert "the deploy with the switch off deletes those of Api (api.example.com)" in warned(other)


def test_a_routed_record_that_the_template_is_going_to_have_is_refused() -> None:
    resource = alias_resource("d1new")
    resource["Properties"] |= {"SetIdentifier": "blue", "Weight": 10}
    case = Case(site_account(template=site_template(resource)))
    refusal(case.plan(), "SetIdentifier blue", way_out="--strategy weighted")


@pytest.mark.parametrize(
    ("deploy", "way_out"), [("on", "--no-deploy"), (None, "")], ids=["deploy", "--no-deploy"]
)
def test_a_stack_at_work_is_refused_unless_it_is_joined(deploy: str | None, way_out: str) -> None:
    case = Case()
    case.world.stacks.update_stack("shop", case.world.account.template, {"Route53Enable": "true"})
    plan = case.plan(deploy_off=None, deploy_on=deploy)
    if deploy is None:
        assert plan.refusals == ()
    else:
        refusal(plan, "stack shop is UPDATE_IN_PROGRESS", way_out=way_out)


def test_a_stack_that_is_not_there_is_refused_without_the_deploy_that_makes_it() -> None:
    case = Case(site_account(exists=False))
    assert case.plan().refusals == ()
    refusal(case.plan(deploy_off=None), "stack shop does not exist", way_out="--skip-off")


# -- records that are not simple


def weighted(name: str, identifier: str, routing: str = "Weight") -> RecordSet:
    value = "10" if routing == "Weight" else '"eu-west-1"'
    return replace(
        alias(identifier), name=name, set_identifier=identifier, routing=((routing, value),)
    )


def test_members_are_refused_where_no_template_tells_which_one_is_meant() -> None:
    case = Case()
    case.holds(weighted("w.example.com.", "blue"), weighted("w.example.com.", "green"))
    plan = case.plan("w.example.com")
    assert [finding.text.partition(" has ")[0] for finding in plan.refusals] == [
        "w.example.com A [blue]",
        "w.example.com A [green]",
    ]
    assert all("--template or --preview" in finding.hint for finding in plan.refusals)


@pytest.mark.parametrize("routing", ["Weight", "Region"])
def test_a_routed_record_that_the_stack_wants_never_releases_a_simple_one(routing: str) -> None:
    resource = alias_resource("d1new")
    value = 10 if routing == "Weight" else "eu-west-1"
    resource["Properties"] |= {"SetIdentifier": "blue", routing: value}
    hidden = {"Fn::GetAtt": ["Distribution", "Name"]}  # no template tells it, the event does
    resource["Properties"]["SetIdentifier"] = hidden
    scenario = Scenario(
        name="routed",
        summary="",
        account=site_account(template=site_template(resource), retry_delays=(1, 2, 4)),
        outcome=Outcome.FAILED,
        exit_code=1,
    )
    rehearsal = rehearse_once(scenario, "routed", Faults())
    assert rehearsal.broken == ()
    assert rehearsal.result.outcome == "failed"
    assert rehearsal.result.records[0].released_at is None


def test_a_record_of_a_traffic_policy_is_refused() -> None:
    case = Case()
    policy = (("TrafficPolicyInstanceId", '"tpi-7"'),)
    case.holds(
        RecordSet(name="t.example.com.", type="CNAME", ttl=60, values=("x.",), routing=policy)
    )
    refusal(case.plan("t.example.com"), "traffic policy instance tpi-7", way_out="traffic policy")


def test_a_plain_address_is_refused_unless_the_strategy_is_said() -> None:
    case = Case()
    case.holds(RecordSet(name="p.example.com.", type="A", ttl=60, values=("192.0.2.1",)))
    refusal(case.plan("p.example.com"), "plain A record", way_out="--strategy delete")
    assert case.plan("p.example.com", strategy_given=True).refusals == ()


# -- the zone


def test_two_public_zones_of_the_name_are_refused_and_the_delegated_one_is_named() -> None:
    case = Case()
    twin = case.world.zones.add_zone("example.com").zone_id
    refusal(
        case.plan(),
        "2 public zones named example.com",
        ZONE,
        twin,
        way_out=f"The delegation is to {ZONE}",
    )
    assert case.plan(zone="example.com").refused, "the name does not tell them apart"
    said = case.plan(zone=ZONE)
    assert said.refusals == ()
    assert not said.zone_is_unique
    case.holds(alias("d1twin"), zone=twin)
    other = case.plan(zone=twin)
    refusal(other, f"({twin}) is not the delegated one", way_out=f"delegation is to {ZONE}")


def test_a_private_zone_beside_the_public_one_is_left_alone_and_reported() -> None:
    case = Case()
    private = case.world.zones.add_zone("example.com", private=True).zone_id
    case.holds(alias("d1private"), zone=private)
    for zone in (None, "example.com", ZONE):
        plan = case.plan(zone=zone)
        assert plan.refusals == ()
        assert (plan.zone_id, plan.zone_private) == (ZONE, False)
        assert [m.original for m in plan.manuals] == [alias("d1old")]
        assert not plan.zone_is_unique, "CloudFormation refuses HostedZoneName here"
        assert f"({private}, private)" in warned(plan)
    chosen = case.plan(zone=private)
    assert (chosen.zone_private, chosen.refusals) == (True, ())
    assert [m.original for m in chosen.manuals] == [alias("d1private")]


def test_two_private_zones_of_the_name_are_refused_until_one_is_said() -> None:
    case = Case(replace(site_account(), zone="example.net", existing=(), exists=False))
    zones = [case.world.zones.add_zone("example.com", private=True).zone_id for _ in range(2)]
    for zone in zones:
        case.holds(alias("d1old"), zone=zone)
    with pytest.raises(RefusedError, match="no public hosted zone") as nothing:
        case.plan()
    assert "for a private zone use --zone ID" in nothing.value.hint
    assert all(f"example.com ({zone}, private)" in nothing.value.hint for zone in zones)
    refusal(case.plan(zone="example.com"), "2 private zones", *zones, way_out="--zone ID")
    assert case.plan(zone=zones[1]).refusals == ()


@pytest.mark.parametrize("said", ["text", "parameter", "joined", "made", "imported", "hidden"])
def test_the_stacks_own_private_record_is_distinguished_from_the_public_one(said: str) -> None:
    case = Case(site_account(exists=False))
    private = case.world.zones.add_zone("example.com", private=True).zone_id
    zone_id: Any = {
        "text": private,
        "parameter": {"Ref": "Zone"},
        "joined": {"Fn::Join": ["", ["ZSIMULATED", private.removeprefix("ZSIMULATED")]]},
        "made": {"Ref": "Made"},
        "imported": {"Fn::ImportValue": "inner-zone"},
        "hidden": {"Fn::GetAtt": ["Looked", "Up"]},
    }[said]
    case.exports("inner-zone", private)
    parameters = {"Zone": private} if said == "parameter" else None
    case.deploys(
        "shop",
        parameters,
        Inner=own(zone_id),
        Made=PRIVATE_ZONE,
        Looked={
            "Type": "Custom::Zone",
            "Metadata": {"Simulation": {"Attributes": {"Up": private}}},
        },
    )
    plan = case.plan(deploy_off=None)
    if said == "hidden":
        refusal(plan, "does not show its zone", ZONE, private, way_out="HostedZoneId")
    else:
        assert plan.refusals == ()
        assert plan.keys == {alias("d1old").key}
        assert plan.owned == ()


def test_a_zone_without_delegation_is_refused_and_one_with_partial_delegation_is_reported() -> None:
    case = Case()
    refusal(case.plan(delegated=["ns.elsewhere."]), "not the delegated one", way_out="--zone ID")
    assert case.plan(delegated=None).refusals == (), "it could not be determined"
    partly = case.plan(delegated=[*NAME_SERVERS[:3], "ns.elsewhere."])
    assert partly.refusals == ()
    assert "resolvers also query ns.elsewhere" in warned(partly)


def test_the_most_specific_zone_is_taken_and_its_parent_is_named_where_it_holds_nothing() -> None:
    case = Case()
    case.holds(replace(alias("d1old"), name="www.sub.example.com."))
    case.world.zones.add_zone("sub.example.com")
    missing = case.plan("www.sub.example.com", delegated=None)
    refusal(missing, "no record of that name", way_out=f"example.com ({ZONE}) could have it too")
    assert case.plan("www.sub.example.com", zone=ZONE).refusals == ()


@pytest.mark.parametrize("cut", ["www.example.com.", "sub.example.com."])
def test_a_name_that_is_delegated_away_inside_the_zone_is_refused(cut: str) -> None:
    case = Case()
    name = "www.sub.example.com." if cut.startswith("sub") else cut
    if name != WWW:
        case.holds(replace(alias("d1old"), name=name))
    case.holds(RecordSet(name=cut, type="NS", ttl=60, values=("ns.elsewhere.",)))
    refusal(case.plan(name), f"{cut[:-1]} NS delegates", way_out="in the delegated zone")


# -- dependants


def test_an_alias_that_a_new_type_would_break_is_refused_and_a_similar_one_is_reported() -> None:
    case = Case(site_account(template=site_template(cname_resource())))
    case.holds(inside("m.example.com.", WWW))
    refusal(
        case.plan(),
        "m.example.com A is an alias to www.example.com A",
        "creates CNAME",
        way_out="another target",
    )
    along = case.plan("www.example.com", "m.example.com")
    assert along.refusals == ()
    assert along.names == (WWW, "m.example.com.")
    like = Case()
    like.holds(inside("m.example.com.", WWW))
    assert like.plan().refusals == ()
    assert "m.example.com A is an alias to www.example.com A and has no answer" in warned(
        like.plan()
    )


def both(leaning: str, *, never: bool) -> Scenario:
    """Two names, one an alias to the other, of which the stack loses or never gets either."""
    resource = alias_resource("d1new")
    failing = {
        "Type": "AWS::Lambda::Permission",
        "Condition": "Enabled",
        "DependsOn": ["DnsRecord", "Leaning"],
        "Metadata": {"Simulation": {"Seconds": 3, "Fail": "Resource handler failed"}},
    }
    properties = {**resource["Properties"], "Name": leaning.removesuffix(".")}
    template = site_template(
        resource, Leaning={**resource, "Properties": properties}, Failing=failing
    )
    modes = {Situation.ALIAS_DIFFERS: Mode.NEVER} if never else {}
    account = site_account(template=template, modes=modes, retry_delays=(1, 2, 4, 8, 60, 60, 60))
    return Scenario(
        name="alias-to-alias",
        summary="",
        account=replace(account, existing=(alias("d1old"), inside(leaning, WWW))),
        outcome=Outcome.RESTORED,
        exit_code=1,
    )


@pytest.mark.parametrize("leaning", ["a.example.com.", "zz.example.com."])
@pytest.mark.parametrize("never", [False, True], ids=["rolled-back", "never-created"])
def test_an_alias_and_its_target_that_are_both_released_are_both_restored(
    leaning: str, never: bool
) -> None:
    """Route 53 creates no alias whose target is absent, however the names sort."""
    scenario = both(leaning, never=never)
    refused = 0
    for seed in range(8):
        names = (leaning, WWW) if seed % 2 else (WWW, leaning)
        options = Options(stack="shop", records=names, deploy_off="off", deploy_on="on")
        rehearsal = rehearse_once(scenario, f"{leaning}/{seed}", Faults(), options=options)
        said = (seed, rehearsal.result.outcome, rehearsal.result.reason)
        assert rehearsal.broken == (), said
        assert not rehearsal.absent, said
        assert rehearsal.result.outcome == "restored", said
        assert {r.outcome for r in rehearsal.result.records} == {"restored"}, said
        assert all(r.released_at is not None for r in rehearsal.result.records), said
        refused += sum(
            isinstance(event, ev.WriteRefused) and "that target was not found" in event.reason
            for event in rehearsal.events
        )
    assert refused, "in none of the runs the alias was put back too early"


# -- what was mistyped


def test_a_mistyped_stack_names_the_near_one() -> None:
    case = Case()
    plan = case.plan(stack="shpo")
    assert plan.refusals == ()
    assert "stack shpo does not exist: the first deploy has to create it" in warned(plan)
    assert "Did you mean shop?" in warned(plan)
    refusal(case.plan(stack="shpo", deploy_off=None), "stack shpo", way_out="Did you mean shop?")
    assert "Did you mean" not in warned(case.plan(stack="blog"))
    assert "Did you mean" not in warned(case.plan())


def test_where_stacks_may_not_be_listed_none_is_named_as_near() -> None:
    class Unlisted(SimulatedStacks):
        async def stacks(self, found: Callable[[int], None]) -> Sequence[StackDescription]:
            raise AccessDeniedError("denied", operation=f"ListStacks {found}")

    plan = Case().plan(stack="shpo", stacks=Unlisted, owner_check=OwnerCheck.NONE)
    assert plan.refusals == ()
    assert "Did you mean" not in warned(plan)
