"""How a call gets to the simulated account, and its answer back.

`Way` itself takes no time and loses nothing; one that does overrides what becomes of a request
(`simulation.chaos.transport`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from route53_takeover.simulation.aws.http.faults import ApiFault

if TYPE_CHECKING:
    from collections.abc import Callable

_Answer = TypeVar("_Answer")


class Way:
    """A way that takes no time and on which nothing is lost."""

    async def there(self, operation: str) -> object:
        """The request arrives; raises an `ApiError` where it does not."""

    async def back(self, operation: str) -> None:
        """The answer comes; raises where it does not. The operation is carried out by then."""

    async def carry(self, operation: str, arrive: Callable[[], _Answer]) -> _Answer:
        """A whole call.

        Args:
            arrive: what the account does with the request; a refusal is an answer like any other,
                and may be lost on its way as well.

        Raises:
            ApiFault: the account refuses it.
        """
        await self.there(operation)
        return await self.answered(operation, arrive)

    async def answered(self, operation: str, arrive: Callable[[], _Answer]) -> _Answer:
        """The second half of a call: the request is there."""
        try:
            answer = arrive()
        except ApiFault:
            await self.back(operation)
            raise
        await self.back(operation)
        return answer
