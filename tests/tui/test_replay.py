"""A finished run is replayed: played, stepped through and scrubbed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.tui.acting import HeardApp, PlayedSource, replayed, settle, show, text_of, view

from route53_takeover.process.protocol import Play, Seek, StepBy
from route53_takeover.tui.replay import ReplayBar

if TYPE_CHECKING:
    from pathlib import Path

    from route53_takeover.process.protocol import Request, View


def application(source: PlayedSource, tmp_path: Path) -> HeardApp:
    return HeardApp(source=source, preferences=tmp_path / "preferences.json")


@pytest.mark.parametrize(
    ("shown", "key", "asked"),
    [
        (replayed(), "space", Play(speed=1)),
        (replayed(speed=5), "space", Play(speed=0)),
        (replayed(), "left_square_bracket", StepBy(events=-1)),
        (replayed(), "right_square_bracket", StepBy(events=1)),
        (replayed(), "left", StepBy(events=-1)),
        (replayed(), "right", StepBy(events=1)),
        (replayed(), "{", StepBy(events=-10)),
        (replayed(), "}", StepBy(events=10)),
        (replayed(), "<", Seek(position=1)),
        (replayed(), ">", Seek(position=100)),
        (replayed(), "plus", Play(speed=1)),
        (replayed(speed=1), "plus", Play(speed=2)),
        (replayed(speed=300), "plus", Play(speed=300)),
        (replayed(speed=2), "minus", Play(speed=1)),
        (replayed(speed=1), "minus", Play(speed=0)),
    ],
)
async def test_a_key_moves_the_replay(
    shown: View, key: str, asked: Request, tmp_path: Path
) -> None:
    source = PlayedSource(shown)
    async with application(source, tmp_path).run_test() as pilot:
        await settle(pilot)
        await pilot.press(key)
        await settle(pilot)
    assert source.submitted == [asked]


async def test_it_continues_at_the_speed_at_which_it_was_stopped(tmp_path: Path) -> None:
    source = PlayedSource(replayed(speed=30))
    async with application(source, tmp_path).run_test() as pilot:
        await settle(pilot)
        await show(pilot, source, replayed())
        await pilot.press("space")
        await settle(pilot)
    assert source.submitted == [Play(speed=30)]


async def test_the_bar_shows_where_it_is_and_the_mouse_seeks(tmp_path: Path) -> None:
    source = PlayedSource(replayed(speed=10))
    app = application(source, tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "REPLAY ▶ 10x" in text_of(app)
        assert "50/100" in text_of(app)
        line = next(line for line in text_of(app).splitlines() if "REPLAY ▶" in line)
        await pilot.click(ReplayBar, offset=(line.index("[") + 1, 0))
        await pilot.click(ReplayBar, offset=(line.index("]") - 1, 0))
        await pilot.click(ReplayBar, offset=(line.index(">"), 0))
        await settle(pilot)
    first, last, here = source.submitted
    assert isinstance(first, Seek)
    assert first.position <= 3
    assert last == Seek(position=100)
    assert here == Seek(position=50)


async def test_a_live_run_has_no_bar(tmp_path: Path) -> None:
    app = application(PlayedSource(view()), tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        assert not app.screen.query_one(ReplayBar).display
