"""The forecast: what a takeover may cost the users of its names, as simple arithmetic.

Of the resolvers that query a name all the time, about ``g / T`` query it in a gap of ``g`` seconds
(``T``: the record's TTL; at most all), and each caches "no such name" for about the negative TTL
(RFC 2308). So a lower TTL costs more where the negative TTL is high. How soon CloudFormation
retries is not published: the gaps are examples, and say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.routing import still_answers, unanswered
from route53_takeover.core.timing import DEADMAN, INSYNC

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from route53_takeover.core.plan.model import Manual, Plan

GAPS = (2.0, 10.0)
"""Seconds: a gap that CloudFormation fills at its next try, and one after its tries have become
rare."""
ALIAS_TTL = 60
"""Seconds: what the targets of alias records have, as measured (CloudFront, ELB)."""
_WORTH_SAYING = 2.0
"""The factor by which a lowered TTL must cost more before a line says so."""
_MINUTES = 120.0
"""Seconds from which on a duration is shown in minutes."""


def forecast(plan: Plan) -> tuple[str, ...]:
    """What it may cost and how long it takes, a line each; empty where nothing is done."""
    if plan.refused or not plan.manuals:
        return ()
    return tuple(dict.fromkeys(_lines(plan)))


def _lines(plan: Plan) -> Iterator[str]:
    yield from _drain(plan)
    harmful = [m for m in plan.manuals if plan.may_be_unanswered(m.original)]
    for manual in plan.manuals:
        if manual in harmful:
            yield _gap(plan, manual)
        else:
            yield _harmless(plan, manual)
        if manual.original.type not in ("A", "AAAA"):
            yield (
                f"{manual.key}: if it is exactly what the stack wants, CloudFormation may adopt it "
                "without a gap."
            )
        if manual in harmful:
            yield from _cost_of_lowering(plan, manual)
    if harmful:
        yield _UNPUBLISHED
    yield _worst(plan, harmful)


_UNPUBLISHED = (
    "The gaps are examples: a gap lasts until CloudFormation retries, and its retry interval is "
    "not published."
)


def _drain(plan: Plan) -> Iterator[str]:
    lowered = [manual for manual in plan.manuals if manual.lowered]
    if plan.drain_seconds:
        yield (
            f"Lowering the TTL takes {_about(plan.drain_seconds + INSYNC)}: up to {INSYNC:.0f} s "
            f"until every name server has it, and {plan.drain_seconds} s until the old one has "
            "expired."
        )
    elif lowered:
        yield (
            "The run does not wait for the old TTL (--no-drain): caches may hold the old record "
            f"for up to {_time(max(m.original.ttl or 0 for m in lowered))} after the takeover."
        )


def _gap(plan: Plan, manual: Manual) -> str:
    ttl, negative = _ttl(manual), plan.negative_ttl
    told = "; ".join(
        f"{gap:.0f} s gap: {_share(gap, ttl)} of resolvers affected, "
        f"{_about(harm(gap, ttl, negative))} per user on average"
        for gap in GAPS
    )
    return (
        f"{manual.key} (TTL {_ttl_words(manual)}, negative TTL {negative} s): {told}. Affected "
        f'resolvers cache "no such name" for {_about(negative)}.{_only_some(plan, manual)}'
    )


def _only_some(plan: Plan, manual: Manual) -> str:
    """A sentence on whom the gap of a routed member affects; empty for a simple record."""
    others = plan.beside(manual.original)
    if not others:
        return ""
    return f" That is for {unanswered(manual.original, others)}: others have an answer."


def _harmless(plan: Plan, manual: Manual) -> str:
    answers = still_answers(manual.original, plan.beside(manual.original))
    return f"{manual.key}: about 0 s per user without an answer in any gap: {answers}."


def _cost_of_lowering(plan: Plan, manual: Manual) -> Iterator[str]:
    """What the lower TTL costs, where it costs noticeably more than the old one would."""
    old, lowered = manual.original.ttl, manual.lowered
    if old is None or lowered is None or lowered.ttl is None:
        return
    gap, negative = GAPS[-1], plan.negative_ttl
    kept, low = harm(gap, old, negative), harm(gap, lowered.ttl, negative)
    if negative > lowered.ttl and low >= _WORTH_SAYING * kept:
        yield (
            f"{manual.key}: with the old TTL of {old} s (--ttl keep) the {gap:.0f} s gap costs "
            f"{_about(kept)} per user instead of {_about(low)}, but caches hold the old record for "
            f"up to {_time(old)} afterwards. A negative TTL of 5 s, set in the SOA first, makes "
            "both small."
        )


def _worst(plan: Plan, harmful: Sequence[Manual]) -> str:
    """``harmful``: those that leave clients without an answer while they are missing."""
    after = plan.options.restore_after
    least = DEADMAN[0] if after is None else after
    when = f"{DEADMAN[0]:.0f} to {DEADMAN[1]:.0f} s" if after is None else f"{after:g} s"
    restored = f"If CloudFormation does not create its record, the old one is restored after {when}"
    if not harmful:
        return f"{restored}."
    share = _share(least, min(_ttl(manual) for manual in harmful))
    return f"{restored}; by then {share} of resolvers are affected."


def harm(gap: float, ttl: float, negative_ttl: float) -> float:
    """Seconds without an answer for an average user: the share affected times the duration.

    A resolver that asks in the gap has no answer for the negative TTL, and for the rest of the gap
    at least (half of it on average).
    """
    return share_of(gap, ttl) * max(negative_ttl, gap / 2)


def share_of(gap: float, ttl: float) -> float:
    """Of the resolvers that ask all the time, those whose cached answer ends in the gap: 0 to 1."""
    return min(gap / ttl, 1.0) if ttl > 0 else 1.0


def _ttl(manual: Manual) -> int:
    """The TTL in caches during the gap."""
    record = manual.lowered or manual.original
    return ALIAS_TTL if record.ttl is None else record.ttl


def _ttl_words(manual: Manual) -> str:
    if manual.original.ttl is None:
        return f"about {ALIAS_TTL} s, its target's"
    return f"{_ttl(manual)} s" + (" once lowered" if manual.lowered else "")


def _share(gap: float, ttl: float) -> str:
    share = share_of(gap, ttl)
    if share >= 1.0:
        return "about 100 %"
    return "less than 1 %" if share < 0.01 else f"about {share:.0%}".replace("%", " %")  # noqa: PLR2004 -- a percent


def _about(seconds: float) -> str:
    return f"about {_time(seconds)}" if seconds >= 1 else "less than 1 s"


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= _MINUTES else f"{seconds:.0f} s"
