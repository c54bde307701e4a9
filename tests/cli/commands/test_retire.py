"""`retire` as a user runs it: the verdict as text and JSON, and its exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.program import plain_error, usage_error
from tests.cli.retired_cloud import retired_cloud
from tests.retired_account import HOLDING, ROOT, SITE

from route53_takeover.simulation.aws.http.faults import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from tests.cli.program import Program

    from route53_takeover.simulation.aws.http.faults import Fault


def test_a_stack_that_holds_the_live_site_is_not_safe(program: Program, tmp_path: Path) -> None:
    with retired_cloud(tmp_path) as account:
        ended = program("retire", "--stack=shop", *account.options, "--output=json")
        assert ended.code == 3, ended.err
        (line,) = ended.lines
        assert list(line) == ["event", "stack", "safe", "breaks"]
        assert (line["event"], line["stack"], line["safe"]) == ("verdict", "shop", False)
        assert all(list(each) == ["what", "id", "why", "way_out"] for each in line["breaks"])
        assert [(each["what"], each["id"]) for each in line["breaks"]] == [
            ("mapping that the stack deletes", SITE),
            ("custom domain of the stack", SITE),
            ("record of the stack", f"{SITE} A"),
        ]
        assert "! Buckets that go" in ended.err
        text = program("retire", "--stack=shop", "--dry-run", *account.options)
        assert text.code == 3
        shown = text.out.splitlines()
        assert shown[0] == f"Stack shop ({ROOT})"
        assert shown[1] == f"✘ mapping that the stack deletes {SITE}"
        assert shown[3].startswith("    way out: Let a routing rule answer")
        assert shown[-1].startswith("✘ not safe: 3 things would break")
        calls = account.do(lambda: set(account.server.calls))
        assert {call for call in calls if call.startswith("cloudfront:")} == {
            "cloudfront:ListDistributions"
        }, "the list tells the origins"


def test_a_stack_that_nothing_live_needs_is_safe(program: Program, tmp_path: Path) -> None:
    with retired_cloud(tmp_path, retained=HOLDING) as account:
        ended = program("retire", "--stack=shop", *account.options, "--output=json")
        assert ended.code == 0, ended.err
        assert ended.lines == [{"event": "verdict", "stack": "shop", "safe": True, "breaks": []}]
        text = program("retire", "--stack=shop", *account.options)
        assert text.code == 0
        assert text.out.splitlines()[-1].startswith("✔ safe")


def test_what_may_not_be_read_is_not_safe(program: Program, tmp_path: Path) -> None:
    def denied(operation: str, _: Mapping[str, Any]) -> Fault | None:
        if operation != "cloudfront:ListDistributions":
            return None
        return Refused(code="AccessDenied", message="User is not authorized", status=403)

    with retired_cloud(tmp_path, retained=HOLDING) as account:
        account.befall(denied)
        ended = program("retire", "--stack=shop", *account.options, "--output=json")
        assert ended.code == 3, ended.err
        (found,) = ended.lines[-1]["breaks"]
        assert found["what"] == "unread: distributions"
        assert "not authorized" in found["why"]


def test_an_unknown_stack_is_refused(program: Program, tmp_path: Path) -> None:
    with retired_cloud(tmp_path) as account:
        ended = program("retire", "--stack=nowhere", *account.options)
        plain_error(ended, 3, "stack nowhere does not exist", hint="--region")


def test_one_of_what_is_to_be_done_is_said(program: Program) -> None:
    ended = program("retire", "--stack=shop", "--delete", "--delete-command=jets delete")
    usage_error(ended, "--delete and --delete-command", "Give one of them")
