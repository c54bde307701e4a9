"""Pictures of every phase and every failure, from recorded journals: sizes, colours and none.

After a change that is meant: `pytest tests/tui/test_snapshots.py --snapshot-update`, then look at
the pictures that changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pytest_textual_snapshot import SVGImageExtension  # type: ignore[import-untyped]  # has none
from tests.tui import scenes
from tests.tui.acting import HeardApp, PlayedSource, settle

from route53_takeover.tui import run_view, themes

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

SIZES = (80, 24), (120, 40), (160, 48)


@pytest.fixture(autouse=True)
def _time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_view, "_loop_time", lambda: 0.0)


async def _changed(name: str, preferences: Path, snapshot: SnapshotAssertion) -> list[str]:
    """Which pictures of the scene are not as they were; one application draws them all."""
    source = PlayedSource()
    app = HeardApp(source=source, preferences=preferences)
    palettes = (themes.DARK,) if app.no_color else (themes.DARK, themes.LIGHT)
    changed = []
    async with app.run_test(size=SIZES[0]) as pilot:
        source.queue.put_nowait(scenes.view(name))
        await settle(pilot)
        for palette in palettes:
            app.theme = palette.name
            for width, height in SIZES:
                await pilot.resize_terminal(width, height)
                await settle(pilot)
                picture = app.export_screenshot(title=name, simplify=True)
                key = f"{width}x{height}-{palette.name}"
                if picture != snapshot(name=key, extension_class=SVGImageExtension):
                    changed.append(key)
    return changed


@pytest.mark.parametrize("name", scenes.SCENES)
async def test_every_scene_looks_as_it_did(
    name: str, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    assert not await _changed(name, tmp_path / "preferences", snapshot)


@pytest.mark.parametrize("name", scenes.SCENES)
async def test_every_scene_looks_as_it_did_without_colour(
    name: str, tmp_path: Path, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert not await _changed(name, tmp_path / "preferences", snapshot)
