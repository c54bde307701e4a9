"""What deletes asks for the record's name, what rescues for Enter; nothing lapsed is confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.tui.acting import (
    ABORT,
    API,
    CONFIRM,
    EXTEND,
    PAUSE,
    RELEASE,
    RESTORE,
    WWW,
    HeardApp,
    PlayedSource,
    choice,
    ended,
    notices,
    settle,
    show,
    text_of,
    view,
)
from textual.widgets import Input, OptionList

from route53_takeover.core.status.choices import Act
from route53_takeover.core.takeover.events import DeadmanExtended, HoldCut, ReleaseConfirmed
from route53_takeover.core.timing import EXTENSION
from route53_takeover.process.protocol import Link
from route53_takeover.tui.dialogs import LAPSED, AskName, Confirm, PickName
from route53_takeover.tui.run_screen import RunScreen

if TYPE_CHECKING:
    from pathlib import Path

    from route53_takeover.process.protocol import View


def application(source: PlayedSource, tmp_path: Path) -> HeardApp:
    return HeardApp(source=source, preferences=tmp_path / "preferences.json")


async def test_a_severe_action_says_what_happens_what_stays_and_the_way_back(
    tmp_path: Path,
) -> None:
    app = application(PlayedSource(view(RELEASE)), tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("d")
        await settle(pilot)
        shown = text_of(app)
        assert isinstance(app.screen, AskName)
    assert "Delete the record now, before the hold ends: www.example.com" in shown
    assert "Effect     what release-now does to [red]www.example.com." in shown
    assert "Unchanged  what stays" in shown
    assert "Undo       the way back" in shown


@pytest.mark.parametrize(
    ("typed", "done"),
    [
        ("www.example.com", True),
        ("  WWW.Example.COM.", True),
        ("api.example.com", False),
        ("www.example.co", False),
        ("y", False),
        ("yes", False),
        ("", False),
    ],
)
async def test_only_the_records_name_confirms_something_severe(
    typed: str, done: bool, tmp_path: Path
) -> None:
    source = PlayedSource(view(RELEASE))
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("d")
        await settle(pilot)
        app.screen.query_one(Input).value = typed
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, RunScreen if done else AskName)
        if not done:
            wrong = f'"{typed.strip()}" is not the name' if typed else "No name"
            assert f"{wrong}: nothing was done." in text_of(app)
            assert app.screen.query_one(Input).value == typed, "to be corrected"
    assert source.submitted == ([HoldCut(time=0, name=WWW)] if done else [])


async def test_a_typo_is_corrected_in_the_open_dialog(tmp_path: Path) -> None:
    source = PlayedSource(view(CONFIRM))
    async with application(source, tmp_path).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("d", *"www.example.con", "enter")
        await settle(pilot)
        assert '"www.example.con" is not the name' in text_of(pilot.app)  # type: ignore[arg-type]
        await pilot.press("backspace", "m", "enter")
        await settle(pilot)
    assert source.submitted == [ReleaseConfirmed(time=0, name=WWW)]


async def test_escape_does_nothing_even_after_the_name_was_typed(tmp_path: Path) -> None:
    source = PlayedSource(view(RELEASE))
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("d", *"www.example.com", "escape")
        await settle(pilot)
        assert isinstance(app.screen, RunScreen)
    assert source.submitted == []


async def test_with_several_names_the_typed_one_is_meant(tmp_path: Path) -> None:
    more = tuple(choice(Act.CONFIRM_RELEASE, name) for name in (WWW, API))
    source = PlayedSource(view(*more))
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("d")
        await settle(pilot)
        assert "www.example.com or api.example.com" in text_of(app)
        await pilot.press(*"api.example.com", "enter")
        await settle(pilot)
    assert source.submitted == [ReleaseConfirmed(time=0, name=API)]


async def test_what_rescues_one_of_several_names_needs_no_typing(tmp_path: Path) -> None:
    more = tuple(choice(Act.EXTEND_DEADMAN, name) for name in (WWW, API))
    source = PlayedSource(view(*more))
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("e", "down")
        await settle(pilot)
        assert f"what extend-deadman does to [red]{API}" in text_of(app)
        await pilot.press("enter")
        await settle(pilot)
    assert source.submitted == [DeadmanExtended(time=0, name=API, seconds=EXTENSION)]


@pytest.mark.parametrize(
    "after", [view(PAUSE), ended(), view(RELEASE, link=Link.GONE), view(RESTORE)]
)
async def test_what_lapses_while_it_is_asked_for_cannot_be_confirmed(
    after: View, tmp_path: Path
) -> None:
    source = PlayedSource(view(RELEASE))
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("d", *"www.example.com")
        await show(pilot, source, after)
        assert LAPSED in text_of(app)
        await pilot.press("enter")
        field = app.screen.query_one(Input)  # Enter may have been under way already
        field.post_message(Input.Submitted(field, field.value))
        await show(pilot, source, view(RELEASE))  # the next moment is another question
        await pilot.press("enter")
        await settle(pilot)
        assert app.screen.has_class("-lapsed")
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.screen, RunScreen)
    assert source.submitted == []


async def test_of_several_names_those_that_lapse_cannot_be_typed(tmp_path: Path) -> None:
    both = tuple(choice(Act.CONFIRM_RELEASE, name) for name in (WWW, API))
    source = PlayedSource(view(*both))
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("d")
        await show(pilot, source, view(both[0]))
        assert "api.example.com" not in text_of(app)[text_of(app).index("Type the") :]
        await pilot.press(*"api.example.com", "enter")
        await settle(pilot)
        assert isinstance(app.screen, AskName)
        assert '"api.example.com" is not the name' in text_of(app)
    assert source.submitted == []


async def test_a_question_shows_the_newest_words(tmp_path: Path) -> None:
    source = PlayedSource(view(RELEASE))
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("d")
        await show(pilot, source, view(replace(RELEASE, effect="deleted up to 3 s sooner")))
        assert "deleted up to 3 s sooner" in text_of(app)


@pytest.mark.parametrize("key", ["y", "enter"])
async def test_a_rescue_that_lapsed_cannot_be_confirmed(key: str, tmp_path: Path) -> None:
    source = PlayedSource(view(RESTORE))
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("b")
        await show(pilot, source, view(ABORT))
        assert isinstance(app.screen, Confirm)
        assert LAPSED in text_of(app)
        await show(pilot, source, view(replace(RESTORE, effect="another moment's restore")))
        await pilot.click("#yes")
        await pilot.press(key)
        await settle(pilot)
        assert isinstance(app.screen, Confirm if key == "y" else RunScreen)
    assert source.submitted == []


async def test_an_answer_to_what_lapsed_just_before_is_not_handed_on(tmp_path: Path) -> None:
    source = PlayedSource(view(RELEASE))
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await pilot.press("d")
        await settle(pilot)
        dialog = app.screen
        assert isinstance(dialog, AskName)
        screen.show(view(PAUSE))
        dialog.close(RELEASE)
        await settle(pilot)
        assert notices(app) == ["No longer possible: the run has moved on."]
    assert source.submitted == []


async def test_a_name_that_lapsed_cannot_be_picked(tmp_path: Path) -> None:
    both = (EXTEND, choice(Act.EXTEND_DEADMAN, API))
    source = PlayedSource(view(*both))
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("e")
        await show(pilot, source, view(both[1]))
        assert [option.disabled for option in app.screen.query_one(OptionList).options] == [
            True,
            False,
        ]
        await pilot.click("OptionList", offset=(2, 0))
        await settle(pilot)
        assert isinstance(app.screen, PickName)
        await show(pilot, source, view())
        assert LAPSED in text_of(app)
    assert source.submitted == []


@pytest.mark.parametrize("size", [(80, 24), (60, 15), (120, 40)])
async def test_the_field_for_the_name_is_on_the_screen_at_every_size(
    size: tuple[int, int], tmp_path: Path
) -> None:
    long = replace(RELEASE, effect="it is deleted. " * 20, unchanged="all " * 40)
    app = application(PlayedSource(view(long)), tmp_path)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("d", *"www.example.com")
        await settle(pilot)
        assert "www.example.com" in text_of(app).partition("Type the record")[2].partition("\n")[2]
