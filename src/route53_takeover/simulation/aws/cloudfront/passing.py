"""What an edge does with a request: answer it from its cache, refuse it, or pass it on.

Which edge a request meets is drawn anew for each, so that during a deployment both the old and the
new config are met.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.simulation.aws.cloudfront.edges import Edge, Kept, Key
from route53_takeover.simulation.aws.cloudfront.forwarding import (
    Rules,
    behavior_for,
    cache_key,
    passed_on,
    rules_of,
    seconds_kept,
)
from route53_takeover.simulation.aws.web.routing import SiteAnswer, SiteRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from route53_takeover.core.domain.distributions import PolicyKind
    from route53_takeover.simulation.aws.cloudfront.store import SimDistribution
    from route53_takeover.simulation.aws.timeline import Schedule

REQUEST_ID = "x-amz-cf-id"
"""The header by which CloudFront numbers the requests that it passes on."""
_BY_HOST = re.compile(r".*\.(execute-api\.[^.]+\.amazonaws\.com|lambda-url\.[^.]+\.on\.aws)")
"""Origins that find their site by the ``Host`` of a request, and refuse another's."""
_VIA = "(CloudFront)"
_MOST_WAITING = 1000


class _Account(Protocol):
    timeline: Schedule
    policies: dict[tuple[PolicyKind, str], Mapping[str, Any]]

    def all(self) -> Sequence[SimDistribution]: ...


class _Waiting(Struct, frozen=True):
    """A request that was passed on."""

    edge: Edge
    rules: Rules
    key: Key
    path: str
    may_be_kept: bool


class Passing:
    """The edges of all distributions of an account."""

    def __init__(self, account: _Account, rng: Random) -> None:
        self._account = account
        self._rng = rng
        self._numbered = 0
        self._waiting: dict[str, _Waiting] = {}

    def route(self, request: SiteRequest) -> SiteRequest | SiteAnswer | None:
        """Where a request goes; see `simulation.aws.web.routing.Front`."""
        if self._owner(request.host) is None:
            return None
        via = request.headers.get("via", "")
        came_through = via if _VIA in via else ""
        # An edge goes by the Host that is asked for, not by the name that it was reached by.
        host = request.headers.get("host", request.host) if came_through else request.host
        owner = self._owner(host.partition(":")[0])
        if owner is None or owner.domain_name in came_through:
            return _refused("The request went round in a circle, or names no distribution.")
        now = self._account.timeline.now
        edge = self._rng.choice(owner.edges)
        config = edge.config(now)
        if not config["Enabled"]:
            return _refused("The distribution is disabled.")
        behavior = behavior_for(config, request.path)
        if request.method not in behavior["AllowedMethods"]["Items"]:
            return _refused(
                "This distribution is not configured to allow the HTTP request method that was "
                "used for this request."
            )
        rules = rules_of(behavior, self._account.policies)
        key = (request.method, behavior.get("PathPattern", "*"), *cache_key(rules, request))
        may_be_kept = request.method in behavior["AllowedMethods"]["CachedMethods"]["Items"]
        if may_be_kept and (kept := edge.kept(key, now)):
            return _told(kept.answer, edge, "Hit from cloudfront", age=now - kept.since)
        origin = _origin(config, behavior["TargetOriginId"])
        headers, path = passed_on(rules, request)
        if "host" in headers and _BY_HOST.fullmatch(origin["DomainName"]):
            return SiteAnswer(status=403, body=b'{"message":"Forbidden"}')
        self._numbered += 1
        headers[REQUEST_ID] = f"{edge.name}-{self._numbered}"
        headers["via"] = f"{came_through}, 1.1 {owner.domain_name} {_VIA}".removeprefix(", ")
        for header in origin["CustomHeaders"].get("Items") or ():
            headers[header["HeaderName"].lower()] = header["HeaderValue"]
        self._waiting[headers[REQUEST_ID]] = _Waiting(edge, rules, key, request.path, may_be_kept)
        if len(self._waiting) > _MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]
        return SiteRequest(
            method=request.method,
            host=origin["DomainName"],
            path=f"{origin['OriginPath']}{path}",
            headers=headers,
            body=request.body,
        )

    def answered(self, passed: SiteRequest, answer: SiteAnswer) -> SiteAnswer:
        """Keeps the answer where it may be kept, and adds what CloudFront adds."""
        waiting = self._waiting.pop(passed.headers.get(REQUEST_ID, ""), None)
        if waiting is None:
            return answer
        now = self._account.timeline.now
        seconds = seconds_kept(waiting.rules, answer.status, answer.headers)
        if waiting.may_be_kept and seconds > 0:
            bare = waiting.path.partition("?")[0]
            waiting.edge.keep(
                waiting.key, Kept(answer=answer, path=bare, since=now, until=now + seconds)
            )
        return _told(answer, waiting.edge, "Miss from cloudfront")

    def _owner(self, host: str) -> SimDistribution | None:
        """The distribution that a host belongs to; an alias may be a wildcard."""
        name = host.lower()
        for each in self._account.all():
            aliases = {alias.lower() for alias in each.aliases}
            if name == each.domain_name or name in aliases or f"*.{_parent(name)}" in aliases:
                return each
        return None


def _origin(config: Mapping[str, Any], target: str) -> Mapping[str, Any]:
    """The origin of this id, or the primary of the group of this id."""
    for group in config["OriginGroups"].get("Items") or ():
        if group["Id"] == target:
            target = group["Members"]["Items"][0]["OriginId"]
    found: Mapping[str, Any] = next(o for o in config["Origins"]["Items"] if o["Id"] == target)
    return found


def _parent(name: str) -> str:
    return name.partition(".")[2]


def _refused(why: str) -> SiteAnswer:
    return SiteAnswer(
        status=403, headers={"x-cache": "Error from cloudfront"}, body=f"403 ERROR\n{why}".encode()
    )


def _told(answer: SiteAnswer, edge: Edge, cache: str, age: float | None = None) -> SiteAnswer:
    told = {"x-cache": cache, "x-amz-cf-pop": edge.name}
    if age is not None:
        told["age"] = str(int(age))
    return replace(answer, headers={**answer.headers, **told})
