"""`rehearse` of the switches, as users call it: each ends as the list of scenarios says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.processes import are_in_order
from tests.e2e.simulated import JSON

if TYPE_CHECKING:
    from tests.e2e.processes import Takeover

OVER_THE_WIRE = {
    "blue-green-cloudfront": "switched",
    "blue-green-fails": "restored",
    "blue-green-retired": "switched",
    "blue-green-rule": "switched",
    "blue-green-stolen": "switched",
}
"""Scenario -> what came of what was to be switched."""
SPEED = ("--speed", "30")


def test_switches_are_rehearsed_over_the_wire(takeover: Takeover) -> None:
    listed = {line["name"]: line for line in takeover.run("rehearse", "--list", *JSON).lines}
    started = {
        name: takeover.start("rehearse", "--scenario", name, *SPEED, "--auto", *JSON)
        for name in OVER_THE_WIRE
    }
    for name, running in started.items():
        ended = running.finish()
        promised = (listed[name]["exit_code"], listed[name]["outcome"])
        assert (ended.code, ended.result["outcome"]) == promised, ended.result
        (switch,) = ended.result["switches"]
        assert switch["outcome"] == OVER_THE_WIRE[name]
        assert are_in_order(ended.lines)
    told = takeover.run("runs", *JSON).lines
    assert {line["run"].partition("REHEARSAL-")[2]: line["outcome"] for line in told} == {
        name: listed[name]["outcome"] for name in OVER_THE_WIRE
    }
    assert all(line["rehearsal"] for line in told)
    assert takeover.leftovers() == []
