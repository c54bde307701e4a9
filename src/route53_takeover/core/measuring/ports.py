"""What a measurement needs of AWS besides reading: a stack, protections, CloudTrail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class LoggedChange(Struct, frozen=True, kw_only=True):
    """A ChangeResourceRecordSets call as CloudTrail has it, to the second.

    Attributes:
        names: the names that it was about, in normal form.
        actions: ``CREATE``, ``DELETE``, ..., in the same order.
        error: AWS's error code; empty where it was accepted.
        submitted_at: of the change, where it was accepted and the log tells.
        by_cloudformation: whether CloudFormation sent it.
    """

    time: float
    names: tuple[str, ...]
    actions: tuple[str, ...]
    error: str = ""
    submitted_at: float | None = None
    by_cloudformation: bool = False


class MeasuringAws(Protocol):
    """The calls that only a measurement makes. Errors as those of `core.ports`."""

    async def create_stack(self, name: str, template: Mapping[str, Any], token: str) -> str:
        """Begins it and returns the stack's id."""

    async def update_stack(self, stack_id: str, template: Mapping[str, Any], token: str) -> None:
        """Begins an update to this template."""

    async def cancel_update(self, stack_id: str, token: str) -> None:
        """Turns an update back."""

    async def delete_stack(self, stack_id: str, token: str) -> None:
        """Begins to delete it."""

    async def submitted_at(self, change_id: str) -> float:
        """When Route 53 accepted a change, by its own clock."""

    async def protect(self, zone_id: str, name: str, record_type: str, comment: str) -> None:
        """Creates a record set protection."""

    async def unprotect(self, zone_id: str, name: str, record_type: str) -> None:
        """Deletes it."""

    async def logged_changes(self, since: float, until: float) -> Sequence[LoggedChange]:
        """The changes of record sets that CloudTrail has of that time; it lags by minutes.

        Raises:
            AccessDeniedError: it may not be asked.
        """
