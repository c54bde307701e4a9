"""`rehearse` as users call it: a process, over the wire, and on virtual time."""

from __future__ import annotations

import socket
import stat
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.ministack import wait_until
from tests.e2e.processes import are_in_order

from route53_takeover.core.takeover.phases import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.processes import Finished, Takeover

SCENARIOS = {
    "alias": ("done", 0, "created"),
    "nested": ("done", 0, "created"),
    "cname": ("done", 0, "adopted"),
    "adopted": ("done", 0, "adopted"),
    "never-created": ("restored", 1, "restored"),
    "rolled-back": ("restored", 1, "restored"),
    "failed-at-once": ("failed", 1, "untouched"),
    "edited-meanwhile": ("failed", 1, "untouched"),
    "group": ("done", 0, "created"),
    "group-two-names": ("done", 0, "created"),
    "routed": ("done", 0, "created"),
    "bridge": ("done", 0, "created"),
    "adopt": ("done", 0, "adopted"),
    "weighted": ("done", 0, "created"),
    "killed-in-the-gap": ("done", 0, "created"),
    "machine-lost": ("restored", 1, "restored"),
    "many": ("done", 0, "created"),
}
"""Name -> the outcome, the exit code and the record's outcome."""
SWITCHES = {
    "blue-green": ("done", 0),
    "blue-green-cloudfront": ("done", 0),
    "blue-green-fails": ("restored", 1),
    "blue-green-refused": ("failed", 1),
    "blue-green-retired": ("done", 0),
    "blue-green-rule": ("done", 0),
    "blue-green-stolen": ("done", 0),
}
"""The same of switches, without a record."""
OVER_THE_WIRE = ("cname", "never-created", "edited-meanwhile", "weighted")
"""One of each outcome of a record. How all of them end is known from virtual time."""
PHASES = frozenset(map(str, Phase))
RESULT = {
    "event",
    "run",
    "seq",
    "time",
    "phase",
    "outcome",
    "exit_code",
    "reason",
    "owner_notice",
    "records",
    "api_calls",
}
RECORD = {
    "observed",
    "name",
    "type",
    "outcome",
    "strategy",
    "released_at",
    "created_at",
    "gap_seconds",
    "gap_seconds_dns",
    "set_identifier",
}
FILES = {
    "journal.jsonl",
    "plan.json",
    "backup.json",
    "takeover.log",
    "deploy-off.log",
    "deploy-on.log",
    "deploy-off.exit",
    "deploy-on.exit",
}


SPEEDS = {"cname": "60"}
"""Of those that wait for minutes; the others have their own."""


@pytest.fixture
def trapped(takeover: Takeover) -> Iterator[list[str]]:
    """Every AWS setting and proxy of the environment leads to a port; who called there."""
    with listening() as (port, callers):
        url = f"http://127.0.0.1:{port}"
        config = takeover.folder / "config"
        config.write_text(
            f"[default]\nendpoint_url = {url}\n[profile prod]\nendpoint_url = {url}\n"
        )
        proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        endpoints = ("", "_ROUTE_53", "_CLOUDFORMATION", "_STS")
        takeover.environment |= {
            "AWS_PROFILE": "prod",
            "AWS_CONFIG_FILE": str(config),
            "AWS_ACCESS_KEY_ID": "AKIAPRODUCTION",
            "AWS_SECRET_ACCESS_KEY": "production",
            **{f"AWS_ENDPOINT_URL{service}": url for service in endpoints},
            **dict.fromkeys(proxies, url),
            **dict.fromkeys(map(str.lower, proxies), url),
        }
        yield callers


@contextmanager
def listening() -> Iterator[tuple[int, list[str]]]:
    """A port where nothing may ever call, and who did."""
    callers: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    connection, address = server.accept()
                except OSError:
                    return
                connection.close()
                callers.append(str(address))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield server.getsockname()[1], callers
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def assert_json_lines(done: Finished) -> dict[str, Any]:
    """Every line is one the contract describes; returns the result."""
    lines = done.lines
    for line in lines:
        assert line.keys() >= {"run", "seq", "time", "phase", "event"}, line
        assert line["run"] == lines[0]["run"]
        assert line["phase"] in PHASES
    assert are_in_order(lines)
    assert [line["event"] for line in lines].count("result") == 1
    result = done.result
    assert result.keys() >= RESULT
    assert all(record.keys() == RECORD for record in result["records"])
    return result


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


def assert_run_folder(folder: Path) -> None:
    """It holds what the contract says, for its owner alone."""
    assert {path.name for path in folder.iterdir()} >= FILES
    assert {mode(path) for path in folder.iterdir()} == {"0o600"}
    assert {mode(folder), mode(folder.parent)} == {"0o700"}


@pytest.mark.parametrize("scenario", OVER_THE_WIRE)
def test_a_scenario_ends_as_it_is_listed_and_reaches_no_account_of_the_environments(
    scenario: str, takeover: Takeover, trapped: list[str]
) -> None:
    outcome, code, record_outcome = SCENARIOS[scenario]
    speed = ("--speed", SPEEDS.get(scenario, "30"))
    done = takeover.run("rehearse", "--auto", "--output", "json", "--scenario", scenario, *speed)
    result = assert_json_lines(done)
    assert (result["outcome"], done.code) == (outcome, code), result
    (record,) = result["records"]
    assert record["outcome"] == record_outcome
    assert record["name"] == "www.example.com"
    was_released = scenario in ("alias", "never-created")
    assert (record["released_at"] is not None) is was_released
    assert "diagnose" not in result["reason"], "its account has ended"
    assert ((record["gap_seconds"] or 0.0) > 0) is was_released
    assert (record["gap_seconds_dns"] is not None) is was_released
    assert (result["owner_notice"] is not None) is (outcome == "done")
    assert result["run"] == takeover.run_folder.name
    assert result["phase"] == "ended"
    assert "REHEARSAL" in done.stderr
    assert_run_folder(takeover.run_folder)
    wait_until(lambda: not takeover.leftovers(), "no process left behind", seconds=5)
    assert trapped == []


def test_the_list_says_how_every_scenario_ends(takeover: Takeover) -> None:
    done = takeover.run("rehearse", "--list", "--output", "json")
    listed = {line["name"]: (line["outcome"], line["exit_code"]) for line in done.lines}
    assert done.code == 0
    assert listed == {name: ends[:2] for name, ends in SCENARIOS.items()} | SWITCHES


def test_text_has_the_summary_on_stdout_and_progress_on_stderr_both_marked_as_a_rehearsal(
    takeover: Takeover,
) -> None:
    done = takeover.run("rehearse", "--auto", "--scenario", "failed-at-once")
    assert done.code == 1
    first, second, *_ = done.stdout.splitlines()
    assert first.startswith("REHEARSAL of failed-at-once")
    assert "failed: the stack ended UPDATE_ROLLBACK_COMPLETE" in second
    assert "watching the stack" not in done.stdout
    progress = [line for line in done.stderr.splitlines() if "watching the stack" in line]
    assert progress
    assert all(line.startswith("REHEARSAL ") for line in progress)
    listed = takeover.run("runs").stdout
    assert "REHEARSAL" in listed


def virtual(takeover: Takeover, runs: int, seed: int) -> Finished:
    numbers = ("--runs", str(runs), "--seed", str(seed))
    return takeover.run("rehearse", "--virtual", *numbers, "--output", "json", seconds=200)


def test_dozens_of_rehearsals_on_virtual_time_lose_no_record(takeover: Takeover) -> None:
    done = virtual(takeover, 50, 1)
    *each, summary = done.lines
    assert done.code == 0
    assert summary.keys() >= {"event", "runs", "seed", "outcomes", "without_record", "gap_seconds"}
    assert (summary["event"], summary["runs"], summary["seed"]) == ("summary", 50, 1)
    assert summary["without_record"] == 0
    assert len(summary["outcomes"]) >= 2
    assert sum(summary["outcomes"].values()) == len(each) == 50
    assert {line["event"] for line in each} == {"result"}
    assert all(line.keys() >= RESULT for line in each)
    assert summary["gap_seconds"].keys() == {"p50", "p90", "p99", "max"}


def test_the_same_seed_prints_the_same_and_another_seed_another(takeover: Takeover) -> None:
    first, again, other = (virtual(takeover, 12, seed) for seed in (7, 7, 8))
    assert first.stdout == again.stdout
    assert first.lines[-1]["gap_seconds"] != other.lines[-1]["gap_seconds"]
