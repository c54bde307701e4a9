"""Where API Gateway sends a request: by host, then by routing rules and mappings.

A changed domain is served by some edges in the new and by others in the old way for a while. Owns
these edges and how a request is matched; what is written is `store`'s business.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from route53_takeover.core.domain.api_mappings import RoutingMode
from route53_takeover.simulation.aws.web.routing import SiteAnswer, ToApi

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from random import Random

    from route53_takeover.simulation.aws.api_gateway.state import RoutingTable, SimApi, SimRule
    from route53_takeover.simulation.aws.web.routing import SiteRequest

DEFAULT_STAGE = "$default"
"""The stage of an HTTP API that no part of the path names."""


class Edges:
    """Those that serve one custom domain: each gets a change in its own time.

    Args:
        table: what all of them serve at first.
        settling: the shortest and the longest time that a change takes to one, in seconds.
    """

    def __init__(
        self, table: RoutingTable, rng: Random, *, count: int, settling: tuple[float, float]
    ) -> None:
        self._rng = rng
        self._settling = settling
        self._arriving: list[list[tuple[float, RoutingTable]]] = [
            [(float("-inf"), table)] for _ in range(count)
        ]

    def change(self, now: float, table: RoutingTable) -> None:
        """Lets a change reach each of them, in its turn: never before an earlier one."""
        for arriving in self._arriving:
            due = now + self._rng.uniform(*self._settling)
            arriving.append((due, table))

    def ask(self, now: float) -> RoutingTable:
        """What the one serves that happens to get a request now."""
        if not self.is_settling(now):
            return self._arriving[0][0][1]
        return self._rng.choice(self._arriving)[0][1]

    def is_settling(self, now: float) -> bool:
        """Whether two requests may be answered in two ways now."""
        for arriving in self._arriving:
            while len(arriving) > 1 and arriving[1][0] <= now:
                del arriving[0]
        served = [arriving[0][1] for arriving in self._arriving]
        return any(table is not served[0] for table in served)


def forbidden() -> SiteAnswer:
    """What API Gateway says where nothing is mapped."""
    return said(403, "Forbidden")


def not_there() -> SiteAnswer:
    """What an HTTP API says where it has nothing."""
    return said(404, "Not Found")


def said(status: int, message: str) -> SiteAnswer:
    """An answer of API Gateway's own."""
    return SiteAnswer(
        status=status,
        headers={"content-type": "application/json"},
        body=b'{"message":"%s"}' % message.encode(),
    )


def to_target(table: RoutingTable, request: SiteRequest) -> ToApi | None:
    """The stage that a request to a custom domain reaches; ``None``: nothing fits it."""
    if table.mode is not RoutingMode.MAPPINGS:
        for rule in table.rules:
            base_path = _fits(rule, request)
            if base_path is not None:
                stripped = base_path if rule.strips else ""
                return ToApi(target=rule.target, path=without(request.path, stripped))
    if table.mode is not RoutingMode.RULES:
        for base_path in sorted(table.mappings, key=len, reverse=True):
            if lies_below(request.path, base_path):
                target = table.mappings[base_path]
                return ToApi(target=target, path=without(request.path, base_path))
    return None


def to_stage(api: SimApi, request: SiteRequest) -> tuple[str, str] | None:
    """Stage and path of a request to the API's own host; ``None``: there is no such stage."""
    first = request.path.partition("?")[0].split("/")[1]
    if first in api.stages and first != DEFAULT_STAGE:
        return first, without(request.path, first)
    if not api.is_rest and DEFAULT_STAGE in api.stages:
        return DEFAULT_STAGE, request.path
    return None


def lies_below(path: str, base_path: str) -> bool:
    """Whether a request's path begins with the whole parts of a base path."""
    parts = path.partition("?")[0].strip("/").split("/")
    wanted = base_path.split("/") if base_path else []
    return parts[: len(wanted)] == wanted


def without(path: str, base_path: str) -> str:
    """The path as it is behind a base path that it lies below."""
    if not base_path:
        return path
    rest = path[len(base_path) + 1 :]
    return rest if rest.startswith("/") else f"/{rest}"


def _fits(rule: SimRule, request: SiteRequest) -> str | None:
    """The base path by which a rule fits, empty where it asks for none; ``None``: it does not."""
    base_path = ""
    for condition in rule.conditions:
        headers: Iterable[Mapping[str, Any]] = condition.get("MatchHeaders", {}).get("AnyOf", ())
        if "MatchHeaders" in condition and not any(_has(request, each) for each in headers):
            return None
        if "MatchBasePaths" in condition:
            offered = condition["MatchBasePaths"]["AnyOf"]
            found = [each for each in offered if lies_below(request.path, each)]
            if not found:
                return None
            base_path = max(found, key=len)
    return base_path


def _has(request: SiteRequest, wanted: Mapping[str, Any]) -> bool:
    """Whether a request has such a header; ``*`` at either end stands for anything."""
    value = request.headers.get(wanted["Header"].lower())
    pattern = re.escape(wanted["ValueGlob"]).replace(r"\*", ".*")
    return value is not None and re.fullmatch(pattern, value) is not None
