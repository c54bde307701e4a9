"""Deploy commands that are missing, fail, hang, lie or shout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.cli.program import SECRET, TOKEN, plain_error

if TYPE_CHECKING:
    from tests.cli.program import Cloud, Ended, Program

RUN = ("run", "--auto", "--output=json")


def untouched(program: Program, account: Cloud, ended: Ended) -> str:
    """The run failed and the manual record stands as it was. Returns the reason."""
    result = ended.result
    assert (ended.code, result["outcome"]) == (1, "failed")
    assert result["run"] == program.folder.name
    assert [record["outcome"] for record in result["records"]] == ["untouched"]
    (record,) = account.here()
    assert record.alias is not None
    assert record.alias.dns_name == "d1old.cloudfront.net."
    return str(result["reason"])


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("no-such-command $HOME | cat; exit 127", ("exited 127", "nothing was deployed")),
        ("echo some output; exit 7", ("exited 7", "nothing was deployed")),
        ("true", ("exited 0", "nothing was deployed")),
    ],
)
def test_a_deploy_that_deploys_nothing_is_a_failure_with_its_reason(
    program: Program, account: Cloud, command: str, words: tuple[str, ...]
) -> None:
    ended = program(*RUN, *account.target("--skip-off", deploy=command))
    reason = untouched(program, account, ended)
    assert all(word in reason for word in words), reason
    assert "some output" not in ended.out


def test_a_deploy_whose_program_is_not_there_is_refused_before_anything_is_written(
    program: Program, account: Cloud
) -> None:
    ended = program(*RUN, *account.target(deploy="no-such-command --now"))
    plain_error(ended, 3, "program no-such-command not found", hint="--deploy")
    assert program.folders() == []


@pytest.mark.parametrize("command", ["sleep 60", "trap '' TERM; while :; do sleep 0.1; done"])
def test_a_deploy_that_hangs_is_ended_at_its_time_limit(
    program: Program, account: Cloud, command: str
) -> None:
    ended = program(*RUN, *account.target("--skip-off", "--deploy-timeout=1s", deploy=command))
    untouched(program, account, ended)
    assert "--deploy-timeout" in ended.err


def test_a_deploy_that_shouts_reaches_neither_stdout_nor_the_terminal_raw(
    program: Program, account: Cloud
) -> None:
    command = (
        "head -c 3000000 /dev/urandom; yes filler | head -c 3000000; "
        r"printf '\033[2J\033]0;title\007\x9b31m visible \302\205 end\n'; exit 3"
    )
    ended = program(*RUN, *account.target("--skip-off", deploy=command))
    untouched(program, account, ended)
    assert "visible" in ended.err
    assert "visible" not in ended.out
    for raw in ("\x1b", "\x07", "\x9b", "\x85"):
        assert raw not in ended.err + ended.out
    assert len(ended.err) < 10_000
    assert (program.folder / "deploy-on.log").stat().st_size > 6_000_000


def test_no_secret_is_kept_in_the_run_folder(program: Program, account: Cloud) -> None:
    ended = program(*RUN, "-v", "--log-level=debug", *account.target("--skip-off", deploy="true"))
    assert ended.code == 1
    kept = [path for path in program.home.rglob("*") if path.is_file()]
    assert program.folder / "plan.json" in kept
    for path in kept:
        assert SECRET.encode() not in path.read_bytes(), path
        assert TOKEN.encode() not in path.read_bytes(), path
    assert program.folder.stat().st_mode & 0o777 == 0o700
    modes = {path.stat().st_mode & 0o777 for path in program.folder.iterdir()}
    assert modes == {0o600}
