"""The simulated API Gateway's state, the rules of its writes, and who wrote what, when.

A custom domain is one resource, whichever of the two APIs it is looked at with; their spelling is
in `v1_api` and `v2_api`. Time is the timeline's: nothing here waits or knows HTTP's wire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from route53_takeover.core.domain.api_mappings import (
    ApiKind,
    ApiMapping,
    ApiTarget,
    EndpointType,
    RoutingMode,
)
from route53_takeover.simulation.aws.api_gateway.refusals import bad_request, conflict, not_found
from route53_takeover.simulation.aws.api_gateway.serving import (
    Edges,
    forbidden,
    not_there,
    said,
    to_stage,
    to_target,
)
from route53_takeover.simulation.aws.api_gateway.state import (
    AppliedWrite,
    SimApi,
    SimDomain,
    SimRule,
    SimStage,
)
from route53_takeover.simulation.aws.web.routing import ToApi

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from route53_takeover.simulation.aws.api_gateway.state import (
        SimUsagePlan,
    )
    from route53_takeover.simulation.aws.timeline import Schedule
    from route53_takeover.simulation.aws.web.routing import SiteAnswer, SiteRequest

_LOWEST, _HIGHEST = 1, 1_000_000


class ApiGatewayStore:
    """Every API and every custom domain of one account and region.

    Args:
        timeline: the account's time.
        rng: draws how long each edge takes to serve a change, and which edge gets a request.
        region: part of the APIs' own host names.
        settling: the shortest and the longest of these times, in seconds.
        edges: how many serve each custom domain.

    Attributes:
        history: every write that was accepted.
    """

    def __init__(
        self,
        timeline: Schedule,
        rng: Random,
        *,
        region: str = "us-east-1",
        settling: tuple[float, float] = (0.2, 5.0),
        edges: int = 8,
    ) -> None:
        self.history: list[AppliedWrite] = []
        self.timeline = timeline
        self.region = region
        self.usage_plans: list[SimUsagePlan] = []
        self._rng = rng
        self._settling = settling
        self._count = edges
        self._apis: dict[str, SimApi] = {}
        self._domains: dict[str, SimDomain] = {}
        self._edges: dict[str, Edges] = {}
        self._numbers = 0

    # -- what stands there

    def add_api(
        self,
        name: str,
        *,
        api_id: str | None = None,
        kind: ApiKind = ApiKind.REST,
        endpoint_types: tuple[EndpointType, ...] = (EndpointType.REGIONAL,),
        settings: Mapping[str, Any] | None = None,
        authorizers: Sequence[Mapping[str, Any]] = (),
        responses: Sequence[Mapping[str, Any]] = (),
    ) -> SimApi:
        """Makes an API without a stage."""
        api = SimApi(
            api_id=api_id or self._new_id("api"),
            name=name,
            kind=kind,
            endpoint_types=endpoint_types,
            created=self.timeline.now,
            settings={**(settings or {})},
            authorizers=[*authorizers],
            responses=[*responses],
        )
        self._apis[api.api_id] = api
        return api

    def add_stage(
        self, api_id: str, name: str, *, deployed: bool = True, **settings: object
    ) -> SimStage:
        """Makes a stage; settings in the shape of the API's kind."""
        deployment_id = self._new_id("dep") if deployed else ""
        stage = SimStage(name=name, deployment_id=deployment_id, settings={**settings})
        self.api(api_id).stages[name] = stage
        return stage

    def add_domain(
        self,
        name: str,
        *,
        endpoint_type: EndpointType = EndpointType.REGIONAL,
        mappings: Mapping[str, ApiTarget] | None = None,
        routing_mode: RoutingMode = RoutingMode.MAPPINGS,
    ) -> SimDomain:
        """Makes a custom domain that serves its mappings at once everywhere."""
        label = self._new_id("d-")
        domain = SimDomain(
            name=name,
            endpoint_type=endpoint_type,
            hostname=f"{label}.{self._suffix}",
            routing_mode=routing_mode,
        )
        if domain.is_edge:
            domain.hostname = f"{label}.cloudfront.net"
        for base_path, target in (mappings or {}).items():
            domain.mappings[base_path] = self._mapping(base_path, target)
        self._domains[name] = domain
        self._edges[name] = Edges(
            domain.table, self._rng, count=self._count, settling=self._settling
        )
        return domain

    def apis(self, *, rest: bool) -> list[SimApi]:
        """Those of one of the two APIs, in the order in which they were made."""
        return [api for api in self._apis.values() if api.is_rest is rest]

    def api(self, api_id: str, *, rest: bool | None = None) -> SimApi:
        """The API of this id, and of this kind where that matters.

        Raises:
            ApiGatewayError: `NotFoundException`.
        """
        found = self._apis.get(api_id)
        if found is None or (rest is not None and found.is_rest is not rest):
            raise not_found("Invalid API identifier specified")
        return found

    def stage(self, api_id: str, name: str, *, rest: bool) -> SimStage:
        """One stage of an API.

        Raises:
            ApiGatewayError: `NotFoundException`.
        """
        found = self.api(api_id, rest=rest).stages.get(name)
        if found is None:
            raise not_found("Invalid stage identifier specified")
        return found

    def domains(self) -> list[SimDomain]:
        """Every custom domain, in the order in which they were made."""
        return list(self._domains.values())

    def domain(self, name: str) -> SimDomain:
        """The custom domain of this name.

        Raises:
            ApiGatewayError: `NotFoundException`.
        """
        found = self._domains.get(name)
        if found is None:
            raise not_found("Invalid domain name identifier specified")
        return found

    # -- mappings

    def create_mapping(
        self, domain: SimDomain, base_path: str, target: ApiTarget, *, by: str, operation: str
    ) -> ApiMapping:
        """Maps a base path that leads nowhere yet; the caller has looked whether it does."""
        mapping = self._mapping(base_path, target)
        domain.mappings[base_path] = mapping
        self._written(domain, operation, base_path, by, after=target)
        return mapping

    def change_mapping(
        self,
        domain: SimDomain,
        base_path: str,
        target: ApiTarget,
        *,
        by: str,
        operation: str,
        moved_to: str | None = None,
    ) -> ApiMapping:
        """Lets a mapping lead elsewhere, and puts it at another base path where that is asked."""
        old = domain.mappings.pop(base_path)
        path = base_path if moved_to is None else moved_to
        mapping = ApiMapping(base_path=path, target=target, mapping_id=old.mapping_id)
        domain.mappings[path] = mapping
        self._written(domain, operation, path, by, before=old.target, after=target)
        return mapping

    def delete_mapping(self, domain: SimDomain, base_path: str, *, by: str, operation: str) -> None:
        """Takes a mapping away."""
        old = domain.mappings.pop(base_path)
        self._written(domain, operation, base_path, by, before=old.target)

    # -- routing

    def set_routing_mode(self, domain: SimDomain, mode: RoutingMode, *, by: str) -> None:
        """Decides whether rules or mappings count."""
        domain.routing_mode = mode
        self._written(domain, "UpdateDomainName", mode, by)

    def put_rule(
        self,
        domain: SimDomain,
        *,
        priority: int,
        target: ApiTarget,
        conditions: Sequence[Mapping[str, Any]],
        strips: bool,
        by: str,
        rule_id: str | None = None,
    ) -> SimRule:
        """Makes a rule, or replaces the one of this id."""
        old = None if rule_id is None else self.rule(domain, rule_id)
        if not _LOWEST <= priority <= _HIGHEST:
            raise bad_request("Priority must be between 1 and 1000000")
        taken = (r for r in domain.rules.values() if r.priority == priority)
        if any(rule.rule_id != rule_id for rule in taken):
            raise conflict("Routing rule priority already exists for this domain name")
        api = self._apis.get(target.api_id)
        if api is None or not api.is_rest:
            raise not_found("Invalid API identifier specified")
        if target.stage not in api.stages:
            raise bad_request("Invalid stage identifier specified")
        rule = SimRule(
            rule_id=rule_id or self._new_id("rule"),
            priority=priority,
            target=target,
            conditions=tuple(conditions),
            strips=strips,
        )
        domain.rules[rule.rule_id] = rule
        operation = "CreateRoutingRule" if old is None else "PutRoutingRule"
        before = None if old is None else old.target
        self._written(domain, operation, rule.rule_id, by, before=before, after=target)
        return rule

    def rule(self, domain: SimDomain, rule_id: str) -> SimRule:
        """One rule of a custom domain.

        Raises:
            ApiGatewayError: `NotFoundException`.
        """
        found = domain.rules.get(rule_id)
        if found is None:
            raise not_found("Invalid routing rule identifier specified")
        return found

    def delete_rule(self, domain: SimDomain, rule_id: str, *, by: str) -> None:
        """Takes a rule away."""
        old = self.rule(domain, rule_id)
        del domain.rules[rule_id]
        self._written(domain, "DeleteRoutingRule", rule_id, by, before=old.target)

    # -- what is deleted

    def delete_api(self, api_id: str, *, rest: bool, by: str) -> None:
        """Deletes an API with its stages.

        Raises:
            ApiGatewayError: a custom domain still leads to it, or there is none.
        """
        api = self.api(api_id, rest=rest)
        if any(True for _ in self._leading_to(api_id)):
            kind = "RestApi" if rest else "Api"
            raise bad_request(
                f"Deleting {kind} failed. Please remove all base path mappings related to the "
                f"{kind} in your domains."
            )
        del self._apis[api.api_id]
        self._written(None, "DeleteRestApi" if rest else "DeleteApi", api_id, by)

    def delete_stage(self, api_id: str, name: str, *, rest: bool, by: str) -> None:
        """Deletes a stage; the same holds."""
        stage = self.stage(api_id, name, rest=rest)
        there = [d.name for d, target in self._leading_to(api_id) if target.stage == name]
        if there:
            raise bad_request(
                f"Deleting stage {name} failed. Please remove all base path mappings related to "
                f"the stage in your domains: {', '.join(there)}"
            )
        del self._apis[api_id].stages[stage.name]
        self._written(None, "DeleteStage", f"{api_id}/{name}", by)

    # -- requests

    def route(self, request: SiteRequest) -> SiteRequest | ToApi | SiteAnswer | None:
        """Where a request to a custom domain, or to an API's own host, goes now."""
        host = request.host.lower().rstrip(".")
        if host in self._domains:
            found = to_target(self._edges[host].ask(self.timeline.now), request)
            return self._arrived(found)
        if any(domain.hostname == host for domain in self._domains.values()):
            return forbidden()  # the custom domain's name has to be the host that is asked for
        api_id, _, rest = host.partition(".")
        if rest != self._suffix:
            return None
        api = self._apis.get(api_id)
        if api is None or not api.has_endpoint:
            return forbidden()
        there = to_stage(api, request)
        if there is None:
            return forbidden() if api.is_rest else not_there()
        stage, path = there
        return self._arrived(ToApi(target=ApiTarget(api_id, stage), path=path))

    def is_settling(self, name: str) -> bool:
        """Whether requests to a custom domain may be answered in two ways now."""
        return self._edges[name].is_settling(self.timeline.now)

    def _arrived(self, found: ToApi | None) -> ToApi | SiteAnswer:
        """The stage, if it is there and serves anything."""
        api = None if found is None else self._apis.get(found.target.api_id)
        if found is None or api is None or found.target.stage not in api.stages:
            return forbidden()
        if not api.stages[found.target.stage].deployment_id:
            return (
                said(403, "Missing Authentication Token") if api.is_rest else said(404, "Not Found")
            )
        return found

    @property
    def _suffix(self) -> str:
        return f"execute-api.{self.region}.amazonaws.com"

    def _leading_to(self, api_id: str) -> list[tuple[SimDomain, ApiTarget]]:
        """The custom domains that have a mapping to an API, with where it leads."""
        return [
            (domain, mapping.target)
            for domain in self._domains.values()
            for mapping in domain.mappings.values()
            if mapping.target.api_id == api_id
        ]

    def _mapping(self, base_path: str, target: ApiTarget) -> ApiMapping:
        return ApiMapping(base_path=base_path, target=target, mapping_id=self._new_id("map"))

    def _new_id(self, kind: str) -> str:
        self._numbers += 1
        return f"{kind}{self._numbers:06d}"

    def _written(
        self,
        domain: SimDomain | None,
        operation: str,
        what: str,
        by: str,
        *,
        before: ApiTarget | None = None,
        after: ApiTarget | None = None,
    ) -> None:
        now = self.timeline.now
        self.history.append(
            AppliedWrite(
                time=now,
                by=by,
                operation=operation,
                domain="" if domain is None else domain.name,
                what=what,
                before=before,
                after=after,
            )
        )
        if domain is not None:
            self._edges[domain.name].change(now, domain.table)
