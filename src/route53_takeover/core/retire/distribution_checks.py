"""CloudFront: distributions that the tree has, and those outside that ask it or use parts of it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from route53_takeover.core.domain.distribution_configs import behaviors_on, origins
from route53_takeover.core.retire import model as kinds
from route53_takeover.core.retire.hosts import tell_its_host
from route53_takeover.core.retire.model import Break, Findings
from route53_takeover.core.retire.name_lookup import Reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.domain.distributions import Distribution
    from route53_takeover.core.retire.facts import RetireFacts, TreeResource
    from route53_takeover.core.retire.hosts import Hosts
    from route53_takeover.core.retire.name_lookup import Lookup

_PARTS = frozenset(
    {
        kinds.CERTIFICATE,
        "AWS::CloudFront::CachePolicy",
        "AWS::CloudFront::CloudFrontOriginAccessIdentity",
        "AWS::CloudFront::Function",
        "AWS::CloudFront::KeyGroup",
        "AWS::CloudFront::OriginAccessControl",
        "AWS::CloudFront::OriginRequestPolicy",
        "AWS::CloudFront::ResponseHeadersPolicy",
        "AWS::Lambda::Version",
        "AWS::WAFv2::WebACL",
    }
)
"""What a distribution refers to by the physical id, and what cannot be deleted meanwhile."""


def check_distributions(facts: RetireFacts, hosts: Hosts, lookup: Lookup) -> Findings:
    """What of CloudFront would break."""
    owned = {each.physical_id: each for each in facts.of_type(kinds.DISTRIBUTION)}
    breaks: list[Break] = []
    notes: list[str] = []
    for each in facts.distributions:
        owner = owned.get(each.distribution_id)
        if owner is not None and owner.is_doomed:
            breaks += _goes(each, owner, lookup, notes)
            continue
        breaks += _asks_the_tree(each, hosts, notes)
        breaks += _uses_parts(each, facts)
    return Findings(breaks=tuple(breaks), notes=tuple(notes))


def _goes(
    each: Distribution, owner: TreeResource, lookup: Lookup, notes: list[str]
) -> Iterator[Break]:
    """A distribution of the tree: its aliases are what users know."""
    if not _is_enabled(each):
        notes.append(f"The distribution {each.distribution_id} goes; it is disabled.")
        return
    retain = (
        f"add DeletionPolicy: Retain to {owner.logical_id} in the template of "
        f"{owner.stack_name}, deploy that, and run this again."
    )
    for alias in each.aliases:
        reached, how = lookup.reach(alias, [each.domain_name])
        if reached is Reach.NO:
            notes.append(f"{alias} of the distribution {each.distribution_id} goes; {how}.")
            continue
        known = reached is Reach.YES
        yield Break(
            what="distribution of the stack",
            id=f"{each.distribution_id} ({alias})",
            why=f"Users reach it by the record {how}, and it goes with the stack."
            if known
            else f"It goes, and whether users reach it as {alias} cannot be told: {how}.",
            way_out=f"Let {alias} lead to the new distribution first; or {retain}"
            if known
            else f"If {alias} leads elsewhere, remove it from the distribution; otherwise {retain}",
        )
    if not each.aliases:
        notes.append(
            f"The distribution {each.distribution_id} goes; whether anyone asks "
            f"{each.domain_name} itself cannot be told."
        )


def _asks_the_tree(each: Distribution, hosts: Hosts, notes: list[str]) -> Iterator[Break]:
    for origin_id, origin in origins(each.config).items():
        host = str(origin.get("DomainName", ""))
        owner, possible = hosts.owner(host), hosts.possible_owner(host)
        if owner is None and possible is None:
            continue
        where = f"{each.distribution_id} origin {origin_id}"
        is_used = bool(behaviors_on(each.config, origin_id))
        if not _is_enabled(each) or not is_used:
            state = "is disabled" if is_used else "does not use it"
            notes.append(f"{where} leads into the stack; the distribution {state}.")
            continue
        line = (
            f"route53-takeover switch --distribution {each.distribution_id} --origin "
            f"{shlex.quote(origin_id)} --to-stack NEW_STACK"
        )
        yield Break(
            what="origin of a distribution",
            id=f"{where} ({', '.join(each.aliases) or each.domain_name})",
            why=f"It asks {host}, which is {owner} and goes: users get errors."
            if possible is None
            else f"It asks {host}, and no output of the stack tells the host of {possible}, so "
            "whether that is it cannot be told.",
            way_out=line if possible is None else tell_its_host(possible),
        )


def _uses_parts(each: Distribution, facts: RetireFacts) -> Iterator[Break]:
    """Certificates, policies and functions of the tree that a distribution outside uses."""
    texts = {word for text in _texts(each.config) for word in (text, *text.split("/"))}
    for part in facts.resources:
        if part.type in _PARTS and part.is_doomed and _named(part) in texts:
            what = (
                "certificate" if part.type == kinds.CERTIFICATE else part.type.rpartition("::")[2]
            )
            yield Break(
                what=f"{what} in use",
                id=part.physical_id,
                why=f"The distribution {each.distribution_id} uses {part}: AWS deletes nothing "
                "that is in use, so the delete fails half way.",
                way_out=f"Add DeletionPolicy: Retain to {part.logical_id} in the template of "
                f"{part.stack_name}, deploy that, and run this again; or let the distribution use "
                "another one.",
            )


def _named(part: TreeResource) -> str:
    """What a config calls it by: of a firewall's ``NAME|ID|SCOPE``, the id, which its ARN has."""
    return part.physical_id.split("|")[1] if "|" in part.physical_id else part.physical_id


def _is_enabled(each: Distribution) -> bool:
    return each.config.get("Enabled", True) is not False


def _texts(node: Any) -> Iterator[str]:  # noqa: ANN401 -- JSON
    """Every text in a config."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _texts(value)
