"""What the front does otherwise than the distribution behind it, by the content of their policies.

Two distributions in a row both cache, filter and answer. Where they differ, users get what the
front makes of it. So the front is compared with green's distribution, behaviour by behaviour, and
with blue's where there is one: a difference that users have with blue as well is only noted.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import json

from route53_takeover.core.domain.cloudfront_policies import (
    ALL_VIEWER,
    ALL_VIEWER_EXCEPT_HOST,
    content,
    forwards_host,
    is_cached,
)
from route53_takeover.core.domain.distribution_configs import (
    DEFAULT_PATTERN,
    POLICY_MEMBERS,
    behaviors,
    behaviors_on,
    items,
    normal,
)
from route53_takeover.core.domain.distributions import PolicyKind
from route53_takeover.core.switch.model import Difference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from route53_takeover.core.domain.cloudfront_policies import Policies
    from route53_takeover.core.domain.distributions import Behavior

WARN, NOTE = "warn", "note"
EVERYTHING = "/*"

_CACHE = POLICY_MEMBERS[PolicyKind.CACHE]
_REQUEST = POLICY_MEMBERS[PolicyKind.ORIGIN_REQUEST]
_HEADERS = POLICY_MEMBERS[PolicyKind.RESPONSE_HEADERS]
_KEY_MEMBERS = (_CACHE, "ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL")
"""What decides how a behaviour caches, as a whole: a policy, or what there was before policies."""
_FORWARDING = (*_KEY_MEMBERS, _REQUEST)
_TAKEN = (_HEADERS, "AllowedMethods", "ViewerProtocolPolicy", "Compress")
_OLDER_DEFAULTS = {"MinTTL": 0, "DefaultTTL": 86400, "MaxTTL": 31536000}
_DEFAULT_METHODS = ["GET", "HEAD"]
_MATCH = "Take green's over with --match-policies."


class _Aspect(NamedTuple):
    """One line of the comparison: what it is called, what is set, how much it matters."""

    what: str
    value: Any
    weight: str = WARN
    hint: str = ""


def compare(
    front: Mapping[str, Any],
    origin_id: str,
    green: Mapping[str, Any],
    policies: Policies,
    *,
    blue: Mapping[str, Any] | None = None,
) -> tuple[Difference, ...]:
    """What users would get otherwise than green's distribution has it.

    Args:
        front: the config of the distribution that is switched.
        origin_id: the origin of it that is switched; other behaviours are not compared.
        green: the config of the distribution that it is to lead to.
        policies: the content of the policies of all of them, by id.
        blue: the config of the distribution that it leads to now, if that is one.
    """
    found: list[Difference] = []
    greens = {each.path_pattern: each for each in behaviors(green)}
    blues = {} if blue is None else {each.path_pattern: each for each in behaviors(blue)}
    for ours in behaviors_on(front, origin_id):
        theirs = greens.get(ours.path_pattern)
        if theirs is None:
            continue  # the order of the patterns tells
        behind = blues.get(ours.path_pattern)
        found += _differences(
            _behavior(ours, policies),
            _behavior(theirs, policies),
            None if behind is None else _behavior(behind, policies),
        )
    patterns = _patterns(front), _patterns(green), None if blue is None else _patterns(blue)
    found += _differences(*patterns)
    found += _differences(
        _whole(front, origin_id), _whole(green), None if blue is None else _whole(blue)
    )
    return tuple(found)


def matched(
    config: Mapping[str, Any], origin_id: str, green: Mapping[str, Any], policies: Policies
) -> dict[str, Any]:
    """The config with green's policies taken over, for each behaviour that both have.

    Functions, key groups and path patterns stay: they run, or refuse, behind the front as well. A
    viewer's ``Host`` that the front does not forward now is not forwarded afterwards either.
    """
    changed = deepcopy(dict(config))
    greens = {each.path_pattern: each.config for each in behaviors(green)}
    for ours in behaviors_on(changed, origin_id):
        theirs = greens.get(ours.path_pattern)
        if theirs is not None and isinstance(ours.config, dict):
            _take(ours.config, theirs, policies)
    return changed


def invalidation(
    before: Mapping[str, Any], after: Mapping[str, Any], origin_id: str, policies: Policies
) -> tuple[str, ...]:
    """The paths to invalidate once every edge has the new config; none where nothing is kept.

    Edges change one by one, so that what either config lets them keep may be from blue.
    """
    kept = any(
        is_cached(each.config, policies)
        for config in (before, after)
        for each in behaviors_on(config, origin_id)
    )
    return (EVERYTHING,) if kept else ()


def _take(ours: dict[str, Any], theirs: Mapping[str, Any], policies: Policies) -> None:
    """Changes a behaviour in place."""
    for member in _TAKEN:
        _set(ours, member, theirs.get(member))
    taken = {member: deepcopy(theirs.get(member)) for member in _FORWARDING}
    if taken[_REQUEST] == ALL_VIEWER:
        taken[_REQUEST] = ALL_VIEWER_EXCEPT_HOST
    before = {member: ours.get(member) for member in _FORWARDING}
    if forwards_host(taken, policies) and not forwards_host(before, policies):
        return
    for member in _FORWARDING:
        _set(ours, member, taken[member])


def _set(of: dict[str, Any], member: str, value: Any) -> None:  # noqa: ANN401 -- the API's
    if value is None:
        of.pop(member, None)
    else:
        of[member] = deepcopy(value)


def _differences(
    front: list[_Aspect], green: list[_Aspect], blue: list[_Aspect] | None
) -> Iterator[Difference]:
    before = {} if blue is None else {each.what: each.value for each in blue}
    after = {each.what: each.value for each in green}
    for ours in front:
        theirs = after[ours.what]
        if ours.value == theirs:
            continue
        is_as_before = ours.what in before and before[ours.what] == theirs
        yield Difference(
            what=ours.what,
            blue=_shown(ours.value, theirs),
            green=_shown(theirs, ours.value),
            weight=NOTE if is_as_before else ours.weight,
            hint="It is so with blue, too." if is_as_before else ours.hint,
        )


def _behavior(behavior: Behavior, policies: Policies) -> list[_Aspect]:
    """Everything of one behaviour that the one behind it has as well."""
    config, at = behavior.config, behavior.path_pattern

    def policy(member: str) -> Any:  # noqa: ANN401 -- its content
        policy_id = config.get(member)
        return normal(content(policy_id, policies) or {"Id": policy_id}) if policy_id else None

    methods = items(config.get("AllowedMethods")) or _DEFAULT_METHODS
    cached = items(config.get("AllowedMethods", {}).get("CachedMethods")) or _DEFAULT_METHODS
    older = normal({**_OLDER_DEFAULTS, **{m: config[m] for m in _KEY_MEMBERS if m in config}})
    by_hand = "Set it at the front by hand, if it is to hold there."
    return [
        _Aspect(f"{at} cache policy", policy(_CACHE) or older, WARN, _MATCH),
        _Aspect(f"{at} origin request policy", _without_host(policy(_REQUEST)), WARN, _MATCH),
        _Aspect(f"{at} response headers policy", policy(_HEADERS), WARN, _MATCH),
        _Aspect(f"{at} allowed methods", sorted(methods), WARN, _MATCH),
        _Aspect(f"{at} cached methods", sorted(cached), WARN, _MATCH),
        _Aspect(f"{at} viewer protocol", config.get("ViewerProtocolPolicy"), WARN, _MATCH),
        _Aspect(f"{at} compression", bool(config.get("Compress")), NOTE, _MATCH),
        _Aspect(f"{at} functions", _functions(config), WARN, by_hand),
        _Aspect(f"{at} key groups", _signers(config), WARN, by_hand),
    ]


def _without_host(policy: Any) -> Any:  # noqa: ANN401 -- a policy's content
    """A policy that sends every header is, but for ``Host``, one that sends all except it.

    The front must not forward ``Host`` to green, where green may well forward it to its own origin.
    """
    headers = {} if policy is None else policy.get("HeadersConfig", {})
    if headers.get("HeaderBehavior") == "allViewer":
        excepted = {"HeaderBehavior": "allExcept", "Headers": ["host"]}
        return {**policy, "HeadersConfig": excepted}
    return policy


def _functions(config: Mapping[str, Any]) -> list[str]:
    found = [
        f"{function['EventType']} {function.get('FunctionARN') or function['LambdaFunctionARN']}"
        for member in ("FunctionAssociations", "LambdaFunctionAssociations")
        for function in items(config.get(member))
    ]
    return sorted(found)


def _signers(config: Mapping[str, Any]) -> list[str]:
    members = ("TrustedKeyGroups", "TrustedSigners")
    return sorted(each for member in members for each in items(config.get(member)))


def _patterns(config: Mapping[str, Any]) -> list[_Aspect]:
    """The path patterns in the order in which they are tried; ``*`` comes last in each."""
    found = [each.path_pattern for each in behaviors(config)]
    found.remove(DEFAULT_PATTERN) if found.count(DEFAULT_PATTERN) > 1 else found.pop()
    hint = "What is missing is served as the default behaviour has it: add it at the front by hand."
    return [_Aspect("path patterns", found, WARN, hint)]


def _whole(config: Mapping[str, Any], origin_id: str | None = None) -> list[_Aspect]:
    """What holds for all requests."""
    restrictions = config.get("Restrictions", {}).get("GeoRestriction", {})
    is_limited = restrictions.get("RestrictionType", "none") != "none"
    certificate = config.get("ViewerCertificate", {})
    return [
        _Aspect("custom error responses", normal(config.get("CustomErrorResponses") or {}) or []),
        _Aspect("default root object", config.get("DefaultRootObject") or ""),
        _Aspect("HTTP version", str(config.get("HttpVersion", "http2")).lower(), NOTE),
        _Aspect("IPv6", bool(config.get("IsIPV6Enabled")), NOTE),
        _Aspect("price class", config.get("PriceClass") or "PriceClass_All", NOTE),
        _Aspect("WAF", config.get("WebACLId") or ""),
        _Aspect("restrictions", normal(restrictions) if is_limited else {}),
        _Aspect("minimum TLS version", certificate.get("MinimumProtocolVersion") or "", NOTE),
        _Aspect("origin time-outs", _time_outs(config, origin_id), NOTE),
    ]


def _time_outs(config: Mapping[str, Any], origin_id: str | None) -> list[int]:
    """The longest that an origin may take to answer, and to connect; of all where none is named."""
    found = [each for each in items(config.get("Origins")) if origin_id in (None, each["Id"])]
    custom = [each["CustomOriginConfig"] for each in found if "CustomOriginConfig" in each]
    return [
        max((each.get("OriginReadTimeout", 30) for each in custom), default=30),
        max((each.get("ConnectionTimeout", 10) for each in found), default=10),
    ]


def _shown(value: Any, other: Any) -> str:  # noqa: ANN401 -- any of the values above
    """A value in a line, and of several members those alone that differ from the other's."""
    if isinstance(value, dict):
        theirs = dict(_leaves(other)) if isinstance(other, dict) else {}
        differing = [(at, each) for at, each in _leaves(value) if theirs.get(at) != each]
        return ", ".join(f"{at.rpartition('.')[2]} {each}" for at, each in differing) or "none"
    if isinstance(value, list):
        return ", ".join(_text(each) for each in value) or "none"
    return _text(value)


def _leaves(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for name, each in value.items():
        if isinstance(each, dict):
            yield from _leaves(each, f"{path}{name}.")
        elif isinstance(each, list):
            yield f"{path}{name}", " ".join(_text(one) for one in each)
        else:
            yield f"{path}{name}", _text(each)


def _text(value: Any) -> str:  # noqa: ANN401 -- the same
    match value:
        case None | "":
            return "none"
        case bool():
            return "on" if value else "off"
        case str() | int():
            return str(value)
        case _:
            return json.encode(value).decode()
