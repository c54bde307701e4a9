"""The account with a stack that is to be retired, served by a thread with all of its services."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.cli.program import Cloud
from tests.retired_account import RetiredAccount

from route53_takeover.simulation.aws.api_gateway import v1_api, v2_api
from route53_takeover.simulation.aws.cloudformation import api as cloudformation_api
from route53_takeover.simulation.aws.cloudfront import api as cloudfront_api
from route53_takeover.simulation.aws.http.server import AccountServer
from route53_takeover.simulation.aws.route53 import api as route53_api
from route53_takeover.simulation.scenarios import site_account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class RetiredCloud(Cloud):
    """The same as a `Cloud`, of a `RetiredAccount`."""

    def __init__(self, home: Path, **account: Any) -> None:
        super().__init__(site_account(), home)
        world = RetiredAccount(start=self.clock.now() - 7200.0, **account)
        self.world = world
        self.server = AccountServer(
            {
                "route53": route53_api.operations(world.zones),
                "cloudformation": cloudformation_api.operations(world.stacks),
                "sts": route53_api.identity(),
                "apigateway": v1_api.operations(world.api_gateway),
                "apigatewayv2": v2_api.operations(world.api_gateway),
                "cloudfront": cloudfront_api.operations(world.cloudfront),
            },
            before=self._advance,
        )

    @property
    def options(self) -> tuple[str, ...]:
        """What reaches it."""
        return (f"--endpoint-url={self.url}", "--region=us-east-1")


@contextmanager
def retired_cloud(home: Path, **account: Any) -> Iterator[RetiredCloud]:
    """Serves it until the context ends."""
    served = RetiredCloud(home, **account)
    with served.running():
        yield served
