"""A measurement from its stack to its result. It removes nothing: see `removal`.

Whatever of it fails, the rest is still measured, as long as the stack can be updated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.base.errors import AccessDeniedError, ApiError, TakeoverError, one_line
from route53_takeover.core.domain.record_sets import Change, RecordSet
from route53_takeover.core.measuring.cloudtrail import merge_logged
from route53_takeover.core.measuring.records import targets, template
from route53_takeover.core.plan.measured import (
    MeasuredOutcome,
    Measurement,
)
from route53_takeover.runtime.measuring.bench import CALM, at_rest
from route53_takeover.runtime.measuring.experiments import measure_kind
from route53_takeover.runtime.measuring.patience import patiently
from route53_takeover.runtime.measuring.takeover import take_over

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from route53_takeover.core.plan.facts import Identity
    from route53_takeover.core.plan.measured import (
        MeasuredKind,
        RecordKind,
    )
    from route53_takeover.core.ports import Prober
    from route53_takeover.core.takeover import events as ev
    from route53_takeover.runtime.measuring.bench import Bench
    from route53_takeover.runtime.measuring.experiments import Experiments
    from route53_takeover.storage.journal import Journal

_INSYNC = 180.0
"""Seconds that a change may take until every name server has it."""
_PROBE = 0.5
LOGGED_AFTER = 600.0
"""Seconds, at most, after which CloudTrail has a call; five minutes are usual."""
_LOGGED_EVERY = 30.0
_LOGGED_SETTLES = 60.0
"""Seconds before the end of the measurement up to which CloudTrail has to have everything."""


async def measure(
    bench: Bench,
    kinds: Sequence[RecordKind],
    *,
    protections: bool,
    identity: Identity,
    region: str,
    prober: Prober | None,
    journal: Journal[ev.AnyEvent],
    found: Callable[[MeasuredKind], None] = lambda _: None,
    log_patience: float = LOGGED_AFTER,
) -> Measurement:
    """Measures these kinds, the way of a DELETE to the name servers, and one takeover.

    Args:
        found: told of each kind once it is measured.
        log_patience: seconds that CloudTrail gets for what it has not yet.
    """
    logged_from = bench.now()
    bench.tell(f"creating stack {bench.scope.stack_name}")
    await bench.stack.create(template(bench.scope, {}))
    sent = bench.clock.now()
    change_id = await bench.write([Change.create(each) for each in targets(bench.scope)])
    await bench.compare_clocks(change_id, sent, bench.clock.now())
    await bench.await_rest()
    visible = await _visible_after(bench, prober)
    done: list[Experiments] = []
    for kind in kinds:
        done.append(await measure_kind(bench, kind, protections=protections))
        found(done[-1].measured)
        if not at_rest(status := await bench.await_rest()):
            raise ApiError(f"the throw-away stack is {status} and cannot be updated any more")
    measurement = Measurement(
        account=identity.account,
        region=region,
        run=bench.scope.run,
        kinds=tuple(each.measured for each in done),
        visible_after=visible,
    )
    gap = await _taken_over(bench, identity, region, prober, journal)
    logged = await _logged(bench, done, logged_from, log_patience)
    return replace(measurement, takeover_gap=gap, kinds=logged)


async def _visible_after(bench: Bench, prober: Prober | None) -> float | None:
    """Seconds from a DELETE until every name server says that there is no such name."""
    if prober is None:
        return None
    probed = RecordSet(name=bench.scope.name("dns"), type="A", ttl=60, values=("192.0.2.1",))
    bench.tell("how long a DELETE takes to reach every name server")
    change_id = await bench.write([Change.create(probed)])
    until = bench.clock.now() + _INSYNC
    while change_id and not await patiently(
        bench.clock, lambda: bench.records.is_insync(change_id)
    ):
        if bench.clock.now() >= until:
            break
        await bench.clock.sleep(CALM)
    await bench.write([Change.delete(probed)])
    began = bench.clock.now()
    while bench.clock.now() < began + _INSYNC:
        answers = await prober.probe(probed.name, probed.type)
        if answers and all(each.status in ("nxdomain", "nodata") for each in answers):
            return round(bench.clock.now() - began, 2)
        await bench.clock.sleep(_PROBE)
    return None


async def _taken_over(
    bench: Bench,
    identity: Identity,
    region: str,
    prober: Prober | None,
    journal: Journal[ev.AnyEvent],
) -> float | None:
    """The gap of a takeover of a throw-away alias; ``None`` where it came to nothing."""
    bench.tell("one takeover of a throw-away alias, as `run` does it")
    try:
        ended = await take_over(
            bench, identity=identity, region=region, prober=prober, journal=journal
        )
    except TakeoverError as error:
        bench.tell(f"warning: no takeover: {one_line(error)}")
        return None
    bench.tell(f"the takeover ended {ended.outcome}: {ended.reason}")
    return next((each.gap_seconds for each in ended.records), None)


async def _logged(
    bench: Bench, done: Sequence[Experiments], since: float, patience: float
) -> tuple[MeasuredKind, ...]:
    """What was measured, with the tries that CloudTrail has besides."""
    measured = tuple(each.measured for each in done)
    retried = [each for each in measured if each.differs is MeasuredOutcome.RETRIED]
    if not retried:
        return measured
    waits = f"; it may take {patience / 60:.0f} minutes" if patience else ""
    bench.tell(f"asking CloudTrail for the tries{waits}")
    until = bench.now()
    last = bench.clock.now() + patience
    while True:
        try:
            changes = await bench.aws.logged_changes(since - 1, until)
        except AccessDeniedError:
            bench.tell("CloudTrail may not be asked: the tries are those that reads have shown")
            return measured
        except TakeoverError as error:
            bench.tell(f"warning: CloudTrail cannot be asked: {one_line(error)}")
            return measured
        newest = max((each.time for each in changes), default=0.0)
        if newest >= until - _LOGGED_SETTLES or bench.clock.now() >= last:
            break
        await bench.clock.sleep(_LOGGED_EVERY)
    return tuple(
        merge_logged(
            each.measured,
            changes,
            stayed=each.stayed.wanted.name if each.stayed else "",
            started=each.stayed.started if each.stayed else None,
            told={w.wanted.name: w.told for w in each.watched if w.told},
        )
        for each in done
    )
