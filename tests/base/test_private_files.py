"""A run's folder is ours alone: nothing that another user may have put there is followed."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from route53_takeover.base.errors import UsageError
from route53_takeover.base.private_files import (
    claim_run,
    make_folder,
    open_file,
    read_trusted,
    refuse_exposed,
)
from route53_takeover.storage.run_folder import create_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STRANGER, WE = 4711, 4712
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture(params=[0, 0o077, 0o777], ids=["umask-0", "umask-077", "umask-777"])
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives it to another user than us, who are not root."""
    if os.geteuid() == 0:
        os.chown(path, STRANGER, -1, follow_symlinks=False)
    monkeypatch.setattr(os, "geteuid", lambda: WE)


@pytest.mark.usefixtures("_umask")
def test_what_is_made_has_its_mode_whatever_the_umask(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    make_folder(folder)
    os.close(open_file(folder / "file", os.O_WRONLY | os.O_CREAT))
    assert [mode(p) for p in (folder.parent, folder, folder / "file")] == [0o700, 0o700, 0o600]


def test_a_folder_that_was_open_to_others_is_closed_and_those_above_are_the_users(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "above" / "runs"
    folder.mkdir(parents=True)
    for path in (folder, folder.parent):
        path.chmod(0o777)
    (folder / "file").touch()
    (folder / "file").chmod(0o666)
    make_folder(folder)
    assert [mode(folder.parent), mode(folder), mode(folder / "file")] == [0o777, 0o700, 0o666]
    claim_run(folder)
    assert mode(folder / "file") == 0o600


def test_a_symbolic_link_is_neither_followed_nor_taken_for_ours(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    (real / "target").write_text("mine")
    link.symlink_to(real)
    for refuse in (make_folder, claim_run):
        with pytest.raises(UsageError, match="link is a symbolic link"):
            refuse(link)
    (real / "journal.jsonl").symlink_to(real / "target")
    with pytest.raises(UsageError, match=r"journal\.jsonl is a symbolic link"):
        claim_run(real)
    with pytest.raises(OSError, match="symbolic"):
        open_file(real / "journal.jsonl", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    assert (real / "target").read_text() == "mine"


@pytest.mark.parametrize("name", ["", "plan.json"])
def test_a_file_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "plan.json").touch()
    claim_run(folder)
    give_away(folder / name, monkeypatch)
    with pytest.raises(UsageError, match="another user") as refused:
        claim_run(folder)
    (line,) = refused.value.hint.split("`")[1::2]
    subprocess.run(["/bin/sh", "-ec", line], cwd=tmp_path, check=True)
    assert (tmp_path / "carried" / "runs" / "run" / "plan.json").is_file()
    assert mode(tmp_path / "carried" / "runs") == 0o700


@root_only
def test_root_may_help_with_a_users_run_and_is_warned_and_leaves_it_the_users(
    tmp_path: Path,
) -> None:
    """In an incident, or in a container that sees the user's folder."""
    folder = tmp_path / "locks"
    folder.mkdir()
    ours = folder / "plan.json"
    ours.touch()
    (folder / "kept").mkdir(mode=0o755)
    assert claim_run(folder) == ""
    assert mode(folder / "kept") == 0o700, "a folder that no one can enter is of no use"

    os.chown(ours, STRANGER, -1)
    assert str(STRANGER) in claim_run(folder)
    os.chown(folder, STRANGER, -1)
    make_folder(folder)
    assert f"belongs to another user ({STRANGER})" in claim_run(folder)
    os.close(open_file(folder / "new", os.O_WRONLY | os.O_CREAT))
    assert (folder / "new").stat().st_uid == STRANGER

    (tmp_path / "roots").touch()
    (folder / "linked").hardlink_to(tmp_path / "roots")
    os.close(open_file(folder / "linked", os.O_WRONLY | os.O_CREAT))
    assert (tmp_path / "roots").stat().st_uid == 0
    (folder / "link").symlink_to(tmp_path / "roots")
    with pytest.raises(UsageError, match="symbolic link"):
        claim_run(folder)


def test_runs_that_cannot_be_named_apart_are_refused_with_a_hint(tmp_path: Path) -> None:
    for _ in range(99):
        create_run(tmp_path, "shop", 1.0)
    with pytest.raises(UsageError, match="too many runs") as refused:
        create_run(tmp_path, "shop", 1.0)
    assert "--state-dir" in refused.value.hint


def test_a_state_folder_that_others_can_write_or_own_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who can swap a run's folder can read the deploy's log, which is written by its path."""
    state = tmp_path / "state"
    assert refuse_exposed(state) == ""
    state.mkdir()
    for bits, reported in (
        (0o700, ""),
        (0o755, ""),
        (0o1777, ""),
        (0o770, "0770"),
        (0o777, "0777"),
    ):
        state.chmod(bits)
        if not reported:
            assert refuse_exposed(state) == ""
            continue
        with pytest.raises(UsageError, match=reported) as refused:
            refuse_exposed(state)
        assert "inside it" in refused.value.hint
        make_folder(state / f"mine-{bits}" / "runs")
        refuse_exposed(state / f"mine-{bits}")
        (line,) = refused.value.hint.split("`")[1::2]
        subprocess.run(["/bin/sh", "-ec", line], cwd=tmp_path, check=True)
        assert refuse_exposed(state) == ""
    give_away(state, monkeypatch)
    with pytest.raises(UsageError, match="another user") as refused:
        refuse_exposed(state)
    assert "--state-dir" in refused.value.hint


def test_a_folder_above_the_state_folder_that_others_can_write_is_warned_of(tmp_path: Path) -> None:
    above, state = tmp_path / "above", tmp_path / "above" / "state"
    state.mkdir(parents=True)
    for bits, reported in ((0o775, False), (0o1777, False), (0o777, True)):
        above.chmod(bits)
        assert (str(above) in refuse_exposed(state)) == reported
    link = tmp_path / "link"
    link.symlink_to(state)
    assert str(above) in refuse_exposed(link)


@root_only
def test_root_is_warned_of_a_users_state_folder_and_of_its_own_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(UsageError, match="0777"):
        refuse_exposed(tmp_path)
    os.chown(tmp_path, STRANGER, -1)
    assert str(STRANGER) in refuse_exposed(tmp_path)


@root_only
def test_a_file_that_another_user_put_there_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner would read what is written; root's own is root's to give."""
    file = tmp_path / "deploy-on.log"
    file.touch(mode=0o666)
    give_away(file, monkeypatch)
    with pytest.raises(PermissionError, match="another user"):
        open_file(file, os.O_WRONLY | os.O_CREAT)
    os.chown(file, 0, -1)
    os.close(open_file(file, os.O_WRONLY | os.O_CREAT))


def test_a_configuration_that_others_can_write_or_own_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "project"
    folder.mkdir(mode=0o755)
    file = folder / "takeover.toml"
    file.write_bytes(b"x")
    for folder_bits, file_bits, blamed in (
        (0o755, 0o644, ""),
        (0o1777, 0o644, ""),
        (0o775, 0o644, "project (mode"),
        (0o777, 0o644, "project (mode"),
        (0o755, 0o664, "toml (mode"),
        (0o1777, 0o646, "toml (mode"),
    ):
        folder.chmod(folder_bits)
        file.chmod(file_bits)
        if not blamed:
            assert read_trusted(file) == b"x"
            continue
        with pytest.raises(UsageError, match=re.escape(blamed)) as refused:
            read_trusted(file)
        assert "chmod go-w" in refused.value.hint
        assert "--config" in refused.value.hint
    folder.chmod(0o755)
    file.chmod(0o644)
    give_away(file, monkeypatch)
    with pytest.raises(UsageError, match="another user") as refused:
        read_trusted(file)
    assert "chown" in refused.value.hint
