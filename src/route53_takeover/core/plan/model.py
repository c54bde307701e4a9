"""The plan as a value: the request and what a run may do.

Nothing is written to AWS before a plan without refusals exists, and nothing outside
`Plan.written_keys` is
ever written by a run. What preflight reads is in
`route53_takeover.core.plan.facts`; plans are made in `route53_takeover.core.plan.planner`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Struct, UnsetType

from route53_takeover.core.domain.record_sets import (
    RecordKey,
    RecordSet,
)
from route53_takeover.core.domain.routing import other_members, unanswered
from route53_takeover.core.domain.soa import negative_ttl
from route53_takeover.core.domain.stacks import StackDescription
from route53_takeover.core.plan.measured import (
    MeasuredOutcome,
    Measurement,
    kind_of_record,
)
from route53_takeover.core.timing import EXPECTED_GAP, WEIGHT_EVERY

if TYPE_CHECKING:
    from route53_takeover.core.plan.measured import (
        MeasuredKind,
    )

DEFAULT_TTL = 60
"""Seconds: what a record's TTL is lowered to."""
SOA_LOCK = "the SOA of "
"""What the lock of a zone's SOA is called, before the zone's name."""
ADDRESSING = ("A", "AAAA", "CNAME", "HTTPS")
"""The types that address a name."""


class OwnerCheck(StrEnum):
    """Where other stacks are searched for owners of the records."""

    FULL = "full"
    REGION = "region"
    NONE = "none"


class Strategy(StrEnum):
    """How a record changes hands; one module each in `route53_takeover.core.plan.strategies`."""

    DELETE = "delete"
    ADOPT = "adopt"
    BRIDGE = "bridge"
    WEIGHTED = "weighted"
    AUTO = "auto"


class Finding(Struct, frozen=True, kw_only=True):
    """A refusal or a warning, and the way out of it."""

    text: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.hint}".strip()


class Options(Struct, frozen=True, kw_only=True):
    """What the user asked for. Durations in seconds; ``None`` means the default of the field.

    Attributes:
        ttl: what to lower TTLs to; ``None`` keeps them.
        negative_ttl: what to lower the negative TTL of the zone's SOA to; ``None`` keeps it.
        hold: how long CREATE_IN_PROGRESS must last before a release; ``None``: `ALIAS_HOLD` or
        `OTHER_HOLD`. restore_after: the deadman; ``None``: from the time that the record had been
        in progress. strategy_given: whether ``--strategy delete`` was said explicitly.
        deploy_off: shell command of the first deploy; ``None`` where it is skipped.
        deploy_on: shell command of the second; ``None`` where it is started elsewhere.
        confirm_release: a release also waits for the operator's confirmation.
        owner_check: where owners are looked for.
        template: path of the template that the deploy with the switch on will apply.
        parameters: ``KEY=VALUE``: what that deploy gives the template.
        preview: shell command that makes a change set of it instead, and does not execute it.
        accept_loss: values that the stack's record does not have may be lost.
        expected_gap: what the forecast assumes from a DELETE until CloudFormation's next try.
        jets: the app that ``--jets`` names, which the deploy commands were derived from.
        cloud_deadman: ARN of the role of the deadman in AWS (`core.plan.cloud_deadman`).
    """

    stack: str
    records: tuple[str, ...]
    zone: str | None = None
    deploy_off: str | None = None
    deploy_on: str | None = None
    strategy: Strategy = Strategy.DELETE
    strategy_given: bool = False
    weights: tuple[int, ...] = ()
    weight_every: float = WEIGHT_EVERY
    ttl: int | None = DEFAULT_TTL
    negative_ttl: int | None = None
    drain: bool = True
    hold: float | None = None
    restore_after: float | None = None
    deploy_timeout: float = 7200.0
    settle: float = 5.0
    probe: bool = True
    confirm_release: bool = False
    owner_check: OwnerCheck = OwnerCheck.FULL
    template: str | None = None
    parameters: tuple[str, ...] = ()
    preview: str | None = None
    accept_loss: bool = False
    expected_gap: float = EXPECTED_GAP

    @property
    def has_pending_template(self) -> bool:
        """Whether the template that will be deployed can be read beforehand."""
        return self.template is not None or self.preview is not None

    jets: JetsApp | None = None
    cloud_deadman: str | None = None


class JetsApp(Struct, frozen=True, kw_only=True):
    """A Ruby on Jets app, and what its files say of the switch.

    Attributes:
        major: the major version of Jets.
        program: what its deploy command starts: ``bundle``, or ``jets`` itself.
        domain_is_switched: Jets 4 and 5: without the switch there is no custom domain either.
        refusals: why a deploy with ``ROUTE53_ENABLE`` would not do what it has to.
        warnings: what its files do not tell for certain.
    """

    folder: str
    major: int
    program: str = "jets"
    domain_is_switched: bool = False
    refusals: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


class Manual(Struct, frozen=True, kw_only=True):
    """A record set to take over: as it is now, and what the run makes of it before the deploy.

    Attributes:
        lowered: with its lowered TTL, if it gets one.
        strategy: how it changes hands.
        prepared: what it is changed to right before the deploy with the switch on: exactly what the
            stack wants (``adopt``), or a member that the stack's can stand beside (``weighted``).
        weights: the weights that this member gets one after the other once the stack is complete.
    """

    original: RecordSet
    lowered: RecordSet | None = None
    strategy: Strategy = Strategy.DELETE
    prepared: RecordSet | None = None
    weights: tuple[int, ...] = ()

    @property
    def key(self) -> RecordKey:
        return self.original.key


class StrategyForecast(Struct, frozen=True, kw_only=True):
    """What one strategy would come to for all names of a plan.

    Attributes:
        reason: why it is not possible; empty where it is. The numbers are 0 then.
        hint: what would make it possible.
        gap_seconds: how long a record is expected to be missing, with nothing in its place.
        affected_share: of the resolvers, those that ask in that gap: 0 to 1.
        harmed_seconds: expected seconds without an answer for an average user of a name.
        worst_harmed_seconds: the same if CloudFormation creates nothing, until the restore.
        side_effects: what else changes meanwhile.
        reaches_others: whether names change what they answer that are not taken over.
    """

    strategy: Strategy
    reason: str = ""
    hint: str = ""
    gap_seconds: float = 0.0
    affected_share: float = 0.0
    harmed_seconds: float = 0.0
    worst_harmed_seconds: float = 0.0
    side_effects: tuple[str, ...] = ()
    reaches_others: bool = False

    @property
    def is_possible(self) -> bool:
        return not self.reason


class Helper(Struct, frozen=True, kw_only=True):
    """A record set that answers while a manual one is gone, and is removed at the end.

    It does not exist when the plan is made.

    Attributes:
        covers: the names that it answers for, in normal form.
    """

    record: RecordSet
    covers: tuple[str, ...]


class LoweredSoa(Struct, frozen=True, kw_only=True):
    """The zone's SOA as it is now, and with the negative TTL that it has during the run."""

    original: RecordSet
    lowered: RecordSet


class PlannedRecord(Struct, frozen=True, kw_only=True):
    """One record set before and after the deploy, as the plan shows it.

    Attributes:
        name: as it is shown.
        now: what stands; ``None`` where nothing does.
        desired: what will stand, in the API's shape, with intrinsic functions in the place of what
            is not known; ``None`` where nothing will, or where that is not known.
        known: whether the templates tell what will stand.
        owner: the stack that owns it now; empty where none does.
        resource: the logical ids that lead to what will create it.
        strategy: how it changes hands; empty where it does not.
    """

    name: str
    type: str
    now: RecordSet | None = None
    desired: dict[str, Any] | None = None
    known: bool = False
    owner: str = ""
    resource: str = ""
    strategy: str = ""

    @property
    def set_identifier(self) -> object:
        """Of a member of a routed group, as in ``desired``; ``None``: a simple record."""
        if self.now is not None:
            return self.now.set_identifier
        return (self.desired or {}).get("SetIdentifier")

    @property
    def label(self) -> str:
        """The record set as text names it."""
        identifier = self.set_identifier if isinstance(self.set_identifier, str) else None
        return str(RecordKey(self.name, self.type, identifier))


class Plan(Struct, frozen=True, kw_only=True):
    """What a run does, and all that it may write.

    Attributes:
        zone_is_unique: no other zone, public or private, has the name, so ``HostedZoneName`` in a
            template means this zone.
        manuals: the record sets to hand over.
        helpers: the record sets that answer in the meantime, for strategies that have such.
        owned: those of the asked-for record sets that the stack owns already, as it says.
        resources: ``STACK_ID LOGICAL_ID`` of every record set that the tree owned when the plan was
            made: whatever its name, it is none of the manual ones.
        expecting: the stacks of the tree that are to create record sets, as their templates tell.
        staying: other record sets at the names, that no one touches.
        vacant: records of the stack's groups with nothing in their way but what the stack owns.
        records: each record set that is taken over, owned or to be created: before and after.
        strategies: what each strategy would come to, whichever is chosen.
        negative_ttl: seconds for which a resolver caches that the name is absent.
        soa: the zone's SOA, where its negative TTL is lowered.
        measured: what `rehearse --live` has found out about this account and region.
    """

    options: Options
    zone_id: str
    zone_name: str
    zone_private: bool
    zone_is_unique: bool
    name_servers: tuple[str, ...]
    root: StackDescription
    account: str
    manuals: tuple[Manual, ...] = ()
    helpers: tuple[Helper, ...] = ()
    owned: tuple[RecordSet, ...] = ()
    resources: tuple[str, ...] = ()
    expecting: tuple[str, ...] = ()
    staying: tuple[RecordSet, ...] = ()
    vacant: tuple[RecordKey, ...] = ()
    records: tuple[PlannedRecord, ...] = ()
    strategies: tuple[StrategyForecast, ...] = ()
    refusals: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    negative_ttl: int = 900
    soa: LoweredSoa | None = None
    measured: Measurement | UnsetType = UNSET

    @property
    def refused(self) -> bool:
        """Whether the plan is refused."""
        return bool(self.refusals)

    @property
    def names(self) -> tuple[str, ...]:
        """The names to take over, in normal form, each once."""
        return tuple(dict.fromkeys(manual.key.name for manual in self.manuals))

    @property
    def written_names(self) -> tuple[str, ...]:
        """The names at which a run of this plan may write, in normal form, each once."""
        helpers = (helper.record.key.name for helper in self.helpers)
        return tuple(dict.fromkeys((*self.names, *helpers)))

    @property
    def locked_names(self) -> tuple[str, ...]:
        """What a run of this plan keeps other runs of the machine away from."""
        soa = () if self.soa is None else (f"{SOA_LOCK}{self.zone_name}",)
        return (*self.written_names, *soa)

    @property
    def negative_ttl_in_gap(self) -> int:
        """Seconds for which a resolver that asks during the run caches that a name is absent."""
        return self.negative_ttl if self.soa is None else negative_ttl(self.soa.lowered)

    @property
    def keys(self) -> frozenset[RecordKey]:
        """The record sets to take over."""
        return frozenset(manual.key for manual in self.manuals)

    def beside(self, record: RecordSet) -> tuple[RecordSet, ...]:
        """The other members of its routed group that stand while it is missing."""
        return other_members(record, (*self.staying, *self.owned))

    @property
    def written_keys(self) -> frozenset[RecordKey]:
        """Every record set that a run of this plan may write."""
        soa = () if self.soa is None else (self.soa.original.key,)
        return self.keys | self.added_keys | {*soa}

    @property
    def added_keys(self) -> frozenset[RecordKey]:
        """The record sets that do not exist and that a run may create for the meantime."""
        prepared = (m.prepared.key for m in self.manuals if m.prepared is not None)
        return frozenset({*prepared, *(h.record.key for h in self.helpers)}) - self.keys

    def manual(self, original: RecordSet) -> Manual:
        """The plan for the record set that a run found as this."""
        return next(m for m in self.manuals if m.original == original)

    def members_at(self, name: str) -> frozenset[str | None] | None:
        """The set identifiers of the record sets to take over at a name; ``None``: simple.

        ``None`` instead of all where the run turns a simple record into a member: any counts.
        """
        here = [m for m in self.manuals if m.key.name == name]
        if any(m.strategy is Strategy.WEIGHTED for m in here):
            return None
        return frozenset(m.key.set_identifier for m in here)

    def measured_of(
        self, record: RecordSet, desired: RecordSet | None = None
    ) -> MeasuredKind | None:
        """What was measured here with such a record in the way of one of the same kind."""
        if self.measured is UNSET or (
            desired is not None and kind_of_record(desired) is not kind_of_record(record)
        ):
            return None
        return self.measured.of_record(record)

    def may_be_unanswered(self, record: RecordSet) -> bool:
        """Whether clients may have no answer while this record set is missing."""
        others = self.beside(record)
        return not others or bool(unanswered(record, others))

    def may_be_missing(self, manual: Manual) -> bool:
        """Whether the run may delete it with nothing that answers in its place."""
        if manual.strategy is Strategy.ADOPT:
            return not any(manual.key.name in helper.covers for helper in self.helpers)
        return manual.strategy is Strategy.DELETE

    def expects_gap(self, manual: Manual) -> bool:
        """Whether that is to be expected: CloudFormation is not known to adopt A and AAAA."""
        measured = self.measured_of(manual.prepared or manual.original)
        adopts = measured is not None and measured.identical is MeasuredOutcome.ADOPTED
        can_adopt = manual.key.type not in ("A", "AAAA") or adopts
        is_adopted = manual.strategy is Strategy.ADOPT and can_adopt
        return self.may_be_missing(manual) and not is_adopted

    def harms(self, manual: Manual) -> bool:
        """Whether clients are expected to have no answer for a while when it changes hands."""
        return self.expects_gap(manual) and self.may_be_unanswered(manual.original)

    @property
    def drain_seconds(self) -> int:
        """Seconds until the old TTLs have expired in caches; 0 where nothing is lowered."""
        if not self.options.drain:
            return 0
        return max((m.original.ttl or 0 for m in self.manuals if m.lowered), default=0)
