"""CloudFront of the simulated account, in process, by way of a transport that may fail."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from route53_takeover.base.errors import ApiError, NotFoundError, RejectedChangeError
from route53_takeover.core.domain.distributions import Distribution, PolicyKind
from route53_takeover.core.ports import Distributions
from route53_takeover.simulation.aws.cloudfront.api import SUMMARY
from route53_takeover.simulation.aws.cloudfront.store import NEWER
from route53_takeover.simulation.aws.http.faults import ApiFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from route53_takeover.simulation.aws.cloudfront.store import CloudFront, SimDistribution
    from route53_takeover.simulation.chaos.way import Way

_Answer = TypeVar("_Answer")

UPDATE, INVALIDATE = "cloudfront:UpdateDistribution", "cloudfront:CreateInvalidation"
_POLICIES = {
    PolicyKind.CACHE: "cloudfront:GetCachePolicy",
    PolicyKind.ORIGIN_REQUEST: "cloudfront:GetOriginRequestPolicy",
    PolicyKind.RESPONSE_HEADERS: "cloudfront:GetResponseHeadersPolicy",
}
_ABSENT = frozenset({"NoSuchDistribution", "NoSuchInvalidation"})


class SimulatedDistributions(Distributions):
    """CloudFront of the simulated account.

    Args:
        store: the account's.
        way: how it is reached; what it raises before the arrival was not applied, after it was.
        by: who writes, for the history.
    """

    def __init__(self, store: CloudFront, way: Way, *, by: str = "client") -> None:
        self._store = store
        self._way = way
        self._by = by

    async def distributions(self) -> Sequence[Distribution]:
        return await self._asked("cloudfront:ListDistributions", self._listed)

    async def distribution(self, distribution_id: str) -> Distribution:
        return await self._asked(
            "cloudfront:GetDistribution",
            lambda: self._read(self._store.distribution(distribution_id)),
        )

    async def update(
        self, distribution_id: str, etag: str, config: Mapping[str, Any]
    ) -> Distribution:
        whole = deepcopy(dict(config))
        return await self._asked(
            UPDATE,
            lambda: self._read(self._store.update(distribution_id, whole, etag, by=self._by)),
        )

    async def policy(self, kind: PolicyKind, policy_id: str) -> Mapping[str, Any]:
        return await self._asked(_POLICIES[kind], lambda: self._store.policy(kind, policy_id))

    async def invalidate(self, distribution_id: str, paths: Sequence[str], reference: str) -> str:
        made = await self._asked(
            INVALIDATE,
            lambda: self._store.invalidate(distribution_id, paths, reference, by=self._by),
        )
        return made.invalidation_id

    async def is_invalidated(self, distribution_id: str, invalidation_id: str) -> bool:
        return await self._asked(
            "cloudfront:GetInvalidation",
            lambda: (
                self._store.timeline.now
                >= self._store.invalidation(distribution_id, invalidation_id).done
            ),
        )

    async def _asked(self, operation: str, arrive: Callable[[], _Answer]) -> _Answer:
        """What the account answers; its refusals come out as the real adapter's."""
        try:
            return await self._way.carry(operation, arrive)
        except ApiFault as fault:
            _raise(fault, operation)

    def _listed(self) -> list[Distribution]:
        return [
            Distribution(
                distribution_id=each.distribution_id,
                domain_name=each.domain_name,
                status=each.status(self._store.timeline.now),
                aliases=each.aliases,
                config=deepcopy({member: each.config[member] for member in SUMMARY}),
            )
            for each in self._store.all()
        ]

    def _read(self, found: SimDistribution) -> Distribution:
        """What an SDK reads that does not know every setting."""
        config = deepcopy(found.config)
        return Distribution(
            distribution_id=found.distribution_id,
            domain_name=found.domain_name,
            status=found.status(self._store.timeline.now),
            aliases=found.aliases,
            etag=found.etag,
            unknown=tuple(_drop_newer(config)),
            config=config,
        )


def _drop_newer(config: dict[str, Any]) -> Iterator[str]:
    """Takes what is too new out of a config; its paths, as XML has them."""
    if config.pop(NEWER, None) is not None:
        yield NEWER
    for origin in config["Origins"]["Items"]:
        if origin.pop(NEWER, None) is not None:
            yield f"Origins.Items.Origin.{NEWER}"


def _raise(fault: ApiFault, operation: str) -> NoReturn:
    """What the real adapter raises for it."""
    is_change = operation in (UPDATE, INVALIDATE)
    kind: type[ApiError] = RejectedChangeError if is_change else ApiError
    is_policy = fault.code.startswith("NoSuch") and fault.code.endswith("Policy")
    if fault.code in _ABSENT or (is_policy and not is_change):
        kind = NotFoundError
    raise kind(fault.message, code=fault.code, operation=operation) from fault
