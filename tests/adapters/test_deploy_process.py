"""A deploy command outlives us, is started once, and its end is known to a later process."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.adapters.deploy_process import ShellDeployer, command_environment
from route53_takeover.base.escaping import plain_tail
from route53_takeover.core.ports import DeployExit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    made = tmp_path / "a run's folder"
    made.mkdir(mode=0o700)
    yield made
    for path in made.glob("*.pid"):  # no command of a failed test lives on
        with suppress(OSError, ValueError):
            os.killpg(int(path.read_text()), signal.SIGKILL)


def deployer(
    folder: Path,
    command: str,
    *,
    timeout: float = 60.0,
    speed: float = 1.0,
    profile: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
) -> ShellDeployer:
    return ShellDeployer(
        folder,
        {"off": command, "on": command},
        SystemClock(speed),
        timeout=timeout,
        environment=dict(os.environ),
        profile=profile,
        region=region,
        endpoint_url=endpoint_url,
    )


async def until_exists(path: Path) -> None:
    async with asyncio.timeout(10):
        while True:  # another process makes it
            if os.access(path, os.F_OK):
                return
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("code", [0, 3])
async def test_the_exit_status_is_passed_on_and_written_down(folder: Path, code: int) -> None:
    command = deployer(folder, f"echo working; echo trouble >&2; exit {code}")
    assert not command.ever_started("on")
    assert await command.run("on") == DeployExit(code=code, tail="working\ntrouble")
    assert (folder / "deploy-on.exit").read_text() == f"{code}\n"
    assert command.ever_started("on")
    assert not command.ever_started("off")


async def test_a_missing_command_is_127_and_its_tail_says_which(folder: Path) -> None:
    ended = await deployer(folder, "no-such-command --yes").run("on")
    assert ended.code == 127
    assert "no-such-command" in ended.tail


async def test_a_command_that_cannot_be_started_is_a_failed_deploy(folder: Path) -> None:
    command = ShellDeployer(
        folder,
        {"on": "true"},
        SystemClock(),
        timeout=5,
        environment={},
        cwd=folder / "gone",
    )
    ended = await command.run("on")
    assert ended.code == 126
    assert "gone" in ended.tail


@pytest.mark.parametrize(("switch", "enable"), [("off", "false"), ("on", "true")])
async def test_a_command_meets_the_account_that_we_watch(
    folder: Path, monkeypatch: pytest.MonkeyPatch, switch: str, enable: str
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "another account's")
    command = deployer(
        folder,
        "env; cat",
        profile="prod",
        region="eu-west-1",
        endpoint_url="http://127.0.0.1:9",
    )
    await command.run(switch)
    printed = set((folder / f"deploy-{switch}.log").read_text().splitlines())
    assert {
        f"ROUTE53_ENABLE={enable}",
        "AWS_PROFILE=prod",
        "AWS_REGION=eu-west-1",
        "AWS_DEFAULT_REGION=eu-west-1",
        "AWS_ENDPOINT_URL=http://127.0.0.1:9",
    } <= printed
    assert not any(line.startswith(("AWS_ACCESS", "AWS_SECRET", "AWS_SESSION")) for line in printed)


async def test_without_a_profile_the_environment_s_credentials_stay(folder: Path) -> None:
    ended = await deployer(folder, "echo $AWS_ACCESS_KEY_ID $AWS_PROFILE").run("on")
    assert ended.tail == "testing"


async def test_output_goes_to_the_log_only_and_no_other_user_can_read_it(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    await deployer(folder, "echo out; echo err >&2").run("on")
    assert capfd.readouterr() == ("", "")
    for name in ("deploy-on.log", "deploy-on.exit", "deploy-on.pid"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


STARTER = """
import asyncio, os, pathlib, sys
from route53_takeover.adapters.clock import SystemClock
from route53_takeover.adapters.deploy_process import ShellDeployer

asyncio.run(ShellDeployer(
    pathlib.Path(sys.argv[1]), {"on": sys.argv[2]}, SystemClock(),
    timeout=60, environment=dict(os.environ),
).run("on"))
"""


async def test_a_command_outlives_the_kill_of_our_process_and_is_rejoined(folder: Path) -> None:
    go_on = folder / "go-on"
    script = f"echo started; while [ ! -e '{go_on.name}' ]; do sleep 0.05; done; echo ended; exit 5"
    starter = (sys.executable, "-c", STARTER, str(folder), script)
    process = await asyncio.create_subprocess_exec(*starter, cwd=folder, start_new_session=True)
    await until_exists(folder / "deploy-on.pid")
    os.killpg(process.pid, signal.SIGKILL)  # as when a terminal or a container goes
    await process.wait()

    later = deployer(folder, "echo started twice")
    assert later.ever_started("on")
    waiting = asyncio.create_task(later.rejoin("on"))
    done, _ = await asyncio.wait({waiting}, timeout=0.6)
    assert not done
    go_on.touch()
    assert await waiting == DeployExit(code=5, tail="started\nended")
    assert await later.rejoin("on") == DeployExit(code=5, tail="started\nended")


async def test_running_a_command_that_is_alive_waits_for_it_instead(folder: Path) -> None:
    first = asyncio.create_task(deployer(folder, "sleep 0.5; echo first").run("on"))
    await until_exists(folder / "deploy-on.pid")
    assert (await deployer(folder, "echo second").run("on")).tail == "first"
    assert (await first).tail == "first"


async def test_a_command_that_died_without_a_status_is_unknown(folder: Path) -> None:
    command = deployer(folder, "echo started; kill -9 -$PPID")
    assert await command.run("on") == DeployExit(code=None, tail="started")


async def test_rejoining_what_never_began_starts_nothing(folder: Path) -> None:
    (folder / "deploy-on.log").touch()  # we died between making the log and starting it
    command = deployer(folder, "touch started")
    assert command.ever_started("on")
    assert await command.rejoin("on") == DeployExit(code=None)
    assert await command.rejoin("off") == DeployExit(code=None)
    assert not (folder / "deploy-off.log").exists()


async def test_cancelling_us_does_not_cancel_the_command(folder: Path) -> None:
    command = deployer(folder, "sleep 0.5; echo finished")
    running = asyncio.create_task(command.run("on"))
    await until_exists(folder / "deploy-on.pid")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await command.rejoin("on") == DeployExit(code=0, tail="finished")


async def test_a_process_left_behind_does_not_keep_the_deploy_going(folder: Path) -> None:
    command = deployer(folder, "sleep 20 & exit 0")
    async with asyncio.timeout(5):
        assert (await command.run("on")).code == 0


async def test_after_the_time_out_the_command_is_asked_to_end(folder: Path) -> None:
    command = deployer(folder, "trap 'echo leaving; exit 9' TERM; sleep 30 & wait", timeout=0.5)
    assert await command.run("on") == DeployExit(code=9, tail="leaving", timed_out=True)


async def test_a_command_that_ignores_it_is_killed(folder: Path) -> None:
    command = deployer(folder, "trap '' TERM; while :; do sleep 0.1; done", timeout=10, speed=20)
    async with asyncio.timeout(10):
        ended = await command.run("on")
    assert (ended.code, ended.timed_out) == (None, True)
    assert not command._alive("on")


async def test_a_status_left_from_before_is_not_taken_for_the_new_one(folder: Path) -> None:
    (folder / "deploy-on.exit").write_text("0\n")
    assert (await deployer(folder, "sleep 0.3; exit 4").run("on")).code == 4


async def test_a_log_is_added_to_never_emptied(folder: Path) -> None:
    (folder / "deploy-on.log").write_text("before\n")
    assert (await deployer(folder, "echo after").run("on")).tail == "before\nafter"


def test_a_tail_is_the_last_lines_without_anything_a_terminal_would_obey() -> None:
    output = b"\n".join(b"line %d" % n for n in range(30)) + (
        b"\n\x1b[1;32mgreen\x1b[0m\x1b]0;title\x07 \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\"
        b"\r\n 10%\r100%\n\x00\x07bell\x9b1m \xff \xe2\x80\xaeabc\n"
    )
    lines = plain_tail(output).split("\n")
    assert len(lines) == 20
    assert lines[:2] == ["line 13", "line 14"]
    assert lines[-3:] == ["green link", "100%", "bell\ufffd1m \ufffd abc"]


def test_a_given_endpoint_wins_over_every_other_that_the_environment_names() -> None:
    inherited = {
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "AWS_ENDPOINT_URL_CLOUDFORMATION": "https://elsewhere.example",
        "HOME": "/home/someone",
    }
    given = command_environment(inherited, None, None, "http://127.0.0.1:4566")
    assert given == {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "HOME": "/home/someone"}
    assert command_environment(inherited, None, None, None) == inherited
