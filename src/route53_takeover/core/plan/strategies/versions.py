"""Every form that a run may give a record set before the stack has its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.plan.strategies.weighted import with_weight

if TYPE_CHECKING:
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.model import Manual


def versions(manual: Manual) -> list[RecordSet]:
    """With its lowered TTL, prepared, and with each step of weight; not the original."""
    found = [record for record in (manual.lowered, manual.prepared) if record is not None]
    if manual.prepared is not None:
        found += [with_weight(manual.prepared, weight) for weight in manual.weights]
    return found
