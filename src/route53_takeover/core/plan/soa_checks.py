"""The checks of a plan on the zone's negative TTL: is it worth lowering, and can it be lowered?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.names import shown_name
from route53_takeover.core.domain.soa import negative_caching, soa_of
from route53_takeover.core.plan.forecast import record_forecast
from route53_takeover.core.plan.forecast_lines import about
from route53_takeover.core.plan.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.plan.facts import Facts
    from route53_takeover.core.plan.model import Plan

LONG_NEGATIVE_TTL = 60
"""Seconds above which the zone's negative TTL makes a short gap costly."""
RECOMMENDED = 5
"""Seconds: a negative TTL that costs no more than the gap itself."""


def refuse_negative_ttl(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """``--negative-ttl`` would lower nothing, or another run's lowered SOA would be the backup."""
    wanted = plan.options.negative_ttl
    if wanted is None:
        return
    zone, soa = shown_name(facts.zone_name), soa_of(facts.zone_records, facts.zone_name)
    for left in facts.unfinished:
        if soa is not None and left.original.key == soa.key:
            yield Finding(
                text=f"the SOA of {zone} has the {negative_caching(soa)} that run {left.run} set, "
                "and has not put back.",
                hint=f"That run is still active (`{left.attach}`): wait until it has ended, or "
                "leave out --negative-ttl."
                if left.is_alive
                else f"Resume it (`{left.resume}`) or restore the SOA (`{left.restore}`); then "
                "run this again.",
            )
    if wanted >= plan.negative_ttl:
        yield Finding(
            text=f"--negative-ttl {wanted} lowers nothing: the negative TTL of {zone} is "
            f"{plan.negative_ttl} s.",
            hint=f"Leave it out, or give less than {plan.negative_ttl}.",
        )
    elif soa is None or negative_caching(soa).minimum is None:
        yield Finding(
            text=f"the SOA of {zone} cannot be read: its negative TTL cannot be lowered.",
            hint="Leave out --negative-ttl.",
        )


def warn_negative_ttl(plan: Plan) -> Iterator[Finding]:
    """A gap costs much, where the strategy leaves one."""
    exposed = [manual for manual in plan.manuals if plan.harms(manual)]
    negative = plan.negative_ttl_in_gap
    if negative <= LONG_NEGATIVE_TTL or not exposed:
        return
    lower = replace(plan, negative_ttl=RECOMMENDED, soa=None)
    worst = max((record_forecast(plan, m) for m in exposed), key=lambda each: each.harmed_seconds)
    would = max(record_forecast(lower, manual).harmed_seconds for manual in exposed)
    yield Finding(
        text=f"the zone's negative TTL is {negative} s: resolvers that ask during the gap cache "
        f'"no such name" for that long. A {worst.gap_seconds:g} s gap costs '
        f"{about(worst.harmed_seconds)} per user of {worst.key}.",
        hint=f"With --negative-ttl {RECOMMENDED} it costs {about(would)}: the run lowers it in the "
        "SOA first and puts the SOA back at the end.",
    )
