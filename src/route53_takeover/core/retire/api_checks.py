"""API Gateway: custom domains, mappings and routing rules that the tree has or that lead into it.

A mapping answers only where no routing rule is before it. So a rule that sends every request of a
path to another API is a switch, and makes the mapping of that path harmless.
"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from route53_takeover.core.domain.api_mappings import ROOT_PATH, RoutingMode
from route53_takeover.core.retire import model as kinds
from route53_takeover.core.retire.model import Break, Findings
from route53_takeover.core.retire.name_lookup import Reach

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from route53_takeover.core.domain.api_mappings import ApiMapping, ApiTarget, RoutingRule
    from route53_takeover.core.retire.facts import LiveDomain, RetireFacts, TreeResource
    from route53_takeover.core.retire.name_lookup import Lookup

_NO_PATH = "(none)"
"""How API Gateway v1 and CloudFormation call the root's base path."""


def check_apis(facts: RetireFacts, lookup: Lookup) -> Findings:
    """What of API Gateway would break."""
    checks = _ApiChecks(facts, lookup)
    for live in facts.domains:
        checks.lead_into_the_tree(live)
    for mapping in facts.of_type(*kinds.MAPPINGS):
        checks.mapping_of_the_tree(mapping)
    for domain in facts.of_type(*kinds.CUSTOM_DOMAINS):
        checks.domain_of_the_tree(domain)
    return Findings(breaks=tuple(checks.breaks), notes=tuple(checks.notes))


class _ApiChecks:
    """Collects what is found."""

    def __init__(self, facts: RetireFacts, lookup: Lookup) -> None:
        self.breaks: list[Break] = []
        self.notes: list[str] = []
        self._facts = facts
        self._lookup = lookup
        self._apis: Mapping[str, TreeResource] = {
            api.physical_id: api for api in facts.of_type(*kinds.APIS)
        }
        self._doomed_domains = {
            each.physical_id.lower()
            for each in facts.of_type(*kinds.CUSTOM_DOMAINS)
            if each.is_doomed
        }

    def lead_into_the_tree(self, live: LiveDomain) -> None:
        """Rules and mappings of a domain that stays, of which an API of the tree answers."""
        name = live.domain.name
        if name.lower() in self._doomed_domains:
            return  # they go with the domain
        for part in self._facts.of_type(kinds.CERTIFICATE):
            if part.is_doomed and part.physical_id in live.domain.certificates:
                self._certificate(name, part)
        for rule in _rules_in_force(live):
            api = self._apis.get(rule.target.api_id)
            if api is not None:
                self._rule(live, rule, api)
        for mapping in live.mappings:
            api = self._apis.get(mapping.target.api_id)
            if api is not None:
                self._mapping(live, mapping, api)

    def _certificate(self, name: str, part: TreeResource) -> None:
        self.breaks.append(
            Break(
                what="certificate in use",
                id=part.physical_id,
                why=f"The custom domain {name} uses {part}: AWS deletes nothing that is in use, so "
                "the delete fails half way.",
                way_out=f"{_retain(part)} Or let the domain use another one.",
            )
        )

    def _rule(self, live: LiveDomain, rule: RoutingRule, api: TreeResource) -> None:
        name = live.domain.name
        self.breaks.append(
            Break(
                what="routing rule of a custom domain",
                id=f"{name} {rule.rule_id}",
                why=f"What fits it is answered by {rule.target}, the API {api}, which goes.",
                way_out="Let it lead to the new API (aws apigatewayv2 put-routing-rule), or: aws "
                f"apigatewayv2 delete-routing-rule --domain-name {shlex.quote(name)} "
                f"--routing-rule-id {rule.rule_id}",
            )
        )

    def _mapping(self, live: LiveDomain, mapping: ApiMapping, api: TreeResource) -> None:
        where = _where(live, mapping.base_path)
        if not _answers_by_rules(live, mapping.base_path):
            self.breaks.append(
                Break(
                    what="mapping of a custom domain",
                    id=where,
                    why=f"Users of https://{where} are answered by {mapping.target}, the API "
                    f"{api}: without it they get 403. {_behind(api)}".rstrip(),
                    way_out=_switch_line(live, mapping.base_path),
                )
            )
        elif not any(
            _is_this(live, mapping, each)
            for each in self._facts.of_type(*kinds.MAPPINGS)
            if each.is_doomed
        ):
            self.breaks.append(
                Break(
                    what="mapping of a custom domain",
                    id=where,
                    why=f"A routing rule answers in its place, but API Gateway deletes no API that "
                    f"a mapping leads to: the delete of {api} fails.",
                    way_out=_delete_mapping_line(live, mapping),
                )
            )

    def mapping_of_the_tree(self, resource: TreeResource) -> None:
        """A mapping that the tree has: its delete removes what is there, wherever it leads."""
        if not resource.is_doomed:
            return
        name, path = _place(resource)
        if name is None or path is None:
            self.breaks.append(
                Break(
                    what="mapping that the stack deletes",
                    id=str(resource),
                    why="Its template does not tell of which domain and path it is, so whether "
                    "its delete takes a live mapping away cannot be told.",
                    way_out=_retain(resource),
                )
            )
            return
        live = self._facts.live_domain(name)
        if live is None:
            return
        for mapping in live.mappings:
            is_elsewhere = mapping.target.api_id not in self._apis
            if is_elsewhere and _is_this(live, mapping, resource):
                self._stolen(live, mapping, resource)

    def _stolen(self, live: LiveDomain, mapping: ApiMapping, resource: TreeResource) -> None:
        where = _where(live, mapping.base_path)
        if _answers_by_rules(live, mapping.base_path):
            self.notes.append(
                f"The delete takes the mapping {where} away; a routing rule answers in its place."
            )
            return
        if resource.type == kinds.CUSTOM_MAPPING:
            why = (
                f"{resource} is a custom resource: its Lambda function deletes the mapping "
                "whatever API it leads to, and tells no error."
            )
            way_out = _custom_way_out(live, mapping)
        else:
            why = f"{resource} is deleted by its domain and path, whatever API it leads to."
            way_out = _retain(resource)
        self.breaks.append(
            Break(
                what="mapping that the stack deletes",
                id=where,
                why=f"{why} It leads to {mapping.target} now, outside the stack: the live site "
                "would answer 403.",
                way_out=way_out,
            )
        )

    def domain_of_the_tree(self, resource: TreeResource) -> None:
        """A custom domain that the tree has: it goes with everything that it leads to."""
        live = self._facts.live_domain(resource.physical_id)
        if not resource.is_doomed or live is None:
            return
        name = live.domain.name
        elsewhere = _elsewhere(live, self._apis)
        retain = f"{_retain(resource)} Do the same with its record and its mapping."
        if elsewhere:
            told = ", ".join(map(str, elsewhere))
            self._domain(name, f"{name} leads to {told}, outside the stack: it stops.", retain)
            return
        reached, how = self._lookup.reach(name, [live.domain.hostname])
        if reached is Reach.NO:
            self.notes.append(f"The custom domain {name} goes with the stack; {how}.")
        elif reached is Reach.UNKNOWN:
            why = f"{name} goes with the stack, and whether users know it cannot be told: {how}."
            self._domain(name, why, f"If nobody uses it, delete it yourself; otherwise: {retain}")
        else:
            self._domain(
                name,
                f"Users reach it by the record {how}, and it goes with the stack.",
                f"If nobody needs the name, delete that record first; otherwise: {retain}",
            )

    def _domain(self, name: str, why: str, way_out: str) -> None:
        self.breaks.append(
            Break(what="custom domain of the stack", id=name, why=why, way_out=way_out)
        )


def _rules_in_force(live: LiveDomain) -> Iterator[RoutingRule]:
    """The rules that can decide, the first to be asked first."""
    if live.domain.routing_mode is RoutingMode.MAPPINGS:
        return
    for rule in sorted(live.rules, key=lambda rule: rule.priority):
        yield rule
        if not rule.headers and not rule.base_paths:
            return  # it fits every request


def _answers_by_rules(live: LiveDomain, base_path: str) -> bool:
    """Whether no request of a base path gets as far as the mappings."""
    if live.domain.routing_mode is RoutingMode.RULES:
        return True
    return any(
        not rule.headers and (not rule.base_paths or base_path in rule.base_paths)
        for rule in _rules_in_force(live)
    )


def _elsewhere(live: LiveDomain, apis: Mapping[str, TreeResource]) -> list[ApiTarget]:
    """Where the domain leads outside the tree."""
    leading = [rule.target for rule in _rules_in_force(live)]
    leading += [m.target for m in live.mappings if not _answers_by_rules(live, m.base_path)]
    return list(dict.fromkeys(each for each in leading if each.api_id not in apis))


def _place(resource: TreeResource) -> tuple[str | None, str | None]:
    """Domain and base path of a mapping resource; ``None`` for what its template hides."""
    properties = resource.properties
    if not properties:
        return None, None
    name = properties.get("DomainName")
    path = properties.get("BasePath", properties.get("ApiMappingKey", ROOT_PATH))
    path = ROOT_PATH if path in (None, _NO_PATH) else path
    return (
        name if isinstance(name, str) else None,
        path.strip("/") if isinstance(path, str) else None,
    )


def _is_this(live: LiveDomain, mapping: ApiMapping, resource: TreeResource) -> bool:
    """Whether a mapping is the one that a resource stands for."""
    name, path = _place(resource)
    if name is None or name.lower() != live.domain.name.lower():
        return False
    if mapping.mapping_id and mapping.mapping_id == resource.physical_id:
        return True
    return path == mapping.base_path


def _where(live: LiveDomain, base_path: str) -> str:
    return f"{live.domain.name}/{base_path}".removesuffix("/")


def _behind(api: TreeResource) -> str:
    return "" if api.is_doomed else "(The API is retained; the functions behind it go.)"


def _retain(resource: TreeResource) -> str:
    return (
        f"Add DeletionPolicy: Retain to {resource.logical_id} in the template of "
        f"{resource.stack_name}, deploy that, and run this again."
    )


def _switch_line(live: LiveDomain, base_path: str) -> str:
    path = f" --base-path {shlex.quote(base_path)}" if base_path else ""
    domain = shlex.quote(live.domain.name)
    return f"route53-takeover switch --domain {domain}{path} --to-stack NEW_STACK"


def _delete_mapping_line(live: LiveDomain, mapping: ApiMapping) -> str:
    domain = shlex.quote(live.domain.name)
    if mapping.mapping_id:
        return (
            f"aws apigatewayv2 delete-api-mapping --domain-name {domain} "
            f"--api-mapping-id {mapping.mapping_id}"
        )
    path = shlex.quote(mapping.base_path or _NO_PATH)
    return f"aws apigateway delete-base-path-mapping --domain-name {domain} --base-path {path}"


def _custom_way_out(live: LiveDomain, mapping: ApiMapping) -> str:
    """What keeps a custom resource's function from taking the live mapping away."""
    domain = shlex.quote(live.domain.name)
    paths = [mapping.base_path] if mapping.base_path else []
    conditions = [{"MatchBasePaths": {"AnyOf": paths}}] if paths else []
    target = {"ApiId": mapping.target.api_id, "Stage": mapping.target.stage}
    actions = [{"InvokeApi": target | ({"StripBasePath": True} if paths else {})}]
    mode = (
        f"aws apigateway update-domain-name --domain-name {domain} --patch-operations "
        "op=replace,path=/routingMode,value=ROUTING_RULE_THEN_BASE_PATH_MAPPING"
        if live.domain.is_edge
        else f"aws apigatewayv2 update-domain-name --domain-name {domain} --routing-mode "
        f"{RoutingMode.RULES_FIRST.value}"
    )
    return (
        f"Let a routing rule answer in place of the mapping (REST APIs): {mode}, then: aws "
        f"apigatewayv2 create-routing-rule --domain-name {domain} --priority 1000 --conditions "
        f"'{json.dumps(conditions)}' --actions '{json.dumps(actions)}'. Or deploy the stack with "
        "DeletionPolicy: Retain on its mapping. Then run this again."
    )
