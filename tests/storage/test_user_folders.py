"""Where runs are kept: also for a user who has no home folder."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

import pytest

from route53_takeover.base.errors import UsageError
from route53_takeover.cli.options import CommonOptions
from route53_takeover.storage.user_folders import config_folder, runtime_folder, state_folder
from route53_takeover.tui.preferences import load, remember_theme

if TYPE_CHECKING:
    from pathlib import Path

NO_ACCOUNT = 3_999_999_999


@pytest.fixture
def _homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs as a number: no ``HOME``, and no account with one."""
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)

    def none(number: int) -> pwd.struct_passwd:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", none)
    monkeypatch.setattr(os, "geteuid", lambda: NO_ACCOUNT)


def _common(*, quiet: bool = False) -> Path:
    return CommonOptions(quiet=quiet).common().state_dir


@pytest.mark.usefixtures("_homeless")
def test_without_a_home_folder_the_error_says_how_to_set_the_state_folder() -> None:
    with pytest.raises(UsageError, match=f"{NO_ACCOUNT}.* no home folder") as refused:
        _common()
    assert "--state-dir" in refused.value.hint
    preferences = config_folder() / "screen.json"
    assert load(preferences, ()) == load(preferences.with_name("none"), ())


@pytest.mark.usefixtures("_homeless")
def test_a_user_without_a_home_keeps_runs_in_the_runtime_folder_and_is_warned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid)
    assert _common() == tmp_path / "route53-takeover"
    assert "lost at reboot" in capsys.readouterr().err
    _common(quiet=True)
    assert capsys.readouterr().err == ""
    assert remember_theme(config_folder() / "screen.json", "nord") == ""

    kept = tmp_path / "kept"
    monkeypatch.setenv("XDG_STATE_HOME", str(kept))
    assert state_folder() == (kept / "route53-takeover", "")


def test_a_runtime_folder_that_is_not_ours_alone_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "run"
    own.mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to(own)
    monkeypatch.chdir(tmp_path)
    for named, used in ((own, True), (link, False), ("run", False), (tmp_path / "none", False)):
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(named))
        assert (runtime_folder() == own) == used
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(own))
    own.chmod(0o770)
    assert runtime_folder() != own
    own.chmod(0o700)
    monkeypatch.setattr(os, "geteuid", lambda: NO_ACCOUNT)
    assert runtime_folder() is None, "another user's, which sudo left in the environment"
