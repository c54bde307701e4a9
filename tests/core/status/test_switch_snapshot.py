"""What people see of a switch, made from its state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from tests.played_switch import PLAN, Played
from tests.tui import switch_scenes

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.status.any_run import progress_of
from route53_takeover.core.status.choices import Act
from route53_takeover.core.status.run_words import RunKind
from route53_takeover.core.status.snapshot import Mark
from route53_takeover.core.switch import events as ev
from route53_takeover.core.switch.events import Way
from route53_takeover.core.switch.phases import SwitchPhase

if TYPE_CHECKING:
    from route53_takeover.core.status.snapshot import LiveMeter


def meter_of(played: Played) -> LiveMeter:
    meter = played.view().snapshot.meter
    assert meter is not None
    return meter


def marks(name: str) -> dict[str, Mark]:
    return {str(step.phase): step.mark for step in switch_scenes.view(name).snapshot.steps}


def switched() -> Played:
    return Played().backed_up().deploy().check().switch()


def test_the_snapshot_carries_the_words_of_a_switch() -> None:
    assert switch_scenes.view("switch-check").snapshot.words.kind is RunKind.SWITCH


def test_the_meter_counts_answers_by_side_and_knows_the_first_and_the_last() -> None:
    played = switched()
    before = meter_of(played)
    for side in "gb":
        played.ask(Way.LIVE, side)
    blue_at = played.time
    played.ask(Way.LIVE, "g")
    played.ask(Way.LIVE, failure="status 500")
    meter = meter_of(played)
    assert meter.first_green_at == before.first_green_at
    assert meter.last_blue_at == blue_at
    assert meter.answered[Side.GREEN] == before.answered[Side.GREEN] + 4
    assert meter.share == 0.6  # of 10 that tell: 2 blue and 2 green while it was switched
    assert (meter.failed, meter.max_failures, meter.tells_sides) == (2, 2, True)
    assert progress_of(played.state) == (
        "60% of the newest answers from green, 2 failed checks of 2 allowed"
    )


def test_checks_that_do_not_tell_the_sides_are_said_not_to() -> None:
    played = Played().backed_up().deploy()
    played.ask(Way.BLUE, "same")
    played.ask(Way.GREEN, "same")
    played.read(Side.BLUE)
    assert meter_of(played).tells_sides, "nothing was asked on users' way yet"
    played.write()
    played.ask(Way.LIVE, "same")
    meter = meter_of(played)
    assert (meter.share, meter.tells_sides) == (None, False)
    assert progress_of(played.state).startswith("no check tells by its answer")


def test_without_a_check_there_is_no_meter_and_no_progress() -> None:
    played = Played(replace(PLAN, checks=()))
    assert played.view().snapshot.meter is None
    assert progress_of(played.state) == ""


def test_a_check_shows_what_green_and_the_live_site_gave_but_not_blue() -> None:
    played = switched()
    played.ask(Way.LIVE, failure="status 500")
    first, _ = played.view().snapshot.checks
    green, live = first.ways
    assert (green.way, green.mark, green.passed, green.failed) == ("green", Mark.DONE, 1, 0)
    assert (live.way, live.mark, live.passed, live.failed) == ("live", Mark.FAILED, 2, 1)
    assert (first.mark, live.failure) == (Mark.FAILED, "status 500")
    assert Played().view().snapshot.checks[0].mark is Mark.WAITING


def test_the_end_is_awaited_while_it_leads_back_and_its_last_look_counts_as_done() -> None:
    assert marks("switch-changed")["ended"] is Mark.WAITING
    ended = marks("switch-back")
    assert (ended["verify"], ended["ended"]) == (Mark.DONE, Mark.UNDONE)
    assert ended["switch"] is Mark.UNDONE


def test_green_that_several_swaps_lead_to_is_named_once() -> None:
    news = switch_scenes.view("switch-check").snapshot.news
    assert "green is there: f6g7h8i9j0/live_2" in [line.text for line in news]


def test_the_questions_of_a_switch_have_titles_of_their_own() -> None:
    played = Played().backed_up().deploy()
    assert {c.act: c.title for c in played.view().snapshot.choices} == {
        Act.PAUSE: "",
        Act.ABORT: "Give up the switch",
    }
    (back,) = switched().view().snapshot.choices
    assert (back.act, back.title) == (Act.RESTORE, "Switch back to blue")


def test_the_bake_counts_down_to_its_end() -> None:
    snapshot = switch_scenes.view("switch-bake").snapshot
    (countdown,) = snapshot.countdowns
    assert countdown.until - countdown.since == PLAN.options.bake
    assert snapshot.phase is SwitchPhase.BAKE


def test_the_share_forgets_what_blue_answered_before_the_site_was_watched_on_green() -> None:
    played = switched().settle()
    assert meter_of(played).share != 1.0
    played.watch(25)
    meter = meter_of(played)
    assert meter.share == 1.0
    assert "blue" in [side for _, side, _ in meter.recent[-20:]]


def test_a_retirement_is_seen_in_what_it_waits_for_and_in_the_delete_s_own_line() -> None:
    options = replace(PLAN.options, bake=0.0, retire="orders-blue", retire_command="cdk destroy")
    played = Played(replace(PLAN, options=options)).backed_up().deploy().check().switch().settle()
    snapshot = played.view().snapshot
    assert snapshot.phase is SwitchPhase.RETIRE
    assert snapshot.waits == ("the verdict on whether stack orders-blue may be deleted",)
    played.take(ev.RetirementJudged(time=played.time, stack_id="arn:1", breaks=()))
    assert played.view().snapshot.waits == (
        "everything to be read once more before stack orders-blue is deleted",
    )
    played.take(ev.DeleteIntended(time=played.time))
    snapshot = played.view().snapshot
    assert snapshot.waits == ("stack orders-blue to be deleted",)
    delete = snapshot.deploys[-1]
    assert (delete.label, delete.mark, delete.log) == (
        "delete of blue",
        Mark.RUNNING,
        "deploy-retire.log",
    )
    assert snapshot.choices == ()
    assert "switch back to blue" not in [copy.label for copy in snapshot.copies]
    played.take(ev.DeleteEnded(time=played.time, problem="its delete ended DELETE_FAILED"))
    snapshot = played.view().snapshot
    assert snapshot.deploys[-1].mark is Mark.FAILED
    assert "stack orders-blue: its delete ended DELETE_FAILED" in snapshot.alerts


def test_a_stack_that_may_not_be_deleted_is_told_and_its_phase_has_failed() -> None:
    options = replace(PLAN.options, bake=0.0, retire="orders-blue")
    played = Played(replace(PLAN, options=options)).backed_up().deploy().check().switch().settle()
    breaks = ("mapping shop.example.com: leads to it", "record x: names it")
    played.take(ev.RetirementJudged(time=played.time, stack_id="arn:1", breaks=breaks))
    snapshot = played.view().snapshot
    for each in breaks:
        assert f"stack orders-blue may not be deleted: {each}" in snapshot.alerts
    assert {s.phase: s.mark for s in snapshot.steps}[SwitchPhase.RETIRE] is Mark.FAILED
