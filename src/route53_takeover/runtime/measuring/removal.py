"""Removing everything that a measurement created, from whatever point it was left at.

The stack first, which deletes its own records; then whatever else is below the throw-away label.
It needs the scope alone: what is below that label, and the stack of that name whose template says
so, are this run's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.base.errors import ApiError, TakeoverError, one_line
from route53_takeover.core.domain.record_sets import Change
from route53_takeover.core.measuring.records import targets_last
from route53_takeover.core.plan.measured import RecordKind
from route53_takeover.runtime.measuring.guarded import GONE
from route53_takeover.runtime.measuring.patience import patiently

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.runtime.measuring.bench import Bench

_LOOK_EVERY = 1.0
_PATIENCE = 900.0
"""Seconds that the stack gets to be gone."""
_TRIES = 3
_BATCH = 100
"""Changes in one batch, at most."""


class Left(Struct, frozen=True, kw_only=True):
    """Something that could not be removed.

    Attributes:
        why: what AWS said.
        command: the line that removes it.
    """

    what: str
    why: str
    command: str


async def remove_all(bench: Bench) -> Sequence[Left]:
    """Removes the protections, the stack and the records; returns what is left of them."""
    left = [*await _remove_protections(bench)]
    left += await _remove_stack(bench)
    return [*left, *await _remove_records(bench)]


async def _remove_protections(bench: Bench) -> list[Left]:
    names = [bench.scope.name(f"{kind}-guarded") for kind in RecordKind]
    try:
        found = await patiently(
            bench.clock, lambda: bench.records.protections(bench.scope.zone_id, names)
        )
    except TakeoverError:
        return []  # whoever may not list them has created none
    left = []
    for each in found:
        try:
            await bench.stack.unprotect(each.name, each.type)
        except TakeoverError as error:
            command = (
                f"aws route53 delete-resource-record-set-protections --hosted-zone-id "
                f"{bench.scope.zone_id} --protections RecordName={each.name},RecordType={each.type}"
            )
            left.append(
                Left(
                    what=f"the protection of {each.name} {each.type}",
                    why=one_line(error),
                    command=command,
                )
            )
    return left


async def _remove_stack(bench: Bench) -> list[Left]:
    """Deletes the stack, and lets it go on first where an operation is under way."""
    until, tries, why = bench.clock.now() + _PATIENCE, 0, "it takes too long"
    while bench.clock.now() < until and tries < _TRIES:
        try:
            status = (await bench.stack.find()).status
            if status in GONE:
                return []
            if status == "DELETE_FAILED":
                why = "its delete failed"
                await _remove_records(bench)  # one that another value stands in for blocks it
            if status == "UPDATE_IN_PROGRESS":
                await bench.stack.cancel_update()
            elif status == "CREATE_IN_PROGRESS" or not status.endswith("_IN_PROGRESS"):
                tries += status == "DELETE_FAILED"
                await bench.stack.delete()
        except ApiError as error:  # between a look and a call its status may have changed
            why = one_line(error)
            tries += not error.code and not error.operation
        await bench.clock.sleep(_LOOK_EVERY)
    stack = bench.stack.stack_id or bench.scope.stack_name
    command = f"aws cloudformation delete-stack --stack-name {stack}"
    return [Left(what=f"stack {bench.scope.stack_name}", why=why, command=command)]


async def _remove_records(bench: Bench) -> list[Left]:
    """Deletes what stands below the label."""
    why = ""
    for _ in range(_TRIES):
        try:
            standing = targets_last((await bench.standing()).values())
            if not standing:
                return []
            for start in range(0, len(standing), _BATCH):
                await bench.write([Change.delete(r) for r in standing[start : start + _BATCH]])
        except TakeoverError as error:  # the stack may have deleted one of them meanwhile
            why = one_line(error)
            await bench.clock.sleep(_LOOK_EVERY)
    try:
        rest = (await bench.standing()).values()
    except TakeoverError as error:
        return [
            Left(
                what=f"what is below {bench.scope.suffix}",
                why=one_line(error),
                command=f"route53-takeover restore {bench.scope.run}",
            )
        ]
    return [_left(bench, each, why) for each in rest]


def _left(bench: Bench, record: RecordSet, why: str) -> Left:
    batch = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": record.to_api()}]}
    return Left(
        what=record.describe(),
        why=why,
        command=(
            f"aws route53 change-resource-record-sets --hosted-zone-id {bench.scope.zone_id} "
            f"--change-batch '{json.dumps(batch)}'"
        ),
    )
