"""The simulated account of a switch: a site on blue, green beside it, and people who meet it.

One timeline moves API Gateway, CloudFront, the sites and the deploy that makes green. What `switch`
would plan in it is made by hand in `simulation.chaos.switch.plans`.
"""

from __future__ import annotations

from contextlib import contextmanager
from copy import deepcopy
from random import Random
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.domain.api_mappings import ApiKind, ApiMapping, ApiTarget
from route53_takeover.core.domain.cloudfront_policies import (
    ALL_VIEWER_EXCEPT_HOST,
    CACHING_DISABLED,
    CACHING_OPTIMIZED,
)
from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.switch.model import SwapKind
from route53_takeover.simulation.aws.api_gateway.state import AppliedWrite
from route53_takeover.simulation.aws.api_gateway.store import ApiGatewayStore
from route53_takeover.simulation.aws.cloudfront.store import CloudFront, Habits, Written
from route53_takeover.simulation.aws.timeline import Schedule
from route53_takeover.simulation.aws.web.routing import SiteRequest
from route53_takeover.simulation.aws.web.sites import SIDE_HEADER, Site, Sites
from route53_takeover.simulation.aws.web.web import Web
from route53_takeover.simulation.chaos.switch.deploys import GreenDeploy
from route53_takeover.simulation.chaos.switch.retirement import BlueDelete
from route53_takeover.simulation.chaos.switch.setup import APP, DOMAIN, FRONT, FRONT_NAME, REGION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.simulation.chaos.switch.setup import SwitchSetup

Write = AppliedWrite | Written
_HOT, _IDLE = 0.5, 5.0
"""Seconds between two visits: after something was written, and else."""
_HOT_FOR = 15.0


class Visit(Struct, frozen=True):
    """What users got at ``time`` for the first time: a side's answer, and its status."""

    time: float
    path: str
    side: Side
    status: int


class _Moment(Struct, frozen=True, kw_only=True):
    """What is written from ``time`` on."""

    time: float
    mappings: dict[str, ApiMapping]
    config: dict[str, Any]
    etag: str
    deployed: float


class SwitchWorld:
    """The account of one switch.

    Args:
        seed: of every random draw in it.
        start: seconds since the epoch.

    Attributes:
        mappings: by base path, as they are at the beginning; ``front``: the config.
        deploy: of green; ``delete``: of blue.
        visits: every change of what users get.
    """

    def __init__(self, setup: SwitchSetup, *, seed: str, start: float) -> None:
        self.setup = setup
        self.timeline = Schedule(start)
        self.rng = Random(seed)  # noqa: S311 -- a simulation, not a secret
        self.gateway = ApiGatewayStore(
            self.timeline, self.rng, region=REGION, settling=setup.settling
        )
        habits = Habits(deploying=setup.deploying, invalidating=setup.invalidating)
        self.cloudfront = CloudFront(self.timeline, self.rng, habits)
        self.sites = Sites(self.timeline)
        self.web = Web([self.gateway, self.cloudfront], self.sites)
        self.site = {side: Site(side) for side in (Side.BLUE, Side.GREEN, Side.OTHER)}
        self._put(Side.BLUE)
        self._put(Side.OTHER)
        self.mappings: dict[str, ApiMapping] = {}
        self.front: dict[str, Any] = {}
        self._add_front()
        self._past: list[_Moment] = []
        self.keep_moment()
        self.deploy = GreenDeploy(self)
        self.delete = BlueDelete(self)
        if setup.deploy is None:
            self.put_green()
        self.visits: list[Visit] = []
        self._writes = 0
        self._written_at = start
        self._visit()

    @property
    def is_mapping(self) -> bool:
        """Whether it is a custom domain that is switched, and not a distribution."""
        return self.setup.kind is SwapKind.API_MAPPING

    @property
    def writes(self) -> list[Write]:
        """Whatever anybody wrote: in this account only one of the two services is written."""
        return list(self.gateway.history or self.cloudfront.history)

    # -- what stands there

    def target(self, side: Side) -> ApiTarget:
        """The stage of a side's API."""
        if self.setup.api_kind is ApiKind.HTTP:
            return ApiTarget(str(side), "$default")
        return ApiTarget(str(side), "dev_2" if side is Side.GREEN else "dev")

    def host(self, side: Side) -> str:
        """Where a side stands for CloudFront."""
        return f"{side}.lambda-url.{REGION}.on.aws"

    def put_green(self) -> None:
        """Green's stack is there."""
        self._put(Side.GREEN)

    def remove_green(self) -> None:
        """Its stack is rolled back: what still leads there leads nowhere."""
        self.sites.remove(self.target(Side.GREEN))
        self.sites.remove(self.host(Side.GREEN))

    @property
    def has_green(self) -> bool:
        """Whether green's stack is there."""
        return self.sites.at(self.host(Side.GREEN)) is not None

    def mapped(self, base_path: str) -> ApiTarget | None:
        """Where a base path leads, as it is written."""
        if not self.is_mapping:
            return None
        found = self.gateway.domain(DOMAIN).mappings.get(base_path)
        return None if found is None else found.target

    def config(self) -> dict[str, Any]:
        """The front's config, as it is written."""
        return deepcopy(self.cloudfront.distribution(FRONT).config)

    def point(self, base_path: str, to: ApiTarget | None, *, by: str) -> None:
        """Somebody lets a base path lead elsewhere, or nowhere."""
        if not self.is_mapping:
            return
        domain = self.gateway.domain(DOMAIN)
        stands = base_path in domain.mappings
        if to is None and stands:
            self.gateway.delete_mapping(domain, base_path, by=by, operation="DeleteBasePathMapping")
        elif to is not None and stands:
            self.gateway.change_mapping(
                domain, base_path, to, by=by, operation="UpdateBasePathMapping"
            )
        elif to is not None:
            self.gateway.create_mapping(
                domain, base_path, to, by=by, operation="CreateBasePathMapping"
            )
        self.keep_moment()

    def edit_front(self, side: Side | None, *, by: str) -> None:
        """Somebody lets the front lead to a side, or changes something else of it."""
        config = self.config()
        if side is None:
            config["Comment"] += "!"
        else:
            config["Origins"]["Items"][0]["DomainName"] = self.host(side)
        self.cloudfront.update(FRONT, config, self.cloudfront.distribution(FRONT).etag, by=by)
        self.keep_moment()

    def touch_front(self) -> None:
        """The front gets another ETag without an edit, as by a change of a policy that it uses."""
        self.cloudfront.touch(FRONT)
        self.keep_moment()

    # -- what was

    def keep_moment(self) -> None:
        """Remembers what reads show from now on; to be called after every write."""
        mappings: dict[str, ApiMapping] = {}
        front = None if self.is_mapping else self.cloudfront.distribution(FRONT)
        if self.is_mapping:
            mappings = dict(self.gateway.domain(DOMAIN).mappings)
        self._past.append(
            _Moment(
                time=self.timeline.now,
                mappings=mappings,
                config={} if front is None else front.config,
                etag="" if front is None else front.etag,
                deployed=0.0 if front is None else front.deployed,
            )
        )

    @contextmanager
    def as_it_was(self, at: float) -> Iterator[None]:
        """While this lasts, reads show what was written by then."""
        then = next((m for m in reversed(self._past) if m.time <= at), self._past[0])
        self._show(then)
        try:
            yield
        finally:
            self._show(self._past[-1])

    def _show(self, moment: _Moment) -> None:
        if self.is_mapping:
            self.gateway.domain(DOMAIN).mappings = dict(moment.mappings)
            return
        front = self.cloudfront.distribution(FRONT)
        front.config, front.etag = dict(moment.config), moment.etag
        front.deployed = moment.deployed

    def _put(self, side: Side) -> None:
        target, kind = self.target(side), self.setup.api_kind
        if not any(a.api_id == target.api_id for a in self.gateway.apis(rest=kind is ApiKind.REST)):
            types = (self.setup.endpoint_type,)
            self.gateway.add_api(str(side), api_id=target.api_id, kind=kind, endpoint_types=types)
            self.gateway.add_stage(target.api_id, target.stage)
        self.sites.put(target, self.site[side])
        self.sites.put(self.host(side), self.site[side])

    def _add_front(self) -> None:
        setup = self.setup
        if self.is_mapping:
            blue = self.target(Side.BLUE)
            domain = self.gateway.add_domain(
                DOMAIN,
                endpoint_type=setup.endpoint_type,
                mappings=dict.fromkeys(setup.base_paths, blue),
            )
            self.mappings = dict(domain.mappings)
            return
        self.cloudfront.add(
            _front_config(self.host(Side.BLUE), caches=setup.caches),
            distribution_id=FRONT,
            domain_name=FRONT_NAME,
        )
        self.front = self.config()

    # -- who comes by

    def _visit(self) -> None:
        """Users ask for a page under each base path; each change of what they get is kept."""
        now = self.timeline.now
        writes = len(self.writes)
        if writes != self._writes:
            self._writes, self._written_at = writes, now
        for path in self._paths:
            self._ask(path, now)
        is_hot = now < self._written_at + _HOT_FOR
        self.timeline.after(_HOT if is_hot else _IDLE, self._visit)

    def status(self, way: str) -> int:
        """What a client gets of a page: by users' way (``live``), or from a side itself."""
        request = SiteRequest(method="GET", host=DOMAIN, path=self._paths[0])
        answer = self.web.ask(request)
        if way in (Side.BLUE, Side.GREEN):
            answer = self.sites.answer(self.host(Side(way)), replace(request, path="/up"))
        return 0 if answer is None else answer.status

    @property
    def _paths(self) -> list[str]:
        """A page under each base path."""
        return [f"/{path}/up" if path else "/up" for path in self.setup.base_paths]

    def _ask(self, path: str, now: float) -> None:
        answer = self.web.ask(SiteRequest(method="GET", host=DOMAIN, path=path))
        name = "" if answer is None else answer.headers.get(SIDE_HEADER, "")
        side = Side(name) if name else Side.ABSENT
        status = 0 if answer is None else answer.status
        last = next((visit for visit in reversed(self.visits) if visit.path == path), None)
        if last is None or (last.side, last.status) != (side, status):
            self.visits.append(Visit(now, path, side, status))


def _front_config(host: str, *, caches: bool) -> dict[str, Any]:
    origin = {
        "Id": APP,
        "DomainName": host,
        "CustomOriginConfig": {
            "HTTPPort": 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "https-only",
            "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
        },
    }
    return {
        "CallerReference": "made by hand",
        "Aliases": {"Quantity": 1, "Items": [DOMAIN]},
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {
            "TargetOriginId": APP,
            "ViewerProtocolPolicy": "redirect-to-https",
            "CachePolicyId": CACHING_OPTIMIZED if caches else CACHING_DISABLED,
            "OriginRequestPolicyId": ALL_VIEWER_EXCEPT_HOST,
        },
        "Comment": "the site",
        "Enabled": True,
    }
