"""`restore RUN`: names put back from the backup, whatever stands there and whatever gets lost."""

from __future__ import annotations

import json
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.cli.program import SECRET, WWW, cloud, disk_of, plain_error, unfinished_run

from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.simulation.aws.http.faults import (
    AnswerDelayed,
    AnswerLost,
    Refused,
    RequestLost,
)
from route53_takeover.simulation.scenarios import (
    alias,
    alias_resource,
    cname,
    site_account,
    site_template,
)
from route53_takeover.storage.run_notes import read_restores

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.cli.program import Cloud, Ended, Program

    from route53_takeover.simulation.aws.http.faults import Fault
    from route53_takeover.storage.run_folder import RunFolder

ORIGINAL = cname(300)
LOWERED = cname(60)
FOREIGN = replace(cname(300), values=("elsewhere.example.org",))
API = RecordSet(name="api.example.com.", type="A", ttl=300, values=("192.0.2.7",))
CHANGE = "route53:ChangeResourceRecordSets"
Batches = list[list[str]]


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Cloud]:
    """An account with a CNAME that a run may have touched, and nothing at api."""
    with cloud(tmp_path, site_account(existing=ORIGINAL)) as served:
        yield served


def person(account: Cloud, *changes: tuple[str, RecordSet]) -> None:
    """Writes as another writer."""
    account.do(lambda: account.world.write(list(changes)))


def ours(account: Cloud) -> Batches:
    """The batches that were applied for the command: their actions."""
    return account.do(
        lambda: [
            [action for action, _ in change.changes]
            for change in account.world.zones.history
            if change.by == "client"
        ]
    )


def saved(folder: RunFolder) -> list[list[dict[str, Any]]]:
    """What the run's folder says was about to be changed: its batches."""
    lines = (folder.path / "restores.jsonl").read_text().splitlines()
    return [json.loads(line)["changes"] for line in lines]


def restore(program: Program, *words: str, **popen: Any) -> Ended:
    ended = program("restore", "2026", "--output=json", *words, **popen)
    assert ended.result["run"] == "20260101-000000-shop"
    return ended


def test_a_missing_record_is_put_back_to_the_letter(program: Program, account: Cloud) -> None:
    folder = unfinished_run(program, account, ORIGINAL)
    person(account, ("DELETE", ORIGINAL))
    dry = restore(program, "--dry-run")
    assert (dry.code, account.here(), ours(account)) == (0, (), [])
    assert read_restores(folder) == (), "a dry run leaves nothing"
    assert [c["action"] for c in dry.lines[0]["changes"]] == ["CREATE"]
    ended = restore(program)
    assert (ended.code, ended.result["outcome"]) == (0, "done")
    assert ended.result["records"][0]["outcome"] == "restored"
    assert ended.result["api_calls"][CHANGE] == 1
    assert account.here() == (ORIGINAL,)
    sent, end = read_restores(folder)
    assert sent.changes == (f"CREATE {ORIGINAL.describe()}",)
    assert (end.outcome, end.reason) == ("done", ended.result["reason"])
    again = restore(program)
    assert (again.code, again.result["records"][0]["outcome"]) == (0, "untouched")
    assert ours(account) == [["CREATE"]]


def test_a_lowered_ttl_is_put_back_in_one_exact_batch(program: Program, account: Cloud) -> None:
    unfinished_run(program, account, ORIGINAL)
    person(account, ("DELETE", ORIGINAL), ("CREATE", LOWERED))
    assert restore(program).code == 0
    assert account.here() == (ORIGINAL,)
    assert ours(account) == [["DELETE", "CREATE"]]


@pytest.mark.parametrize(
    ("fault", "here"),
    [
        (AnswerLost(), ()),
        (AnswerLost(), (LOWERED,)),
        (RequestLost(), (LOWERED,)),
        (Refused(), ()),
        (Refused(status=500), (LOWERED,)),
    ],
)
def test_a_lost_answer_is_settled_by_reading(
    program: Program, account: Cloud, fault: Fault, here: tuple[RecordSet, ...]
) -> None:
    unfinished_run(program, account, ORIGINAL)
    person(account, ("DELETE", ORIGINAL), *(("CREATE", record) for record in here))
    left = [fault]
    account.befall(lambda operation, _: left.pop() if operation == CHANGE and left else None)
    ended = restore(program)
    assert (ended.code, left) == (0, [])
    assert ended.result["records"][0]["outcome"] == "restored"
    assert account.here() == (ORIGINAL,)
    assert len(ours(account)) == 1, "it is applied once"


def test_the_record_of_another_writer_is_only_replaced_by_force_and_saved_before(
    program: Program, account: Cloud
) -> None:
    folder = unfinished_run(program, account, ORIGINAL)
    person(account, ("DELETE", ORIGINAL), ("CREATE", FOREIGN))
    ended = restore(program)
    plain_error(ended, 3, "elsewhere.example.org", hint="--force")
    assert ended.result["outcome"] == "refused"
    assert restore(program, "--force", "--dry-run").code == 0
    assert (account.here(), ours(account)) == ((FOREIGN,), [])

    plain_text = program("restore", "2026", "--force", preexec_fn=disk_of(0))
    assert plain_text.code == 2
    assert "cannot save" in plain_text.err
    assert (account.here(), ours(account)) == ((FOREIGN,), [])

    assert restore(program, "--force").code == 0
    assert account.here() == (ORIGINAL,)
    assert ours(account) == [["DELETE", "CREATE"]]
    assert saved(folder)[-1][0] == {"action": "DELETE", "record": FOREIGN.to_api()}


def test_force_deletes_only_what_was_read_and_saved(program: Program, account: Cloud) -> None:
    folder = unfinished_run(program, account, ORIGINAL)
    person(account, ("DELETE", ORIGINAL), ("CREATE", FOREIGN))
    later = replace(FOREIGN, values=("later.example.org",))
    edits = [later]

    def edit(operation: str, _: Mapping[str, Any]) -> None:
        if operation == CHANGE and edits:
            account.world.write([("UPSERT", edits.pop())])

    account.befall(edit)
    assert restore(program, "--force").code == 0
    assert account.here() == (ORIGINAL,)
    assert [changes[0]["record"] for changes in saved(folder)] == [FOREIGN.to_api(), later.to_api()]


def test_an_edit_between_the_read_and_the_write_is_left_alone(
    program: Program, account: Cloud
) -> None:
    unfinished_run(program, account, ORIGINAL)
    person(account, ("DELETE", ORIGINAL), ("CREATE", LOWERED))
    edits = [FOREIGN]

    def edit(operation: str, _: Mapping[str, Any]) -> None:
        if operation == CHANGE and edits:
            account.world.write([("UPSERT", edits.pop())])

    account.befall(edit)
    plain_error(restore(program), 3, "elsewhere.example.org")
    assert (account.here(), ours(account)) == ((FOREIGN,), [])


def test_what_another_writer_restores_meanwhile_is_not_claimed(
    program: Program, account: Cloud
) -> None:
    unfinished_run(program, account, ORIGINAL)
    person(account, ("DELETE", ORIGINAL))
    theirs = [ORIGINAL]

    def put_back(operation: str, _: Mapping[str, Any]) -> None:
        if operation == CHANGE and theirs:
            account.world.write([("CREATE", theirs.pop())])

    account.befall(put_back)
    ended = restore(program)
    assert (ended.code, ended.result["records"][0]["outcome"]) == (0, "untouched")
    assert (account.here(), ours(account)) == ((ORIGINAL,), [])


def test_a_full_disk_does_not_stop_a_restore(program: Program, account: Cloud) -> None:
    unfinished_run(program, account, ORIGINAL)
    person(account, ("DELETE", ORIGINAL), ("CREATE", LOWERED))
    ended = restore(program, preexec_fn=disk_of(0))
    assert ended.code == 0
    assert "cannot save" in ended.err
    assert account.here() == (ORIGINAL,)


def test_a_record_that_a_stack_owns_is_never_replaced(program: Program, tmp_path: Path) -> None:
    slow = {"Type": "AWS::Lambda::Permission", "Metadata": {"Simulation": {"Seconds": 6000}}}
    template = site_template(alias_resource("d1new"), Slow=slow | {"Condition": "Enabled"})
    with cloud(tmp_path, site_account(template=template)) as account:
        unfinished_run(program, account, alias("d1old"))
        person(account, ("DELETE", alias("d1old")))
        account.do(lambda: account.world.deploy("on"))
        while not account.here():
            time.sleep(0.05)  # noqa: TID251 -- the world's pace
        (owned,) = account.here()
        for words in ((), ("--force",)):
            ended = restore(program, *words)
            plain_error(ended, 3, "stack shop owns")
            assert "warning: stack shop is UPDATE_IN_PROGRESS" in ended.err
        assert (account.here(), ours(account)) == ((owned,), [])


def owning(account: Cloud, **records: Mapping[str, Any]) -> None:
    """Lets another stack create these record sets."""
    resources = {
        name: {
            "Type": "AWS::Route53::RecordSet",
            "Properties": {"HostedZoneName": "example.com.", "TTL": "60", **properties},
        }
        for name, properties in records.items()
    }
    body = {"Resources": resources}
    made = account.do(lambda: account.world.stacks.create_stack("other", body, {}))
    while account.do(lambda: made.is_busy):
        time.sleep(0.05)  # noqa: TID251 -- the world's pace


OTHERS_API = {"Name": "api.example.com.", "Type": "A", "ResourceRecords": ["192.0.2.99"]}


def test_a_record_that_any_other_stack_owns_is_never_replaced_and_the_way_out_is_said(
    program: Program, account: Cloud
) -> None:
    unfinished_run(program, account, API)
    owning(account, Api=OTHERS_API)
    for words in (("--force",), ("--force", "--dry-run")):
        ended = restore(program, *words)
        plain_error(ended, 3, "stack other owns", "192.0.2.99", hint="DeletionPolicy: Retain")
        assert f"`route53-takeover restore {program.folder.name} --force" in ended.err
    assert ours(account) == []


def test_a_stack_that_owns_another_type_at_the_name_blocks_no_restore(
    program: Program, account: Cloud
) -> None:
    unfinished_run(program, account, API)
    theirs = {**OTHERS_API, "Type": "TXT", "ResourceRecords": ['"x"']}
    owning(account, Text=theirs)
    lowered, foreign = replace(API, ttl=60), replace(API, values=("192.0.2.8",))
    person(account, ("CREATE", lowered))
    assert restore(program).code == 0
    person(account, ("DELETE", API), ("CREATE", foreign))
    refused = restore(program)
    plain_error(refused, 3, "192.0.2.8", "neither this run nor a stack", hint="--force")
    assert "192.0.2.7" in refused.err, "what would be put there"
    assert restore(program, "--force").code == 0
    here = account.do(lambda: account.world.holds("api.example.com."))
    assert [(r.type, r.values) for r in here] == [("A", ("192.0.2.7",)), ("TXT", ('"x"',))]


@pytest.mark.parametrize(
    ("hidden", "said"),
    [
        ("GetTemplate", "stack other owns"),
        ("ListStacks", "cannot check whether a stack owns"),
    ],
)
def test_a_record_of_unknown_owner_is_not_replaced_but_a_missing_one_is_created(
    program: Program, account: Cloud, hidden: str, said: str
) -> None:
    six = replace(API, type="AAAA", values=("2001:db8::7",))
    unfinished_run(program, account, ORIGINAL, API, six)
    owning(account, Api={**OTHERS_API, "Type": "TXT", "ResourceRecords": ['"x"']})
    foreign = replace(API, values=("192.0.2.8",))
    person(account, ("DELETE", ORIGINAL), ("CREATE", foreign))
    denied = Refused(code="AccessDenied", message="User x may not", status=403)

    def deny(operation: str, parameters: Mapping[str, Any]) -> Refused | None:
        asked = operation == f"cloudformation:{hidden}"
        return denied if asked and "shop" not in parameters.get("StackName", "") else None

    account.befall(deny)
    ended = restore(program, "--force")
    plain_error(ended, 3, said, f"create {six.describe()} (done)", foreign.describe())
    outcomes = [(r["name"], r["type"], r["outcome"]) for r in ended.result["records"]]
    assert outcomes == [
        ("www.example.com", "CNAME", "restored"),
        ("api.example.com", "A", "untouched"),
        ("api.example.com", "AAAA", "restored"),
    ]
    assert [line["changes"] for line in ended.lines[:-1]] == [
        [{"action": "CREATE", "record": record.to_api()}] for record in (ORIGINAL, six)
    ]
    assert {foreign, six} < set(account.do(lambda: account.world.holds("api.example.com.")))


def test_one_name_that_is_refused_keeps_no_other_from_being_restored(
    program: Program, account: Cloud
) -> None:
    unfinished_run(program, account, ORIGINAL, API)
    person(account, ("DELETE", ORIGINAL), ("CREATE", FOREIGN))
    ended = restore(program)
    plain_error(ended, 3, "www.example.com")
    outcomes = {record["name"]: record["outcome"] for record in ended.result["records"]}
    assert outcomes == {"www.example.com": "untouched", "api.example.com": "restored"}
    assert account.do(lambda: account.world.holds("api.example.com.")) == (API,)
    assert account.here() == (FOREIGN,)


def test_a_name_that_lacks_its_record_and_cannot_be_helped_is_exit_4(
    program: Program, account: Cloud
) -> None:
    unfinished_run(program, account, API)
    denied = Refused(code="AccessDenied", message="User x may not", status=403)
    account.befall(lambda operation, _: denied if operation == CHANGE else None)
    ended = restore(program)
    plain_error(ended, 4, "api.example.com", hint=CHANGE)
    assert ended.result["records"][0]["outcome"] == "unknown"


def test_what_keeps_a_restore_from_reading_the_record_is_reported_at_once(
    program: Program, account: Cloud
) -> None:
    unfinished_run(program, account, ORIGINAL)
    expired = Refused(code="ExpiredToken", message="The token is expired", status=403)
    account.befall(lambda _, __: expired)
    plain_error(restore(program), 1, "expired", hint="--profile")
    denied = Refused(code="AccessDenied", message="User x may not", status=403)
    account.befall(lambda _, __: denied)
    plain_error(restore(program), 3, hint="route53:ListResourceRecordSets")
    account.befall(None)
    plain_error(restore(program, "--endpoint-url=http://127.0.0.1:9"), 1, "127.0.0.1:9")
    assert ours(account) == []


def test_a_restore_that_is_stopped_half_way_says_so(program: Program, account: Cloud) -> None:
    unfinished_run(program, account, API)
    reached = threading.Event()

    def delay(operation: str, _: Mapping[str, Any]) -> AnswerDelayed | None:
        if operation != CHANGE:
            return None
        reached.set()
        return AnswerDelayed(seconds=10)

    account.befall(delay)
    process = program.start("restore", "2026", "--output=json")
    assert reached.wait(20)
    process.send_signal(signal.SIGINT)
    ended = program.end_of(process, timeout=5)
    plain_error(ended, 4, "SIGINT", hint="again")
    assert ended.result["run"] == "20260101-000000-shop"


def test_the_summary_of_a_restore_says_what_was_done(program: Program, account: Cloud) -> None:
    folder = unfinished_run(program, account, ORIGINAL, API)
    person(account, ("DELETE", ORIGINAL), ("CREATE", LOWERED))
    ended = program("restore", folder.name)
    assert ended.code == 0
    assert "www.example.com: delete www.example.com CNAME" in ended.out
    assert "api.example.com: create api.example.com A 192.0.2.7" in ended.out
    for path in folder.path.iterdir():
        assert SECRET not in path.read_text()


def test_names_that_are_not_of_the_run_are_not_touched(program: Program, account: Cloud) -> None:
    unfinished_run(program, account, API)
    other = RecordSet(name=WWW, type="TXT", ttl=60, values=('"x"',))
    person(account, ("DELETE", ORIGINAL), ("CREATE", other))
    assert restore(program).code == 0
    assert account.here() == (other,)


def test_credentials_of_another_account_restore_nothing(program: Program, account: Cloud) -> None:
    folder = unfinished_run(program, account, ORIGINAL)
    other = replace(folder.plan(), plan=replace(folder.plan().plan, account="210987654321"))
    folder.save_plan(other)
    person(account, ("DELETE", ORIGINAL))
    ended = restore(program)
    assert (ended.code, ended.result["outcome"]) == (3, "refused")
    assert "123456789012" in ended.result["reason"]
    assert "210987654321" in ended.result["reason"]
    assert (account.here(), ours(account)) == ((), [])
