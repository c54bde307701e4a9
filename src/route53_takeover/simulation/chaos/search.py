"""The soak: rehearsals drawn from a seed, each another account and another set of faults.

Faults are singly and combined, at every point, and harsher than production. One number of one seed
is one run, whatever ran before it: ``scripts/soak.py --seed S --only N`` repeats it and tells what
happened.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import fields, replace

from route53_takeover.core.domain.record_sets import RecordSet, display_name
from route53_takeover.core.plan.model import Options
from route53_takeover.core.takeover.state import Outcome
from route53_takeover.simulation.aws.account import MAIN, TWIN, DeployBehavior
from route53_takeover.simulation.aws.cloudformation.record_handler import Case, Mode
from route53_takeover.simulation.chaos.fault_injection import FaultKind, InjectedFault
from route53_takeover.simulation.chaos.faults import Faults, WayOut
from route53_takeover.simulation.chaos.harness import InjectionPoint
from route53_takeover.simulation.chaos.operator_inputs import draw_keys
from route53_takeover.simulation.chaos.runner import rehearse_once
from route53_takeover.simulation.chaos.transport import CHANGE, FaultRates
from route53_takeover.simulation.scenarios import (
    NAME,
    Scenario,
    alias,
    alias_resource,
    cname,
    cname_resource,
    in_zone,
    nested_template,
    resource_of,
    site_account,
    site_template,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.simulation.aws.account import AccountSetup
    from route53_takeover.simulation.aws.cloudformation.stacks import StackConfig
    from route53_takeover.simulation.chaos.oracle import Rehearsal

API = "api.example.com."
_OWNED, _BESIDE = 0.02, 0.02
"""How often another stack owns the record, and how often one only has a bucket of its name."""
_OFF = (
    DeployBehavior.EXITS_EARLY,
    DeployBehavior.DECLINED,
    DeployBehavior.LINGERS,
    DeployBehavior.HANGS,
    DeployBehavior.NEVER_BEGINS,
    DeployBehavior.DIES,
)
_CALLS = (
    "",
    "route53",
    "cloudformation",
    CHANGE,
    "ListResourceRecordSets",
    "GetChange",
    "DescribeStackEvents",
    "DescribeStacks",
    "ListStacks",
    "ListStackResources",
    "GetTemplate",
)
_STORMS = (
    FaultKind.THROTTLE,
    FaultKind.SILENCE,
    FaultKind.DEAF,
    FaultKind.UNREACHABLE,
    FaultKind.EXPIRE,
    FaultKind.REVOKE,
    FaultKind.BUSY,
    FaultKind.STALE,
    FaultKind.SLOW,
    FaultKind.PENDING,
    FaultKind.MUTE,
    FaultKind.STUCK,
)
_PROCESS = (
    FaultKind.KILL,
    FaultKind.KILL,
    FaultKind.POWER,
    FaultKind.SUSPEND,
    FaultKind.CLOCK,
    FaultKind.STOP,
    FaultKind.FULL,
    FaultKind.READ_ONLY,
    FaultKind.STALL,
    FaultKind.CORRUPT,
)
_PEOPLE = (
    FaultKind.EDIT,
    FaultKind.DELETE,
    FaultKind.SAME,
    FaultKind.CANCEL,
    FaultKind.DELETE_STACK,
    FaultKind.CLEAN_UP,
    FaultKind.CLEAN_UP,
    FaultKind.DEPLOY,
    FaultKind.ANOTHER,
)
_SOON = InjectedFault(deed=FaultKind.KILL, cue=InjectionPoint.RELEASE)
_CLEANING = InjectedFault(
    deed=FaultKind.CLEAN_UP, cue=InjectionPoint.CLEANING, delay=0.1, seconds=12.0, times=4
)
_CUES = (
    InjectionPoint.BEGIN,
    InjectionPoint.LOWER,
    InjectionPoint.PROVE,
    InjectionPoint.CREATING,
    InjectionPoint.CREATING,
    InjectionPoint.INITIATED,
    InjectionPoint.CREATED,
    InjectionPoint.RELEASE,
    InjectionPoint.RELEASE,
    InjectionPoint.RELEASE,
    InjectionPoint.RESTORE,
    InjectionPoint.RESTORE,
    InjectionPoint.UNDO,
    InjectionPoint.TURNING,
    InjectionPoint.CLEANING,
    InjectionPoint.COMPLETE,
)


class DrawnRun(Struct, frozen=True, kw_only=True):
    """One case of the soak: an account, what is asked for, and what goes wrong."""

    scenario: Scenario
    options: Options
    faults: Faults

    def __str__(self) -> str:
        account, faults = self.scenario.account, self.faults
        handler = account.config.records
        lines = [
            f"account: {self.scenario.name}, {'existing' if account.exists else 'new'} stack",
            f"CloudFormation: {_changed(handler, 'modes')}, modes {handler.modes}",
            f"deploy: {account.habit}",
            *(f"other stacks: {', '.join(account.others)}" for _ in [0] if account.others),
            f"options: {_changed(self.options)}",
            f"calls: {_changed(faults.rates)}",
            f"faults: {_changed(faults, 'injected', 'rates')}",
            *(f"fault: {fault}" for fault in faults.injected),
        ]
        return "\n".join(lines)


def _changed(value: Struct, *without: str) -> str:
    """What of a struct is not as it is by default."""
    told = [
        f"{field.name}={getattr(value, field.name)!r}"
        for field in fields(value)
        if field.name not in without and getattr(value, field.name) != field.default
    ]
    return ", ".join(told) or "as usual"


def soak_once(seed: int, number: int) -> Rehearsal:
    """The run of this number.

    Raises:
        Exception: the engine met what it takes for a defect of its own.
    """
    drawn = draw(seed, number)
    return rehearse_once(drawn.scenario, f"{seed}/{number}", drawn.faults, options=drawn.options)


def draw(seed: int, number: int) -> DrawnRun:
    """The case of this number."""
    rng = Random(f"soak/{seed}/{number}")  # noqa: S311 -- a simulation, not a secret
    scenario, names, edits = _scenario(rng)
    scenario = _among_others(Random(f"soak/{seed}/{number}/others"), scenario)  # noqa: S311
    options = _options(rng, scenario, names)
    faults = _faults(rng, edits)
    faults = replace(faults, injected=(*faults.injected, *draw_keys(rng, options)))
    if options.deploy_on is None:
        somebodys = InjectedFault(deed=FaultKind.DEPLOY, delay=rng.uniform(0.0, 60.0))
        faults = replace(faults, injected=(*faults.injected, somebodys))
    return DrawnRun(scenario=scenario, options=options, faults=faults)


# -- the account


class _Edits(Struct, frozen=True, kw_only=True):
    """What somebody might write: another record, and the one that the stack wants."""

    other: RecordSet
    same: RecordSet


def _scenario(rng: Random) -> tuple[Scenario, tuple[str, ...], _Edits]:
    kind = rng.choice(
        ("alias", "alias", "nested", "cname", "cname to alias", "identical", "both", "two names")
    )
    twin = rng.random() < 0.15
    record: dict[str, Any] = alias_resource("d1new")
    others: dict[str, Any] = {}
    existing: tuple[RecordSet, ...] = (alias("d1old"),)
    edits = _Edits(other=alias("d1other"), same=alias("d1new"))
    names: tuple[str, ...] = ("www.example.com",)
    match kind:
        case "cname":
            existing, record = (cname(300),), cname_resource()
            edits = _Edits(other=cname(77), same=cname(60))
        case "cname to alias":
            existing = (cname(rng.choice((60, 300))),)
        case "identical":
            existing = (alias("d1new"),)
        case "both":
            existing = (alias("d1old"), replace(alias("d1old"), type="AAAA"))
            others["Six"] = _like(record, Type="AAAA")
        case "two names":
            existing = (alias("d1old"), replace(alias("d1old"), name=API))
            others["Api"] = _like(record, Name="api.example.com")
            names = ("www.example.com", "api.example.com")
        case _:
            pass  # "alias" and "nested": as above
    if rng.random() < 0.1:
        record = {**record, "DeletionPolicy": "Retain"}
    if twin:
        others = {key: in_zone(other, MAIN) for key, other in others.items()}
        always = {k: v for k, v in record.items() if k not in ("Condition", "DependsOn")}
        others["Twin"] = in_zone(always, TWIN)
        record = in_zone(record, MAIN)
    others |= _siblings(rng)
    template = site_template(record, **others)
    if kind == "nested":
        template = nested_template(template)
    account = site_account(template=template, exists=rng.random() < 0.7, modes=_modes(rng))
    account = replace(
        account,
        twin=twin,
        existing=existing,
        habit=_habit(rng),
        habit_off=rng.choice(_OFF) if rng.random() < 0.15 else DeployBehavior.WAITS,
        config=_config(rng, account),
    )
    scenario = Scenario(
        name=kind, summary="drawn", account=account, outcome=Outcome.UNKNOWN, exit_code=4
    )
    return scenario, names, edits


def _among_others(rng: Random, scenario: Scenario) -> Scenario:
    """Now and then another stack has the host's bucket, and perhaps a third one its record.

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
        names = {f"Old{record.type}": resource_of(record) for record in owned}
        others = {"legacy": {"Resources": names}, **others}
        kept = tuple(record for record in account.existing if record.name != NAME)
        account = replace(account, existing=kept)
    return replace(scenario, account=replace(account, others=others))


def _like(resource: dict[str, Any], **properties: str) -> dict[str, Any]:
    return {**resource, "Properties": {**resource["Properties"], **properties}}


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


def _options(rng: Random, scenario: Scenario, names: Sequence[str]) -> Options:
    exists = scenario.account.exists
    deploys = not exists or rng.random() < 0.85  # else it is --no-deploy
    # A stack that owns a record set already is not deployed with the switch off.
    skips = exists and (scenario.account.twin or rng.random() < 0.2)
    return Options(
        stack=scenario.account.stack,
        records=tuple(names),
        deploy_off=None if skips or not deploys else "off",
        deploy_on="on" if deploys else None,
        drain=rng.random() < 0.8,
        hold=rng.choice((None, None, None, 0.0, 7.0)),
        restore_after=rng.choice((None, None, None, 1.0, 20.0, 90.0)),
        deploy_timeout=600.0,
        settle=rng.choice((5.0, 5.0, 60.0)),
        confirm_release=rng.random() < 0.12,
    )


# -- what goes wrong


def _faults(rng: Random, edits: _Edits) -> Faults:
    kills = tuple(rng.randint(1, 120) for _ in range(rng.choice((0, 0, 0, 0, 1, 1, 2, 3))))
    many = rng.choice((0, 1, 1, 2, 2, 3, 4))
    return Faults(
        rates=FaultRates(outlives=0.5) if rng.random() < 0.6 else _rates(rng),
        kills=kills,
        downtimes=tuple(rng.choice((0.3, 2.0, 20.0, 120.0, 900.0)) for _ in kills),
        event_delays=(0.0, rng.choice((0.0, 0.0, 0.0, 1.0, 8.0, 20.0))),
        repeats=rng.choice((0.0, 0.0, 0.2)),
        missing=rng.choice((0.0, 0.0, 0.0, 0.1)),
        page=rng.choice((100, 100, 3, 10)),
        mute=rng.choice((0.0, 0.0, 0.0, 0.5, 1.0)),
        injected=(*(_injected_fault(rng, edits) for _ in range(many)), *_aimed(rng, edits)),
        way_out=rng.choice((WayOut.RESUME, WayOut.RESUME, WayOut.RESUME, WayOut.RESTORE)),
        resumes=rng.choice((0, 1)),
        journal_holds=rng.choice((None,) * 11 + (rng.randint(1, rng.choice((2, 40, 150))),)),
    )


def _rates(rng: Random) -> FaultRates:
    return FaultRates(
        throttled=rng.choice((0.0, 0.05, 0.3)),
        lost_request=rng.choice((0.0, 0.05, 0.2)),
        lost_answer=rng.choice((0.0, 0.1, 0.4)),
        unconnected=rng.choice((0.0, 0.1)),
        outlives=0.7,
    )


def _aimed(rng: Random, edits: _Edits) -> tuple[InjectedFault, ...]:
    """In every second run, what strikes where it hurts most: around the release, and in the gap."""
    soon = replace(_SOON, delay=rng.uniform(0.0, 0.08), seconds=rng.choice((0.3, 5.0, 60.0)))
    gap = replace(_SOON, delay=rng.uniform(0.1, 4.0), seconds=rng.choice((5.0, 60.0, 400.0)))
    aims = (
        *((replace(soon, deed=FaultKind.KILL),),) * 2,
        (replace(soon, deed=FaultKind.POWER),),
        (replace(gap, deed=FaultKind.KILL), InjectedFault(deed=FaultKind.CLOCK, seconds=-7200.0)),
        (replace(gap, deed=FaultKind.SUSPEND),),
        (replace(gap, deed=FaultKind.STOP),),
        (replace(gap, deed=FaultKind.FULL),),
        (replace(gap, deed=FaultKind.STALL),),
        (replace(gap, deed=FaultKind.SILENCE, seconds=400.0, only="ListResourceRecordSets"),),
        (replace(gap, deed=FaultKind.SLOW, seconds=400.0, only="ListResourceRecordSets"),),
        (
            replace(gap, deed=FaultKind.SILENCE, seconds=400.0, only="ListResourceRecordSets"),
            InjectedFault(
                deed=FaultKind.SILENCE, cue=InjectionPoint.RESTORE, seconds=0.5, only=CHANGE
            ),
        ),
        (replace(gap, deed=FaultKind.EDIT, record=edits.other),),
        (replace(soon, deed=FaultKind.EDIT, delay=soon.delay / 4, record=edits.other),),
        (InjectedFault(deed=FaultKind.ANOTHER, delay=rng.uniform(0.0, 20.0)),),
        *((replace(_CLEANING, record=edits.other),),) * 4,
    )
    return rng.choice(aims) if rng.random() < 1 / 2 else ()


def _injected_fault(rng: Random, edits: _Edits) -> InjectedFault:
    deed = rng.choice(rng.choice((_STORMS, _PROCESS, _PEOPLE)))
    fault = InjectedFault(
        deed=deed,
        cue=rng.choice(_CUES),
        delay=rng.choice((0.0, rng.uniform(0, 0.1), rng.uniform(0, 3), rng.uniform(0, 30))),
        seconds=rng.choice((0.5, 5.0, 20.0, 90.0, 400.0, 1800.0)),
        only=rng.choice(_CALLS),
        record=edits.same if deed is FaultKind.SAME else edits.other,
    )
    if deed is FaultKind.CLEAN_UP:
        return replace(_CLEANING, record=edits.other, times=rng.choice((1, 3)))
    if deed is FaultKind.STALE:  # harsher than AWS, which shows the newest state
        return replace(fault, seconds=min(fault.seconds, 20.0))
    if deed is FaultKind.CLOCK:
        return replace(fault, seconds=rng.choice((-7200.0, -300.0, -5.0, 5.0, 300.0, 7200.0)))
    return fault
