"""Which side a mapping of a custom domain is on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.switch.model import SwapReading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.domain.api_mappings import ApiMapping
    from route53_takeover.core.switch.model import MappingSwap


def mapping_at(mappings: Sequence[ApiMapping], base_path: str) -> ApiMapping | None:
    """The mapping of a base path; ``None``: there is none."""
    return next((each for each in mappings if each.base_path == base_path), None)


def mapping_reading(swap: MappingSwap, mappings: Sequence[ApiMapping]) -> SwapReading:
    """Where the base path of a swap leads, by all mappings of its domain.

    A mapping that was deleted and created again has another id, and leads where it leads.
    """
    found = mapping_at(mappings, swap.mapping.base_path)
    if found is None:
        return SwapReading(side=Side.ABSENT, shown="")
    if found.target == swap.mapping.target:
        side = Side.BLUE
    elif found.target == swap.to:
        side = Side.GREEN
    else:
        side = Side.OTHER
    return SwapReading(side=side, shown=str(found.target))
