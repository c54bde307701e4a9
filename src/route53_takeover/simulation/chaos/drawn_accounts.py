"""The accounts of the soak: records, templates, other stacks, and what CloudFormation does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import RecordSet, display_name
from route53_takeover.core.endings import Outcome
from route53_takeover.core.plan.model import Strategy
from route53_takeover.simulation.aws.account import MAIN, TWIN, DeployBehavior
from route53_takeover.simulation.aws.cloudformation.record_handler import Case, Mode
from route53_takeover.simulation.scenarios import (
    NAME,
    Scenario,
    alias,
    alias_resource,
    cname,
    cname_resource,
    group_of,
    in_zone,
    like,
    nested_template,
    resource_of,
    routed,
    routed_resource,
    site_account,
    site_template,
    weighted_template,
    with_groups,
)

if TYPE_CHECKING:
    from random import Random

    from route53_takeover.simulation.aws.account import AccountSetup
    from route53_takeover.simulation.aws.cloudformation.stacks import StackConfig

API = "api.example.com."
_OWNED, _BESIDE = 0.02, 0.02
"""How often another stack owns the record, and how often one only has a bucket of its name."""
_GROUPED = 0.2
"""How often the records are those of one group."""
_ROUTED = 0.12
"""How often they are members of a routed group, each beside another one."""
_STRATEGIES = 0.4
"""How often another strategy than ``delete`` is asked for."""
_PLAIN = 0.5
_GROUP_MODES = (*(Mode.RETRY,) * 6, Mode.NEVER, Mode.FAIL, Mode.ADOPT, Mode.ADOPT, Mode.OVERWRITE)
_OFF = (
    DeployBehavior.EXITS_EARLY,
    DeployBehavior.DECLINED,
    DeployBehavior.LINGERS,
    DeployBehavior.HANGS,
    DeployBehavior.NEVER_BEGINS,
    DeployBehavior.DIES,
)


class Edits(Struct, frozen=True, kw_only=True):
    """What somebody might write: another record, and the one that the stack wants."""

    other: RecordSet
    same: RecordSet


def drawn_scenario(rng: Random, groups: Random) -> tuple[Scenario, tuple[str, ...], Edits]:
    """An account, the names to take over, and what others might write.

    Args:
        groups: draws apart from the rest whether the records are those of a group.
    """
    kind = rng.choice(
        ("alias", "alias", "nested", "cname", "cname to alias", "identical", "both", "two names")
    )
    twin = rng.random() < 0.15
    record: dict[str, Any] = alias_resource("d1new")
    others: dict[str, Any] = {}
    existing: tuple[RecordSet, ...] = (alias("d1old"),)
    edits = Edits(other=alias("d1other"), same=alias("d1new"))
    names: tuple[str, ...] = ("www.example.com",)
    match kind:
        case "cname":
            existing, record = (cname(300),), cname_resource()
            edits = Edits(other=cname(77), same=cname(60))
        case "cname to alias":
            existing = (cname(rng.choice((60, 300))),)
        case "identical":
            existing = (alias("d1new"),)
        case "both":
            existing = (alias("d1old"), replace(alias("d1old"), type="AAAA"))
            others["Six"] = like(record, Type="AAAA")
        case "two names":
            existing = (alias("d1old"), replace(alias("d1old"), name=API))
            others["Api"] = like(record, Name="api.example.com")
            names = ("www.example.com", "api.example.com")
        case _:
            pass  # "alias" and "nested": as above
    if is_routed := groups.random() < _ROUTED and kind != "cname to alias":
        record, others = routed_resource(record), {k: routed_resource(v) for k, v in others.items()}
        green = tuple(routed(each, "green", 90) for each in existing)
        existing = (*(routed(each, "blue") for each in existing), *green)
        edits = Edits(other=routed(edits.other, "blue"), same=routed(edits.same, "blue"))
        kind = f"{kind} routed"
    if is_group := groups.random() < _GROUPED:
        record, others = _group(groups, record, *others.values()), {}
        kind = f"{kind} in a group"
    if rng.random() < 0.1:
        record = {**record, "DeletionPolicy": "Retain"}
    if twin:
        others = {key: in_zone(other, MAIN) for key, other in others.items()}
        always = {k: v for k, v in record.items() if k not in ("Condition", "DependsOn")}
        others["Twin"] = in_zone(always, TWIN)
        record = in_zone(record, MAIN)
    others |= _siblings(rng)
    template = site_template(record, **others)
    if kind.startswith("nested"):
        template = nested_template(template)
    account = site_account(
        template=template, exists=rng.random() < 0.7 or is_routed, modes=_modes(rng)
    )
    account = replace(
        account,
        twin=twin,
        existing=existing,
        habit=_habit(rng),
        habit_off=rng.choice(_OFF) if rng.random() < 0.15 else DeployBehavior.WAITS,
        config=_config(rng, account),
    )
    if is_group:
        account = with_groups(account, groups.choice(_GROUP_MODES))
    scenario = Scenario(
        name=kind, summary="drawn", account=account, outcome=Outcome.UNKNOWN, exit_code=4
    )
    return scenario, names, edits


def with_strategy(rng: Random, scenario: Scenario) -> tuple[Scenario, Strategy]:
    """The scenario with a strategy that its records can have, mostly ``delete``.

    A plain record, on which CloudFormation fails, is only for a bridge; a member of the stack's
    beside a simple record only for weights.
    """
    if rng.random() >= _STRATEGIES or "routed" in scenario.name:
        return scenario, Strategy.DELETE
    strategy = rng.choice((Strategy.BRIDGE, Strategy.BRIDGE, Strategy.ADOPT, Strategy.WEIGHTED))
    account = scenario.account
    if strategy is Strategy.BRIDGE and scenario.name == "alias" and rng.random() < _PLAIN:
        plain = RecordSet(name=NAME, type="A", ttl=60, values=("192.0.2.1",))
        account = replace(account, existing=(plain,))
    if strategy is Strategy.WEIGHTED and scenario.name in ("alias", "both", "two names"):
        template = weighted_template(account.template)
        account = replace(account, template=template)
    return replace(scenario, account=account), strategy


def among_others(rng: Random, scenario: Scenario) -> Scenario:
    """The scenario; now and then another stack has the host's bucket, a third one its record.

    Whoever asks CloudFormation for the stack that has a resource of this physical id is told of
    the bucket's.
    """
    luck = rng.random()
    if luck > _OWNED + _BESIDE:
        return scenario
    account = scenario.account
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": display_name(NAME)}}
    others: dict[str, Any] = {"web": {"Resources": {"Bucket": bucket}}}
    if luck <= _OWNED:
        owned = [record for record in account.existing if record.name == NAME]
        names = {
            f"Old{record.type}{record.set_identifier or ''}": resource_of(record)
            for record in owned
        }
        others = {"legacy": {"Resources": names}, **others}
        kept = tuple(record for record in account.existing if record.name != NAME)
        account = replace(account, existing=kept)
    return replace(scenario, account=replace(account, others=others))


def _group(rng: Random, *resources: dict[str, Any]) -> dict[str, Any]:
    """One group of all, at times with a new name, or one that it has had before."""
    more = like(alias_resource("d1new"), Name="more.example.com")
    kind = rng.choice(("plain", "plain", "more", "older"))
    group = group_of(*resources, *((more,) if kind == "more" else ()))
    if kind == "older":
        properties = group["Properties"]
        (entry,) = group_of(more)["Properties"]["RecordSets"]
        found = {"Fn::If": ["Enabled", [entry, *properties["RecordSets"]], [entry]]}
        group = {**group, "Properties": {**properties, "RecordSets": found}}
        del group["Condition"]
    return group


def _siblings(rng: Random) -> dict[str, Any]:
    """Resources beside the record: one that fails, one that is cleaned up slowly, many."""
    siblings: dict[str, Any] = {}
    if rng.random() < 0.35:
        failing: dict[str, Any] = {
            "Type": "AWS::Lambda::Permission",
            "Condition": "Enabled",
            "Metadata": {"Simulation": {"Seconds": rng.uniform(0, 40), "Fail": "it failed"}},
        }
        siblings["Permission"] = failing | (
            {"DependsOn": "DnsRecord"} if rng.random() < 0.6 else {}
        )
    if rng.random() < 0.7:
        siblings["Old"] = {
            "Type": "AWS::CloudFront::Function",
            "Condition": "Disabled",
            "Metadata": {"Simulation": {"Seconds": rng.choice((10, 60))}},
        }
    if rng.random() < 0.1:
        siblings |= {
            f"Log{n}": {"Type": "AWS::Logs::LogGroup", "Condition": "Enabled"} for n in range(70)
        }
    return siblings


def _modes(rng: Random) -> dict[Case, Mode]:
    """What CloudFormation does about a record that exists: mostly what was seen."""
    differs = rng.choice((Mode.RETRY,) * 8 + (Mode.NEVER, Mode.FAIL, Mode.OVERWRITE))
    same = rng.choice((Mode.ADOPT, Mode.ADOPT, Mode.ADOPT, Mode.RETRY, Mode.FAIL, Mode.NEVER))
    return {
        Case.ALIAS_DIFFERS: differs,
        Case.OTHER_DIFFERS: rng.choice((Mode.RETRY, Mode.RETRY, Mode.FAIL, Mode.OVERWRITE)),
        Case.ALIAS_SAME: same,
        Case.OTHER_SAME: same,
    }


def _config(rng: Random, account: AccountSetup) -> StackConfig:
    config = account.config
    return replace(
        config,
        fail_rollback=rng.choice(("",) * 5 + ("not now",)),
        records=replace(
            config.records,
            retry_delays=rng.choice(
                ((1, 2, 4, 8, 15, 30), (5,) * 60, (0.5,) * 40, (1, 3, 60, 60, 60), (1, 150, 30))
            ),
            insync_seconds=rng.choice((0.5, 3.0, 12.0, 30.0, 120.0)),
            listing_seconds=rng.choice((0.3, 3.0)),
            id_seconds=rng.choice((0.0, 0.0, 0.5, 3.0)),
        ),
    )


def _habit(rng: Random) -> DeployBehavior:
    return DeployBehavior.WAITS if rng.random() < 0.7 else rng.choice(list(DeployBehavior))
