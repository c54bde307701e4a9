"""What a measurement may write: throw-away names below one label, and one stack of its own.

`Scope.check_changes` and `Scope.check_template` are asked before every write, in
`route53_takeover.runtime.measuring.guarded`; nothing else of a measurement can write.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.core.domain.names import normal_name
from route53_takeover.core.domain.record_sets import normal_zone_id
from route53_takeover.core.domain.stacks import RECORD_SET

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from route53_takeover.core.domain.record_sets import Change

WAIT_HANDLE = "AWS::CloudFormation::WaitConditionHandle"
WAIT = "AWS::CloudFormation::WaitCondition"
_ALLOWED = frozenset({RECORD_SET, WAIT_HANDLE, WAIT})
"""The resources that the throw-away stack may have: none of them costs anything."""


class OutOfScopeError(Exception):
    """A defect of this program: a measurement was about to write what is not its own."""


class Scope(Struct, frozen=True, kw_only=True):
    """The names and the stack of one measurement.

    Attributes:
        run: the run's name, which the names and the stack contain.
        zone_name: in normal form.
    """

    run: str
    zone_id: str
    zone_name: str

    @property
    def suffix(self) -> str:
        """The name below which every record of the measurement is."""
        return f"_takeover-test-{self.run}.{self.zone_name}".lower()

    @property
    def stack_name(self) -> str:
        return f"takeover-test-{self.run}"

    @property
    def description(self) -> str:
        """What the stack's template says of itself: by this the stack is known as this run's."""
        return f"Throw-away stack of route53-takeover, run {self.run}"

    def name(self, label: str) -> str:
        """A throw-away name."""
        return f"{label}.{self.suffix}"

    def covers(self, name: str) -> bool:
        """Whether it is a throw-away name of this run."""
        return f".{normal_name(name)}".endswith(f".{self.suffix}")

    def check_changes(self, zone_id: str, changes: Sequence[Change]) -> None:
        """Raises `OutOfScopeError` unless every change is of a throw-away name in this zone."""
        if normal_zone_id(zone_id) != self.zone_id:
            raise OutOfScopeError(f"zone {zone_id} is not the measurement's")
        for change in changes:
            if not self.covers(change.record.name):
                raise OutOfScopeError(f"{change.action} of {change.record.key}")

    def check_name(self, name: str) -> None:
        """The same for the protection of one name."""
        if not self.covers(name):
            raise OutOfScopeError(f"protection of {name}")

    def check_template(self, template: Mapping[str, Any]) -> None:
        """Raises unless the template says whose it is, and creates throw-away names alone."""
        if template.get("Description") != self.description:
            raise OutOfScopeError("the template is not this run's")
        for logical_id, resource in template["Resources"].items():
            kind, properties = resource["Type"], resource.get("Properties", {})
            if kind not in _ALLOWED:
                raise OutOfScopeError(f"{logical_id} is a {kind}")
            if kind == RECORD_SET and not (
                self.covers(properties["Name"]) and properties["HostedZoneId"] == self.zone_id
            ):
                raise OutOfScopeError(f"{logical_id} creates {json.dumps(properties)}")
