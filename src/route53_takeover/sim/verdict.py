"""The verdict on a rehearsal: what a run says at its end, held against what is true.

The truth is the simulated account's own history, which no engine can see or change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core import events as ev
from route53_takeover.core.invariants import broken_promises
from route53_takeover.core.state import TAKEN_STAGES, Outcome, Stage, State
from route53_takeover.core.view import Result, result
from route53_takeover.engine import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from route53_takeover.core.records import RecordKey
    from route53_takeover.sim.scenarios import Scenario
    from route53_takeover.sim.world import World


class Rehearsal(Struct, frozen=True, kw_only=True):
    """What came of one run, and what was true at its end.

    Attributes:
        state: the last one.
        absent: whether a name has no record, whatever the run says.
        broken: promises that were broken.
        gap_seconds: how long the name had no record, by the account's own history.
    """

    scenario: str
    seed: str
    result: Result
    state: State
    absent: bool
    broken: tuple[str, ...]
    gap_seconds: float
    lives: int
    events: tuple[ev.AnyEvent, ...]


def judged(
    scenario: Scenario,
    seed: str,
    state: State,
    world: World,
    events: Sequence[ev.AnyEvent],
    calls: Mapping[str, int],
    lives: int,
) -> Rehearsal:
    """Holds what the run says against what is true in the account an hour later."""
    broken = list(broken_promises(state))
    if not state.journal_lost and fold(events) != state:
        broken.append("folding the journal equals the state in memory")
    for name in state.plan.names:
        broken += _untruths(state, world, name)
    broken += _wronged(world)
    if len(world.started) != len(set(world.started)):
        broken.append("a deploy is started at most once")
    sent = [event.id for event in events if isinstance(event, ev.WriteIntended)]
    if len(sent) != len(set(sent)):
        broken.append("a batch is sent at most once")
    gaps = [
        (end if end is not None else world.timeline.now) - began
        for name in state.plan.names
        for began, end in world.zones.absences(world.zone.zone_id, name)
    ]
    return Rehearsal(
        scenario=scenario.name,
        seed=seed,
        result=result(state, calls),
        state=state,
        absent=not all(world.holds(name) for name in state.plan.names),
        broken=tuple(broken),
        gap_seconds=round(sum(gaps), 3),
        lives=lives,
        events=tuple(events),
    )


def _untruths(state: State, world: World, name: str) -> Iterator[str]:
    """What the ending says of a name that is not true in the account."""
    outcome = state.ending.outcome if state.ending else Outcome.UNKNOWN
    here, writer = world.holds(name), world.last_writer(name)
    originals = [m.original for m in state.plan.manuals if m.key.name == name]
    as_before = all(any(o.same_as(r) for r in here) for o in originals)
    handovers = state.names[name].handovers
    if outcome is Outcome.DONE and writer == "takeover":
        yield "done means that CloudFormation wrote last"
    if outcome in (Outcome.FAILED, Outcome.ABORTED) and not (as_before or writer == "a person"):
        yield "failed means that the manual record or somebody else's stands"
    if outcome is not Outcome.UNKNOWN:
        for handover in handovers:
            stands = any(handover.original.same_as(r) for r in here)
            ours = handover.stage in (Stage.STANDING, Stage.RESTORED)
            if ours and not stands and writer != "a person":
                yield "what stands or was restored equals the backup to the letter"
            if handover.stage in TAKEN_STAGES and stands and writer == "takeover":
                yield "what is created or adopted was written by CloudFormation"
    if outcome is Outcome.RESTORED and all(h.stage is not Stage.RESTORED for h in state.handovers):
        yield "restored means that a record was put back"


def _wronged(world: World) -> list[str]:
    """Deletes of ours that hit a record set which CloudFormation had written last."""
    writer: dict[RecordKey, str] = {}
    wronged = []
    for change in world.zones.history:
        for action, record in change.changes:
            theirs = writer.get(record.key) == "cloudformation"
            if theirs and action == "DELETE" and change.by == "takeover":
                wronged.append("a record that CloudFormation created is never deleted by us")
            writer[record.key] = change.by
    return wronged
