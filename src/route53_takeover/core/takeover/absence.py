"""What a name lacks while record sets of it are missing, and who answers it all the same.

A simple record leaves its name without an answer. A member of a routed group does not, as long as
other members stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.domain.routing import other_members, still_answers
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.name_state import ABSENT_STAGES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from route53_takeover.core.domain.record_sets import RecordKey
    from route53_takeover.core.takeover.name_state import Handover, NameState


class Lack(NamedTuple):
    """What is missing, or just being deleted, at one name.

    Attributes:
        what: the name; where it still answers, the members that are missing.
        answers: that it still answers, and whom that does not help; empty where no member stands.
    """

    what: str
    answers: str

    def __str__(self) -> str:
        if self.answers:
            return f"{self.what} is missing; {self.answers}"
        return f"{self.what} has no record"


def still_answering(name: NameState, handover: Handover) -> str:
    """That the name answers without this record set, as the newest read showed; else empty."""
    if name.covered_by:
        return f"the name still answers from {display_name(name.covered_by)}"
    gone = _gone(name)
    standing = [record for record in name.seen if record.key not in gone]
    return still_answers(handover.original, other_members(handover.original, standing))


def lack(name: NameState) -> Lack:
    """What the name lacks; one of its types without an answer counts as all of it."""
    gone = _gone(name)
    missing = [h for h in name.handovers if h.original.key in gone]
    answers = [still_answering(name, handover) for handover in missing]
    if not all(answers):
        return Lack(display_name(name.name), "")
    labels = " and ".join(handover.label for handover in missing)
    return Lack(labels, "; ".join(dict.fromkeys(answers)))


def lacks(names: Iterable[NameState]) -> str:
    """``www.example.com has no record``, for every name that lacks one; empty where none does."""
    found = [lack(name) for name in names if name.is_absent]
    bare = ", ".join(each.what for each in found if not each.answers)
    members = [each for each in found if each.answers]
    return "; ".join(map(str, [*([Lack(bare, "")] if bare else []), *members]))


def _gone(name: NameState) -> set[RecordKey]:
    """The record sets that are gone, or that a release on its way deletes."""
    gone = {h.original.key for h in name.handovers if h.stage in ABSENT_STAGES}
    if name.write is not None and name.write.purpose is Purpose.RELEASE:
        gone |= {change.record.key for change in name.write.changes}
    return gone
