"""`--cloud-deadman` over the wire: the real clients, the template, the policy, a killed run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.cli.commands.test_policy import Calls, denied, grants, resource_of, used
from tests.cli.program import cloud

from route53_takeover.simulation.aws.account import DEADMAN_ROLE
from route53_takeover.simulation.aws.http.faults import AnswerLost
from route53_takeover.simulation.scenarios import alias, site_account

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.cli.program import Cloud, Program

    from route53_takeover.simulation.aws.http.faults import Fault

WITH = f"--cloud-deadman={DEADMAN_ROLE}"
ROLE = f"--cloud-deadman-role={DEADMAN_ROLE}"
STATES = "stepfunctions:"


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Cloud]:
    with cloud(tmp_path, replace(site_account(), deadman=True)) as served:
        yield served


def executions(account: Cloud) -> list[str]:
    return account.do(
        lambda: [each.status for each in account.world.step_functions.executions.values()]
    )


def as_iam_calls(seen: list[tuple[str, Mapping[str, Any]]]) -> list[tuple[str, Mapping[str, Any]]]:
    """The calls of Step Functions as IAM names them, with what it judges them by."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    for operation, parameters in seen:
        if operation.startswith(STATES):
            arn = parameters.get("stateMachineArn") or parameters.get("executionArn") or "*"
            found.append((f"states:{operation.removeprefix(STATES)}", {"StackName": arn}))
        else:
            found.append((operation, parameters))
    return found


def test_a_run_starts_it_and_stops_it_and_says_when_it_would_restore(
    program: Program, account: Cloud
) -> None:
    ended = program("run", "--auto", *account.target(WITH))
    assert ended.code == 0, ended.err
    assert executions(account) == ["ABORTED"]
    assert "if this machine dies, it restores www.example.com at " in ended.err


def test_every_call_is_in_the_policy_and_nothing_in_it_is_unused(
    program: Program, account: Cloud
) -> None:
    printed = program("policy", *account.target(ROLE))
    assert printed.code == 0, printed.err
    document = json.loads(printed.out)
    calls = Calls(account)
    lost: list[Fault] = [AnswerLost()]
    note = account.server.fault
    assert note is not None

    def befall(operation: str, parameters: Mapping[str, Any]) -> Fault | None:
        note(operation, parameters)
        return lost.pop() if lost and operation == f"{STATES}StartExecution" else None

    account.befall(befall)
    assert program("run", "--auto", *account.target(WITH)).code == 0
    assert program("restore", program.folder.name, "--dry-run").code in (0, 3)
    seen = as_iam_calls(calls.seen)
    assert {call[0] for call in seen} >= {
        "states:TestState",
        "states:StartExecution",
        "states:StopExecution",
        "states:DescribeExecution",
        "states:DescribeStateMachine",
    }
    assert denied(document, seen) == []
    unused = {g for g in grants(document) - used(document, seen) if g[0].endswith("TheDeadman")}
    assert {action for _, action in unused} <= {"states:ListExecutions"}
    passed = next(s for s in document["Statement"] if s["Sid"] == "WithItsRole")
    assert passed["Resource"] == [DEADMAN_ROLE]
    assert resource_of("states:TestState", {}) == "*"


def test_the_template_has_a_role_that_may_only_create_the_records(
    program: Program, account: Cloud
) -> None:
    ended = program("policy", "--cloud-deadman", *account.target())
    assert ended.code == 0, ended.err
    resources = json.loads(ended.out)["Resources"]
    (policy,) = resources["Role"]["Properties"]["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    prefix = "route53:ChangeResourceRecordSets"
    assert statement["Action"] == prefix
    assert statement["Resource"].endswith(f":hostedzone/{account.world.zone.zone_id}")
    assert statement["Condition"]["ForAllValues:StringEquals"] == {
        f"{prefix}NormalizedRecordNames": ["www.example.com"],
        f"{prefix}RecordTypes": ["A"],
        f"{prefix}Actions": ["CREATE"],
    }
    machine = resources["StateMachine"]["Properties"]
    assert machine["StateMachineName"] == resources["Role"]["Properties"]["RoleName"]


def test_a_record_that_the_stack_owns_needs_no_template(program: Program, account: Cloud) -> None:
    assert program("run", "--auto", *account.target()).code == 0
    owned = account.target("--skip-off", deploy="true")
    ended = program("policy", "--cloud-deadman", *owned)
    assert (ended.code, ended.out) == (0, "")
    assert "nothing to do: stack shop owns it already" in ended.err


def test_a_dry_run_rehearses_it_and_starts_none(program: Program, account: Cloud) -> None:
    ended = program("run", "--dry-run", "--auto", *account.target(WITH, "--no-drain"), timeout=60)
    assert ended.code == 0, ended.err
    assert "if this machine dies, it restores www.example.com at " in ended.err
    assert executions(account) == []


def test_its_role_from_the_file_counts_for_run_and_policy(program: Program, account: Cloud) -> None:
    (program.home / "takeover.toml").write_text(f'cloud-deadman = "{DEADMAN_ROLE}"\n')
    assert "StartTheDeadman" in program("policy", *account.target()).out
    assert "Test with the role" in program("plan", *account.target()).out


def test_what_is_no_role_is_a_usage_error(program: Program, account: Cloud) -> None:
    ended = program("run", "--auto", *account.target("--cloud-deadman=me"))
    assert ended.code == 2
    assert "'me' is not the ARN of a role" in ended.err


def test_without_the_state_machine_nothing_is_deleted(program: Program, tmp_path: Path) -> None:
    account = replace(site_account(), deadman=True)
    with cloud(tmp_path, account) as served:
        served.do(served.world.step_functions.machines.clear)
        ended = program("run", "--auto", *served.target(WITH))
        assert ended.code == 1
        assert "State Machine Does Not Exist" in ended.out
        assert served.here() == (alias("d1old"),)


def test_restore_stops_what_a_killed_run_has_left(program: Program, tmp_path: Path) -> None:
    never = replace(site_account(retry_delays=(1, 9000)), deadman=True)
    with cloud(tmp_path, never) as account:
        process = program.start("run", "--auto", "--output=json", *account.target(WITH))
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["event"] == "gap-opened":
                break
        process.kill()
        process.communicate()
        assert executions(account) == ["RUNNING"]
        shown = program("restore", program.folder.name, "--dry-run")
        assert "would stop the deadman in AWS" in shown.err
        ended = program("restore", program.folder.name)
        assert ended.code == 0, ended.err
        assert executions(account) == ["ABORTED"]
        assert account.here() == (alias("d1old"),)
