"""How long the create of a record must last before the manual record may be deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.plan.measured import best_hold
from route53_takeover.core.timing import ALIAS_HOLD, OTHER_HOLD

if TYPE_CHECKING:
    from route53_takeover.core.domain.desired_records import DesiredRecord
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.measured import MeasuredKind
    from route53_takeover.core.plan.model import Options


def hold_for(
    options: Options,
    manual: RecordSet,
    desired: DesiredRecord,
    measured: MeasuredKind | None = None,
) -> float:
    """Seconds that CREATE_IN_PROGRESS must last for this pair.

    Args:
        measured: what was measured with such a pair. It makes the hold longer, where that brings
            the release close to CloudFormation's next try; never shorter.
    """
    if options.hold is not None:
        return options.hold
    differs = desired.complete and not desired.record.same_as(manual)
    is_alias = desired.record.alias is not None and desired.record.type in ("A", "AAAA")
    least = ALIAS_HOLD if is_alias and differs else OTHER_HOLD
    return least if measured is None else best_hold(measured, least)
