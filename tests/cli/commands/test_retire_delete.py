"""`retire --delete` and `--delete-command`: judged first, and the live site is kept meanwhile."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import pytest
from tests.cli.live import JSON, Switcher
from tests.live_sites import LiveAccount

from route53_takeover.simulation.blue_green import (
    BLUE,
    BLUE_STACK,
    GREEN,
    SITE,
    BlueGreenSetup,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.program import Ended

    from route53_takeover.core.domain.api_mappings import ApiTarget

DELETE = """
import boto3, sys
client = boto3.client("cloudformation")
client.delete_stack(StackName=sys.argv[1])
"""


@pytest.fixture
def account() -> Iterator[LiveAccount]:
    """Its site is on blue; the delete of blue's stack takes the site's mapping along."""
    setup = BlueGreenSetup(blue_takes_mapping=True)
    with LiveAccount(speed=40.0, setup=setup).served() as served:
        yield served


def lead(account: LiveAccount, to: ApiTarget) -> None:
    gateway = account.world.api_gateway

    def change() -> None:
        domain = gateway.domain(SITE)
        gateway.change_mapping(domain, "", to, by="a person", operation="UpdateApiMapping")

    account.do(change)


def leads_to(account: LiveAccount) -> ApiTarget:
    return account.do(lambda: account.world.api_gateway.domain(SITE).mappings[""].target)


def has_blue(account: LiveAccount) -> bool:
    return account.do(lambda: account.world.stacks.find(BLUE_STACK) is not None)


def retire(account: LiveAccount, home: Path, *words: str) -> Ended:
    line = ("retire", "--stack", BLUE_STACK, *account.connection, *JSON, *words)
    return Switcher(account, home)(*line)


def test_a_stack_that_the_site_leads_into_is_not_deleted(
    account: LiveAccount, tmp_path: Path
) -> None:
    ended = retire(account, tmp_path, "--delete")
    assert ended.code == 3
    assert [line["event"] for line in ended.lines] == ["verdict"]
    assert has_blue(account)
    assert leads_to(account) == BLUE


@pytest.mark.parametrize("is_command", [False, True])
def test_what_the_delete_takes_from_the_live_site_is_put_back(
    account: LiveAccount, tmp_path: Path, *, is_command: bool
) -> None:
    lead(account, GREEN)
    script = tmp_path / "delete.py"
    script.write_text(DELETE)
    command = shlex.join([sys.executable, str(script), BLUE_STACK])
    how = ("--delete-command", command) if is_command else ("--delete",)
    ended = retire(account, tmp_path, *how)
    assert ended.code == 0, ended.err
    assert ended.lines[0]["event"] == "verdict"
    assert ended.lines[0]["safe"]
    assert ended.result["outcome"] == "done"
    assert ended.result["reason"].endswith("is deleted")
    assert not has_blue(account)
    assert leads_to(account) == GREEN
    events = [line["event"] for line in ended.lines]
    assert events.index("delete-intended") < events.index("swap-intended")


def test_a_command_that_deletes_nothing_is_unknown(account: LiveAccount, tmp_path: Path) -> None:
    lead(account, GREEN)
    ended = retire(account, tmp_path, "--delete-command", "exit 3")
    assert ended.code == 4
    assert "exited with 3" in ended.result["reason"]
    assert has_blue(account)
    assert leads_to(account) == GREEN
