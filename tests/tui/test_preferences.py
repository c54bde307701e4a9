"""The theme and the keys are remembered, and a damaged file is never in the way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.tui.acting import HeardApp, PlayedSource, notices, settle, view

from route53_takeover.tui import themes
from route53_takeover.tui.preferences import Preferences, load, remember_theme

if TYPE_CHECKING:
    from pathlib import Path


async def test_the_theme_is_remembered_and_the_keys_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "new" / "preferences.json"
    app = HeardApp(source=PlayedSource(view()), preferences=path)
    async with app.run_test() as pilot:
        await settle(pilot)
        assert app.theme == themes.NAMES[0]
        assert not path.exists()
        await pilot.press("ctrl+t")
        await settle(pilot)
        assert app.theme == themes.NAMES[1]
        assert themes.NAMES[1] in notices(app)[-1]
    path.write_text(json.dumps({**json.loads(path.read_text()), "keys": {"pause": "f5"}}))
    again = HeardApp(source=PlayedSource(view()), preferences=path)
    async with again.run_test() as pilot:
        await settle(pilot)
        assert again.theme == themes.NAMES[1]
        for _ in themes.NAMES[1:]:
            await pilot.press("ctrl+t")
            await settle(pilot)
        assert again.theme == themes.NAMES[0]
    assert json.loads(path.read_text()) == {"theme": themes.NAMES[0], "keys": {"pause": "f5"}}


@pytest.mark.parametrize(
    "text", [b"{", b"[]", b'{"theme": 7}', b'{"keys": {"pause": 1}}', b"\xff\xfe", b""]
)
async def test_a_damaged_file_is_reported_and_the_defaults_are_used(
    text: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "preferences.json"
    path.write_bytes(text)
    app = HeardApp(source=PlayedSource(view()), preferences=path)
    async with app.run_test() as pilot:
        await settle(pilot)
        assert app.theme == themes.NAMES[0]
        assert "cannot be used" in notices(app)[0]


@pytest.mark.parametrize("text", [b"{", b"[]"])
def test_a_damaged_file_is_not_overwritten(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "preferences.json"
    path.write_bytes(text)
    assert "not saved" in remember_theme(path, "takeover-dark")
    assert path.read_bytes() == text
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_its_place_is_reported(tmp_path: Path) -> None:
    found, reported = load(tmp_path, ("takeover-dark",))
    assert found == Preferences()
    assert len(reported) == 1
    assert remember_theme(tmp_path, "takeover-dark")


def test_an_unknown_theme_is_reported_and_the_default_is_used(tmp_path: Path) -> None:
    path = tmp_path / "preferences.json"
    path.write_text('{"theme": "pink", "keys": {"pause": "f5"}}')
    found, reported = load(path, ("takeover-dark",))
    assert found == Preferences(keys={"pause": "f5"})
    assert reported == ("There is no theme pink; the default is used.",)
