"""The phase ``prepare``: what the strategies do right before the deploy with the switch on.

``adopt`` and ``weighted`` change the record in one batch; ``bridge`` creates helper records, waits
until every name server answers with them, and then deletes the record, which is never missed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.record_sets import Change, display_name
from route53_takeover.core.plan.model import Strategy
from route53_takeover.core.takeover import commands as cmd
from route53_takeover.core.takeover.bridge_gate import bridge_gate, has_failed, has_unread_news
from route53_takeover.core.takeover.cloud_deadman import start_before_release, tend_deadmen
from route53_takeover.core.takeover.early_writes import may_write, write_where_unchanged
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.freshness import is_fresh
from route53_takeover.core.takeover.helper_queries import (
    denying_servers,
    helper_of,
    is_covered,
    is_serving,
    is_synced,
    may_serve,
)
from route53_takeover.core.takeover.name_state import HelperStatus
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.release_gate import Condition
from route53_takeover.core.takeover.step_context import ask_template, look
from route53_takeover.core.timing import (
    DESCRIBE_AGAIN,
    HELPER_PATIENCE,
    INSYNC_PATIENCE,
    WRITE_FRESH,
)

if TYPE_CHECKING:
    from route53_takeover.core.takeover.name_state import HelperState, NameState, WrittenName
    from route53_takeover.core.takeover.step_context import StepContext


def prepare(context: StepContext) -> None:
    """Does what is due for each name; moves on once all of them are prepared."""
    watch_bridges(context)
    tend_deadmen(context)
    _give_up_in_time(context)
    state = context.state
    converted = [_is_converted(context, state.names[name]) for name in state.names]
    built = [
        _is_built(context, helper)
        for helper in state.helpers.values()
        if any(_is_bridged(context, name) for name in helper.covers)
    ]
    released = [
        _is_released(context, state.names[name])
        for name in state.names
        if _is_bridged(context, name)
    ]
    if all(converted + built + released) and not context.state.given_up:
        context.move(Phase.DEPLOY_ON)


def _give_up_in_time(context: StepContext) -> None:
    """A release that is not confirmed is not waited for without end."""
    until = context.state.phase_since + context.state.plan.options.deploy_timeout
    context.wake(until)
    if context.state.now >= until:
        context.give_up("the record could not be prepared within --deploy-timeout")


def watch_bridges(context: StepContext) -> None:
    """Gives up, while nothing is deployed, as soon as a helper does not answer for its name."""
    for name in context.state.names.values():
        if not (_is_bridged(context, name.name) and name.is_absent) or name.write is not None:
            continue
        if not is_covered(context.state, name):
            context.give_up(_uncovered(context, name))


def build_under(context: StepContext, name: NameState) -> None:
    """Creates the helper of a record that CloudFormation retries on, and waits until it answers."""
    helper = helper_of(context.state, name.name)
    if helper is None or not may_serve(context.state, helper):
        return
    if helper.stage is HelperStatus.STANDING:
        await_insync(context, helper)
        context.wake(helper.created_at + HELPER_PATIENCE)
    elif (
        helper.write is not None
        or helper.read is None
        or not is_fresh(
            context.state, began=helper.read.began, told=helper.read.told, within=WRITE_FRESH
        )
    ):
        context.read(helper, every=1.0)
    elif context.state.now < helper.not_before:
        context.wake(helper.not_before)
    else:
        changes = tuple(Change.create(record) for record in helper.records)
        context.write(helper, Purpose.BRIDGE, changes)


def await_insync(context: StepContext, name: WrittenName) -> bool:
    """Whether every name server has the last change of the name; asks for it."""
    if is_synced(context.state, name):
        return True
    context.wake(name.wrote_at + INSYNC_PATIENCE)
    if name.unsynced is not None:
        context.ask(cmd.AwaitInsync(name=name.name, change_id=name.unsynced))
    elif name.synced_at is not None:
        context.wake(name.synced_at)
    return False


def _is_bridged(context: StepContext, name: str) -> bool:
    return any(
        m.strategy is Strategy.BRIDGE for m in context.state.plan.manuals if m.key.name == name
    )


def _is_converted(context: StepContext, name: NameState) -> bool:
    """Whether each record set is as it is to stand in the deploy; changes what is not."""
    prepared = {m.original: m.prepared for m in context.state.plan.manuals if m.prepared}
    changes: list[Change] = []
    for handover in name.handovers:
        target = prepared.get(handover.original)
        if target is not None and not handover.standing.same_as(target):
            changes += [Change.delete(handover.standing), Change.create(target)]
    if changes:
        write_where_unchanged(context, name, Purpose.PREPARE, tuple(changes))
    return not changes


def _is_built(context: StepContext, helper: HelperState) -> bool:
    """Whether the helper records answer on every name server; creates them first."""
    state, shown = context.state, display_name(helper.name)
    match helper.stage:
        case HelperStatus.STANDING if is_serving(state, helper):
            context.read(helper, every=1.0)
            return True
        case HelperStatus.STANDING:
            await_insync(context, helper)
            until = helper.created_at + HELPER_PATIENCE
            context.wake(until)
            if state.now >= until and is_synced(state, helper):
                context.give_up(f"not every name server answers with {shown}")
        case HelperStatus.PLANNED:
            if may_write(context, helper):
                changes = tuple(Change.create(record) for record in helper.records)
                context.write(context.state.helpers[helper.name], Purpose.BRIDGE, changes)
        case _:
            context.give_up(f"another writer changed {shown}")
    return False


def _is_released(context: StepContext, name: NameState) -> bool:
    """Whether the record is deleted, and every name server answers with the helper's."""
    if name.is_absent and name.write is None:
        return await_insync(context, name)
    gate = bridge_gate(context.state, name)
    if gate.is_open:
        changes = tuple(Change.delete(record) for record in gate.deletes)
        context.write(name, Purpose.RELEASE, changes)
    elif Condition.BRIDGED not in gate.unmet and may_write(context, name):
        start_before_release(
            context, name, unmet=gate.unmet, held_at=context.state.now, records=gate.deletes
        )
        name = context.state.names[name.name]
        context.read(name, every=1.0)
        look(context, every=DESCRIBE_AGAIN)
        if has_failed(context.state) and context.state.described is not None:
            context.give_up(f"another deploy left the stack {context.state.described.status}")
        for stack in context.state.stacks.values():
            if has_unread_news(context.state.plan, stack):
                ask_template(context, stack)
    return False


def _uncovered(context: StepContext, name: NameState) -> str:
    """Why a name that its helper should answer for may have no answer."""
    helper = helper_of(context.state, name.name)
    if denying := denying_servers(context.state, name):
        return f"{', '.join(denying)} had no answer for {display_name(name.name)}"
    if helper is None:
        return f"another writer deleted {display_name(name.name)}"
    return f"another writer changed {display_name(helper.name)}"
