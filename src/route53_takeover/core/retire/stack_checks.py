"""What keeps a stack from being deleted at all, or makes it another one than was meant."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from route53_takeover.core.retire.model import Break, Findings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.retire.facts import RetireFacts

_GONE = "DELETE_COMPLETE"


def is_gone(facts: RetireFacts) -> bool:
    """Whether the stack is deleted already."""
    return facts.root.status == _GONE


def check_stack(facts: RetireFacts) -> Findings:
    """Which stack it is, whether CloudFormation would delete it, and what could not be read."""
    notes = []
    if is_gone(facts):
        notes.append(f"{facts.root.stack_name} is deleted already.")
    elif facts.root.status == "DELETE_FAILED":
        notes.append("An earlier delete failed: part of the stack is gone already.")
    found = (*_which(facts), *_status(facts), *_imports(facts), *_unread(facts))
    return Findings(breaks=found, notes=tuple(notes))


def _which(facts: RetireFacts) -> Iterator[Break]:
    """A name that leads to another stack than one would think."""
    given, named, root = facts.given, facts.named, facts.root
    if given not in (named.stack_name, named.stack_id):
        yield Break(
            what="alias of a stack",
            id=given,
            why=f"It names the stack {named.stack_name} ({named.stack_id}): deleting {given} "
            "deletes that one, which may be the live one.",
            way_out=f"Name the stack itself: --stack {shlex.quote(named.stack_id)}",
        )
    if named.stack_id != root.stack_id:
        yield Break(
            what="nested stack",
            id=named.stack_name,
            why=f"It is a part of {root.stack_name}, and this verdict is on all of that.",
            way_out=f"Name the root stack: --stack {root.stack_name}",
        )


def _status(facts: RetireFacts) -> Iterator[Break]:
    root = facts.root
    if facts.is_protected:
        yield Break(
            what="termination protection",
            id=root.stack_name,
            why="CloudFormation refuses to delete the stack while it is on.",
            way_out="aws cloudformation update-termination-protection "
            f"--no-enable-termination-protection --stack-name {root.stack_name}",
        )
    if root.status.endswith("_IN_PROGRESS") and root.status != "REVIEW_IN_PROGRESS":
        yield Break(
            what="stack in progress",
            id=root.stack_name,
            why=f"It is {root.status}: what it has is changing.",
            way_out="Wait until it has ended, and run this again.",
        )


def _imports(facts: RetireFacts) -> Iterator[Break]:
    for each in facts.imported:
        yield Break(
            what="export in use",
            id=each.name,
            why=f"It is imported by {', '.join(each.importers)}: CloudFormation does not delete "
            f"{each.stack_name} as long as that is so.",
            way_out=f"Deploy {', '.join(each.importers)} without Fn::ImportValue of {each.name}.",
        )


def _unread(facts: RetireFacts) -> Iterator[Break]:
    for each in facts.unread:
        yield Break(
            what=f"unread: {each.what}",
            id=each.id,
            why=f"It could not be read ({each.reason}), so whether something breaks cannot be "
            "told.",
            way_out=each.hint or "Run this again with credentials that may read it.",
        )
