"""What makes Route 53 refuse a batch that would be valid: protections and change guardrails.

Pure, like `simulation.aws.route53.rules`, after which it is asked. AWS documents what each of them
refuses and that the message names the record, the guardrail and the protection's comment; the
wording itself is not public, so nothing may depend on it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from route53_takeover.core.domain.record_sets import RecordKey, RecordSet

Protections = dict[tuple[str, str], str]
"""Name in normal form and type -> comment."""

ALWAYS_ON = ("NS_DELEGATION_AUTHORITY_CHECK", "NS_FORMAT_CHECK")
OPTIONAL = (
    *("ACTIVE_DELEGATION_CHECK", "ACTIVE_RECORD_CHECK"),
    *("ALIAS_TARGET_CHECK", "NS_OCCLUSION_CHECK"),
)
_OURS = re.compile(r"ns-[0-9]+\.awsdns\.example\.")


def protection_messages(
    protections: Protections, changes: Sequence[tuple[str, RecordSet]]
) -> Iterator[str]:
    """One for each change of a record set whose name and type are protected."""
    for action, record in changes:
        comment = protections.get((record.name, record.type))
        if comment is not None:
            yield (
                f"RRSet of type {record.type} with DNS name {record.name} cannot be changed by "
                f"{action}: a resource record set protection exists for it"
                + (f" with the comment: {comment}" if comment else "")
            )


def guardrail_messages(
    on: Collection[str],
    zone_id: str,
    after: Mapping[RecordKey, RecordSet],
    changes: Sequence[tuple[str, RecordSet]],
    servers_of: Callable[[str], Collection[str]],
) -> Iterator[str]:
    """One for each record set and guardrail that is on and refuses the batch.

    Args:
        after: what the zone would hold.
        servers_of: the name servers that answer for a zone of this name.
    """
    left = {key[:2] for key in after}
    targets = {
        (record.alias.dns_name, record.type): record
        for record in after.values()
        if record.alias is not None and record.alias.zone_id == zone_id
    }
    for action, record in changes:
        at = (record.name, record.type)
        if action == "DELETE" and at not in left:
            if "ACTIVE_RECORD_CHECK" in on and record.type != "NS":
                yield _refused(record, "ACTIVE_RECORD_CHECK", "it still receives DNS queries")
            if "ACTIVE_DELEGATION_CHECK" in on and record.type == "NS":
                yield _refused(record, "ACTIVE_DELEGATION_CHECK", "resolvers are referred to it")
            if "ALIAS_TARGET_CHECK" in on and at in targets:
                alias = targets[at].name
                yield _refused(record, "ALIAS_TARGET_CHECK", f"the alias {alias} points to it")
        if action != "DELETE" and record.type == "NS":
            yield from _delegation_messages(on, after, record, servers_of)


def _delegation_messages(
    on: Collection[str],
    after: Mapping[RecordKey, RecordSet],
    record: RecordSet,
    servers_of: Callable[[str], Collection[str]],
) -> Iterator[str]:
    looks_like = [value for value in record.values if "awsdns" in value]
    wrong = [value for value in looks_like if not _OURS.fullmatch(value)]
    if wrong:
        yield _refused(record, "NS_FORMAT_CHECK", f"{wrong[0]} is no Route 53 name server")
    elif looks_like and not set(looks_like) <= set(servers_of(record.name)):
        why = f"{looks_like[0]} does not host {record.name}"
        yield _refused(record, "NS_DELEGATION_AUTHORITY_CHECK", why)
    below = [key.name for key in after if key.name.endswith("." + record.name)]
    if "NS_OCCLUSION_CHECK" in on and below:
        yield _refused(record, "NS_OCCLUSION_CHECK", f"it would hide {below[0]}")


def _refused(record: RecordSet, guardrail: str, why: str) -> str:
    return (
        f"RRSet of type {record.type} with DNS name {record.name} was rejected by the change "
        f"guardrail {guardrail}: {why}"
    )
