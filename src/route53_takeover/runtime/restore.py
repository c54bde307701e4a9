"""`restore RUN`: puts a name back as it was, from the run's backup alone.

First every record set of the backup is created that has nothing in its way, each by itself and
without asking who owns anything: that one cannot be put back keeps no other from it. Then, in one
atomic batch, those are changed back of which only our own lowered TTL differs. Anything else that
stands there is left alone, unless ``--force`` says to replace it, by an exact compare-and-delete
that is saved first.

A record is never replaced that a stack owns, by the same judgement that a plan makes
(`route53_takeover.core.plan.claims`): a stack of the run's own tree, or any other that the
account's inventory holds. One whose template leaves open which record it is counts as owning it.
Where the stacks cannot be read, nothing is replaced, unless the run was planned without them
(``--owner-check``). The others are read once in a restore; of other regions not where only our own
lowered TTL stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.base.errors import (
    AccessDeniedError,
    ApiError,
    CredentialsError,
    EndpointError,
    ManualActionRequiredError,
    RefusedError,
    RejectedChangeError,
    TakeoverError,
    ThrottledError,
    UnansweredError,
    UsageError,
)
from route53_takeover.core.domain.record_sets import Change, conflict, display_name
from route53_takeover.core.plan.claims import Claim, Site, claim
from route53_takeover.core.plan.model import OwnedRecord, OwnerCheck
from route53_takeover.runtime.inventory import Inventory
from route53_takeover.runtime.ownership_lookup import Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.model import ForeignRecord
    from route53_takeover.core.ports import Clock, Records, Stacks

_TRIES = 30
"""About a minute of pauses, and what the calls take; then a person has to look."""
_BY_HAND = (
    "check that no stack owns it, delete it by hand and run this again: missing records are "
    "created without further checks"
)
_TEMPORARY = (ThrottledError, UnansweredError, EndpointError, CredentialsError)


class Place(Struct, frozen=True, kw_only=True):
    """Where a run was: its zone, and its root stack by name or ARN."""

    zone_id: str
    zone_name: str
    root: str


class Owner(Struct, frozen=True, kw_only=True):
    """A stack, and a record that it has."""

    stack: str
    record: OwnedRecord


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
            return f"{display_name(self.name)} is unchanged"
        return f"{display_name(self.name)}: {_listed(self.changes)}"


class OtherRegions:
    """The stacks beside the run's tree, and what they own of a restore's names.

    Args:
        names: all that the restore may put back.
        check: where the run's plan looked for owners.
    """

    def __init__(self, inventory: Inventory, names: Sequence[str], check: OwnerCheck) -> None:
        self._inventory = inventory
        self._names = names
        self._check = check

    async def owners(self, tree: Collection[str], *, abroad: bool) -> list[ForeignRecord]:
        """What they own.

        Raises:
            ApiError: in some region that could not be told.
        """
        check = self._check
        if not abroad and check is OwnerCheck.FULL:
            check = OwnerCheck.REGION
        found = await self._inventory.beside(tree, self._names, check)
        if isinstance(self._inventory.error_at_home, _TEMPORARY):
            raise self._inventory.error_at_home
        if found.unasked:
            told = "; ".join(f"{one.region}: {one.error}" for one in found.unasked)
            raise AccessDeniedError(told, hint=found.unasked[0].hint)
        return [one for one in found.records if not one.creating]


def plan_replacement(
    name: str,
    originals: Sequence[RecordSet],
    here: Sequence[RecordSet],
    *,
    lowered: Sequence[RecordSet],
    owners: Sequence[Owner],
    site: Site,
    force: bool,
    by_force: str,
) -> Rescue:
    """Decides what puts back those record sets of a name that have something in their way.

    Args:
        originals: its record sets in the backup.
        here: what stands at the name now.
        lowered: the originals with the TTL that the run lowered them to.
        owners: the stacks that have a record which may be at the name.
        site: the zone.
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
            if claim(site, owner.record, record) is not Claim.NO
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
        refusal=f"stack {owner.stack} owns the record there ({record.describe()}); it is left "
        "as it is",
        hint="If the stack should own the name, nothing is to be done. If it is rolling back, wait "
        "for its end and run `restore` again. If it should not own the name, remove the resource "
        "from it: set DeletionPolicy: Retain on it and deploy, then remove it from "
        f"the template and deploy; then `{by_force}`.",
    )


def _others(
    name: str, in_the_way: Sequence[RecordSet], original: RecordSet, by_force: str
) -> Rescue:
    return Rescue(
        name=name,
        refusal=f"the name has {in_the_way[0].describe()}, which neither this run nor a stack "
        "created",
        hint="If it is intended, nothing is to be done. To replace it with "
        f"{original.describe()}: `{by_force}`, which first saves what it deletes "
        "to restores.jsonl.",
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
    others: OtherRegions | None = None,
) -> Rescue:
    """Puts one name back, however often the answer is lost.

    Args:
        by_force: the command line that replaces what somebody else wrote.
        save: makes durable what is about to be changed; raises OSError.
        others: shared by all names of a restore.

    Returns:
        What was done, or would be with ``dry_run``.

    Raises:
        RefusedError: no record set is missing, and something else stands in the place of one.
        ApiError: AWS could not be asked, before anything was sent, or refuses to change back what
            stands there.
        MustLookError: the name lacks a record, or nobody knows, and it could not be helped in
            about a minute.
        What was done before each of them: its ``done``.
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
        others=others or OtherRegions(Inventory(stacks, clock), [name], OwnerCheck.FULL),
    )
    try:
        return await work.restore()
    except TakeoverError as error:
        error.done = work.done
        raise


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
    others: OtherRegions
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
                raise self._unmet(error) from error
        left = f"; missing: {_described(self.lacking)}" if self.lacking else ""
        raise ManualActionRequiredError(
            self._so_far(f"could not be restored in {_TRIES} tries{left}"),
            "Run `restore` again; backup.json has the original records.",
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
            raise self._unmet(failed) from failed
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
                refusal="cannot check whether a stack owns the record there "
                f"({_described(in_the_way)}): {error}",
                hint="; or ".join(filter(None, [error.hint, _BY_HAND])),
            )
        return plan_replacement(
            self.name,
            self.originals,
            here,
            lowered=self.lowered,
            owners=owners,
            site=Site(zone_id=self.place.zone_id, zone_name=self.place.zone_name),
            force=self.force,
            by_force=self.by_force,
        )

    async def _owners(self, *, abroad: bool) -> list[Owner]:
        """The stacks that have a record which may be at the name."""
        root = await self.stacks.describe(self.place.root)
        tree = await Tree.read(self.stacks, root)
        foreign = await self.others.owners(tree.stack_ids, abroad=abroad)
        owners = [Owner(stack=root.stack_name, record=record) for record in tree.owned]
        owners += [Owner(stack=_named(one), record=one.record) for one in foreign]
        return [owner for owner in owners if owner.record.may_be_at(self.name)]

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
                    "Free disk space for the run's folder.",
                ) from error
            self.tell(f"cannot save what is restored ({error.strerror}); continuing")

    def _so_far(self, text: str) -> str:
        """The text, after the name and what was done there."""
        done = f"{'would ' if self.dry_run else ''}{_listed(self.done)}" if self.done else ""
        told = f"{done}{'' if self.dry_run else ' (done)'}; " if done else ""
        return f"{display_name(self.name)}: {told}{text}"

    def _unmet(self, error: ApiError) -> ManualActionRequiredError:
        text = f"cannot restore {_described(self.lacking)}: {error}"
        return ManualActionRequiredError(self._so_far(text), error.hint)

    def _trying_again(self, error: ApiError) -> None:
        hint = f" ({error.hint})" if error.hint else ""
        self.tell(f"{display_name(self.name)}: {error}{hint}; trying again")

    def _looking_again(self, error: ApiError) -> None:
        self.tell(f"{display_name(self.name)} changed meanwhile ({error}); reading again")


def _listed(changes: Sequence[Change]) -> str:
    return ", then ".join(f"{c.action.lower()} {c.record.describe()}" for c in changes)


def _described(records: Sequence[RecordSet]) -> str:
    return ", ".join(dict.fromkeys(record.describe() for record in records))


def _named(one: ForeignRecord) -> str:
    return f"{one.stack.stack_name}{f' ({one.region})' if one.region else ''}"
