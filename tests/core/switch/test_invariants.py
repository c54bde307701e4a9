"""What is never written, whatever the machine has decided: each reason by a write that has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.core.switch.states import (
    DEPLOYED,
    FRONT,
    NOW,
    answered,
    on,
    passed,
    state,
    switched,
    with_checks,
    write,
)
from tests.core.switch.stepped import SWAP

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.switch.commands import WriteSwap
from route53_takeover.core.switch.events import SwapPurpose, Way
from route53_takeover.core.switch.invariants import violations
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.switch.state import Retirement

if TYPE_CHECKING:
    from route53_takeover.core.switch.state import SwapState, SwitchState

P, S = SwapPurpose, SwitchPhase


def command(purpose: SwapPurpose, swap: SwapState, **more: Any) -> WriteSwap:
    to = Side.GREEN if purpose is P.SWITCH else Side.BLUE
    etag = "" if swap.reading is None else swap.reading.etag
    return WriteSwap(
        **{"id": "run-9", "swap": swap.id, "to": to, "purpose": purpose}
        | more
        | {"etag": more.get("etag", etag)}
    )


def fitting(purpose: SwapPurpose) -> tuple[SwitchState, SwapState]:
    """A state in which a write of this purpose may be sent."""
    match purpose:
        case P.PROVE:
            swap = on(Side.BLUE, FRONT, proven=False)
            return state(S.CHECK, swap), swap
        case P.SWITCH:
            swap = on(Side.BLUE)
            made = with_checks()
            return state(S.SWITCH, swap, plan=made, checks=passed()), swap
        case P.KEEP:
            swap = on(Side.OTHER, moved_at=NOW - 1)
            return state(S.DEPLOY, swap, deploy=DEPLOYED), swap
        case P.BACK:
            swap = switched()
            return state(S.RESTORE, swap, given_up="asked"), swap


@pytest.mark.parametrize("purpose", list(P))
def test_a_write_that_has_everything_may_be_sent(purpose: SwapPurpose) -> None:
    made, swap = fitting(purpose)
    assert violations(made, command(purpose, swap), frozenset()) == ()


@pytest.mark.parametrize("purpose", list(P))
def test_no_write_is_sent_twice(purpose: SwapPurpose) -> None:
    made, swap = fitting(purpose)
    assert violations(made, command(purpose, swap), {"run-9"}) == (
        "this write was intended before",
    )


@pytest.mark.parametrize("purpose", list(P))
def test_only_the_way_back_is_sent_without_a_backup(purpose: SwapPurpose) -> None:
    made, swap = fitting(purpose)
    without = replace(made, backed_up=False)
    objections = () if purpose is P.BACK else ("there is no backup",)
    assert violations(without, command(purpose, swap), frozenset()) == objections


@pytest.mark.parametrize(
    ("purpose", "phase"),
    [
        (P.PROVE, S.SWITCH),
        (P.SWITCH, S.CHECK),
        (P.SWITCH, S.BAKE),
        (P.SWITCH, S.RESTORE),
        (P.KEEP, S.CHECK),
        (P.BACK, S.SWITCH),
        (P.BACK, S.BAKE),
    ],
)
def test_a_write_belongs_in_its_phase(purpose: SwapPurpose, phase: SwitchPhase) -> None:
    made, swap = fitting(purpose)
    elsewhere = replace(made, phase=phase)
    assert f"{purpose} does not belong in {phase}" in violations(
        elsewhere, command(purpose, swap), frozenset()
    )


@pytest.mark.parametrize("purpose", list(P))
def test_a_write_leads_where_its_purpose_says(purpose: SwapPurpose) -> None:
    made, swap = fitting(purpose)
    to = Side.BLUE if purpose is P.SWITCH else Side.GREEN
    found = violations(made, command(purpose, swap, to=to), frozenset())
    assert f"{purpose} does not lead to {to}" in found


def test_nothing_but_the_plans_swaps_is_written() -> None:
    made, swap = fitting(P.SWITCH)
    other = replace(command(P.SWITCH, swap), swap="else.example.com/")
    assert violations(made, other, frozenset()) == ("the plan does not have this swap",)


def test_no_write_is_sent_beside_another_one() -> None:
    made, swap = fitting(P.BACK)
    busy = replace(swap, write=write(P.BACK))
    found = violations(replace(made, swaps={swap.id: busy}), command(P.BACK, swap), frozenset())
    assert found == ("another write of this swap has no answer yet",)


@pytest.mark.parametrize(
    "unread", [{"reading": None}, {"read_began": NOW - 70}], ids=["never", "before the last write"]
)
def test_what_is_written_was_read_since_it_was_written(unread: dict[str, Any]) -> None:
    made, swap = fitting(P.BACK)
    stale = replace(swap, **unread)
    found = violations(replace(made, swaps={swap.id: stale}), command(P.BACK, swap), frozenset())
    assert found == ("it was not read since it was last written",)


def test_what_is_written_was_read_just_now() -> None:
    made, swap = fitting(P.SWITCH)
    found = violations(replace(made, now=NOW + 2.5), command(P.SWITCH, swap), frozenset())
    assert found == ("it was not read just now",)


def test_a_distribution_is_written_by_the_etag_that_was_read() -> None:
    made, swap = fitting(P.PROVE)
    found = violations(made, command(P.PROVE, swap, etag="E0"), frozenset())
    assert found == ("the ETag is not that of the newest read",)


@pytest.mark.parametrize("side", [Side.GREEN, Side.OTHER])
def test_a_proof_changes_nothing(side: Side) -> None:
    swap = on(side, FRONT, proven=False)
    found = violations(state(S.CHECK, swap), command(P.PROVE, swap), frozenset())
    assert found == ("a proof changes nothing, and it does not lead to blue",)


@pytest.mark.parametrize("side", [Side.GREEN, Side.OTHER, Side.ABSENT])
def test_only_what_leads_to_blue_is_switched(side: Side) -> None:
    swap = on(side)
    found = violations(state(S.SWITCH, swap), command(P.SWITCH, swap), frozenset())
    assert found == (f"it leads to {side} and not to blue",)


def test_a_distribution_whose_way_back_is_not_proven_is_not_switched() -> None:
    swap = on(Side.BLUE, FRONT, proven=False)
    found = violations(state(S.SWITCH, swap), command(P.SWITCH, swap), frozenset())
    assert found == ("the way back is not proven",)


@pytest.mark.parametrize(
    "why",
    [
        {"checks": {}},
        {"checks": {(0, Way.GREEN): answered(passed=False)}},
        {"checks": {(0, Way.BLUE): answered(), (0, Way.LIVE): answered()}},
        {"given_up": "the operator has switched back"},
    ],
    ids=["never checked", "failed", "checked by other ways", "given up"],
)
def test_green_gets_no_traffic_before_its_checks(why: dict[str, Any]) -> None:
    made, swap = fitting(P.SWITCH)
    found = violations(replace(made, **why), command(P.SWITCH, swap), frozenset())
    assert found == ("green has not passed its checks",)


@pytest.mark.parametrize(
    "why",
    [{"deploy": None}, {"swaps": {SWAP.id: on(Side.BLUE)}}, {"swaps": {SWAP.id: switched()}}],
    ids=["nothing deployed", "on blue", "this run's own"],
)
def test_only_what_the_deploy_has_moved_is_put_back(why: dict[str, Any]) -> None:
    made, swap = fitting(P.KEEP)
    found = violations(replace(made, **why), command(P.KEEP, swap), frozenset())
    assert found == ("the deploy of green has not moved it",)


@pytest.mark.parametrize(
    "swap",
    [on(Side.GREEN), switched(reading=on(Side.OTHER).reading), on(Side.BLUE, ever_green=True)],
    ids=["never switched", "another writer's", "on blue"],
)
def test_only_what_this_run_has_moved_is_led_back(swap: SwapState) -> None:
    found = violations(state(S.RESTORE, swap), command(P.BACK, swap), frozenset())
    assert found == ("it is not this run's to lead back",)


def test_what_the_delete_of_blue_has_taken_is_led_to_green() -> None:
    swap = switched(reading=on(Side.ABSENT).reading)
    begun = Retirement(stack_id="arn:blue", breaks=(), begun_at=NOW - 5)
    made = state(S.RETIRE, swap, retirement=begun)
    kept = command(P.KEEP, swap, to=Side.GREEN)
    assert violations(made, kept, frozenset()) == ()
    there = state(S.RETIRE, switched(), retirement=begun)
    assert violations(there, kept, frozenset()) == ("the delete of blue has not moved it",)
    early = state(S.RETIRE, swap)
    assert violations(early, kept, frozenset()) == ("the delete of blue has not moved it",)
