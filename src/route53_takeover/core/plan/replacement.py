"""The replacement of records that block a restore: what is replaced, and what is refused.

A record that a stack owns or may own is never replaced, by the judgement that a plan makes too
(`route53_takeover.core.plan.claims`). Any other is replaced only where it is the original with a
lowered TTL, or with ``--force``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.domain.record_sets import Change, conflict
from route53_takeover.core.plan.claims import may_own
from route53_takeover.core.plan.ownership import stack_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.claims import Site
    from route53_takeover.core.plan.facts import StackRecord


class Replacement(Struct, frozen=True, kw_only=True):
    """What restores the record sets of a name that other records block.

    Attributes:
        changes: one batch, which restores those that may be restored.
        refusal: why the first of the others is not; empty where there is none.
        hint: what can be done about that.
    """

    changes: tuple[Change, ...] = ()
    refusal: str = ""
    hint: str = ""


def plan_replacement(
    originals: Sequence[RecordSet],
    here: Sequence[RecordSet],
    *,
    changed: Sequence[RecordSet],
    owners: Sequence[StackRecord],
    site: Site,
    force: bool,
    by_force: str,
) -> Replacement:
    """Decides how to restore the record sets of a name that other records block.

    Args:
        originals: the name's record sets in the backup.
        here: the records at the name now.
        changed: the forms that the run itself may have given them.
        owners: the records of stacks that may be at the name.
        site: the zone.
        force: replace what another writer created.
        by_force: the command line that does.
    """
    changes: list[Change] = []
    refused: Replacement | None = None
    for original in originals:
        blocking = blocks(original, here)
        owned = ((o, r) for r in blocking for o in owners if may_own(site, o.record, r))
        if found := next(owned, None):
            refused = refused or _owned(*found, by_force)
        elif not force and not all_in(blocking, changed):
            refused = refused or _by_another_writer(blocking[0], original, by_force)
        elif blocking:
            changes += [Change.delete(r) for r in blocking if Change.delete(r) not in changes]
            changes.append(Change.create(original))
    refused = refused or Replacement()
    return Replacement(changes=tuple(changes), refusal=refused.refusal, hint=refused.hint)


def blocks(original: RecordSet, here: Sequence[RecordSet]) -> list[RecordSet]:
    """The records that have to be deleted before it can be created; none where it exists."""
    return [r for r in here if conflict(r, original) and not r.same_as(original)]


def all_in(some: Sequence[RecordSet], known: Sequence[RecordSet]) -> bool:
    """Whether each of the records is the same as one of the known ones."""
    return all(any(record.same_as(other) for other in known) for record in some)


def _owned(owner: StackRecord, record: RecordSet, by_force: str) -> Replacement:
    return Replacement(
        refusal=f"stack {stack_named(owner)} owns the record there ({record.describe()}); it is "
        "left as it is",
        hint="If the stack should own the name, nothing is to be done. If it is rolling back, wait "
        "for its end and run `restore` again. If it should not own the name, remove the resource "
        "from it: set DeletionPolicy: Retain on it and deploy, then remove it from the template "
        f"and deploy; then `{by_force}`.",
    )


def _by_another_writer(record: RecordSet, original: RecordSet, by_force: str) -> Replacement:
    return Replacement(
        refusal=f"the name has {record.describe()}, which neither this run nor a stack created",
        hint="If it is intended, nothing is to be done. To replace it with "
        f"{original.describe()}: `{by_force}`, which first saves what it deletes to "
        "restores.jsonl.",
    )
