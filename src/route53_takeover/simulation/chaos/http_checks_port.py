"""HTTP checks on the simulated web, in process and on virtual time: the `HttpChecks` port."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from route53_takeover.base.errors import UsageError, one_line
from route53_takeover.core.domain.http_answers import Received, concluded, told, url_by
from route53_takeover.core.domain.http_checks import CheckAnswer
from route53_takeover.core.domain.http_secrets import filled
from route53_takeover.core.ports import HttpChecks
from route53_takeover.simulation.aws.web.routing import SiteRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from route53_takeover.core.domain.http_checks import Check, Route
    from route53_takeover.simulation.aws.web.web import Web
    from route53_takeover.simulation.chaos.transport import VirtualClock

_TAKES = 0.05
"""Seconds."""


class SimulatedChecks(HttpChecks):
    """Carries out checks on a simulated web.

    Args:
        commands: why each shell command does not pass, or what tells it for a route; empty where
            it passes. A command that is not there does not exist.
        environment: the variables that checks name.
        takes: how long a check takes, half of it before it is answered.
    """

    def __init__(
        self,
        web: Web,
        clock: VirtualClock,
        *,
        commands: Mapping[str, str | Callable[[Route], str]] | None = None,
        environment: Mapping[str, str] | None = None,
        takes: float = _TAKES,
    ) -> None:
        self._web = web
        self._clock = clock
        self._commands = commands or {}
        self._environment = environment or {}
        self._takes = takes

    async def carry_out(self, check: Check, route: Route) -> CheckAnswer:
        """One check by one way; never raises."""
        try:
            asked = filled(check, self._environment)
        except UsageError as error:
            return CheckAnswer(passed=False, reason=one_line(error))
        await self._clock.sleep(self._takes / 2)
        self._web.sites.timeline.advance(self._clock.true())
        answer = self._ran(asked, route) if asked.command else self._requested(asked, route)
        await self._clock.sleep(self._takes / 2)
        return answer

    def _ran(self, check: Check, route: Route) -> CheckAnswer:
        result = self._commands.get(check.command, "exit status 127: not found")
        reason = result if isinstance(result, str) else result(route)
        return CheckAnswer(
            passed=not reason, reason=told(reason, check, route), seconds=self._takes
        )

    def _requested(self, check: Check, route: Route) -> CheckAnswer:
        parts = urlsplit(url_by(check.url, route))
        headers = {n.lower(): v for n, v in {**check.headers, **route.headers}.items()}
        answer = self._web.ask(
            SiteRequest(
                method=check.method,
                host=parts.hostname or "",
                path=parts.path or "/",
                query=parts.query,
                headers=headers,
                body=check.data.encode(),
            )
        )
        if answer is None:
            reason = f"the host {parts.hostname} is not found"
            return CheckAnswer(passed=False, reason=reason, seconds=self._takes)
        received = Received(
            status=answer.status, headers=tuple(answer.headers.items()), body=answer.body
        )
        return concluded(check, route, received, self._takes)
