"""The scenarios of the rehearsals: an account each, what to take over, and how it ends.

Every one has the same shape: a zone ``example.com``, a stack ``shop`` whose template creates the
record when its parameter ``Route53Enable`` is ``true``, and a record that stands in its way.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.base.errors import UsageError
from route53_takeover.core.domain.record_sets import AliasTarget, RecordSet
from route53_takeover.core.domain.stacks import RECORD_SET
from route53_takeover.core.endings import Outcome
from route53_takeover.core.plan.model import Strategy
from route53_takeover.simulation.aws.account import MAIN, AccountSetup
from route53_takeover.simulation.aws.cloudformation.record_handler import (
    Case,
    Mode,
    RecordHandlerConfig,
)
from route53_takeover.simulation.aws.cloudformation.stacks import StackConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

ZONE, NAME, STACK = "example.com", "www.example.com.", "shop"
REHEARSED_STEP = 30.0
"""Seconds between two steps of weight in a rehearsal."""
_CLOUDFRONT = "Z2FDTNDATAQYW2"


class Scenario(Struct, frozen=True, kw_only=True):
    """A rehearsal.

    Attributes:
        summary: one line for ``rehearse --list``.
        record: as ``--record`` takes it; ``more``: others.
        outcome: how the run ends.
        exit_code: with which exit code.
        strategy: as ``--strategy`` takes it; ``weights``: as ``--weights``.
        speed: how many simulated seconds pass in a real one.
        killed: whether the run's process is killed in the gap, and the run resumed.
        dead_for: simulated seconds from there to the resume.
    """

    name: str
    summary: str
    account: AccountSetup
    outcome: Outcome
    exit_code: int
    record: str = "www.example.com"
    speed: float = 10.0
    more: tuple[str, ...] = ()
    strategy: Strategy = Strategy.DELETE
    weights: tuple[int, ...] = ()
    killed: bool = False
    dead_for: float = 10.0

    @property
    def records(self) -> tuple[str, ...]:
        """Everything that is to be taken over."""
        return (self.record, *self.more)


def alias(distribution: str) -> RecordSet:
    return RecordSet(
        name=NAME,
        type="A",
        alias=AliasTarget(zone_id=_CLOUDFRONT, dns_name=f"{distribution}.cloudfront.net."),
    )


def cname(ttl: int) -> RecordSet:
    return RecordSet(name=NAME, type="CNAME", ttl=ttl, values=("d1new.cloudfront.net",))


def alias_resource(distribution: str) -> dict[str, Any]:
    return {
        "Type": "AWS::Route53::RecordSet",
        "Condition": "Enabled",
        "DependsOn": "Distribution",
        "Properties": {
            "HostedZoneName": f"{ZONE}.",
            "Name": "www.example.com",
            "Type": "A",
            "AliasTarget": {
                "HostedZoneId": _CLOUDFRONT,
                "DNSName": f"{distribution}.cloudfront.net",
            },
        },
    }


def cname_resource() -> dict[str, Any]:
    return {
        "Type": "AWS::Route53::RecordSet",
        "Condition": "Enabled",
        "DependsOn": "Distribution",
        "Properties": {
            "HostedZoneName": f"{ZONE}.",
            "Name": "www.example.com",
            "Type": "CNAME",
            "TTL": "60",
            "ResourceRecords": ["d1new.cloudfront.net"],
        },
    }


def group_of(*resources: Mapping[str, Any]) -> dict[str, Any]:
    """One ``RecordSetGroup`` of the records of these resources, which comes with the switch."""
    zone = {"HostedZoneName": f"{ZONE}."}
    told = [resource["Properties"] for resource in resources]
    entries = [{k: v for k, v in each.items() if k not in zone} for each in told]
    return {
        "Type": "AWS::Route53::RecordSetGroup",
        "Condition": "Enabled",
        "DependsOn": "Distribution",
        "Properties": {**zone, "RecordSets": entries},
    }


def routed(record: RecordSet, identifier: str, weight: int = 10) -> RecordSet:
    """The record as a member of a weighted group, with a health check."""
    members = (("HealthCheckId", '"hc-1"'), ("Weight", str(weight)))
    return replace(record, set_identifier=identifier, routing=members)


def like(resource: Mapping[str, Any], **properties: str) -> dict[str, Any]:
    """The resource with other properties."""
    return {**resource, "Properties": {**resource["Properties"], **properties}}


def routed_resource(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The same for a resource: the member ``blue``."""
    return like(resource, SetIdentifier="blue", Weight="10", HealthCheckId="hc-1")


def with_groups(account: AccountSetup, mode: Mode) -> AccountSetup:
    """The account whose CloudFormation does this where a record of a group exists."""
    records = replace(account.config.records, groups=mode)
    return replace(account, config=replace(account.config, records=records))


def resource_of(record: RecordSet) -> dict[str, Any]:
    """What another stack's template says of this record set."""
    properties: dict[str, Any] = {"HostedZoneId": MAIN, "Name": record.name, "Type": record.type}
    if record.alias is not None:
        target = {"HostedZoneId": record.alias.zone_id, "DNSName": record.alias.dns_name}
        properties["AliasTarget"] = target
    else:
        properties |= {"TTL": str(record.ttl), "ResourceRecords": list(record.values)}
    if record.set_identifier is not None:
        routing = {key: str(json.loads(value)) for key, value in record.routing}
        properties |= {"SetIdentifier": record.set_identifier, **routing}
    return {"Type": "AWS::Route53::RecordSet", "Properties": properties}


def in_zone(resource: Mapping[str, Any], zone_id: str) -> dict[str, Any]:
    """The same with its zone's id, which two zones of one name need."""
    properties = {k: v for k, v in resource["Properties"].items() if k != "HostedZoneName"}
    return {**resource, "Properties": {**properties, "HostedZoneId": zone_id}}


def site_template(record: Mapping[str, Any], **others: Mapping[str, Any]) -> dict[str, Any]:
    """A site whose record is created only when the switch is on."""
    return {
        "Parameters": {"Route53Enable": {"Type": "String", "Default": "false"}},
        "Conditions": {
            "Enabled": {"Fn::Equals": [{"Ref": "Route53Enable"}, "true"]},
            "Disabled": {"Fn::Not": [{"Condition": "Enabled"}]},
        },
        "Resources": {
            "Distribution": {
                "Type": "AWS::CloudFront::Distribution",
                "Properties": {"Comment": {"Fn::Sub": "switch ${Route53Enable}"}},
                "Metadata": {"Simulation": {"Seconds": 4}},
            },
            "DnsRecord": record,
            **others,
        },
    }


def weighted_template(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template, each of whose record sets is a member of a weighted group."""
    resources = {
        key: routed_resource(resource) if resource["Type"] == RECORD_SET else resource
        for key, resource in template["Resources"].items()
    }
    return {**template, "Resources": resources}


def nested_template(child: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Parameters": {"Route53Enable": {"Type": "String", "Default": "false"}},
        "Resources": {
            "Site": {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {
                    "TemplateURL": "https://example.com/site.json",
                    "Parameters": {"Route53Enable": {"Ref": "Route53Enable"}},
                },
                "Metadata": {"Simulation": {"Template": child}},
            }
        },
    }


def site_account(
    *,
    existing: RecordSet | None = None,
    template: Mapping[str, Any] | None = None,
    exists: bool = True,
    edit: RecordSet | None = None,
    modes: Mapping[Case, Mode] | None = None,
    retry_delays: tuple[float, ...] = (1, 2, 4, 8, 15, 30),
) -> AccountSetup:
    return AccountSetup(
        zone=ZONE,
        existing=(existing or alias("d1old"),),
        stack=STACK,
        template=template or site_template(alias_resource("d1new")),
        exists=exists,
        edit=edit,
        config=StackConfig(
            records=RecordHandlerConfig(
                retry_delays=retry_delays, modes=modes or {}, insync_seconds=10.0
            )
        ),
    )


def _scenarios() -> list[Scenario]:
    failing = {
        "Type": "AWS::Lambda::Permission",
        "Condition": "Enabled",
        "DependsOn": "DnsRecord",
        "Metadata": {"Simulation": {"Seconds": 3, "Fail": "Resource handler returned message"}},
    }
    return [
        Scenario(
            name="alias",
            summary="An alias A record; CloudFormation retries until it is released.",
            account=site_account(exists=False),
            outcome=Outcome.DONE,
            exit_code=0,
        ),
        Scenario(
            name="nested",
            summary="The same, with the record in a nested stack that exists already.",
            account=site_account(template=nested_template(site_template(alias_resource("d1new")))),
            outcome=Outcome.DONE,
            exit_code=0,
        ),
        Scenario(
            name="cname",
            summary="A CNAME with TTL 300, lowered and drained; CloudFormation adopts it.",
            account=site_account(existing=cname(300), template=site_template(cname_resource())),
            outcome=Outcome.DONE,
            exit_code=0,
            speed=20.0,
        ),
        Scenario(
            name="adopted",
            summary="A record that is what the stack wants already; it is adopted without a gap.",
            account=site_account(existing=alias("d1new")),
            outcome=Outcome.DONE,
            exit_code=0,
        ),
        Scenario(
            name="never-created",
            summary="CloudFormation never creates the record; the deadman puts it back.",
            account=site_account(
                modes={Case.ALIAS_DIFFERS: Mode.NEVER}, retry_delays=(1, 2, 4, 8, 15, 30, 30)
            ),
            outcome=Outcome.RESTORED,
            exit_code=1,
        ),
        Scenario(
            name="rolled-back",
            summary="The record is created, then a later resource fails and the rollback "
            "deletes it.",
            account=site_account(
                template=site_template(alias_resource("d1new"), Permission=failing)
            ),
            outcome=Outcome.RESTORED,
            exit_code=1,
        ),
        Scenario(
            name="failed-at-once",
            summary="CloudFormation fails at once on the existing record; nothing is released.",
            account=site_account(modes={Case.ALIAS_DIFFERS: Mode.FAIL}),
            outcome=Outcome.FAILED,
            exit_code=1,
        ),
        Scenario(
            name="edited-meanwhile",
            summary="Another writer changes the record before the release; it is left alone.",
            account=site_account(edit=alias("d1other"), retry_delays=(1, 2, 4, 8)),
            outcome=Outcome.FAILED,
            exit_code=1,
        ),
        Scenario(
            name="group",
            summary="A RecordSetGroup with A and AAAA (SAM, Copilot): both are released in one "
            "batch.",
            account=_group_account(
                group_of(alias_resource("d1new"), like(alias_resource("d1new"), Type="AAAA")),
                alias("d1old"),
                replace(alias("d1old"), type="AAAA"),
            ),
            outcome=Outcome.DONE,
            exit_code=0,
        ),
        Scenario(
            name="group-two-names",
            summary="A RecordSetGroup with two names: neither is released without the other.",
            account=_group_account(
                group_of(
                    alias_resource("d1new"), like(alias_resource("d1new"), Name="api.example.com")
                ),
                alias("d1old"),
                replace(alias("d1old"), name="api.example.com."),
            ),
            more=("api.example.com",),
            outcome=Outcome.DONE,
            exit_code=0,
        ),
        Scenario(
            name="routed",
            summary="A member of a weighted group; the other member keeps answering.",
            account=replace(
                site_account(template=site_template(routed_resource(alias_resource("d1new")))),
                existing=(routed(alias("d1old"), "blue"), routed(alias("d1green"), "green", 90)),
            ),
            outcome=Outcome.DONE,
            exit_code=0,
        ),
        Scenario(
            name="bridge",
            summary="A plain A record, which CloudFormation fails on; a wildcard answers.",
            account=site_account(existing=_plain()),
            strategy=Strategy.BRIDGE,
            outcome=Outcome.DONE,
            exit_code=0,
        ),
        Scenario(
            name="adopt",
            summary="A CNAME to another target, changed to what the stack wants and then adopted.",
            account=site_account(
                existing=replace(cname(300), values=("d1old.cloudfront.net",)),
                template=site_template(cname_resource()),
            ),
            strategy=Strategy.ADOPT,
            outcome=Outcome.DONE,
            exit_code=0,
            speed=20.0,
        ),
        Scenario(
            name="weighted",
            summary="A simple record becomes a member of a weighted group; the weight moves in "
            "steps.",
            account=site_account(template=site_template(routed_resource(alias_resource("d1new")))),
            strategy=Strategy.WEIGHTED,
            weights=(50, 100),
            outcome=Outcome.DONE,
            exit_code=0,
            speed=20.0,
        ),
        Scenario(
            name="killed-in-the-gap",
            summary="The run's process is killed while the name has no record, and resumed.",
            account=site_account(exists=False, retry_delays=(1, 40, 60)),
            outcome=Outcome.DONE,
            exit_code=0,
            speed=5.0,
            killed=True,
        ),
        Scenario(
            name="machine-lost",
            summary="The machine is lost in the gap; the deadman in AWS restores the record.",
            account=replace(site_account(exists=False, retry_delays=(1, 240)), deadman=True),
            outcome=Outcome.RESTORED,
            exit_code=1,
            speed=20.0,
            killed=True,
            dead_for=180.0,
        ),
        Scenario(
            name="many",
            summary="Ten records in one run: apex and www, A and AAAA, single names, a group.",
            account=_many_account(),
            record=ZONE,
            more=(
                "www.example.com",
                *(f"{label}.example.com" for label in _LABELS),
                "shop.example.com",
            ),
            outcome=Outcome.DONE,
            exit_code=0,
        ),
    ]


_LABELS = ("api", "img", "cdn", "docs")


def _many_account() -> AccountSetup:
    """Apex and www with A and AAAA, four names with A, and a group with A and AAAA."""
    both = [(name, kind) for name in (ZONE, "www.example.com") for kind in ("A", "AAAA")]
    single = [(f"{label}.example.com", "A") for label in _LABELS]
    grouped = [("shop.example.com", kind) for kind in ("A", "AAAA")]
    wanted, old = alias_resource("d1new"), alias("d1old")
    single_records = [like(wanted, Name=name, Type=kind) for name, kind in (*both, *single)]
    group = group_of(*(like(wanted, Name=name, Type=kind) for name, kind in grouped))
    first, *others = (*single_records, group)
    template = site_template(first, **{f"Record{n}": each for n, each in enumerate(others, 1)})
    existing = tuple(
        replace(old, name=f"{name}.", type=kind) for name, kind in (*both, *single, *grouped)
    )
    return with_groups(replace(site_account(template=template), existing=existing), Mode.RETRY)


def _plain() -> RecordSet:
    return RecordSet(name=NAME, type="A", ttl=60, values=("192.0.2.1",))


def _group_account(group: Mapping[str, Any], *existing: RecordSet) -> AccountSetup:
    account = site_account(template=site_template(group))
    return with_groups(replace(account, existing=existing), Mode.RETRY)


SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _scenarios()}
DEFAULT = "alias"


def find_scenario(name: str) -> Scenario:
    """The scenario of this name, of a takeover.

    Raises:
        UsageError: there is none.
    """
    if name not in SCENARIOS:
        raise UsageError(
            f"there is no scenario {name!r}", f"One of: {', '.join(SCENARIOS)} (rehearse --list)."
        )
    return SCENARIOS[name]
