"""The checks of a plan: refusals and warnings, each with the way out.

Every check takes the facts and the plan made from them, and yields findings that name the object
and the place. Nothing here changes the plan; a check without the facts does not guess.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.names import shown_name
from route53_takeover.core.domain.record_sets import conflict, display_name
from route53_takeover.core.domain.stacks import UPDATABLE_FAILURES, StackPhase, kind_of
from route53_takeover.core.plan.group_checks import refuse_groups, warn_groups
from route53_takeover.core.plan.jets.checks import refuse_jets, warn_jets
from route53_takeover.core.plan.model import ADDRESSING, Finding, Strategy
from route53_takeover.core.plan.ownership import (
    expected_types,
    owned_but_gone,
    refuse_drift,
    refuse_owners,
    refuse_unclear,
    warn_owned,
    warn_owners,
)
from route53_takeover.core.plan.pending_checks import (
    is_never_replaced,
    refuse_nothing,
    refuse_pending,
    warn_pending,
)
from route53_takeover.core.plan.protection_checks import (
    refuse_guarded,
    refuse_protected,
    refuse_unknown_members,
    warn_protections,
)
from route53_takeover.core.plan.routing_checks import (
    needs_no_takeover,
    refuse_routing,
    warn_routing,
)
from route53_takeover.core.plan.soa_checks import refuse_negative_ttl, warn_negative_ttl
from route53_takeover.core.plan.strategies.selection import assess, refuse_strategy
from route53_takeover.core.plan.timing_checks import warn_times
from route53_takeover.core.plan.zone_checks import (
    is_of_the_zone,
    refuse_ambiguous_zone,
    refuse_delegation,
    refuse_dependants,
    warn_zone,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from route53_takeover.core.domain.stacks import StackDescription
    from route53_takeover.core.plan.facts import Facts, UnfinishedRun
    from route53_takeover.core.plan.model import Plan

CREDENTIAL_MARGIN = 15 * 60
"""Seconds that credentials must outlive the drain by."""


def refusals(
    facts: Facts, plan: Plan, wanted: Sequence[tuple[str, str | None]]
) -> Iterator[Finding]:
    """Every reason to refuse the plan; ``wanted``: the requested names and types."""
    yield from refuse_ambiguous_zone(facts, plan)
    if not wanted:
        yield from refuse_nothing(facts)
    yield from _refuse_missing(facts, plan, wanted)
    yield from _refuse_unfinished(facts, plan)
    yield from refuse_drift(facts, plan)
    yield from refuse_unclear(facts, plan)
    if plan.manuals:
        for check in _CHECKS:
            yield from check(facts, plan)


def warnings(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """What the user should know before starting the run.

    Nothing of a record that no run would take over, and that the plan is refused for.
    """
    taken = [m for m in plan.manuals if not is_never_replaced(facts, m.original)]
    plan = replace(plan, manuals=tuple(taken))
    yield from warn_owned(facts, plan)
    yield from warn_pending(facts, plan)
    if plan.manuals:
        yield from _warn_bystanders(facts, plan)
        yield from warn_owners(facts, plan)
        yield from warn_groups(facts, plan)
        yield from warn_routing(plan)
        yield from warn_zone(facts, plan)
        yield from warn_protections(facts, plan)
        yield from _warn_stack(facts, plan)
        yield from warn_jets(facts, plan)
        yield from warn_times(plan)
        yield from _warn_waiting(facts, plan)


def _refuse_missing(
    facts: Facts, plan: Plan, wanted: Sequence[tuple[str, str | None]]
) -> Iterator[Finding]:
    found = [(key.name, key.type) for key in (*plan.keys, *(r.key for r in plan.owned))]
    for name, kind in wanted:
        if any(at == name and kind in (None, is_a) for at, is_a in found):
            continue
        left = next((u for u in facts.unfinished if u.original.key.name == name), None)
        if left is not None and kind in (None, left.original.type):
            text = (
                f"{left.original.key} does not exist: run {left.run} may have deleted it and has "
            )
            yield _left_by(left, f"{text}not restored it.")
            continue
        told = needs_no_takeover(facts, name, kind) or owned_but_gone(facts, name, kind)
        if told is not None:
            yield told
            continue
        here = dict.fromkeys(r.type for r in facts.zone_records if r.key.name == name)
        what = f"no {kind}" if kind else f"no {', '.join(ADDRESSING[:-1])} or {ADDRESSING[-1]}"
        also = f"it has {', '.join(here)} there" if here else "it has no record of that name"
        yield Finding(
            text=f"zone {shown_name(facts.zone_name)} ({facts.zone_id}) has {what} record "
            f"{shown_name(name)}: {also}.",
            hint=f"Check --record NAME/TYPE and --zone{_other_zones(facts, name)}; if no "
            "record blocks the stack's, just deploy.",
        )


def _refuse_unfinished(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """A record that an earlier run changed: a backup of it would lose the old TTL."""
    for manual in plan.manuals:
        for left in facts.unfinished:
            if left.original.key == manual.key:
                yield _left_by(
                    left,
                    f"{manual.key} has the TTL of {manual.original.ttl} s that run {left.run} "
                    f"lowered from {left.original.ttl} s and has not restored.",
                )


def _left_by(left: UnfinishedRun, text: str) -> Finding:
    if left.is_alive:
        return Finding(text=text, hint=f"That run is still active: `{left.attach}`.")
    return Finding(
        text=text,
        hint=f"Resume it (`{left.resume}`) or restore the record (`{left.restore}`); then run this "
        "again.",
    )


def _other_zones(facts: Facts, name: str) -> str:
    others = [zone for zone in facts.other_zones if ("." + name).endswith("." + zone.name)]
    return f" ({', '.join(str(zone) for zone in others)} could have it too)" if others else ""


def _refuse_kinds(facts: Facts, plan: Plan) -> Iterator[Finding]:
    for manual in plan.manuals:
        record = manual.original
        if record.traffic_policy_instance:
            yield Finding(
                text=f"{record.key} belongs to traffic policy instance "
                f"{record.traffic_policy_instance} and cannot be changed directly.",
                hint="Delete the traffic policy instance or replace it by a record first.",
            )
        elif is_of_the_zone(facts, record):
            yield Finding(
                text=f"{record.key} belongs to the zone itself and cannot be taken over.",
                hint="Leave it out of --record.",
            )
        elif (
            manual.strategy is Strategy.DELETE
            and record.alias is None
            and record.type in ("A", "AAAA")
            and not plan.options.strategy_given
        ):
            bridge = assess(facts, plan, Strategy.BRIDGE)[manual.key.name]
            way_out = (
                "Use --strategy bridge, which has no gap"
                if bridge.is_possible
                else f"Turn it into an alias first (--strategy bridge is not possible: "
                f"{bridge.reason.removesuffix('.')})"
            )
            yield Finding(
                text=f"{record.key} is a plain {record.type} record: CloudFormation fails on it "
                "at once instead of retrying, so the record cannot be released in time.",
                hint=f"{way_out}; or use --strategy delete: at worst the deploy fails, without a "
                "gap.",
            )


def _refuse_stack(facts: Facts, plan: Plan) -> Iterator[Finding]:
    stack, options = facts.stack, plan.options
    watching_only = options.deploy_on is None
    kind = kind_of(stack.status)
    if kind is StackPhase.ABSENT:
        if watching_only or options.deploy_off is None or options.stack.startswith("arn:"):
            yield _stack_is_absent(facts, plan)
    elif stack.status == "DELETE_COMPLETE":
        yield Finding(
            text=f"stack {stack.stack_name} was deleted; {stack.stack_id} cannot be updated.",
            hint="Give --stack as a name; a new stack may have the same one.",
        )
    elif stack.status in UPDATABLE_FAILURES:
        return  # a warning: CloudFormation continues from there
    elif kind is StackPhase.FAILED or stack.status in _WAYS_OUT:
        name = shlex.quote(stack.stack_name)
        yield Finding(
            text=f"stack {stack.stack_name} is {stack.status}: it cannot be updated.",
            hint=f"{stack_way_out(stack) or _ANY_WAY_OUT.format(name=name)} Why it failed: "
            f"route53-takeover diagnose --stack {name}",
        )
    elif (
        kind in (StackPhase.FORWARD, StackPhase.CLEANING, StackPhase.ROLLING_BACK)
        and not watching_only
    ):
        yield Finding(
            text=f"stack {stack.stack_name} is {stack.status}: an operation is in progress.",
            hint="Wait until it has ended, or use --no-deploy to act on that operation.",
        )


_DELETE = "aws cloudformation delete-stack --stack-name {name}"
_WAYS_OUT = {
    "ROLLBACK_COMPLETE": f"Its creation failed, and it can only be deleted: {_DELETE}; then run "
    "this again: the first deploy creates it.",
    "UPDATE_ROLLBACK_FAILED": "Fix the cause shown in its events, then continue the rollback: aws "
    "cloudformation continue-update-rollback --stack-name {name}; then run this again.",
    "ROLLBACK_FAILED": f"Its creation and the rollback failed: {_DELETE}; then run this again: "
    "the first deploy creates it.",
    "DELETE_FAILED": f"Finish its deletion: {_DELETE} (--retain-resources LOGICAL_ID skips what "
    "cannot be deleted); then run this again: the first deploy creates the stack.",
}


def stack_way_out(stack: StackDescription) -> str:
    """How a stack that cannot be updated is brought out of its status; empty for any other."""
    return _WAYS_OUT.get(stack.status, "").format(name=shlex.quote(stack.stack_name))


_ANY_WAY_OUT = (
    "See aws cloudformation describe-stack-events --stack-name {name}; once its status is "
    "*_COMPLETE, run this again."
)


def _stack_is_absent(facts: Facts, plan: Plan) -> Finding:
    """The finding for a stack that was never deployed and that no deploy of the run creates."""
    if facts.stack.status == "REVIEW_IN_PROGRESS":
        return Finding(
            text=f"stack {facts.stack.stack_name} is REVIEW_IN_PROGRESS: it was never deployed "
            "and has only a change set.",
            hint="Execute that change set or delete it; or use --deploy without --skip-off: the "
            "first deploy creates the stack.",
        )
    return Finding(
        text=f"stack {plan.options.stack} does not exist in {facts.region}.",
        hint=f"{_did_you_mean(facts)}Check --stack and --region; or use --deploy without "
        "--skip-off: the first deploy creates the stack.",
    )


def _did_you_mean(facts: Facts) -> str:
    return f"Did you mean {' or '.join(facts.near_stacks)}? " if facts.near_stacks else ""


def _refuse_deploy(facts: Facts, plan: Plan) -> Iterator[Finding]:
    for program in facts.missing_programs:
        commands = (plan.options.deploy_off, plan.options.deploy_on)
        command = next(c for c in commands if c and program in c.split())
        looked = f"in {facts.cwd}" if "/" in program else "on PATH"
        yield Finding(
            text=f"the deploy command `{command}` cannot be run: program {program} not found "
            f"{looked}.",
            hint="Fix --deploy, or the current folder or PATH.",
        )


def _refuse_credentials(facts: Facts, plan: Plan) -> Iterator[Finding]:
    identity = facts.identity
    if identity.needs_mfa:
        yield Finding(
            text=f"the credentials of {identity.arn} need an MFA code, which the run cannot enter.",
            hint="Use an open session (aws sts get-session-token) or another --profile.",
        )
    left, needed = _seconds_left(facts), plan.drain_seconds + CREDENTIAL_MARGIN
    if left is not None and left < needed:
        yield Finding(
            text=f"the credentials of {identity.arn} expire in {left / 60:.0f} min and cannot be "
            f"renewed automatically; the TTL wait plus 15 min needs {needed / 60:.0f} min.",
            hint="Get new ones (aws sso login, aws sts assume-role --duration-seconds)"
            + (", or use --no-drain." if plan.drain_seconds else "."),
        )


_CHECKS = (
    refuse_owners,
    refuse_groups,
    refuse_routing,
    refuse_pending,
    _refuse_kinds,
    refuse_strategy,
    refuse_unknown_members,
    refuse_protected,
    refuse_guarded,
    refuse_delegation,
    refuse_dependants,
    _refuse_stack,
    refuse_jets,
    refuse_negative_ttl,
    _refuse_deploy,
    _refuse_credentials,
)


def _warn_bystanders(facts: Facts, plan: Plan) -> Iterator[Finding]:
    if facts.given_stack:
        yield Finding(
            text=f"{facts.given_stack} is a nested stack: the run watches its root "
            f"{facts.stack.stack_name}."
        )
    for record in plan.staying:
        coming = expected_types(facts, record.key.name)
        if record.is_routed and record.type in coming:
            yield Finding(text=f"{record.describe()} is another member, and is not changed.")
        elif coming and record.type in ADDRESSING:
            yield Finding(
                text=f"{record.describe()} is not changed: the stack's template has no "
                f"{record.type} of this name. It keeps its value.",
                hint=f"If your deploy adds one, use --record {display_name(record.key.name)}"
                f"/{record.type} too; otherwise delete it yourself when it is no longer needed.",
            )
        else:
            yield Finding(
                text=f"{record.describe()} is not part of this takeover and is not changed."
            )


def _warn_stack(facts: Facts, plan: Plan) -> Iterator[Finding]:
    if kind_of(facts.stack.status) is StackPhase.ABSENT and facts.near_stacks:
        yield Finding(
            text=f"stack {plan.options.stack} does not exist: the first deploy has to create it.",
            hint=f"{_did_you_mean(facts)}Then correct --stack.",
        )
    if facts.stack.status in UPDATABLE_FAILURES:
        yield Finding(
            text=f"stack {facts.stack.stack_name} is {facts.stack.status}: its last operation "
            "failed with rollback disabled; the next deploy continues from there.",
            hint="Find out why it failed first: the deploys of this run may fail for the same "
            "reason.",
        )


def _warn_waiting(facts: Facts, plan: Plan) -> Iterator[Finding]:
    yield from warn_negative_ttl(plan)
    left = _seconds_left(facts)
    if left is not None and left < plan.options.deploy_timeout:
        yield Finding(
            text=f"the credentials expire in {left / 60:.0f} min, before --deploy-timeout "
            f"{plan.options.deploy_timeout / 60:.0f} min.",
            hint="If they expire during the run, it waits for new ones.",
        )
    grouped = [
        each.record.desired
        for each in facts.pending.records
        if each.record.group and each.retained and each.record.desired is not None
    ]
    bare = [
        m.key
        for m in plan.manuals
        if not any(conflict(each.record, m.original) for each in (*facts.retained, *grouped))
    ]
    if bare:
        yield Finding(
            text=f"put DeletionPolicy: Retain on {', '.join(map(str, bare))} in the template "
            "to protect it from a later deploy."
        )


def _seconds_left(facts: Facts) -> float | None:
    """How long the credentials are valid; ``None`` where they do not expire or are renewed."""
    identity = facts.identity
    if identity.expires is None or identity.renewable:
        return None
    return max(identity.expires - facts.now, 0.0)
