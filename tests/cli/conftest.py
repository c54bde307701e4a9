"""The command, and an account for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.cli.live import Switcher
from tests.cli.program import Program, cloud
from tests.live_sites import LiveAccount

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.program import Cloud


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The command in an empty home."""
    return Program(tmp_path)


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Cloud]:
    """The account of a takeover that goes well."""
    with cloud(tmp_path) as served:
        yield served


@pytest.fixture(scope="session")
def live() -> Iterator[LiveAccount]:
    """The account in which tests put up live sites of their own."""
    with LiveAccount().served() as served:
        yield served


@pytest.fixture
def switcher(live: LiveAccount, tmp_path: Path) -> Switcher:
    """The command, for live sites."""
    return Switcher(live, tmp_path)
