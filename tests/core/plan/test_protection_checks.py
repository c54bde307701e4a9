"""What Route 53 would refuse of a takeover is refused before anything is written."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.protections import Guardrail, Protection
from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.domain.stacks import StackDescription
from route53_takeover.core.plan.facts import Facts, Identity
from route53_takeover.core.plan.model import Options
from route53_takeover.core.plan.planner import make_plan

if TYPE_CHECKING:
    from route53_takeover.core.plan.model import Plan

CDN = {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": "d1.example.net", "EvaluateTargetHealth": False}
WWW: dict[str, Any] = {"Name": "www.example.com.", "Type": "A", "AliasTarget": CDN}
DELEGATION: dict[str, Any] = {
    "Name": "dev.example.com.",
    "Type": "NS",
    "TTL": 60,
    "ResourceRecords": [{"Value": "ns-1.example.net."}],
}


def plan_of(*shapes: dict[str, Any], record: str = "www.example.com", **more: Any) -> Plan:
    stack = StackDescription(stack_id="arn:1", stack_name="shop", status="CREATE_COMPLETE")
    facts = Facts(
        now=0.0,
        identity=Identity(account="123456789012", arn="arn"),
        region="us-east-1",
        zone_id="Z1",
        zone_name="example.com.",
        zone_private=False,
        zone_name_servers=(),
        zone_records=tuple(RecordSet.from_api(shape) for shape in shapes or (WWW,)),
        stack=stack,
        **more,
    )
    return make_plan(facts, Options(stack="shop", records=(record,), deploy_on="x"))


def coming(kind: str) -> DesiredRecord:
    found = DesiredRecord.from_properties({**WWW, "Type": kind, "HostedZoneId": "Z1"})
    assert found is not None
    return found


def protected(kind: str, comment: str = "", name: str = "www.example.com.") -> dict[str, Any]:
    return {"protections": (Protection(name=name, type=kind, comment=comment),)}


def test_nothing_is_refused_where_nothing_is_protected() -> None:
    plan = plan_of()
    assert not plan.refusals
    assert not [w for w in plan.warnings if "protection" in w.text or "guardrail" in w.text]


def test_a_protected_record_is_refused_with_the_line_that_unprotects_it() -> None:
    (refusal,) = plan_of(**protected("A", "it's production")).refusals
    assert 'covers www.example.com A ("it\'s production")' in refusal.text
    assert "cannot be changed or released" in refusal.text
    delete, create = (
        shlex.split(part.partition("aws ")[2]) for part in refusal.hint.split("; then run this")
    )
    assert delete[1] == "delete-resource-record-set-protections"
    assert delete[-1] == '[{"RecordName": "www.example.com", "RecordType": "A"}]'
    assert '"Comment": "it\'s production"' in create[-1]


def test_a_reserved_type_that_the_stack_is_to_create_is_refused() -> None:
    cname = {**WWW, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "old.example.net."}]}
    del cname["AliasTarget"]
    reported = plan_of(cname, expected=(coming("A"),), **protected("A")).refusals
    assert "CloudFormation could not create" in reported[0].text
    unknown = plan_of(cname, **protected("A")).refusals
    assert "CloudFormation could not create" in unknown[0].text, "no template tells the type"


@pytest.mark.parametrize(
    "facts",
    [
        protected("TXT"),
        protected("A", name="shop.example.com."),
        {**protected("CNAME"), "expected": (coming("A"),)},
    ],
)
def test_a_protection_of_what_is_not_touched_is_no_refusal(facts: dict[str, Any]) -> None:
    assert not plan_of(**facts).refusals


def test_protections_that_cannot_be_listed_are_unknown_and_said_so() -> None:
    plan = plan_of(protections_unread="AccessDenied: not authorized")
    assert not plan.refusals
    (warning,) = [w for w in plan.warnings if "protections cover" in w.text]
    assert "unknown: AccessDenied" in warning.text
    assert "route53:ListResourceRecordSetProtections" in warning.hint


def test_the_active_record_check_refuses_a_release() -> None:
    (refusal,) = plan_of(guardrails=(Guardrail.ACTIVE_RECORD,)).refusals
    assert "ACTIVE_RECORD_CHECK" in refusal.text
    assert "www.example.com A could not be released" in refusal.text
    assert "--change-guardrails Name=ACTIVE_RECORD_CHECK,Status=DISABLED" in refusal.hint


def test_the_alias_target_check_refuses_what_an_alias_points_to() -> None:
    to_www = {**CDN, "HostedZoneId": "Z1", "DNSName": "www.example.com."}
    alias = {**WWW, "Name": "shop.example.com.", "AliasTarget": to_www}
    guardrails = (Guardrail.ALIAS_TARGET,)
    (refusal,) = plan_of(WWW, alias, guardrails=guardrails).refusals
    assert "what an alias points to: shop.example.com A" in refusal.text
    assert not plan_of(guardrails=guardrails).refusals
    assert not plan_of(WWW, alias).refusals


def test_checks_of_delegations_concern_ns_records_alone() -> None:
    checks = (Guardrail.NS_DELEGATION_AUTHORITY, Guardrail.NS_FORMAT)
    delegation = plan_of(DELEGATION, record="dev.example.com/NS", guardrails=checks)
    assert not delegation.refusals
    assert "dev.example.com NS can only be put back" in str(delegation.warnings)
    assert "put back" not in str(plan_of(guardrails=checks).warnings)
    active = plan_of(
        DELEGATION, record="dev.example.com/NS", guardrails=(Guardrail.ACTIVE_DELEGATION,)
    )
    assert "ACTIVE_DELEGATION_CHECK" in active.refusals[0].text
    assert not plan_of(guardrails=(Guardrail.ACTIVE_DELEGATION,)).refusals


def test_a_guardrail_that_is_not_known_is_reported() -> None:
    plan = plan_of(guardrails=("FUTURE_CHECK",))
    assert "does not know: FUTURE_CHECK" in str(plan.warnings)


def test_a_record_with_a_member_that_is_not_known_is_refused() -> None:
    odd = {**WWW, "AZAffinity": "<AZAffinity>...</AZAffinity>", "AliasTarget.Scope": "<Scope/>"}
    (refusal,) = plan_of(odd).refusals
    assert "www.example.com A has AZAffinity, AliasTarget.Scope, which this version" in refusal.text
    beside = {**odd, "Name": "shop.example.com."}
    assert not plan_of(WWW, beside).refusals, "it is not touched"


def test_what_is_not_known_makes_it_another_record() -> None:
    plain = RecordSet.from_api(WWW)
    odd = RecordSet.from_api({**WWW, "AZAffinity": "<AZAffinity/>"})
    assert not odd.same_as(plain)
    assert odd.unknown_members == ("AZAffinity",)
    assert replace(plain, routing=(("HealthCheckId", '"x"'),)).unknown_members == ()
