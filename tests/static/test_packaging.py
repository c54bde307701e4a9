"""What is installed: a wheel in a clean environment, and what the Dockerfile does.

Without the network: the wheel's dependencies are those of this environment.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.metadata import requires
from pathlib import Path
from typing import NamedTuple

import pytest

from route53_takeover import __version__

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


class Installed(NamedTuple):
    """The program as a wheel made it."""

    wheel: Path
    bin: Path
    env: dict[str, str]

    def __call__(self, *words: str) -> str:
        """Runs something of it; its output."""
        done = subprocess.run(
            [self.bin / words[0], *words[1:]],
            env=self.env,
            cwd=self.wheel.parent,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A wheel, built here and installed where nothing else is."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "--target",
        "wheel",
        "--directory",
        str(folder),
    ]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    # A path like this brings the dependencies, and no link to the source: .pth files are not read.
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    made = Installed(wheel, folder / "venv" / "bin", env)
    plain = made._replace(env={k: v for k, v in env.items() if k != "PYTHONPATH"})
    plain("python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    return made


def test_the_wheel_is_installed_and_rehearses_a_takeover(installed: Installed) -> None:
    where = installed("python", "-c", "import route53_takeover as r; print(r.__file__)")
    assert where.startswith(str(installed.bin.parent)), "it is not the source's"
    assert installed("route53-takeover", "--version") == f"route53-takeover {__version__}\n"
    words = ["rehearse", "--auto", "--quiet", "--speed=50", "--output=json"]
    result = json.loads(installed("route53-takeover", *words).splitlines()[-1])
    assert (result["event"], result["outcome"]) == ("result", "done")


def test_the_wheel_has_its_data_files_and_nothing_of_the_project(installed: Installed) -> None:
    names = zipfile.ZipFile(installed.wheel).namelist()
    source = ROOT / "src"
    files = {
        str(path.relative_to(source))
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    packed = {name for name in names if ".dist-info/" not in name}
    assert packed == files
    assert {"route53_takeover/py.typed", "route53_takeover/tui/takeover.tcss"} <= packed
    assert any("aws_models" in name and name.endswith(".json") for name in packed)


def test_the_metadata_is_what_an_index_and_pipx_need(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as wheel:
        (path,) = [name for name in wheel.namelist() if name.endswith("/METADATA")]
        told = wheel.read(path).decode()
    head = told.partition("\n\n")[0]
    for line in (
        "Name: route53-takeover",
        f"Version: {__version__}",
        "License-Expression: MIT",
        "Requires-Python: <3.15,>=3.11",
        "Description-Content-Type: text/markdown",
    ):
        assert line in head.splitlines()
    wanted = {
        line.partition(": ")[2] for line in head.splitlines() if line.startswith("Requires-D")
    }
    assert wanted == set(requires("route53-takeover") or ())


def _instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in text.splitlines() if line]


def test_the_container_runs_the_program_itself_as_a_user_without_privileges() -> None:
    last = dict(_instructions())
    user, group = last["USER"].split(":")
    assert int(user)
    assert int(group)
    assert json.loads(last["ENTRYPOINT"]) == ["route53-takeover"], "no shell: it gets the signals"
    assert last["STOPSIGNAL"] == "SIGTERM"
    assert last["VOLUME"] == "/state"
    assert "ROUTE53_TAKEOVER_STATE_DIR=/state" in last["ENV"]
    order = [name for name, _ in _instructions()]
    assert order.index("USER") > max(n for n, name in enumerate(order) if name == "RUN")


def test_what_the_image_copies_is_there_and_is_all_that_the_build_sees() -> None:
    copied = [
        word
        for name, rest in _instructions()
        if name == "COPY" and not rest.startswith("--from")
        for word in rest.split()[:-1]
    ]
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert ignored[0] == "*"
    allowed = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    assert sorted(copied) == sorted(allowed)
    assert all((ROOT / word).exists() for word in copied)
    assert any(fnmatch.fnmatch("src/__pycache__", line) for line in ignored)
