"""The only way in which a measurement writes: within its scope, and on disk before it is sent.

`core.measuring.scope` says what the scope is. Nothing else of `runtime.measuring` is given a port
that writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from route53_takeover.base.errors import ApiError, ThrottledError
from route53_takeover.core.domain.stacks import ABSENT
from route53_takeover.core.measuring.scope import OutOfScopeError
from route53_takeover.core.ports import Records
from route53_takeover.runtime.measuring.patience import AGAIN, PATIENCE, TRANSIENT, patiently

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from route53_takeover.core.domain.protections import Protection
    from route53_takeover.core.domain.record_sets import Change, RecordSet
    from route53_takeover.core.domain.stacks import StackDescription
    from route53_takeover.core.measuring.ports import MeasuringAws
    from route53_takeover.core.measuring.scope import Scope
    from route53_takeover.core.ports import Clock, Stacks, Zone

GONE = (ABSENT, "DELETE_COMPLETE")


class Ledger(Protocol):
    """What a measurement wrote, one line a write."""

    def intend(self, what: str, **details: Any) -> None:  # noqa: ANN401 -- whatever JSON can hold
        """Makes it durable, before it is sent. Raises OSError."""


class GuardedRecords(Records):
    """Route 53, for throw-away names alone."""

    def __init__(self, records: Records, scope: Scope, ledger: Ledger) -> None:
        self._records = records
        self._scope = scope
        self._ledger = ledger

    async def change(self, zone_id: str, changes: Sequence[Change], comment: str) -> str:
        """Sends one batch of throw-away names."""
        self._scope.check_changes(zone_id, changes)
        self._ledger.intend(
            "records",
            changes=[{"action": c.action, "record": c.record.to_api()} for c in changes],
        )
        return await self._records.change(zone_id, changes, comment)

    async def zones(self, name: str) -> Sequence[Zone]:
        return await self._records.zones(name)

    async def every_zone(self) -> Sequence[Zone]:
        return await self._records.every_zone()

    async def zone(self, zone_id: str) -> Zone:
        return await self._records.zone(zone_id)

    async def read_zone(self, zone_id: str) -> Sequence[RecordSet]:
        return await self._records.read_zone(zone_id)

    async def read_from(self, zone_id: str, name: str) -> Sequence[RecordSet]:
        return await self._records.read_from(zone_id, name)

    async def read_name(self, zone_id: str, name: str) -> Sequence[RecordSet]:
        return await self._records.read_name(zone_id, name)

    async def protections(self, zone_id: str, names: Collection[str]) -> Sequence[Protection]:
        return await self._records.protections(zone_id, names)

    async def is_insync(self, change_id: str) -> bool:
        return await self._records.is_insync(change_id)

    async def warm(self) -> None:
        await self._records.warm()


class ThrowAwayStack:
    """The one stack that the measurement created, and the protections of its names.

    Attributes:
        stack_id: empty until it is created, or found.
    """

    def __init__(
        self, aws: MeasuringAws, stacks: Stacks, scope: Scope, ledger: Ledger, clock: Clock
    ) -> None:
        self._aws = aws
        self._stacks = stacks
        self._clock = clock
        self._scope = scope
        self._ledger = ledger
        self._tokens = 0
        self.stack_id = ""

    async def create(self, template: Mapping[str, Any]) -> None:
        """Begins to create it."""
        self._scope.check_template(template)
        name = self._scope.stack_name
        self._ledger.intend("create-stack", stack=name)

        async def send(token: str) -> None:
            self.stack_id = await self._aws.create_stack(name, template, token)

        await self._until_answered(send)

    async def update(self, template: Mapping[str, Any]) -> None:
        """Begins an update."""
        self._scope.check_template(template)
        own = self._own
        self._ledger.intend("update-stack", stack=own, resources=[*template["Resources"]])
        await self._until_answered(lambda token: self._aws.update_stack(own, template, token))

    async def cancel_update(self) -> None:
        own = self._own
        self._ledger.intend("cancel-update", stack=own)
        await self._until_answered(lambda token: self._aws.cancel_update(own, token))

    async def delete(self) -> None:
        """Begins to delete it."""
        own = self._own
        self._ledger.intend("delete-stack", stack=own)
        await self._until_answered(lambda token: self._aws.delete_stack(own, token))

    async def _until_answered(self, send: Callable[[str], Awaitable[None]]) -> None:
        """Sends it until its fate is known; its token shows whether it began."""
        token = self._token()
        until = self._clock.now() + PATIENCE
        while True:
            try:
                await send(token)
            except TRANSIENT as error:
                if self._clock.now() >= until:
                    raise
                await self._clock.sleep(AGAIN)
                if not isinstance(error, ThrottledError) and await self._has_begun(token):
                    return
            else:
                return

    async def _has_begun(self, token: str) -> bool:
        try:
            if (await self.find()).status == ABSENT:
                return False
            events = await patiently(
                self._clock, lambda: self._stacks.events(self._own, (), after=None)
            )
        except ApiError:
            return False
        return any(event.token == token for event in events)

    async def find(self) -> StackDescription:
        """The stack as it is now, known by its id, or by its name and what its template says.

        One of this name whose template is another is not ours, and is never written to.
        """
        asked = self.stack_id or self._scope.stack_name
        found = await patiently(self._clock, lambda: self._stacks.describe(asked))
        if self.stack_id:
            return found
        if found.status in GONE:
            return found
        body = await patiently(self._clock, lambda: self._stacks.body(found.stack_id))
        if body.get("Description") != self._scope.description:
            raise ApiError(f"stack {found.stack_name} is not the one that {self._scope.run} made")
        self.stack_id = found.stack_id
        return found

    async def protect(self, name: str, record_type: str) -> None:
        """Protects a throw-away name."""
        self._scope.check_name(name)
        self._ledger.intend("protect", name=name, type=record_type)
        await patiently(
            self._clock,
            lambda: self._aws.protect(
                self._scope.zone_id, name, record_type, self._scope.description
            ),
        )

    async def unprotect(self, name: str, record_type: str) -> None:
        """Deletes the protection of a throw-away name."""
        self._scope.check_name(name)
        self._ledger.intend("unprotect", name=name, type=record_type)
        await patiently(
            self._clock, lambda: self._aws.unprotect(self._scope.zone_id, name, record_type)
        )

    @property
    def _own(self) -> str:
        if not self.stack_id:
            raise OutOfScopeError("this run has not created a stack")
        return self.stack_id

    def _token(self) -> str:
        self._tokens += 1
        return f"{self._scope.stack_name}-{self._tokens}"
