"""What a switch looks at again and again, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.core.switch.states import (
    CHECK,
    FRONT,
    NOW,
    on,
    state,
    switched,
    unread,
    with_checks,
)
from tests.core.switch.stepped import SWAP

from route53_takeover.core.domain.http_checks import Check, Side
from route53_takeover.core.switch.fold import observe
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.switch.polling import (
    LiveCheck,
    RunningInvalidation,
    WatchedSwap,
    polls,
)

if TYPE_CHECKING:
    from route53_takeover.core.switch.state import SwitchState

S = SwitchPhase


def paces(made: SwitchState) -> dict[object, float]:
    return {poll.target: poll.every for poll in polls(made)}


@pytest.mark.parametrize(
    ("phase", "mapping", "front"),
    [
        (S.BACKUP, None, None),
        (S.DEPLOY, 1.0, 5.0),
        (S.CHECK, 5.0, 10.0),
        (S.SWITCH, 1.0, 5.0),
        (S.SETTLE, 5.0, 10.0),
        (S.BAKE, 5.0, 10.0),
        (S.RETIRE, 1.0, 5.0),
        (S.RESTORE, 1.0, 5.0),
        (S.VERIFY, None, None),
        (S.ENDED, None, None),
    ],
)
def test_swaps_are_read_often_where_they_may_be_moved(
    phase: SwitchPhase, mapping: float | None, front: float | None
) -> None:
    found = paces(state(phase, on(Side.BLUE), on(Side.BLUE, FRONT)))
    assert (found.get(WatchedSwap(SWAP.id)), found.get(WatchedSwap(FRONT.id))) == (mapping, front)


@pytest.mark.parametrize(
    ("phase", "every"),
    [
        (S.CHECK, None),
        (S.SWITCH, 1.0),
        (S.SETTLE, 1.0),
        (S.BAKE, 5.0),
        (S.RETIRE, 1.0),
        (S.RESTORE, 1.0),
        (S.VERIFY, None),
    ],
)
def test_users_way_is_checked_from_the_first_write_on(
    phase: SwitchPhase, every: float | None
) -> None:
    made = state(phase, switched(), plan=with_checks(), switch_began=NOW - 60)
    assert paces(made).get(LiveCheck(0)) == every


def test_a_bake_is_watched_also_where_nothing_was_to_switch() -> None:
    """Else it would never end: it waits for a check."""
    made = state(S.BAKE, plan=with_checks())
    assert LiveCheck(0) in paces(made)
    assert LiveCheck(0) not in paces(replace(made, phase=S.SWITCH))
    assert LiveCheck(0) not in paces(replace(made, phase=S.RESTORE))


def test_a_command_is_run_less_often() -> None:
    plan = replace(with_checks(), checks=(CHECK, Check(text="probe", command="probe")))
    found = paces(state(S.SETTLE, switched(), plan=plan, switch_began=NOW - 60))
    assert (found[LiveCheck(0)], found[LiveCheck(1)]) == (1.0, 15.0)


def test_an_invalidation_is_looked_at_until_it_is_complete() -> None:
    running = switched(FRONT, invalidation="I1")
    target = RunningInvalidation(FRONT.id, "I1")
    assert paces(state(S.SETTLE, running))[target] == 10.0
    complete = replace(running, is_invalidated=True)
    assert target not in paces(state(S.SETTLE, complete))


def test_a_read_that_fails_is_not_repeated_at_once() -> None:
    made = state(S.RESTORE, on(Side.BLUE, read_at=NOW - 60))
    (poll,) = polls(made)
    assert (poll.last, poll.not_before) == (NOW - 60, 0.0)
    (poll,) = polls(observe(made, unread(at=NOW)))
    assert (poll.last, poll.not_before) == (NOW - 60, NOW + 1.0)
