"""All keys come from one list: bound, documented, and changed by their ids."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.tui.acting import ABORT, PAUSE, HeardApp, PlayedSource, notices, settle, text_of, view
from textual.binding import Binding

from route53_takeover.core.status.choices import CONFIRMATIONS, Act, Confirmation
from route53_takeover.tui.base_screen import BaseScreen
from route53_takeover.tui.dialogs import Dialog
from route53_takeover.tui.help import Help
from route53_takeover.tui.key_bar import LEAST, MOST, Hint, fitting
from route53_takeover.tui.keys import ACTIONS, BY_ID, Where, clashes, split
from route53_takeover.tui.plan_screen import PlanScreen
from route53_takeover.tui.run_screen import PANES, RunScreen

if TYPE_CHECKING:
    from pathlib import Path


def test_every_action_is_bound_once_with_an_id_and_a_sentence() -> None:
    assert len(BY_ID) == len(ACTIONS)
    for action in ACTIONS:
        assert action.label
        assert action.tooltip[0].isupper()
    bound = {
        binding.id: binding
        for kind in (RunScreen, PlanScreen, BaseScreen, Dialog)
        for binding in kind.BINDINGS
        if isinstance(binding, Binding)
    }
    assert set(bound) == set(BY_ID)
    for name, binding in bound.items():
        assert name is not None
        assert binding.key == BY_ID[name].keys
        assert binding.tooltip == BY_ID[name].tooltip


def test_every_act_has_a_key() -> None:
    assert {act for action in ACTIONS for act in action.acts} == set(Act)
    assert all(action.otherwise for action in ACTIONS if action.acts)


def test_every_pane_has_a_key() -> None:
    assert list(PANES) == [name for name in BY_ID if name.startswith("pane-")]


def test_no_two_actions_of_a_screen_have_the_same_key() -> None:
    assert clashes({name: action.keys for name, action in BY_ID.items()}) == ()


def test_no_slip_of_the_shift_key_does_another_thing() -> None:
    """A letter and its capital never belong to two actions that one screen has."""
    owners: dict[str, set[str]] = {}
    for action in ACTIONS:
        for key in split(action.keys):
            if len(key) == 1 and key.isalpha():
                owners.setdefault(key.lower(), set()).add(action.id)
    assert {key: ids for key, ids in owners.items() if len(ids) > 1} == {"y": {"copy", "yes"}}
    assert not {"g", "r"} & {split(BY_ID["release"].keys)[0]}, "what r did is not done by r"


def test_what_a_key_asks_follows_from_what_it_does() -> None:
    asked = {act: CONFIRMATIONS[act] for act in Act}
    assert {act for act, how in asked.items() if how is Confirmation.NAME} == {
        Act.RELEASE_NOW,
        Act.CONFIRM_RELEASE,
    }
    assert asked[Act.RESTORE] is asked[Act.EXTEND_DEADMAN] is Confirmation.ENTER


def test_every_footer_names_actions_that_exist() -> None:
    for kind in (RunScreen, PlanScreen, BaseScreen):
        places = {Where.ALWAYS, *kind.PLACES}
        assert all(BY_ID[name].where in places for name in kind.FIRST)


def test_a_footer_has_5_to_7_keys_as_room_allows() -> None:
    hints = tuple(Hint(action="x", key="k", label="l" * 12, tooltip="") for _ in range(9))
    assert len(fitting(hints, 200)) == MOST
    assert len(fitting(hints, 40)) == LEAST


async def test_the_help_lists_every_action_with_its_keys(tmp_path: Path) -> None:
    app = HeardApp(source=PlayedSource(view()), preferences=tmp_path / "p.json")
    async with app.run_test(size=(120, 80)) as pilot:
        await settle(pilot)
        bound = {b.binding.id for b in app.screen.active_bindings.values()}
        await pilot.press("?")
        await settle(pilot)
        assert isinstance(app.screen, Help)
        shown = text_of(app)
        for action in ACTIONS:
            assert f"[{action.id}]" in shown
            if action.where in (Where.RUN, Where.REPLAY, Where.ALWAYS):
                assert action.id in bound
        assert str(tmp_path) in shown.replace("\n", "")
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.screen, RunScreen)


async def test_a_changed_key_works_and_stands_in_help_and_footer(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"keys": {"pause": "f5", "help": "h"}}))
    source = PlayedSource(view(PAUSE, ABORT))
    app = HeardApp(source=source, preferences=path)
    async with app.run_test(size=(120, 80)) as pilot:
        await settle(pilot)
        assert "f5 Pause" in text_of(app)
        await pilot.press("p")
        await settle(pilot)
        assert source.submitted == []
        await pilot.press("f5")
        await settle(pilot)
        assert len(source.submitted) == 1
        await pilot.press("h")
        await settle(pilot)
        assert isinstance(app.screen, Help)
        line = next(line for line in text_of(app).splitlines() if "[pause]" in line)
        assert "f5 " in line


@pytest.mark.parametrize(
    ("keys", "reported"),
    [
        ({"pause": "x"}, "The key of pause is not changed"),
        ({"pause": "q", "leave": "q"}, "is not changed"),
        ({"pause": ""}, "The key of pause is not changed"),
        ({"fly": "f"}, "no action fly"),
    ],
)
async def test_a_key_that_another_action_has_is_not_taken(
    keys: dict[str, str], reported: str, tmp_path: Path
) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"keys": keys}))
    source = PlayedSource(view(PAUSE, ABORT))
    app = HeardApp(source=source, preferences=path)
    async with app.run_test() as pilot:
        await settle(pilot)
        assert reported in notices(app)[0]
        await pilot.press("p")
        await settle(pilot)
        assert len(source.submitted) == 1


def test_two_actions_may_change_places() -> None:
    assert clashes({"pause": "x", "abort": "p"}) == ()
