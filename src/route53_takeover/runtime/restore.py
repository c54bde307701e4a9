"""`restore RUN`: restores a name from the run's backup alone.

First every missing record set of the backup is created, each by itself and without a check of
owners: one that cannot be restored does not stop the others. Then, in one atomic batch, those are
changed back that are as the run itself made them. Any other record is left as it is,
unless ``--force`` replaces it, by an exact compare-and-delete that is saved first.

What may be replaced is decided in `route53_takeover.core.plan.replacement`; the owners are read
here: the stacks of the run's own tree, and all others of the account's inventory. Where the stacks
cannot be read, nothing is replaced, unless the run was planned without them (``--owner-check``).
The others are read once in a restore; those of other regions not where only what the run made is to
be changed back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.base.errors import (
    AccessDeniedError,
    ApiError,
    CredentialsError,
    EndpointError,
    ManualActionRequiredError,
    RefusedError,
    RejectedChangeError,
    TakeoverError,
    UnansweredError,
    UsageError,
)
from route53_takeover.core.domain.record_sets import Change, conflict, display_name
from route53_takeover.core.plan.claims import Site
from route53_takeover.core.plan.facts import StackRecord
from route53_takeover.core.plan.model import OwnerCheck
from route53_takeover.core.plan.replacement import Replacement, all_in, blocks, plan_replacement
from route53_takeover.runtime.inventory import Inventory
from route53_takeover.runtime.ownership_lookup import Tree
from route53_takeover.runtime.restore_attempts import TEMPORARY, TRIES, attempts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.ports import Clock, Records, Stacks

_BY_HAND = (
    "check that no stack owns it, delete it by hand and run this again: missing records are "
    "created without further checks"
)


class Place(Struct, frozen=True, kw_only=True):
    """The place of a run: its zone, and its root stack by name or ARN."""

    zone_id: str
    zone_name: str
    root: str


class Rescue(Struct, frozen=True, kw_only=True):
    """The changes of a restore at one name; empty where the name is unchanged."""

    name: str
    changes: tuple[Change, ...] = ()

    def describe(self) -> str:
        """One line of text."""
        if not self.changes:
            return f"{display_name(self.name)} is unchanged"
        return f"{display_name(self.name)}: {_listed(self.changes)}"


class OtherRegions:
    """The stacks outside the run's tree, and their records at a restore's names.

    Args:
        names: all names of the restore.
        check: where the run's plan looked for owners.
    """

    def __init__(self, inventory: Inventory, names: Sequence[str], check: OwnerCheck) -> None:
        self._inventory = inventory
        self._names = names
        self._check = check

    async def owners(self, tree: Collection[str], *, abroad: bool) -> list[StackRecord]:
        """The records that they own.

        Raises:
            ApiError: some region could not be read.
        """
        check = self._check
        if not abroad and check is OwnerCheck.FULL:
            check = OwnerCheck.REGION
        found = await self._inventory.beside(tree, self._names, check)
        if isinstance(self._inventory.error_at_home, TEMPORARY):
            raise self._inventory.error_at_home
        if found.unasked:
            told = "; ".join(f"{one.region}: {one.error}" for one in found.unasked)
            raise AccessDeniedError(told, hint=found.unasked[0].hint)
        return [one for one in found.records if not one.creating]


async def rescue(
    name: str,
    originals: Sequence[RecordSet],
    *,
    place: Place,
    clock: Clock,
    records: Records,
    stacks: Stacks,
    changed: Sequence[RecordSet],
    force: bool,
    by_force: str,
    dry_run: bool,
    tell: Callable[[str], None],
    save: Callable[[Sequence[Change]], None],
    others: OtherRegions | None = None,
) -> Rescue:
    """Restores one name, however often an answer is lost.

    Args:
        changed: the forms that the run itself may have given them.
        by_force: the command line that replaces what another writer created.
        save: makes durable what is about to be changed; raises OSError.
        others: shared by all names of a restore.

    Returns:
        What was done, or would be with ``dry_run``.

    Raises:
        RefusedError: no record set is missing, and another record blocks one.
        ApiError: AWS could not be asked, before anything was sent, or refuses to change back what
            stands there.
        ManualActionRequiredError: the name lacks a record, or it is not known, after about a
            minute of tries.
        What was done before each of them: its ``done``.
    """
    work = _Work(
        name=name,
        originals=originals,
        changed=changed,
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
        lacking: the originals without a record in their place, as far as known.
        batches: what was sent, without what was certainly not applied.
    """

    name: str
    originals: Sequence[RecordSet]
    changed: Sequence[RecordSet]
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
        """The changes so far, in order."""
        return tuple(change for batch in self.batches for change in batch)

    async def restore(self) -> Rescue:
        async for _ in attempts(self.clock):
            try:
                if done := await self._once():
                    return done
            except TEMPORARY as error:
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
            self._so_far(f"could not be restored in {TRIES} tries{left}"),
            "Run `restore` again; backup.json has the original records.",
        )

    async def _once(self) -> Rescue | None:
        """Reads, and does what can be done; returns the result once nothing is left to do."""
        here = await self.records.read_name(self.place.zone_id, self.name)
        self.lacking = [o for o in self.originals if not any(conflict(r, o) for r in here)]
        if self.lacking and not self.dry_run and await self._create_what_is_lacking():
            return None  # read again: an active stack may undo what was created
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
        """Creates each missing one by itself, so that a refusal of one does not stop the others.

        Returns:
            Whether none is missing now.

        Raises:
            ManualActionRequiredError: one may not be created.
        """
        failed: ApiError | None = None
        for original in self.lacking:
            try:
                await self._change((Change.create(original),))
            except TEMPORARY as error:
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

    async def _replacement(self, here: Sequence[RecordSet]) -> Replacement:
        """What is replaced, and what is refused, of the records that block an original."""
        blocking = [r for o in self.originals for r in blocks(o, here)]
        if not blocking:
            return Replacement()
        try:
            owners = await self._owners(abroad=not all_in(blocking, self.changed))
        except AccessDeniedError as error:
            return Replacement(
                refusal="cannot check whether a stack owns the record there "
                f"({_described(blocking)}): {error}",
                hint="; or ".join(filter(None, [error.hint, _BY_HAND])),
            )
        return plan_replacement(
            self.originals,
            here,
            changed=self.changed,
            owners=owners,
            site=Site(zone_id=self.place.zone_id, zone_name=self.place.zone_name),
            force=self.force,
            by_force=self.by_force,
        )

    async def _owners(self, *, abroad: bool) -> list[StackRecord]:
        """The stacks' records that may be at the name."""
        root = await self.stacks.describe(self.place.root)
        tree = await Tree.read(self.stacks, root)
        foreign = await self.others.owners(tree.stack_ids, abroad=abroad)
        owners = [*(StackRecord(stack=root, record=record) for record in tree.owned), *foreign]
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
            self.batches = earlier  # nothing of it was applied
            raise

    def _save(self, batch: Sequence[Change]) -> None:
        """Saves what is about to be changed.

        Where that fails (the disk is full) only what the backup holds already is done all the same:
        nothing is deleted that could not be restored.
        """
        try:
            self.save(batch)
        except OSError as error:
            deleted = [c.record for c in batch if c.action == "DELETE"]
            if not all_in(deleted, (*self.originals, *self.changed)):
                raise UsageError(
                    self._so_far(f"cannot save what --force would delete: {error.strerror}"),
                    "Free disk space for the run's folder.",
                ) from error
            self.tell(f"cannot save what is restored ({error.strerror}); continuing")

    def _so_far(self, text: str) -> str:
        """The text, after the name and the changes so far."""
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
