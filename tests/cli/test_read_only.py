"""Commands that say that they only read cannot write: not even a defect of ours gets through."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import typer.main
from tests.cli.program import begun, cloud

from route53_takeover.cli import app
from route53_takeover.simulation.scenarios import cname, site_account

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Program

DEFECT = """
import sys
from route53_takeover.cli import app as cli
from route53_takeover.adapters.operation_allowlist import NotAllowedError
from route53_takeover.adapters.route53 import Route53Records
from route53_takeover.core.domain.record_sets import Change, RecordSet

read = Route53Records._record_sets
extra = RecordSet(name="defect.example.com.", type="TXT", ttl=60, values=('"x"',))

async def write_while_reading(self, zone_id, **start):
    try:
        await self.change(zone_id, [Change.create(extra)], "a defect")
    except NotAllowedError as error:
        print(f"stopped: {error}", file=sys.stderr)
    async for record in read(self, zone_id, **start):
        yield record

Route53Records._record_sets = write_while_reading
sys.argv[0] = "route53-takeover"
cli.main()
"""
CHANGE = "route53:ChangeResourceRecordSets"
READ_ONLY = ("plan", "policy", "restore --dry-run")


def with_the_defect(program: Program, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, with a defect that tries to write whenever it reads records."""
    return subprocess.run(
        [sys.executable, "-c", DEFECT, *words],
        env=program.env,
        cwd=program.home,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_the_commands_tested_here_are_all_that_say_that_they_only_read() -> None:
    said = set()
    for name, command in getattr(typer.main.get_command(app.app), "commands", {}).items():
        if "writes nothing" in command.help:
            said.add(name)
        if any("--dry-run" in option.opts for option in command.params):
            said.add(f"{name} --dry-run")
    assert said == set(READ_ONLY)


@pytest.mark.parametrize("command", [*READ_ONLY, "restore"])
def test_a_defect_that_writes_is_stopped_before_anything_is_sent(
    program: Program, tmp_path: Path, command: str
) -> None:
    name, *flags = command.split()
    with cloud(tmp_path, site_account(existing=cname(300))) as account:
        rest = account.target()
        if name == "restore":
            rest = [begun(program, account, cname(300)).name]
        ended = with_the_defect(program, name, *flags, *rest)
        assert ended.returncode == 0, ended.stderr
        arrived = account.do(lambda: account.server.calls[CHANGE])
        stopped = "stopped: route-53.ChangeResourceRecordSets" in ended.stderr
        assert (stopped, arrived) == ((True, 0) if command in READ_ONLY else (False, 1))
