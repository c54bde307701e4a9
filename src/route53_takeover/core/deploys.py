"""The deploy commands of a run, as its state knows them."""

from __future__ import annotations

from msgspec import Struct


class Deploy(Struct, frozen=True, kw_only=True):
    """One of a run's deploy commands. ``exited`` with code ``None``: its exit code is unknown."""

    intended_at: float
    exited_at: float | None = None
    code: int | None = None
    tail: str = ""
    timed_out: bool = False
