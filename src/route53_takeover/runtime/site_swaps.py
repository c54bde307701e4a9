"""Reads and writes what a switch leads elsewhere: mappings of a domain, origins of CloudFront."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.base.errors import ApiError, EndpointError, one_line
from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.switch.mappings import mapping_at, mapping_reading
from route53_takeover.core.switch.model import MappingSwap, OriginSwap
from route53_takeover.core.switch.origins import reading as origin_reading
from route53_takeover.runtime.shared_reads import SharedReads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.domain.api_mappings import ApiMapping
    from route53_takeover.core.ports import ApiGateway, Distributions
    from route53_takeover.core.switch.model import Swap, SwapReading


class SiteSwaps:
    """Reads and writes the swaps of a plan, whatever they are.

    Args:
        api_gateway: for mappings.
        distributions: for origins.
    """

    def __init__(self, api_gateway: ApiGateway, distributions: Distributions) -> None:
        self.api_gateway = api_gateway
        self._mappings: SharedReads[Sequence[ApiMapping]] = SharedReads()
        self._distributions = distributions

    async def read(self, swap: Swap) -> SwapReading:
        """Where it leads now. Raises ApiError."""
        match swap:
            case MappingSwap():
                mappings = await self._mappings.read(
                    swap.domain.name, lambda: self.api_gateway.mappings(swap.domain)
                )
                return mapping_reading(swap, mappings)
            case OriginSwap():
                found = await self._distributions.distribution(swap.distribution_id)
                return origin_reading(swap, found)

    async def lead(self, swap: Swap, to: Side, *, shown: str, etag: str) -> None:
        """Lets it lead to a side, sent once. Raises as the ports do.

        A mapping is looked at once more right before: what it was decided on may have changed while
        the intent was written, and v2 asks for its id.

        Args:
            shown: where it led by the read that this was decided on; ``etag``: of that read.
        """
        match swap:
            case MappingSwap():
                target = swap.to if to is Side.GREEN else swap.mapping.target
                mapping = await self._before_writing(swap, shown)
                await self.api_gateway.point(swap.domain, swap.mapping.base_path, mapping, target)
            case OriginSwap():
                config = swap.switched if to is Side.GREEN else swap.config
                await self._distributions.update(swap.distribution_id, etag, config)

    async def _before_writing(self, swap: MappingSwap, shown: str) -> ApiMapping | None:
        try:
            mappings = await self.api_gateway.mappings(swap.domain)
        except ApiError as error:
            raise EndpointError(  # nothing was sent that writes
                f"the mapping could not be read before it was written: {one_line(error)}",
                operation="apigateway:GetMappings",
            ) from error
        if mapping_reading(swap, mappings).shown != shown:
            raise EndpointError(  # the same: it is decided anew
                "the mapping was changed right before it was to be written",
                operation="apigateway:GetMappings",
            )
        return mapping_at(mappings, swap.mapping.base_path)

    async def invalidate(self, swap: Swap, reference: str) -> str:
        """Begins an invalidation of what was planned; returns its id. Raises ApiError."""
        if not isinstance(swap, OriginSwap):
            raise TypeError(f"{swap.id} has nothing to invalidate")
        return await self._distributions.invalidate(
            swap.distribution_id, swap.invalidate, reference
        )

    async def is_invalidated(self, swap: Swap, invalidation: str) -> bool:
        """Whether it is complete. Raises ApiError."""
        if not isinstance(swap, OriginSwap):
            return True
        return await self._distributions.is_invalidated(swap.distribution_id, invalidation)
