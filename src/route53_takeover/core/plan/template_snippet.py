"""What a template needs so that its stack has a record with the switch on, and none with it off.

One text for each tool, made from the record that stands now. Its target is what serves today: the
user puts the stack's own resource in its place.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import yaml

from route53_takeover.core.domain.names import display_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from route53_takeover.core.domain.record_sets import RecordSet


class Tool(StrEnum):
    """What deploys the stack."""

    CDK = "cdk"
    SAM = "sam"
    CLOUDFORMATION = "cloudformation"
    JETS = "jets"


_SWITCH = {
    "Parameters": {
        "Route53Enable": {
            "Type": "String",
            "Default": "false",
            "AllowedValues": ["false", "true"],
        }
    },
    "Conditions": {"WithRecord": {"Fn::Equals": [{"Ref": "Route53Enable"}, "true"]}},
}
_REPLACE = "the target of today: put the stack's own resource here"
_TARGETS = ("DNSName:", "ResourceRecords:")
_JETS = """\
# Jets 6, config/jets/deploy.rb:
config.lambda.url.cloudfront.route53.enable = ENV["ROUTE53_ENABLE"] == "true"

# Jets 6, config/jets/bootstrap.rb:
config.codebuild.project.env.pass = ["ROUTE53_ENABLE"]

# Jets 4 and 5, config/application.rb, beside config.domain.hosted_zone_name:
config.domain.route53 = ENV["ROUTE53_ENABLE"] == "true"
"""


def snippet(tool: Tool, records: Sequence[RecordSet], zone_id: str) -> str:
    """The text for the template, which ends with a line break."""
    match tool:
        case Tool.JETS:
            return _JETS
        case Tool.CDK:
            return _cdk(records, zone_id)
        case Tool.SAM | Tool.CLOUDFORMATION:
            return _template(records, zone_id)


def logical_id(record: RecordSet) -> str:
    """A logical id that says which record it is: ``WwwExampleComA``."""
    name = display_name(record.name).replace("*", "Wildcard")
    text = f"{name} {record.type} {record.set_identifier or ''}"
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in text).split()
    return "".join(word[:1].upper() + word[1:] for word in words)[:255]


def _properties(record: RecordSet, zone_id: str) -> dict[str, Any]:
    """The properties of ``AWS::Route53::RecordSet``."""
    shape = record.to_api()
    values = [each["Value"] for each in shape.pop("ResourceRecords", ())]
    told = {"HostedZoneId": zone_id, **shape, "Name": display_name(record.name)}
    if "TTL" in told:
        told["TTL"] = str(told["TTL"])
    return told | ({"ResourceRecords": values} if values else {})


def _template(records: Sequence[RecordSet], zone_id: str) -> str:
    resources = {
        logical_id(record): {
            "Type": "AWS::Route53::RecordSet",
            "Condition": "WithRecord",
            "DeletionPolicy": "Retain",
            "Properties": _properties(record, zone_id),
        }
        for record in records
    }
    whole = yaml.safe_dump(
        _SWITCH | {"Resources": resources}, sort_keys=False, allow_unicode=False, width=1000
    )
    lines = [
        f"{line}  # {_REPLACE}" if line.lstrip().startswith(_TARGETS) else line
        for line in whole.splitlines()
    ]
    return "\n".join([*lines, ""])


def _cdk(records: Sequence[RecordSet], zone_id: str) -> str:
    lines = [
        "// import { RemovalPolicy } from 'aws-cdk-lib';",
        "// import { CfnRecordSet } from 'aws-cdk-lib/aws-route53';",
        "if (process.env.ROUTE53_ENABLE === 'true') {",
    ]
    for record in records:
        lines += [f"  new CfnRecordSet(this, '{logical_id(record)}', {{"]
        lines += _typescript(_properties(record, zone_id), "    ")
        lines += ["  }).applyRemovalPolicy(RemovalPolicy.RETAIN);"]
    return "\n".join([*lines, "}", ""])


def _typescript(properties: Mapping[str, Any], indent: str) -> list[str]:
    lines: list[str] = []
    for key, value in properties.items():
        name = _CAMEL.get(key, key[:1].lower() + key[1:])
        if isinstance(value, dict):
            lines += [f"{indent}{name}: {{", *_typescript(value, indent + "  "), f"{indent}}},"]
            continue
        note = f"  // {_REPLACE}" if key in ("DNSName", "ResourceRecords") else ""
        lines.append(f"{indent}{name}: {json.dumps(value)},{note}")
    return lines


_CAMEL = {"DNSName": "dnsName", "TTL": "ttl"}
