"""What a takeover may cost the users of its names, as arithmetic that a person can check.

Of a name that resolvers ask for all the time, in a gap of ``g`` seconds about ``g / T`` of them ask
(``T``: the record's TTL; at most all), and each remembers for about the negative TTL that the name
is absent (RFC 2308). So a lower TTL costs more where the negative TTL is high. How soon
CloudFormation tries again is not published: the gaps are examples, and say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.timing import DEADMAN, INSYNC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.plan.model import Manual, Plan

GAPS = (2.0, 10.0)
"""Seconds: a gap that CloudFormation fills at its next try, and one after its tries have become
rare."""
ALIAS_TTL = 60
"""Seconds: what the targets of alias records carry, as far as they were seen (CloudFront, ELB)."""
_WORTH_SAYING = 2.0
"""How many times as much a lowered TTL must cost to be worth a line."""
_MINUTES = 120.0
"""Seconds from which on a duration is told in minutes."""


def forecast(plan: Plan) -> tuple[str, ...]:
    """What it may cost and how long it takes, a line each; nothing where nothing is done."""
    if plan.refused or not plan.manuals:
        return ()
    return tuple(dict.fromkeys(_lines(plan)))


def _lines(plan: Plan) -> Iterator[str]:
    yield from _drain(plan)
    for manual in plan.manuals:
        yield _gap(plan, manual)
        if manual.original.type not in ("A", "AAAA"):
            yield (
                f"{manual.key}: CloudFormation may adopt it where it is what the stack wants; "
                "then there is no gap at all."
            )
        yield from _cost_of_lowering(plan, manual)
    yield _UNPUBLISHED
    yield _worst(plan)


_UNPUBLISHED = (
    "The gaps are examples: they last until CloudFormation's next try, and how soon that comes is "
    "not published."
)


def _drain(plan: Plan) -> Iterator[str]:
    lowered = [manual for manual in plan.manuals if manual.lowered]
    if plan.drain_seconds:
        yield (
            f"Lowering the TTL takes {_about(plan.drain_seconds + INSYNC)}: up to {INSYNC:.0f} s "
            f"until every name server has it, and {plan.drain_seconds} s until the old one has run "
            "out."
        )
    elif lowered:
        yield (
            "The old TTL is not waited for (--no-drain): caches may hold the old record for up to "
            f"{_time(max(m.original.ttl or 0 for m in lowered))} after the takeover."
        )


def _gap(plan: Plan, manual: Manual) -> str:
    ttl, negative = _ttl(manual), plan.negative_ttl
    told = "; ".join(
        f"a gap of {gap:.0f} s meets {_share(gap, ttl)} of the resolvers, and costs a user "
        f"{_about(harm(gap, ttl, negative))} on average"
        for gap in GAPS
    )
    return (
        f"{manual.key} (TTL {_ttl_words(manual)}, negative TTL {negative} s): {told}. A resolver "
        f"that it meets remembers for {_about(negative)} that there is nothing."
    )


def _cost_of_lowering(plan: Plan, manual: Manual) -> Iterator[str]:
    """What the lower TTL costs, where it costs noticeably more than the old one would."""
    old, lowered = manual.original.ttl, manual.lowered
    if old is None or lowered is None or lowered.ttl is None:
        return
    gap, negative = GAPS[-1], plan.negative_ttl
    kept, low = harm(gap, old, negative), harm(gap, lowered.ttl, negative)
    if negative > lowered.ttl and low >= _WORTH_SAYING * kept:
        yield (
            f"{manual.key}: with the TTL left at {old} s (--ttl keep) the gap of {gap:.0f} s would "
            f"cost a user {_about(kept)} instead of {_about(low)}, but caches would hold the old "
            f"record for up to {_time(old)} afterwards. A negative TTL of 5 s, set in the SOA "
            "beforehand, makes both small."
        )


def _worst(plan: Plan) -> str:
    after = plan.options.restore_after
    ttl = min(_ttl(manual) for manual in plan.manuals)
    least = DEADMAN[0] if after is None else after
    when = f"{DEADMAN[0]:.0f} to {DEADMAN[1]:.0f} s" if after is None else f"{after:g} s"
    share = _share(least, ttl)
    return (
        f"If CloudFormation creates nothing, the record is put back after {when}: by then "
        f"{share} of the resolvers have asked."
    )


def harm(gap: float, ttl: float, negative_ttl: float) -> float:
    """Seconds without an answer for an average user: a share, and how long each of it lasts.

    One that asks in the gap goes without for the negative TTL, and for the rest of the gap at
    least (half of it on average).
    """
    return share_of(gap, ttl) * max(negative_ttl, gap / 2)


def share_of(gap: float, ttl: float) -> float:
    """Of the resolvers that ask all the time, those whose cached answer ends in the gap: 0 to 1."""
    return min(gap / ttl, 1.0) if ttl > 0 else 1.0


def _ttl(manual: Manual) -> int:
    """The TTL that caches go by in the gap."""
    record = manual.lowered or manual.original
    return ALIAS_TTL if record.ttl is None else record.ttl


def _ttl_words(manual: Manual) -> str:
    if manual.original.ttl is None:
        return f"about {ALIAS_TTL} s, its target's"
    return f"{_ttl(manual)} s" + (" by then" if manual.lowered else "")


def _share(gap: float, ttl: float) -> str:
    share = share_of(gap, ttl)
    if share >= 1.0:
        return "about all"
    return "less than 1 %" if share < 0.01 else f"about {share:.0%}".replace("%", " %")  # noqa: PLR2004 -- a percent


def _about(seconds: float) -> str:
    return f"about {_time(seconds)}" if seconds >= 1 else "less than 1 s"


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= _MINUTES else f"{seconds:.0f} s"
