"""The forecast in words: the table of strategies, the recommendation, and what it hangs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.routing import still_answers, unanswered
from route53_takeover.core.plan.cards import Row, Table, Tone, Words
from route53_takeover.core.plan.forecast import (
    ALIAS_TTL,
    assumptions,
    chosen,
    expected_harm,
    recommended,
    record_forecast,
    ttl_in_caches,
)
from route53_takeover.core.plan.harm import affected_share, harmed_seconds
from route53_takeover.core.plan.measured import MeasuredOutcome, measured_line
from route53_takeover.core.plan.model import Strategy
from route53_takeover.core.timing import DEADMAN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from route53_takeover.core.plan.model import Manual, Plan, StrategyForecast

_WORTH_SAYING = 2.0
"""The factor by which a lowered TTL must cost more before a line says so."""
_FEW = 2
"""Record sets of which the same is said one by one; more are counted."""
_MINUTES = 120.0
"""Seconds from which on a duration is shown in minutes."""


def strategy_table(plan: Plan) -> Table:
    """Every strategy: what it comes to, or why it is not possible."""
    better = recommended(plan)
    return Table(
        head=("strategy", "gap", "resolvers", "harm per user"),
        rows=tuple(_row(plan, each, is_better=each is better) for each in plan.strategies),
    )


def _row(plan: Plan, each: StrategyForecast, *, is_better: bool) -> Row:
    is_chosen = each.strategy in chosen(plan)
    tone = Tone.STRONG if is_chosen or is_better else Tone.PLAIN
    name = Words(f"{'> ' if is_chosen else '  '}{each.strategy}", tone)
    if not each.is_possible:
        return Row(
            cells=(name, Words("-"), Words("-"), Words("-")),
            note=Words(f"not possible: {each.reason} {each.hint}".rstrip(), Tone.MUTED),
        )
    notes = ["chosen"] if is_chosen else ["recommended"] if is_better else []
    notes += [f"meanwhile {effect.removesuffix(' meanwhile')}" for effect in each.side_effects]
    if each.strategy is Strategy.WEIGHTED:
        notes += _weights(plan)
    told = "; ".join(note.rstrip(".") for note in notes)
    numbers = (
        f"{each.gap_seconds:g} s",
        percent(each.affected_share),
        short(each.harmed_seconds),
    )
    return Row(cells=(name, *(Words(number, tone) for number in numbers)), note=Words(told))


def _weights(plan: Plan) -> Iterator[str]:
    """How long the steps of weight take, where there are some."""
    assumed = assumptions(plan)
    if assumed.weights:
        shares, every = ", ".join(f"{share} %" for share in assumed.weights), assumed.weight_every
        took = _time(len(assumed.weights) * every)
        yield f"takes {took} longer: the stack answers {shares}, {every:g} s each"


def recommendation(plan: Plan) -> str:
    """The better strategy with its exact option, where there is one worth it; else nothing."""
    better = recommended(plan)
    if better is None:
        return ""
    least = short(better.harmed_seconds)
    if plan.options.strategy in {e.strategy for e in plan.strategies if not e.is_possible}:
        return f"Use --strategy {better.strategy}: {least} without an answer per user."
    return (
        f"Use --strategy {better.strategy}: {least} without an answer per user instead of "
        f"{short(expected_harm(plan))}."
    )


def forecast_lines(plan: Plan) -> tuple[str, ...]:
    """What it may cost and how long it takes, a line each; empty where nothing is done."""
    if plan.refused or not plan.manuals:
        return ()
    return tuple(dict.fromkeys(_lines(plan)))


def _lines(plan: Plan) -> Iterator[str]:
    yield from _drain(plan)
    harmful = [m for m in plan.manuals if plan.harms(m)]
    told: dict[str, list[str]] = {}
    for manual in plan.manuals:
        for text in _of_record(plan, manual):
            told.setdefault(text, []).append(str(manual.key))
    for text, keys in told.items():
        yield from (
            [f"Each of {len(keys)} records{text}"]
            if len(keys) > _FEW
            else [f"{key}{text}" for key in keys]
        )
    yield from measured_lines(plan)
    if harmful and not assumptions(plan).is_measured:
        yield (
            f"The gap of {plan.options.expected_gap:g} s is an assumption (--expected-gap): "
            "it lasts until CloudFormation retries, and its retry interval is not published."
        )
    if any(plan.expects_gap(manual) for manual in plan.manuals):
        yield _worst(plan, harmful)


def _of_record(plan: Plan, manual: Manual) -> Iterator[str]:
    """What is said of a record set, after its name."""
    if plan.harms(manual):
        yield _gap(plan, manual)
    elif plan.expects_gap(manual):
        yield _harmless(plan, manual)
    else:
        yield f": no gap is expected with --strategy {manual.strategy}."
    if plan.expects_gap(manual) and manual.original.type not in ("A", "AAAA"):
        yield ": if it is exactly what the stack wants, CloudFormation may adopt it without a gap."
    if plan.harms(manual):
        yield from _cost_of_lowering(plan, manual)


def measured_lines(plan: Plan) -> Iterator[str]:
    """What was measured here with records like those of the plan."""
    found = (plan.measured_of(manual.original) for manual in plan.manuals)
    for each in dict.fromkeys(each for each in found if each is not None):
        yield measured_line(each)
        if each.differs is MeasuredOutcome.FAILED_AT_ONCE and Strategy.DELETE in chosen(plan):
            yield (
                f"{each.kind}: so --strategy delete finds no time in which the old record can be "
                "deleted, where the stack's differs; another strategy avoids that."
            )


def _drain(plan: Plan) -> Iterator[str]:
    lowered = [manual for manual in plan.manuals if manual.lowered]
    propagation = assumptions(plan).propagation
    if plan.drain_seconds:
        yield (
            f"Lowering the TTL takes {about(plan.drain_seconds + propagation)}: up to "
            f"{propagation:.0f} s until every name server has it, and {plan.drain_seconds} s until "
            "the old one has expired."
        )
    elif lowered:
        yield (
            "The run does not wait for the old TTL (--no-drain): caches may hold the old record "
            f"for up to {_time(max(m.original.ttl or 0 for m in lowered))} after the takeover."
        )


def _gap(plan: Plan, manual: Manual) -> str:
    expected, negative = record_forecast(plan, manual), assumptions(plan).negative_ttl
    return (
        f" (TTL {_ttl_words(manual)}, negative TTL {negative} s): "
        f"{expected.gap_seconds:g} s gap: about {percent(expected.affected_share)} of resolvers "
        f"affected, {about(expected.harmed_seconds)} per user on average. Affected resolvers "
        f'cache "no such name" for {about(negative)}.{_only_some(plan, manual)}'
    )


def _only_some(plan: Plan, manual: Manual) -> str:
    """A sentence on whom the gap of a routed member affects; empty for a simple record."""
    others = plan.beside(manual.original)
    if not others:
        return ""
    return f" That is for {unanswered(manual.original, others)}: others have an answer."


def _harmless(plan: Plan, manual: Manual) -> str:
    answers = still_answers(manual.original, plan.beside(manual.original))
    return f": about 0 s per user without an answer in any gap: {answers}."


def _cost_of_lowering(plan: Plan, manual: Manual) -> Iterator[str]:
    """What the lower TTL costs, where it costs noticeably more than the old one would."""
    old, lowered = manual.original.ttl, manual.lowered
    if old is None or lowered is None or lowered.ttl is None:
        return
    gap, negative = assumptions(plan).expected_gap, assumptions(plan).negative_ttl
    kept, low = (harmed_seconds(gap, ttl, negative) for ttl in (old, lowered.ttl))
    if negative > lowered.ttl and low >= _WORTH_SAYING * kept:
        yield (
            f": with the old TTL of {old} s (--ttl keep) the {gap:g} s gap costs "
            f"{about(kept)} per user instead of {about(low)}, but caches hold the old record for "
            f"up to {_time(old)} afterwards. "
            "--negative-ttl 5 makes both small."
        )


def _worst(plan: Plan, harmful: Sequence[Manual]) -> str:
    """``harmful``: those that leave clients without an answer while they are missing."""
    least = assumptions(plan).restore_after
    after = plan.options.restore_after
    when = f"{least:.0f} to {DEADMAN[1]:.0f} s" if after is None else f"{after:g} s"
    restored = f"If CloudFormation does not create its record, the old one is restored after {when}"
    if not harmful:
        return f"{restored}."
    share = affected_share(least, min(ttl_in_caches(manual) for manual in harmful))
    return f"{restored}; by then about {percent(share)} of resolvers are affected."


def _ttl_words(manual: Manual) -> str:
    if manual.original.ttl is None:
        return f"about {ALIAS_TTL} s, its target's"
    return f"{ttl_in_caches(manual)} s" + (" once lowered" if manual.lowered else "")


def percent(share: float) -> str:
    if 0 < share < 0.01:  # noqa: PLR2004 -- a percent
        return "< 1 %"
    return f"{100 * share:.0f} %"


def short(seconds: float) -> str:
    """A duration in a table."""
    return "< 1 s" if 0 < seconds < 1 else _time(seconds)


def about(seconds: float) -> str:
    """A duration in words."""
    return f"about {_time(seconds)}" if seconds >= 1 else "less than 1 s"


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= _MINUTES else f"{seconds:.0f} s"
