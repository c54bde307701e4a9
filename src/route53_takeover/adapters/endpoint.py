"""What an endpoint URL leads to: this machine, AWS, or a host that may not get credentials.

Every part that treats a loopback endpoint in its own way asks here. Imports nothing that is slow.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

_SERVICE = r"(?:sts|route53|cloudformation|states)(?:-fips)?"
_REGION = r"[a-z]{2,6}(?:-[a-z]{1,12}){1,3}-[0-9]{1,2}"
_SUFFIX = "|".join(
    re.escape(suffix)
    for suffix in (
        "amazonaws.com",
        "amazonaws.com.cn",
        "amazonaws.eu",
        "api.aws",
        "api.amazonwebservices.com.cn",
        "api.amazonwebservices.eu",
        "c2s.ic.gov",
        "sc2s.sgov.gov",
        "cloud.adc-e.uk",
        "csp.hci.ic.gov",
    )
)
_AWS = re.compile(
    rf"(?:vpce-[a-z0-9-]{{1,63}}\.)?{_SERVICE}(?:\.{_REGION})?(?:\.vpce)?\.(?:{_SUFFIX})"
)
"""Only the services that are asked: a bucket or an API of anyone's is below amazonaws.com, too."""


def _parts(url: str | None) -> tuple[str, str]:
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return "", ""
    return parts.scheme, parts.hostname or ""


def host_of(url: str | None) -> str:
    """The host in a URL, in lower case; empty where there is none."""
    return _parts(url)[1]


def is_loopback(url: str | None) -> bool:
    """Whether the endpoint is on this machine: an emulator, no account."""
    _, host = _parts(url)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_aws(url: str) -> bool:
    """Whether it is one of AWS's own endpoints, reached by TLS."""
    scheme, host = _parts(url)
    return scheme == "https" and _AWS.fullmatch(host) is not None


def proxies(url: str | None) -> dict[str, str] | None:
    """The SDK's setting: an emulator on this machine is not asked through a proxy."""
    return {} if is_loopback(url) else None


def proxy_for(url: str) -> str:
    """The URL of the proxy by which the SDK asks there; empty where it asks directly."""
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415 -- it is slow

    scheme, host = _parts(url)
    if is_loopback(url) or proxy_bypass(host):
        return ""
    proxy = getproxies().get(scheme, "")
    return proxy if not proxy or "//" in proxy else f"//{proxy}"
