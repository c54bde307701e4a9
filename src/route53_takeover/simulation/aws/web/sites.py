"""Web applications of the simulated account: what a stack's site answers, and where it stands.

A site knows nothing of the way by which a request came. It sees the host that the last front asked
it by, and checks where a form was sent from against that host, as Rails and the like do: behind a
front that hides the users' host from it, GET works and POST fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from route53_takeover.simulation.aws.web.routing import SiteAnswer

if TYPE_CHECKING:
    from route53_takeover.core.domain.api_mappings import ApiTarget
    from route53_takeover.simulation.aws.timeline import Schedule
    from route53_takeover.simulation.aws.web.routing import SiteRequest

SIDE_HEADER = "x-env"
"""The header in which every site says its name."""
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
_FORGED = "Can't verify CSRF token authenticity."


class Page(Struct, frozen=True, kw_only=True):
    """What a site answers at one path."""

    body: str = ""
    status: int = 200
    headers: Mapping[str, str] = {}


class Trouble(Struct, frozen=True, kw_only=True):
    """A time for which a site fails.

    Attributes:
        share: of the requests that fail, from 0 to 1.
        paths: that fail; empty: all.
    """

    since: float
    until: float = inf
    share: float = 1.0
    status: int = 500
    paths: tuple[str, ...] = ()

    def befalls(self, path: str, now: float) -> bool:
        """Whether a request for this path may fail now."""
        return self.since <= now < self.until and (not self.paths or path in self.paths)


class Site:
    """One web application, such as that of the blue stack.

    Args:
        name: what it says it is, in `SIDE_HEADER`.
        pages: by path, or by method and path (``POST /login``), which comes first; `pages_of` the
            name where there are none. Anything else is 404.
        headers: that every answer has.
        shown_host: the host that it takes for its own whatever it is asked by (``JETS_SHIM_HOST``).
        checks_origin: whether it refuses what another host's pages send.
        rng: draws which requests of a share fail.
    """

    def __init__(
        self,
        name: str,
        *,
        pages: Mapping[str, Page] | None = None,
        headers: Mapping[str, str] | None = None,
        shown_host: str = "",
        checks_origin: bool = True,
        rng: Random | None = None,
    ) -> None:
        self.name = name
        self.pages = dict(pages_of(name) if pages is None else pages)
        self.headers = {SIDE_HEADER: name, "content-type": "text/html", **(headers or {})}
        self.shown_host = shown_host
        self.checks_origin = checks_origin
        self.troubles: list[Trouble] = []
        self._rng = rng or Random(name)  # noqa: S311 -- a simulation

    def fail(self, trouble: Trouble) -> None:
        """Lets it fail for a time."""
        self.troubles.append(trouble)

    def answer(self, request: SiteRequest, now: float) -> SiteAnswer:
        """What it answers at this time."""
        for trouble in self.troubles:
            if trouble.befalls(request.path, now) and self._rng.random() < trouble.share:
                return self._page(Page(status=trouble.status, body="something went wrong"), request)
        if self._is_forged(request):
            return self._page(Page(status=422, body=_FORGED), request)
        method = "GET" if request.method == "HEAD" else request.method
        found = self.pages.get(f"{method} {request.path}") or self.pages.get(request.path)
        return self._page(found or Page(status=404, body="not found"), request)

    def _is_forged(self, request: SiteRequest) -> bool:
        """Whether another host's page sent it, as far as the site can see."""
        origin = request.headers.get("origin")
        if not self.checks_origin or request.method in _SAFE or origin is None:
            return False
        return _host(origin) != (self.shown_host or request.host)

    def _page(self, page: Page, request: SiteRequest) -> SiteAnswer:
        body = b"" if request.method == "HEAD" else page.body.encode()
        return SiteAnswer(status=page.status, headers={**self.headers, **page.headers}, body=body)


def pages_of(name: str) -> dict[str, Page]:
    """A small site: a page that says its name, one that every site has, and a form."""
    return {
        "/": Page(body=f"<h1>Welcome to {name}</h1>"),
        "/up": Page(body="ok"),
        "/login": Page(body="<form method=post>"),
        "POST /login": Page(status=302, headers={"location": "/"}),
    }


class Sites:
    """Where the sites stand: behind stages of APIs, and at hosts of their own (a Lambda URL).

    Attributes:
        timeline: the account's.
    """

    def __init__(self, timeline: Schedule) -> None:
        self.timeline = timeline
        self._standing: dict[ApiTarget | str, Site] = {}

    def put(self, where: ApiTarget | str, site: Site) -> None:
        """Lets a site stand at a stage, or at a host."""
        self._standing[where] = site

    def remove(self, where: ApiTarget | str) -> None:
        """Its stack was deleted."""
        self._standing.pop(where, None)

    def at(self, where: ApiTarget | str) -> Site | None:
        """The site that stands there."""
        return self._standing.get(where)

    def answer(self, where: ApiTarget | str, request: SiteRequest) -> SiteAnswer | None:
        """What the site there answers now; ``None`` where there is none."""
        site = self.at(where)
        return None if site is None else site.answer(request, self.timeline.now)


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""
