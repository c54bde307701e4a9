"""Whatever becomes of stdout, stderr and the disk, a name does not stay without its record."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.program import disk_of, plain_error

from route53_takeover.simulation.aws.http.faults import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cli.program import Cloud, Program

RUN = ("run", "--auto", "--output=json")


def is_release(operation: str, parameters: Mapping[str, Any]) -> bool:
    """Whether this call takes the manual record away."""
    if operation != "route53:ChangeResourceRecordSets":
        return False
    return [change["Action"] for change in parameters["ChangeBatch"]["Changes"]] == ["DELETE"]


def taken_over(account: Cloud) -> bool:
    """Whether the stack's record stands."""
    aliases = [record.alias for record in account.here()]
    return [a and a.dns_name for a in aliases] == ["d1new.cloudfront.net."]


def until(account: Cloud) -> None:
    """Waits until the stack is complete with its record."""
    for _ in range(300):
        stack = account.world.stacks.find("shop")
        if taken_over(account) and stack and not stack.is_busy:
            return
        time.sleep(0.1)  # noqa: TID251 -- the world's pace
    raise AssertionError("the stack never got its record")


def test_a_reader_who_leaves_after_the_first_line_does_not_end_the_run(
    program: Program, account: Cloud
) -> None:
    words = [*RUN, *account.target("--skip-off")]
    process = program.start(*words, preexec_fn=lambda: os.close(2))
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(30) == 0
    assert process.stderr is not None
    process.stderr.close()
    assert taken_over(account)
    assert "done" in program("runs").out


def test_a_reader_who_stops_reading_does_not_hold_the_run_up(
    program: Program, account: Cloud
) -> None:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, getattr(fcntl, "F_SETPIPE_SZ", 1031), 4096)
    words = [*RUN, *account.target("--skip-off")]
    process = program.start(*words, stdout=writing, stderr=subprocess.DEVNULL)
    os.close(writing)
    until(account)  # no byte has been read so far
    with os.fdopen(reading) as out:
        text = out.read()
    assert process.wait(10) == 0
    assert '"event": "result"' in text.splitlines()[-1]


@pytest.mark.parametrize("words", [("--help",), ("runs", "-q"), ("rehearse", "--list")])
def test_a_closed_stdout_is_no_traceback(program: Program, words: tuple[str, ...]) -> None:
    ended = program(*words, stdout=None, preexec_fn=lambda: os.close(1))
    assert ended.err == ""


def test_a_closed_stdin_is_no_terminal(program: Program) -> None:
    asked = program("rehearse", preexec_fn=lambda: os.close(0))
    plain_error(asked, 2, "no terminal", hint="--auto")


def test_a_full_disk_before_a_release_is_reported_and_nothing_is_released(
    program: Program, account: Cloud
) -> None:
    ended = program(*RUN, *account.target("--skip-off"), preexec_fn=disk_of(0))
    plain_error(ended, 2, str(program.state), hint="--state-dir")
    assert program.folders() == []
    assert account.writes() == ["a person"]

    ended = program(*RUN, *account.target("--skip-off"), preexec_fn=disk_of(3000))
    assert ended.code in (1, 2)
    assert "cloudformation" not in account.writes()
    assert len(account.here()) == 1


def test_a_disk_that_fills_in_the_gap_does_not_stop_the_rescue(
    program: Program, account: Cloud
) -> None:
    released: list[bool] = []

    def fill(operation: str, parameters: Mapping[str, Any]) -> None:
        if is_release(operation, parameters) and not released:
            released.append(True)
            journal = program.folder / "journal.jsonl"
            size = journal.stat().st_size + 10
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, size))

    account.befall(fill)
    process = program.start("run", "--auto", *account.target("--skip-off"))
    ended = program.end_of(process, timeout=60)
    assert released
    assert ended.code == 4
    assert "journal" in ended.out
    assert len(account.here()) == 1
    assert "resume" in ended.out


def test_credentials_that_expire_in_the_gap_are_waited_for(
    program: Program, account: Cloud
) -> None:
    bad_until: list[float] = []

    def expire(operation: str, parameters: Mapping[str, Any]) -> Refused | None:
        if is_release(operation, parameters):
            bad_until.append(time.monotonic() + 3)  # noqa: TID251 -- a fault in real time
            return None
        if bad_until and time.monotonic() < bad_until[0]:  # noqa: TID251
            return Refused(code="ExpiredToken", message="The token is expired", status=403)
        return None

    account.befall(expire)
    ended = program("run", "--auto", *account.target("--skip-off"))
    assert (ended.code, bool(bad_until)) == (0, True)
    assert taken_over(account)
    assert ended.err.count("The token is expired") == 1
    assert "--profile" in ended.err


def test_a_state_folder_that_cannot_be_written_is_reported_before_anything_is_done(
    program: Program, account: Cloud
) -> None:
    program.state.write_text("a file\n")
    plain_error(program(*RUN, *account.target()), 2, str(program.state), hint="--state-dir")
    plain_error(program("runs", "--output=json"), 2, str(program.state))
    assert account.writes() == ["a person"]
    if os.geteuid() == 0:
        return  # whom no mode keeps out
    program.state.unlink()
    program.state.mkdir(mode=0o500)
    plain_error(program(*RUN, *account.target()), 2, str(program.state), hint="--state-dir")


def test_two_runs_never_work_on_one_name_and_a_signal_undoes(
    program: Program, account: Cloud
) -> None:
    first = program.start(*RUN, *account.target("--deploy-timeout=60", deploy="sleep 50"))
    try:
        assert first.stdout is not None
        while '"deploy-intended"' not in first.stdout.readline():
            assert first.poll() is None
        plain_error(program(*RUN, *account.target()), 3, "another run", "www.example.com")
        name = program.folder.name
        ended = program(*RUN, "--state-dir=other", *account.target())
        plain_error(ended, 3, "another run", f"{name} in {program.state}", hint=f"attach {name}")
        ended = program("resume", name, "--auto", "--output=json")
        plain_error(ended, 3, "another run")
        assert ended.result["run"] == name
    finally:
        first.send_signal(signal.SIGTERM)
    ended = program.end_of(first)
    assert ended.code == 130
    assert ended.result["outcome"] == "aborted"
    assert taken_over(account) is False


def test_restore_of_a_live_run_is_done_by_its_own_process(program: Program, account: Cloud) -> None:
    first = program.start(*RUN, *account.target("--deploy-timeout=60", deploy="sleep 50"))
    assert first.stdout is not None
    while '"deploy-intended"' not in first.stdout.readline():
        assert first.poll() is None
    restored = program("restore", program.folder.name, "--output=json")
    assert (restored.code, restored.result["outcome"]) == (0, "done")
    ended = program.end_of(first)
    assert (ended.code, ended.result["outcome"]) == (1, "aborted")


def test_q_prints_only_errors_and_the_result_and_v_prints_more(
    program: Program, account: Cloud
) -> None:
    reported = {}
    for flag in ("-q", "-v"):
        ended = program("run", "--auto", *account.target("--skip-off", flag, deploy="true"))
        assert ended.code == 1
        assert "failed" in ended.out
        reported[flag] = ended.err
    assert reported["-q"] == ""
    assert "Route 53 accepted the batch" in reported["-v"]
