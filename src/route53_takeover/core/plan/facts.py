"""What preflight reads of the account, as values: all that a plan is made from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.names import shown_name
from route53_takeover.core.domain.protections import Protection
from route53_takeover.core.domain.record_sets import (
    RecordSet,
    normal_name,
)
from route53_takeover.core.domain.stacks import StackDescription, StackResource
from route53_takeover.core.plan.measured import Measurement
from route53_takeover.core.plan.model import Finding


class Identity(Struct, frozen=True, kw_only=True):
    """Who calls AWS. ``expires`` is seconds since the epoch, ``None`` for lasting credentials."""

    account: str
    arn: str
    expires: float | None = None
    renewable: bool = True
    needs_mfa: bool = False


class OwnedRecord(Struct, frozen=True, kw_only=True):
    """A record that a stack has as a resource, or as a part of one.

    Attributes:
        name: as it is spelt; ``?`` in the place of what its template does not tell.
        pattern: a regular expression of the names, in normal form, that it may have; empty where
            ``name`` is all of it.
        desired: what the template asks for, where it tells which record set that is.
        type: what is told of it otherwise; ``None`` where it is open; so are ``zone_id`` and
            ``zone_name``, of which a template has one.
        group: whether it is one of a ``RecordSetGroup``.
    """

    stack_id: str
    logical_id: str
    name: str
    pattern: str = ""
    desired: DesiredRecord | None = None
    type: str | None = None
    zone_id: str | None = None
    zone_name: str | None = None
    group: bool = False

    @property
    def record_type(self) -> str | None:
        """Its type, where that is known."""
        return self.type if self.desired is None else self.desired.record.type

    @property
    def zone(self) -> tuple[str | None, str | None]:
        """Id and name of its zone, where known."""
        known = self if self.desired is None else self.desired
        return known.zone_id, known.zone_name

    def may_be_at(self, name: str) -> bool:
        """Whether this may be its name, which is given in normal form."""
        if self.pattern:
            return re.fullmatch(self.pattern, name) is not None
        return normal_name(self.name) == name


class PendingRecord(Struct, frozen=True, kw_only=True):
    """A record that a stack's pending template has.

    Attributes:
        record: of its stack, whose id is empty where that does not exist yet.
        path: the logical ids that lead to it from the root.
        properties: its own, as far as they are resolved.
        condition: name of its condition.
        certain: it will be there after the deploy; otherwise that hangs on ``condition``.
        exists: the stack owns this record set as this resource already.
        retained: CloudFormation leaves it when a later template lacks it.
    """

    record: OwnedRecord
    path: str
    properties: dict[str, Any] = {}
    condition: str = ""
    certain: bool = True
    exists: bool = False
    retained: bool = False


class PendingResource(Struct, frozen=True, kw_only=True):
    """Any resource of a pending template: the logical ids that lead to it, and what it waits for.

    ``depends``: logical ids in its own stack.
    """

    path: str
    type: str
    depends: tuple[str, ...] = ()


class StackRead(Struct, frozen=True, kw_only=True):
    """A stack of the tree as it was read.

    Attributes:
        path: the logical ids that lead to it from the root, each with a slash behind it.
        resources: those that it has.
    """

    stack_id: str
    path: str
    resources: tuple[StackResource, ...]


class PendingTemplate(Struct, frozen=True, kw_only=True):
    """What is known of the template that the deploy with the switch on will apply.

    Attributes:
        source: which template it is, as messages name it.
        given: it was given by ``--template`` or ``--preview``; otherwise it is the one in force,
            whose conditions the deploy may turn.
        records: its record sets, and the records of its groups.
        resources: all of its resources, of whatever type; empty where it was not given.
        deletions: records that resources of the CDK's ``deleteExisting`` delete in the deploy.
        unread: what of it could not be read, a sentence each.
        certificates: logical ids of its certificates, which write their own validation records.
        assumed: condition -> the parameters that make it false and were not given.
        warnings: what came of making a preview.
        digest: SHA-256 of the template and those nested in it.
    """

    source: str
    given: bool = False
    records: tuple[PendingRecord, ...] = ()
    resources: tuple[PendingResource, ...] = ()
    deletions: tuple[OwnedRecord, ...] = ()
    unread: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    assumed: dict[str, tuple[str, ...]] = {}
    warnings: tuple[Finding, ...] = ()
    digest: str = ""


class StackRecord(Struct, frozen=True, kw_only=True):
    """A stack, and a record that it owns or creates.

    Attributes:
        region: where the stack is, if it is another region.
        unread: why its template could not be read; empty where it was.
        creating: the stack does not have it yet, and tries to create it.
    """

    stack: StackDescription
    record: OwnedRecord
    region: str = ""
    unread: str = ""
    creating: bool = False


class Unasked(Struct, frozen=True, kw_only=True):
    """A region whose stacks could not be read: the error and its hint."""

    region: str
    error: str
    hint: str = ""


class OtherZone(Struct, frozen=True, kw_only=True):
    """Another zone of the account whose name could hold the records too."""

    zone_id: str
    name: str
    private: bool
    name_servers: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{shown_name(self.name)} ({self.zone_id}{', private' if self.private else ''})"


class UnfinishedRun(Struct, frozen=True, kw_only=True):
    """An earlier run that lowered the TTL of a record set, or deleted it, and has not undone that.

    ``attach``, ``resume`` and ``restore`` are the lines that do so.
    """

    run: str
    original: RecordSet
    is_alive: bool
    attach: str
    resume: str
    restore: str


class Facts(Struct, frozen=True, kw_only=True):
    """What preflight read, all of it before the first write.

    Attributes:
        zone_records: every record set of the zone, or of a large one what was read: at the apex,
            at the names and above them, where the deploy creates others, and what Route 53 lists
            behind those.
        zone_unread: how many others the zone has.
        zone_names: the names of which every record set was read, whatever was not.
        guardrails: the zone's change guardrails that are on.
        protections: the record set protections at the names.
        protections_unread: why they are not all known; empty where they are.
        same_name_zones: zones of the zone's name, as public or private as it, this one included.
        other_zones: every zone beside it that could hold the names, public or private.
        delegated: the name servers that the parent delegates to; ``None`` where not asked.
        stack: the root stack, `ABSENT` where there is none.
        stacks: the stacks of the tree, the root first.
        owned: record sets of the tree, and the records of its groups.
        expected: record sets that the tree's templates hold and no resource stands for yet.
        expecting: the ids of the stacks whose templates do.
        retained: those of them that CloudFormation leaves when a later template lacks them.
        hidden: logical ids of such record sets whose name or type the templates hide.
        coming: records of groups that only its templates hold so far.
        pending: what the deploy with the switch on is going to apply, as far as it is known.
        outliving: ``STACK_ID LOGICAL_ID`` of what the tree owns and CloudFormation leaves when a
            later template lacks it.
        foreign: records that may be at these names and that stacks outside the tree own.
        unasked: the regions whose stacks could not be read.
        near_stacks: stacks of like names, where there is none of the name that was given.
        missing_programs: of the deploy commands, which certainly cannot be found.
        cwd: where the deploy commands run.
        unfinished: what earlier runs of this machine have left at the zone's records.
        given_stack: what ``--stack`` named, where it was a child of the root.
        custom_domains: the API Gateway custom domains that the tree owns.
        custom_domains_elsewhere: those of the region's other stacks -> the stack's name.
        measured: what `rehearse --live` has found out about the account and region.
    """

    now: float
    identity: Identity
    region: str
    zone_id: str
    zone_name: str
    zone_private: bool
    zone_name_servers: tuple[str, ...]
    zone_records: tuple[RecordSet, ...]
    stack: StackDescription
    zone_unread: int = 0
    zone_names: frozenset[str] = frozenset()
    guardrails: tuple[str, ...] = ()
    protections: tuple[Protection, ...] = ()
    protections_unread: str = ""
    same_name_zones: tuple[str, ...] = ()
    delegated: tuple[str, ...] | None = None
    other_zones: tuple[OtherZone, ...] = ()
    stacks: tuple[StackRead, ...] = ()
    owned: tuple[OwnedRecord, ...] = ()
    expected: tuple[DesiredRecord, ...] = ()
    expecting: tuple[str, ...] = ()
    retained: tuple[DesiredRecord, ...] = ()
    hidden: tuple[str, ...] = ()
    coming: tuple[OwnedRecord, ...] = ()
    pending: PendingTemplate = PendingTemplate(source="the template in force")
    outliving: frozenset[str] = frozenset()
    foreign: tuple[StackRecord, ...] = ()
    unasked: tuple[Unasked, ...] = ()
    near_stacks: tuple[str, ...] = ()
    missing_programs: tuple[str, ...] = ()
    cwd: str = ""
    unfinished: tuple[UnfinishedRun, ...] = ()
    given_stack: str | None = None
    custom_domains: tuple[str, ...] = ()
    custom_domains_elsewhere: Mapping[str, str] = {}
    measured: Measurement | UnsetType = UNSET
