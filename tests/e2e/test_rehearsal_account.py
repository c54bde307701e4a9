"""The simulated account of a rehearsal: a process that outlives the run's, and never its use."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

from tests.e2e.ministack import wait_until

from route53_takeover.process.account_socket import AccountOrder, start_account

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest
    from tests.e2e.processes import Running, Takeover

JSON = ("--auto", "--output", "json")
REFUSED = 3


def in_the_gap(takeover: Takeover) -> Running:
    """A rehearsal whose name has no record, and gets none for long enough."""
    running = takeover.start(
        "rehearse", *JSON, "--scenario", "never-created", "--speed", "5", "--seed", "1"
    )
    running.await_line(lambda line: line["event"] == "gap-opened", "the gap", seconds=60)
    return running


def accounts(takeover: Takeover) -> list[Path]:
    """The folders of the accounts that there are."""
    machine = takeover.folder / "machine"
    return [folder.parent for folder in machine.glob("route53-takeover-*/account.sock")]


def assert_nothing_left(takeover: Takeover) -> None:
    wait_until(lambda: not takeover.leftovers(), "no process left behind", seconds=10)
    assert accounts(takeover) == []


def ends(result: Mapping[str, Any]) -> tuple[str, int, list[str]]:
    return result["outcome"], result["exit_code"], [r["outcome"] for r in result["records"]]


def test_a_killed_rehearsal_is_resumed_in_the_account_that_still_lives(takeover: Takeover) -> None:
    in_the_gap(takeover).kill()
    assert len(accounts(takeover)) == 1
    done = takeover.run("resume", takeover.run_folder.name, *JSON, seconds=90)
    assert ends(done.result) == ("restored", 1, ["restored"])
    assert any(event["event"] == "RunResumed" for event in takeover.journal)
    assert_nothing_left(takeover)
    ended = takeover.run("resume", takeover.run_folder.name, *JSON)
    assert ended.result["outcome"] == "restored"
    assert takeover.run("restore", takeover.run_folder.name).code == REFUSED


def test_a_killed_rehearsal_is_restored_while_its_account_lives(takeover: Takeover) -> None:
    in_the_gap(takeover).kill()
    restored = takeover.run("restore", takeover.run_folder.name, "--force", "--output", "json")
    assert restored.code == 0, restored.stderr
    (account,) = accounts(takeover)
    end_of(takeover, account)
    refused = takeover.run("restore", takeover.run_folder.name, "--force", "--output", "json")
    assert refused.code == REFUSED
    assert "no longer exists" in refused.stderr
    assert takeover.run("resume", takeover.run_folder.name, *JSON).code == REFUSED


def end_of(takeover: Takeover, account: Path) -> None:
    """Ends an account from outside, as a logout does."""
    for pid in takeover.leftovers():
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not account.exists(), "the account has ended", seconds=10)


def test_the_rehearsal_kills_the_run_in_the_gap_and_resumes_it(takeover: Takeover) -> None:
    done = takeover.run("rehearse", *JSON, "--scenario", "killed-in-the-gap", seconds=90)
    assert ends(done.result) == ("done", 0, ["created"])
    assert done.stderr.count("The rehearsal has killed the run's process") == 1
    lines = [line["event"] for line in done.lines]
    assert lines.count("gap-opened") == lines.count("gap-closed") == 1
    assert lines.index("gap-opened") < lines.index("run-resumed")
    assert_nothing_left(takeover)


def test_two_rehearsals_at_once_do_not_lock_each_other_out(takeover: Takeover) -> None:
    both = [takeover.start("rehearse", *JSON, "--scenario", "adopted") for _ in range(2)]
    ended = [running.finish(90) for running in both]
    assert [done.result["outcome"] for done in ended] == ["done", "done"]
    runs = {done.result["run"] for done in ended}
    assert len(runs) == 2
    assert_nothing_left(takeover)


def test_ctrl_c_ends_the_account_with_the_run(takeover: Takeover) -> None:
    running = takeover.start("rehearse", *JSON, "--scenario", "cname")
    running.await_phase("drain")
    running.send(signal.SIGINT)
    assert running.finish().code == 130
    assert_nothing_left(takeover)


def test_an_account_that_nothing_asks_ends_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    order = AccountOrder(
        scenario="alias", seed=1, speed=1.0, state_dir="", log_level="info", idle=1.0
    )
    with start_account(order) as account:
        time.sleep(2.0)  # noqa: TID251 -- longer than it would live without a run
        assert account.folder.exists()
    assert account.process is not None
    assert account.process.wait(10) == 0
    assert not account.folder.exists()
