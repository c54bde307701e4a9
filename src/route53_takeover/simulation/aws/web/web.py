"""The web of the simulated account as a user meets it: a request goes in, an answer comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.simulation.aws.web.routing import CachingFront, SiteAnswer, SiteRequest, ToApi

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.simulation.aws.web.routing import Front
    from route53_takeover.simulation.aws.web.sites import Sites

MOST_HOPS = 10
"""Hosts that a request may come by; one that goes round in a loop has no end."""
_JSON = {"content-type": "application/json"}
_FORBIDDEN = SiteAnswer(status=403, headers=_JSON, body=b'{"message":"Forbidden"}')
_NO_ORIGIN = SiteAnswer(status=502, body=b"The origin's domain name could not be resolved.")
_LOOP = SiteAnswer(status=508, body=b"The request came by too many hosts.")


class Web:
    """Follows a request from front to front until somebody answers.

    Args:
        fronts: the first that a host belongs to passes the request on.
        sites: what stands behind them; a host that no front has may be a site's own.
    """

    def __init__(self, fronts: Sequence[Front], sites: Sites) -> None:
        self.fronts = list(fronts)
        self.sites = sites

    def ask(self, request: SiteRequest) -> SiteAnswer | None:
        """The answer; ``None`` where there is no such host."""
        ways: list[tuple[Front, SiteRequest]] = []
        answer = self._followed(request, ways)
        for front, passed in reversed(ways):
            if answer is not None and isinstance(front, CachingFront):
                answer = front.answered(passed, answer)
        return answer

    def _followed(
        self, request: SiteRequest, ways: list[tuple[Front, SiteRequest]]
    ) -> SiteAnswer | None:
        """The answer of the last; ``ways`` gets every front that has passed the request on."""
        for hop in range(MOST_HOPS):
            front, routed = self._routed(request)
            match routed:
                case SiteRequest() as passed_on:
                    if front is not None:
                        ways.append((front, passed_on))
                    request = passed_on
                case SiteAnswer() as answer:
                    return answer
                case ToApi(target=target, path=path):
                    return self.sites.answer(target, replace(request, path=path)) or _FORBIDDEN
                case None:
                    return self.sites.answer(request.host, request) or (_NO_ORIGIN if hop else None)
        return _LOOP

    def _routed(
        self, request: SiteRequest
    ) -> tuple[Front | None, SiteRequest | ToApi | SiteAnswer | None]:
        """The front that a host belongs to, and where it sends the request."""
        for front in self.fronts:
            routed = front.route(request)
            if routed is not None:
                return front, routed
        return None, None
