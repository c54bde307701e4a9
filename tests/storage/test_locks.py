"""Two runs of one user never work on one name, wherever each keeps its state."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import tempfile
from typing import TYPE_CHECKING

import pytest

from route53_takeover.base.errors import RefusedError, UsageError
from route53_takeover.core.plan.model import SOA_LOCK
from route53_takeover.storage import locks
from route53_takeover.storage.locks import Work, last_holders, locked_names, site_of
from route53_takeover.storage.run_folder import RunFolder
from route53_takeover.storage.user_folders import lock_folders

if TYPE_CHECKING:
    from pathlib import Path

WWW = "www.example.com."
SITE = "Z1"


@pytest.fixture(autouse=True)
def _machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that no other test uses."""
    for name in ("run", "tmp"):
        (tmp_path / name).mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))


def run_in(state_dir: Path, name: str) -> RunFolder:
    return RunFolder(state_dir / "runs" / name)


def refusal(state_dir: Path, *names: str, site: str = SITE, work: Work = Work.RUN) -> RefusedError:
    with (
        pytest.raises(RefusedError) as refused,
        locked_names(state_dir, site, names or [WWW], work),
    ):
        pass
    return refused.value


def test_a_run_with_another_state_folder_is_met_and_named(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    with locked_names(one, SITE, [WWW]) as held:
        held.register(run_in(one, "20260101-000000-shop"))
        for work in Work:
            refused = refusal(other, "a.example.com.", WWW, work=work)
            assert refused.message.endswith(f"www.example.com: 20260101-000000-shop in {one}")
            assert f"attach 20260101-000000-shop --state-dir {one}" in refused.hint
        with locked_names(other, SITE, ["a.example.com."]):
            pass
    with locked_names(other, SITE, [WWW]):
        pass


def test_one_run_at_a_time_has_the_soa_of_a_zone(tmp_path: Path) -> None:
    soa = f"{SOA_LOCK}example.com."
    with locked_names(tmp_path, SITE, [WWW, soa]) as held:
        held.register(run_in(tmp_path, "20260101-000000-shop"))
        refused = refusal(tmp_path, "api.example.com.", soa)
        assert "is using the SOA of example.com: 20260101-000000-shop" in refused.message
        assert refused.hint.endswith("Or leave out --negative-ttl.")
        with locked_names(tmp_path, SITE, ["api.example.com.", "example.com."]):
            pass


def test_a_run_is_named_only_for_as_long_as_its_process_is_there(tmp_path: Path) -> None:
    """Another process may have taken the lock, and not have written its run yet."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    with locked_names(tmp_path, SITE, [WWW]) as held:
        held.register(run_in(tmp_path, "r"))
        for path in tmp_path.rglob("*lock"):
            path.write_text(path.read_text().replace(str(os.getpid()), str(ended.pid)))
        refused = refusal(tmp_path)
        assert refused.message.endswith("www.example.com")
        assert f"`route53-takeover runs --state-dir {tmp_path}`" in refused.hint


@pytest.mark.parametrize("lost", ["run", "tmp"])
def test_a_run_from_before_a_logout_or_of_another_environment_is_met(
    tmp_path: Path, lost: str
) -> None:
    """The system empties the runtime folder at the logout; a service may have its own /tmp."""
    with locked_names(tmp_path / "one", SITE, [WWW]):
        (tmp_path / lost).rename(tmp_path / "gone")
        (tmp_path / lost).mkdir(mode=0o700)
        assert "another run" in refusal(tmp_path / "other").message


def test_an_emulator_is_another_account_and_leaves_no_lock_behind(tmp_path: Path) -> None:
    assert site_of("Z1", None) == site_of("Z1", "https://route53.amazonaws.com") == "Z1"
    assert site_of("Z1", "https://gateway.example.net") == "Z1", "it may lead to AWS"
    here, there = (site_of("Z1", f"http://127.0.0.1:{port}") for port in (4566, 4567))
    assert site_of("Z1", "http://localhost:4566") == here
    with (
        locked_names(tmp_path, here, [WWW]) as held,
        locked_names(tmp_path, there, [WWW]),
        locked_names(tmp_path, SITE, [WWW]),
    ):
        held.register(run_in(tmp_path, "r"))
        assert [run.name for run in last_holders(here)] == ["r"]
        assert last_holders(there) == last_holders(SITE) == []
    left = {path.name for path in tmp_path.rglob("*lock")}
    assert left == {f"Z1-{WWW}lock"}


def test_a_lock_that_was_taken_away_before_it_was_ours_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its holder ends, and takes the file away, between our opening and our locking it."""
    flock = fcntl.flock
    taken: list[int] = []

    def late(file: int, operation: int) -> None:
        if not taken:
            taken.append(file)
            (tmp_path / "locks" / f"{SITE}-{WWW}lock").unlink()
        flock(file, operation)

    monkeypatch.setattr(locks, "lock_folders", lambda: ())
    monkeypatch.setattr(fcntl, "flock", late)
    with locked_names(tmp_path, SITE, [WWW], Work.RESUME):
        refusal(tmp_path, work=Work.RESUME)


def test_the_runs_that_held_a_lock_are_known_the_newest_first(tmp_path: Path) -> None:
    for number in range(12):
        state_dir = tmp_path / "ones" if number % 2 else tmp_path / "others"
        with locked_names(state_dir, SITE, [WWW]) as held:
            held.register(run_in(state_dir, f"run-{number % 10}"))
    names = [run.name for run in last_holders(SITE)]
    assert names == ["run-1", "run-0", "run-9", "run-8", "run-7", "run-6", "run-5", "run-4"]
    assert last_holders(SITE)[0].path == tmp_path / "ones" / "runs" / "run-1"
    for path in tmp_path.rglob("*lock"):
        path.write_bytes(b"\xff" * 9)
    assert last_holders(SITE) == []
    with locked_names(tmp_path, SITE, [WWW]) as held:
        assert refusal(tmp_path).message.endswith("www.example.com")
        held.register(run_in(tmp_path, "r"))
    assert [run.name for run in last_holders(SITE)] == ["r"]


def test_where_no_lock_can_be_made_beside_the_state_folder_only_a_run_is_refused(
    tmp_path: Path,
) -> None:
    """Another user may have put a link there; full and read-only disks fail the same way."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for folder in lock_folders():
        folder.parent.mkdir(exist_ok=True)
        folder.symlink_to(elsewhere)
    with (
        pytest.raises(UsageError, match=r"cannot lock .*another user's") as refused,
        locked_names(tmp_path / "state", SITE, [WWW]),
    ):
        pass
    assert "XDG_RUNTIME_DIR" in refused.value.hint
    for work in (Work.RESUME, Work.RESTORE):
        with locked_names(tmp_path / "state", SITE, [WWW], work) as held:
            held.register(run_in(tmp_path, "r"))
    lock_folders()[0].unlink()
    with locked_names(tmp_path / "state", SITE, [WWW]):
        pass
    assert list(elsewhere.iterdir()) == []


def test_a_restore_needs_no_lock_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system may know no locks, as some that come over a network."""

    def none(_file: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", none)
    with pytest.raises(UsageError, match="No locks"), locked_names(tmp_path, SITE, [WWW]):
        pass
    with locked_names(tmp_path, SITE, [WWW], Work.RESTORE) as held:
        held.register(run_in(tmp_path, "r"))


def test_a_state_folder_that_is_in_the_runtime_folder_is_not_locked_twice(tmp_path: Path) -> None:
    state_dir = tmp_path / "run" / "route53-takeover"
    with locked_names(state_dir, SITE, [WWW]):
        refusal(state_dir)


def test_a_name_too_long_for_a_file_is_locked(tmp_path: Path) -> None:
    long, longer = "\\052" * 60 + ".com.", "\\052" * 61 + ".com."
    with locked_names(tmp_path, SITE, [long]), locked_names(tmp_path, SITE, [longer]):
        pass
