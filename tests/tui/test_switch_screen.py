"""A blue-green switch on the screen: what is switched, who answers, keys, questions, its plan."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace
from tests.played_switch import PLAN, SITE, Played
from tests.tui import scenes, switch_scenes
from tests.tui.acting import (
    HeardApp,
    PlayedOpening,
    PlayedSource,
    notices,
    settle,
    show,
    text_of,
)

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.events import AbortAsked, RestoreAsked
from route53_takeover.core.plan.model import Finding
from route53_takeover.core.status.run_words import RunKind
from route53_takeover.core.status.snapshot import Mark, SwapView
from route53_takeover.output.text_lines import TextLines
from route53_takeover.process.protocol import Link, Proposal
from route53_takeover.process.spawn import Proposed
from route53_takeover.storage.config import Common
from route53_takeover.tui import plain
from route53_takeover.tui.card_view import contents_of
from route53_takeover.tui.dialogs import Confirm
from route53_takeover.tui.frame import Frame
from route53_takeover.tui.help import Help
from route53_takeover.tui.keys import BY_KIND, IN_A_SWITCH
from route53_takeover.tui.plan_screen import _question, cards_of
from route53_takeover.tui.run_layout import RunView
from route53_takeover.tui.run_screen import RunScreen
from route53_takeover.tui.widgets.checks import Checks
from route53_takeover.tui.widgets.meter import Meter
from route53_takeover.tui.widgets.swaps import SwapTable
from route53_takeover.tui.widgets.tabs import Pane

if TYPE_CHECKING:
    from pathlib import Path

    from textual.content import Content

    from route53_takeover.process.protocol import View
    from route53_takeover.tui.widgets.lines import DrawnLines

WIDTHS = (30, 44, 58, 78, 120)


def application(source: PlayedSource, tmp_path: Path) -> HeardApp:
    return HeardApp(source=source, preferences=tmp_path / "preferences.json")


def drawn(part: DrawnLines, view: View, width: int = 78) -> list[str]:
    lines = part.draw(Frame(view=view, now=view.snapshot.now), width)
    assert max((line.cell_length for line in lines), default=0) <= width
    return [line.plain for line in lines]


def metered(**changes: object) -> View:
    view = switch_scenes.view("switch-mixed")
    meter = view.snapshot.meter
    assert meter is not None
    return replace(view, snapshot=replace(view.snapshot, meter=replace(meter, **changes)))


# -- the meter


def test_each_answer_has_a_sign_and_the_newest_is_at_the_right() -> None:
    recent = (
        (1.0, "blue", True),
        (2.0, "green", True),
        (3.0, "unknown", True),
        (4.0, "green", False),
    )
    lines = drawn(Meter(), metered(recent=recent, share=0.25, answered={Side.BLUE: 7}))
    assert lines[:3] == [
        "share        [█████---------------] 25% green",
        "answers       -█?x",
        "in all        - blue 7  █ green 0  ? not told 0  x failed",
    ]


def test_what_matters_of_the_meter_is_said_in_words() -> None:
    lines = drawn(Meter(), switch_scenes.view("switch-mixed"))
    assert "green first  14:15:05Z, 4.7 s after the switch began" in lines
    assert "blue last    14:15:12Z, 11.9 s after the switch began" in lines
    assert "checks       ! 2 failed checks of 2 allowed" in lines
    assert "checks       0 failed checks of 2 allowed" in drawn(Meter(), metered(failed=0))
    unseen = drawn(Meter(), metered(first_green_at=None))
    assert "green first  not seen since the switch" in unseen


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_of_a_switch_is_too_wide(width: int) -> None:
    for name in switch_scenes.SCENES:
        view = switch_scenes.view(name)
        for part in (Meter(), SwapTable(), Checks()):
            assert drawn(part, view, width)


def test_the_share_is_not_guessed_where_no_answer_tells_it() -> None:
    (line, *_) = drawn(Meter(), metered(share=None, tells_sides=False))
    assert line == "share        no check tells by its answer which side gave it"
    (line, *_) = drawn(Meter(), metered(share=None))
    assert line == "share        no answer yet that tells which side gave it"


def test_without_a_check_nobody_knows_who_answers() -> None:
    view = switch_scenes.view("switch-mixed")
    view = replace(view, snapshot=replace(view.snapshot, meter=None, checks=()))
    assert drawn(Meter(), view) == ["no --check asks the site: who answers is not known"]
    assert drawn(Checks(), view) == ["no --check is given"]


def test_the_bake_has_a_bar_to_its_end_while_a_process_is_there() -> None:
    view = switch_scenes.view("switch-bake")
    bar = "watched      ███████████░░░░░░░░░░░░░░ 2m13s of 5m00s"
    assert drawn(Meter(), view)[-1] == bar
    assert bar not in drawn(Meter(), replace(view, link=Link.GONE))
    assert not [line for line in drawn(Meter(), metered()) if line.startswith("watched")]


# -- what is switched


@pytest.mark.parametrize(
    ("side", "standing", "reported"),
    [
        (Side.BLUE, "old/live", "  now    blue old/live  (read 4s ago)"),
        (Side.GREEN, "new/live", "  now    green new/live  (read 4s ago)"),
        (Side.OTHER, "x/dev", "  now     OTHER  x/dev  (read 4s ago)"),
        (Side.ABSENT, "", "  now     GONE   (read 4s ago)"),
        (Side.UNKNOWN, "", "  now    not read yet"),
    ],
)
def test_where_it_leads_now_is_a_word(side: Side, standing: str, reported: str) -> None:
    view = switch_scenes.view("switch-mixed")
    swap = SwapView(
        kind="api-mapping",
        target=SITE,
        before="old/live",
        after="new/live",
        mark=Mark.DONE,
        words="somewhere",
        standing=standing,
        side=side,
        read_at=None if side is Side.UNKNOWN else view.snapshot.now - 4,
    )
    shown = replace(view, snapshot=replace(view.snapshot, swaps=(swap,)))
    assert drawn(SwapTable(), shown) == [
        f"✔ {SITE}: somewhere",
        reported,
        "  plan   blue old/live → green new/live",
    ]


def test_two_long_places_stand_below_each_other() -> None:
    view = switch_scenes.view("switch-mixed")
    (swap, *_) = view.snapshot.swaps
    long = replace(swap, before="b" * 40, after="g" * 40)
    shown = replace(view, snapshot=replace(view.snapshot, swaps=(long,)))
    assert drawn(SwapTable(), shown, 60)[-2:] == [
        f"  plan   blue {'b' * 40}",
        f"       → green {'g' * 40}",
    ]


# -- the frame


async def test_the_part_that_matters_is_shown_until_the_user_picks_one(tmp_path: Path) -> None:
    source = PlayedSource()
    app = application(source, tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        for name, pane, part in (
            ("switch-check", Pane.TREE, "checks"),
            ("switch-mixed", Pane.SERVERS, "meter"),
        ):
            await show(pilot, source, switch_scenes.view(name))
            assert app.screen.query_one(RunView).pane is pane
            assert app.focused is app.screen.query_one(f"#{part}")
            assert app.screen.query_one(f"#{part}").region.height > 0
        for key, part in (("1", "checks"), ("2", "meter"), ("3", "deploy"), ("4", "news")):
            await pilot.press(key)
            await show(pilot, source, switch_scenes.view("switch-mixed"))
            assert app.focused is app.screen.query_one(f"#{part}")
        for part in ("records", "tree", "servers"):
            assert not app.screen.query_one(f"#{part}").region


async def test_a_run_of_the_other_kind_gets_its_own_parts_back(tmp_path: Path) -> None:
    source = PlayedSource(switch_scenes.view("switch-mixed"), scenes.view("guard"))
    app = application(source, tmp_path)
    async with app.run_test(size=(160, 48)) as pilot:
        await settle(pilot)
        for part in ("records", "tree", "servers"):
            assert app.screen.query_one(f"#{part}").region
        for part in ("swaps", "checks", "meter"):
            assert not app.screen.query_one(f"#{part}").region


async def test_before_there_is_a_run_no_title_says_of_which_kind_it_is(tmp_path: Path) -> None:
    app = application(PlayedSource(), tmp_path)
    async with app.run_test(size=(160, 48)) as pilot:
        await settle(pilot)
        assert not app.screen.query_one("#body").visible
        await show(pilot, _source(app), scenes.view("guard"))
        assert app.screen.query_one("#body").visible


def _source(app: HeardApp) -> PlayedSource:
    assert isinstance(app._source, PlayedSource)
    return app._source


async def test_many_switches_leave_room_for_who_answers(tmp_path: Path) -> None:
    view = switch_scenes.view("switch-mixed")
    many = replace(view, snapshot=replace(view.snapshot, swaps=6 * view.snapshot.swaps))
    app = application(PlayedSource(many), tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert app.screen.query_one("#meter").size.height >= 6
        assert app.screen.query_one("#swaps").max_scroll_y > 0


def test_text_from_outside_is_neither_markup_nor_control_characters() -> None:
    evil = "\x1b]52;c;AAAA\x07[bold]x[/bold]"
    view = switch_scenes.view("switch-mixed")
    snapshot = view.snapshot
    (swap, *_), (check, *_) = snapshot.swaps, snapshot.checks
    way = replace(check.ways[-1], failure=evil)
    shown = replace(
        view,
        snapshot=replace(
            snapshot,
            swaps=(replace(swap, target=evil, words=evil, standing=evil, before=evil, after=evil),),
            checks=(replace(check, text=evil, ways=(way,)),),
        ),
    )
    lines = [*drawn(SwapTable(), shown), *drawn(Checks(), shown)]
    plan = replace(PLAN, site=evil, warnings=(Finding(text=evil, hint=evil),))
    lines += [line.plain for line in drawn_cards(Proposal(switch=plan))]
    assert all(line.isprintable() for line in lines)
    assert "\n".join(lines).count("[bold]x[/bold]") >= 9


# -- keys and questions


def test_no_key_of_a_switch_speaks_of_a_takeover() -> None:
    actions = BY_KIND[RunKind.SWITCH].values()
    said = " ".join(f"{a.label} {a.tooltip} {a.otherwise}" for a in actions).lower()
    for word in ("record", "release", "takeover", "cloudformation", "name server", "stacks"):
        assert word not in said
    assert {"release", "extend"}.isdisjoint(BY_KIND[RunKind.SWITCH])
    assert IN_A_SWITCH.keys() < BY_KIND[RunKind.SWITCH].keys()


async def test_enter_switches_back_and_gives_up(tmp_path: Path) -> None:
    source = PlayedSource()
    app = application(source, tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        for scene, key, told in (
            ("switch-bake", "b", ("Switch back to blue", f"Leads {SITE} back to")),
            ("switch-check", "x", ("Give up the switch", "The switch is given up.")),
        ):
            await show(pilot, source, switch_scenes.view(scene))
            for answer in ("escape", "enter"):
                await pilot.press(key)
                await settle(pilot)
                assert isinstance(app.screen, Confirm)
                shown = text_of(app)
                for words in told:
                    assert words in shown
                assert "record" not in shown
                await pilot.press(answer)
                await settle(pilot)
    assert [type(each) for each in source.submitted] == [RestoreAsked, AbortAsked]


_USELESS = {
    "switch-bake": {
        "d": "no use in this kind of run",
        "e": "no use in this kind of run",
        "p": "only be paused before the switch",
        "x": "only be aborted before the switch; after it, it can be switched back",
        "ctrl+c": "Once the switch has begun the run watches to its end",
    },
    "switch-check": {"b": "There is nothing to switch back: nothing leads to green,"},
}
"""Keys that do nothing there, and what they say."""


async def test_a_key_without_use_says_why_in_the_words_of_a_switch(tmp_path: Path) -> None:
    source = PlayedSource()
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        for scene, keys in _USELESS.items():
            await show(pilot, source, switch_scenes.view(scene))
            assert ("b Switch back" in text_of(app)) is (scene == "switch-bake")
            for key, reported in keys.items():
                await pilot.press(key)
                await settle(pilot)
                assert reported in notices(app)[-1]
                assert isinstance(app.screen, RunScreen)
    assert source.submitted == []


async def test_a_dead_process_is_told_in_the_words_of_a_switch(tmp_path: Path) -> None:
    app = application(PlayedSource(switch_scenes.view("switch-killed")), tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("r")
        await settle(pilot)
        assert isinstance(app.screen, Confirm)
        shown = " ".join(re.sub(r"[█│╏]", " ", text_of(app)).split())
        assert "nothing watches the site or leads it back to blue" in shown


async def test_the_help_of_a_switch_has_its_keys_and_no_others(tmp_path: Path) -> None:
    app = application(PlayedSource(switch_scenes.view("switch-bake")), tmp_path)
    async with app.run_test(size=(120, 80)) as pilot:
        await settle(pilot)
        await pilot.press("?")
        await settle(pilot)
        assert isinstance(app.screen, Help)
        shown = text_of(app)
    for words in ("Lead the site back to blue", "Show what the checks got", "[abort]"):
        assert words in shown
    for words in ("record", "[release]", "[extend]"):
        assert words not in shown


# -- the text view


async def test_the_text_view_says_how_to_switch_back_and_does_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = PlayedSource()
    lines = TextLines(sys.stderr, prefix="", quiet=False, verbose=False)
    view = plain.TextView(Common(state_dir=tmp_path), lines)
    checking, baking = map(switch_scenes.view, ("switch-check", "switch-bake"))
    for shown in (checking, baking, baking):
        view._ask(shown, "")
    assert capsys.readouterr().err.count(f"type: switch back {SITE}\n") == 1
    for shown, typed in (
        (checking, f"switch back {SITE}"),
        (baking, "switch back"),
        (baking, f"switch back www.{SITE}"),
        (baking, ""),
    ):
        await view._answer(source, shown, typed)
    assert source.submitted == []
    await view._answer(source, baking, f" Switch  back {SITE}.\n")
    assert [type(each) for each in source.submitted] == [RestoreAsked]


async def test_a_recorded_restore_is_not_asked_for_by_typing(tmp_path: Path) -> None:
    lines = TextLines(sys.stderr, prefix="", quiet=False, verbose=False)
    view, source = plain.TextView(Common(state_dir=tmp_path), lines), PlayedSource()
    shown = scenes.view("confirm")
    await view._answer(source, shown, f"switch back {shown.snapshot.zone}")
    await view._answer(source, shown, "")
    assert source.submitted == []


def test_the_text_view_says_who_answers_while_nothing_happens(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = TextLines(sys.stderr, prefix="", quiet=False, verbose=False)
    played = Played().backed_up().deploy().check().switch().settle()
    told._state = played.state
    told.tick(played.time + 60)
    said = capsys.readouterr().err
    assert "Watching the live site on green" in said
    assert "% of the newest answers from green, 0 failed checks of 2 allowed" in said


# -- the plan


def proposed(**changes: object) -> Proposal:
    plan = replace(PLAN, **changes)
    return Proposal(switch=plan)


def test_a_proposal_of_a_switch_reaches_the_terminal_as_it_was_sent() -> None:
    sent = Proposed(proposal=proposed())
    received = msgspec.json.decode(msgspec.json.encode(sent), type=Proposed)
    assert received == sent


def drawn_cards(given: Proposal) -> list[Content]:
    """Every line of the cards of what is proposed, as the screen draws them."""
    return [line for card in cards_of(given) for line in contents_of(card.parts, 100)]


def test_screen_and_text_show_the_same_plan(capsys: pytest.CaptureFixture[str]) -> None:
    given = replace(proposed(), config="t.toml: --bake 5m")
    plain._propose(given)
    reported = [" ".join(line.split()) for line in capsys.readouterr().err.splitlines()]
    assert "options from t.toml: --bake 5m" in reported
    told = " ".join(reported)
    for line in drawn_cards(given):
        if not line.plain.startswith("--"):
            assert " ".join(line.plain.split()) in told


async def test_a_yes_starts_the_switch_that_was_shown(tmp_path: Path) -> None:
    opening = PlayedOpening(proposed(), PlayedSource(switch_scenes.view("switch-check")))
    opening.go_on.set()
    app = HeardApp(opening=opening, preferences=tmp_path / "p.json")
    async with app.run_test(size=(100, 60)) as pilot:
        await settle(pilot)
        assert "-- from here on users get green --" in text_of(app)
        await pilot.press("s")
        await settle(pilot)
        shown = " ".join(text_of(app).replace("│", " ").split())
        assert f"Switch {SITE} to green?" in shown
        assert "This changes a live site. Green is deployed first." in shown
        assert opening.calls == []
        await pilot.press("y")
        await settle(pilot)
        assert isinstance(app.screen, RunScreen)
    assert opening.calls == ["start"]


@pytest.mark.parametrize(
    ("given", "said", "unsaid"),
    [
        (proposed(), "once green passes every check", "no check"),
        (proposed(checks=()), "no check tests green before", "passes"),
        (replace(proposed(), rehearsal="blue-green"), "No real site is changed", "live site"),
        (
            proposed(options=replace(PLAN.options, deploy=None)),
            "Users are led to green without asking again",
            "deployed first",
        ),
    ],
)
async def test_the_question_says_what_happens_to_users(
    given: Proposal, said: str, unsaid: str
) -> None:
    _, body = _question(given)
    assert said in body
    assert unsaid not in body


async def test_the_help_of_a_plan_is_that_of_a_switch(tmp_path: Path) -> None:
    opening = PlayedOpening(proposed(), PlayedSource())
    app = HeardApp(opening=opening, preferences=tmp_path / "p.json")
    async with app.run_test(size=(120, 80)) as pilot:
        await settle(pilot)
        await pilot.press("?")
        await settle(pilot)
        assert "[restore]" not in text_of(app), "no run is known yet"
        await pilot.press("escape")
        opening.go_on.set()
        await settle(pilot)
        await pilot.press("?")
        await settle(pilot)
        shown = text_of(app)
    assert "Lead the site back to blue" in shown
    assert "record" not in shown
