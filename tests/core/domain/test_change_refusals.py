"""What is read out of Route 53's messages, and that nothing is read into others."""

from __future__ import annotations

import pytest

from route53_takeover.core.domain.change_refusals import (
    Problem,
    Refusal,
    is_about_a_record,
    refusals_in,
)
from route53_takeover.core.domain.record_sets import RecordKey

A = RecordKey("www.example.com.", "A")


@pytest.mark.parametrize(
    ("reason", "problem", "key"),
    [
        (
            (
                "[Tried to create resource record set [name='www.example.com.', type='A'] but it "
                "already exists]"
            ),
            Problem.EXISTS,
            A,
        ),
        (
            (
                "[Tried to create resource record set [name='\\052.example.com.', type='A', "
                "set-identifier='one'] but it already exists]"
            ),
            Problem.EXISTS,
            RecordKey("\\052.example.com.", "A", "one"),
        ),
        (
            (
                "[RRSet of type A with DNS name www.example.com. is not permitted because a "
                "conflicting RRSet of type  CNAME with the same DNS name already exists in zone "
                "example.com.]"
            ),
            Problem.TYPE_CONFLICT,
            A,
        ),
        (
            (
                "[RRSet of type CNAME with DNS name www.example.com. is not permitted as it "
                "conflicts with other records with the same DNS name in zone example.com.]"
            ),
            Problem.TYPE_CONFLICT,
            RecordKey("www.example.com.", "CNAME"),
        ),
        (
            (
                "[RRSet of type CNAME with DNS name example.com. is not permitted at apex in zone "
                "example.com.]"
            ),
            Problem.APEX,
            RecordKey("example.com.", "CNAME"),
        ),
        (
            (
                "[RRSet with DNS name www.example.com., type A cannot be created as other RRSets "
                "exist with the same name and type.]"
            ),
            Problem.ROUTING_CONFLICT,
            A,
        ),
        (
            (
                "[RRSet with DNS name www.example.com., type A, SetIdentifier one cannot be "
                "created as a non-weighted set exists with the same name and type.]"
            ),
            Problem.ROUTING_CONFLICT,
            RecordKey("www.example.com.", "A", "one"),
        ),
        (
            "[RRSet with DNS name www.example.org. is not permitted in zone example.com.]",
            Problem.OTHER_ZONE,
            None,
        ),
        ("No hosted zones named example.com. found", Problem.NO_ZONE, None),
        ("Found multiple hosted zones named example.com. found", Problem.NO_ZONE, None),
        (
            (
                "[RRSet of type A with DNS name www.example.com. cannot be changed by CREATE: a "
                "resource record set protection exists for it with the comment: x]"
            ),
            Problem.PROTECTED,
            A,
        ),
        (
            "Resource of type 'X' with id 'y' ... (ResourceConflict)",
            Problem.RESOURCE_CONFLICT,
            None,
        ),
        (
            (
                "[Tried to delete resource record set [name='protected.example.com.', type='A'] "
                "but it was not found]"
            ),
            Problem.OTHER,
            RecordKey("protected.example.com.", "A"),
        ),
        ("Resource handler returned message: no quota", Problem.OTHER, None),
        ("", Problem.OTHER, None),
    ],
)
def test_a_message_names_its_problem_and_its_record(
    reason: str, problem: Problem, key: RecordKey | None
) -> None:
    assert refusals_in(reason) == (Refusal(problem=problem, key=key),)
    assert is_about_a_record(reason) is (problem is not Problem.OTHER)


def test_a_guardrail_is_recognised_by_its_name() -> None:
    reason = (
        "[RRSet of type A with DNS name www.example.com. was rejected by the change guardrail "
        "ACTIVE_RECORD_CHECK: it still receives DNS queries]"
    )
    assert refusals_in(reason) == (
        Refusal(problem=Problem.GUARDRAIL, key=A, guardrail="ACTIVE_RECORD_CHECK"),
    )


def test_each_record_of_a_batch_has_its_own_problem() -> None:
    exists = (
        "Tried to create resource record set [name='www.example.com.', type='A'] but it already "
        "exists"
    )
    apex = "RRSet of type CNAME with DNS name example.com. is not permitted at apex in zone x."
    found = refusals_in(f"[{exists}, {apex}] (Service: AmazonRoute53; Status Code: 400)")
    assert [each.problem for each in found] == [Problem.EXISTS, Problem.APEX]
    assert [each.key and each.key.type for each in found] == ["A", "CNAME"]
