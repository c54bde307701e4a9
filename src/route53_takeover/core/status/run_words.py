"""The words that differ between the kinds of run: what views say of each, where they say it.

A snapshot carries them, so that no view has to know which machine is behind it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence


class RunKind(StrEnum):
    """What a run is about."""

    TAKEOVER = "takeover"
    SWITCH = "switch"


class RunWords(Struct, frozen=True, kw_only=True):
    """The words of one kind of run.

    Attributes:
        stack: what comes before the stack's name.
        name: what is typed to confirm something severe.
        dead: what does not happen while no process is there.
        no_abort: why there is nothing to abort any more.
        aborts: what an abort does, while it is asked for.
    """

    kind: RunKind
    stack: str
    name: str
    dead: str
    no_abort: str
    aborts: str


TAKEOVER_WORDS = RunWords(
    kind=RunKind.TAKEOVER,
    stack="stack",
    name="the record's name",
    dead="nothing restores the record",
    no_abort="After a release the run watches to its end and cannot be aborted.",
    aborts="the run undoes its changes",
)
SWITCH_WORDS = RunWords(
    kind=RunKind.SWITCH,
    stack="green's stack",
    name="the name of the site",
    dead="nothing watches the site or leads it back to blue",
    no_abort="Once the switch has begun the run watches to its end and cannot be aborted.",
    aborts="the run ends before the switch; once it has begun, it continues",
)


_FEW = 3


def few(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - _FEW
    if more <= 1:
        return ", ".join(names)
    return f"{', '.join(names[:_FEW])} and {more} more"
