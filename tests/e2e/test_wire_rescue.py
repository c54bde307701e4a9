"""Rescues over real HTTP: a network that changes, files that cannot be opened, many names at once.

CloudFormation never creates the record, or does so at its next try; how long each name had none is
told by the account's own history.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from msgspec.structs import replace
from tests.e2e.wired import wired
from tests.simulated_runs.test_a_rescue_depends_on_nothing import many_names, options_for
from tests.simulated_runs.test_many_stacks import many_stacks

from route53_takeover.adapters.deploy_process import ShellDeployer
from route53_takeover.base import private_files
from route53_takeover.core.endings import Outcome
from route53_takeover.simulation.aws.cloudformation.record_handler import Mode
from route53_takeover.simulation.chaos.runner import options_of
from route53_takeover.simulation.serve import rehearsal_options

if TYPE_CHECKING:
    from tests.e2e.wired import AccountClock, Wired

    from route53_takeover.core.plan.model import Options
    from route53_takeover.core.ports import Deployer
    from route53_takeover.simulation.scenarios import Scenario

SPEED = 5.0
DEADMAN = 12.0
FEW = 8.0
"""Seconds after the deadman, of a clock five times as fast as the machine's, which may be busy."""
READS = 5.0
"""Reads of Route 53 a second that the run allows itself."""
PAUSE = 8.0
"""Seconds of CloudFormation's pause between two tries, at most, so soon after it began."""
QUICK_DEPLOY = Path(__file__).with_name("quick_deploy.py")


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "ROUTE53_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


def options(scenario: Scenario, **changes: Any) -> Options:
    return options_for(scenario, deploy_off=None, restore_after=DEADMAN, **changes)


def empty(run: Wired) -> bool:
    return run.now_held() == 0


def test_a_network_that_changes_in_the_gap_does_not_delay_the_restore(tmp_path: Path) -> None:
    """Every open connection is dead without a word, and says so to no one."""
    scenario = many_names(1, Mode.NEVER)
    dead: list[int] = []

    async def main() -> list[float]:
        async with wired(scenario, options(scenario), speed=SPEED, folder=tmp_path) as run:

            def cut_and_back() -> bool:
                if not dead and empty(run):
                    dead.append(run.wire.cut())
                return bool(dead and run.now_held())

            await run.until(cut_and_back, 120)
            return run.gaps

    (gap,) = asyncio.run(main())
    assert dead[0] >= 2, "the pooled connections of both services"
    assert DEADMAN <= gap <= DEADMAN + FEW


@pytest.mark.parametrize("seconds", [2.1, 600.0], ids=["slow", "never"])
def test_reads_that_are_slow_or_never_answered_do_not_delay_the_restore(
    seconds: float, tmp_path: Path
) -> None:
    scenario = many_names(1, Mode.NEVER)

    async def main() -> list[float]:
        async with wired(scenario, options(scenario), speed=SPEED, folder=tmp_path) as run:

            def slow_and_back() -> bool:
                if empty(run):
                    run.wire.reads_take = seconds / SPEED
                return bool(run.wire.reads_take and run.now_held())

            await run.until(slow_and_back, 120)
            return run.gaps

    (gap,) = asyncio.run(main())
    assert DEADMAN <= gap <= DEADMAN + FEW


@pytest.mark.parametrize(
    ("number", "mode"), [(errno.EMFILE, Mode.NEVER), (errno.EACCES, Mode.RETRY)]
)
def test_a_deploy_whose_files_cannot_be_opened_in_the_gap_does_not_end_the_rescue(
    number: int, mode: Mode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = many_names(1, mode)
    command = rehearsal_options(scenario, tmp_path).deploy_on or ""
    quick = [sys.executable, "-I", "-S", str(QUICK_DEPLOY), *shlex.split(command)[-2:]]
    broken: list[str] = []

    def fail(path: Path) -> NoReturn:
        broken.append(str(path))
        raise OSError(number, os.strerror(number), str(path))

    def deployer(clock: AccountClock, endpoint_url: str) -> Deployer:
        return ShellDeployer(
            tmp_path,
            {"on": shlex.join(quick)},
            clock,
            timeout=300.0,
            environment=os.environ,
            region="us-east-1",
            endpoint_url=endpoint_url,
        )

    async def main() -> list[float]:
        asked = options(scenario)
        async with wired(
            scenario, asked, speed=SPEED, folder=tmp_path / "state", deployer=deployer
        ) as run:

            def breaks_and_back() -> bool:
                if run.world.stacks.attempts:  # CloudFormation retries: the release is next
                    monkeypatch.setattr(private_files, "is_locked", fail)
                return bool(run.gaps and run.now_held())

            await run.until(breaks_and_back, 120)
            return run.gaps

    (gap,) = asyncio.run(main())
    assert broken, "the deploy's files were looked at in vain"
    assert gap <= (DEADMAN + FEW if mode is Mode.NEVER else PAUSE)


def test_many_names_in_one_run_keep_pace(tmp_path: Path) -> None:
    """Each is released after one read of it, and put back in its own time.

    More than twice as many as can be read in the two seconds for which a read counts as fresh.
    """
    count = 24
    later = {
        f"Later{number}": {
            "Type": "AWS::S3::Bucket",
            "Metadata": {"Simulation": {"Seconds": 3.0 + number * 0.25}},
        }
        for number in range(count)
    }
    scenario = many_names(count, Mode.NEVER, **later)
    resources = scenario.account.template["Resources"]
    for number in range(1, count):  # CloudFormation does not create them all at once
        resources[f"Record{number}"]["DependsOn"] = f"Later{number}"
    deadman = 25.0  # on a busy machine all are released before the first of them is restored
    asked = replace(options(scenario), restore_after=deadman)

    async def main() -> tuple[list[float], list[float]]:
        async with wired(scenario, asked, speed=2.0, folder=tmp_path) as run:
            await run.until(lambda: len(run.gaps) == count == run.now_held(), 200)
            return run.gaps, run.released_at

    gaps, released = asyncio.run(main())
    assert max(gaps) <= deadman + FEW
    assert max(released) - min(released) <= count / READS + FEW


def test_a_tree_of_many_stacks_is_taken_over_over_the_wire(tmp_path: Path) -> None:
    scenario = many_stacks(70)
    asked = replace(options_of(scenario), deploy_off=None)

    async def main() -> list[float]:
        async with wired(scenario, asked, speed=SPEED, folder=tmp_path) as run:
            async with asyncio.timeout(90):
                state = await run.to_the_end()
            assert state.ending is not None
            assert state.ending.outcome is Outcome.DONE
            return run.gaps

    (gap,) = asyncio.run(main())
    assert gap <= PAUSE
