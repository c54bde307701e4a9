"""Whether this machine reaches AWS through a name that is about to have no record.

In the gap the host of a proxy, or of a custom endpoint, could then not resolve, and the record
could not be restored from here. Nothing is resolved: a name that points there by a CNAME is not
detected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.adapters.endpoint import host_of, proxy_for
from route53_takeover.core.domain.names import normal_name, shown_name
from route53_takeover.core.plan.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WILDCARD = "\\052."


def warn_way_to_aws(names: Sequence[str], endpoints: Iterable[str]) -> list[Finding]:
    """A warning for each host on the way that is at or below one of the names.

    Args:
        names: the names to hand over, in normal form.
        endpoints: the URLs that AWS is asked at.
    """
    hosts = {
        host: what
        for url in endpoints
        for host, what in ((host_of(proxy_for(url)), "the proxy"), (host_of(url), "the endpoint"))
    }
    return [
        Finding(
            text=f"this machine reaches AWS through {what} {host}, which is at or below "
            f"{shown_name(name)}: during the gap it may not resolve, and then the record "
            "cannot be restored from here.",
            hint="Run this on a machine that reaches AWS another way, or give the host's address "
            "(HTTPS_PROXY, --endpoint-url).",
        )
        for host, what in hosts.items()
        if host
        for name in names
        if _is_at_or_below(normal_name(host), name)
    ]


def _is_at_or_below(host: str, name: str) -> bool:
    if name.startswith(_WILDCARD):
        return host.endswith("." + name.removeprefix(_WILDCARD))
    return host == name or host.endswith("." + name)
