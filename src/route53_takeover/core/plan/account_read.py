"""What was read of an account, as far as a plan can be rehearsed in a simulated one made of it.

It is stored beside a plan (``plan --out``, a run's plan.json). It holds no template but what its
records and resources come to, and no credentials.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.plan.facts import OwnedRecord, PendingTemplate, StackRead, StackRecord

if TYPE_CHECKING:
    from route53_takeover.core.plan.facts import Facts


class AccountRead(Struct, frozen=True, kw_only=True):
    """The zone's record sets and the stacks, beside what `Plan` tells of both.

    Attributes:
        region: of the root stack.
        records: every record set of the zone, or of a large one what was read.
        unread: how many others the zone has.
        stacks: the root stack's tree, the root first; empty where there is none.
        owned: the records that the tree has.
        pending: what the deploy with the switch on applies, as far as it is known.
        foreign: other stacks and their records at the names.
    """

    region: str
    records: tuple[RecordSet, ...]
    unread: int = 0
    stacks: tuple[StackRead, ...] = ()
    owned: tuple[OwnedRecord, ...] = ()
    pending: PendingTemplate
    foreign: tuple[StackRecord, ...] = ()

    @classmethod
    def of(cls, facts: Facts) -> AccountRead:
        """As much of what preflight read."""
        return cls(
            region=facts.region,
            records=facts.zone_records,
            unread=facts.zone_unread,
            stacks=facts.stacks,
            owned=facts.owned,
            pending=facts.pending,
            foreign=facts.foreign,
        )
