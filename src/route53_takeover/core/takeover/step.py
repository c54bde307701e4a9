"""The machine: one fact in, the new state and what to do about it out. No clock, no I/O.

`step` folds the event into the state (`core.takeover.fold`), then decides. Deciding
looks only at the state, so it comes to the same result however the state came about: a resumed run
needs no code of its own.

The early phases, each of which does one thing and moves on, are here; from the deploy with the
switch on `core.takeover.active` tends every name, and `core.takeover.completion`
concludes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import Change
from route53_takeover.core.domain.stacks import StackPhase
from route53_takeover.core.endings import Outcome
from route53_takeover.core.events import Switch
from route53_takeover.core.takeover import commands as cmd
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.active import advance_names
from route53_takeover.core.takeover.cloud_deadman import deadmen_proven
from route53_takeover.core.takeover.completion import (
    at_rest,
    conclude,
    is_blind,
    settled,
    verify,
)
from route53_takeover.core.takeover.early_writes import (
    give_up_where_changed,
    has_no_patience_left,
    is_seen_unchanged,
    owned_resources,
    write_where_unchanged,
)
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.failure_reason import declined, is_aborted
from route53_takeover.core.takeover.fold import begin, observe
from route53_takeover.core.takeover.negative_ttl import (
    negative_ttl_lowered,
    negative_ttl_still_lowered,
)
from route53_takeover.core.takeover.phases import LIVE, Phase
from route53_takeover.core.takeover.preparation import prepare, watch_bridges
from route53_takeover.core.takeover.queries import root_kind
from route53_takeover.core.takeover.step_context import StepContext, tree_is_listed
from route53_takeover.core.timing import EARLY_READS, INSYNC_PATIENCE, PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.core.takeover.state import State

_MOVES_IN_A_STEP = 20


def step(state: State | None, event: ev.AnyEvent) -> tuple[State, tuple[cmd.AnyCommand, ...]]:
    """One fact in; the new state and the commands that follow from it out.

    Args:
        state: ``None`` before the first event, which must be `RunStarted`.
        event: what happened.

    Raises:
        ValueError: the event cannot begin a run, or a phase was to be left by no row of the table.
    """
    if state is None:
        if not isinstance(event, ev.RunStarted):
            raise ValueError(f"a run begins with RunStarted, not {type(event).__name__}")
        context = StepContext(begin(event))
        context.move(Phase.BACKUP)
    else:
        context = StepContext(observe(state, event))
    _decide(context)
    return replace(context.state, wake_at=context.wake_at), tuple(context.commands)


def _decide(context: StepContext) -> None:
    """Lets phases follow each other until one has to wait."""
    for _ in range(_MOVES_IN_A_STEP):
        phase, given_up = context.state.phase, context.state.given_up
        if phase is Phase.ENDED or _stopped(context):
            return
        if _is_over_early(context.state):
            context.move(Phase.RESTORE)
            continue
        negative_ttl_still_lowered(context)
        if not _waits_for_the_operator(context):
            _PHASES[phase](context)
        if context.state.phase is phase and context.state.given_up == given_up:
            return
    raise ValueError(f"{context.state.phase} does not come to rest")


def _stopped(context: StepContext) -> bool:
    """The second request to stop ends the run at once, in any state."""
    if len(context.state.interrupts) < 2:  # noqa: PLR2004 -- the second
        return False
    second = f"{context.state.interrupts[-1]}, after an abort"
    if not is_aborted(context.state):
        second = f"a second {context.state.interrupts[-1]}"
    context.end(Outcome.UNKNOWN, f"stopped by {second}")
    return True


def _is_over_early(state: State) -> bool:
    """Whether an early phase has no reason to continue."""
    return bool(state.interrupts or state.given_up or state.journal_lost) and state.is_early


def _waits_for_the_operator(context: StepContext) -> bool:
    """Whether a pause keeps an early phase from its step: no write, no deploy, no move on.

    What is under way is looked at all the same: a first deploy that touches the record is undone.
    The later phases continue, for a name may lose its record; a pause holds back the release.
    """
    if not (context.state.is_paused and context.state.is_early):
        return False
    if Switch.OFF in context.state.deploys and context.state.phase is Phase.DEPLOY_OFF:
        _give_up_where_off_touches(context)
    return True


# -- the early phases


def _backup(context: StepContext) -> None:
    if context.state.backed_up:
        context.move(Phase.LOWER_TTL)
    else:
        context.ask(cmd.WriteBackup())


def _lower_ttl(context: StepContext) -> None:
    lowered = {m.key: m.lowered for m in context.state.plan.manuals if m.lowered}
    waiting, writing = False, 0
    for name in context.state.names.values():
        changes: list[Change] = []
        for handover in name.handovers:
            target = lowered.get(handover.original.key)
            if target is not None and not handover.standing.same_as(target):
                changes += [Change.delete(handover.standing), Change.create(target)]
        if changes:
            waiting = True
            writing += 1
            if writing <= EARLY_READS:
                write_where_unchanged(context, name, Purpose.LOWER, tuple(changes))
        elif name.unsynced is not None and context.state.now >= name.wrote_at + INSYNC_PATIENCE:
            context.put(replace(name, unsynced=None, synced_at=context.state.now))
        elif name.unsynced is not None:
            waiting = True
            context.wake(name.wrote_at + INSYNC_PATIENCE)
            context.ask(
                cmd.AwaitInsync(name=name.name, change_id=name.unsynced),
            )
    if negative_ttl_lowered(context) and not waiting and not context.state.given_up:
        context.move(Phase.DRAIN)


def _drain(context: StepContext) -> None:
    synced = [n.synced_at for n in context.state.names.values() if n.synced_at is not None]
    until = max(synced, default=context.state.now) + context.state.plan.drain_seconds
    if any(give_up_where_changed(context, name) for name in context.state.names.values()):
        return
    if not synced or not context.state.plan.options.drain or context.state.now >= until:
        context.move(Phase.DEPLOY_OFF)
    else:
        context.wake(until)


def _prove(context: StepContext) -> None:
    unproven = [name for name in context.state.names.values() if not name.proven]
    for name in unproven[:EARLY_READS]:
        changes = tuple(
            change
            for h in name.handovers
            for change in (Change.delete(h.standing), Change.create(h.standing))
        )
        write_where_unchanged(context, name, Purpose.PROVE, changes)
    if not unproven and deadmen_proven(context):
        context.move(Phase.PREPARE)


def _deploy_off(context: StepContext) -> None:
    state = context.state
    if state.plan.options.deploy_off is None:
        context.move(Phase.PROVE)
        return
    if not _baseline_is_read(context, Switch.OFF):
        return
    if Switch.OFF not in state.deploys:
        if owned := owned_resources(state):
            context.give_up(
                f"the stack already owns the record ({owned[0].logical_id}): a deploy with the "
                "switch off would delete it"
            )
        elif not has_no_patience_left(context):
            unchanged = [is_seen_unchanged(context, name) for name in state.names.values()]
            if all(unchanged) and tree_is_listed(context, since=state.baseline_at):
                context.ask(cmd.RunDeploy(switch=Switch.OFF))
        return
    if state.deploys[Switch.OFF].exited_at is None:
        context.ask(cmd.RejoinDeploy(switch=Switch.OFF))
    is_quiet = settled(context) and tree_is_listed(context, since=context.state.settled_at)
    if is_blind(state) and state.deploys[Switch.OFF].exited_at is not None:
        context.give_up("the stack could not be read after the deploy with the switch off")
    if not _give_up_where_off_touches(context) and is_quiet:
        _judge_deploy_off(context)


def _give_up_where_off_touches(context: StepContext) -> bool:
    owned = owned_resources(context.state)
    if owned:
        context.give_up(
            f"the deploy with the switch off touches the record ({owned[0].logical_id}): "
            "the switch has no effect on it"
        )
    return bool(owned)


def _judge_deploy_off(context: StepContext) -> None:
    state, deploy = context.state, context.state.deploys[Switch.OFF]
    kind = root_kind(state)
    root = state.root_stack
    deployed = root is not None and root.operations > 0
    said_no_updates = "no updates" in deploy.tail.lower() or "no changes" in deploy.tail.lower()
    if deployed and kind is not StackPhase.SUCCEEDED:
        context.give_up(f"the deploy with the switch off ended {root.status if root else ''}")
    elif not deployed and deploy.timed_out:
        context.give_up("the deploy with the switch off was stopped after --deploy-timeout")
    elif not deployed and deploy.code not in (0, None) and not said_no_updates:
        context.give_up(f"the deploy with the switch off exited {deploy.code}: see deploy-off.log")
    elif kind is StackPhase.ABSENT:
        context.give_up(
            f"the deploy with the switch off exited {deploy.code}, but there is no stack "
            f"{state.plan.options.stack}{declined(state, deploy)}"
        )
    else:
        context.move(Phase.PROVE)


def _deploy_on(context: StepContext) -> None:
    watch_bridges(context)
    if context.state.given_up or not _baseline_is_read(context, Switch.ON):
        return
    if context.state.plan.options.deploy_on is not None and Switch.ON not in context.state.deploys:
        context.ask(cmd.RunDeploy(switch=Switch.ON))
        return
    context.move(Phase.WATCH)


def _baseline_is_read(context: StepContext, switch: Switch) -> bool:
    state = context.state
    if state.baseline is switch:
        return True
    if state.failures >= PATIENCE:
        context.give_up(f"the stack could not be read {PATIENCE} times in a row")
    elif state.now >= state.not_before:
        joining = switch is Switch.ON and state.plan.options.deploy_on is None
        context.ask(cmd.ReadBaseline(joining=joining))
    else:
        context.wake(state.not_before)
    return False


def _live(context: StepContext) -> None:
    advance_names(context)
    if context.state.phase in LIVE and at_rest(context):
        conclude(context)


_PHASES: dict[Phase, Callable[[StepContext], None]] = {
    Phase.BACKUP: _backup,
    Phase.LOWER_TTL: _lower_ttl,
    Phase.DRAIN: _drain,
    Phase.DEPLOY_OFF: _deploy_off,
    Phase.PROVE: _prove,
    Phase.PREPARE: prepare,
    Phase.DEPLOY_ON: _deploy_on,
    Phase.WATCH: _live,
    Phase.RELEASE: _live,
    Phase.CONFIRM: _live,
    Phase.GUARD: _live,
    Phase.RESTORE: _live,
    Phase.VERIFY: verify,
}
