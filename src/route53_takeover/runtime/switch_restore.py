"""Leading a live site back to blue without a run: `restore`, hours after a switch.

Each swap by itself: read, compare, one write, read back. A mapping that is gone is created again,
whoever deleted it: users get nothing. What another writer leads elsewhere is not overwritten
unless that is asked for, and one that cannot be led back keeps no other from it. What CloudFront
has cached of green is invalidated once every edge has blue again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.base.errors import (
    ApiError,
    ExitCode,
    ManualActionRequiredError,
    RefusedError,
    TakeoverError,
    ThrottledError,
    one_line,
)
from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.status.result import SwapResult
from route53_takeover.core.switch.model import OriginSwap, Swap
from route53_takeover.core.timing import (
    DISTRIBUTION_READ,
    SETTLE_PATIENCE,
    SWAP_AGREES,
    SWAP_LAG,
    SWAP_TRIES,
    backoff,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.core.ports import Clock
    from route53_takeover.core.switch.model import SwapReading
    from route53_takeover.runtime.site_swaps import SiteSwaps

_LONGEST_PAUSE = 10.0


class LedBack(Struct, frozen=True, kw_only=True):
    """What came of one swap.

    Attributes:
        outcome: ``restored``, ``untouched`` or ``unknown``, as the result names it.
        shown: where it leads now, as far as is known.
        is_led: whether it was led back; with ``dry_run`` whether it would be.
        error: why it was not led back; ``None`` where it was, or had not to be.
    """

    swap: Swap
    outcome: str
    shown: str = ""
    is_led: bool = False
    error: TakeoverError | None = None

    def result(self) -> SwapResult:
        """The same in the result of `restore`."""
        return SwapResult(
            kind=str(self.swap.kind),
            target=self.swap.target,
            before=self.swap.before,
            after=self.swap.after,
            outcome=self.outcome,
        )


async def lead_back(
    swap: Swap,
    *,
    sites: SiteSwaps,
    clock: Clock,
    force: bool,
    by_force: str,
    dry_run: bool,
    save: Callable[[Swap, SwapReading], None],
    tell: Callable[[str], None],
) -> LedBack:
    """Leads one swap back to blue; never raises a `TakeoverError`.

    Args:
        force: also where another writer has changed it.
        by_force: the command line that does.
        dry_run: writes nothing, and tells what would be done.
        save: keeps on disk what is about to be written over; raises OSError.
        tell: receives what goes on.
    """
    sent = False
    reading: SwapReading | None = None
    try:
        for attempt in range(1, SWAP_TRIES + 1):
            reading = await sites.read(swap)
            if reading.side is Side.BLUE:
                outcome = "restored" if sent else "untouched"
                return LedBack(swap=swap, outcome=outcome, shown=reading.shown, is_led=sent)
            if reading.side is Side.OTHER and not force:
                raise RefusedError(_changed(swap, reading), f"To write over it: `{by_force}`.")
            if dry_run:
                return LedBack(swap=swap, outcome="untouched", shown=reading.shown, is_led=True)
            _save(save, swap, reading, tell)
            try:
                sent = True
                await sites.lead(swap, Side.BLUE, shown=reading.shown, etag=reading.etag)
            except (ThrottledError, ApiError) as error:
                if attempt == SWAP_TRIES or not _may_try_again(error):
                    raise
                await clock.sleep(backoff(attempt, first=1.0, most=_LONGEST_PAUSE))
                continue
            reading = await _read_back(swap, sites, clock)
            if reading.side is Side.BLUE:
                return LedBack(swap=swap, outcome="restored", shown=reading.shown, is_led=True)
        raise ManualActionRequiredError(
            f"{swap.target} does not lead to {swap.before}", "Look at it, and run restore again."
        )
    except TakeoverError as error:
        unknown = sent or error.exit_code is ExitCode.UNKNOWN or reading is None
        shown = "" if reading is None else reading.shown
        outcome = "unknown" if unknown else "untouched"
        return LedBack(swap=swap, outcome=outcome, shown=shown, error=error)


async def invalidate(
    swap: Swap,
    *,
    sites: SiteSwaps,
    clock: Clock,
    reference: str,
    tell: Callable[[str], None],
) -> None:
    """Invalidates what CloudFront has cached of green, once every edge has blue again.

    Only where the switch was to do so as well. What fails is told: objects expire by themselves.

    Args:
        reference: makes it one invalidation, however often it is asked for.
        tell: receives what goes on.
    """
    if not isinstance(swap, OriginSwap) or not swap.invalidate:
        return
    paths = " ".join(swap.invalidate)
    by_hand = f"invalidate {paths} of {swap.distribution_id} once it is Deployed"
    tell(f"waiting until every edge of {swap.distribution_id} has blue, to invalidate {paths}")
    until = clock.now() + SETTLE_PATIENCE
    try:
        while not (reading := await sites.read(swap)).is_settled:
            if clock.now() >= until:
                tell(f"{swap.distribution_id} is still being deployed: {by_hand}")
                return
            await clock.sleep(DISTRIBUTION_READ)
        if reading.side is not Side.BLUE:
            tell(f"another writer has changed {swap.target} meanwhile: {by_hand}")
            return
        tell(f"invalidating {paths} ({await sites.invalidate(swap, reference)})")
    except ApiError as error:
        tell(f"not invalidated: {one_line(error)}; {by_hand}")


def _save(
    save: Callable[[Swap, SwapReading], None],
    swap: Swap,
    reading: SwapReading,
    tell: Callable[[str], None],
) -> None:
    """Keeps what is about to be written over; a full disk keeps nobody from the way back."""
    try:
        save(swap, reading)
    except OSError as error:
        tell(f"cannot save where {swap.target} leads ({error.strerror}); continuing")


def _changed(swap: Swap, reading: SwapReading) -> str:
    """What another writer has changed, for a person."""
    if reading.shown in (swap.before, swap.after):
        return (
            f"another writer has changed other settings of {swap.target}, which leads to "
            f"{reading.shown}"
        )
    return f"another writer has changed {swap.target}: it leads to {reading.shown} now"


def _may_try_again(error: ApiError) -> bool:
    """Whether it was not applied, or what was is seen by the next read."""
    return error.code != "AccessDenied" and error.exit_code is not ExitCode.REFUSED


async def _read_back(swap: Swap, sites: SiteSwaps, clock: Clock) -> SwapReading:
    """What is read once the write is seen, or after it should have been."""
    until = clock.now() + SWAP_LAG
    while True:
        reading = await sites.read(swap)
        if reading.side is Side.BLUE or clock.now() >= until:
            return reading
        await clock.sleep(SWAP_AGREES)
