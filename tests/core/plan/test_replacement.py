"""What a restore replaces: never what a stack owns or may own, by the judgement of a plan."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core.plan.test_model import (
    TXT,
    WWW,
    alias,
    desired,
    facts,
    held_by,
    options,
    owns,
    record,
    stack,
)

from route53_takeover.core.domain.record_sets import Change
from route53_takeover.core.plan.claims import Site
from route53_takeover.core.plan.facts import StackRecord
from route53_takeover.core.plan.planner import make_plan
from route53_takeover.core.plan.replacement import Replacement, plan_replacement

OTHER = alias("www.example.com.", to="d2.cloudfront.net.")
LONG = record("www.example.com.", "TXT", '"hello"', ttl=3600)
SITE = Site(zone_id="Z1", zone_name="example.com.")


def replacing(*here: Any, owners: tuple[StackRecord, ...] = (), force: bool = False) -> Replacement:
    return plan_replacement(
        [WWW, LONG],
        here,
        changed=[TXT],
        owners=owners,
        site=SITE,
        force=force,
        by_force="restore --force",
    )


@pytest.mark.parametrize(
    ("wanted", "is_refused"),
    [
        (None, True),  # type and zone are unknown
        (desired(HostedZoneId="Z1"), True),
        (desired(HostedZoneName="example.com."), True),
        (desired(HostedZoneId="Z9"), False),
        (desired("TXT", TTL="60", ResourceRecords=["hello"], HostedZoneId="Z1"), False),
        (desired(SetIdentifier="blue", Weight=1, HostedZoneId="Z9"), False),
    ],
)
def test_what_a_plan_takes_for_another_stacks_a_restore_does_not_replace(
    wanted: Any, is_refused: bool
) -> None:
    owner = held_by("legacy", wanted)
    plan = make_plan(facts(foreign=(owner,)), options("www.example.com/A"))
    assert any("stack legacy owns" in finding.text for finding in plan.refusals) is is_refused
    found = replacing(OTHER, owners=(owner,), force=True)
    assert found.refusal.startswith("stack legacy owns") is is_refused
    assert bool(found.changes) is not is_refused


def test_a_record_of_the_runs_own_stack_is_never_replaced() -> None:
    owner = StackRecord(stack=stack(), record=owns(desired()))
    found = replacing(OTHER, owners=(owner,), force=True)
    assert found.refusal.startswith("stack shop-prod owns the record there")
    assert "DeletionPolicy: Retain" in found.hint
    assert "`restore --force`" in found.hint


def test_another_writers_record_is_only_replaced_by_force() -> None:
    found = replacing(OTHER)
    assert "neither this run nor a stack created" in found.refusal
    assert "`restore --force`" in found.hint
    assert found.changes == ()
    assert replacing(OTHER, force=True).changes == (Change.delete(OTHER), Change.create(WWW))


def test_a_lowered_ttl_is_changed_back_beside_a_record_that_is_refused() -> None:
    found = replacing(OTHER, TXT)
    assert found.changes == (Change.delete(TXT), Change.create(LONG))
    assert "d2.cloudfront.net" in found.refusal


def test_nothing_is_changed_where_the_originals_exist() -> None:
    assert replacing(WWW, LONG) == Replacement()
