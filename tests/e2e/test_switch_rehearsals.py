"""`rehearse` of the switches, as users call it: each ends as the list of scenarios says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.processes import are_in_order
from tests.e2e.simulated import JSON

if TYPE_CHECKING:
    from tests.e2e.processes import Takeover

ENDS = {
    "blue-green": (0, "done", "switched"),
    "blue-green-cloudfront": (0, "done", "switched"),
    "blue-green-fails": (1, "restored", "restored"),
    "blue-green-refused": (1, "failed", "untouched"),
    "blue-green-stolen": (0, "done", "switched"),
}
"""Scenario -> the exit code, the outcome, and that of what was to be switched."""
OVER_THE_WIRE = ("blue-green-cloudfront", "blue-green-fails", "blue-green-stolen")
SPEED = ("--speed", "30")


def test_switches_are_rehearsed_over_the_wire(takeover: Takeover) -> None:
    listed = takeover.run("rehearse", "--list", *JSON).lines
    switches = {
        line["name"]: (line["exit_code"], line["outcome"])
        for line in listed
        if line["name"].startswith("blue-green")
    }
    assert switches == {name: ends[:2] for name, ends in ENDS.items()}
    started = {
        name: takeover.start("rehearse", "--scenario", name, *SPEED, "--auto", *JSON)
        for name in OVER_THE_WIRE
    }
    for name, running in started.items():
        ended = running.finish()
        (switch,) = ended.result["switches"]
        assert (ended.code, ended.result["outcome"], switch["outcome"]) == ENDS[name], ended.result
        assert are_in_order(ended.lines)
    told = takeover.run("runs", *JSON).lines
    assert {line["run"].partition("REHEARSAL-")[2]: line["outcome"] for line in told} == {
        name: ENDS[name][1] for name in OVER_THE_WIRE
    }
    assert all(line["rehearsal"] for line in told)
    assert takeover.leftovers() == []
