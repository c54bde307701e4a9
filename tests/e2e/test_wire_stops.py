"""A process that is stopped for a while, as a machine that sleeps: SIGSTOP, and SIGCONT later."""

from __future__ import annotations

import signal
from threading import Event
from typing import TYPE_CHECKING

import pytest
from tests.e2e.simulated import await_true

if TYPE_CHECKING:
    from tests.e2e.simulated import Scene

DEADMAN = 4.0


def test_a_run_asleep_until_the_deploy_has_failed_releases_nothing_when_it_wakes(
    scene: Scene,
) -> None:
    running = scene.start("--hold", "3")
    scene.go_to_the_record(running)
    started = running.await_line(lambda line: "CREATE_IN_PROGRESS" in str(line), "the create")
    running.await_line(
        lambda line: line["event"] == "name-read" and line["seq"] > started["seq"],
        "the read that a release would rely on",
    )
    running.send(signal.SIGSTOP)
    assert started["phase"] == "watch"
    scene.account.pass_time(120)  # CloudFormation tries no more, and rolls back
    assert scene.account.status == "UPDATE_ROLLBACK_COMPLETE"
    Event().wait(3.0)  # the hold ends meanwhile
    running.send(signal.SIGCONT)
    done = running.finish()
    assert (done.code, done.result["outcome"]) == (1, "failed"), done.result
    assert scene.relay.of("release") == []
    scene.assert_true_an_hour_later(scene.original)


@pytest.mark.parametrize("scene", [{"scenario": "nested", "cname": 300}], indirect=True)
def test_time_asleep_counts_for_the_deadman(scene: Scene) -> None:
    running = scene.go_to_the_gap("--restore-after", f"{DEADMAN}s", "--ttl", "keep")
    running.send(signal.SIGSTOP)
    Event().wait(DEADMAN)
    assert scene.here == [], "no process is awake"
    running.send(signal.SIGCONT)
    await_true(lambda: scene.here, "the record, without waiting once more", seconds=DEADMAN - 1)
    assert scene.here == scene.original
    running.kill()
    scene.assert_true_an_hour_later(scene.original)
