"""What every part of `restore` does alike: how often it tries, what it saves before a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.base.errors import (
    CredentialsError,
    EndpointError,
    ThrottledError,
    UnansweredError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from route53_takeover.core.domain.record_sets import Change
    from route53_takeover.core.ports import Clock

TRIES = 30
"""About a minute of pauses, and the calls; then the operator has to check."""
TEMPORARY = (ThrottledError, UnansweredError, EndpointError, CredentialsError)
"""What another try may get over."""


async def attempts(clock: Clock) -> AsyncIterator[None]:
    """One item a try, with a pause before each but the first."""
    for number in range(TRIES):
        if number:
            await clock.sleep(min(0.5 * number, 2.0))
        yield


def save_or_tell(
    changes: Sequence[Change],
    save: Callable[[Sequence[Change]], None],
    tell: Callable[[str], None],
) -> None:
    """Saves what is about to be changed; a full disk stops nothing that the backup has already."""
    try:
        save(changes)
    except OSError as error:
        tell(f"cannot save what is restored ({error.strerror}); continuing")
