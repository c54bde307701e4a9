"""What the account of a rehearsed switch holds, and how it behaves, as plain data."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from route53_takeover.core.domain.api_mappings import ApiKind, EndpointType
from route53_takeover.core.switch.model import SwapKind

REGION = "us-east-1"
DOMAIN = "www.example.com"
SWITCHER = "switch"
"""Who writes in the account's history where it is the run that is judged."""
PERSON = "a person"
DEPLOY = "deploy"
DELETE = "delete"
APP = "app"
"""The id of the origin that is switched."""
FRONT, FRONT_NAME = "EFRONT", "dfront.cloudfront.net"


class CheckKind(StrEnum):
    """What a check of a rehearsed switch is like."""

    SIDES = "a page whose header says which side answered"
    PAGE = "a page that differs"
    SAME = "a page that is the same on both sides"
    COMMAND = "a command"


class DeployHabit(StrEnum):
    """How the deploy that makes green behaves."""

    WELL = "makes green and leaves the site alone"
    FAILS = "fails, and nothing is there afterwards"
    HANGS = "makes green and never exits"
    STEALS = "lets the site lead to green by an update"
    STEALS_AND_FAILS = "lets the site lead to green by an update, and fails"
    STEALS_AGAIN = "lets the site lead to green each time that it is put back"
    RECREATES = "deletes the mapping, waits for it to be gone, and creates it to green"
    DELETES = "fails, and deletes the mapping as it cleans up"
    RECREATES_AND_FAILS = "deletes the mapping, creates it to green, and fails"

    @property
    def fails(self) -> bool:
        """Whether it exits with an error."""
        return self in (
            self.FAILS,
            self.STEALS_AND_FAILS,
            self.RECREATES_AND_FAILS,
            self.DELETES,
        )

    @property
    def moves(self) -> bool:
        """Whether it leads users away from blue."""
        return self not in (self.WELL, self.FAILS, self.HANGS)

    @property
    def recreates(self) -> bool:
        """Whether it deletes and creates, as a custom resource of Jets 3 to 5 does."""
        return self in (self.RECREATES, self.RECREATES_AND_FAILS)


class RetireHabit(StrEnum):
    """What the delete of blue is like, at the end of a switch."""

    SAFE = "leaves the live site alone"
    TAKES = "deletes the live mapping"
    FAILS = "leaves the live site alone, and fails"
    BREAKS = "would break something, and is refused"


class SwitchSetup(Struct, frozen=True, kw_only=True):
    """What a switch's account holds, how it behaves, and what is asked for.

    Attributes:
        base_paths: of the mappings that are switched.
        endpoint_type: of the custom domain; ``EDGE`` is managed by v1.
        api_kind: of blue and green.
        settling: the shortest and the longest time that an edge of API Gateway takes.
        deploying: seconds until CloudFront has brought an update to every edge.
        caches: whether the front caches, so that what it has kept has to be invalidated.
        invalidating: seconds that an invalidation takes.
        deploy: how the deploy that makes green behaves; ``None``: green is there.
        deploy_takes: its seconds.
        retire: what the delete of blue is like; ``None``: it stays.
        refused: the plan is refused once green is there.
        checks: what is checked.
    """

    kind: SwapKind = SwapKind.API_MAPPING
    base_paths: tuple[str, ...] = ("",)
    endpoint_type: EndpointType = EndpointType.REGIONAL
    api_kind: ApiKind = ApiKind.REST
    settling: tuple[float, float] = (0.2, 5.0)
    deploying: float = 60.0
    caches: bool = False
    invalidating: float = 10.0
    deploy: DeployHabit | None = None
    deploy_takes: float = 40.0
    retire: RetireHabit | None = None
    refused: bool = False
    checks: tuple[CheckKind, ...] = (CheckKind.SIDES,)
    bake: float = 60.0
    max_failures: int = 2
    deploy_timeout: float = 600.0
