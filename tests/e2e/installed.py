"""Other people's programs for the tests: each in a folder of its own in the user's cache.

Installed once, from the package registries alone, in the exact versions that the tests were
written against. The project's own environment has none of them: their dependencies conflict.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PYTHON = "3.11"  # what all of them support: uv finds this one whatever runs the tests


class NotInstallableError(Exception):
    """The package cannot be installed here: no network, no index, no fitting program."""


def python_environment(name: str, *packages: str) -> Path:
    """The ``bin`` folder of an environment with these packages; makes it where there is none.

    Raises:
        NotInstallableError: neither uv nor pip can.
    """
    if uv := os.environ.get("UV") or shutil.which("uv"):
        with suppress(NotInstallableError):  # where there is no such Python and none to be had
            return _environment(name, packages, PYTHON, PYTHON, uv)
    version = ".".join(map(str, sys.version_info[:2]))
    return _environment(name, packages, version, sys.executable, uv)


def node_packages(name: str, *packages: str) -> Path:
    """The ``node_modules`` folder with these packages; makes it where there is none.

    Raises:
        NotInstallableError: npm cannot, or is missing.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise NotInstallableError("npm is not installed")
    with _made_once(name) as (home, is_new):
        if is_new:
            home.mkdir()
            quiet = ["--silent", "--no-fund", "--no-audit", "--ignore-scripts"]
            _install([npm, "install", *quiet, "--prefix", str(home), *packages])
    return home / "node_modules"


def _environment(
    name: str, packages: Sequence[str], version: str, python: str, uv: str | None
) -> Path:
    with _made_once(f"{name}-py{version}") as (home, is_new):
        found = str(home / "bin" / "python")
        if is_new and uv:
            _install([uv, "venv", "--quiet", "--python", python, str(home)])
            _install([uv, "pip", "install", "--quiet", "--python", found, *packages])
        elif is_new:
            _install([python, "-m", "venv", str(home)])
            _install([found, "-m", "pip", "install", "--quiet", *packages])
    return home / "bin"


@contextmanager
def _made_once(name: str) -> Iterator[tuple[Path, bool]]:
    """Its folder, and whether it is to be made.

    One process makes it, others (pytest-xdist's workers) wait for it.
    """
    home = user_cache_path("route53-takeover-tests") / name
    home.parent.mkdir(parents=True, exist_ok=True)
    complete = home / "complete"
    with home.with_name(f"{home.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if complete.exists():
            yield home, False
            return
        shutil.rmtree(home, ignore_errors=True)
        yield home, True
        complete.touch()


def _install(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstallableError(f"{shlex.join(command)}: {done.stderr.strip()[-500:]}")
