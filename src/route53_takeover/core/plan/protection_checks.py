"""What Route 53 itself would refuse of a takeover, or lose: protections, guardrails, unknown parts.

Each check takes the facts and the plan and yields findings; nothing here changes the plan.
"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from route53_takeover.core.domain.names import display_name, shown_name
from route53_takeover.core.domain.protections import Guardrail
from route53_takeover.core.plan.model import ADDRESSING, Finding
from route53_takeover.core.plan.ownership import expected_types
from route53_takeover.core.plan.zone_checks import dependants

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.domain.protections import Protection
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.facts import Facts
    from route53_takeover.core.plan.model import Plan


def refuse_protected(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """A protection keeps the record from being released, or the new one from being created."""
    for protection in facts.protections:
        if protection.name not in plan.names:
            continue
        released = {key.type for key in plan.keys if key.name == protection.name}
        coming = expected_types(facts, protection.name)
        if protection.type in released:
            what = "the record cannot be changed or released"
        elif protection.type in (coming or ADDRESSING):
            what = "CloudFormation could not create its record once the other is released"
        else:
            continue
        yield Finding(
            text=f"a record set protection covers {protection}: while it exists, Route 53 refuses "
            f"every change of that name and type, so {what}.",
            hint=f"Delete it for the takeover: {_protections_line('delete', facts, protection)}; "
            f"then run this again, and create it anew at the end: "
            f"{_protections_line('create', facts, protection)}",
        )


def _protections_line(verb: str, facts: Facts, protection: Protection) -> str:
    of = {"RecordName": display_name(protection.name), "RecordType": protection.type}
    if verb == "create" and protection.comment:
        of["Comment"] = protection.comment
    words = ["aws", "route53", f"{verb}-resource-record-set-protections"]
    words += ["--hosted-zone-id", facts.zone_id, "--protections", json.dumps([of])]
    return shlex.join(words)


def refuse_guarded(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """A change guardrail of the zone refuses the release."""
    records = [manual.original for manual in plan.manuals]
    if Guardrail.ACTIVE_RECORD in facts.guardrails:
        alone = [r for r in records if r.type != "NS" and not _has_siblings(facts, plan, r)]
        if alone:
            yield _guarded(
                facts,
                Guardrail.ACTIVE_RECORD,
                f"which refuses to delete a record that still receives queries: "
                f"{_named(alone)} could not be released",
            )
    if Guardrail.ACTIVE_DELEGATION in facts.guardrails:
        delegations = [record for record in records if record.type == "NS"]
        if delegations:
            yield _guarded(
                facts,
                Guardrail.ACTIVE_DELEGATION,
                "which refuses to delete NS records while resolvers are referred to them: "
                f"{_named(delegations)} could not be released",
            )
    if Guardrail.ALIAS_TARGET in facts.guardrails:
        aliases = dependants(facts, plan.keys)
        if aliases:
            yield _guarded(
                facts,
                Guardrail.ALIAS_TARGET,
                f"which refuses to delete what an alias points to: {_named(aliases)}",
            )


def _guarded(facts: Facts, guardrail: Guardrail, why: str) -> Finding:
    words = ["aws", "route53", "update-hosted-zone-features", "--hosted-zone-id", facts.zone_id]
    words += ["--change-guardrails", f"Name={guardrail},Status="]
    line = shlex.join(words)
    return Finding(
        text=f"zone {shown_name(facts.zone_name)} has the change guardrail {guardrail}, {why}.",
        hint=f"Turn it off for the takeover: {line}DISABLED; then run this again, and turn it on "
        f"at the end: {line}ENABLED",
    )


def _has_siblings(facts: Facts, plan: Plan, record: RecordSet) -> bool:
    """Whether another record set of its name and type stays when it is released."""
    return any(
        other.key[:2] == record.key[:2] and other.key not in plan.keys
        for other in facts.zone_records
    )


def refuse_unknown_members(_: Facts, plan: Plan) -> Iterator[Finding]:
    """A part of the record that this version does not know could be lost on the way."""
    for record in (manual.original for manual in plan.manuals):
        if record.unknown_members:
            yield Finding(
                text=f"{record.key} has {', '.join(record.unknown_members)}, which this version "
                "does not know: it could not restore the record as it was.",
                hint="Install a newer version of this program, or remove that setting from the "
                "record first.",
            )


def warn_protections(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """What of it could not be read, and what may keep a record from being restored."""
    if facts.protections_unread:
        yield Finding(
            text="whether record set protections cover these names is unknown: "
            f"{facts.protections_unread}.",
            hint="Allow route53:ListResourceRecordSetProtections on the zone. Without it the first "
            "batch that a protection refuses says so: of the type that is released nothing is "
            "lost by that, of the type that the stack creates it costs a gap.",
        )
    delegations = [m.original for m in plan.manuals if m.original.type == "NS"]
    checks = [name for name in facts.guardrails if name in _OF_DELEGATIONS]
    if delegations and checks:
        yield Finding(
            text=f"zone {shown_name(facts.zone_name)} checks NS records when they are created "
            f"({', '.join(checks)}): {_named(delegations)} can only be put back while its name "
            "servers host the name and it hides no other record.",
            hint="The proof before the deploy shows whether it can; change nothing of the "
            "delegated zone until the takeover has ended.",
        )
    unknown = [name for name in facts.guardrails if name not in list(Guardrail)]
    if unknown:
        yield Finding(
            text=f"zone {shown_name(facts.zone_name)} has change guardrails that this version does "
            f"not know: {', '.join(unknown)}."
        )


_OF_DELEGATIONS = (
    Guardrail.NS_DELEGATION_AUTHORITY,
    Guardrail.NS_FORMAT,
    Guardrail.NS_OCCLUSION,
)


def _named(records: list[RecordSet]) -> str:
    return ", ".join(str(record.key) for record in records)
