"""What is read of an account before a stack is retired, as values: all that a verdict is made from.

The stack with everything nested in it is called the tree. What its delete takes away is *doomed*;
what has ``DeletionPolicy: Retain`` is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from route53_takeover.core.domain.api_mappings import ApiMapping, CustomDomain, RoutingRule
from route53_takeover.core.domain.distributions import Distribution
from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.domain.stacks import StackDescription
from route53_takeover.core.plan.facts import OwnedRecord


class TreeResource(Struct, frozen=True, kw_only=True):
    """A resource that a stack of the tree has.

    Attributes:
        is_doomed: the delete takes it away: neither it nor the nested stack that it is in is
            retained.
        properties: as its template has them, with everything in place that is known; none where
            the template could not be read.
    """

    stack_id: str
    stack_name: str
    logical_id: str
    physical_id: str
    type: str
    is_doomed: bool = True
    properties: Mapping[str, Any] = {}

    def __str__(self) -> str:
        return f"{self.logical_id} of {self.stack_name}"


class TreeRecord(Struct, frozen=True, kw_only=True):
    """A record that a stack of the tree has, as a record set or in a group."""

    record: OwnedRecord
    stack_name: str
    is_doomed: bool = True

    def __str__(self) -> str:
        return f"{self.record.logical_id} of {self.stack_name}"


class LiveDomain(Struct, frozen=True, kw_only=True):
    """A custom domain of API Gateway, and where it leads."""

    domain: CustomDomain
    mappings: tuple[ApiMapping, ...] = ()
    rules: tuple[RoutingRule, ...] = ()


class ZoneRecords(Struct, frozen=True, kw_only=True):
    """A hosted zone and all of its records."""

    zone_id: str
    name: str
    private: bool = False
    records: tuple[RecordSet, ...] = ()


class ImportedExport(Struct, frozen=True, kw_only=True):
    """A value that the tree exports, and the other stacks that import it."""

    name: str
    stack_name: str
    importers: tuple[str, ...]


class Unread(Struct, frozen=True, kw_only=True):
    """Something that had to be read and could not be: nothing is known of it."""

    what: str
    id: str
    reason: str
    hint: str = ""


class RetireFacts(Struct, frozen=True, kw_only=True):
    """Everything that was read.

    Attributes:
        given: ``--stack`` as it was given.
        named: the stack that this is.
        root: the root of its tree, which is what a delete would delete.
        is_protected: the root has termination protection.
        outputs: the values of the outputs of the tree's stacks.
        imported: of the tree's exports, those that other stacks import.
        domains: every custom domain of the region.
        distributions: every distribution of the account.
        zones: the zones that hold a name of the tree.
    """

    given: str
    named: StackDescription
    root: StackDescription
    region: str
    is_protected: bool = False
    resources: tuple[TreeResource, ...] = ()
    records: tuple[TreeRecord, ...] = ()
    outputs: tuple[str, ...] = ()
    imported: tuple[ImportedExport, ...] = ()
    domains: tuple[LiveDomain, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    zones: tuple[ZoneRecords, ...] = ()
    unread: tuple[Unread, ...] = ()

    def of_type(self, *types: str) -> list[TreeResource]:
        """The tree's resources of these types."""
        return [each for each in self.resources if each.type in types]

    def live_domain(self, name: str) -> LiveDomain | None:
        """The custom domain of this name."""
        wanted = name.lower().removesuffix(".")
        return next((d for d in self.domains if d.domain.name.lower() == wanted), None)
