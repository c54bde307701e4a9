"""A page of a list, as API Gateway's two APIs both give it: a token leads to the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from route53_takeover.simulation.aws.api_gateway.refusals import bad_request

if TYPE_CHECKING:
    from collections.abc import Sequence

_Item = TypeVar("_Item")

_USUAL, _MOST = 25, 500


def page(
    items: Sequence[_Item], token: str | None, limit: object
) -> tuple[Sequence[_Item], str | None]:
    """The items from where the token leads, and the token of those behind them."""
    start, asked = token or "0", str(_USUAL if limit is None else limit)
    if not start.isdecimal() or not asked.isdecimal() or int(asked) < 1:
        raise bad_request("Invalid position or limit")
    end = int(start) + min(int(asked), _MOST)
    return items[int(start) : end], str(end) if end < len(items) else None
