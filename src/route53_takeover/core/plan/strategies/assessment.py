"""What a strategy comes to for one name of a plan: possible, or why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.plan.model import Helper, Manual, Strategy

if TYPE_CHECKING:
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.model import Plan


class Assessment(Struct, frozen=True, kw_only=True):
    """One strategy for one name.

    Attributes:
        manuals: the name's record sets as this strategy prepares them.
        helpers: what answers while they are gone.
        reason: why it is not possible; empty where it is.
        hint: what would make it possible.
        side_effect: what else changes while it is under way.
        reaches_others: other names change what they answer meanwhile.
    """

    strategy: Strategy
    manuals: tuple[Manual, ...] = ()
    helpers: tuple[Helper, ...] = ()
    reason: str = ""
    hint: str = ""
    side_effect: str = ""
    reaches_others: bool = False

    @property
    def is_possible(self) -> bool:
        return not self.reason


def manuals_at(plan: Plan, name: str) -> tuple[Manual, ...]:
    """The plan's record sets at a name, in normal form."""
    return tuple(manual for manual in plan.manuals if manual.key.name == name)


def standing(manual: Manual) -> RecordSet:
    """What stands once the TTL is lowered."""
    return manual.lowered or manual.original
