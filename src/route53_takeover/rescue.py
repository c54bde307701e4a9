"""`restore RUN`: puts a name back as it was, from the run's backup alone.

It creates what is missing, and changes back, in one atomic batch, a record of which only our own
lowered TTL differs. Anything else that stands there is left alone, unless ``--force`` says to
replace it, by an exact compare-and-delete that is saved first.

Never is a record replaced that a stack owns: a stack of the run's own tree, or any other in any
region, asked by the record's name and told by the type in its template. A template that hides the
type, or that may not be read, counts as owning it; so does a group of records, whose names nobody
lists. Where this region's stacks may not be asked at all, nothing is replaced; other regions that
cannot be asked are told of, for many accounts close them. AWS names one stack a name, so of two
strangers that own different types there it may hide the one that counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.records import Change, conflict, display_name, normal_name
from route53_takeover.errors import (
    AccessDeniedError,
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
from route53_takeover.owners import Tree, foreign_records

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from route53_takeover.core.plan import OwnedRecord
    from route53_takeover.core.records import RecordSet
    from route53_takeover.ports import Clock, Records, Stacks

_TRIES = 30
"""About a minute: then a person has to look."""
_TEMPORARY = (ThrottledError, UnansweredError, EndpointError, CredentialsError)


class Place(Struct, frozen=True, kw_only=True):
    """Where a run was: its zone, and its root stack by name or ARN."""

    zone_id: str
    zone_name: str
    root: str


class Owner(Struct, frozen=True, kw_only=True):
    """A stack that owns a record set at the name; ``type`` is ``None`` where that is hidden."""

    stack: str
    type: str | None


class Rescue(Struct, frozen=True, kw_only=True):
    """What is to be done at one name, or was.

    Attributes:
        changes: one batch; empty where the name is as it was.
        refusal: why it is not done.
        hint: what can be done about that.
    """

    name: str
    changes: tuple[Change, ...] = ()
    refusal: str = ""
    hint: str = ""

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
    owners: Sequence[Owner],
    force: bool,
    by_force: str,
) -> Rescue:
    """Decides what puts a name back.

    Args:
        originals: its record sets in the backup.
        here: what stands at the name now.
        lowered: the originals with the TTL that the run lowered them to.
        owners: of what record sets there are at the name.
        force: replace what somebody else wrote.
        by_force: the command line that does.
    """
    changes: list[Change] = []
    for original in originals:
        in_the_way = [record for record in here if conflict(record, original)]
        if len(in_the_way) == 1 and in_the_way[0].same_as(original):
            continue
        ours = all(any(r.same_as(low) for low in lowered) for r in in_the_way)
        for record in in_the_way:
            owner = next((o for o in owners if o.type in (None, record.type)), None)
            if owner is not None:
                return Rescue(
                    name=name,
                    refusal=f"stack {owner.stack} owns what stands there "
                    f"({record.describe()}): it is left alone",
                    hint="If the stack is to have the name, all is well. If not, take the resource "
                    "out of it: put DeletionPolicy: Retain on it and deploy, then remove it from "
                    f"the template and deploy; then `{by_force}`.",
                )
        if in_the_way and not ours and not force:
            return Rescue(
                name=name,
                refusal=f"{in_the_way[0].describe()} stands there now; neither this run nor a "
                "stack has made it",
                hint="If somebody means it to be there, all is well. To put "
                f"{original.describe()} in its place: `{by_force}`, which saves what it deletes "
                "to restores.jsonl first.",
            )
        changes += [Change.delete(r) for r in in_the_way if Change.delete(r) not in changes]
        changes.append(Change.create(original))
    return Rescue(name=name, changes=tuple(changes))


async def rescue(
    name: str,
    originals: Sequence[RecordSet],
    *,
    place: Place,
    clock: Clock,
    records: Records,
    stacks: Stacks,
    ttl: int | None,
    force: bool,
    by_force: str,
    dry_run: bool,
    tell: Callable[[str], None],
    save: Callable[[Sequence[Change]], None],
) -> Rescue:
    """Puts one name back, however often the answer is lost.

    Args:
        by_force: the command line that replaces what somebody else wrote.
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
            here = await records.read_name(place.zone_id, name)
            incomplete = not all(any(conflict(r, o) for r in here) for o in originals)
            standing = any(conflict(r, o) and not r.same_as(o) for r in here for o in originals)
            owners = await _owners(stacks, place, name, tell) if standing else []
            todo = plan_rescue(
                name,
                originals,
                here,
                lowered=lowered,
                owners=owners,
                force=force,
                by_force=by_force,
            )
            if todo.refusal:
                raise RefusedError(todo.describe(), todo.hint)
            if not todo.changes or dry_run:
                return done or todo
            _save(todo, originals, lowered, save, tell)
            before, done = done, todo
            await records.change(place.zone_id, todo.changes, "route53-takeover restore")
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


async def _owners(
    stacks: Stacks, place: Place, name: str, tell: Callable[[str], None]
) -> list[Owner]:
    """The stacks that own a record set at the name, in this zone as far as can be told.

    Raises:
        RefusedError: nobody may ask.
    """
    try:
        root = await stacks.describe(place.root)
        tree = await Tree.read(stacks, root)
        foreign, unasked = await foreign_records(stacks, [name], tree.stack_ids)
    except AccessDeniedError as error:
        raise RefusedError(
            f"cannot tell whether a stack owns what stands at {display_name(name)}: {error}",
            f"{error.hint}; or make sure that no stack owns it, delete it by hand and run this "
            "again: what is missing is created without asking.",
        ) from error
    if unasked:
        where = ", ".join(unasked)
        tell(f"warning: owners of {display_name(name)} could not be asked for in {where}")
    owners = [Owner(stack=root.stack_name, type=None) for _ in tree.groups[:1]]
    owners += [
        Owner(stack=root.stack_name, type=_type(record))
        for record in tree.owned
        if normal_name(record.name) == name and _may_be_in(place, record)
    ]
    return owners + [
        Owner(
            stack=f"{one.stack.stack_name}{f' ({one.region})' if one.region else ''}",
            type=_type(one.record),
        )
        for one in foreign
        if _may_be_in(place, one.record)
    ]


def _type(record: OwnedRecord) -> str | None:
    return None if record.desired is None else record.desired.record.type


def _may_be_in(place: Place, record: OwnedRecord) -> bool:
    """Whether it is not certainly another zone's: a private zone may have the same names."""
    desired = record.desired
    if desired is None:
        return True
    if desired.zone_id is not None:
        return desired.zone_id == place.zone_id
    return desired.zone_name in (None, place.zone_name)


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
