"""Which stack may have been meant by a name that no stack of the region has."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from route53_takeover.base.errors import ApiError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from route53_takeover.core.ports import Stacks

_ALIKE = 0.6
"""Similarity of two names (`difflib`'s ratio) that is worth a suggestion."""
_MOST = 5


def similar(name: str, names: Iterable[str]) -> list[str]:
    """Names that are like it, or contain it; the likest first."""
    known = sorted(names)
    near = get_close_matches(name, known, n=_MOST, cutoff=_ALIKE)
    near += [each for each in known if name.casefold() in each.casefold()]
    return list(dict.fromkeys(near))[:_MOST]


async def absent_stack(stacks: Stacks, stack: str) -> RefusedError:
    """The refusal of a stack that does not exist, with those that may be meant."""
    try:
        listed = await stacks.stacks(lambda _: None)
    except ApiError:  # it may not be allowed
        listed = []
    near = similar(stack, {each.stack_name for each in listed if not each.root_id})
    meant = f"Did you mean {' or '.join(near)}? " if near else ""
    return RefusedError(
        f"stack {stack} does not exist here",
        f"{meant}Check --stack, --region and the account; of a deleted stack give the ARN.",
    )
