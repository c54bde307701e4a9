"""The clients with which people deploy: the AWS CLI, the SAM CLI and the CDK, as their makers ship.

Owns their versions, and a folder of commands for a ``PATH``. They are the real programs; only
their long pauses between two looks at a stack (up to 30 s) are cut short. None of them may reach
further than the test's account: their reports to their makers are off.
"""

from __future__ import annotations

import shlex
import shutil
from typing import TYPE_CHECKING

from tests.e2e.installed import node_packages, python_environment

if TYPE_CHECKING:
    from pathlib import Path

AWS_CLI = "awscli==1.46.0"
SAM_CLI = "aws-sam-cli==1.170.0"
CDK = ("aws-cdk@2.1148.1", "aws-cdk-lib@2.276.0", "constructs@10.8.1")
SILENT = {
    "SAM_CLI_TELEMETRY": "0",
    "CDK_DISABLE_CLI_TELEMETRY": "true",
    "CDK_DISABLE_VERSION_CHECK": "1",
    "AWS_CDK_DISABLE_NODE_VERSION_WARNING": "1",
}
_SHORT_SLEEPS = """\
import time
_sleep = time.sleep
time.sleep = lambda seconds: _sleep(min(seconds, 0.3))
"""
_SHORT_TIMERS = """\
const setTimer = globalThis.setTimeout;
globalThis.setTimeout = (call, ms, ...more) => setTimer(call, ms === 5000 ? 300 : ms, ...more);
"""


def aws_cli(folder: Path) -> None:
    """Puts ``aws`` into the folder.

    Raises:
        NotInstallableError: it cannot be had, as below.
    """
    _python_command(folder, "aws", python_environment("awscli-1.46.0", AWS_CLI))


def sam_cli(folder: Path) -> None:
    """Puts ``sam`` into the folder."""
    _python_command(folder, "sam", python_environment("aws-sam-cli-1.170.0", SAM_CLI))


def cdk(folder: Path, app: Path) -> None:
    """Puts ``npx`` into the folder, and the CDK's packages beside the app."""
    (app / "node_modules").symlink_to(node_packages("aws-cdk-2.1148.1", *CDK))
    preload = folder / "short_timers.cjs"
    preload.write_text(_SHORT_TIMERS, "utf-8")
    settings = {"NODE_OPTIONS": f"--require {preload}", "NODE_NO_WARNINGS": "1"}
    _command(folder, "npx", shutil.which("npx") or "npx", settings)


def _python_command(folder: Path, name: str, programs: Path) -> None:
    (folder / "sitecustomize.py").write_text(_SHORT_SLEEPS, "utf-8")
    settings = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": ""}  # start quickly again
    _command(folder, name, str(programs / name), settings)


def _command(folder: Path, name: str, program: str, settings: dict[str, str]) -> None:
    environment = " ".join(f"{key}={shlex.quote(value)}" for key, value in settings.items())
    file = folder / name
    file.write_text(f'#!/bin/sh\n{environment} exec {shlex.quote(program)} "$@"\n', "utf-8")
    file.chmod(0o700)
