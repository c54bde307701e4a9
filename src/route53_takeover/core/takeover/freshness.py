"""How old what a run knows may be, before something is done because of it.

Age counts from the arrival of an answer, and the bounds grow with how long answers take now: a slow
API or a big tree makes a run slower and never makes a condition unreachable. What was asked before
the process was suspended is never fresh, however soon after it the answer is taken in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.takeover import events as ev
from route53_takeover.core.timing import LATE, SLEPT

if TYPE_CHECKING:
    from route53_takeover.core.takeover.state import State

_FORGET = 0.8
"""How much of the longest call time of late each further answer leaves."""


def is_fresh(state: State, *, began: float, told: float, within: float) -> bool:
    """Whether an answer to what was asked at ``began``, and came at ``told``, still counts."""
    return began >= state.awake_since and state.now - told <= within + 2 * state.lag


def timed(state: State, event: ev.AnyEvent) -> State:
    """The state with this event's time, and what it tells of the process's own pace."""
    time, awake_since, lag = event.time, state.awake_since, state.lag
    if state.wake_at is not None and time > state.wake_at + LATE:
        awake_since = time
    if isinstance(event, _ANSWERS):
        if time - event.began > SLEPT:
            awake_since = time
        elif event.began >= awake_since:
            lag = round(max(time - event.began, _FORGET * lag), 3)
    return replace(state, now=max(state.now, time), awake_since=awake_since, lag=lag)


_ANSWERS = (ev.NameRead, ev.StackPolled, ev.ResourcesRead, ev.RootDescribed)
"""What tells how long a call took."""
