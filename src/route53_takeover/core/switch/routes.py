"""By which way a check is asked: of one side directly, or as users go."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec.structs import replace

from route53_takeover.core.domain.http_checks import Route
from route53_takeover.core.switch.events import Way
from route53_takeover.core.switch.model import MappingSwap

if TYPE_CHECKING:
    from route53_takeover.core.domain.http_checks import Check
    from route53_takeover.core.switch.model import SwitchPlan


def route_for(plan: SwitchPlan, check: Check, way: Way) -> Route:
    """The way of a check.

    A custom domain takes the base path away before it passes a request on; so what asks the API
    directly has to do without it, too.
    """
    if way is Way.LIVE:
        return Route()
    if way is Way.RULE:
        rule = plan.rule
        headers = {} if rule is None else {rule.header: rule.value}
        return Route(headers=headers, side=str(Way.GREEN))
    route = plan.blue if way is Way.BLUE else plan.green
    return replace(route, side=str(way), strip_path=_base_path(plan, check))


def _base_path(plan: SwitchPlan, check: Check) -> str:
    """The longest base path of the plan that the check's path begins with, with a slash."""
    path = urlsplit(check.url).path
    base_paths = (
        f"/{swap.mapping.base_path}"
        for swap in plan.swaps or plan.watched
        if isinstance(swap, MappingSwap) and swap.mapping.base_path
    )
    fitting = (base for base in base_paths if path == base or path.startswith(f"{base}/"))
    return max(fitting, key=len, default="")
