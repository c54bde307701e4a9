"""The screen of a run: its parts at every size, what ticks, what must not be cut or interpreted."""

from __future__ import annotations

import gc
import re
from collections import Counter
from itertools import combinations
from math import ceil
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from rich.segment import Segment
from tests.tui import scenes, switch_scenes
from textual.app import App
from textual.content import Content
from textual.geometry import Offset, Size
from textual.selection import Selection
from textual.strip import Strip
from textual.widgets import Static

from route53_takeover.core.status.snapshot import Countdown, Mark, Row, ServerAnswer, ServerView
from route53_takeover.process.protocol import Link
from route53_takeover.tui import themes
from route53_takeover.tui.app import TakeoverApp
from route53_takeover.tui.frame import Frame
from route53_takeover.tui.key_bar import Hint
from route53_takeover.tui.marks import LOOKS
from route53_takeover.tui.run_layout import RunView, arrangement
from route53_takeover.tui.state_colour import Tone, state_of
from route53_takeover.tui.steps import running_step
from route53_takeover.tui.widgets.big_words import big
from route53_takeover.tui.widgets.deploy import MOST_LINES, DeployOutput
from route53_takeover.tui.widgets.hero_words import headline
from route53_takeover.tui.widgets.lines import Lines
from route53_takeover.tui.widgets.records import RecordTable
from route53_takeover.tui.widgets.servers import failing_first
from route53_takeover.tui.widgets.tabs import Pane
from route53_takeover.tui.widgets.timeline import timeline
from route53_takeover.tui.widgets.tree import StackTree
from route53_takeover.tui.wording import duration, remaining, still_waiting, wrapped

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.pilot import Pilot

    from route53_takeover.process.protocol import View

EVIL = "\x1b]52;c;AAAA\x07[bold]x[/bold]\u202e"
TAMED = "\\u001b]52;c;AAAA\\u0007[bold]x[/bold]\\u202e"


class CountingView(RunView):
    """Counts how often it draws."""

    drawn = 0

    def _draw(self) -> None:
        self.drawn += 1
        super()._draw()


class Host(App[None]):
    """A run's view, with a line below it as the real footer has."""

    CSS_PATH = TakeoverApp.CSS_PATH

    def __init__(self) -> None:
        super().__init__()
        self.time = 100.0
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = themes.DARK.name

    def compose(self) -> ComposeResult:
        yield CountingView(clock=lambda: self.time)

    @property
    def run_view(self) -> CountingView:
        return self.query_one(CountingView)

    @property
    def text(self) -> str:
        strips = self.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    async def see(self, view: View, pilot: Pilot[None]) -> str:
        self.run_view.show(view)
        await pilot.pause()
        await pilot.pause()
        return self.text

    async def pass_time(self, seconds: float, pilot: Pilot[None]) -> str:
        self.time += seconds
        self.run_view._tick()
        await pilot.pause()
        return self.text


def changed(view: View, **more: object) -> View:
    return replace(view, snapshot=replace(view.snapshot, **more))


# -- words


def test_no_two_marks_share_a_word_or_a_symbol_and_every_symbol_takes_one_cell() -> None:
    assert set(LOOKS) == set(Mark)
    for one, other in combinations(LOOKS.values(), 2):
        assert one.word != other.word
        assert one.symbol != other.symbol
    assert {cell_len(look.symbol) for look in LOOKS.values()} == {1}


def test_a_duration_has_only_the_units_that_it_needs() -> None:
    assert [duration(s) for s in (-3, 9.9, 130, 7330)] == ["0s", "9s", "2m10s", "2h02m10s"]


def test_what_is_left_and_what_has_passed_are_the_whole() -> None:
    assert [remaining(s) for s in (60.0, 59.6, 42.0, 0.1, -1.0)] == [
        "1m00s",
        "1m00s",
        "42s",
        "0s",
        "0s",
    ]


def test_quiet_is_shown_only_after_a_while() -> None:
    assert not still_waiting(109.0, 100.0)
    assert still_waiting(230.0, 100.0) == "still waiting 2m10s"


@pytest.mark.parametrize("width", [7, 20, 41])
def test_a_folded_text_loses_nothing_and_is_never_too_wide(width: int) -> None:
    text = "stands at an-old-balancer-1234567890.eu-west-1.elb.example.com and 日本語の名前 too"
    lines = wrapped(Content(text), width, indent=4)
    assert max(line.cell_length for line in lines) <= width
    assert "".join(line.plain for line in lines).replace(" ", "") == text.replace(" ", "")


# -- what must not be cut


async def test_all_states_at_once_still_fit_into_the_smallest_header() -> None:
    view = scenes.view("paused")
    view = changed(view, rehearsal="a-very-long-name-of-a-scenario")
    app = Host()
    async with app.run_test(size=(80, 23)) as pilot:
        first = (await app.see(replace(view, link=Link.GONE), pilot)).splitlines()[0]
        for word in (" REHEARSAL ", " PROCESS DIED ", " PAUSED "):
            assert word in first
        assert re.search(r"last event [\d:]{8}Z$", first.rstrip())


async def test_a_screen_made_smaller_looks_like_one_that_always_was() -> None:
    texts = []
    for sizes in (((80, 23),), ((160, 47), (120, 39), (80, 23))):
        app = Host()
        async with app.run_test(size=sizes[0]) as pilot:
            await app.see(scenes.view("guard"), pilot)
            for size in sizes[1:]:
                await pilot.resize_terminal(*size)
            await pilot.pause()
            texts.append(app.text)
    assert texts[0] == texts[1]


# -- panes


def test_a_wide_screen_that_is_low_has_one_column() -> None:
    assert [arrangement(Size(*size)) for size in ((79, 23), (120, 39), (160, 47), (200, 24))] == [
        "small",
        "medium",
        "large",
        "small",
    ]


async def test_on_a_small_screen_one_part_is_shown_at_a_time_and_has_the_keys() -> None:
    app = Host()
    async with app.run_test(size=(80, 23)) as pilot:
        await app.see(scenes.view("guard"), pilot)
        for pane in (*Pane, Pane.TREE):
            shown = [p for p in Pane if app.query_one(f"#{p}").region.height > 0]
            assert shown == [pane]
            assert app.focused is app.query_one(f"#{pane}")
            app.run_view.next_pane()
            await pilot.pause()


async def test_on_a_large_screen_everything_is_shown_and_the_keys_go_where_they_are_sent() -> None:
    app = Host()
    async with app.run_test(size=(160, 47)) as pilot:
        text = await app.see(scenes.view("guard"), pilot)
        for word in ("Record", "Stack shop", "Name servers", "Deploy output", "Events"):
            assert word in text
        for pane in Pane:
            app.run_view.show_pane(pane)
            await pilot.pause()
            assert app.focused is app.query_one(f"#{pane}")


async def test_a_click_on_a_label_shows_that_part() -> None:
    app = Host()
    async with app.run_test(size=(80, 23)) as pilot:
        text = await app.see(scenes.view("guard"), pilot)
        row = next(line for line in text.splitlines() if "[4] Events" in line)
        await pilot.click("#tabs", offset=(row.index("[4] Events") + 2, 0))
        assert app.run_view.pane is Pane.NEWS


# -- time


async def test_a_countdown_continues_between_two_views_of_a_live_run() -> None:
    view = scenes.view("confirm")
    until = view.snapshot.countdowns[0].until - view.snapshot.now
    app = Host()
    async with app.run_test(size=(80, 23)) as pilot:
        assert f"restored in {remaining(until)} " in await app.see(view, pilot)
        assert f"restored in {remaining(until - 5)} " in await app.pass_time(5, pilot)
        assert " 3s over: " in await app.pass_time(until - 2, pilot)


async def test_the_screen_counts_in_the_runs_time_not_in_that_of_this_machine() -> None:
    view = scenes.view("drain")
    app = Host()
    async with app.run_test(size=(80, 23)) as pilot:
        app.time = 5_000_000.0
        before = await app.see(view, pilot)
        assert duration(view.snapshot.now - view.snapshot.began) in before
        assert await app.pass_time(3, pilot) != before
        again = changed(view, now=view.snapshot.now, events=view.snapshot.events + 1)
        assert await app.see(again, pilot) == before


@pytest.mark.parametrize(
    ("scene", "link"),
    [("confirm", Link.REPLAY), ("confirm", Link.ENDED), ("watch", Link.GONE)],
)
async def test_nothing_ticks_where_the_run_does_not_go_on(scene: str, link: Link) -> None:
    app = Host()
    async with app.run_test(size=(160, 47)) as pilot:
        before = await app.see(replace(scenes.view(scene), link=link), pilot)
        assert await app.pass_time(100, pilot) == before


@pytest.mark.parametrize("size", [(80, 23), (120, 39), (160, 47)])
async def test_a_dead_process_promises_nothing_and_its_gap_grows(size: tuple[int, int]) -> None:
    view = scenes.view("gone")
    (record,) = view.snapshot.records
    assert record.gap is not None
    app = Host()
    async with app.run_test(size=size) as pilot:
        before = await app.see(view, pilot)
        assert f"for {record.gap:.1f} s" in before
        assert "HAS NO RECORD and no process will" in before
        after = await app.pass_time(40, pilot)
        assert f"for {record.gap + 40:.1f} s" in after
        for text in (before, after):
            assert not re.search(r"restored in|until the deadline| next ", text)
            assert "last event 09:00:46Z" in text


async def test_a_silent_process_is_trusted_with_nothing() -> None:
    view = replace(scenes.view("confirm"), link=Link.STALE)
    app = Host()
    async with app.run_test(size=(120, 39)) as pilot:
        text = await app.see(view, pilot)
        assert "NO RECORD" in text
        assert "If the process runs, the record is restored at 09:01:14Z" in text
        assert not re.search(r"restored in \d", text)


async def test_an_open_gap_grows_by_the_second_and_a_closed_one_does_not() -> None:
    app = Host()
    async with app.run_test(size=(80, 23)) as pilot:
        view = scenes.view("confirm")
        gap = view.snapshot.records[0].gap
        assert gap is not None
        assert f" NO RECORD   for {gap:.1f} s " in await app.see(view, pilot)
        assert f" NO RECORD   for {gap + 4:.1f} s " in await app.pass_time(4, pilot)
        closed = scenes.view("guard")
        gap = closed.snapshot.records[0].gap
        assert gap is not None
        await app.see(closed, pilot)
        assert f"gap {gap:.1f} s" in await app.pass_time(4, pilot)


# -- the deadman in AWS


def test_without_a_process_the_deadman_in_aws_is_named_and_not_denied() -> None:
    view = scenes.lost_machine(Link.GONE)
    (rescue,) = view.snapshot.cloud_rescues
    said = headline(Frame(view=view, now=rescue.at - 60)).plain
    assert said.startswith("www.example.com HAS NO RECORD: AWS restores it at 09:0")
    said = headline(Frame(view=view, now=rescue.at + 1)).plain
    assert "unless AWS restored it at 09:0" in said
    unguarded = changed(view, cloud_rescues=())
    assert "no process will restore it" in headline(Frame(view=unguarded, now=rescue.at)).plain


async def test_a_living_run_says_what_aws_does_if_its_machine_dies() -> None:
    app = Host()
    async with app.run_test(size=(120, 40)) as pilot:
        shown = await app.see(scenes.lost_machine(Link.LIVE), pilot)
    assert "if this machine dies, AWS restores www.example.com at 09:0" in shown


# -- the records


def _drawn(view: View, width: int) -> list[Content]:
    return RecordTable().draw(Frame(view=view, now=view.snapshot.now), width)


@pytest.mark.parametrize("width", [50, 110])
def test_after_a_restore_the_wish_is_struck_out_and_what_stands_is_as_before(width: int) -> None:
    lines = _drawn(scenes.view("restored"), width)
    rows = {line.plain.split()[0]: line for line in lines if line.plain[:1].isalpha()}
    assert rows.keys() == {"before", "now", "dropped"}
    for name in ("before", "now"):
        assert "alias to d1old.cloudfront.net" in rows[name].plain
        assert "no stack" in rows[name].plain
    struck = [span for span in rows["dropped"].spans if "strike" in str(span.style)]
    assert "d1new" in "".join(rows["dropped"].plain[s.start : s.end] for s in struck)
    assert "≠" not in rows["now"].plain


@pytest.mark.parametrize("width", [50, 110])
def test_of_several_records_those_without_a_record_come_first(width: int) -> None:
    view = scenes.view("replay")
    first, last = view.snapshot.records
    fine = replace(first, standing=("x",), mark=Mark.DONE, name="fine.example.com", gap=None)
    view = replace(changed(view, records=(fine, replace(last, gap=1.0), first)), link=Link.LIVE)
    texts = [line.plain for line in _drawn(view, width)][-3:]
    labels = [text.split()[1] for text in texts]
    assert labels == [first.name, last.name, "fine.example.com"]
    assert [" NO RECORD " in text for text in texts] == [True, True, False]


# -- text from outside


async def test_text_from_outside_is_neither_markup_nor_control_characters() -> None:
    view = scenes.view("guard")
    snapshot = view.snapshot
    record = snapshot.records[0]
    view = replace(
        changed(
            view,
            doing=f"doing {EVIL}",
            waits=(EVIL,),
            next=EVIL,
            alerts=(EVIL,),
            stack=EVIL,
            rehearsal=EVIL,
            records=(replace(record, name=EVIL, words=EVIL, standing=(EVIL,)),),
            tree=(_row(label=EVIL, status=EVIL, kind=EVIL, reason=EVIL, mark=Mark.FAILED),),
            servers=(ServerView(server=EVIL, name=EVIL, type="A", answers=(_answer(0, EVIL),)),),
            countdowns=(Countdown(label=EVIL, name=EVIL, since=0, until=9),),
            news=(replace(snapshot.news[0], text=EVIL),),
            deploys=(replace(snapshot.deploys[0], command=EVIL, words=EVIL, log=EVIL),),
        ),
        deploy=(EVIL,),
    )
    app = Host()
    async with app.run_test(size=(200, 59)) as pilot:
        text = await app.see(view, pilot)
        assert text.count(TAMED[:24]) > 8
        assert all(character.isprintable() or character == "\n" for character in text)
        assert "[bold]" in text


# -- the tree


def _row(**more: object) -> Row:
    row = Row(depth=1, label="Thing", kind="AWS::X::Y", status="DONE", mark=Mark.DONE, since=1.0)
    return replace(row, **more)


def _many(count: int, **last: object) -> tuple[Row, ...]:
    return (*(_row(label=f"Thing{number}") for number in range(count)), _row(**last))


async def test_a_thousand_rows_cost_no_widgets() -> None:
    app = Host()
    async with app.run_test(size=(160, 47)) as pilot:
        await app.see(scenes.view("guard"), pilot)
        widgets = len(app.query("*"))
        text = await app.see(changed(scenes.view("guard"), tree=_many(1000, label="Last")), pilot)
        assert "Thing1" in text
        assert len(app.query("*")) == widgets


async def test_the_row_that_failed_is_in_view_with_its_reason_until_the_user_scrolls() -> None:
    reason = "Resource handler returned message: it already exists"
    rows = _many(500, label="Broken", mark=Mark.FAILED, reason=reason, is_record=True)
    app = Host()
    async with app.run_test(size=(80, 23)) as pilot:
        text = await app.see(changed(scenes.view("guard"), tree=rows), pilot)
        line = next(line for line in text.splitlines() if "Broken" in line)
        assert line.lstrip().startswith("◆ ✘ failed")
        assert reason in text
        await pilot.press("home")
        await pilot.pause()
        again = (*rows, _row(label="Newest", mark=Mark.FAILED, since=9.0))
        text = await app.see(changed(scenes.view("guard"), tree=again), pilot)
        assert "Thing0" in text
        assert "Newest" not in text


async def test_only_what_is_under_way_has_an_age_that_ticks() -> None:
    app = Host()
    async with app.run_test(size=(80, 23)) as pilot:
        now = scenes.view("guard").snapshot.now
        rows = (
            _row(label="Going", mark=Mark.RUNNING, since=now - 60),
            _row(label="Over", since=now - 30),
        )
        await app.see(changed(scenes.view("guard"), tree=rows), pilot)
        text = await app.pass_time(5, pilot)
        assert "1m05s" in next(line for line in text.splitlines() if "Going" in line)
        over = next(line for line in text.splitlines() if "Over" in line)
        assert over.rstrip().endswith("Z")


async def test_the_text_of_rows_can_be_selected_though_no_row_is_a_widget() -> None:
    app = Host()
    async with app.run_test(size=(80, 23)) as pilot:
        await app.see(changed(scenes.view("guard"), tree=_many(40, label="Last")), pilot)
        tree = app.query_one(StackTree)
        found = tree.get_selection(Selection.from_offsets(Offset(0, 38), Offset(30, 40)))
        assert found is not None
        assert "Thing38" in found[0]
        assert "Last" in found[0]


# -- the deploy's output


async def test_the_newest_output_stays_in_view_until_the_user_scrolls_up() -> None:
    app = Host()
    async with app.run_test(size=(80, 23)) as pilot:
        app.run_view.show_pane("deploy")
        lines = tuple(f"line {number}." for number in range(2000))
        view = scenes.view("guard")
        assert "line 1499." in await app.see(replace(view, deploy=lines[:1500]), pilot)
        assert "line 1999." in await app.see(replace(view, deploy=lines), pilot)
        kept = app.query_one(DeployOutput)._count
        assert MOST_LINES <= kept <= MOST_LINES + 3
        await pilot.press("pageup")
        await pilot.pause()
        text = await app.see(replace(view, deploy=(*lines, "line 2000.")), pilot)
        assert "line 2000." not in text


# -- the timeline


def _answer(since: float, status: str = "answer", *values: str) -> ServerAnswer:
    return ServerAnswer(since=since, status=status, values=values or ("198.51.100.1",))


def _timeline(*answers: ServerAnswer, released: float = 1000.0, back: float = 1004.0) -> list[str]:
    view = scenes.view("guard")
    server = ServerView(server="ns-1.", name="www.", type="A", answers=answers)
    view = changed(view, servers=(server,), released=(released,), back=(back,), now=1010.0)
    return [line.plain for line in timeline(Frame(view=view, now=1010.0), (server,), 80)]


def test_the_gap_is_a_run_of_another_sign_between_before_and_new() -> None:
    _, row, axis, legend = _timeline(
        _answer(900.0), _answer(1001.0, "nxdomain"), _answer(1005.0, "answer", "203.0.113.9")
    )
    assert re.fullmatch(r"-+x+█+", row.split()[1])
    assert re.search(r" ✔ answers +for 5s$", row)
    release = axis.index("|release")
    assert row[release] == "-"
    assert row.index("x") > release
    assert re.fullmatch(r" +(\|(release|[+-]\d+s) *)+", axis), "no label is cut"
    assert legend == "- as before  █ new  x no such name"


def test_a_gap_that_is_shorter_than_a_cell_still_shows() -> None:
    row = _timeline(
        _answer(0.0),
        _answer(1000.42, "nodata"),
        _answer(1000.44, "answer", "203.0.113.9"),
        back=1400.0,
    )[1]
    assert row.split()[1].count("o") == 1


def test_other_addresses_of_the_same_balancer_are_no_new_record() -> None:
    row = _timeline(
        _answer(900.0, "answer", "198.51.100.1", "198.51.100.2"),
        _answer(1002.0, "answer", "198.51.100.2", "198.51.100.3"),
    )[1]
    assert "█" not in row


def test_without_a_release_there_is_no_timeline() -> None:
    view = scenes.view("watch")
    assert timeline(Frame(view=view, now=view.snapshot.now), view.snapshot.servers, 80) == []


# -- what the hero says of users


async def _hero(name: str, size: tuple[int, int] = (120, 39)) -> str:
    return await _hero_of(scenes.view(name), size)


async def _hero_of(view: View, size: tuple[int, int] = (120, 39)) -> str:
    app = Host()
    async with app.run_test(size=size) as pilot:
        text = await app.see(view, pilot)
    return text.partition(" Record ")[0]


async def test_a_record_that_not_every_name_server_has_is_no_calm_state() -> None:
    view = scenes.view("guard")
    assert state_of(view) == (Tone.WARNING, "NOT ON EVERY NAME SERVER")
    hero = await _hero("guard")
    assert "! 2 of 4 name servers: no such name." in hero
    assert "Some users get no answer." in hero


async def test_a_silent_process_is_an_alarm_with_the_command_that_helps() -> None:
    assert state_of(scenes.view("stale")).tone is Tone.WARNING
    hero = await _hero("stale")
    assert "A record was in place when last seen 16s ago" in hero
    assert f"kill -CONT {scenes.PID}" in hero
    assert "silent" in hero
    rail = hero.splitlines()[2]
    assert rail.split() == ["13s", "0.1", "s", "9s"], "only what was seen counts"


async def test_a_process_that_died_in_the_gap_says_what_may_happen_and_what_resume_does() -> None:
    hero = await _hero("gone")
    for text in ("at most 30s ago", "may still create", "then restores or continues", "counting"):
        assert text in hero


async def test_a_failed_takeover_says_so_with_its_cause_and_its_command() -> None:
    hero = await _hero("restored")
    assert "TAKEOVER FAILED: OLD RECORD RESTORED" in hero
    assert "in time; the stack ended UPDATE_ROLLBACK_COMPLETE." in hero
    assert "already exists" not in hero, "that followed from the restore"
    assert "Find the cause: route53-takeover diagnose --stack shop" in hero


async def test_the_end_shows_the_worst_gap_and_the_next_step() -> None:
    hero = await _hero("done")
    assert "worst gap" in hero
    assert "next  Make the switch permanent now: in the template, " in hero


async def test_a_replay_is_told_as_past_and_a_rehearsal_as_unreal() -> None:
    replayed = await _hero("replay")
    assert "had no record: some users got no answer." in replayed
    assert "record was to be restored in " in replayed
    rehearsed = await _hero("rehearsal")
    assert "nothing real: www.example.com has no record: users would get no answer." in rehearsed


async def test_what_users_get_is_what_the_name_servers_show() -> None:
    shown = scenes.view("confirm")
    servers = shown.snapshot.servers
    for denying, said in (
        (0, "has no record: name servers still answer as before."),
        (1, "has no record: some users get no answer."),
        (len(servers), "has no record: users get no answer."),
    ):
        answers = [
            replace(each, answers=(ServerAnswer(since=0.0, status=status),))
            for status, each in zip(
                ["nxdomain"] * denying + ["answer"] * (len(servers) - denying), servers, strict=True
            )
        ]
        view = replace(shown, snapshot=replace(shown.snapshot, servers=tuple(answers)))
        assert said in await _hero_of(view)


async def test_a_part_that_was_hidden_shows_what_came_meanwhile() -> None:
    app = Host()
    async with app.run_test(size=(120, 39)) as pilot:
        await app.see(scenes.view("paused"), pilot)
        await app.see(switch_scenes.view("switch-bake"), pilot)
        text = await app.see(scenes.view("confirm"), pilot)
    assert "no record in this takeover" not in text
    assert "not watched yet" not in text


def test_what_fails_is_on_top_of_many_name_servers() -> None:
    shown = failing_first(scenes.view("replay").snapshot.servers)
    assert [server.answers[-1].status == "answer" for server in shown] == [False] * 2 + [True] * 6


async def test_the_rail_counts_what_it_has_no_room_for() -> None:
    rail = (await _hero("drain")).splitlines()[1]
    assert re.search(r"  \+\d more *$", rail)
    assert "…" not in rail


# -- cost


async def test_a_burst_of_a_thousand_views_is_drawn_once() -> None:
    app = Host()
    async with app.run_test(size=(120, 39)) as pilot:
        await app.see(scenes.view("guard"), pilot)
        before = app.run_view.drawn
        for number in range(1000):
            app.run_view.show(changed(scenes.view("guard"), doing=f"doing {number}."))
        await pilot.pause()
        assert app.run_view.drawn - before == 1
        assert "doing 999." in app.text


async def test_a_two_hour_wait_leaves_nothing_behind() -> None:
    app = Host()
    async with app.run_test(size=(80, 23)) as pilot:
        view = scenes.view("drain")
        await app.see(view, pilot)
        await _wait(app, pilot, steps=20)
        before = _living()
        await _wait(app, pilot, steps=60)
        after = _living()
        assert max(after[kind] - before[kind] for kind in before) < 20


async def _wait(app: Host, pilot: Pilot[None], *, steps: int) -> None:
    for _ in range(steps):
        await app.pass_time(120, pilot)


def _living() -> Counter[type]:
    gc.collect()
    found = Counter(map(type, gc.get_objects()))
    return Counter({kind: found[kind] for kind in (Content, Frame, Strip, Segment, Static, dict)})


async def test_a_second_that_ticks_draws_only_lines_that_changed() -> None:
    app = Host()
    async with app.run_test(size=(160, 47)) as pilot:
        await app.see(changed(scenes.view("guard"), tree=_many(100, label="Last")), pilot)
        before = {part.id: len(part._dirty_regions) for part in app.query(Lines)}
        app.time += 1.0
        app.run_view._tick()
        new = {part.id: len(part._dirty_regions) - before[part.id] for part in app.query(Lines)}
        assert new["tree"] == new["news"] == new["tabs"] == 0
        assert new["header"] == 1
        assert new["rail"] == 2
        assert new["hero"] <= 4


async def test_no_title_of_a_panel_counts_seconds() -> None:
    """Another title draws the whole panel."""
    app = Host()
    async with app.run_test(size=(200, 59)) as pilot:
        for scene in ("drain", "confirm", "stale"):
            await app.see(scenes.view(scene), pilot)
            titles = set()
            for _ in range(10):
                await app.pass_time(1.0, pilot)
                titles |= {(part.id, *part._titles) for part in app.query(Lines)}
            assert len(titles) <= len(app.query(Lines)) + 1, scene  # one tells tens of seconds


# -- what is not happening now, or not to anything real


async def test_what_a_silent_run_shows_is_as_old_as_its_last_sign_of_life() -> None:
    app = Host()
    async with app.run_test(size=(120, 39)) as pilot:
        before = await app.see(scenes.view("stale"), pilot)
        after = await app.pass_time(60.0, pilot)
    assert before.count("last seen at 09:00:22Z") == 4
    assert after.count("last seen at 09:00:22Z") == 4
    ages = re.compile(r"for \d+s|read \d+s ago")
    assert ages.findall(before) == ages.findall(after)


@pytest.mark.parametrize("scene", ["drain", "paused", "confirm", "done", "gone", "restored"])
async def test_a_rehearsal_has_a_frame_of_its_own_and_says_that_nothing_is_real(scene: str) -> None:
    app = Host()
    async with app.run_test(size=(120, 39)) as pilot:
        text = await app.see(changed(scenes.view(scene), rehearsal="alias"), pilot)
        assert "REHEARSAL: nothing real · " in text
        assert app.run_view.query_one("#hero").styles.border_top[0] == "ascii"


async def test_where_the_user_is_waited_for_the_words_are_large_and_the_time_is_small() -> None:
    for scene, word in (("paused", "PAUSED"), ("unconfirmed", "YOUR TURN")):
        text = await _hero(scene, size=(120, 39))
        assert big(word)[0] in text
        assert re.search(r"\ds in this step", text)


async def test_a_gap_says_which_choice_is_safe_and_a_replay_nothing_of_what_comes() -> None:
    size = (120, 39)
    app = Host()
    async with app.run_test(size=size) as pilot:
        app.run_view.hints = (Hint(action="restore", key="b", label="Put back", tooltip=""),)
        assert "in doubt    wait: the run restores" in await app.see(scenes.view("confirm"), pilot)
    replayed = await _hero("replay", size=size)
    assert "in doubt" not in replayed
    assert " next " not in replayed
    assert "58s left" not in replayed


@pytest.mark.parametrize("now", [0.0, 0.4, 0.6, 0.999])
def test_what_is_left_and_what_has_passed_make_up_the_whole(now: float) -> None:
    view = scenes.view("drain")
    (each,) = view.snapshot.countdowns
    step = running_step(Frame(view=view, now=view.snapshot.now + now))
    assert step is not None
    assert step.spent is not None
    left = ceil(each.until - view.snapshot.now - now)
    assert int(step.spent) + left == round(each.until - each.since)
