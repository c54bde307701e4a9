"""Commands that say that they only read cannot write: not even a defect of ours gets through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import typer.main
from tests.cli.program import cloud, failed_deploy, unfinished_run
from tests.cli.retired_cloud import retired_cloud
from tests.retired_account import HOLDING

from route53_takeover.adapters.operation_allowlist import NotAllowedError
from route53_takeover.adapters.route53 import Route53Records
from route53_takeover.base.errors import RejectedChangeError
from route53_takeover.cli import app
from route53_takeover.core.domain.record_sets import Change, RecordSet
from route53_takeover.simulation.scenarios import cname, site_account

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.cli.program import Program

EXTRA = RecordSet(name="defect.example.com.", type="TXT", ttl=60, values=('"x"',))
CHANGE = "route53:ChangeResourceRecordSets"
READ_ONLY = (
    *("diagnose", "plan", "policy", "restore --dry-run", "retire --dry-run", "run --dry-run"),
)
"""`switch --dry-run` is in `tests.cli.commands.test_switch_preview`."""


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A defect that tries to write whenever records are read; how it was stopped."""
    read = Route53Records._pages
    reported: list[str] = []

    async def write_while_reading(
        records: Route53Records, zone_id: str, **start: Any
    ) -> AsyncIterator[list[RecordSet]]:
        try:
            await records.change(zone_id, [Change.create(EXTRA)], "a defect")
        except NotAllowedError as error:
            reported.append(str(error))
        except RejectedChangeError:
            pass  # in the simulated account of a dry run, where it stands by now
        async for page in read(records, zone_id, **start):
            yield page

    monkeypatch.setattr(Route53Records, "_pages", write_while_reading)
    return reported


def test_the_commands_tested_here_are_all_that_say_that_they_only_read() -> None:
    said = set()
    for name, command in getattr(typer.main.get_command(app.app), "commands", {}).items():
        if "writes nothing" in command.help:
            said.add(name)
        if any("--dry-run" in option.opts for option in command.params):
            said.add(f"{name} --dry-run")
    assert said == {*READ_ONLY, "switch --dry-run"}


@pytest.mark.parametrize("command", [*READ_ONLY, "restore"])
def test_a_defect_that_writes_is_stopped_before_anything_is_sent(
    program: Program, tmp_path: Path, stopped: list[str], command: str
) -> None:
    name, *flags = command.split()
    with (
        retired_cloud(tmp_path, retained=HOLDING)
        if name == "retire"
        else cloud(tmp_path, site_account(existing=cname(300)))
    ) as account:
        rest = account.target()
        if name == "restore":
            rest = [unfinished_run(program, account, cname(300)).name]
        if name == "diagnose":
            account.do(lambda: failed_deploy(account))
        if name in ("diagnose", "retire"):
            rest = ["--stack=shop", f"--endpoint-url={account.url}"]
        ended = program(name, *flags, *rest)
        assert ended.code == 0, ended.err
        arrived = account.do(lambda: account.server.calls[CHANGE])
    if command in READ_ONLY:
        assert arrived == 0
        assert stopped
        assert all(text.startswith("route-53.ChangeResourceRecordSets") for text in stopped)
    else:
        assert (arrived, stopped) == (1, [])
