"""Storms of refusals on each operation, and answers that are lost, over real HTTP."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from tests.e2e.processes import CHANGE
from tests.e2e.simulated import await_true

if TYPE_CHECKING:
    from tests.e2e.processes import Call
    from tests.e2e.simulated import Scene

STORM = 3
"""Refusals of each operation: as many as the SDK's own attempts."""
EARLY = ("lower-ttl", "GetChange", "DescribeStacks")
"""What is refused before the release; the release and all that follows meets more."""
IN_THE_GAP = ("release", "ListResourceRecordSets", "DescribeStackEvents", "restore")


class Weather:
    """A rule: each operation is refused a few times, then its next answer is lost."""

    def __init__(self, scene: Scene) -> None:
        self.met: Counter[str] = Counter()
        self._scene = scene

    def __call__(self, call: Call) -> str:
        kind = call.purpose or call.operation
        is_begun = self._scene.takeover.state_dir.exists()
        is_time = kind in EARLY or kind == "release" or self.met["release"]
        if not (call.is_ours and is_begun and is_time):
            return ""
        self.met[kind] += 1
        if self.met[kind] <= STORM:
            is_prior = call.operation == CHANGE and self.met[kind] % 2
            return "PriorRequestNotComplete" if is_prior else "Throttling"
        is_lost = self.met[kind] == STORM + 1 and kind not in EARLY
        return "connection" if is_lost else ""


@pytest.mark.parametrize("scene", [{"scenario": "rolled-back", "cname": 300}], indirect=True)
def test_refusals_of_every_operation_and_lost_answers_only_make_a_run_slower(
    scene: Scene,
) -> None:
    weather = Weather(scene)
    scene.relay.befall(weather)
    running = scene.start()
    await_true(lambda: scene.here[0]["TTL"] == 60, "the lowered TTL")
    scene.account.pass_time(15)  # it is INSYNC
    scene.go_to_the_record(running)
    running.await_phase("confirm")
    scene.account.pass_time(60)  # the record is created, and what comes after it fails
    done = running.finish()
    assert (done.code, done.result["outcome"]) == (1, "restored"), done.result
    scene.assert_true_an_hour_later(scene.original)
    lower, prove, release, restore = scene.account.actions()
    assert (lower, prove) == (["DELETE", "CREATE"], ["DELETE", "CREATE"])
    assert (release, restore) == (["DELETE"], ["CREATE"])
    assert len(scene.relay.of("release")) == STORM + 1, "what may be applied is not sent again"
    assert {kind for kind, times in weather.met.items() if times >= STORM} >= {*EARLY}, weather.met
    assert {kind for kind, times in weather.met.items() if times > STORM} >= {*IN_THE_GAP}
