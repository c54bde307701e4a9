"""The command, in this process or in one of its own, and a simulated account in a thread."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace
from tests.cli.in_process import call_main

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.core.domain.stacks import StackDescription
from route53_takeover.core.plan.model import Manual, Options, Plan
from route53_takeover.simulation.aws.account import SimulatedAccount
from route53_takeover.simulation.aws.cloudformation import api as cloudformation_api
from route53_takeover.simulation.aws.http.server import AccountServer
from route53_takeover.simulation.aws.route53 import api as route53_api
from route53_takeover.simulation.scenarios import site_account
from route53_takeover.simulation.serve import with_deadman
from route53_takeover.storage.config import Connection
from route53_takeover.storage.run_folder import RunFolder, Saved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.model import LoweredSoa
    from route53_takeover.simulation.aws.account import AccountSetup
    from route53_takeover.simulation.aws.http.faults import Fault

PROGRAM = Path(sys.executable).with_name("route53-takeover")
WWW = "www.example.com."
SECRET = "planted/secret/ACCESS/key/0123456789abcd"  # noqa: S105 -- planted, to be looked for
TOKEN = "planted-session-token-0123456789"  # noqa: S105 -- the same
SPEED = 10.0
"""How many of the account's seconds pass in one of ours."""

_Value = TypeVar("_Value")


def machine_of_its_own(home: Path) -> dict[str, str]:
    """Variables by which a test meets no run of another test, nor of the developer's."""
    folder = home / "machine"
    folder.mkdir(mode=0o700, exist_ok=True)
    return {"XDG_RUNTIME_DIR": str(folder), "TMPDIR": str(folder)}


class Ended(Struct, frozen=True, kw_only=True):
    """How the command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """stdout as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def result(self) -> dict[str, Any]:
        """The last line, which the contract says is the result, and no other line is."""
        *before, last = self.lines
        assert last["event"] == "result", last
        assert last["exit_code"] == self.code
        assert all(line["event"] != "result" for line in before)
        return last


def checked(ended: Ended) -> Ended:
    """Checks what holds of every end."""
    assert "Traceback" not in ended.out + ended.err, ended.err
    assert "Exception ignored" not in ended.err, ended.err
    assert SECRET not in ended.out + ended.err
    assert TOKEN not in ended.out + ended.err
    return ended


class Program:
    """Calls the command in an environment that holds nothing of the developer's.

    Args:
        home: an empty folder: the home, the working directory and the state's.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.state = home / "state"
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "AWS_ACCESS_KEY_ID": "AKIDPLANTED",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_SESSION_TOKEN": TOKEN,
            "AWS_REGION": "us-east-1",
            "AWS_CONFIG_FILE": str(home / "aws-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(home / "aws-credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "ROUTE53_TAKEOVER_STATE_DIR": str(self.state),
            "NO_PROXY": "*",
            **machine_of_its_own(home),
        }

    def start(self, *words: str, **popen: Any) -> subprocess.Popen[str]:
        """Starts it; its output goes to pipes unless ``popen`` says otherwise."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        more: dict[str, Any] = {"env": self.env, "cwd": self.home, **pipes, **popen}
        return subprocess.Popen([PROGRAM, *words], text=True, **more)

    def __call__(self, *words: str, timeout: float = 30.0, **popen: Any) -> Ended:
        """Runs it to its end, which must not be a traceback.

        In this process, which saves a second of CPU time, but for a test that starts several at
        once, or says how the process is to be started.
        """
        if popen or threading.current_thread() is not threading.main_thread():
            return self.end_of(self.start(*words, **popen), timeout)
        code, out, err = call_main(words, self.env, self.home)
        return checked(Ended(code=code, out=out, err=err))

    def end_of(self, process: subprocess.Popen[str], timeout: float = 30.0) -> Ended:
        """Waits for its end."""
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"it did not end in {timeout} s:\n{out}\n{err}") from None
        return checked(Ended(code=process.returncode, out=out or "", err=err or ""))

    def folders(self) -> list[Path]:
        """The folders of the runs so far."""
        runs = self.state / "runs"
        return sorted(runs.iterdir()) if runs.is_dir() else []

    @property
    def folder(self) -> Path:
        """The folder of the only run."""
        (only,) = self.folders()
        return only


class Cloud:
    """A simulated account that a thread serves, and that a deploy command can update.

    Args:
        age: seconds before now that the account's present is at, until it is served.
    """

    def __init__(self, account: AccountSetup, home: Path, *, age: float = 0.0) -> None:
        self.clock = SystemClock(SPEED)
        self.world = SimulatedAccount(account, seed="1", start=self.clock.now() - 3600.0 - age)
        self.server = AccountServer(
            {
                "route53": route53_api.operations(self.world.zones),
                "cloudformation": cloudformation_api.operations(self.world.stacks),
                "sts": route53_api.identity(),
                **with_deadman(self.world.step_functions),
            },
            before=self._advance,
        )
        self.url = ""
        self._home = home
        self._loop = asyncio.new_event_loop()

    def _advance(self) -> None:
        self.world.timeline.advance(self.clock.now())

    @property
    def deploy(self) -> str:
        """A deploy command: asks the account to deploy, and waits for the end."""
        return (
            "touch asked-$ROUTE53_ENABLE; "
            "while ! test -s ended-$ROUTE53_ENABLE; do sleep 0.05; done; "
            "exit $(cat ended-$ROUTE53_ENABLE)"
        )

    def do(self, act: Callable[[], _Value]) -> _Value:
        """Does something in the account's own thread."""
        done: Future[_Value] = Future()

        def work() -> None:
            self._advance()
            try:
                done.set_result(act())
            except Exception as error:  # noqa: BLE001 -- the caller's
                done.set_exception(error)

        self._loop.call_soon_threadsafe(work)
        return done.result(10)

    def here(self) -> tuple[RecordSet, ...]:
        """What stands at the name."""
        return self.do(lambda: self.world.holds(WWW))

    def writes(self) -> list[str]:
        """Who wrote in the zone so far."""
        return self.do(lambda: [change.by for change in self.world.zones.history])

    def befall(self, fault: Callable[[str, Mapping[str, Any]], Fault | None] | None) -> None:
        """Lets faults befall the calls from now on."""
        self.server.fault = fault

    def serve(self) -> None:
        """The thread's work."""
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._watch_deploys())

    async def _watch_deploys(self) -> None:
        self._stopped = asyncio.Event()
        self.url = await self.server.start()
        self._ready.set()
        try:
            while not self._stopped.is_set():
                self._advance()
                for switch, word in (("off", "false"), ("on", "true")):
                    self._look(switch, word)
                await asyncio.sleep(0.05)
        finally:
            await self.server.stop()
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            for task in rest:  # of clients that were killed
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

    def _look(self, switch: str, word: str) -> None:
        asked, ended = self._home / f"asked-{word}", self._home / f"ended-{word}"
        if asked.exists():
            asked.unlink()
            ended.unlink(missing_ok=True)
            self.world.deploys[switch] = None
            self.world.deploy(switch)
        elif self.world.deploys.get(switch) is not None and not ended.exists():
            ended.write_text(f"{self.world.deploys[switch]}\n")

    @contextmanager
    def running(self) -> Iterator[Cloud]:
        """Serves until the context ends."""
        self._ready = threading.Event()
        thread = threading.Thread(target=self.serve, daemon=True)
        thread.start()
        try:
            assert self._ready.wait(10)
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._stopped.set)
            thread.join(10)
            self._loop.close()

    def target(self, *more: str, deploy: str | None = None) -> list[str]:
        """The options that take www.example.com over, as quickly as can be."""
        return [
            "--stack=shop",
            "--record=www.example.com",
            f"--endpoint-url={self.url}",
            f"--deploy={self.deploy if deploy is None else deploy}",
            "--hold=0.3",
            "--settle=0.3",
            *more,
        ]


@contextmanager
def cloud(home: Path, account: AccountSetup | None = None) -> Iterator[Cloud]:
    """An account whose stack ``shop`` exists with the switch off."""
    with Cloud(account or site_account(), home).running() as served:
        yield served


def unfinished_run(
    program: Program, account: Cloud, *originals: RecordSet, soa: LoweredSoa | None = None
) -> RunFolder:
    """The folder of a run whose process died, and that had lowered the TTLs to 60 s."""
    path = program.state / "runs" / "20260101-000000-shop"
    path.mkdir(parents=True)
    stack = account.do(lambda: account.world.stacks.find("shop"))
    assert stack is not None
    plan = Plan(
        options=Options(stack="shop", records=("www.example.com",), ttl=60),
        zone_id=account.world.zone.zone_id,
        zone_name="example.com.",
        zone_private=False,
        zone_is_unique=True,
        name_servers=(),
        root=StackDescription(stack_id=stack.stack_id, stack_name="shop", status="UPDATE_COMPLETE"),
        account="123456789012",
        manuals=tuple(Manual(original=r, lowered=replace(r, ttl=60)) for r in originals),
        soa=soa,
    )
    folder = RunFolder(path)
    connection = Connection(region="us-east-1", endpoint_url=account.url)
    folder.save_plan(
        Saved(run=path.name, begun=1.0, plan=plan, connection=connection, cwd=str(program.home))
    )
    folder.save_backup(plan)
    return folder


def failed_run(program: Program, account: Cloud) -> Path:
    """The folder of a run that is over: its deploy deployed nothing."""
    assert program("run", "--auto", *account.target("--skip-off", deploy="true")).code == 1
    return program.folder


def failed_deploy(account: Cloud) -> None:
    """A deploy with the switch on, which CloudFormation rolls back in no time."""
    world = account.world
    world.stacks.update_stack("shop", world.account.template, {"Route53Enable": "true"})
    world.timeline.advance(world.timeline.now + 900)


def disk_of(size: int) -> Callable[[], None]:
    """For ``preexec_fn``: no file of the process grows beyond so many bytes, as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def plain_error(ended: Ended, code: int, *words: str, hint: str = "") -> str:
    """Checks that an error is told as all are: one line of what, one of what to do.

    With ``--output json`` the result says the same; a usage error has none, and neither has
    anything on stdout. Returns the line.
    """
    assert ended.code == code, (ended.code, ended.out[-2000:], ended.err)
    lines = ended.err.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith("error: ")]
    line = lines[at]
    for word in words:
        assert word in line, (word, line)
    assert len(lines) > at + 1, f"no hint after {line}"
    assert lines[at + 1].startswith("  "), lines
    assert hint in lines[at + 1], (hint, lines)
    if code == 2:
        assert ended.out == ""
    elif ended.out.startswith("{"):
        assert line.removeprefix("error: ") in ended.result["reason"]
    return line


def usage_error(ended: Ended, *words: str) -> None:
    """Checks a usage error, which typer may have told in its own form."""
    assert ended.code == 2, (ended.code, ended.out, ended.err)
    assert ended.out == ""
    reported = [line for line in ended.err.splitlines() if line.casefold().startswith("error: ")]
    assert len(reported) == 1, ended.err
    for word in words:
        assert word in ended.err, (word, ended.err)
