"""The addresses that stand for alias targets outside the account: load balancers, CloudFront."""

from __future__ import annotations

import functools
import hashlib
import ipaddress

from route53_takeover.core.domain.record_sets import normal_name


@functools.cache
def synthetic_address(target: str, kind: str) -> str:
    """The address that stands for an alias target outside the account's zones.

    It is derived from the target's name, so that two targets have two addresses, and lies in a
    range that reaches no host (RFC 2544, RFC 3849). Types but A and AAAA get the name itself.
    """
    digest = hashlib.sha256(normal_name(target).encode()).digest()
    match kind:
        case "A":
            return str(ipaddress.IPv4Address("198.18.0.0") + int.from_bytes(digest[:4]) % 2**17)
        case "AAAA":
            return str(ipaddress.IPv6Address("2001:db8::") + int.from_bytes(digest[:8]))
        case _:
            return target
