"""``gap-opened`` and ``gap-closed``: each gap once, whatever happens to the run and its process."""

from __future__ import annotations

import io
import json
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from route53_takeover.core.events import RunResumed
from route53_takeover.core.status.alert_events import AlertFeed
from route53_takeover.core.status.any_run import fold_run
from route53_takeover.core.status.result import record_results
from route53_takeover.core.takeover.name_state import ABSENT_STAGES
from route53_takeover.output.json_lines import JsonLines
from route53_takeover.simulation.chaos.faults import Faults, draw_faults
from route53_takeover.simulation.chaos.runner import rehearse_once
from route53_takeover.simulation.chaos.switch.faults import SwitchFaults
from route53_takeover.simulation.chaos.switch.runner import rehearse_switch
from route53_takeover.simulation.chaos.switch.setup import DeployHabit, SwitchSetup
from route53_takeover.simulation.scenarios import SCENARIOS

if TYPE_CHECKING:
    from route53_takeover.core.status.any_run import RunState
    from route53_takeover.core.takeover import events as ev
    from route53_takeover.core.takeover.state import State
    from route53_takeover.simulation.chaos.harness import Harness

DRAWN = (*range(15), 24, 30, 31, 77, 145)
"""In the last ones the DELETE is known to have been applied only once the gap is over."""


class Streams:
    """The JSON lines of a run, of every process that worked on it, and its alerts."""

    def __init__(self) -> None:
        self.out = io.StringIO()
        self.alerts: list[str] = []
        self.state: RunState | None = None
        self._begin()

    def _begin(self) -> None:
        self._lines = JsonLines("run", self.out, io.StringIO(), self.state)
        self._feed = AlertFeed(self.state)

    def take(self, event: ev.AnyEvent, state: State) -> None:
        if isinstance(event, RunResumed):
            self._begin()
        self._lines(event, state, 1)
        self.alerts += [str(alert.kind) for alert in self._feed.take(event, state)]
        self.state = state

    @property
    def gaps(self) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.out.getvalue().splitlines()]
        return [line for line in lines if line["event"].startswith("gap-")]


def rehearsed(scenario: str, seed: str, faults: Faults) -> tuple[Streams, State]:
    streams = Streams()
    last: list[State] = []

    def saw(_harness: Harness, event: ev.AnyEvent, state: State) -> None:
        streams.take(event, state)
        last[:] = [state]

    rehearse_once(SCENARIOS[scenario], seed, faults, saw=saw)
    return streams, last[0]


def assert_told(streams: Streams, state: State) -> int:
    """Opened, closed, opened ...; the lengths add up to the result's; how many there were."""
    told: dict[tuple[str, str, str | None], list[dict[str, Any]]] = {}
    for line in streams.gaps:
        told.setdefault((line["name"], line["type"], line["set_identifier"]), []).append(line)
    absent = {h.original.key for h in state.handovers if h.stage in ABSENT_STAGES}
    for record in record_results(state):
        lines = told.get((record.name, record.type, record.set_identifier), [])
        kinds = ["gap-opened", "gap-closed"] * len(lines)
        assert [line["event"] for line in lines] == kinds[: len(lines)], record.label
        is_open = len(lines) % 2 == 1
        assert is_open is (record.label in {str(key) for key in absent})
        if not is_open:
            lasted = sum(line.get("gap_seconds", 0.0) for line in lines)
            assert lasted == pytest.approx(record.gap_seconds or 0.0, abs=0.01), record.label
    about_gaps = [kind for kind in streams.alerts if kind.startswith("gap-")]
    assert about_gaps == [line["event"] for line in streams.gaps]
    assert ("ended" in streams.alerts) is (state.ending is not None)
    return len(streams.gaps)


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_every_scenario_tells_its_gaps_once_and_their_lengths_add_up(scenario: str) -> None:
    streams, state = rehearsed(scenario, "gaps", Faults())
    assert_told(streams, state)
    assert streams.alerts[-1] == "ended"


def test_whatever_goes_wrong_each_gap_is_told_once_also_after_a_resume() -> None:
    found = 0
    for number in DRAWN:
        rng = Random(f"5/{number}")  # noqa: S311 -- a simulation, not a secret
        scenario = rng.choice(sorted(SCENARIOS))
        found += assert_told(*rehearsed(scenario, f"5/{number}", draw_faults(rng)))
    assert found > len(DRAWN)


def test_a_mapping_that_a_deploy_deletes_is_a_gap_until_it_is_back() -> None:
    setup = SwitchSetup(deploy=DeployHabit.DELETES)
    done = rehearse_switch(setup, "gaps", SwitchFaults())
    streams = Streams()
    for number in range(len(done.events)):
        state = fold_run(done.events[: number + 1])
        assert state is not None
        streams.take(done.events[number], state)  # type: ignore[arg-type]
    opened, closed = streams.gaps
    assert (opened["event"], opened["type"], opened["deadline"]) == (
        "gap-opened",
        "api-mapping",
        None,
    )
    assert (closed["event"], closed["name"]) == ("gap-closed", opened["name"])
    assert closed["gap_seconds"] > 0
    assert streams.alerts[-1] == "ended"
