"""`restore RUN`: puts a name back as it was, from the run's backup alone.

First every record set of the backup is created that has nothing in its way, each by itself and
without asking who owns anything: that one cannot be put back keeps no other from it. Then, in one
atomic batch, those are changed back of which only our own lowered TTL differs. Anything else that
stands there is left alone, unless ``--force`` says to replace it, by an exact compare-and-delete
that is saved first.

A record is never replaced that a stack is known to own: a stack of the run's own tree, or any other
in any region, asked by the record's name and told by the type in its template. A template that
hides the type, or that may not be read, counts as owning it; so does a group of records, whose
names nobody lists. What this cannot tell:

- Where this region's stacks may not be asked at all, nothing is replaced. Other regions that cannot
  be asked are told of, for many accounts close them.
- The other regions are asked once in a restore, and not where only our own lowered TTL stands.
- AWS names one stack a name, so of two strangers that own different types there it may hide the one
  that counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
    TakeoverError,
    ThrottledError,
    UnansweredError,
    UsageError,
)
from route53_takeover.owners import Tree, foreign_abroad, foreign_here

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from route53_takeover.core.plan import ForeignRecord, OwnedRecord
    from route53_takeover.core.records import RecordSet
    from route53_takeover.ports import Clock, Records, Stacks

_TRIES = 30
"""About a minute of pauses, and what the calls take; then a person has to look."""
_BY_HAND = (
    "make sure that no stack owns it, delete it by hand and run this again: what is missing is "
    "created without asking"
)
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
        changes: empty where the name is as it was.
        refusal: why a record set that stands there is not replaced.
        hint: what can be done about that.
    """

    name: str
    changes: tuple[Change, ...] = ()
    refusal: str = ""
    hint: str = ""

    def describe(self) -> str:
        """One line for people."""
        if not self.changes:
            return f"{display_name(self.name)} is as it was"
        return f"{display_name(self.name)}: {_listed(self.changes)}"


class Abroad:
    """Who owns a restore's names in the other regions: asked once, when it first matters.

    Args:
        names: all that the restore may put back.
    """

    def __init__(self, stacks: Stacks, names: Sequence[str], tell: Callable[[str], None]) -> None:
        self._stacks = stacks
        self._names = names
        self._tell = tell
        self._found: Sequence[ForeignRecord] | None = None

    async def owning(self, name: str) -> Sequence[ForeignRecord]:
        """The record sets of this name that stacks of other regions own."""
        if self._found is None:
            self._found, unasked = await foreign_abroad(self._stacks, self._names)
            if unasked:
                names, where = ", ".join(map(display_name, self._names)), ", ".join(unasked)
                self._tell(f"warning: owners of {names} could not be asked for in {where}")
        return [one for one in self._found if normal_name(one.record.name) == name]


def plan_replacement(
    name: str,
    originals: Sequence[RecordSet],
    here: Sequence[RecordSet],
    *,
    lowered: Sequence[RecordSet],
    owners: Sequence[Owner],
    force: bool,
    by_force: str,
) -> Rescue:
    """Decides what puts back those record sets of a name that have something in their way.

    Args:
        originals: its record sets in the backup.
        here: what stands at the name now.
        lowered: the originals with the TTL that the run lowered them to.
        owners: of what record sets there are at the name.
        force: replace what somebody else wrote.
        by_force: the command line that does.

    Returns:
        One batch, and the refusal of the first that may not be in it.
    """
    changes: list[Change] = []
    refused = Rescue(name=name)
    for original in originals:
        in_the_way = _in_the_way(original, here)
        owned = (
            (owner, record)
            for record in in_the_way
            for owner in owners
            if owner.type in (None, record.type)
        )
        if found := next(owned, None):
            refused = refused if refused.refusal else _owned(name, *found, by_force)
        elif not force and not _all_in(in_the_way, lowered):
            refused = refused if refused.refusal else _others(name, in_the_way, original, by_force)
        elif in_the_way:
            changes += [Change.delete(r) for r in in_the_way if Change.delete(r) not in changes]
            changes.append(Change.create(original))
    return replace(refused, changes=tuple(changes))


def _in_the_way(original: RecordSet, here: Sequence[RecordSet]) -> list[RecordSet]:
    """What has to go before it can stand; nothing where it stands already."""
    return [r for r in here if conflict(r, original) and not r.same_as(original)]


def _all_in(some: Sequence[RecordSet], known: Sequence[RecordSet]) -> bool:
    return all(any(record.same_as(other) for other in known) for record in some)


def _owned(name: str, owner: Owner, record: RecordSet, by_force: str) -> Rescue:
    return Rescue(
        name=name,
        refusal=f"stack {owner.stack} owns what stands there ({record.describe()}): it is left "
        "alone",
        hint="If the stack is to have the name, all is well. If it is turning back, wait for its "
        "end and run `restore` again. If it is not to have the name, take the resource "
        "out of it: put DeletionPolicy: Retain on it and deploy, then remove it from "
        f"the template and deploy; then `{by_force}`.",
    )


def _others(
    name: str, in_the_way: Sequence[RecordSet], original: RecordSet, by_force: str
) -> Rescue:
    return Rescue(
        name=name,
        refusal=f"{in_the_way[0].describe()} stands there now; neither this run nor a stack has "
        "made it",
        hint="If somebody means it to be there, all is well. To put "
        f"{original.describe()} in its place: `{by_force}`, which saves what it deletes "
        "to restores.jsonl first.",
    )


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
    abroad: Abroad | None = None,
) -> Rescue:
    """Puts one name back, however often the answer is lost.

    Args:
        by_force: the command line that replaces what somebody else wrote.
        save: makes durable what is about to be changed; raises OSError.
        abroad: shared by all names of a restore.

    Returns:
        What was done, or would be with ``dry_run``.

    Raises:
        RefusedError: no record set is missing, and something else stands in the place of one.
        ApiError: AWS could not be asked, before anything was sent, or refuses to change back what
            stands there.
        MustLookError: the name lacks a record, or nobody knows, and it could not be helped in
            about a minute.
        What was done before each of them: `done_before`.
    """
    lowered = [replace(r, ttl=ttl) for r in originals if ttl is not None and r.ttl and r.ttl > ttl]
    work = _Work(
        name=name,
        originals=originals,
        lowered=lowered,
        place=place,
        clock=clock,
        records=records,
        stacks=stacks,
        force=force,
        by_force=by_force,
        dry_run=dry_run,
        tell=tell,
        save=save,
        abroad=abroad or Abroad(stacks, [name], tell),
    )
    try:
        return await work.restore()
    except TakeoverError as error:
        vars(error)["done"] = work.done
        raise


def done_before(error: TakeoverError) -> Sequence[Change]:
    """What `rescue` had done (with ``dry_run``: would have) before it ended in this error."""
    done: Sequence[Change] = vars(error).get("done", ())
    return done


@dataclass(kw_only=True)
class _Work:
    """The work at one name.

    Attributes:
        lacking: those of the originals that nothing stands in the place of, as far as is known.
        batches: what was sent, but for what was certainly not applied.
    """

    name: str
    originals: Sequence[RecordSet]
    lowered: Sequence[RecordSet]
    place: Place
    clock: Clock
    records: Records
    stacks: Stacks
    force: bool
    by_force: str
    dry_run: bool
    tell: Callable[[str], None]
    save: Callable[[Sequence[Change]], None]
    abroad: Abroad
    lacking: Sequence[RecordSet] = ()
    batches: list[tuple[Change, ...]] = field(default_factory=list)
    has_sent: bool = False

    @property
    def done(self) -> tuple[Change, ...]:
        """What was done, one change after the other."""
        return tuple(change for batch in self.batches for change in batch)

    async def restore(self) -> Rescue:
        for attempt in range(_TRIES):
            if attempt:
                await self.clock.sleep(min(0.5 * attempt, 2.0))
            try:
                if done := await self._once():
                    return done
            except _TEMPORARY as error:
                if not self.has_sent and isinstance(error, CredentialsError | EndpointError):
                    raise
                self._trying_again(error)
            except RejectedChangeError as error:
                self._looking_again(error)
            except ApiError as error:
                if not self.lacking:
                    raise
                raise self._lacks(error) from error
        left = f", and lacks {_described(self.lacking)}" if self.lacking else ""
        raise MustLookError(
            self._so_far(f"could not be restored in {_TRIES} tries{left}"),
            "Run `restore` again; backup.json holds the records as they were.",
        )

    async def _once(self) -> Rescue | None:
        """Looks, and does what can be done; returns what came of it once nothing is left to do."""
        here = await self.records.read_name(self.place.zone_id, self.name)
        self.lacking = [o for o in self.originals if not any(conflict(r, o) for r in here)]
        if self.lacking and not self.dry_run and await self._create_what_is_lacking():
            return None  # look again: what was created may be undone by a stack at work
        todo = await self._replacement(here)
        if self.dry_run:
            self.batches = [*((Change.create(o),) for o in self.lacking), todo.changes]
        elif todo.changes:
            await self._change(todo.changes)
            return None
        elif self.lacking:
            return None
        if todo.refusal:
            raise RefusedError(self._so_far(todo.refusal), todo.hint)
        return Rescue(name=self.name, changes=self.done)

    async def _create_what_is_lacking(self) -> bool:
        """Creates each that has nothing in its way, by itself: one may be refused for its own.

        Returns:
            Whether none is lacking now.

        Raises:
            MustLookError: one may not be created.
        """
        failed: ApiError | None = None
        for original in self.lacking:
            try:
                await self._change((Change.create(original),))
            except _TEMPORARY as error:
                self._trying_again(error)
            except RejectedChangeError as error:
                self._looking_again(error)
            except ApiError as error:
                failed = failed or error
            else:
                self.lacking = [other for other in self.lacking if other is not original]
        if failed is not None:
            raise self._lacks(failed) from failed
        return not self.lacking

    async def _replacement(self, here: Sequence[RecordSet]) -> Rescue:
        """What is to be done about those that have something in their way."""
        in_the_way = [r for o in self.originals for r in _in_the_way(o, here)]
        if not in_the_way:
            return Rescue(name=self.name)
        try:
            owners = await self._owners(abroad=not _all_in(in_the_way, self.lowered))
        except AccessDeniedError as error:
            return Rescue(
                name=self.name,
                refusal="cannot tell whether a stack owns what stands there "
                f"({_described(in_the_way)}): {error}",
                hint="; or ".join(filter(None, [error.hint, _BY_HAND])),
            )
        return plan_replacement(
            self.name,
            self.originals,
            here,
            lowered=self.lowered,
            owners=owners,
            force=self.force,
            by_force=self.by_force,
        )

    async def _owners(self, *, abroad: bool) -> list[Owner]:
        """The stacks that own a record set at the name, in this zone as far as can be told."""
        root = await self.stacks.describe(self.place.root)
        tree = await Tree.read(self.stacks, root)
        foreign = await foreign_here(self.stacks, [self.name], tree.stack_ids)
        if abroad:
            foreign += await self.abroad.owning(self.name)
        owners = [Owner(stack=root.stack_name, type=None) for _ in tree.groups[:1]]
        owners += [
            Owner(stack=root.stack_name, type=_type(record))
            for record in tree.owned
            if normal_name(record.name) == self.name and _may_be_in(self.place, record)
        ]
        return owners + [
            Owner(
                stack=f"{one.stack.stack_name}{f' ({one.region})' if one.region else ''}",
                type=_type(one.record),
            )
            for one in foreign
            if _may_be_in(self.place, one.record)
        ]

    async def _change(self, batch: tuple[Change, ...]) -> None:
        """Saves one batch and sends it."""
        self._save(batch)
        self.has_sent = True
        earlier = [b for b in self.batches if b[-1] != batch[-1]]
        self.batches = [*earlier, batch]
        try:
            await self.records.change(self.place.zone_id, batch, "route53-takeover restore")
        except UnansweredError:
            raise
        except ApiError:
            self.batches = earlier  # nothing of it was applied: it is not ours to report
            raise

    def _save(self, batch: Sequence[Change]) -> None:
        """Makes durable what is about to be changed.

        Where that fails (the disk is full) only what the backup holds already is done all the same:
        nothing is deleted that nobody could put back.
        """
        try:
            self.save(batch)
        except OSError as error:
            deleted = [c.record for c in batch if c.action == "DELETE"]
            if not _all_in(deleted, (*self.originals, *self.lowered)):
                raise UsageError(
                    self._so_far(f"cannot save what --force would delete: {error.strerror}"),
                    "Make room in the run's folder.",
                ) from error
            self.tell(f"cannot save what is restored ({error.strerror}); going on")

    def _so_far(self, text: str) -> str:
        """The text, after the name and what was done there."""
        done = f"{'would ' if self.dry_run else ''}{_listed(self.done)}" if self.done else ""
        told = f"{done}{'' if self.dry_run else ' (done)'}; " if done else ""
        return f"{display_name(self.name)}: {told}{text}"

    def _lacks(self, error: ApiError) -> MustLookError:
        text = f"cannot be restored and lacks {_described(self.lacking)}: {error}"
        return MustLookError(self._so_far(text), error.hint)

    def _trying_again(self, error: ApiError) -> None:
        hint = f" ({error.hint})" if error.hint else ""
        self.tell(f"{display_name(self.name)}: {error}{hint}; trying again")

    def _looking_again(self, error: ApiError) -> None:
        self.tell(f"{display_name(self.name)} moved meanwhile ({error}); looking again")


def _listed(changes: Sequence[Change]) -> str:
    return ", then ".join(f"{c.action.lower()} {c.record.describe()}" for c in changes)


def _described(records: Sequence[RecordSet]) -> str:
    return ", ".join(dict.fromkeys(record.describe() for record in records))


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
