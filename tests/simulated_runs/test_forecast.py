"""The forecast, held against caching resolvers in the simulated world."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts/check_forecast.py"


def test_the_forecast_is_what_resolvers_measure() -> None:
    """A small part of what ``scripts/check_forecast.py`` does with a thousand runs."""
    done = subprocess.run(
        [sys.executable, SCRIPT, "--runs", "60"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "never-created" in done.stdout
