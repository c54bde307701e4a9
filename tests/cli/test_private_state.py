"""The state folder is its owner's alone, and what another user put there is not trusted."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from tests.cli.program import WWW, plain_error, unfinished_run

from route53_takeover.storage.locks import site_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Cloud, Program


def modes(folder: Path) -> dict[str, int]:
    """The mode of a folder and of everything in it."""
    paths = [folder, *folder.rglob("*")]
    return {str(p.relative_to(folder.parent)): stat.S_IMODE(p.lstat().st_mode) for p in paths}


def private(folder: Path) -> None:
    """Checks that a folder and all in it is private, and for us to write."""
    wrong = {
        name: oct(mode)
        for name, mode in modes(folder).items()
        if mode != (0o700 if (folder.parent / name).is_dir() else 0o600)
    }
    assert not wrong


def wide() -> None:
    os.umask(0)


def narrow() -> None:
    os.umask(0o777)


def test_all_that_is_kept_is_the_owners_alone_whatever_the_umask_and_whatever_was_there(
    program: Program, account: Cloud
) -> None:
    for folder in (program.state, program.state / "runs", program.state / "locks"):
        folder.mkdir()
        folder.chmod(0o777)
    failing = account.target("--skip-off", deploy="true")
    ended = program("run", "--auto", *failing)
    plain_error(ended, 2, f"others can write to {program.state} (mode 0777)", hint="chmod go-w")
    assert program.folders() == []
    program.state.chmod(0o755)
    assert program("run", "--auto", *failing, preexec_fn=wide).code == 1
    for name in ("runs", "locks"):
        private(program.state / name)

    for path in (program.folder, program.folder / "journal.jsonl"):
        path.chmod(0o777)
    account.do(lambda: account.world.write([("DELETE", account.world.holds(WWW)[0])]))
    program.state.chmod(0o777)  # no reason to leave the name empty
    helped = program("restore", "2", "-q", preexec_fn=narrow)
    assert helped.code == 0
    assert f"warning: others can write to {program.state} (mode 0777)" in helped.err
    files = {path.name for path in program.state.rglob("*") if path.is_file()}
    deploy = {f"deploy-on.{suffix}" for suffix in ("log", "pid", "exit")}
    run = {"journal.jsonl", "plan.json", "backup.json", "takeover.log"}
    run |= {"restores.jsonl", "ends.jsonl"}
    assert files == run | deploy | {lock.name for lock in (program.state / "locks").iterdir()}
    for name in ("runs", "locks"):
        private(program.state / name)
    assert stat.S_IMODE(program.state.stat().st_mode) == 0o777, "the user's own choice"


def test_files_that_another_user_may_have_put_there_are_not_used(
    program: Program, account: Cloud
) -> None:
    runs, locks, elsewhere = (program.state / n for n in ("runs", "locks", "elsewhere"))
    runs.mkdir(parents=True)
    elsewhere.mkdir()
    theirs = elsewhere / "backup.json"
    theirs.touch()

    link = runs / "1-link"
    link.symlink_to(elsewhere)
    plain_error(program("resume", "1", "--auto"), 2, str(link), "symbolic link", hint="copy")
    (runs / "2-run").mkdir()
    (runs / "2-run" / "backup.json").symlink_to(theirs)
    plain_error(program("restore", "2"), 2, "backup.json", "symbolic link", hint="copy")
    locks.mkdir()
    lock = locks / f"{site_of(account.world.zone.zone_id, account.url)}-www.example.com.lock"
    if os.geteuid() == 0:  # only root can give a file to another user, and may be called to help
        users = unfinished_run(program, account, *account.here()).path
        for path in (users, locks):
            os.chown(path, 4711, -1)
        helped = program("restore", users.name, "-q")
        assert (helped.code, "warning: " in helped.err, "4711" in helped.err) == (0, True, True)
        for path in (users, locks):
            os.chown(path, 0, -1)

    run = ("run", "--auto", *account.target("--skip-off"))
    lock.symlink_to(theirs)
    plain_error(program(*run), 2, str(locks), hint="--state-dir")
    lock.unlink()
    runs.rename(program.state / "theirs")
    runs.symlink_to(program.state / "theirs")
    plain_error(program(*run), 2, str(runs), "symbolic link", hint="--state-dir")
    assert account.writes() == ["a person"]
    assert theirs.read_bytes() == b""
