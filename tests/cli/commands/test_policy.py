"""`policy`: the policy that it prints is what the program calls, no less and no more.

Every call that arrives at the simulated account is judged by the policy that was printed for that
account's plan, as IAM would: action, resource, and for a batch of changes the conditions.
"""

from __future__ import annotations

import json
import re
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.program import SECRET, Program, cloud, plain_error

from route53_takeover.simulation.scenarios import (
    SCENARIOS,
    alias,
    cname,
    nested_template,
    site_account,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.cli.program import Cloud

    from route53_takeover.simulation.aws.account import AccountSetup

Call = tuple[str, "Mapping[str, Any]"]
REGION, ACCOUNT = "us-east-1", "123456789012"
CHANGE = "route53:ChangeResourceRecordSets"
NEEDS_NOTHING = {"sts:GetCallerIdentity"}
"""No permission is needed for it, and it cannot be denied (STS API Reference)."""
IAM_ACTION: dict[str, str] = {}
"""Operations that IAM knows by another name: none of those that are called."""


class Calls:
    """What arrived at an account, in order."""

    def __init__(self, account: Cloud) -> None:
        self.seen: list[Call] = []
        self.asking = threading.Event()
        account.befall(self._note)

    def _note(self, operation: str, parameters: Mapping[str, Any]) -> None:
        self.seen.append((operation, dict(parameters)))
        if operation == "route53:GetChange":  # so a change was accepted
            self.asking.set()


def resource_of(operation: str, parameters: Mapping[str, Any]) -> str:
    """The resource that IAM judges a call by; ``*`` where it names none."""
    if operation == "route53:GetChange":
        return f"arn:aws:route53:::change/{parameters['Id'].rpartition('/')[2]}"
    zone = parameters.get("HostedZoneId") or parameters.get("Id")
    if operation.startswith("route53:") and zone:
        return f"arn:aws:route53:::hostedzone/{zone.rpartition('/')[2]}"
    stack = str(parameters.get("StackName", "*"))
    if "ChangeSetName" in parameters:  # IAM judges a change set by its stack
        stack = "shop"
    if operation.startswith("cloudformation:") and stack != "*" and not stack.startswith("arn:"):
        return f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{stack}/*"
    return stack


def condition_values(parameters: Mapping[str, Any]) -> dict[str, set[str]]:
    """What a batch has for each of the condition keys."""
    changes = parameters["ChangeBatch"]["Changes"]
    records = [change["ResourceRecordSet"] for change in changes]
    return {
        f"{CHANGE}NormalizedRecordNames": {normalized(record["Name"]) for record in records},
        f"{CHANGE}RecordTypes": {record["Type"] for record in records},
        f"{CHANGE}Actions": {change["Action"] for change in changes},
    }


def normalized(name: str) -> str:
    """A name as the Developer Guide has it for the condition key."""
    plain = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), name.lower())
    return re.sub(r"[^a-z0-9._-]", lambda odd: f"\\{ord(odd[0]):03o}", plain).rstrip(".")


def matches(pattern: str, value: str) -> bool:
    return bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), value))


def allows(statement: Mapping[str, Any], call: Call) -> bool:
    """Whether a statement lets a call through."""
    operation, parameters = call
    if IAM_ACTION.get(operation, operation) not in statement["Action"]:
        return False
    resource = resource_of(operation, parameters)
    if not any(matches(pattern, resource) for pattern in statement["Resource"]):
        return False
    allowed = statement.get("Condition", {}).get("ForAllValues:StringEquals", {})
    if not allowed:
        return True
    values = condition_values(parameters)
    assert values.keys() == allowed.keys()
    return all(values[key] <= set(allowed[key]) for key in allowed)


def denied(document: Mapping[str, Any], calls: list[Call]) -> list[Call]:
    """The calls that no statement lets through."""
    return [
        call
        for call in calls
        if call[0] not in NEEDS_NOTHING
        and not any(allows(statement, call) for statement in document["Statement"])
    ]


def grants(document: Mapping[str, Any]) -> set[tuple[str, str]]:
    """All that a policy allows: statement and action."""
    return {(each["Sid"], action) for each in document["Statement"] for action in each["Action"]}


def used(document: Mapping[str, Any], calls: list[Call]) -> set[tuple[str, str]]:
    """What of it at least one call needs."""
    return {
        (each["Sid"], IAM_ACTION.get(call[0], call[0]))
        for each in document["Statement"]
        for call in calls
        if allows(each, call)
    }


def printed(program: Program, account: Cloud, *more: str) -> Any:
    """The policy for the account's plan."""
    ended = program("policy", *account.target(*more))
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def killed_and_resumed(program: Program, account: Cloud, calls: Calls) -> None:
    """A CNAME whose TTL one process lowers, and that the next one takes over: it is the stack's."""
    process = program.start("run", "--auto", *account.target("--no-drain"))
    assert calls.asking.wait(20)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert program("resume", program.folder.name, "--auto").code == 0
    plain_error(program("restore", program.folder.name, "--force"), 3, "stack shop owns")
    owned = program("policy", *account.target("--skip-off", deploy="true"))
    assert (owned.code, CHANGE in owned.out) == (0, False)
    assert "nothing to do: stack shop owns it" in owned.err


def rolled_back_and_restored(program: Program, account: Cloud, _: Calls) -> None:
    """The run puts the record back; another writer replaces it, and it is restored again."""
    assert program("plan", *account.target()).code == 0
    assert program("run", "--auto", *account.target()).code == 1
    person = [("DELETE", alias("d1old")), ("CREATE", alias("d1other"))]
    account.do(lambda: account.world.write(person))
    assert program("restore", program.folder.name, "--dry-run", "--force").code == 0
    assert program("restore", program.folder.name, "--force").code == 0
    assert account.here() == (alias("d1old"),)


STORIES: dict[str, tuple[AccountSetup, Callable[[Program, Cloud, Calls], None]]] = {
    "a CNAME, adopted": (SCENARIOS["cname"].account, killed_and_resumed),
    "an alias of a nested stack that is created, rolled back": (
        site_account(
            template=nested_template(SCENARIOS["rolled-back"].account.template), exists=False
        ),
        rolled_back_and_restored,
    ),
}


def reported(home: Path, name: str) -> tuple[Any, list[Call]]:
    """A story's policy, and the calls that were made in it."""
    scenario, story = STORIES[name]
    home.mkdir()
    program = Program(home)
    with cloud(home, scenario) as account:
        document = printed(program, account)
        calls = Calls(account)
        assert printed(program, account) == document
        asked = [call for call in calls.seen if call[0].endswith("ListStacks")]
        assert len(asked) == 1, "who owns what is read once"
        story(program, account, calls)
    return document, calls.seen


def test_every_call_is_in_the_policy_and_nothing_in_the_policy_is_unused(tmp_path: Path) -> None:
    granted, needed = set[tuple[str, str]](), set[tuple[str, str]]()
    homes = [tmp_path / str(number) for number in range(len(STORIES))]
    all_told = list(map(reported, homes, STORIES))  # in this thread: in this process (`Program`)
    for name, (document, calls) in zip(STORIES, all_told, strict=True):
        assert CHANGE in {operation for operation, _ in calls}
        assert denied(document, calls) == [], name
        granted |= grants(document)
        needed |= used(document, calls)
    assert granted - needed == set()


PREVIEW = (
    "touch asked-preview; while ! test -e made-preview; do sleep 0.05; done; "
    "cat made-preview; rm made-preview"
)


def make_previews(account: Cloud, home: Path, over: threading.Event) -> None:
    """Makes a change set whenever the preview command asks for one, which prints its ARN."""

    def make() -> str:
        made = account.world.stacks.change_sets.create(
            {"StackName": "shop", "ChangeSetName": "preview", "ChangeSetType": "UPDATE"},
            body=json.dumps(account.world.account.template),
            parameters={"Route53Enable": "true"},
        )
        return made.change_set_id

    while not over.wait(0.05):
        if (home / "asked-preview").exists():
            (home / "asked-preview").unlink()
            (home / "making-preview").write_text(account.do(make))
            (home / "making-preview").rename(home / "made-preview")


def test_every_call_of_a_preview_is_in_the_policy(program: Program, tmp_path: Path) -> None:
    over = threading.Event()
    with cloud(tmp_path, site_account()) as account:
        maker = threading.Thread(target=make_previews, args=(account, tmp_path, over))
        maker.start()
        try:
            words = [w for w in account.target("--skip-off") if not w.startswith("--record")]
            ended = program("policy", *words, f"--preview={PREVIEW}")
            assert ended.code == 0, ended.err
            calls = Calls(account)
            planned = program("plan", "--output=json", *words, f"--preview={PREVIEW}")
            assert planned.code == 0, planned.err
        finally:
            over.set()
            maker.join()
        assert account.do(lambda: account.world.stacks.change_sets.of_stack(shop(account))) == []
    document = json.loads(ended.out)
    assert denied(document, calls.seen) == []
    of_preview = {grant for grant in grants(document) if grant[0].endswith("ThePreview")}
    assert len(of_preview) == 3
    assert of_preview <= used(document, calls.seen)
    assert not any("ExecuteChangeSet" in str(each) for each in document["Statement"])


def shop(account: Cloud) -> str:
    return account.world.stacks.get("shop").stack_id


def test_the_json_is_the_same_in_both_outputs_and_talk_is_on_stderr(
    program: Program, tmp_path: Path
) -> None:
    with cloud(tmp_path, site_account(existing=cname(300), exists=False)) as account:
        text = program("policy", *account.target())
        line = program("policy", "--output=json", *account.target())
        assert (text.code, line.code) == (0, 0)
        (only,) = line.lines
        assert only == json.loads(text.out)
        assert len(text.out.splitlines()) > 20
        assert "deploy command needs its own permissions" in text.err
        assert "sts:GetCallerIdentity" in text.err
        assert account.writes() == ["a person"]
    assert program.folders() == []


def test_with_two_credentials_each_statement_says_which_one_needs_it(
    program: Program, account: Cloud
) -> None:
    (program.home / "aws-credentials").write_text(
        f"[dns]\naws_access_key_id = A\naws_secret_access_key = {SECRET}\n"
    )
    ended = program("policy", "-q", *account.target("--dns-profile=dns"))
    assert ended.code == 0, ended.err
    (said,) = ended.err.splitlines()
    dns, stack = said.removeprefix("for the credentials of --dns-profile dns: ").split("; ")
    for statement in json.loads(ended.out)["Statement"]:
        ours, theirs = (dns, stack) if "route53:" in statement["Action"][0] else (stack, dns)
        assert statement["Sid"] in ours
        assert statement["Sid"] not in theirs


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_plan_that_is_refused_has_no_policy(
    program: Program, account: Cloud, output: str
) -> None:
    target = [word for word in account.target() if not word.startswith("--stack")]
    ended = program("policy", f"--output={output}", *target, "--stack=nowhere", "--skip-off")
    plain_error(ended, 3, "nowhere does not exist")
    if output == "json":
        assert (ended.result["outcome"], ended.result["run"]) == ("refused", None)
    else:
        assert ended.out == ""
