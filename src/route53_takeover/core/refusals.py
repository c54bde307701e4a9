"""Why a plan is refused, and what it warns of: each with the way out.

Every check takes the facts and the plan that was made from them, and yields what is wrong, naming
what and where. Nothing here changes the plan; a check that cannot know does not guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.ownership import (
    owned_but_gone,
    refuse_drift,
    refuse_expected,
    refuse_owners,
    refuse_unclear,
    warn_owned,
    warn_owners,
)
from route53_takeover.core.plan import Finding
from route53_takeover.core.records import display_name
from route53_takeover.core.stacks import Kind, kind_of
from route53_takeover.core.zone_checks import (
    refuse_ambiguous_zone,
    refuse_delegation,
    refuse_dependants,
    warn_zone,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from route53_takeover.core.plan import Facts, Plan

CREDENTIAL_MARGIN = 15 * 60
"""Seconds that credentials must outlive the drain by."""
LONG_NEGATIVE_TTL = 60
"""Seconds above which the zone's negative TTL makes a short gap costly."""


def refusals(
    facts: Facts, plan: Plan, wanted: Sequence[tuple[str, str | None]]
) -> Iterator[Finding]:
    """Every reason not to carry the plan out; ``wanted``: name and type of what was asked for."""
    yield from refuse_ambiguous_zone(facts, plan)
    yield from _refuse_missing(facts, plan, wanted)
    yield from refuse_drift(facts, plan)
    yield from refuse_unclear(facts, plan)
    if plan.manuals:
        for check in _CHECKS:
            yield from check(facts, plan)


def warnings(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """What the user should know before saying yes."""
    yield from warn_owned(facts, plan)
    if plan.manuals:
        yield from _warn_bystanders(facts, plan)
        yield from warn_owners(facts, plan)
        yield from warn_zone(facts, plan)
        yield from _warn_waiting(facts, plan)


def _refuse_missing(
    facts: Facts, plan: Plan, wanted: Sequence[tuple[str, str | None]]
) -> Iterator[Finding]:
    found = [(key.name, key.type) for key in (*plan.keys, *(r.key for r in plan.owned))]
    for name, kind in wanted:
        if any(at == name and kind in (None, is_a) for at, is_a in found):
            continue
        gone = owned_but_gone(facts, name, kind)
        if gone is not None:
            yield gone
            continue
        here = [r.type for r in facts.zone_records if r.key.name == name]
        what = f"no {kind}" if kind else "no A, AAAA or CNAME"
        also = f"it holds {', '.join(here)} there" if here else "it holds nothing at that name"
        yield Finding(
            text=f"zone {display_name(facts.zone_name)} ({facts.zone_id}) has {what} record "
            f"{display_name(name)}: {also}.",
            hint=f"Check --record NAME/TYPE and --zone{_other_zones(facts, name)}; with no record "
            "in the way, just deploy.",
        )


def _other_zones(facts: Facts, name: str) -> str:
    others = [zone for zone in facts.other_zones if ("." + name).endswith("." + zone.name)]
    return f" ({', '.join(str(zone) for zone in others)} could hold it too)" if others else ""


def _refuse_kinds(facts: Facts, plan: Plan) -> Iterator[Finding]:
    for manual in plan.manuals:
        record = manual.original
        if record.traffic_policy_instance:
            yield Finding(
                text=f"{record.key} belongs to traffic policy instance "
                f"{record.traffic_policy_instance} and cannot be changed directly.",
                hint="Delete the traffic policy instance or replace it by a record first.",
            )
        elif record.is_routed:
            yield Finding(
                text=f"{record.key} has a routing policy; routed records are not handled yet.",
                hint="Only simple record sets can be taken over for now.",
            )
        elif record.type == "SOA" or (record.type == "NS" and record.key.name == facts.zone_name):
            yield Finding(
                text=f"{record.key} is the zone's own and cannot be handed over.",
                hint="Leave it out of --record.",
            )
        elif (
            record.alias is None
            and record.type in ("A", "AAAA")
            and not plan.options.strategy_given
        ):
            yield Finding(
                text=f"{record.key} is a plain {record.type} record: CloudFormation fails at once "
                "on it, without a moment to release it in.",
                hint="Turn it into an alias first; or say --strategy delete, which at worst costs "
                "a failed deploy and no gap.",
            )


def _refuse_stack(facts: Facts, plan: Plan) -> Iterator[Finding]:
    stack, options = facts.stack, plan.options
    watching_only = options.deploy_on is None
    kind = kind_of(stack.status)
    if kind is Kind.ABSENT:
        if watching_only or options.deploy_off is None or options.stack.startswith("arn:"):
            yield Finding(
                text=f"stack {options.stack} does not exist in {facts.region}.",
                hint="Check --stack and --region; or give --deploy without --skip-off, whose "
                "first deploy creates it.",
            )
    elif stack.status == "DELETE_COMPLETE":
        yield Finding(
            text=f"stack {stack.stack_name} was deleted: {stack.stack_id} will never change again.",
            hint="Give --stack by its name, which a new stack may bear.",
        )
    elif kind is Kind.FAILED or stack.status == "ROLLBACK_COMPLETE":
        yield Finding(
            text=f"stack {stack.stack_name} is {stack.status}: it cannot be updated.",
            hint="Repair it first (continue-update-rollback, or delete it), then run this again.",
        )
    elif kind in (Kind.GOING, Kind.CLEANING, Kind.TURNING_BACK) and not watching_only:
        yield Finding(
            text=f"stack {stack.stack_name} is {stack.status}: an operation is under way.",
            hint="Wait until it has ended; or join it with --no-deploy.",
        )


def _refuse_credentials(facts: Facts, plan: Plan) -> Iterator[Finding]:
    identity = facts.identity
    if identity.needs_mfa:
        yield Finding(
            text=f"the credentials of {identity.arn} would ask for an MFA code, and nobody is "
            "there to give it.",
            hint="Use a session that is already open: aws sts get-session-token, or another "
            "--profile.",
        )
    left, needed = _seconds_left(facts), plan.drain_seconds + CREDENTIAL_MARGIN
    if left is not None and left < needed:
        yield Finding(
            text=f"the credentials of {identity.arn} end in {left / 60:.0f} min and cannot renew "
            f"themselves; the drain and 15 min after it need {needed / 60:.0f} min.",
            hint="Get fresh ones (aws sso login, aws sts assume-role --duration-seconds)"
            + (", or use --no-drain." if plan.drain_seconds else "."),
        )


_CHECKS = (
    refuse_owners,
    refuse_expected,
    _refuse_kinds,
    refuse_delegation,
    refuse_dependants,
    _refuse_stack,
    _refuse_credentials,
)


def _warn_bystanders(facts: Facts, plan: Plan) -> Iterator[Finding]:
    if facts.given_stack:
        yield Finding(
            text=f"{facts.given_stack} is a nested stack: its root {facts.stack.stack_name} is "
            "watched."
        )
    for record in plan.staying:
        yield Finding(text=f"{record.describe()} stays as it is: it is not part of this takeover.")


def _warn_waiting(facts: Facts, plan: Plan) -> Iterator[Finding]:
    if plan.negative_ttl > LONG_NEGATIVE_TTL:
        yield Finding(
            text=f"the zone's negative TTL is {plan.negative_ttl} s: a resolver that asks during "
            "the gap remembers for so long that the name does not exist.",
            hint="Lower the SOA record's TTL to 5 s beforehand if you can.",
        )
    left = _seconds_left(facts)
    if left is not None and left < plan.options.deploy_timeout:
        yield Finding(
            text=f"the credentials end in {left / 60:.0f} min, before the deploy's time limit of "
            f"{plan.options.deploy_timeout / 60:.0f} min.",
            hint="If they expire half-way the run waits for fresh ones.",
        )
    yield Finding(
        text="put DeletionPolicy: Retain on the record in the template, so that no later mistake "
        "deletes it."
    )


def _seconds_left(facts: Facts) -> float | None:
    """How long the credentials last; ``None`` where they last or renew themselves."""
    identity = facts.identity
    if identity.expires is None or identity.renewable:
        return None
    return max(identity.expires - facts.now, 0.0)
