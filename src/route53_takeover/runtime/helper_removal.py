"""`restore RUN` removes the run's helper records, once every name has a record of its own.

Only what equals the plan's helper records is deleted, exactly; another writer's is left as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.base.errors import (
    ApiError,
    ManualActionRequiredError,
    RejectedChangeError,
)
from route53_takeover.core.domain.record_sets import Change, display_name
from route53_takeover.core.timing import INSYNC_ASSUMED
from route53_takeover.runtime.restore import Rescue
from route53_takeover.runtime.restore_attempts import TEMPORARY, TRIES, attempts, save_or_tell

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.model import Helper
    from route53_takeover.core.ports import Clock, Records


async def remove_helpers(
    helpers: Sequence[Helper],
    *,
    restored: Collection[str],
    zone_id: str,
    clock: Clock,
    records: Records,
    dry_run: bool,
    tell: Callable[[str], None],
    save: Callable[[Sequence[Change]], None],
) -> list[Rescue]:
    """Removes the helper records that stand, name by name.

    Args:
        restored: the names that were given a record just now, which not every name server has yet.
        save: makes durable what is about to be deleted; raises OSError.

    Returns:
        What was deleted, or would be with ``dry_run``.

    Raises:
        ManualActionRequiredError: a name has no record yet, or it could not be read or written in
            about a minute of tries.
    """
    work = _Work(zone_id, clock, records, tell)
    here = await work.standing(helpers)
    if not here:
        return []
    covered = {name for helper in here for name in helper.covers}
    if not dry_run:
        await work.check_names(covered)
        if covered & set(restored):
            tell(f"waiting {INSYNC_ASSUMED:.0f} s until every name server has what was restored")
            await clock.sleep(INSYNC_ASSUMED)
            await work.check_names(covered)
    done = []
    for name in dict.fromkeys(helper.record.key.name for helper in here):
        changes = tuple(Change.delete(h.record) for h in here if h.record.key.name == name)
        if not dry_run:
            save_or_tell(changes, save, tell)
            await work.delete(changes)
        done.append(Rescue(name=name, changes=changes))
    return done


class _Work:
    """The calls, each tried again as long as that makes sense."""

    def __init__(
        self, zone_id: str, clock: Clock, records: Records, tell: Callable[[str], None]
    ) -> None:
        self._zone_id = zone_id
        self._clock = clock
        self._records = records
        self._tell = tell

    async def standing(self, helpers: Sequence[Helper]) -> list[Helper]:
        """The helper records that stand as the run created them."""
        found = []
        for name in dict.fromkeys(helper.record.key.name for helper in helpers):
            here = await self._read(name)
            found += [
                helper
                for helper in helpers
                if helper.record.key.name == name and any(helper.record.same_as(r) for r in here)
            ]
        return found

    async def check_names(self, names: Collection[str]) -> None:
        for name in sorted(names):
            if not await self._read(name):
                raise ManualActionRequiredError(
                    f"{display_name(name)} has no record of its own yet: the helper records that "
                    "answer for it are left",
                    "Run `restore` again.",
                )

    async def delete(self, changes: Sequence[Change]) -> None:
        """Deletes the records; a lost answer is settled by reading."""
        name = changes[0].record.key.name
        async for _ in attempts(self._clock):
            try:
                here = await self._records.read_name(self._zone_id, name)
                if not any(change.record.same_as(r) for change in changes for r in here):
                    return
                await self._records.change(self._zone_id, changes, "route53-takeover restore")
            except (*TEMPORARY, RejectedChangeError) as error:
                self._tell(f"{display_name(name)}: {error}; trying again")
            except ApiError as error:
                raise self._unmet(name, error) from error
        raise self._unmet(name, None)

    async def _read(self, name: str) -> Sequence[RecordSet]:
        async for _ in attempts(self._clock):
            try:
                return await self._records.read_name(self._zone_id, name)
            except (*TEMPORARY, RejectedChangeError) as error:
                self._tell(f"{display_name(name)}: {error}; trying again")
        raise self._unmet(name, None)

    @staticmethod
    def _unmet(name: str, error: ApiError | None) -> ManualActionRequiredError:
        why = f": {error}" if error else f" in {TRIES} tries"
        return ManualActionRequiredError(
            f"cannot remove {display_name(name)}, which the run created{why}",
            "Run `restore` again, or delete it by hand.",
        )
