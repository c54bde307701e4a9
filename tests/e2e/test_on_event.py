"""``--on-event`` with real processes: it goes on without a screen, and holds nothing up."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

from tests.e2e.simulated import JSON, QUICK, await_true
from tests.e2e.terminal import at_terminal, daemons, go_to_the_end, go_to_the_record, run

if TYPE_CHECKING:
    from tests.e2e.processes import Takeover
    from tests.e2e.simulated import Scene

APPEND = "cat >> alerts; echo no webhook >&2; exit 7"


def alerts(takeover: Takeover) -> list[dict[str, Any]]:
    path = takeover.folder / "alerts"
    text = path.read_text("utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def kinds(takeover: Takeover) -> list[str]:
    return [alert["event"] for alert in alerts(takeover)]


def test_without_a_screen_and_over_a_resume_each_alert_is_sent_once_though_each_fails(
    scene: Scene,
) -> None:
    takeover = scene.takeover
    with at_terminal(scene, *run(scene, "--on-event", APPEND)) as terminal:
        terminal.await_text("Start it?")
        terminal.press("yes\n")
        terminal.await_text("backup: saving a backup")
        terminal.hang_up()
        terminal.finish()
    go_to_the_record(scene)
    log = takeover.run_folder / "takeover.log"
    await_true(lambda: "no webhook" in log.read_text("utf-8"), "the first alert")
    (daemon,) = daemons(scene)
    os.kill(daemon, signal.SIGKILL)
    resumed = takeover.start("resume", scene.run, "--auto", *JSON)
    resumed.await_line(lambda line: line["event"] == "run-resumed", "the resume")
    go_to_the_end(scene)
    done = resumed.finish()
    assert done.result["outcome"] == "done"
    assert kinds(takeover) == ["gap-opened", "gap-closed", "ended"]
    opened, closed, ended = alerts(takeover)
    assert (opened["name"], opened["type"], opened["rehearsal"]) == ("www.example.com", "A", None)
    assert opened["text"].startswith("www.example.com has no record; restored at ")
    assert opened["attach"].startswith(f"route53-takeover attach {scene.run}")
    assert closed["gap_seconds"] == done.result["records"][0]["gap_seconds"]
    assert (ended["outcome"], ended["exit_code"]) == ("done", 0)
    assert {alert["run"] for alert in alerts(takeover)} == {scene.run}
    streamed = [line["event"] for line in done.lines if line["event"].startswith("gap-")]
    assert streamed == ["gap-closed"], "that it opened is in the output of the killed process"
    failures = [line["reason"] for line in done.lines if line["event"] == "alert-failed"]
    assert failures == ["exit status 7: no webhook"], "shown once"
    assert log.read_text("utf-8").count("no webhook") == 3


def test_a_command_that_hangs_delays_neither_the_run_nor_its_result(scene: Scene) -> None:
    words = (*scene.arguments, *QUICK, "--auto", *JSON, "--on-event", "sleep 600")
    running = scene.takeover.start("run", *words)
    running.await_line(lambda line: line["event"] == "run-started", "the beginning")
    go_to_the_record(scene)
    running.await_line(lambda line: line["event"] == "gap-opened", "the gap")
    go_to_the_end(scene)
    result = running.await_line(lambda line: line["event"] == "result", "the result", 20)
    assert result["outcome"] == "done"

    def is_over() -> bool:
        running.send(signal.SIGTERM)  # it waits for what is left to send, and need not
        return running.process.poll() is not None

    await_true(is_over, "its end", 20)
    done = running.finish()
    assert (done.code, done.result) == (0, result)
    assert scene.takeover.leftovers() == []
