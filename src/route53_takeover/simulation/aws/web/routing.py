"""How a request finds the site that answers it: from one front to the next, by host name.

A front (API Gateway, CloudFront) knows the hosts that are its own, and where a request to one of
them goes on to. What no front knows is a site.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from msgspec import Struct

from route53_takeover.core.domain.api_mappings import ApiTarget


class SiteRequest(Struct, frozen=True, kw_only=True):
    """A request on its way: host without a port, header names in lower case, path with a ``/``.

    The host is in `host` and not among the headers.
    ``query``: what stands behind the ``?``.
    """

    method: str
    host: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = {}
    body: bytes = b""


class SiteAnswer(Struct, frozen=True, kw_only=True):
    """What comes back."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""


class ToApi(Struct, frozen=True, kw_only=True):
    """The request has arrived at a stage of an API; ``path`` is what the stage sees."""

    target: ApiTarget
    path: str


class Front(Protocol):
    """Something that hosts belong to and that passes requests on."""

    def route(self, request: SiteRequest) -> SiteRequest | ToApi | SiteAnswer | None:
        """Where a request goes now.

        Returns:
            The request as it goes on to another host; the API that it has arrived at; an answer
            that the front gives itself, such as 403; ``None``: the host is not one of this front's.
        """


@runtime_checkable
class CachingFront(Front, Protocol):
    """A front that wants to see what becomes of the requests that it passed on."""

    def answered(self, passed: SiteRequest, answer: SiteAnswer) -> SiteAnswer:
        """What the one who asked gets for this answer to a request that `route` returned.

        To be called in the reverse order of the ways that were gone.
        """
