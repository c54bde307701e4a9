"""What Route 53's and CloudFormation's messages say about a record that could not be changed.

A reason may hold several messages, one for each record of a batch. It is text from outside: what
is not recognised is `Problem.OTHER`, never guessed.
"""

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct

from route53_takeover.core.domain.record_sets import RecordKey, normal_name


class Problem(StrEnum):
    """Why a change of a record set was refused."""

    EXISTS = "exists"
    TYPE_CONFLICT = "type-conflict"  # a CNAME beside another type
    ROUTING_CONFLICT = "routing-conflict"  # a simple record set beside a routed one
    APEX = "apex"  # a CNAME at the zone's own name
    OTHER_ZONE = "other-zone"
    NO_ZONE = "no-zone"
    PROTECTED = "protected"
    GUARDRAIL = "guardrail"
    RESOURCE_CONFLICT = "resource-conflict"
    OTHER = "other"


WHOEVER_ASKS = frozenset({Problem.PROTECTED, Problem.GUARDRAIL, Problem.RESOURCE_CONFLICT})
"""Route 53 refuses it even where no record is in the way."""
IN_THE_WAY = frozenset({Problem.EXISTS, Problem.TYPE_CONFLICT, Problem.ROUTING_CONFLICT})
"""An existing record is the cause."""


class Refusal(Struct, frozen=True, kw_only=True):
    """One message: the problem, the record set that it names, and the guardrail."""

    problem: Problem
    key: RecordKey | None = None
    guardrail: str = ""


_LONGEST = 4096
"""Characters that are read; CloudFormation's reasons are shorter."""
_MESSAGES = re.compile(r"(?<!\w )(?=Tried to (?:create|delete) |RRSet (?:of type|with DNS name) )")
_NAMED = (
    re.compile(
        r"\[name='(?P<name>[^']{1,1024})', type='(?P<type>\w{1,10})'"
        r"(?:, set-identifier='(?P<id>[^']{1,128})')?\]"
    ),
    re.compile(r"RRSet of type {1,2}(?P<type>\w{1,10}) with DNS name (?P<name>[^\s,]{1,1024})"),
    re.compile(
        r"RRSet with DNS name (?P<name>[^\s,]{1,1024}), type (?P<type>\w{1,10})"
        r"(?:, SetIdentifier (?P<id>\S{1,128}))?"
    ),
)
_GUARDRAIL = re.compile(r"\b[A-Z]{2,20}(?:_[A-Z]{2,20}){0,4}_CHECK\b")
_PROBLEMS = (
    (Problem.APEX, re.compile(r"is not permitted at apex")),
    (Problem.EXISTS, re.compile(r"but it already exists")),
    (Problem.TYPE_CONFLICT, re.compile(r"conflicting RRSet of type|conflicts with other records")),
    (
        Problem.ROUTING_CONFLICT,
        re.compile(r"cannot be created as (?:other RRSets exist|a non-[\w ]{1,40} set exists)"),
    ),
    (Problem.OTHER_ZONE, re.compile(r"is not permitted in zone")),
    (Problem.NO_ZONE, re.compile(r"(?:No|Found multiple) hosted zones? ?(?:found|named|with)")),
    (Problem.PROTECTED, re.compile(r"\bprotect(?:ed|ion)", re.IGNORECASE)),
    (Problem.RESOURCE_CONFLICT, re.compile(r"ResourceConflict")),
)


def refusals_in(reason: str) -> tuple[Refusal, ...]:
    """What a status reason or an error message says, one for each record set that it names."""
    parts = [part for part in _MESSAGES.split(reason[:_LONGEST]) if part.strip(" ,[]")]
    found = [_refusal(part) for part in parts]
    named = [refusal for refusal in found if refusal.key is not None]
    if named:
        return tuple(named)
    known = [refusal for refusal in found if refusal.problem is not Problem.OTHER]
    return (known[0] if known else Refusal(problem=Problem.OTHER),)


def is_about_a_record(reason: str) -> bool:
    """Whether `diagnose` has something to say about a failure with this reason."""
    return any(refusal.problem is not Problem.OTHER for refusal in refusals_in(reason))


def _refusal(message: str) -> Refusal:
    named = next((found for pattern in _NAMED if (found := pattern.search(message))), None)
    words = message if named is None else message.replace(named["name"], "")
    guardrail = _GUARDRAIL.search(words)
    problem = next((each for each, pattern in _PROBLEMS if pattern.search(words)), Problem.OTHER)
    if guardrail:
        problem = Problem.GUARDRAIL
    return Refusal(
        problem=problem,
        key=None if named is None else _key(named.groupdict()),
        guardrail=guardrail[0] if guardrail else "",
    )


def _key(named: dict[str, str | None]) -> RecordKey:
    return RecordKey(normal_name(named["name"] or ""), named["type"] or "", named.get("id"))
