"""`diagnose` as a user runs it: what it prints, its JSON, and its exit codes."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from tests.cli.program import cloud, failed_deploy, plain_error

from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.simulation.scenarios import site_account

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Program

PLAIN = RecordSet(name="www.example.com.", type="A", ttl=60, values=("192.0.2.1",))


def test_the_plan_line_of_a_diagnosis_runs_as_it_is(program: Program, tmp_path: Path) -> None:
    with cloud(tmp_path, site_account(existing=PLAIN)) as account:
        account.do(lambda: failed_deploy(account))
        where = ("--stack=shop", f"--endpoint-url={account.url}", "--region=us-east-1")
        ended = program("diagnose", *where, "--output=json")
        assert ended.code == 0, ended.err
        (line,) = ended.lines
        assert line | {"findings": []} == {
            "event": "diagnosis",
            "stack": "shop",
            "status": "UPDATE_ROLLBACK_COMPLETE",
            "findings": [],
        }
        (finding,) = line["findings"]
        assert list(finding) == [
            *("logical_id", "record", "type", "reason", "exists", "owner", "advice", "plan_line"),
        ]
        assert (finding["record"], finding["type"]) == ("www.example.com", "A")
        assert (finding["exists"], finding["owner"]) == (True, None)
        words = shlex.split(finding["plan_line"])
        assert words[:6] == [
            *("route53-takeover", "plan", "--stack", "shop", "--record", "www.example.com/A"),
        ]
        planned = program(*words[1:], "--strategy=delete", "--output=json")
        assert planned.code == 0, planned.err
        (plan,) = planned.lines
        assert [record["type"] for record in plan["records"]] == ["A"]
        text = program("diagnose", *where)
        assert text.code == 0
        reported = text.out.splitlines()
        assert reported[0] == "Stack shop is UPDATE_ROLLBACK_COMPLETE"
        assert "    now      www.example.com A 192.0.2.1 (TTL 60) (owner: no stack)" in reported
        assert reported[-1].strip() == finding["plan_line"]
        assert json.dumps(line) in ended.out


def test_an_unknown_stack_is_refused(program: Program, tmp_path: Path) -> None:
    with cloud(tmp_path) as account:
        ended = program("diagnose", "--stack=nowhere", f"--endpoint-url={account.url}")
        plain_error(ended, 3, "stack nowhere does not exist", hint="--region")
