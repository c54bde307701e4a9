"""What of a viewer's request reaches the origin, and what a kept answer is found by.

Written from CloudFront's description of its policies, apart from what the program itself works out
of them: the two are compared in the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct

from route53_takeover.core.domain.distributions import PolicyKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.simulation.aws.web.routing import SiteRequest

_POLICY = {PolicyKind.CACHE: "CachePolicyId", PolicyKind.ORIGIN_REQUEST: "OriginRequestPolicyId"}
_ALWAYS = frozenset({"content-type", "content-length", "transfer-encoding", "via"})
_OLDER_REMOVES = frozenset({"host", "cookie", "authorization", "referer", "accept-language"})
_YEAR, _DAY = 31536000, 86400


class _Choice(Struct, frozen=True):
    """Which headers, cookies or query strings are meant: ``none``, ``whitelist``, ``all``, ..."""

    kind: str
    names: frozenset[str] = frozenset()

    def has(self, name: str) -> bool:
        match self.kind:
            case "none":
                return False
            case "whitelist":
                return name in self.names
            case "allExcept":
                return name not in self.names
            case _:
                return True


class Rules(Struct, frozen=True, kw_only=True):
    """A behaviour in plain words.

    Attributes:
        key: what of headers, cookies and query strings is part of the cache key.
        sent: what of them is sent besides.
        ttls: minimum, default, maximum.
    """

    key: Mapping[str, _Choice]
    sent: Mapping[str, _Choice]
    ttls: tuple[int, int, int]
    is_older: bool = False


def behavior_for(config: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """The behaviour of the first pattern that fits."""
    found: Mapping[str, Any]
    bare = path.partition("?")[0]
    for found in config["CacheBehaviors"].get("Items") or ():
        pattern = found["PathPattern"].replace("[", "[[]")
        if fnmatchcase(bare, pattern if pattern.startswith(("/", "*")) else f"/{pattern}"):
            return found
    found = config["DefaultCacheBehavior"]
    return found


def rules_of(
    behavior: Mapping[str, Any], policies: Mapping[tuple[PolicyKind, str], Mapping[str, Any]]
) -> Rules:
    """What a behaviour does, from its policies or its older members."""
    request_id = behavior.get(_POLICY[PolicyKind.ORIGIN_REQUEST])
    sent = {} if not request_id else policies[PolicyKind.ORIGIN_REQUEST, request_id]
    cache_id = behavior.get(_POLICY[PolicyKind.CACHE])
    if cache_id:
        content = policies[PolicyKind.CACHE, cache_id]
        return Rules(
            key=_choices(content.get("ParametersInCacheKeyAndForwardedToOrigin", {})),
            sent=_choices(sent),
            ttls=_ttls(content),
        )
    older = behavior["ForwardedValues"]
    names = _names(older.get("Headers"), fold=True)
    ttls = (
        behavior.get("MinTTL", 0),
        behavior.get("DefaultTTL", _DAY),
        behavior.get("MaxTTL", _YEAR),
    )
    key = {
        "Headers": _Choice("all") if "*" in names else _Choice("whitelist", names),
        "Cookies": _Choice(
            older["Cookies"]["Forward"], _names(older["Cookies"].get("WhitelistedNames"))
        ),
        "QueryStrings": _Choice("all" if older["QueryString"] else "none"),
    }
    return Rules(key=key, sent={}, ttls=(0, 0, 0) if "*" in names else ttls, is_older=True)


def passed_on(rules: Rules, request: SiteRequest) -> tuple[dict[str, str], str]:
    """The headers that the origin gets, ``host`` only where it is the viewer's; and the path."""
    headers = {
        name: value
        for name, value in request.headers.items()
        if name in _ALWAYS
        or rules.key["Headers"].has(name)
        or ("Headers" in rules.sent and rules.sent["Headers"].has(name))
        or (rules.is_older and name not in _OLDER_REMOVES)
    }
    if any(each.has("host") for each in _both(rules, "Headers")):
        headers["host"] = request.headers.get("host", request.host).partition(":")[0]
    headers.pop("cookie", None)
    if cookies := _cookies(rules, request, "key", "sent"):
        headers["cookie"] = cookies
    bare, _, query = request.path.partition("?")
    kept = urlencode(
        [
            (name, value)
            for name, value in parse_qsl(query, keep_blank_values=True)
            if any(each.has(name) for each in _both(rules, "QueryStrings"))
        ]
    )
    return headers, f"{bare}?{kept}" if kept else bare


def cache_key(rules: Rules, request: SiteRequest) -> tuple[Any, ...]:
    """What a kept answer is found by."""
    bare, _, query = request.path.partition("?")
    headers = tuple(
        sorted(
            (name, request.headers.get(name, request.host if name == "host" else ""))
            for name in rules.key["Headers"].names
        )
    )
    strings = tuple(
        sorted(pair for pair in parse_qsl(query) if rules.key["QueryStrings"].has(pair[0]))
    )
    return bare, headers, _cookies(rules, request, "key"), strings


def seconds_kept(rules: Rules, status: int, headers: Mapping[str, str]) -> float:
    """For how long an answer is kept, as it asks and within the limits."""
    if status != 200:  # noqa: PLR2004 -- errors are kept for seconds only, which nothing here needs
        return 0.0
    least, default, most = rules.ttls
    control = next((v for name, v in headers.items() if name.lower() == "cache-control"), "")
    asked = {part.strip().partition("=")[0]: part.partition("=")[2] for part in control.split(",")}
    if asked.keys() & {"no-store", "no-cache", "private"}:
        return float(least)
    age = asked.get("s-maxage") or asked.get("max-age")
    return float(min(max(least, int(age) if age else default), most))


def _ttls(of: Mapping[str, Any]) -> tuple[int, int, int]:
    return of.get("MinTTL", 0), of.get("DefaultTTL", _DAY), of.get("MaxTTL", _YEAR)


def _choices(content: Mapping[str, Any]) -> dict[str, _Choice]:
    names = {"Headers": "Header", "Cookies": "Cookie", "QueryStrings": "QueryString"}
    found = {}
    for many, one in names.items():
        part = content.get(f"{many}Config", {})
        kind = part.get(f"{one}Behavior", "none")
        found[many] = _Choice(kind, _names(part.get(many), fold=many == "Headers"))
    return found


def _both(rules: Rules, what: str) -> Iterator[_Choice]:
    yield rules.key[what]
    if what in rules.sent:
        yield rules.sent[what]


def _cookies(rules: Rules, request: SiteRequest, *parts: str) -> str:
    chosen = [getattr(rules, part).get("Cookies") for part in parts]
    return "; ".join(
        cookie.strip()
        for cookie in request.headers.get("cookie", "").split(";")
        if cookie.strip()
        and any(c is not None and c.has(cookie.partition("=")[0].strip()) for c in chosen)
    )


def _names(listed: Mapping[str, Any] | None, *, fold: bool = False) -> frozenset[str]:
    names = (listed or {}).get("Items") or ()
    return frozenset(name.lower() if fold else name for name in names)
