"""CloudFront over its API: the `Distributions` port.

Every read is fresh. A distribution is read and written as a whole: what the SDK in use does not
know of its config is told with it, since an update with what was read would erase that. The calls
that change anything are `update` and `invalidate`, sent once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from route53_takeover.adapters.unknown_members import unknown_of
from route53_takeover.core.domain.distributions import Distribution, PolicyKind
from route53_takeover.core.ports import Distributions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from route53_takeover.adapters.session import AwsSession

_PAGE = "100"
_LABELS = frozenset({"Name", "Comment"})
"""What a policy is called, and not what it does."""
_NOT_OF_THE_CONFIG = frozenset(
    {"Id", "ARN", "ETag", "Status", "LastModifiedTime", "DomainName", "AliasICPRecordals"}
)
"""Members of a distribution in the list that are none of its config."""


class CloudFrontDistributions(Distributions):
    """The account's distributions.

    Args:
        aws: its open session, with ``switches``.
    """

    def __init__(self, aws: AwsSession) -> None:
        self._aws = aws

    async def distributions(self) -> Sequence[Distribution]:
        """Every distribution of the account (all pages), with what the list tells of its config."""
        found: list[Distribution] = []
        position: dict[str, Any] = {}
        while True:
            async with self._aws.reading("cloudfront:ListDistributions") as clients:
                answer = await clients.switch.cloudfront.list_distributions(
                    MaxItems=_PAGE, **position
                )
            page = answer["DistributionList"]
            found += (_listed(summary) for summary in page.get("Items", ()))
            if not page["IsTruncated"]:
                return found
            position = {"Marker": page["NextMarker"]}

    async def distribution(self, distribution_id: str) -> Distribution:
        """One distribution with its whole config."""
        async with self._aws.reading("cloudfront:GetDistribution") as clients:
            answer = await clients.switch.cloudfront.get_distribution(Id=distribution_id)
        return _read(answer)

    async def update(
        self, distribution_id: str, etag: str, config: Mapping[str, Any]
    ) -> Distribution:
        """Replaces the whole config if it still has this ETag, in a single attempt."""
        whole: Any = config
        async with self._aws.writing("cloudfront:UpdateDistribution") as clients:
            answer = await clients.switch.cloudfront_writes.update_distribution(
                Id=distribution_id, IfMatch=etag, DistributionConfig=whole
            )
        return _read(answer)

    async def policy(self, kind: PolicyKind, policy_id: str) -> Mapping[str, Any]:
        """The content of a policy, without what it is called, its id and its times."""
        match kind:
            case PolicyKind.CACHE:
                async with self._aws.reading("cloudfront:GetCachePolicy") as clients:
                    cache = await clients.switch.cloudfront.get_cache_policy(Id=policy_id)
                return _content(cache["CachePolicy"]["CachePolicyConfig"])
            case PolicyKind.ORIGIN_REQUEST:
                async with self._aws.reading("cloudfront:GetOriginRequestPolicy") as clients:
                    sent = await clients.switch.cloudfront.get_origin_request_policy(Id=policy_id)
                return _content(sent["OriginRequestPolicy"]["OriginRequestPolicyConfig"])
            case PolicyKind.RESPONSE_HEADERS:
                async with self._aws.reading("cloudfront:GetResponseHeadersPolicy") as clients:
                    client = clients.switch.cloudfront
                    added = await client.get_response_headers_policy(Id=policy_id)
                return _content(added["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"])

    async def invalidate(self, distribution_id: str, paths: Sequence[str], reference: str) -> str:
        """Begins an invalidation and returns its id; the same reference begins only one."""
        async with self._aws.writing("cloudfront:CreateInvalidation") as clients:
            answer = await clients.switch.cloudfront_writes.create_invalidation(
                DistributionId=distribution_id,
                InvalidationBatch={
                    "Paths": {"Quantity": len(paths), "Items": list(paths)},
                    "CallerReference": reference,
                },
            )
        return answer["Invalidation"]["Id"]

    async def is_invalidated(self, distribution_id: str, invalidation_id: str) -> bool:
        """Whether an invalidation is complete."""
        async with self._aws.reading("cloudfront:GetInvalidation") as clients:
            answer = await clients.switch.cloudfront.get_invalidation(
                DistributionId=distribution_id, Id=invalidation_id
            )
        return answer["Invalidation"]["Status"].lower() == "completed"  # moto shouts


def _content(policy: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in policy.items() if name not in _LABELS}


def _read(answer: Mapping[str, Any]) -> Distribution:
    """A distribution from an answer that holds all of it."""
    shape = answer["Distribution"]
    config = shape["DistributionConfig"]
    return Distribution(
        distribution_id=shape["Id"],
        domain_name=shape["DomainName"],
        status=shape["Status"],
        aliases=tuple(config.get("Aliases", {}).get("Items", ())),
        etag=answer["ETag"],
        config=config,
        unknown=tuple(unknown_of(answer)),
    )


def _listed(summary: Mapping[str, Any]) -> Distribution:
    """A distribution from the list, which has the origins and behaviours, but not all the rest."""
    return Distribution(
        distribution_id=summary["Id"],
        domain_name=summary["DomainName"],
        status=summary["Status"],
        aliases=tuple(summary.get("Aliases", {}).get("Items", ())),
        config={key: value for key, value in summary.items() if key not in _NOT_OF_THE_CONFIG},
    )
