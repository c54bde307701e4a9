"""Who still has an answer while a member of a routed group is missing.

By Route 53's routing policies alone: the health of the other members is not known here. Route 53
answers from unhealthy members too where no healthy one is left.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from route53_takeover.core.domain.record_sets import RecordSet

_DEFAULT = "*"
"""The location of the member that answers clients of all others."""


def other_members(record: RecordSet, records: Iterable[RecordSet]) -> tuple[RecordSet, ...]:
    """The other members of its routed group among these record sets; none of a simple one."""
    return tuple(
        each
        for each in records
        if record.is_routed
        and each.is_routed
        and each.key[:2] == record.key[:2]
        and each.key != record.key
    )


def still_answers(record: RecordSet, others: Sequence[RecordSet]) -> str:
    """That its name still answers while it is missing, and whom that affects, as far as known.

    Args:
        record: the member.
        others: the other members that stand; the text is empty where there are none.
    """
    if not others:
        return ""
    members = "1 other member" if len(others) == 1 else f"{len(others)} other members"
    text = f"the name still answers from its {members}"
    if clients := unanswered(record, others):
        return f"{text}, but not to {clients}"
    affected = _share(record, others) or _clients(record)
    return f"{text} ({affected} affected)" if affected else text


def unanswered(record: RecordSet, others: Sequence[RecordSet]) -> str:
    """The clients that the other members that stand may leave without an answer."""
    if not others or record.policy not in ("geolocation", "IP-based"):
        return ""
    wider = [_DEFAULT]
    if record.policy == "geolocation":
        wider += _location(record).split("-")[:-1]  # a state's country
    if any(_location(other) in wider for other in others):
        return ""
    return f"{_clients(record) or 'clients'} that no other member covers"


def _share(record: RecordSet, others: Sequence[RecordSet]) -> str:
    """The queries that a weighted member answers; empty where no weight tells."""
    if record.policy != "weighted":
        return ""
    weights = [int(_routing(each, "Weight") or 0) for each in (record, *others)]
    if not any(weights):
        return ""
    share = 100 * weights[0] / sum(weights)
    if not share:
        return "no queries"
    return f"about {share:.0f} % of queries" if share >= 1 else "less than 1 % of queries"


def _clients(record: RecordSet) -> str:
    """The clients that a member answers, where its policy tells."""
    match record.policy:
        case "latency":
            return f"clients closest to {_routing(record, 'Region')}"
        case "geolocation" | "IP-based" if (location := _location(record)) != _DEFAULT:
            return f"clients in {location}"
        case _:
            return ""


def _location(record: RecordSet) -> str:
    """``DE``, ``US-OR``, a continent's code, or the name of a CIDR location; ``*``: the default."""
    if record.policy == "IP-based":
        return str((_routing(record, "CidrRoutingConfig") or {}).get("LocationName"))
    place = _routing(record, "GeoLocation") or {}
    codes = (place.get(key) for key in ("ContinentCode", "CountryCode", "SubdivisionCode"))
    return "-".join(code for code in codes if code)


def _routing(record: RecordSet, member: str) -> Any:  # noqa: ANN401 -- JSON
    return json.loads(dict(record.routing).get(member, "null"))
