"""What a resource's metadata asks of the simulated account: how long it takes, how it fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class Simulation(Struct, frozen=True, kw_only=True):
    """What a resource's ``Metadata: {Simulation: ...}`` asks of the simulated account.

    Attributes:
        seconds: how long each operation on it takes; ``None`` for the account's default.
        fail: the reason with which it fails; empty where it does not.
        fail_on: during what: ``create``, ``update``, ``delete``, ``rollback``.
        replace: whether an update replaces it by a new one.
        template: the body of a nested stack's template.
        attributes: values of ``Fn::GetAtt``.
        physical_id: the id that it gets; empty for one that is made up.
    """

    seconds: float | None = None
    fail: str = ""
    fail_on: tuple[str, ...] = ("create",)
    replace: bool = False
    template: Mapping[str, Any] | None = None
    attributes: Mapping[str, Any] = {}
    physical_id: str = ""

    @classmethod
    def of(cls, resource: Mapping[str, Any]) -> Simulation:
        """Reads it from a resource of a template."""
        metadata = resource.get("Metadata")
        asked = metadata.get("Simulation") if isinstance(metadata, dict) else None
        if not isinstance(asked, dict):
            return _NOTHING_ASKED
        seconds, fail_on = asked.get("Seconds"), asked.get("FailOn", "create")
        return cls(
            seconds=None if seconds is None else float(seconds),
            fail=str(asked.get("Fail", "")),
            fail_on=(fail_on,) if isinstance(fail_on, str) else tuple(fail_on),
            replace=bool(asked.get("Replace", False)),
            template=asked.get("Template"),
            attributes=asked.get("Attributes", {}),
            physical_id=str(asked.get("PhysicalId", "")),
        )

    def fails(self, action: str) -> str:
        """The reason with which it fails during ``action``, or nothing."""
        return self.fail if action in self.fail_on else ""


_NOTHING_ASKED = Simulation()
