"""The code is as the project's own rules want it: format, lint, types, import contracts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "format", "--check", "src", "tests", "scripts"],
        ["ruff", "check", "src", "tests", "scripts"],
        ["mypy"],
        ["lint-imports", "--no-cache"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_the_code_follows_the_projects_rules(command: list[str]) -> None:
    done = subprocess.run(
        [BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


@pytest.mark.parametrize(
    ("module", "never"),
    [
        ("route53_takeover.cli.app", ("boto3", "aiobotocore", "textual", "rich", "dns", "msgspec")),
        ("route53_takeover.runtime.engine", ("boto3", "aiobotocore", "textual", "typer", "dns")),
        ("route53_takeover.core.takeover.step", ("asyncio", "boto3", "structlog", "dns", "typer")),
        *(
            (f"route53_takeover.cli.{name}", ("textual", "route53_takeover.simulation.aws.account"))
            for name in ("execution", "terminal", "commands.plan", "commands.restore")
        ),
        ("route53_takeover.cli.terminal", ("structlog", "boto3", "aiobotocore", "dns")),
        ("route53_takeover.cli.commands.runs", ("structlog", "boto3", "aiobotocore", "dns")),
        ("route53_takeover.cli.virtual_rehearsals", ("boto3", "aiobotocore", "dns", "textual")),
    ],
)
def test_a_module_is_imported_without_what_it_does_not_need(
    module: str, never: tuple[str, ...]
) -> None:
    program = f"import sys, {module}; print([m for m in {never!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


SLOW = [
    "pydantic",
    "structlog",
    "rich",
    "textual",
    "boto3",
    "botocore",
    "aiobotocore",
    "aiohttp",
    "dns",
]


@pytest.mark.parametrize("words", ["--help", "plan --help", "report --help", "runs"])
def test_a_quick_command_loads_nothing_that_is_slow(words: str, tmp_path: Path) -> None:
    """Typer 0.29 loads pydantic for each command that has options, and structlog loads rich."""
    program = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print([m for m in {SLOW!r} if m in sys.modules]))\n"
        f"sys.argv = ['route53-takeover', *{words.split()!r}]\n"
        "from route53_takeover.cli.app import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "ROUTE53_TAKEOVER_STATE_DIR": str(tmp_path)},
    )
    assert done.stdout.splitlines()[-1] == "[]"
