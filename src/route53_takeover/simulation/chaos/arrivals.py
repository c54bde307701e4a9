"""What reached Route 53 of a simulated account, whoever sent it."""

from __future__ import annotations

from msgspec import Struct

from route53_takeover.core.domain.record_sets import Change
from route53_takeover.simulation.aws.route53.zones import AppliedChange


class Arrival(Struct, frozen=True, kw_only=True):
    """A batch that reached Route 53.

    Attributes:
        by: who sent it.
        sent: when it left its process.
        refused: Route 53's code where nothing was applied.
        orphaned: the process that sent it was dead by then.
        hit: what CloudFormation had written last of a record set that this batch deleted, where a
            stack owned it.
    """

    time: float
    by: str
    comment: str
    changes: tuple[Change, ...]
    sent: float
    refused: str = ""
    orphaned: bool = False
    hit: AppliedChange | None = None
