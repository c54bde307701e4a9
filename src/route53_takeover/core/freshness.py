"""How old what a run knows may be, before something is done because of it.

Age counts from the arrival of an answer, and the bounds grow with how long answers take now: a slow
API or a big tree makes a run slower and never makes a condition unreachable. What was asked before
the process was suspended is never fresh, however soon after it the answer is taken in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core import events as ev

if TYPE_CHECKING:
    from route53_takeover.core.state import State

READ_FRESH = 2.0
"""Seconds for which a read of the name is good enough to release on."""
POLL_FRESH = 3.0
"""Seconds for which what is known of a stack is."""
LIST_FRESH = 1.0
"""Seconds for which a stack's own list of resources is, where the stack may adopt the record."""
WRITE_FRESH = 5.0
"""Seconds for which a read, or a stack's list, is good enough for a TTL change or the proof, while
nothing is deployed."""
LATE = 1.0
"""Seconds after a deadline of the machine's own from which on the process must have been stopped,
asleep or starved in between."""
SLEPT = 60.0
"""Seconds for a call from which on the process must have been stopped meanwhile: no client waits as
long, and an answer that is as old as that tells nothing of how long answers take."""
_FORGET = 0.8
"""How much of the longest call time of late each further answer leaves."""


def is_fresh(state: State, *, began: float, told: float, within: float) -> bool:
    """Whether an answer to what was asked at ``began``, and came at ``told``, still counts."""
    return began >= state.awake_since and state.now - told <= within + 2 * state.lag


def timed(state: State, event: ev.AnyEvent) -> State:
    """The state with what this event tells of the process's own pace."""
    if state.wake_at is not None and event.time > state.wake_at + LATE:
        state = replace(state, awake_since=event.time)
    match event:
        case ev.NameRead() | ev.StackPolled() | ev.ResourcesRead() | ev.RootDescribed():
            if event.time - event.began > SLEPT:
                state = replace(state, awake_since=event.time)
            elif event.began >= state.awake_since:
                lag = max(event.time - event.began, _FORGET * state.lag)
                state = replace(state, lag=round(lag, 3))
        case _:
            pass
    return state
