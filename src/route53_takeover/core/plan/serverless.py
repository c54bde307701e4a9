"""What of an ``AWS::Serverless`` template is certain without its macro: the records of a domain.

The macro makes one ``RecordSetGroup`` of ``Domain.Route53``: an alias A, and an alias AAAA where
``IpV6`` is true. Their targets are only known once the macro has run, and stay open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from route53_takeover.core.domain.template import members_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SERVERLESS = "AWS::Serverless::"
SERVERLESS_TRANSFORM = "AWS::Serverless-2016-10-31"
_ZONE = ("HostedZoneId", "HostedZoneName")
_ROUTING = ("SetIdentifier", "Region")


def with_globals(body: Mapping[str, Any], resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """The resource with what ``Globals`` says of its type."""
    kind = str(resource.get("Type")).removeprefix(SERVERLESS)
    shared = members_of(members_of(body.get("Globals")).get(kind))
    return (
        {**resource, "Properties": shared | members_of(resource.get("Properties"))}
        if shared
        else resource
    )


def domain_group(properties: object) -> Iterator[dict[str, Any]]:
    """The properties of each record that the macro makes of a resource's resolved properties."""
    domain = members_of(members_of(properties).get("Domain"))
    route53 = members_of(domain.get("Route53"))
    if not route53:
        return
    types: list[Any] = ["A"]
    match route53.get("IpV6", False):
        case True | "true":
            types.append("AAAA")
        case False | "false":
            pass
        case is_open:
            types.append({"Fn::If": [is_open, "AAAA", {"Ref": "AWS::NoValue"}]})
    for kind in types:
        yield {
            "Name": domain.get("DomainName"),
            "Type": kind,
            "AliasTarget": {"Fn::GetAtt": ["Domain", "Target"]},
            **{key: route53[key] for key in (*_ZONE, *_ROUTING) if key in route53},
        }
