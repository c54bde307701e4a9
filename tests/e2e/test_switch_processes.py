"""Switches as processes: killed, stopped, resumed, led back, and looked at afterwards."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.e2e.processes import are_in_order
from tests.e2e.simulated import JSON, await_true
from tests.live_sites import Wrote

from route53_takeover.simulation.aws.http.faults import AnswerDelayed

if TYPE_CHECKING:
    from tests.e2e.processes import Finished
    from tests.e2e.switching import Switches
    from tests.live_sites import LiveAccount

    from route53_takeover.simulation.aws.http.faults import Fault

OURS = "client"


def outcome(finished: Finished) -> tuple[int, str]:
    return finished.code, finished.result["outcome"]


def test_a_run_killed_after_its_write_is_resumed_to_the_end_and_then_told_by_every_viewer(
    live: LiveAccount, switches: Switches
) -> None:
    site = live.domain("", "v1")
    switches.killed_after_the_write(site)
    (line,) = switches.call("runs", *JSON).lines
    assert (line["run"], line["phase"], line["outcome"]) == (switches.run, "switch", None)
    done = switches.call("resume", switches.run, "--auto", *JSON)
    assert outcome(done) == (0, "done"), done.result
    assert [s["outcome"] for s in done.result["switches"]] == ["switched", "switched"]
    green = str(site.green)
    assert site.writes == [Wrote(OURS, "", green), Wrote(OURS, "v1", green)], "each once"
    assert are_in_order(done.lines)
    assert_told_by_viewers(switches, done)
    assert switches.takeover.leftovers() == []


def assert_told_by_viewers(switches: Switches, done: Finished) -> None:
    """`runs`, `report`, `attach` and `resume` tell what the result told, and write nothing."""
    before = switches.takeover.journal
    started = [
        switches.start(*words)
        for words in (
            ("runs", *JSON),
            ("report", switches.run, *JSON),
            ("attach", switches.run, *JSON),
            ("resume", switches.run, "--auto", *JSON),
            ("report", switches.run),
            ("attach", switches.run),
        )
    ]
    runs, report, attached, resumed, *texts = [running.finish() for running in started]
    (line,) = runs.lines
    assert (line["phase"], line["outcome"]) == ("ended", "done")
    assert line["switches"] == [s["target"] for s in done.result["switches"]]
    told = ("run", "outcome", "exit_code", "reason", "switches")
    for seen in (report.lines[-1]["result"], attached.lines[-1]["result"], resumed.result):
        assert {key: seen[key] for key in told} == {key: done.result[key] for key in told}
    for text in texts:
        assert (text.code, text.stderr) == (0, "")
        assert "resumed from the journal" in text.stdout
        assert f"✔ done: {done.result['reason']}" in text.stdout
    assert switches.takeover.journal == before


def test_a_run_killed_after_its_write_is_led_back_by_restore(
    live: LiveAccount, switches: Switches
) -> None:
    site = live.domain("", "v1")
    switches.killed_after_the_write(site)
    back = switches.call("restore", switches.run, *JSON)
    assert outcome(back) == (0, "done"), back.stderr
    assert {s["target"]: s["outcome"] for s in back.result["switches"]} == {
        site.name: "restored",
        f"{site.name}/v1": "untouched",
    }
    assert site.writes[1:] == [Wrote(OURS, "", str(site.blue))]
    assert set(site.leads_to.values()) == {site.blue}


def test_a_signal_before_the_switch_ends_it_and_one_in_the_bake_leads_back(
    live: LiveAccount, switches: Switches
) -> None:
    """Two runs at once, of two sites."""
    early, late = live.domain(), live.domain("", "v1")
    early.fails("green")
    first, second = switches.switch(early), switches.switch(late, bake="1h")
    first.await_phase("check")
    first.send(signal.SIGTERM)
    stopped = first.finish()
    assert outcome(stopped) == (130, "aborted"), stopped.result
    assert [s["outcome"] for s in stopped.result["switches"]] == ["untouched"]
    assert early.writes == []
    second.await_phase("bake")
    second.send(signal.SIGTERM)
    back = second.finish()
    assert outcome(back) == (1, "restored"), back.result
    assert "stopped by SIGTERM" in back.result["reason"]
    assert set(late.leads_to.values()) == {late.blue}
    assert len(late.writes) == 4


def test_restore_of_a_run_that_lives_is_done_by_its_process(
    live: LiveAccount, switches: Switches
) -> None:
    site = live.domain("", "v1")
    running = switches.switch(site, bake="2h")
    running.await_phase("bake")
    looking = switches.start("attach", switches.run)
    asked = switches.call("restore", switches.run, *JSON)
    assert outcome(asked) == (0, "done"), asked.stderr
    assert "asking the process" in asked.stderr
    assert [s["outcome"] for s in asked.result["switches"]] == ["restored", "restored"]
    back = running.finish()
    assert outcome(back) == (1, "restored"), back.result
    assert "the operator has switched back" in back.result["reason"]
    seen = looking.finish()
    assert seen.code == 1, "as the run's own"
    assert f"↩ restored: {back.result['reason']}" in seen.stdout
    assert set(site.leads_to.values()) == {site.blue}
    assert len(site.writes) == 4, "by one process alone"
    assert not (switches.takeover.run_folder / "restores.jsonl").exists()


def test_restore_that_meets_the_end_of_the_run_leads_back_all_the_same(
    live: LiveAccount, switches: Switches
) -> None:
    site = live.domain()
    running = switches.switch(site, bake="10s")
    running.await_phase("bake")
    over = live.clock.now() + 10.0

    def look_slowly(*_: object) -> Fault | None:
        is_last = live.clock.now() > over and running.process.poll() is None
        return AnswerDelayed(seconds=3.5) if is_last else None

    site.befall(look_slowly)
    await_true(lambda: live.clock.now() > over, "the end of the bake")
    back = switches.call("restore", switches.run, *JSON)
    assert outcome(running.finish()) == (0, "done")
    assert outcome(back) == (0, "done"), back.stderr
    assert site.leads_to == {"": site.blue}
    assert site.writes == [Wrote(OURS, "", str(site.green)), Wrote(OURS, "", str(site.blue))]
