"""The switch of a custom domain's mappings: which of them, what stands in the way, what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from route53_takeover.core.domain.api_mappings import (
    ROOT_PATH,
    ApiKind,
    EndpointType,
    RoutingMode,
)
from route53_takeover.core.plan.model import Finding
from route53_takeover.core.switch.model import Difference, MappingSwap, SecretRule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from route53_takeover.core.domain.api_mappings import (
        ApiDescription,
        ApiMapping,
        ApiTarget,
        CustomDomain,
    )
    from route53_takeover.core.switch.facts import SwitchFacts

_HEAVY = ("resource policy", "authorizer", "WAF", "usage plan", "API key")
"""Beginnings of the names of settings that decide who may call an API."""
RULE_HEADER = "x-takeover-test"
"""The header of requests that a `SecretRule` leads to green."""
_LAST_PRIORITY = 1_000_000
_NO_ENDPOINT = "execute-api endpoint"


class Chosen(NamedTuple):
    """The mappings to switch, and why some are not or none can be."""

    mappings: tuple[ApiMapping, ...]
    refusals: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


def chosen_mappings(facts: SwitchFacts) -> Chosen:
    """The mappings that lead to blue: the one of ``--base-path``, or all that share its API."""
    asked = facts.options.base_path
    shown = ", ".join(map(_shown, facts.mappings)) or "none"
    if asked is not None:
        wanted = asked.strip("/").removeprefix("(none)")
        found = tuple(m for m in facts.mappings if m.base_path == wanted)
        if found:
            return Chosen(found)
        name = facts.domain.name if facts.domain is not None else ""
        return Chosen(
            (),
            (
                Finding(
                    text=f"{name} has no mapping for the base path {asked!r}.",
                    hint=f"It has: {shown}.",
                ),
            ),
        )
    if not facts.mappings:
        return Chosen(
            (),
            (
                Finding(
                    text="The domain has no mapping: there is nothing to switch.",
                    hint="Create the mapping to blue first, or check --domain.",
                ),
            ),
        )
    blue = _blue(facts.mappings)
    if blue is None:
        return Chosen(
            (),
            (
                Finding(
                    text=f"The mappings lead to several APIs, and none is for the root: {shown}.",
                    hint="Say which with --base-path.",
                ),
            ),
        )
    chosen = tuple(m for m in facts.mappings if m.target.api_id == blue)
    others = [m for m in facts.mappings if m.target.api_id != blue]
    stages = {m.target.stage for m in chosen}
    if len(stages) > 1:
        return Chosen(
            (),
            (
                Finding(
                    text="The mappings of blue lead to several stages: "
                    f"{', '.join(sorted(stages))}.",
                    hint="Switch them one by one, with --base-path.",
                ),
            ),
        )
    left = ", ".join(map(_shown, others))
    warnings = (Finding(text=f"Not switched, for they lead to another API: {left}."),)
    return Chosen(chosen, (), warnings if others else ())


def _blue(mappings: Sequence[ApiMapping]) -> str | None:
    """The API that the site is: the only one, or that of the root."""
    apis = {mapping.target.api_id for mapping in mappings}
    if len(apis) == 1:
        return next(iter(apis))
    return next((m.target.api_id for m in mappings if m.base_path == ROOT_PATH), None)


def _shown(mapping: ApiMapping) -> str:
    return f"/{mapping.base_path} -> {mapping.target}"


def mapping_swaps(
    domain: CustomDomain, mappings: Sequence[ApiMapping], to: ApiTarget | None
) -> tuple[MappingSwap, ...]:
    """A swap for each mapping; without a target one that leads where it leads already."""
    return tuple(
        MappingSwap(
            id=f"{domain.name}/{mapping.base_path}",
            domain=domain,
            mapping=mapping,
            to=to or mapping.target,
        )
        for mapping in mappings
    )


def secret_rule(
    facts: SwitchFacts,
    domain: CustomDomain,
    swaps: Sequence[MappingSwap],
    green: ApiDescription | None,
) -> SecretRule | None:
    """The rule that tests green under the production name; ``None`` where that cannot be.

    Rules lead to REST APIs alone, and count only in a domain that is set to them.
    """
    priority = min((rule.priority for rule in facts.rules), default=_LAST_PRIORITY) - 1
    can_be = (
        domain.routing_mode is RoutingMode.RULES_FIRST
        and green is not None
        and green.kind is ApiKind.REST
        and len(swaps) == 1
        and priority > 0
        and any(not check.command for check in facts.checks)
    )
    if not can_be or not facts.secret:
        return None
    (swap,) = swaps
    return SecretRule(
        domain=domain,
        header=RULE_HEADER,
        value=facts.secret,
        base_path=swap.mapping.base_path,
        priority=priority,
        to=swap.to,
    )


def check_refusals(
    facts: SwitchFacts, domain: CustomDomain, chosen: Sequence[ApiMapping]
) -> Iterator[Finding]:
    """Checks that ask for what another mapping serves: they would never tell of green."""
    for check in facts.checks:
        url = urlsplit(check.url)
        if check.command or url.hostname != domain.name:
            continue
        path = url.path.strip("/")
        serving = [m for m in facts.mappings if _lies_below(path, m.base_path)]
        serves = max(serving, key=lambda mapping: len(mapping.base_path), default=None)
        if serves is not None and serves not in chosen:
            yield Finding(
                text=f"The check {check.text} asks for what mapping {_shown(serves)} serves, which "
                "is not switched.",
                hint="Check a path of a mapping that is.",
            )


def _lies_below(path: str, base_path: str) -> bool:
    return not base_path or path == base_path or path.startswith(f"{base_path}/")


def domain_refusals(facts: SwitchFacts, domain: CustomDomain) -> Iterator[Finding]:
    """What of the domain makes a switch of its mappings impossible, or none at all."""
    if domain.status != "AVAILABLE":
        yield Finding(
            text=f"Custom domain {domain.name} is {domain.status}.",
            hint="Wait until it is AVAILABLE, and try again.",
        )
    if domain.endpoint_type is EndpointType.PRIVATE:
        yield Finding(
            text=f"Custom domain {domain.name} is private: users cannot be checked from here.",
            hint="Switch it by hand.",
        )
    if domain.routing_mode is RoutingMode.RULES:
        yield Finding(
            text=f"{domain.name} is routed by rules alone: its mappings lead nowhere.",
            hint="Change the rule that leads to blue, or set the mode to "
            "ROUTING_RULE_THEN_API_MAPPING.",
        )
    if domain.routing_mode is RoutingMode.RULES_FIRST:
        for rule in facts.rules:
            if not rule.headers and not rule.base_paths:
                yield Finding(
                    text=f"A routing rule (priority {rule.priority}) leads everything to "
                    f"{rule.target} before any mapping counts.",
                    hint=f"Delete rule {rule.rule_id}, or change it instead.",
                )


def domain_warnings(facts: SwitchFacts, domain: CustomDomain) -> Iterator[Finding]:
    """What of the domain goes on to lead elsewhere."""
    if domain.routing_mode is not RoutingMode.RULES_FIRST:
        return
    for rule in facts.rules:
        if rule.headers or rule.base_paths:
            about = ", ".join([*rule.base_paths, *rule.headers])
            yield Finding(
                text=f"Routing rule {rule.rule_id} ({about}) goes on to lead to {rule.target}.",
                hint="Check that this is what you want; it is not switched.",
            )


def green_refusals(
    domain: CustomDomain, green: ApiDescription, *, is_checked: bool
) -> Iterator[Finding]:
    """Why green cannot take the domain.

    Args:
        is_checked: whether it is to be checked before the switch.
    """
    target = green.target
    if not green.has_stage:
        yield Finding(
            text=f"API {target.api_id} has no stage {target.stage}.",
            hint="Check --to, or deploy green first.",
        )
    elif not green.is_deployed:
        yield Finding(
            text=f"Stage {target} has no deployment: it answers nothing.",
            hint="Deploy green first.",
        )
    if green.kind is ApiKind.WEBSOCKET:
        yield Finding(
            text=f"{target} is a WebSocket API.", hint="Only REST and HTTP APIs are switched."
        )
    if domain.is_edge and green.kind is not ApiKind.REST:
        yield Finding(
            text=f"{domain.name} is edge-optimized and serves REST APIs alone; {target} is "
            f"{green.kind}.",
            hint="Make a regional custom domain, and lead the record there.",
        )
    elif green.kind is ApiKind.REST and domain.endpoint_type not in green.endpoint_types:
        has = ", ".join(green.endpoint_types)
        yield Finding(
            text=f"{domain.name} is {domain.endpoint_type}, and API {target.api_id} is {has}.",
            hint="Deploy green with the same endpoint type.",
        )
    if is_checked and green.settings.get(_NO_ENDPOINT) == "disabled":
        yield Finding(
            text=f"The execute-api endpoint of {target.api_id} is disabled: green cannot be "
            "checked before it serves the site.",
            hint="Enable it for the switch, or leave out --check.",
        )


def api_differences(blue: ApiDescription, green: ApiDescription) -> tuple[Difference, ...]:
    """What belongs to the API and not to the domain, and is not the same for both."""
    found = []
    if blue.kind is not green.kind:
        found.append(
            Difference(what="kind of API", blue=blue.kind, green=green.kind, weight="warn")
        )
    unread = {**blue.unread, **green.unread}
    for what in sorted({*blue.settings, *green.settings} - unread.keys()):
        before, after = blue.settings.get(what, ""), green.settings.get(what, "")
        if before != after:
            heavy = what.startswith(_HEAVY)
            found.append(
                Difference(
                    what=what,
                    blue=before or "not set",
                    green=after or "not set",
                    weight="warn" if heavy else "note",
                )
            )
    found += [
        Difference(what=what, blue="?", green="?", weight="note", hint=f"not read: {why}")
        for what, why in sorted(unread.items())
    ]
    return tuple(found)
