"""A state folder that is full or read-only, and one that was carried to another machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.e2e.processes import NO_SERVER, Takeover
from tests.e2e.simulated import JSON, KEYS, await_true

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.processes import Finished
    from tests.e2e.simulated import Scene

_MOUNTED = 'mount -t tmpfs -o size=256k none "$0" && echo mounted && exec cat'


class SmallDisk:
    """A disk of 256 kB in a mount namespace that lives as long as its keeper."""

    def __init__(self, keeper: subprocess.Popen[str], folder: Path) -> None:
        self.folder = Path(f"/proc/{keeper.pid}/root{folder}")
        self._filler = self.folder / "filler"

    def fill(self) -> None:
        """Leaves not one byte."""
        with self._filler.open("ab", buffering=0) as filler:
            for size in (4096, 1):
                with suppress(OSError):
                    while filler.write(b"x" * size):
                        pass

    def make_room(self) -> None:
        self._filler.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Skips where this user may not mount."""
    unshare, folder = shutil.which("unshare"), tmp_path / "disk"
    if unshare is None:
        pytest.skip("there is no unshare here (it is Linux's)")
    folder.mkdir()
    with subprocess.Popen(
        [unshare, "--user", "--map-root-user", "--mount", "sh", "-c", _MOUNTED, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as keeper:
        assert keeper.stdout is not None
        assert keeper.stdin is not None
        said = keeper.stdout.readline()
        if said != "mounted\n":
            pytest.skip(f"this user may not mount a tmpfs here: {said.strip()}")
        yield SmallDisk(keeper, folder)
        keeper.stdin.close()


@contextmanager
def read_only(folder: Path) -> Iterator[tuple[str, ...]]:
    """Takes the write permission away; what it yields runs a command as a user other than root.

    Root does not, so its command is run without the capability to pass over modes.
    """
    through: tuple[str, ...] = ()
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("these tests run as root, whom no mode keeps out without setpriv")
        through = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
    paths = [folder, *folder.rglob("*")]
    modes = {path: path.stat().st_mode for path in paths}
    for path, mode in modes.items():
        path.chmod(mode & 0o500)
    try:
        yield through
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


def test_a_full_disk_is_reported_before_anything_is_written_and_stops_no_restore(
    scene: Scene, disk: SmallDisk
) -> None:
    scene.takeover.state_dir = disk.folder / "state"
    disk.fill()
    refused = scene.start().finish()
    assert_reported(refused, "No space left on device", "--state-dir")
    assert scene.account.actions() == []
    disk.make_room()

    running = scene.go_to_the_gap("--restore-after", "2s")
    disk.fill()
    await_true(lambda: scene.here, "the deadman's restore")
    assert scene.here == scene.original
    scene.account.pass_time(120)
    done = running.finish()
    assert (done.code, done.result["outcome"]) == (4, "unknown"), done.result
    assert "the journal cannot be written" in done.result["reason"]
    assert done.result["records"][0]["outcome"] == "restored"

    disk.make_room()
    again = scene.resume().finish()
    assert (again.code, again.result["outcome"]) == (1, "restored"), again.result
    scene.assert_true_an_hour_later(scene.original)
    assert scene.account.actions() == [["DELETE", "CREATE"], ["DELETE"], ["CREATE"]]


def assert_reported(finished: Finished, what: str, how: str) -> None:
    """A usage error: what is wrong and what to do, and no data."""
    assert (finished.code, finished.stdout) == (2, ""), finished
    assert what in finished.stderr
    assert how in finished.stderr
    assert "Traceback" not in finished.stderr


def test_restore_needs_nothing_but_the_folder_of_the_run_and_credentials(
    scene: Scene, tmp_path: Path
) -> None:
    state_dir = scene.takeover.state_dir
    state_dir.mkdir(mode=0o700)
    with read_only(state_dir) as through:
        assert_reported(scene.start(through=through).finish(), "Permission denied", "--state-dir")
    assert scene.account.actions() == []
    scene.go_to_the_gap().kill()
    with read_only(state_dir) as through:
        resumed = scene.takeover.start("resume", scene.run, "--auto", *JSON, through=through)
        assert_reported(resumed.finish(), "cannot lock", "`restore` needs no lock")
        assert scene.here == []
        restored = scene.takeover.start("restore", scene.run, *JSON, through=through).finish()
        assert (restored.code, restored.result["outcome"]) == (0, "done"), restored
        assert "continuing" in restored.stderr, "what cannot be saved is told"
    assert scene.here == scene.original
    scene.account.delete(scene.original)
    restored = restored_elsewhere(scene, tmp_path / "elsewhere")
    assert (restored.code, restored.result["outcome"]) == (0, "done"), restored
    assert "UPDATE_IN_PROGRESS" in restored.stderr, "the stack may undo it again: that is said"
    scene.assert_true_an_hour_later(scene.original)


def restored_elsewhere(scene: Scene, home: Path) -> Finished:
    """`restore` on a machine without the tools, the settings and the folders of the first one."""
    runs = home / "carried" / "runs"
    runs.mkdir(parents=True)
    subprocess.run(["cp", "-r", "-L", scene.takeover.run_folder, runs], check=True)
    with Takeover(home) as other:
        other.state_dir = runs.parent
        nowhere = {"PATH": "/nonexistent", "HOME": str(home), "HTTPS_PROXY": NO_SERVER}
        other.environment = {**KEYS, **nowhere}
        return other.run("restore", scene.run, *JSON)
