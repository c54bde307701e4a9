"""A gap needs no file of the program: an upgrade or a deleted checkout must not end a rescue."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from tests.cli.program import Program, cloud
from tests.cli.test_streams import is_release
from tests.e2e.simulated import await_true
from tests.process.test_keep_awake import INHIBIT, install

from route53_takeover.cli import preloading
from route53_takeover.simulation.aws.http.faults import (
    AnswerDelayed,
    AnswerLost,
    Refused,
    RequestLost,
)
from route53_takeover.simulation.aws.route53.nameserver import NameServers
from route53_takeover.simulation.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.cli.program import Cloud

    from route53_takeover.simulation.aws.http.faults import Fault

WATCHING = """
import sys
from route53_takeover.cli import app as cli
from route53_takeover.adapters.route53 import Route53Records

change, before = Route53Records.change, None

async def noting(self, *words):
    global before
    before = before or set(sys.modules)
    return await change(self, *words)

Route53Records.change = noting
try:
    cli.main()
finally:
    print("late:", *sorted(set(sys.modules) - before), file=sys.stderr)
"""
FAULTS: Sequence[Fault] = (
    Refused(),
    Refused(code="ExpiredToken", message="The security token included in the request is expired"),
    Refused(code="InternalFailure", message="", status=500),
    RequestLost(),
    AnswerLost(),
    AnswerDelayed(seconds=0.1),
)


@contextmanager
def name_servers(account: Cloud) -> Iterator[tuple[str, ...]]:
    servers = NameServers(account.world.zones, account._advance)

    def do(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, account._loop).result(10)

    yield tuple(do(servers.start()))
    do(servers.stop())


def test_every_module_of_ours_that_is_listed_exists() -> None:
    """One that does not is passed over in a run: a library's module may be of another version."""
    assert all(find_spec(f"route53_takeover.{name}") for name in preloading._OURS)


def test_a_run_that_restores_among_faults_loads_nothing_late_and_keeps_the_machine_awake(
    tmp_path: Path,
) -> None:
    program, troubles = Program(tmp_path), itertools.cycle(FAULTS)
    calls: Iterator[int] | None = None
    program.env["PATH"] = f"{tmp_path}:{program.env['PATH']}"
    lives = install(tmp_path, "systemd-inhibit", INHIBIT)

    def befall(operation: str, parameters: Mapping[str, Any]) -> Fault | None:
        nonlocal calls
        if calls is None and is_release(operation, parameters):
            calls = itertools.count(1)
            return None
        return next(troubles) if calls and next(calls) % 6 == 0 else None

    with (
        cloud(tmp_path, SCENARIOS["rolled-back"].account) as account,
        name_servers(account) as servers,
    ):
        account.befall(befall)
        asked = [f"--name-server={server}" for server in servers]
        words = ["run", "--auto", *account.target("--skip-off", *asked)]
        ended = subprocess.run(
            [sys.executable, "-c", WATCHING, *words],
            env=program.env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert "restored" in ended.stdout, ended.stdout + ended.stderr
    late = ended.stderr.rpartition("late:")[2].split()
    assert late == []
    assert (tmp_path / "systemd-inhibit.called").exists(), "the machine was kept awake"
    await_true(lambda: not lives(), "the end of what kept it awake")


def test_the_collector_does_not_go_through_what_was_loaded() -> None:
    """In a process of its own: a full collection takes as long as there is much to go through."""
    code = "import gc; from route53_takeover.cli import app, execution, preloading; "
    code += "preloading.preload(); print(len(gc.get_objects()), gc.get_freeze_count())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    watched, frozen = map(int, told.stdout.split())
    assert watched < frozen / 20
