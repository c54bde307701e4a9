"""The experiments with one kind of record, one operation of the throw-away stack each.

A record that differs is left alone for a while first: it shows whether CloudFormation fails,
adopts, overwrites or retries. Where it retries, several records stand when the next operation
begins, and all are tried on one schedule. The first is deleted at once; when its create comes, the
next is deleted, and so on: each create is a try. The last one stays, and shows how long it goes on.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from route53_takeover.base.errors import ApiError, TakeoverError, one_line
from route53_takeover.core.domain.record_sets import Change
from route53_takeover.core.measuring.records import record, record_type
from route53_takeover.core.plan.measured import MeasuredKind, MeasuredOutcome
from route53_takeover.runtime.measuring.bench import CALM, PACE

if TYPE_CHECKING:
    from route53_takeover.core.plan.measured import RecordKind
    from route53_takeover.runtime.measuring.bench import Bench, Operation, Watched

TRIES = 10
"""Records that stand in the way at the same time: as many tries are timed."""
LONGEST = 600.0
"""Seconds for which CloudFormation is let go on."""
AT_ONCE = 5.0
"""Seconds within which a create that failed counts as failed at once."""
_SAME_TRY = 0.6
"""Seconds below which two times are of one try: the resources of an operation start together."""
_AFTER_A_TRY = 0.2
"""Seconds after a try at which the next record is deleted."""
_PATIENCE = 20.0
"""Seconds after which a create that has neither succeeded nor failed counts as retried."""
_LAST_TRY = 120.0
"""Seconds that it gets to come once nothing is in its way; then the operation is cancelled."""


async def measure_kind(bench: Bench, kind: RecordKind, *, protections: bool) -> Experiments:
    """Carries out every experiment with one kind of record."""
    experiments = Experiments(bench, kind)
    bench.tell(f"{kind}: over a record that differs")
    await experiments.over_existing()
    bench.tell(f"{kind}: over an identical record, and its rollback")
    await experiments.over_identical()
    if protections:
        bench.tell(f"{kind}: where a protection forbids the create")
        await experiments.over_protection()
    return experiments


class Experiments:
    """What is found out about one kind.

    Attributes:
        watched: the resources over records that differ; ``stayed``: the one whose record was never
            deleted. CloudTrail's times are compared with theirs.
    """

    def __init__(self, bench: Bench, kind: RecordKind) -> None:
        self.kind = kind
        self.stayed: Watched | None = None
        self.watched: tuple[Watched, ...] = ()
        self._bench = bench
        self._at = bench.now()
        self._found: dict[str, Any] = {}
        self._notes: list[str] = []

    @property
    def measured(self) -> MeasuredKind:
        """What was found out so far."""
        note = "; ".join(dict.fromkeys(self._notes))
        return MeasuredKind(kind=self.kind, at=self._at, **self._found, note=note)

    async def over_existing(self) -> None:
        """Failed, retried, adopted or overwritten; and when the tries came."""
        label = f"{self.kind}-differs"
        if not await self._stand([label], new=False):
            return
        old = record(self._bench.scope, self.kind, label, new=False)
        watched, is_retried = await self._create_over(label, Change.delete(old))
        since = watched.since_start(watched.failed)
        if is_retried or (since or 0.0) > AT_ONCE:
            await self._time_the_tries()
        elif watched.failed is not None:
            self._found |= {"differs": MeasuredOutcome.FAILED_AT_ONCE, "reason": watched.reason}
        elif watched.completed is not None:
            kept = old.same_as(watched.standing)
            outcome = MeasuredOutcome.ADOPTED if kept else MeasuredOutcome.OVERWRITTEN
            self._found["differs"] = outcome

    async def _time_the_tries(self) -> None:
        labels = [f"{self.kind}-{number}" for number in range(TRIES)] + [f"{self.kind}-stay"]
        await self._stand(labels, new=False)
        ids = [self._id(label) for label in labels]
        wanted = {
            name: record(self._bench.scope, self.kind, label, new=True)
            for name, label in zip(ids, labels, strict=True)
        }
        operation = await self._bench.begin(wanted)
        chain = Chain(self._bench, operation, self.kind, labels)
        while not operation.ended:
            await operation.look()
            await chain.go_on()
            await self._bench.clock.sleep(PACE if chain.is_timing else CALM)
        self.stayed, self.watched = operation.of[ids[-1]], tuple(operation.of.values())
        self._found |= chain.findings(self.stayed) | {"seen_after": operation.seen_after}

    async def over_identical(self) -> None:
        """Adopted or not; and what a rollback does to the record."""
        label = f"{self.kind}-same"
        if not await self._stand([label], new=True):
            return
        wanted = record(self._bench.scope, self.kind, label, new=True)
        watched, is_retried = await self._create_over(label, Change.delete(wanted), fails=True)
        if is_retried or (watched.since_start(watched.failed) or 0.0) > AT_ONCE:
            outcome = MeasuredOutcome.RETRIED
        elif watched.completed is not None:
            outcome = MeasuredOutcome.ADOPTED
            self._found |= {
                "rollback": "deleted" if watched.standing is None else "kept",
                "adopted_after": watched.since_start(watched.completed),
            }
        else:
            outcome = MeasuredOutcome.FAILED_AT_ONCE
            self._found["reason"] = self._found.get("reason") or watched.reason
        self._found["identical"] = outcome

    async def over_protection(self) -> None:
        """What becomes of a create that a record set protection forbids."""
        label = f"{self.kind}-guarded"
        name, guarded = self._bench.scope.name(label), record_type(self.kind)
        try:
            await self._bench.stack.protect(name, guarded)
        except TakeoverError as error:
            self._notes.append(f"no protection could be created: {one_line(error)}")
            return
        watched, is_retried = await self._create_over(label, None)
        await self._bench.stack.unprotect(name, guarded)
        if is_retried:
            outcome = MeasuredOutcome.RETRIED
        elif watched.failed is not None:
            outcome = MeasuredOutcome.FAILED_AT_ONCE
        else:
            outcome = MeasuredOutcome.CREATED
        self._found["protected"] = outcome

    async def _stand(self, labels: list[str], *, new: bool) -> bool:
        """Creates the records that are to be in the way; false where Route 53 refuses them."""
        scope = self._bench.scope
        try:
            await self._bench.write(
                [Change.create(record(scope, self.kind, label, new=new)) for label in labels]
            )
        except TakeoverError as error:
            self._notes.append(f"Route 53 refuses such a record: {one_line(error)}")
            return False
        return True

    async def _create_over(
        self, label: str, unblock: Change | None, *, fails: bool = False
    ) -> tuple[Watched, bool]:
        """Lets the stack create a record, until it is at rest again.

        Args:
            unblock: what lets a create go on that is still tried after a while; without it, and
                where that does not help, the operation is cancelled.
            fails: as for `records.template`.

        Returns:
            The resource, and whether it was still tried then.
        """
        wanted = record(self._bench.scope, self.kind, label, new=True)
        operation = await self._bench.begin({self._id(label): wanted}, fails=fails)
        watched = operation.of[self._id(label)]
        is_retried = is_cancelled = False
        until = self._bench.now() + _PATIENCE
        while not operation.ended:
            await operation.look()
            is_open = watched.told is None and watched.failed is None and not operation.ended
            if is_open and self._bench.now() >= until and not is_cancelled:
                if unblock is None or is_retried:
                    is_cancelled = True
                    with suppress(ApiError):  # it has just come to an end by itself
                        await self._bench.stack.cancel_update()
                else:
                    await self._bench.write([unblock])
                is_retried, until = True, self._bench.now() + _LAST_TRY
            await self._bench.clock.sleep(CALM if is_retried else PACE * 2)
        await operation.look()
        return watched, is_retried

    @staticmethod
    def _id(label: str) -> str:
        """The logical id of the resource that creates a label."""
        return "".join(part.title() for part in label.split("-"))


class Chain:
    """The records that are deleted one after the other, each when the one before was created."""

    def __init__(
        self, bench: Bench, operation: Operation, kind: RecordKind, labels: list[str]
    ) -> None:
        self._bench = bench
        self._links = list(operation.of.values())
        self._old = [record(bench.scope, kind, label, new=False) for label in labels]
        self._deleted = 0
        self._let_go = False
        self._let_go_at: float | None = None

    @property
    def is_timing(self) -> bool:
        """Whether a create is awaited whose time counts."""
        return not self._let_go and self._deleted < len(self._links)

    async def go_on(self) -> None:
        """Deletes the next record, where it is its turn.

        That is after the try that the one before has shown, counted from its own start: where the
        resources are created one after the other, each starts anew.
        """
        links, now = self._links, self._bench.now()
        first = links[0].started
        if first is None or any(each.failed is not None for each in links):
            return
        if self._deleted < len(links) - 1:
            link, known = links[self._deleted], self._last_try()
            waited = None if known is None else link.since_start(now)
            if waited is not None and known is not None and waited >= known + _AFTER_A_TRY:
                if self._is_blocked(self._deleted):
                    await self._bench.write([Change.delete(self._old[self._deleted])])
                self._deleted += 1
        if now - first >= LONGEST and not self._let_go:
            self._let_go, self._let_go_at = True, now
            rest = [n for n in range(self._deleted, len(links)) if self._is_blocked(n)]
            if rest:
                await self._bench.write([Change.delete(self._old[n]) for n in rest])

    def _last_try(self) -> float | None:
        """When the newest known try came; ``None`` while one is awaited."""
        if not self._deleted:
            return -_AFTER_A_TRY
        before = self._links[self._deleted - 1]
        return None if before.appeared is None else before.since_start(before.appeared[0])

    def _is_blocked(self, number: int) -> bool:
        """Whether the old record stands there, and no event says that the stack has taken it."""
        link = self._links[number]
        return link.told is None and self._old[number].same_as(link.standing)

    def findings(self, stay: Watched) -> dict[str, Any]:
        """What it comes to."""
        deleted = self._links[: self._deleted]
        timed = [
            (since, uncertain)
            for link in deleted
            if (created := link.created()) is not None
            for time, uncertain in [created]
            if (since := link.since_start(time)) is not None
        ]
        tries: list[float] = []
        for since, _ in sorted(timed):
            if not tries or since - tries[-1] >= _SAME_TRY:
                tries.append(since)
        failed = [link for link in self._links if link.failed is not None and not link.cancelled]
        gave_up = min(
            (f for link in failed if (f := link.since_start(link.failed)) is not None), default=None
        )
        watched = gave_up if gave_up is not None else stay.since_start(self._let_go_at)
        found: dict[str, Any] = {
            "differs": MeasuredOutcome.RETRIED,
            "reason": failed[0].reason if failed else "",
            "tries": tuple(tries),
            "uncertainty": round(max((u for _, u in timed), default=0.0), 2),
            "gave_up_after": gave_up,
            "watched_for": watched or (tries[-1] if tries else 0.0),
        }
        lags = [link.told - link.appeared[0] for link in deleted if link.told and link.appeared]
        if lags:
            found["event_lag"] = round(sum(lags) / len(lags), 2)
        return found
