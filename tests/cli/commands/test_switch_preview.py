"""`switch --dry-run` and `--policy` write nothing, not even by a defect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.live import JSON
from tests.cli.program import usage_error

from route53_takeover.adapters.api_gateway import ApiGatewayMappings
from route53_takeover.adapters.operation_allowlist import NotAllowedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.cli.live import Switcher
    from tests.live_sites import LiveAccount

    from route53_takeover.core.domain.api_mappings import ApiMapping, CustomDomain


def test_a_dry_run_shows_the_plan_asks_green_and_writes_nothing(
    live: LiveAccount, switcher: Switcher
) -> None:
    site = live.domain()
    ended = switcher("switch", *site.to_green, *site.check, "--dry-run", *JSON)
    assert ended.code == 0, ended.err
    plan, check = ended.lines
    assert plan["event"] == "plan"
    assert not plan["refused"]
    (switch,) = plan["switches"]
    assert (switch["from"], switch["to"]) == (str(site.blue), str(site.green))
    assert plan["run_line"].startswith("route53-takeover switch --domain")
    assert plan["run_line"].endswith("--auto")
    assert check["event"] == "check"
    assert (check["by"], check["passed"]) == ("green", True)
    assert site.writes == []
    assert not (switcher.program.home / "state" / "runs").exists()


def test_a_dry_run_fails_where_green_does(live: LiveAccount, switcher: Switcher) -> None:
    site = live.domain()
    site.fails("green")
    ended = switcher("switch", *site.to_green, *site.check, "--dry-run")
    assert ended.code == 1
    assert "the status is 500" in ended.out
    assert site.writes == []


def test_a_dry_run_of_what_is_on_green_has_nothing_to_do(
    live: LiveAccount, switcher: Switcher
) -> None:
    site = live.domain()
    live.do(lambda: site.lead(site.green))
    ended = switcher("switch", *site.to_green, *site.check, "--dry-run", *JSON)
    assert ended.code == 0, ended.err
    assert ended.result["reason"].startswith("nothing to do")


def test_a_defect_that_writes_is_stopped_before_anything_is_sent(
    live: LiveAccount, switcher: Switcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = live.domain()
    read, stopped = ApiGatewayMappings.mappings, []

    async def write_while_reading(
        port: ApiGatewayMappings, domain: CustomDomain
    ) -> Sequence[ApiMapping]:
        found = await read(port, domain)
        try:
            await port.point(domain, "", found[0], site.green)
        except NotAllowedError as error:
            stopped.append(str(error))
        return found

    monkeypatch.setattr(ApiGatewayMappings, "mappings", write_while_reading)
    for flag in ("--dry-run", "--policy"):
        stopped.clear()
        ended = switcher("switch", *site.to_green, *site.check, flag)
        assert ended.code == 0, ended.err
        assert stopped
        assert all("is read-only" in text for text in stopped)
    assert site.writes == []


def test_the_policy_is_json_and_names_what_is_switched(
    live: LiveAccount, switcher: Switcher
) -> None:
    site = live.front()
    ended = switcher("switch", *site.to_green, *site.check, "--policy")
    assert ended.code == 0, ended.err
    document: dict[str, Any] = json.loads(ended.out)
    by_sid = {each["Sid"]: each for each in document["Statement"]}
    (arn,) = by_sid["SwitchOrigin"]["Resource"]
    assert arn.endswith(f":distribution/{site.key}")
    assert site.writes == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--policy", "--dry-run"), "--policy and --dry-run"),
        (("--auto", "--check", "https://www.example.com --nope"), "--nope"),
        (("--auto", "--to", "green"), "is no API_ID/STAGE"),
        (("--auto", "--origin", "x"), "--origin belongs to --distribution"),
        (("--auto", "--extra", "2"), "--extra belongs to --jets"),
    ],
)
def test_what_is_wrong_on_the_command_line_is_told_before_anything_is_asked(
    switcher: Switcher, words: tuple[str, ...], told: str
) -> None:
    nowhere = ("--domain", "www.example.com", "--endpoint-url", "http://127.0.0.1:9")
    given = () if "--to" in words else ("--to", "green/dev")
    usage_error(switcher("switch", *nowhere, *given, *words), told)
