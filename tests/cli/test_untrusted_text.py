"""Text from outside reaches stdout, stderr and the run's files only where it can do no harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.cli.program import cloud

from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.simulation.aws.http.faults import Refused
from route53_takeover.simulation.scenarios import (
    NAME,
    alias,
    alias_resource,
    site_account,
    site_template,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.program import Cloud, Program

JSON = "--output=json"
RAW = "\x9b31m\u202e\u2066\u2028\x7f\u200f\x85"
SEEN = r"\u009b31m\u202e\u2066\u2028\u007f\u200f\u0085"
HOSTILE = f"said{RAW}so\nerror: forged"
"""What AWS's XML can carry. A raw ESC comes by the command line and the deploy command."""
SHOUT = r"printf '\033]0;pwn\007\033[2J\302\2331m\342\200\256 the end\rnow\n'; "


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Cloud]:
    """Everybody in it means harm, and the stack fails."""
    failing = {
        "Type": "AWS::Lambda::Permission",
        "Condition": "Enabled",
        "Metadata": {"Simulation": {"Seconds": 8, "Fail": HOSTILE}},
    }
    template = site_template(alias_resource("d1new"), **{f"Perm{RAW}": failing})
    beside = RecordSet(name=NAME, type="TXT", ttl=300, values=(f'"{RAW}"', r'"\033[31m"'))
    made = replace(site_account(template=template), existing=(alias("d1old"), beside))
    with cloud(tmp_path, made) as served:
        yield served


def harmless(*reported: str | bytes) -> None:
    """No character of it acts on a terminal, and no line of it is another's."""
    for text in reported:
        lines = (text if isinstance(text, str) else text.decode()).split("\n")
        for line in lines:
            assert line.isprintable(), ascii(line)
            assert not line.startswith("error: forged"), lines


def test_output_of_a_hostile_account_and_deploy_is_escaped_everywhere(
    program: Program, account: Cloud
) -> None:
    planned = program("plan", *account.target("--skip-off", deploy="one\ntwo"))
    assert planned.code == 0, planned.err
    harmless(planned.out, planned.err)
    assert SEEN in planned.out
    assert r"--deploy $'one\ntwo'" in planned.out

    words = account.target("--skip-off", "--settle=2.5", deploy=SHOUT + account.deploy)
    ran = program("run", "--auto", "-v", *words)
    assert ran.code == 1, ran.err
    harmless(ran.out, ran.err)
    for reported in (f"Perm{SEEN}", rf"said{SEEN}so\nerror: forged", "  | now\n"):
        assert reported in ran.err
    assert SEEN in ran.out

    kept = {path.name: path.read_bytes() for path in program.folder.iterdir()}
    assert b"\x1b]0;pwn" in kept.pop("deploy-on.log"), "what the command said, to the letter"
    harmless(*kept.values())
    assert SEEN in kept["journal.jsonl"].decode()

    report, runs, data = program("report", "2", "-v"), program("runs"), program("report", "2", JSON)
    for ended in (report, runs, data):
        assert ended.code == 0
        harmless(ended.out, ended.err)
    assert report.out.count(SEEN) > 2
    assert SEEN in runs.out
    assert data.out.isascii()
    assert HOSTILE in data.lines[0]["result"]["reason"], "JSON says the same"


def test_what_aws_refuses_is_printed_escaped(program: Program, account: Cloud) -> None:
    account.befall(lambda *_: Refused(code="AccessDenied", message=HOSTILE, status=403))
    for words in (("plan", JSON), ("run", "--auto")):
        ended = program(*words, *account.target("--skip-off"))
        assert ended.code == 3
        harmless(ended.out, ended.err)
        assert ended.err.count(r"said\u009b31m\u202e") == 1
        assert ended.out.isascii()


def test_what_was_typed_is_printed_escaped(program: Program) -> None:
    nasty = "x\x1b]0;pwn\x07\x9b31m\u202e\udcff"
    typed = (
        ("report", "x", "--state-dir", f"{program.home}/{nasty}"),
        ("runs", "--config", nasty),
        ("runs", f"--{nasty}"),
        ("plan", "--stack=x", f"--record={nasty}.example.com/{nasty}", "--deploy=x"),
        ("plan", "--stack=x", "--record=a.b", "--deploy=x", f"--ttl={nasty}"),
    )
    for process in [program.start(*words) for words in typed]:
        ended = program.end_of(process)
        assert ended.code == 2, (process.args, ended.err)
        assert "pwn" in ended.err
        harmless(ended.out, ended.err)
