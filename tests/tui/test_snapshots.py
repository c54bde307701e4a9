"""Pictures of every phase and every failure, from recorded journals: one of each scene.

The other sizes and palettes are checked as text, in `tests/tui/test_scenes.py`.

After a change that is meant: `pytest tests/tui/test_snapshots.py --snapshot-update`, then look at
the pictures that changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec import Struct
from pytest_textual_snapshot import SVGImageExtension  # type: ignore[import-untyped]  # has none
from tests.tui import scenes, switch_scenes
from tests.tui.acting import HeardApp, PlayedSource, settle

from route53_takeover.tui import run_layout, themes

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

SMALL, MEDIUM, LARGE = (80, 24), (120, 40), (160, 48)


class Shot(Struct, frozen=True, kw_only=True):
    """How the picture of a scene is taken."""

    size: tuple[int, int] = MEDIUM
    palette: str = themes.DARK.name
    has_colour: bool = True


USUAL = Shot()
SHOTS = {
    "drain": Shot(size=SMALL),
    "deploy-on": Shot(size=LARGE),
    "watch": Shot(palette=themes.LIGHT.name),
    "guard": Shot(size=LARGE, palette=themes.LIGHT.name),
    "done": Shot(size=LARGE),
    "restored": Shot(size=SMALL),
    "failed-at-once": Shot(size=SMALL, palette=themes.LIGHT.name),
    "unknown": Shot(has_colour=False),
    "gone": Shot(size=SMALL, has_colour=False),
    "credentials-expired": Shot(size=LARGE, has_colour=False),
    "unconfirmed": Shot(size=SMALL),
    "replay": Shot(size=LARGE),
    "switch-mixed": Shot(size=SMALL),
    "switch-bake": USUAL,
    "switch-done": Shot(size=LARGE, has_colour=False),
}
"""The scenes whose picture is not of the usual size and colours."""


def test_each_size_and_palette_is_in_a_picture() -> None:
    assert SHOTS.keys() < scenes.SCENES.keys() | switch_scenes.SCENES.keys()
    shots = [SHOTS.get(name, USUAL) for name in scenes.SCENES]
    assert {(shot.size, shot.palette) for shot in shots if shot.has_colour} == {
        (size, palette.name) for size in (SMALL, MEDIUM, LARGE) for palette in themes.THEMES
    }
    assert {shot.size for shot in shots if not shot.has_colour} == {SMALL, MEDIUM, LARGE}


_OF_SWITCHES = [name for name in switch_scenes.SCENES if name in SHOTS]
"""The other scenes of a switch are checked as text only."""


@pytest.mark.parametrize("name", [*scenes.SCENES, *_OF_SWITCHES])
async def test_every_scene_looks_as_it_did(
    name: str, tmp_path: Path, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    shot = SHOTS.get(name, USUAL)
    monkeypatch.setattr(run_layout, "_loop_time", lambda: 0.0)
    if not shot.has_colour:
        monkeypatch.setenv("NO_COLOR", "1")
    view = scenes.view(name) if name in scenes.SCENES else switch_scenes.view(name)
    app = HeardApp(source=PlayedSource(view), preferences=tmp_path / "preferences")
    async with app.run_test(size=shot.size) as pilot:
        app.theme = shot.palette
        await settle(pilot)
        picture = app.export_screenshot(title=name, simplify=True)
    assert picture == snapshot(extension_class=SVGImageExtension)
