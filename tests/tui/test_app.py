"""What the operator requests reaches the source, and how the screen is left."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.tui import scenes
from tests.tui.acting import (
    ABORT,
    CONFIRM,
    EXTEND,
    GO_ON,
    PAUSE,
    RELEASE,
    RESTORE,
    RESULT,
    WWW,
    HeardApp,
    PlayedSource,
    ended,
    notices,
    record,
    replayed,
    settle,
    show,
    text_of,
    view,
)
from textual.widgets import OptionList

from route53_takeover.base.errors import TakeoverError
from route53_takeover.core.status.choices import Act
from route53_takeover.core.takeover.events import (
    AbortAsked,
    DeadmanExtended,
    HoldCut,
    ReleaseConfirmed,
    RestoreAsked,
    RunPaused,
    RunUnpaused,
)
from route53_takeover.core.timing import EXTENSION
from route53_takeover.process.protocol import ExitInfo, Link, Resume, View
from route53_takeover.tui.copying import CopyList
from route53_takeover.tui.dialogs import AskName, Notice
from route53_takeover.tui.key_bar import KeyBar, KeyHint
from route53_takeover.tui.keys import ACTIONS
from route53_takeover.tui.palette import Commands, Palette
from route53_takeover.tui.run_layout import RunView
from route53_takeover.tui.run_screen import RunScreen
from route53_takeover.tui.state_colour import title_of

if TYPE_CHECKING:
    from pathlib import Path

    from route53_takeover.core.status.choices import Choice
    from route53_takeover.process.protocol import Request

NAME = ("www.example.com", "enter")


def application(source: PlayedSource, tmp_path: Path) -> HeardApp:
    return HeardApp(source=source, preferences=tmp_path / "preferences.json")


@pytest.mark.parametrize(
    ("offered", "keys", "request_"),
    [
        (PAUSE, ("p",), RunPaused(time=0)),
        (GO_ON, ("p",), RunUnpaused(time=0)),
        (CONFIRM, ("d", *NAME), ReleaseConfirmed(time=0, name=WWW)),
        (RELEASE, ("d", *NAME), HoldCut(time=0, name=WWW)),
        (EXTEND, ("e", "enter"), DeadmanExtended(time=0, name=WWW, seconds=EXTENSION)),
        (RESTORE, ("b", "enter"), RestoreAsked(time=0)),
        (ABORT, ("x", "enter"), AbortAsked(time=0)),
        (ABORT, ("ctrl+c", "enter"), AbortAsked(time=0)),
    ],
)
async def test_a_key_asks_the_source_for_what_applies(
    offered: Choice, keys: tuple[str, ...], request_: Request, tmp_path: Path
) -> None:
    source = PlayedSource(view(offered))
    async with application(source, tmp_path).run_test() as pilot:
        await settle(pilot)
        for key in keys:
            await pilot.press(*(key if "." in key else [key]))
        await settle(pilot)
    assert source.submitted == [request_]


@pytest.mark.parametrize(
    "key", ["p", "d", "e", "b", "x", "r", "R", "enter", "space", "s", "[", ">"]
)
async def test_a_key_that_does_not_apply_does_nothing_but_says_why(
    key: str, tmp_path: Path
) -> None:
    source = PlayedSource(view())
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press(key)
        await settle(pilot)
        # a key of another screen is not bound here at all
        assert len(notices(app)) == (0 if key == "s" else 1)
        assert isinstance(app.screen, RunScreen)
    assert source.submitted == []


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        (ended(), "The run has ended."),
        (replayed(), "This is a replay"),
        (view(PAUSE, link=Link.GONE), "r resumes the run"),
        (
            replace(view(link=Link.GONE, rehearsal="alias"), resumable=False),
            "simulated account with it",
        ),
    ],
)
async def test_no_request_is_sent_to_a_run_without_a_process(
    shown: View, reason: str, tmp_path: Path
) -> None:
    source = PlayedSource(shown)
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("p")
        await settle(pilot)
        assert reason in notices(app)[-1]
        if "simulated" in reason:
            await pilot.press("r")
            await settle(pilot)
            assert isinstance(app.screen, RunScreen), "there is nothing to resume"
            assert "simulated account with it" in text_of(app)
    assert source.submitted == []


async def test_an_interrupt_after_the_release_says_that_the_run_keeps_guarding(
    tmp_path: Path,
) -> None:
    source = PlayedSource(view(RESTORE))
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("ctrl+c")
        await settle(pilot)
        assert "watches to its end" in notices(app)[-1]
        assert "q leaves the screen" in notices(app)[-1]
        assert isinstance(app.screen, RunScreen)
    assert source.submitted == []


def left_of(shown: View, left: ExitInfo) -> ExitInfo:
    """Also with what tells which run it was, and how far."""
    what = shown.snapshot
    return replace(left, run=what.run, now=what.now, events=what.events)


@pytest.mark.parametrize(
    ("shown", "left"),
    [
        (view(PAUSE), ExitInfo(detached=True)),
        (view(link=Link.STALE), ExitInfo(detached=True)),
        (view(link=Link.GONE), ExitInfo(gone=True)),
        (ended(), ExitInfo(result=RESULT)),
        (ended(Link.LIVE), ExitInfo(result=RESULT)),
        (replayed(), ExitInfo()),
    ],
)
async def test_leaving_says_whether_the_run_continues(
    shown: View, left: ExitInfo, tmp_path: Path
) -> None:
    app = application(PlayedSource(shown), tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("q")
    assert app.return_value == left_of(shown, left)


@pytest.mark.parametrize("refused", [True, False])
async def test_what_was_asked_for_is_handed_over_before_the_screen_is_left(
    refused: bool, tmp_path: Path
) -> None:
    source = PlayedSource(view(PAUSE))
    source.may_answer.clear()
    source.refusal = TakeoverError("refused") if refused else None
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("p", "q")
        await settle(pilot)
        assert app.is_running
        source.may_answer.set()
        await settle(pilot)
        assert (app.return_value is None) is refused
        if refused:
            assert isinstance(app.screen, Notice)
            await pilot.press("enter", "q")
    assert source.submitted == ([] if refused else [RunPaused(time=0)])
    assert app.return_value == left_of(view(PAUSE), ExitInfo(detached=True))


async def test_who_cannot_wait_for_an_answer_leaves_once_more(tmp_path: Path) -> None:
    source = PlayedSource(view(PAUSE))
    source.may_answer.clear()
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("p", "q", "q")
        await settle(pilot)
    assert app.return_value == left_of(view(PAUSE), ExitInfo(detached=True))


async def test_a_run_that_has_ended_stays_on_the_screen_until_enter(tmp_path: Path) -> None:
    app = application(PlayedSource(view(), ended()), tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        assert isinstance(app.screen, RunScreen)
        await pilot.press("enter")
    assert app.return_value == left_of(ended(), ExitInfo(result=RESULT))


@pytest.mark.parametrize(
    ("key", "asked"), [("y", [Resume()]), ("enter", [Resume()]), ("n", []), ("escape", [])]
)
@pytest.mark.parametrize("opener", ["r", "R", "enter"])
async def test_a_run_whose_process_is_gone_is_resumed_on_a_yes(
    opener: str, key: str, asked: list[Request], tmp_path: Path
) -> None:
    source = PlayedSource(view(link=Link.GONE))
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        assert " PROCESS DIED " in text_of(app)
        await pilot.press(opener, key)
        await settle(pilot)
    assert source.submitted == asked


async def test_a_refused_request_is_shown_with_its_hint(tmp_path: Path) -> None:
    source = PlayedSource(view(PAUSE))
    source.refusal = TakeoverError("the socket [red]is gone\x1b[2J", "Attach to it again.")
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("p")
        await settle(pilot)
        assert isinstance(app.screen, Notice)
        shown = text_of(app)
        assert "the socket [red]is gone\\u001b[2J" in shown
        assert "Attach to it again." in shown
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, RunScreen)


async def test_a_source_that_fails_ends_the_screen_with_its_error(tmp_path: Path) -> None:
    error = TakeoverError("the journal is damaged")
    source = PlayedSource(view())
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        source.queue.put_nowait(error)
        await settle(pilot)
    assert app.return_value == left_of(view(), ExitInfo(error=error, detached=True))


async def test_a_mistake_of_ours_is_raised_and_prints_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = PlayedSource(view())
    source.queue.put_nowait(ZeroDivisionError("secret"))
    app = application(source, tmp_path)
    with pytest.raises(ZeroDivisionError):
        await app.run_async(headless=True)
    reported = capsys.readouterr()
    assert "secret" not in reported.out + reported.err


class CountingApp(HeardApp):
    """Counts the drawings."""

    SHORTEST_FRAME = 0.05

    def __init__(self, source: PlayedSource, preferences: Path) -> None:
        super().__init__(source=source, preferences=preferences)
        self.drawn: list[int] = []

    def _draw(self) -> None:
        super()._draw()
        assert self._newest is not None
        self.drawn.append(self._newest.snapshot.events)


async def test_a_burst_of_views_is_drawn_once_and_its_last_one_is_shown(tmp_path: Path) -> None:
    source = PlayedSource()
    app = CountingApp(source, tmp_path / "preferences.json")
    async with app.run_test() as pilot:
        await settle(pilot)
        await show(pilot, source, *(view(events=number) for number in range(1000)))
        while app.drawn[-1:] != [999]:
            await pilot.pause(0.01)
        assert len(app.drawn) <= 2
        run_view = app.screen.query_one(RunView).view
        assert run_view is not None
        assert run_view.snapshot.events == 999


async def test_views_that_never_stop_coming_are_drawn_at_a_steady_pace(tmp_path: Path) -> None:
    source = PlayedSource()
    app = CountingApp(source, tmp_path / "preferences.json")
    async with app.run_test() as pilot:
        await settle(pilot)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(1000):
            source.queue.put_nowait(view(events=number))
            await asyncio.sleep(0)
        while app.drawn[-1:] != [999]:
            await pilot.pause(0.01)
        assert len(app.drawn) <= (loop.time() - began) / app.SHORTEST_FRAME + 2


async def test_the_operator_is_notified_once_for_each_action_needed(tmp_path: Path) -> None:
    source = PlayedSource(view())
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        assert app.bells == 0
        await show(pilot, source, view(needs_person="log in again"))
        await show(pilot, source, view(needs_person="log in again", events=11))
        assert app.bells == 1
        assert "log in again" in text_of(app)
        await show(pilot, source, view())
        await show(pilot, source, view(needs_person="log in again"))
        assert app.bells == 2
        ending = replace(ended().snapshot, needs_person="restore it now")
        await show(pilot, source, View(snapshot=ending, link=Link.ENDED))
        assert app.bells == 3
        await show(pilot, source, view(link=Link.REPLAY, needs_person="log in again"))
        assert app.bells == 3


async def test_a_release_that_waits_for_a_key_is_unmistakable(tmp_path: Path) -> None:
    source = PlayedSource(view())
    app = application(source, tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await show(pilot, source, view(CONFIRM))
        assert app.bells == 0
        assert "press d to delete the old record of www.example.com now" in text_of(app)
        for events in (11, 12):
            now = view(CONFIRM, needs_person="say whether", events=events)
            await show(pilot, source, now)
        assert app.bells == 1
        assert text_of(app).count(" YOUR TURN ") == 2, "in the header and in the hero's border"
        assert "press d to delete the old record of www.example.com now" in text_of(app)
        title = "🟠 YOUR TURN · www.example.com CNAME and 1 more"
        assert app.written[-1] == f"\x1b]2;{title}\x07"
        assert app.written.count(app.written[-1]) == 1


@pytest.mark.parametrize("key", ["enter", "escape", "y", "n"])
async def test_a_release_is_not_confirmed_by_default(key: str, tmp_path: Path) -> None:
    source = PlayedSource(view(CONFIRM))
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("d")
        await settle(pilot)
        assert isinstance(app.screen, AskName)
        assert "Delete the old record: www.example.com" in text_of(app)
        await pilot.press(key)
        await settle(pilot)
    assert source.submitted == []


async def test_the_title_shows_no_control_characters_and_is_given_back(tmp_path: Path) -> None:
    evil = (record("www\x07\x1b]0;evil"),)
    app = application(PlayedSource(view(records=evil)), tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        assert app.written[-1].endswith("· www\\u0007\\u001b]0;evil CNAME\x07")
        await pilot.press("q")
    assert app.written[0] == "\x1b[22;2t"
    assert app.written[-1] == "\x1b]2;route53-takeover\x07\x1b[23;2t"


async def test_the_palette_offers_only_what_applies_now(tmp_path: Path) -> None:
    source = PlayedSource(view(ABORT))
    app = application(source, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        offered = [hit.text async for hit in Commands(app.screen).discover()]
        assert "Abort" in offered
        assert not {"Pause", "Put back", "Play", "Start", "Yes", "Resume"} & set(offered)
        assert [hit.text async for hit in Commands(app.screen).search("pause")] == []
        await pilot.press("ctrl+p")
        await settle(pilot)
        assert _is_searching(app)
        await pilot.press(*"abort")
        while not app.screen.query_one(OptionList).options:
            await pilot.pause()
        await pilot.press("enter")
        while _is_searching(app):
            await pilot.pause()
        await settle(pilot)
        await pilot.press(*"www.example.com", "enter")
        await settle(pilot)
    assert source.submitted == [AbortAsked(time=0)]


async def test_the_footer_shows_what_applies_first_and_5_to_7_keys(tmp_path: Path) -> None:
    source = PlayedSource(view(PAUSE, ABORT))
    app = application(source, tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for shown, first in (
            (view(PAUSE, ABORT), ["Pause", "Abort"]),
            (view(CONFIRM, PAUSE, ABORT), ["DELETE", "Pause", "Abort"]),
            (view(RESTORE, EXTEND), ["Put back", "More time"]),
            (ended(), ["Leave"]),
            (replayed(), ["Play"]),
            (view(link=Link.GONE), ["Resume"]),
        ):
            await show(pilot, source, shown)
            labels = [hint.hint.label for hint in app.screen.query(KeyHint)]
            assert labels[: len(first)] == first
            assert 5 <= len(labels) <= 7
            assert app.screen.query_one(KeyBar).virtual_size.width <= 80


async def test_the_mouse_can_press_a_key_of_the_footer(tmp_path: Path) -> None:
    source = PlayedSource(view(PAUSE))
    async with application(source, tmp_path).run_test() as pilot:
        await settle(pilot)
        await pilot.click(KeyHint)
        await settle(pilot)
    assert source.submitted == [RunPaused(time=0)]


async def test_what_is_copied_is_shown_and_has_no_control_characters(tmp_path: Path) -> None:
    app = application(PlayedSource(view()), tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("y")
        await settle(pilot)
        assert isinstance(app.screen, CopyList)
        await pilot.press("enter")
        await settle(pilot)
        assert app.clipboard == "dig @ns1 www.example.com"
        await pilot.press("down", "enter")
        await settle(pilot)
        assert app.clipboard == "C123[bold]\\n"
        assert text_of(app).count("C123[bold]\\n") == 2
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.screen, RunScreen)


async def test_text_can_be_selected_and_copied(tmp_path: Path) -> None:
    source = PlayedSource(view(ABORT))
    app = application(source, tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for key in ("y", "ctrl+c"):
            await pilot.mouse_down(offset=(0, 0))
            await pilot.hover(offset=(30, 1))
            await pilot.mouse_up(offset=(30, 1))
            await pilot.press(key)
            await settle(pilot)
            assert "www.example.com" in app.clipboard
            assert isinstance(app.screen, RunScreen)
            app.copy_to_clipboard("")


async def test_a_picture_of_the_screen_is_saved_and_said_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = application(PlayedSource(view()), tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("ctrl+s")
        await settle(pilot)
        said = notices(app)[-1]
    assert _picture(tmp_path) in said


def _is_searching(app: HeardApp) -> bool:
    return any(isinstance(screen, Palette) for screen in app.screen_stack)


def _picture(folder: Path) -> str:
    """The name of the picture in it."""
    (saved,) = folder.glob("*.svg")
    assert "<svg" in saved.read_text()
    return saved.name


async def test_a_picture_that_cannot_be_saved_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    app = application(PlayedSource(view()), tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert "cannot be saved" in notices(app)[-1]


async def test_a_terminal_that_is_too_small_shows_the_essential_line(tmp_path: Path) -> None:
    source = PlayedSource(view(rehearsal="plain-a"))
    app = application(source, tmp_path)
    async with app.run_test(size=(50, 12)) as pilot:
        await settle(pilot)
        shown = text_of(app)
        assert "REHEARSAL DEPLOY WITH SWITCH ON: watching the" in shown
        assert "60x15 is needed" in shown
        assert not app.screen.query_one(RunView).region
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert "60x15 is needed" not in text_of(app)
        assert app.screen.query_one(RunView).region


async def test_the_panes_have_keys(tmp_path: Path) -> None:
    app = application(PlayedSource(view()), tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        run_view = app.screen.query_one(RunView)
        seen = []
        for key in ("2", "3", "4", "1", "tab"):
            await pilot.press(key)
            seen.append(str(run_view.pane))
        assert seen == ["servers", "deploy", "news", "tree", "servers"]


async def test_no_colour_is_left_where_it_is_not_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = application(PlayedSource(view(PAUSE, needs_person="look")), tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        styles = [s.style for strip in app.screen._compositor.render_strips() for s in strip]
        colours = {c.triplet for s in styles if s for c in (s.color, s.bgcolor) if c and c.triplet}
    assert len(colours) > 1
    assert all(colour.red == colour.green == colour.blue for colour in colours)


_SCENES = ("drain", "confirm", "guard", "done", "stale", "paused", "unconfirmed", "gone", "replay")
"""Places in which something else may be asked for."""


def _possible(view: View) -> set[Act]:
    """A silent run can only be asked to restore: it does that whenever it runs again."""
    acts = {choice.act for choice in view.snapshot.choices}
    return {Link.LIVE: acts, Link.STALE: acts & {Act.RESTORE}}.get(view.link, set())


async def test_what_applies_in_a_recorded_run_is_in_the_footer_and_opens(
    tmp_path: Path,
) -> None:
    source = PlayedSource()
    app = application(source, tmp_path)
    asked = set()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for name in _SCENES:
            shown = scenes.view(name)
            await show(pilot, source, shown)
            hints = [hint.hint.action for hint in app.screen.query(KeyHint)]
            assert 5 <= len(hints) <= 7
            assert app.written[-1] == f"\x1b]2;{title_of(shown)}\x07"
            for action in (action for action in ACTIONS if action.acts):
                offered = _possible(shown).intersection(action.acts)
                assert (action.id in hints) is bool(offered), (name, action.id)
                app.clear_notifications()
                source.submitted.clear()
                await pilot.press(action.keys)
                await settle(pilot)
                has_dialog = not isinstance(app.screen, RunScreen)
                assert (has_dialog or bool(source.submitted)) is bool(offered)
                assert bool(notices(app)) is not bool(offered)
                asked |= offered
                await pilot.press("escape")
                await settle(pilot)
    assert asked == set(Act) - {Act.RELEASE_NOW}  # its place is in no scene
