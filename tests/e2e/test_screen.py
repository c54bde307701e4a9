"""The screen in a real terminal, on real processes: it comes and goes, and the run goes on."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from tests.e2e.simulated import await_true
from tests.e2e.terminal import (
    at_terminal,
    await_end,
    daemons,
    go_to_the_end,
    go_to_the_record,
    run,
)

if TYPE_CHECKING:
    from tests.e2e.simulated import Scene
    from tests.e2e.terminal import Terminal

SCREEN = "xterm-256color"


def begin(terminal: Terminal) -> None:
    terminal.await_text("Start  ", "www.example.com A", "d1old.cloudfront.net")
    terminal.press("\r")
    terminal.await_text("Take over www.example.com?")
    terminal.press("y")
    terminal.await_text(" running ")


def test_a_screen_shows_the_phases_and_the_run_outlives_it(scene: Scene) -> None:
    with at_terminal(scene, *run(scene), term=SCREEN) as terminal:
        begin(terminal)
        go_to_the_record(scene)
        terminal.await_text(" NO RECORD ", "UPDATE_IN_PROGRESS", "DnsRecord")
        await_true(lambda: terminal.title.endswith("NO RECORD · www.example.com A"), "the title")
        assert scene.here == []
        terminal.hang_up()
        terminal.finish()
    with at_terminal(scene, "attach", scene.run, term=SCREEN, size=(80, 24)) as again:
        again.await_text(" running ", " NO RECORD ")
        go_to_the_end(scene)
        again.await_text("DONE", "shop owns www.example.com now")
        again.press("q")
        assert again.finish() == 0
    assert await_end(scene)["outcome"] == "done"
    with at_terminal(scene, "attach", scene.run, term=SCREEN) as replay:
        replay.await_text("REPLAY", "DONE")
        replay.press("<")
        replay.await_text(" BACKUP ")
        replay.press("q")
        assert replay.finish() == 0
    scene.assert_true_an_hour_later(scene.here)


def test_a_process_that_died_in_the_gap_is_missed_and_started_again_from_the_screen(
    scene: Scene,
) -> None:
    with at_terminal(scene, *run(scene), term=SCREEN) as terminal:
        begin(terminal)
        go_to_the_record(scene)
        terminal.await_text(" NO RECORD ")
        (daemon,) = daemons(scene)
        os.kill(daemon, signal.SIGKILL)
        terminal.await_text("PROCESS DIED")
        assert scene.here == []
        terminal.press("r")
        terminal.await_text("Resume the run?")
        terminal.press("\r")
        terminal.await_text(" running ")
        assert daemons(scene) not in ([], [daemon])
        go_to_the_end(scene)
        terminal.await_text("DONE")
        terminal.press("q")
        assert terminal.finish() == 0
    scene.assert_true_an_hour_later(scene.here)


def test_two_screens_show_the_same_run_and_either_may_act(scene: Scene) -> None:
    with (
        at_terminal(scene, *run(scene), term=SCREEN) as one,
        at_terminal(scene, "attach", start(scene, one), term=SCREEN, size=(80, 24)) as two,
    ):
        two.await_text(" running ")
        scene.await_deploy("on", "log", "deploying")
        two.press("p")
        one.await_text("PAUSED")
        two.await_text("PAUSED")
        out = scene.takeover.folder / "out"
        wide = {"stdout": out, "size": (150, 40)}
        with at_terminal(scene, "attach", scene.run, term=SCREEN, **wide) as three:
            shown = three.await_text("PAUSED")
            assert max(map(len, shown.splitlines())) > 100, "as wide as the terminal"
            three.send(signal.SIGINT)
            assert three.finish() == 0
            three.await_text("is paused and waits for you", "route53-takeover attach")
        scene.account.pass_time(8)
        one.await_text("DnsRecord", "CREATE_IN_PROGRESS")
        assert scene.here == scene.original, "no release while it is paused"
        one.press("x")
        one.await_text("The takeover is given up")
        one.press("\r")
        for screen in (one, two):
            screen.await_text("ABORTED")
            screen.press("q")
            assert screen.finish() == 1
    scene.account.pass_time(3600)
    assert scene.here == scene.original


def start(scene: Scene, terminal: Terminal) -> str:
    begin(terminal)
    return scene.run


def test_a_dry_run_shows_the_same_screen_marked_as_such(scene: Scene) -> None:
    before = scene.here
    with at_terminal(scene, *run(scene, "--dry-run"), term=SCREEN) as terminal:
        terminal.await_text("DRY RUN of this plan, a simulated account", "Start  ")
        terminal.press("s")
        terminal.await_text("Take over www.example.com?")
        terminal.press("y")
        terminal.await_text(" DRY RUN ", " running ")
        terminal.await_text("DONE", "shop owns www.example.com now", seconds=90)
        terminal.press("q")
        terminal.await_text("A run would have written to zone example.com")
        assert terminal.finish() == 0
    assert scene.here == before
