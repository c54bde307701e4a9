"""`restore RUN`: puts a name back as it was, from the run's backup alone.

It creates what is missing, and changes back, in one atomic batch, a record of which only our own
lowered TTL differs. Anything else that stands there is left alone, unless ``--force`` says to
replace it, by an exact compare-and-delete that is saved first; and never is a record replaced that
a stack owns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.records import Change, conflict, display_name
from route53_takeover.errors import (
    ApiError,
    CredentialsError,
    EndpointError,
    MustLookError,
    RefusedError,
    RejectedChangeError,
    ThrottledError,
    UnansweredError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from route53_takeover.core.records import RecordSet
    from route53_takeover.ports import Clock, Records, Stacks

_TRIES = 30
"""About a minute: then a person has to look."""
_TEMPORARY = (ThrottledError, UnansweredError, EndpointError, CredentialsError)


class Rescue(Struct, frozen=True, kw_only=True):
    """What is to be done at one name, or was.

    Attributes:
        changes: one batch; empty where the name is as it was.
        refusal: why it is not done.
    """

    name: str
    changes: tuple[Change, ...] = ()
    refusal: str = ""

    def describe(self) -> str:
        """One line for people."""
        if self.refusal:
            return f"{display_name(self.name)}: {self.refusal}"
        if not self.changes:
            return f"{display_name(self.name)} is as it was"
        done = [f"{c.action.lower()} {c.record.describe()}" for c in self.changes]
        return f"{display_name(self.name)}: {', then '.join(done)}"


def plan_rescue(
    name: str,
    originals: Sequence[RecordSet],
    here: Sequence[RecordSet],
    *,
    lowered: Sequence[RecordSet],
    owner: str | None,
    force: bool,
) -> Rescue:
    """Decides what puts a name back.

    Args:
        originals: its record sets in the backup.
        here: what stands at the name now.
        lowered: the originals with the TTL that the run lowered them to.
        owner: the stack that owns a record at the name, if any.
        force: replace what somebody else wrote.
    """
    changes: list[Change] = []
    for original in originals:
        in_the_way = [record for record in here if conflict(record, original)]
        if len(in_the_way) == 1 and in_the_way[0].same_as(original):
            continue
        ours = all(any(r.same_as(low) for low in lowered) for r in in_the_way)
        if in_the_way and owner is not None:
            return Rescue(
                name=name,
                refusal=f"stack {owner} owns what stands there "
                f"({in_the_way[0].describe()}): it is left alone",
            )
        if in_the_way and not ours and not force:
            return Rescue(
                name=name,
                refusal=f"{in_the_way[0].describe()} stands there now: --force replaces it",
            )
        changes += [Change.delete(r) for r in in_the_way if Change.delete(r) not in changes]
        changes.append(Change.create(original))
    return Rescue(name=name, changes=tuple(changes))


async def rescue(
    name: str,
    originals: Sequence[RecordSet],
    *,
    zone_id: str,
    clock: Clock,
    records: Records,
    stacks: Stacks,
    ttl: int | None,
    force: bool,
    dry_run: bool,
    tell: Callable[[str], None],
    save: Callable[[Sequence[Change]], None],
) -> Rescue:
    """Puts one name back, however often the answer is lost.

    Args:
        save: makes durable what is about to be changed; raises OSError.

    Returns:
        What was done, or would be with ``dry_run``.

    Raises:
        RefusedError: something else stands there.
        ApiError: AWS could not be asked, before anything was sent.
        MustLookError: the name lacks a record, or nobody knows, and it could not be helped in
            about a minute.
    """
    lowered = [replace(r, ttl=ttl) for r in originals if ttl is not None and r.ttl and r.ttl > ttl]
    before: Rescue | None = None
    done: Rescue | None = None
    incomplete = False  # as far as the last read tells
    for attempt in range(_TRIES):
        if attempt:
            await clock.sleep(min(0.5 * attempt, 2.0))
        try:
            here = await records.read_name(zone_id, name)
            incomplete = not all(any(conflict(r, o) for r in here) for o in originals)
            standing = any(conflict(r, o) and not r.same_as(o) for r in here for o in originals)
            owner = await stacks.owner(name) if standing else None
            todo = plan_rescue(
                name,
                originals,
                here,
                lowered=lowered,
                owner=owner.stack_name if owner else None,
                force=force,
            )
            if todo.refusal:
                raise RefusedError(todo.describe(), "Look at it with `report` and in the console.")
            if not todo.changes or dry_run:
                return done or todo
            _save(todo, originals, lowered, save, tell)
            before, done = done, todo
            await records.change(zone_id, todo.changes, "route53-takeover restore")
        except _TEMPORARY as error:
            if done is None and isinstance(error, CredentialsError | EndpointError):
                raise
            tell(f"{display_name(name)}: {_told(error)}; trying again")
        except RejectedChangeError as error:
            done = before  # nothing of this batch was applied: it is not ours to report
            tell(f"{display_name(name)} moved meanwhile ({error}); looking again")
        except ApiError as error:
            if not incomplete:
                raise
            raise MustLookError(
                f"cannot restore {display_name(name)}, which lacks a record: {error}", error.hint
            ) from error
    raise MustLookError(
        f"could not restore {display_name(name)} in {_TRIES} tries",
        "Run `restore` again; backup.json holds the records as they were.",
    )


def _save(
    todo: Rescue,
    originals: Sequence[RecordSet],
    lowered: Sequence[RecordSet],
    save: Callable[[Sequence[Change]], None],
    tell: Callable[[str], None],
) -> None:
    """Makes durable what is about to be changed.

    Where that fails (the disk is full) only what the backup holds already is done all the same:
    nothing is deleted that nobody could put back.
    """
    try:
        save(todo.changes)
    except OSError as error:
        known = (*originals, *lowered)
        if any(
            c.action == "DELETE" and not any(c.record.same_as(r) for r in known)
            for c in todo.changes
        ):
            raise UsageError(
                f"cannot save what --force would delete at {display_name(todo.name)}: "
                f"{error.strerror}",
                "Make room in the run's folder.",
            ) from error
        tell(f"cannot save what is restored ({error.strerror}); going on")


def _told(error: ApiError) -> str:
    return f"{error} ({error.hint})" if error.hint else str(error)
