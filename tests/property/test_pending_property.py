"""For generated templates: what the reader resolves is what the simulated CloudFormation creates.

Conditions, joins, substitutions, selections, nested stacks with outputs, and groups. Every record
that is told completely is created exactly so, every one that is created was told, as far as its
name could be known, and nothing that was certainly told is missing.
"""

from __future__ import annotations

import asyncio
import json
from random import Random
from typing import TYPE_CHECKING, Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from route53_takeover.core.domain.stacks import ABSENT, RECORD_SET, RECORD_SET_GROUP, STACK
from route53_takeover.core.plan.facts import Identity
from route53_takeover.core.plan.model import Options
from route53_takeover.runtime.ownership_lookup import Tree
from route53_takeover.runtime.pending_template import PendingReader
from route53_takeover.simulation.aws.account import SimulatedAccount
from route53_takeover.simulation.aws.http.faults import ApiFault
from route53_takeover.simulation.chaos.cloudformation_port import SimulatedStacks
from route53_takeover.simulation.chaos.runner import START
from route53_takeover.simulation.chaos.transport import FaultRates, Transport, VirtualClock
from route53_takeover.simulation.chaos.virtual_time import VirtualLoop
from route53_takeover.simulation.scenarios import site_account
from route53_takeover.storage.template_files import TemplateFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.facts import PendingTemplate

PARAMETERS = ("Stage", "Host", "Switch")
CONDITIONS = ("IsOn", "IsOff", "Both", "Any")
WORDS = ("a", "b", "web", "true", "false")
IDENTITY = Identity(account="123456789012", arn="arn:aws:iam::123456789012:user/ann")


class Writer:
    """Writes templates as people do, drawn by a seed.

    Args:
        passes_unknown: nested stacks may get parameters that only the deploy makes known. What a
            change set tells of conditions on these is not published.
    """

    def __init__(self, seed: int, *, passes_unknown: bool = True) -> None:
        self._rng = Random(seed)  # noqa: S311 -- a test's draw
        self._passes_unknown = passes_unknown

    def word(self) -> str:
        return self._rng.choice(WORDS)

    def parameter(self) -> str:
        return self._rng.choice(PARAMETERS)

    def condition(self) -> str:
        return self._rng.choice(CONDITIONS)

    def flip(self) -> bool:
        return self._rng.random() < 0.5

    def conditions(self) -> dict[str, Any]:
        value: Any = self._rng.choice([*WORDS, True, False])
        other: Any = self._rng.choice([*WORDS, {"Ref": "Host"}])
        return {
            "IsOn": {"Fn::Equals": [{"Ref": self.parameter()}, value]},
            "IsOff": {"Fn::Not": [{"Condition": "IsOn"}]},
            "Both": {"Fn::And": [{"Condition": "IsOn"}, {"Fn::Equals": ["web", other]}]},
            "Any": {"Fn::Or": [{"Condition": "IsOff"}, {"Fn::Equals": [other, "web"]}]},
        }

    def label(self, outputs: Sequence[str] = (), depth: int = 2) -> Any:
        """A label of a name, however a template may spell it."""

        def inner() -> Any:
            return self.label(outputs, depth - 1)

        ways: list[Callable[[], Any]] = [
            self.word,
            lambda: {"Ref": self.parameter()},
            lambda: {"Fn::Sub": f"x-${{{self.parameter()}}}"},
            lambda: {"Fn::Sub": ["${Own}-${Stage}", {"Own": {"Ref": "Host"}}]},
            lambda: {"Fn::Sub": "${AWS::Region}-${AWS::AccountId}"},
            lambda: {"Fn::GetAtt": ["Thing", "Word"]},
            lambda: {"Fn::Sub": "k-${Thing.Word}"},
        ]
        if outputs:
            ways += [lambda: {"Fn::GetAtt": ["Child", f"Outputs.{self._rng.choice(outputs)}"]}] * 2
        if depth:
            which = self._rng.randrange(2)
            ways += [
                lambda: {"Fn::Join": ["-", [inner() for _ in range(1 + which)]]},
                lambda: {"Fn::If": [self.condition(), inner(), inner()]},
                lambda: {"Fn::Select": [which, [inner(), inner()]]},
                lambda: {
                    "Fn::Select": [
                        str(which),
                        {"Fn::Split": ["-", {"Fn::Join": ["-", [inner(), "z"]]}]},
                    ]
                },
            ] * 2
        return self._rng.choice(ways)()

    def record(self, suffix: str, outputs: Sequence[str]) -> dict[str, Any]:
        """A record set with a name of its own."""

        def label() -> Any:
            return self.label(outputs)

        name = self._rng.choice(
            [
                {"Fn::Join": [".", [label(), suffix, "example.com"]]},
                {"Fn::Sub": [f"${{L}}.{suffix}.example.com", {"L": label()}]},
            ]
        )
        ttl: Any = self._rng.choice([60, "300", {"Fn::If": ["IsOn", "60", 900]}])
        kind = self._rng.choice(["A", "AAAA", "TXT", "CNAME"])
        if kind in ("A", "AAAA") and self.flip():
            place = {"Fn::Join": ["", [label(), ".x.example.net"]]}
            target = {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": place}
            return {"Name": name, "Type": kind, "AliasTarget": target}
        value: Any = {
            "A": "192.0.2.1",
            "AAAA": "2001:db8::1",
            "TXT": {"Fn::Join": ["", ['"', label(), '"']]},
            "CNAME": {"Fn::Sub": ["${L}.example.net", {"L": label()}]},
        }[kind]
        return {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [value]}

    def conditional(self) -> dict[str, Any]:
        return {"Condition": self.condition()} if self.flip() else {}

    def body(self, tag: str, child: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A template; ``tag`` keeps its names apart from those of others."""
        outputs = tuple(child["Outputs"]) if child else ()
        resources: dict[str, Any] = {"Thing": {"Type": "Custom::Thing"}}
        if child is not None:
            reported = {n: self.label(depth=1) for n in PARAMETERS if self.flip()}
            if not self._passes_unknown:
                reported = {n: v for n, v in reported.items() if "Thing" not in str(v)}
            resources["Child"] = {
                "Type": STACK,
                "Properties": {"TemplateURL": "https://x/child", "Parameters": reported},
                "Metadata": {"Simulation": {"Template": child}},
            }
        zone = {"HostedZoneName": "example.com."}
        for number in range(self._rng.randint(1, 3)):
            made = zone | self.record(f"r{number}{tag}", outputs)
            resources[f"R{number}"] = {
                "Type": RECORD_SET,
                "Properties": made,
                **self.conditional(),
            }
        if self.flip():
            first, second = (self.record(f"g{number}{tag}", outputs) for number in range(2))
            if self.flip():
                second = {"Fn::If": [self.condition(), second, {"Ref": "AWS::NoValue"}]}
            resources["Group"] = {
                "Type": RECORD_SET_GROUP,
                "Properties": zone | {"RecordSets": [first, second]},
                **self.conditional(),
            }
        return {
            "Parameters": {n: {"Type": "String", "Default": self.word()} for n in PARAMETERS},
            "Conditions": self.conditions(),
            "Resources": resources,
            "Outputs": {"Told": {"Value": self.label()}, "Fixed": {"Value": "f"}},
        }

    def template(self) -> dict[str, Any]:
        """A template, perhaps with a nested one."""
        return self.body("p", self.body("c") if self.flip() else None)

    def values(self, body: Mapping[str, Any]) -> dict[str, str]:
        """All its parameters, some with other values than the defaults."""
        return {
            name: self.word() if self.flip() else declared["Default"]
            for name, declared in body["Parameters"].items()
        }


def file_of(body: dict[str, Any]) -> TemplateFile:
    child = body["Resources"].get("Child")
    nested = (
        {} if child is None else {"Child": file_of(child["Metadata"]["Simulation"]["Template"])}
    )
    return TemplateFile(path="template.json", body=body, nested=nested)


class Deployed:
    """An account with a stack ``app``, whose pending template is read and then deployed."""

    def __init__(self) -> None:
        self.world = SimulatedAccount(site_account(exists=False), seed="pending", start=START)

    def read(
        self, body: dict[str, Any], given: dict[str, str], *, preview: bool
    ) -> PendingTemplate:
        """What the plan would be told of this template with these parameters."""
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(self._read(body, given, preview=preview))

    async def _read(
        self, body: dict[str, Any], given: dict[str, str], *, preview: bool
    ) -> PendingTemplate:
        clock = VirtualClock(self.world.timeline.now)
        rng = Random(1)  # noqa: S311 -- a simulation
        stacks = SimulatedStacks(Transport(self.world, clock, rng, FaultRates()))
        root = await stacks.describe("app")
        reader = PendingReader(
            stacks,
            stacks,
            root=root,
            tree=await Tree.read(stacks, root),
            options=Options(
                stack="app",
                records=(),
                parameters=tuple(f"{key}={value}" for key, value in given.items()),
            ),
            identity=IDENTITY,
            region="us-east-1",
        )
        if not preview:
            return await reader.from_file(file_of(body))
        made = self.world.stacks.change_sets.create(
            {
                "StackName": "app",
                "ChangeSetName": "preview",
                "ChangeSetType": "CREATE" if root.status == ABSENT else "UPDATE",
                "IncludeNestedStacks": True,
            },
            body=json.dumps(body),
            parameters=given,
        )
        return await reader.from_change_set(made.change_set_id)

    def deploy(self, body: dict[str, Any], given: dict[str, str]) -> bool:
        """Whether the deploy succeeds; a name may be too long for Route 53."""
        found = self.world.stacks.find("app")
        try:
            if found is None or found.status == "REVIEW_IN_PROGRESS":
                self.world.stacks.create_stack("app", body, given)
            else:
                self.world.stacks.update_stack("app", body, given)
        except ApiFault as fault:
            if "No updates" not in fault.message:
                raise
        self.world.timeline.advance(self.world.timeline.now + 900)
        return self.world.stacks.get("app").status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")

    def records(self) -> list[RecordSet]:
        """What the zone holds of the stack's."""
        zone = self.world.zones.list(self.world.zone.zone_id)
        return [r for r in zone if r.type not in ("SOA", "NS") and r.key.name != "www.example.com."]


def check(pending: PendingTemplate, created: list[RecordSet]) -> None:
    by_key = {record.key: record for record in created}
    assert pending.unread == ()
    certain = [each for each in pending.records if each.certain]
    assert len(certain) <= len(created) <= len(pending.records)
    reported = set()
    for each in certain:
        desired = each.record.desired
        if desired is None or each.record.pattern:
            continue
        reported.add(desired.record.key)
        assert desired.record.key in by_key, f"{each.path} is not created"
        if desired.complete:
            assert desired.record.same_as(by_key[desired.record.key]), each.path
    for record in created:
        assert record.key in reported or any(
            each.record.may_be_at(record.key.name)
            and each.record.record_type in (None, record.type)
            for each in pending.records
        ), f"{record.key} was not told"


SEEDS = st.integers(0, 2**32)
MANY = settings(max_examples=100, deadline=None)


@MANY
@given(seed=SEEDS, preview=st.booleans())
def test_what_a_new_stack_creates_is_what_was_read(seed: int, preview: bool) -> None:
    case, writer = Deployed(), Writer(seed, passes_unknown=not preview)
    body = writer.template()
    values = writer.values(body)
    pending = case.read(body, values, preview=preview)
    assume(case.deploy(body, values))
    check(pending, case.records())


@MANY
@given(seed=SEEDS, preview=st.booleans())
def test_what_an_update_leaves_is_what_was_read(seed: int, preview: bool) -> None:
    case, writer = Deployed(), Writer(seed, passes_unknown=not preview)
    body = writer.template()
    assume(case.deploy(body, writer.values(body)))
    old = {record.key for record in case.records()}
    values = writer.values(body)
    pending = case.read(body, values, preview=preview)
    assume(case.deploy(body, values))
    check(pending, case.records())
    for each in pending.records:
        if each.exists and each.record.desired is not None and not each.record.pattern:
            assert each.record.desired.record.key in old, f"{each.path} does not exist yet"


def test_most_templates_are_resolved_completely() -> None:
    """The comparison is not one of open values only."""
    reported, complete, records, deployed = 0, 0, 0, 0
    for seed in range(60):
        writer = Writer(seed)
        body = writer.template()
        values = writer.values(body)
        pending = Deployed().read(body, values, preview=False)
        deployed += Deployed().deploy(body, values)
        records += len(pending.records)
        reported += sum(1 for each in pending.records if not each.record.pattern)
        complete += sum(
            1 for r in pending.records if r.record.desired and r.record.desired.complete
        )
    assert deployed > 50
    assert records > 100
    assert reported > records * 0.5
    assert complete > records * 0.3
