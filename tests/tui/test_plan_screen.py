"""A plan is shown as cards before anything is written, and starts on a yes only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.tui.acting import (
    HeardApp,
    PlayedOpening,
    PlayedSource,
    notices,
    proposal,
    settle,
    text_of,
    view,
)

from route53_takeover.base.errors import AccessDeniedError, TakeoverError
from route53_takeover.cli import terminal
from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.plan.comparison import comparison_lines
from route53_takeover.core.plan.model import PlannedRecord, Strategy
from route53_takeover.output.json_lines import plan_object
from route53_takeover.process.protocol import GOOD_FOR, ExitInfo
from route53_takeover.process.spawn import BeginRehearsal
from route53_takeover.storage.config import Common, ConfigFile
from route53_takeover.tui import dialogs, plain
from route53_takeover.tui.card_view import contents_of
from route53_takeover.tui.dialogs import TOO_SOON, Confirm
from route53_takeover.tui.plan_screen import OpeningScreen, PlanScreen, cards_of
from route53_takeover.tui.run_screen import RunScreen

if TYPE_CHECKING:
    from pathlib import Path

    from route53_takeover.process.protocol import Proposal


def application(opening: PlayedOpening, tmp_path: Path) -> HeardApp:
    return HeardApp(opening=opening, preferences=tmp_path / "preferences.json")


def played(**more: TakeoverError) -> PlayedOpening:
    return PlayedOpening(proposal(), PlayedSource(view()), **more)


async def test_what_is_read_is_shown_while_there_is_no_plan(tmp_path: Path) -> None:
    app = application(played(), tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        assert isinstance(app.screen, OpeningScreen)
        shown = text_of(app)
    assert "reading the zone \\u001b[2J" in shown
    assert "reading the stack" in shown


async def test_what_was_read_is_ticked_and_what_counts_on_is_one_line(tmp_path: Path) -> None:
    app = application(played(), tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, OpeningScreen)
        for text in ("warning: old", "reading stacks: 3 of 9", "reading stacks: 9 of 9"):
            screen.tell(text)
        before = text_of(app)
        screen._turn()
        await settle(pilot)
        shown = text_of(app)
    assert "✔ reading the stack" in shown
    assert "! warning: old" in shown
    assert "3 of 9" not in shown
    assert "✔ reading stacks" not in shown
    assert before != shown, "the spinner turns"


async def test_a_plan_names_the_file_that_its_options_are_from_before_the_yes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file in the current folder may name the deploy command, and be another's work."""
    said = "/srv/shop/takeover.toml: --deploy 'rm -r x'"
    path, _, words = said.partition(": ")
    common = Common(state_dir=tmp_path, config=ConfigFile(path=path, options=words))

    class Played:
        async def start(self) -> None: ...

        async def proposal(self, _: object) -> Proposal:
            return proposal()

    monkeypatch.setattr(terminal, "Launch", lambda _: Played())
    order = BeginRehearsal(state_dir="", log_level="info", scenario="", seed=1, speed=None)
    shown = await terminal._Launched(common, order).proposal(lambda _: None)
    assert f"options  from {said}" in screen_lines(shown)
    plain._propose(shown)
    assert f"options  from {said}" in capsys.readouterr().err
    assert "options" not in "".join(screen_lines(proposal()))
    assert shown.run_line.startswith("route53-takeover")


def screen_lines(given: Proposal) -> list[str]:
    """Every line of the cards, as the screen draws them."""
    return [line.plain for card in cards_of(given) for line in contents_of(card.parts, 100)]


def test_screen_and_text_show_the_same_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    given = proposal()
    assert given.plan is not None
    (manual, *_) = given.plan.manuals
    desired = {
        **manual.original.to_api(),
        "TTL": 77,
        "ResourceRecords": [{"Value": "new.example."}],
    }
    desired.pop("AliasTarget", None)
    planned = PlannedRecord(
        name=display_name(manual.key.name),
        type=manual.key.type,
        now=manual.original,
        desired=desired,
        known=True,
        resource="Site/DnsRecord",
        strategy="delete",
    )
    plan = replace(given.plan, records=(planned,))
    shown = replace(given, plan=plan)
    plain._propose(shown)
    reported = [" ".join(line.split()) for line in capsys.readouterr().err.splitlines()]
    stack = given.plan.root.stack_name
    changes = comparison_lines(planned)
    for line in (
        f"≠ owner no stack {stack} (Site/DnsRecord)",
        "≠ value old.example.net. new.example.",
        "≠ TTL 300 s 77 s",
    ):
        assert line in [" ".join(drawn.split()) for drawn in screen_lines(shown)]
        assert line in reported
    assert [line for line in changes if line.startswith("- ")]
    (told_object,) = plan_object(plan, [], "run", None)["records"]
    assert (told_object["changes"], told_object["desired"]) == (changes, desired)


async def test_leaving_while_it_is_read_declines(tmp_path: Path) -> None:
    opening = played()
    app = application(opening, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("q")
        await settle(pilot)
    assert opening.calls == ["decline"]
    assert app.return_value == ExitInfo()


async def test_the_plan_shows_records_warnings_forecast_and_steps(tmp_path: Path) -> None:
    opening = played()
    opening.go_on.set()
    app = application(opening, tmp_path)
    async with app.run_test(size=(80, 60)) as pilot:
        await settle(pilot)
        assert isinstance(app.screen, PlanScreen)
        shown = text_of(app)
    for reported in (
        "take over  www.example.com CNAME old.example.net (TTL 300)",
        "zone     example.com (Z1)",
        "stack    web UPDATE_COMPLETE",
        "account  123456789012",
        "! high [bold]negative TTL",
        "    Lower it: `--negative-ttl 60`",
        "> delete  5 s  0 %        15 s           chosen",
        "not possible: not known [bold]to the letter.",
        "recommended; meanwhile others answer",
        "Use --strategy bridge: 0 s without an answer per user instead of 15 s.",
        "5 s gap: about 2 %",
        " 1. this program    Save every record set",
        "-- from here www.example.com may have no record -",
        "! 1 warning ",
    ):
        assert reported in shown
    assert "REHEARSAL" not in shown


async def test_a_rehearsal_says_so_on_its_plan(tmp_path: Path) -> None:
    opening = PlayedOpening(proposal("plain-a"), PlayedSource())
    opening.go_on.set()
    app = application(opening, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        assert "REHEARSAL of plain-a" in text_of(app)


async def test_a_yes_starts_the_run_and_shows_it(tmp_path: Path) -> None:
    opening = played()
    opening.go_on.set()
    app = application(opening, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("s")
        await settle(pilot)
        assert isinstance(app.screen, Confirm)
        assert "Take over www.example.com?" in text_of(app)
        assert opening.calls == []
        await pilot.press("y")
        await settle(pilot)
        assert opening.calls == ["start"]
        assert isinstance(app.screen, RunScreen)
        await pilot.press("q")
    left = app.return_value
    assert left is not None
    assert (left.run, left.detached) == ("r1", True)
    assert opening.calls == ["start"]


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        (Strategy.DELETE, "is deleted without asking"),
        (Strategy.BRIDGE, "once a"),
        (Strategy.ADOPT, "is adopted"),
        (Strategy.WEIGHTED, "step by step"),
    ],
)
async def test_the_question_says_what_happens_to_the_record(
    strategy: Strategy, words: str, tmp_path: Path
) -> None:
    asked = proposal()
    assert asked.plan is not None
    manuals = tuple(replace(each, strategy=strategy) for each in asked.plan.manuals)
    opening = PlayedOpening(
        replace(asked, plan=replace(asked.plan, manuals=manuals)), PlayedSource()
    )
    opening.go_on.set()
    app = application(opening, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("s")
        await settle(pilot)
        assert words in " ".join(text_of(app).split())


async def test_enter_asks_and_a_second_one_starts_unless_it_comes_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A double press, or Enter typed ahead, is no start."""
    opening = played()
    opening.go_on.set()
    app = application(opening, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        monkeypatch.setattr(dialogs, "_PATIENCE", 1e9)
        await pilot.press("enter", "enter")
        await settle(pilot)
        assert isinstance(app.screen, Confirm)
        assert TOO_SOON in text_of(app)
        assert opening.calls == []
        monkeypatch.setattr(dialogs, "_PATIENCE", 0.0)
        app.screen.query_one("#yes").remove_class("-active")  # Textual's own 0.2 s of a press
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, RunScreen)
    assert opening.calls == ["start"]


async def test_the_start_button_does_what_the_key_does(tmp_path: Path) -> None:
    opening = played()
    opening.go_on.set()
    app = application(opening, tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.click("#start")
        await settle(pilot)
        assert isinstance(app.screen, Confirm)
        await pilot.press("y")
        await settle(pilot)
    assert opening.calls == ["start"]


async def test_a_hint_says_that_there_is_more_until_all_was_shown(tmp_path: Path) -> None:
    opening = played()
    opening.go_on.set()
    app = application(opening, tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "more below" in text_of(app)
        await pilot.press("end")
        app.screen.query_one("#plan").scroll_end(animate=False, immediate=True)
        await settle(pilot)
        assert "more below" not in text_of(app)
        await pilot.resize_terminal(200, 60)
        await settle(pilot)
        assert "more below" not in text_of(app)


async def test_the_line_of_the_run_can_be_copied(tmp_path: Path) -> None:
    given = replace(proposal(), run_line="route53-takeover run --stack web")
    opening = PlayedOpening(given, PlayedSource(view()))
    opening.go_on.set()
    app = application(opening, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("y", "enter")
        await settle(pilot)
        assert app.clipboard == given.run_line


@pytest.mark.parametrize("key", ["escape", "n", "ctrl+c"])
async def test_a_run_is_not_started_without_a_yes(key: str, tmp_path: Path) -> None:
    opening = played()
    opening.go_on.set()
    app = application(opening, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("s", key)
        await settle(pilot)
        assert isinstance(app.screen, PlanScreen)
        await pilot.press("q")
        await settle(pilot)
    assert opening.calls == ["decline"]
    assert app.return_value == ExitInfo()


@pytest.mark.parametrize("asked_before", [True, False])
async def test_an_old_plan_is_not_started(asked_before: bool, tmp_path: Path) -> None:
    opening = played()
    opening.go_on.set()
    app = application(opening, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, PlanScreen)
        if asked_before:
            await pilot.press("s")
        screen._read_at -= GOOD_FOR + 1
        await pilot.press("y" if asked_before else "s")
        await settle(pilot)
        assert app.screen is screen
        assert "start again" in notices(app)[-1]
    assert opening.calls == []


async def test_a_plan_that_cannot_be_read_for_lack_of_room_is_not_started(tmp_path: Path) -> None:
    opening = played()
    opening.go_on.set()
    app = application(opening, tmp_path)
    async with app.run_test(size=(50, 10)) as pilot:
        await settle(pilot)
        await pilot.press("s")
        await settle(pilot)
        assert "too small" in notices(app)[-1]
        assert isinstance(app.screen, PlanScreen)


async def test_an_account_that_cannot_be_read_ends_the_screen_with_the_error(
    tmp_path: Path,
) -> None:
    error = AccessDeniedError("route53:ListHostedZones is not allowed")
    opening = played(error=error)
    opening.go_on.set()
    app = application(opening, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
    assert app.return_value == ExitInfo(error=error)


async def test_a_run_that_cannot_begin_ends_the_screen_with_the_error(tmp_path: Path) -> None:
    error = TakeoverError("another run holds the lock")
    opening = played(start_error=error)
    opening.go_on.set()
    app = application(opening, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("s", "y")
        await settle(pilot)
    assert app.return_value == ExitInfo(error=error)


async def test_while_a_run_is_being_started_it_can_neither_be_left_nor_started_again(
    tmp_path: Path,
) -> None:
    opening = SlowOpening(proposal(), PlayedSource(view()))
    opening.go_on.set()
    app = application(opening, tmp_path)
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("s", "y")
        await settle(pilot)
        opening.go_on.clear()
        for key in ("q", "s"):
            app.clear_notifications()
            await pilot.press(key)
            await settle(pilot)
            assert notices(app) == ["The run is starting."]
        assert opening.calls == ["start"]
        opening.may_start.set()
        await settle(pilot)
        assert isinstance(app.screen, RunScreen)


class SlowOpening(PlayedOpening):
    """Starts when the test lets it."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]  # passed on as they are
        import asyncio

        self.may_start = asyncio.Event()

    async def start(self) -> PlayedSource:
        self.calls.append("start")
        await self.may_start.wait()
        return PlayedSource(view())
