"""What a diagnosis advises, decided from what was read."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pytest

from route53_takeover.core.domain.change_refusals import Problem, Refusal
from route53_takeover.core.domain.protections import Protection
from route53_takeover.core.domain.record_sets import RecordKey, RecordSet
from route53_takeover.core.domain.stacks import StackDescription
from route53_takeover.core.plan.claims import Site
from route53_takeover.core.plan.diagnosis import (
    UNKNOWN,
    DiagnosisFacts,
    FailedRecord,
    Ground,
    diagnose,
)
from route53_takeover.core.plan.facts import OtherZone, Unasked

if TYPE_CHECKING:
    from route53_takeover.core.plan.diagnosis import DiagnosisFinding

WWW = "www.example.com."
A = RecordSet(name=WWW, type="A", ttl=60, values=("192.0.2.1",))
SITE = Site(zone_id="Z1", zone_name="example.com.")
STANDS = Ground(site=SITE, records=(A,))


def found(
    problem: Problem,
    ground: Ground = STANDS,
    *,
    status: str = "UPDATE_ROLLBACK_COMPLETE",
    **more: Any,
) -> DiagnosisFinding:
    refusal = Refusal(problem=problem, key=RecordKey(WWW, "A"), guardrail="ALIAS_TARGET_CHECK")
    failed = FailedRecord(stack_name="shop", logical_id="Dns", reason="why", refusal=refusal)
    stack = StackDescription(stack_id="arn:1", stack_name="shop", status=status)
    facts = DiagnosisFacts(stack=stack, failed=(failed,), grounds={WWW: ground}, **more)
    (finding,) = diagnose(facts).findings
    return finding


def test_the_plan_line_reaches_the_same_account_and_zone() -> None:
    twin = OtherZone(zone_id="Z2", name="example.com.", private=True)
    site = Site(zone_id="Z1", zone_name="example.com.", others=(twin,))
    ground = Ground(site=site, records=(A,))
    finding = found(Problem.EXISTS, ground, connection=("--profile", "my prod"))
    assert finding.plan_line == (
        "route53-takeover plan --stack shop --record www.example.com/A --zone Z1 "
        "--profile 'my prod' --no-deploy"
    )
    assert "--zone" not in shlex.split(found(Problem.EXISTS).plan_line or "")


@pytest.mark.parametrize(
    ("problem", "ground", "reported"),
    [
        (Problem.EXISTS, Ground(unread="AccessDenied"), "could not be read: AccessDenied"),
        (Problem.EXISTS, Ground(), "No zone of this account holds www.example.com"),
        (Problem.EXISTS, Ground(site=SITE), "deploy again"),
        (Problem.GUARDRAIL, STANDS, "guardrail ALIAS_TARGET_CHECK refuses"),
        (Problem.RESOURCE_CONFLICT, STANDS, "delete-resource-record-set-protections"),
        (Problem.OTHER_ZONE, STANDS, "correct HostedZoneId"),
        (Problem.NO_ZONE, STANDS, "set HostedZoneId instead"),
        (Problem.OTHER, STANDS, "No existing record is the cause"),
    ],
)
def test_what_no_takeover_can_help_has_its_own_way_out(
    problem: Problem, ground: Ground, reported: str
) -> None:
    finding = found(problem, ground)
    assert reported in finding.advice
    assert finding.plan_line is None


def test_a_reserved_name_without_a_record_needs_no_takeover() -> None:
    reserved = Protection(name=WWW, type="A", comment="mine")
    finding = found(Problem.PROTECTED, Ground(site=SITE, protections=(reserved,)))
    assert "www.example.com A ('mine'): delete it" in finding.advice
    assert (finding.exists, finding.plan_line) == (False, None)


def test_no_line_is_given_while_owners_are_unread() -> None:
    unasked = (Unasked(region="eu-west-1", error="AccessDenied"),)
    finding = found(Problem.EXISTS, unasked=unasked)
    assert (finding.owner, finding.plan_line) == (UNKNOWN, None)
    assert "could not be read in eu-west-1: AccessDenied" in finding.advice


def test_a_stack_that_cannot_be_updated_says_first_how_it_is_brought_back() -> None:
    finding = found(Problem.EXISTS, status="UPDATE_ROLLBACK_FAILED")
    assert finding.advice.startswith("The stack is UPDATE_ROLLBACK_FAILED. ")
    assert "continue-update-rollback --stack-name shop. No stack owns" in finding.advice
