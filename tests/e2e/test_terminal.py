"""Takeovers started at a terminal: the run is another process, and outlives it.

A dumb terminal, which is told everything as text. The account stands still unless a test lets time
pass, so everything happens exactly where it shall.
"""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest
from tests.e2e.simulated import JSON, QUICK, await_true
from tests.e2e.terminal import (
    at_terminal,
    await_end,
    daemons,
    go_to_the_end,
    go_to_the_record,
    run,
)

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.core.timing import ONE_REQUEST

if TYPE_CHECKING:
    from tests.e2e.simulated import Scene
    from tests.e2e.terminal import Terminal

CNAME = pytest.mark.parametrize("scene", [{"scenario": "rolled-back", "cname": 300}], indirect=True)


def begin(terminal: Terminal) -> None:
    terminal.await_text("Start it?")
    terminal.press("yes\n")
    terminal.await_text("backup: saving a backup")


def await_another_request() -> None:
    later = SystemClock().now() + ONE_REQUEST
    await_true(lambda: SystemClock().now() > later, "the next signal to be another request")


def begin_and_go_to_the_gap(scene: Scene, terminal: Terminal) -> None:
    begin(terminal)
    go_to_the_record(scene)
    terminal.await_text("confirm: waiting for CloudFormation")


def test_a_terminal_that_hangs_up_in_the_gap_takes_nothing_with_it(scene: Scene) -> None:
    with at_terminal(scene, *run(scene)) as terminal:
        terminal.await_text("Start it?", "from here www.example.com may have no record")
        plan = terminal.raw.decode()
        assert "take over  www.example.com A" in plan
        assert "Test the restore" in plan
        assert max(map(len, plan.splitlines())) <= 120, "wrapped to the terminal's width"
        assert "\x1b" not in plan, "a dumb terminal has no colours"
        assert not (scene.takeover.state_dir / "runs").exists(), "nothing before the yes"
        begin_and_go_to_the_gap(scene, terminal)
        assert scene.here == []
        terminal.hang_up()
        terminal.finish()
    (daemon,) = daemons(scene)
    assert os.getsid(daemon) == daemon, "a session of its own"
    go_to_the_end(scene)
    assert await_end(scene)["outcome"] == "done"
    attached = scene.takeover.run("attach", scene.run)
    assert attached.code == 0
    assert "done: shop owns www.example.com now" in attached.stdout
    assert not (scene.takeover.run_folder / "control.sock").exists()
    scene.assert_true_an_hour_later(scene.here)


def test_a_process_killed_in_the_gap_is_reported_and_resume_continues(scene: Scene) -> None:
    with at_terminal(scene, *run(scene)) as terminal:
        begin_and_go_to_the_gap(scene, terminal)
        (daemon,) = daemons(scene)
        os.kill(daemon, signal.SIGKILL)
        shown = terminal.await_text("its process is dead", "route53-takeover resume")
        assert scene.run in shown
        assert terminal.finish() == 4
    assert scene.here == []
    again = scene.takeover.run("attach", scene.run)
    assert again.code == 4
    assert "its process is dead" in again.stderr
    with at_terminal(scene, "resume", scene.run) as terminal:
        terminal.await_text("resumed from the journal")
        go_to_the_end(scene)
        terminal.await_text("done: shop owns www.example.com now")
        assert terminal.finish() == 0
    scene.assert_true_an_hour_later(scene.here)
    with at_terminal(scene, "resume", scene.run) as terminal:
        terminal.await_text("has already ended", "done: shop owns www.example.com now")
        assert terminal.finish() == 0


def test_a_resumed_run_continues_when_the_terminal_that_asked_for_it_exits(
    scene: Scene,
) -> None:
    with at_terminal(scene, *run(scene)) as terminal:
        begin_and_go_to_the_gap(scene, terminal)
        (daemon,) = daemons(scene)
        os.kill(daemon, signal.SIGTERM)
        terminal.await_text("once more stops at once")
        await_another_request()
        os.kill(daemon, signal.SIGTERM)
        assert terminal.finish() == 4
    with at_terminal(scene, "resume", scene.run) as terminal:
        shown = terminal.await_text("resumed from the journal")
        assert "unknown" not in shown, "how it had ended is not how it ends"
        (daemon,) = daemons(scene)
        os.kill(daemon, signal.SIGKILL)
        assert terminal.finish() == 4
    with at_terminal(scene, "resume", scene.run) as terminal:
        await_true(lambda: daemons(scene), "the process of the run")
        terminal.press("\x03")
        terminal.await_text("continues by itself", "route53-takeover attach")
        assert terminal.finish() == 0
    go_to_the_end(scene)
    assert await_end(scene)["outcome"] == "done"


def test_what_is_typed_before_the_question_is_no_answer_and_the_end_of_input_is_no(
    scene: Scene,
) -> None:
    with at_terminal(scene, *run(scene)) as terminal:
        terminal.await_text("reading the account")
        terminal.press("yes\n")
        terminal.await_text("Start it?")
        terminal.press("\x04")
        terminal.await_text("not started, and nothing was written")
        assert terminal.finish() == 1
    assert not (scene.takeover.state_dir / "runs").exists()


def test_no_is_no_and_so_is_a_terminal_that_goes_away(scene: Scene) -> None:
    for leave in ("no\n", "\x03", ""):
        with at_terminal(scene, *run(scene)) as terminal:
            terminal.await_text("Start it?")
            if leave:
                terminal.press(leave)
                terminal.await_text("not started, and nothing was written")
                assert terminal.finish() == 1
            else:
                terminal.hang_up()
                terminal.finish()
        await_true(lambda: not daemons(scene), "the end of the process")
        assert not (scene.takeover.state_dir / "runs").exists()
    assert scene.account.actions() == []


@CNAME
def test_ctrl_c_before_the_release_puts_everything_back_and_a_second_one_only_leaves(
    scene: Scene,
) -> None:
    with at_terminal(scene, "run", *scene.arguments, "--hold=0.4", "--no-probe") as terminal:
        begin(terminal)
        terminal.await_text("lower-ttl: lowering the TTL")
        await_true(lambda: scene.here[0].get("TTL") == 60, "the lowered TTL")
        scene.account.pass_time(60)
        terminal.await_text("drain: waiting for the old TTL")
        scene.relay.befall(lambda call: "Throttling" if call.purpose == "undo-ttl" else "")
        terminal.press("\x03")
        terminal.await_text("abort requested", "restore: undoing the run's changes")
        await_another_request()
        terminal.press("\x03")
        terminal.await_text("continues by itself", "route53-takeover attach")
        assert terminal.finish() == 0
    scene.relay.befall(lambda _: "")
    ended = await_end(scene)
    assert (ended["outcome"], ended["exit_code"]) == ("aborted", 1)
    assert scene.here == scene.original


@CNAME
def test_a_signal_to_the_runs_own_process_ends_it_in_good_order_and_a_hang_up_is_nothing(
    scene: Scene,
) -> None:
    with at_terminal(scene, "run", *scene.arguments, "--hold=0.4", "--no-probe") as terminal:
        begin(terminal)
        terminal.await_text("lower-ttl: lowering the TTL")
        await_true(lambda: scene.here[0].get("TTL") == 60, "the lowered TTL")
        scene.account.pass_time(60)
        terminal.await_text("drain: waiting for the old TTL")
        (daemon,) = daemons(scene)
        os.kill(daemon, signal.SIGHUP)
        os.kill(daemon, signal.SIGTERM)
        terminal.await_text("SIGTERM: stopping after the undo", "aborted: stopped by SIGTERM")
        assert "SIGHUP" not in terminal.text
        assert terminal.finish() == 130
    assert scene.here == scene.original


def test_a_release_that_is_to_be_confirmed_waits_for_the_records_name(scene: Scene) -> None:
    with at_terminal(scene, *run(scene, "--confirm-release")) as terminal:
        begin(terminal)
        go_to_the_record(scene)
        terminal.await_text("type: release www.example.com")
        terminal.press("yes\n")
        terminal.press("release api.example.com\n")
        scene.account.pass_time(1)
        assert scene.here == scene.original
        terminal.press("release www.example.com\n")
        terminal.await_text("deleting www.example.com A")
        go_to_the_end(scene)
        assert terminal.finish() == 0


def test_stdout_holds_the_result_and_nothing_else(scene: Scene) -> None:
    out = scene.takeover.folder / "out.json"
    with at_terminal(scene, *run(scene, *JSON), stdout=out) as terminal:
        begin_and_go_to_the_gap(scene, terminal)
        go_to_the_end(scene)
        assert terminal.finish() == 0
    (line,) = out.read_text().splitlines()
    assert json.loads(line)["outcome"] == "done"


def test_a_run_that_cannot_start_is_reported_as_without_a_daemon(scene: Scene) -> None:
    words = [word for word in scene.arguments if word != "www.example.com"]
    words.insert(words.index("--record") + 1, "none.example.com")
    with at_terminal(scene, "run", *words, *QUICK) as terminal:
        terminal.await_text("error: ", "none.example.com")
        assert terminal.finish() == 3
    await_true(lambda: not daemons(scene), "the end of the process")


def test_a_dry_run_is_marked_line_by_line_and_writes_nothing(scene: Scene) -> None:
    before = scene.here
    with at_terminal(scene, *run(scene, "--dry-run")) as terminal:
        terminal.await_text("Start it?", "DRY RUN of this plan: a simulated account")
        terminal.press("yes\n")
        shown = terminal.await_text("nothing real was changed", "done: shop owns", seconds=90)
        assert "A run would have written to zone example.com" in shown
        assert "DELETE www.example.com A alias" in shown
        assert terminal.finish() == 0
    assert "DRY RUN 00m" in terminal.raw.decode()
    assert scene.here == before
    assert not (scene.takeover.folder / "ROUTE53_ENABLE").exists()
    assert "REHEARSAL-dry-run" in scene.run
