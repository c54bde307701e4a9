"""The checks of a plan on the user's own times for the release and the restore.

Without them both follow from the kind of record and from what CloudFormation does; a time of the
user's can make a gap useless or long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.plan.model import Finding
from route53_takeover.core.timing import ALIAS_HOLD, DEADMAN, OTHER_HOLD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.plan.model import Plan

LONG_HOLD = 60.0
"""Seconds: how long CloudFormation keeps trying is not documented; minutes were reported."""


def warn_times(plan: Plan) -> Iterator[Finding]:
    """``--hold`` and ``--restore-after``, where a name is expected to lack its record."""
    if not any(plan.expects_gap(manual) for manual in plan.manuals):
        return
    options = plan.options
    hold, after = options.hold, options.restore_after
    if hold is not None and hold > LONG_HOLD:
        yield Finding(
            text=f"--hold {told(hold)}: CloudFormation has to keep trying for {told(hold)} before "
            "the record is deleted. How long it tries is not documented; if it gives up earlier "
            "the deploy fails and nothing is changed.",
            hint=f"Leave it out: {told(ALIAS_HOLD)} for an alias, else {told(OTHER_HOLD)}.",
        )
    least, most = map(told, DEADMAN)
    if after is not None and after < options.expected_gap:
        yield Finding(
            text=f"--restore-after {told(after)} is shorter than the {told(options.expected_gap)} "
            "after which CloudFormation is expected to try again (--expected-gap): the record "
            "would be restored before that, and the takeover would fail.",
            hint=f"Leave it out: {least} to {most}.",
        )
    elif after is not None and after > DEADMAN[1]:
        yield Finding(
            text=f"--restore-after {told(after)}: if CloudFormation creates nothing, the name has "
            f"no record for {told(after)}.",
            hint=f"Leave it out: {least} to {most}.",
        )


def told(seconds: float) -> str:
    """A time in its largest whole unit: ``90 s``, ``5 min``, ``10 h``."""
    for length, unit in ((3600, "h"), (60, "min")):
        if seconds and seconds % length == 0:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"
