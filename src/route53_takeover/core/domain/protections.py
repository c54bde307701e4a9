"""What keeps Route 53 itself from changing a record set: protections and change guardrails.

A protection covers one name and type with every set identifier, and refuses each batch that
creates, changes or deletes such a record set. It may cover a name and type that has none: reserved.
A guardrail is a check of the zone that refuses certain batches.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from route53_takeover.core.domain.names import shown_name


class Protection(Struct, frozen=True, kw_only=True):
    """A record set protection; the name is in normal form."""

    name: str
    type: str
    comment: str = ""

    def __str__(self) -> str:
        comment = f" ({self.comment!r})" if self.comment else ""
        return f"{shown_name(self.name)} {self.type}{comment}"


class Guardrail(StrEnum):
    """A change guardrail, by Route 53's name for it."""

    ACTIVE_DELEGATION = "ACTIVE_DELEGATION_CHECK"
    ACTIVE_RECORD = "ACTIVE_RECORD_CHECK"
    ALIAS_TARGET = "ALIAS_TARGET_CHECK"
    NS_DELEGATION_AUTHORITY = "NS_DELEGATION_AUTHORITY_CHECK"
    NS_FORMAT = "NS_FORMAT_CHECK"
    NS_OCCLUSION = "NS_OCCLUSION_CHECK"
