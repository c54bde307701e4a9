"""What the screen asks the terminal to notify of: what is new, each thing once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from tests.tui import scenes
from tests.tui.acting import HeardApp, PlayedSource, settle, show, view

from route53_takeover.process.protocol import Link
from route53_takeover.tui.desktop_news import DesktopNews

if TYPE_CHECKING:
    from pathlib import Path

    from route53_takeover.process.protocol import View

PLAIN = "<{text}>"


def told(*views: View, sequence: str = PLAIN, asked: bool = False) -> list[str]:
    news = DesktopNews(sequence, asked=asked)
    return [text for each in views for text in news.sequences(each)]


def rehearsed(one: View) -> View:
    return replace(one, snapshot=replace(one.snapshot, rehearsal="alias"))


def test_the_beginning_and_the_end_of_a_gap_and_of_the_run_are_told() -> None:
    before, gap = scenes.view("deploy-on"), scenes.view("confirm")
    after, end = scenes.view("guard"), scenes.view("restored")
    texts = told(before, gap, gap, after, after, end, end)
    assert texts[:2] == [
        "<www.example.com has no record>",
        "<www.example.com has a record again>",
    ]
    assert [text.partition(":")[0] for text in texts[2:]] == ["<restored"]


def test_what_stood_when_the_screen_was_opened_and_a_replay_are_no_news() -> None:
    assert told(scenes.view("confirm"), scenes.view("confirm")) == []
    before = replace(scenes.view("deploy-on"), link=Link.REPLAY)
    assert told(before, replace(scenes.view("confirm"), link=Link.REPLAY)) == []


def test_a_process_that_died_in_the_gap_is_told() -> None:
    gap = scenes.view("confirm")
    (text,) = told(gap, replace(gap, link=Link.STALE), replace(gap, link=Link.GONE))
    assert text == "<the process of the run has died, www.example.com has no record>"


def test_a_missing_member_of_a_routed_group_is_told_as_such() -> None:
    (text,) = told(scenes.view("deploy-on"), scenes.view("member-missing"))
    assert "is missing, the name still answers" in text


def test_a_rehearsal_is_told_only_where_that_is_asked_for_and_is_marked() -> None:
    views = [rehearsed(scenes.view(name)) for name in ("deploy-on", "confirm")]
    assert told(*views) == []
    assert told(*views, asked=True) == ["<REHEARSAL www.example.com has no record>"]
    assert told(*views, sequence="", asked=True) == []


async def test_the_screen_writes_what_is_told_to_the_terminal(tmp_path: Path) -> None:
    source = PlayedSource(view())
    app = HeardApp(source=source, preferences=tmp_path / "screen.json")
    app._desktop = DesktopNews(PLAIN)
    async with app.run_test() as pilot:
        await settle(pilot)
        await show(pilot, source, view(needs_person="log in again"))
        await show(pilot, source, view(needs_person="log in again", events=11))
    assert app.written.count("<log in again>") == 1
