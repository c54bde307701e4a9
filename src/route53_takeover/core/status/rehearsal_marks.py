"""How a rehearsal is marked wherever it is shown: no line of it may be taken for a real run's."""

from __future__ import annotations

DRY_RUN = "dry-run"
"""In the place of a scenario's name: the plan is rehearsed in an account made of a real one."""


def mark(rehearsal: str | None) -> str:
    """The word before its lines; empty for a real run."""
    if not rehearsal:
        return ""
    return "DRY RUN" if rehearsal == DRY_RUN else "REHEARSAL"


def prefix(rehearsal: str | None) -> str:
    """The same with a space behind it."""
    return f"{mark(rehearsal)} ".lstrip()


def title(rehearsal: str) -> str:
    """What it is: the mark, the scenario, and that the account is a simulated one."""
    if rehearsal == DRY_RUN:
        return "DRY RUN of this plan: a simulated account made of what was read"
    return f"REHEARSAL of {rehearsal}: a simulated account"
