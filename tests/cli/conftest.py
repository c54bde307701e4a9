"""The command, and an account for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.cli.program import Program, cloud

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
