r"""The least-privilege IAM policy for one plan: what its run, resume and restore may call, no more.

Where each rule comes from:

- Which action supports which resource: the Service Authorization Reference, "Actions, resources,
  and condition keys for Amazon Route 53" and "... for AWS CloudFormation". Of the actions here only
  ``route53:ListHostedZones``, ``cloudformation:ListStacks`` and ``ListExports`` support none.
- The condition keys of ``ChangeResourceRecordSets``: the Route 53 Developer Guide, "Using IAM
  policy conditions for fine-grained access control": names in lower case, without the trailing dot,
  everything but ``a-z 0-9 - _ .`` as an octal escape (``\052`` for ``*``); actions and types in
  upper case.
- ``sts:GetCallerIdentity`` is left out: the STS API Reference says that it needs no permission and
  that it cannot be denied.
- The sizes: "IAM and AWS STS quotas" in the IAM User Guide; white space does not count.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.base.errors import RefusedError
from route53_takeover.core.plan.cloud_deadman import DeadmanRole
from route53_takeover.core.plan.model import OwnerCheck

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from route53_takeover.core.domain.record_sets import RecordKey
    from route53_takeover.core.plan.model import Plan

MANAGED_SIZE, ROLE_SIZE = 6144, 10240
"""Characters that a managed policy, and all inline policies of a role together, may have."""

_CHANGE = "route53:ChangeResourceRecordSets"
_STACK_ARN = re.compile(r"arn:[^:]+:cloudformation:[^:]*:[^:]*:stack/([^/]+)/.*")
_STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")

Statement = dict[str, Any]


class Reach(Struct, frozen=True, kw_only=True):
    """What a policy is made of besides the plan.

    Attributes:
        partition: of the region, such as ``aws-cn``.
        region: where the stack is.
        zones: ids of the hosted zones that could hold the names, each of which is looked at.
        nested: ARNs of the stacks below the root.
        owners: ARNs of other stacks whose templates tell whether they own one of the records.
        exports: whether templates of records import values.
    """

    partition: str
    region: str
    zones: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    exports: bool = False


class Policy(Struct, frozen=True, kw_only=True):
    """A policy in its two parts, which ``--dns-profile`` gives to different credentials."""

    zone: tuple[Statement, ...]
    stacks: tuple[Statement, ...]

    @property
    def document(self) -> dict[str, Any]:
        """What IAM takes."""
        return {"Version": "2012-10-17", "Statement": [*self.zone, *self.stacks]}

    @property
    def size(self) -> int:
        """Characters as IAM counts them."""
        return len(re.sub(r"\s", "", json.dumps(self.document, separators=(",", ":"))))


def policy_for(plan: Plan, reach: Reach) -> Policy:
    """The permissions that the program itself needs to carry the plan out, and to undo it.

    Raises:
        RefusedError: the stack's name is none, so that it has no ARN.
    """
    zones = f"arn:{reach.partition}:route53:::hostedzone/"
    service = f"arn:{reach.partition}:cloudformation"
    here = f"{service}:{reach.region}:{plan.account}:stack/"
    root, given = _stack_names([plan.root.stack_name or plan.options.stack, plan.options.stack])
    named = [root, f"{root}-*", *_not_below(root, [given, *_stack_names(reach.nested)])]
    own = [f"{here}{name}/*" for name in named]
    looked_at = dict.fromkeys([plan.zone_id, *reach.zones])
    return Policy(
        zone=(
            *_writes(plan, reach, zones + plan.zone_id),
            allow("FindTheZone", ["route53:ListHostedZones"], ["*"]),
            allow("LookAtTheZone", ["route53:GetHostedZone"], [zones + id_ for id_ in looked_at]),
            allow(
                "ReadTheZone",
                ["route53:ListResourceRecordSets", "route53:ListResourceRecordSetProtections"],
                [f"{zones}{plan.zone_id}"],
            ),
            *_deadman(plan, reach),
        ),
        stacks=(
            allow("WatchTheStack", ["cloudformation:DescribeStackEvents"], own),
            allow(
                "ReadTheTemplates",
                ["cloudformation:GetTemplate"],
                [*own, *dict.fromkeys(reach.owners)],
            ),
            *_preview(plan, own),
            *_inventory(plan, reach, own),
        ),
    )


def _preview(plan: Plan, own: list[str]) -> Iterator[Statement]:
    """What reads the change set of a preview, and deletes it again; never what executes one."""
    if plan.options.preview is None:
        return
    yield allow(
        "ReadThePreview",
        ["cloudformation:DescribeChangeSet", "cloudformation:ListChangeSets"],
        own,
    )
    yield allow("DeleteThePreview", ["cloudformation:DeleteChangeSet"], own)


def _inventory(plan: Plan, reach: Reach, own: list[str]) -> Iterator[Statement]:
    """What finds the owners: the stacks of every region, or of as many as the plan looks at."""
    check = plan.options.owner_check
    region = "*" if check is OwnerCheck.FULL else reach.region
    every = [f"arn:{reach.partition}:cloudformation:{region}:{plan.account}:stack/*/*"]
    yield allow(
        "LookAtAnyOwner",
        ["cloudformation:DescribeStacks", "cloudformation:ListStackResources"],
        own if check is OwnerCheck.NONE else every,
    )
    listing = [] if check is OwnerCheck.NONE else ["cloudformation:ListStacks"]
    listing += ["cloudformation:ListExports"] if reach.exports else []
    if listing:
        yield allow("FindAnyOwner", listing, ["*"])


def _writes(plan: Plan, reach: Reach, zone: str) -> Iterator[Statement]:
    """What lets the records be changed, and seen to be; nothing where nothing is to do."""
    if not plan.manuals:
        return
    yield _change("TheRecord", zone, plan.keys | plan.added_keys, ["CREATE", "DELETE"])
    if plan.soa is not None:
        yield _change("TheSoa", zone, [plan.soa.original.key], ["UPSERT"])
    if plan.helpers or plan.soa or any(m.lowered for m in plan.manuals):  # all wait for INSYNC
        changes = f"arn:{reach.partition}:route53:::change/*"
        yield allow("SeeItServed", ["route53:GetChange"], [changes])


def _deadman(plan: Plan, reach: Reach) -> Iterator[Statement]:
    """What tests the deadman in AWS with its role, starts it and stops it; nothing without one.

    ``states:TestState`` supports no resource: the role that it is given bounds it.
    """
    if plan.options.cloud_deadman is None or not plan.manuals:
        return
    role = DeadmanRole.parse(plan.options.cloud_deadman)
    machine = role.machine(reach.region)
    yield allow("TestTheDeadman", ["states:TestState"], ["*"])
    passed = {"StringEquals": {"iam:PassedToService": "states.amazonaws.com"}}
    yield allow("WithItsRole", ["iam:PassRole"], [role.arn]) | {"Condition": passed}
    starts = ["states:DescribeStateMachine", "states:ListExecutions", "states:StartExecution"]
    yield allow("StartTheDeadman", starts, [machine])
    stops = ["states:DescribeExecution", "states:StopExecution"]
    yield allow("StopTheDeadman", stops, [role.execution(reach.region, "*")])


def only_create(plan: Plan) -> dict[str, Any]:
    """The condition under which the role of the deadman in AWS may change the zone."""
    return _condition(plan.keys, ["CREATE"])


def _change(sid: str, zone: str, keys: Iterable[RecordKey], actions: list[str]) -> Statement:
    """Lets these record sets of the zone be changed by these actions, and no other."""
    return allow(sid, [_CHANGE], [zone]) | {"Condition": _condition(keys, actions)}


def _condition(keys: Iterable[RecordKey], actions: list[str]) -> dict[str, Any]:
    named = list(keys)
    conditions = {
        "NormalizedRecordNames": sorted({iam_name(key.name) for key in named}),
        "RecordTypes": sorted({key.type for key in named}),
        "Actions": actions,
    }
    return {"ForAllValues:StringEquals": {_CHANGE + key: v for key, v in conditions.items()}}


def iam_name(name: str) -> str:
    """A name in normal form as the condition key has it."""
    return name.removesuffix(".")


def allow(sid: str, actions: list[str], resources: list[str]) -> Statement:
    """One statement."""
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


def _stack_names(named: Iterable[str]) -> list[str]:
    names = []
    for text in named:
        arn = _STACK_ARN.fullmatch(text)
        name = arn[1] if arn else text
        if not _STACK_NAME.fullmatch(name):  # a wildcard in it would widen the policy
            raise RefusedError(f"{text!r} is not a valid stack name", "Check --stack.")
        names.append(name)
    return names


def _not_below(root: str, names: Iterable[str]) -> list[str]:
    """Those that are not called as CloudFormation calls a nested stack: an imported one may be."""
    return sorted({name for name in names if name != root and not name.startswith(f"{root}-")})


def sids(statements: Iterable[Mapping[str, Any]]) -> str:
    """The statements as text, by name."""
    return ", ".join(str(statement["Sid"]) for statement in statements)
