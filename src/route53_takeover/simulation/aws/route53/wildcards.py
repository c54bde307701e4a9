r"""Which name's record sets answer for a name: itself, a wildcard, or none (RFC 4592).

A name with something below it exists, although it may hold nothing (an empty non-terminal).
Otherwise the wildcard under the closest name that exists answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from route53_takeover.core.domain.record_sets import RecordKey

_WILDCARD = "\\052."


def answering_name(name: str, keys: Iterable[RecordKey], zone_name: str) -> str | None:
    """The name that answers, all in normal form; ``None``: there is no such name."""
    existing = _existing(keys, zone_name)
    if name in existing:
        return name
    encloser = name
    while encloser not in existing:
        encloser = encloser.partition(".")[2]
    wildcard = _WILDCARD + encloser
    return wildcard if wildcard in existing else None


def _existing(keys: Iterable[RecordKey], zone_name: str) -> set[str]:
    """Every name that holds something, or has something below it."""
    names = {zone_name}
    for key in keys:
        name = key.name
        while name not in names:
            names.add(name)
            name = name.partition(".")[2]
    return names
