"""Everything outside the engine, as protocols: each has a real and a simulated implementation.

Errors: a port raises only the tree of `base.errors`. On `Records.change` the difference
between `RejectedChangeError` and `ThrottledError` (nothing was applied) and `UnansweredError`
(unknown) is what the safety of the whole program stands on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from route53_takeover.core.domain.api_mappings import (
        ApiDescription,
        ApiKind,
        ApiMapping,
        ApiTarget,
        CustomDomain,
        RoutingRule,
    )
    from route53_takeover.core.domain.distributions import Distribution, PolicyKind
    from route53_takeover.core.domain.http_checks import Check, CheckAnswer, Route
    from route53_takeover.core.domain.protections import Protection
    from route53_takeover.core.domain.record_sets import Change, RecordSet
    from route53_takeover.core.domain.stacks import (
        ChangeSet,
        EventMark,
        StackDescription,
        StackDetails,
        StackEvent,
        StackResource,
    )


class Clock(Protocol):
    """Time, in seconds since the epoch. It counts the time that the machine was asleep."""

    speed: float
    """How many of its seconds pass in one of the event loop's; 1.0 but in rehearsals."""
    longest_wait: float
    """Its seconds after which it is to be looked at again, come what may: the event loop's timers
    may have stopped while the machine slept."""

    def now(self) -> float: ...

    def go_on_from(self, time: float) -> None:
        """Never tells an earlier time than ``time`` from now on.

        A run that goes on in a new process must not wait until a wall clock that was set back has
        reached its deadlines again.
        """

    async def sleep(self, seconds: float) -> None:
        """Waits for so many of this clock's seconds."""


class Zone(Struct, frozen=True, kw_only=True):
    """A hosted zone: id without prefix, name in normal form, its delegated name servers.

    ``record_count``: how many record sets it has, as far as Route 53 says; 0 where it does not.
    ``guardrails``: the change guardrails that are on.
    """

    zone_id: str
    name: str
    private: bool = False
    name_servers: tuple[str, ...] = ()
    record_count: int = 0
    guardrails: tuple[str, ...] = ()


class Records(Protocol):
    """Route 53. ``zone_id`` is without prefix; names are in normal form."""

    async def zones(self, name: str) -> Sequence[Zone]:
        """Every hosted zone, public and private, whose name is ``name`` or a parent of it.

        The most specific first.
        """

    async def every_zone(self) -> Sequence[Zone]:
        """Every hosted zone of the account, as far as the list tells: no name servers."""

    async def zone(self, zone_id: str) -> Zone:
        """One zone by its id."""

    async def read_zone(self, zone_id: str) -> Sequence[RecordSet]:
        """Every record set of the zone (all pages)."""

    async def read_from(self, zone_id: str, name: str) -> Sequence[RecordSet]:
        """Every record set at this name, and of what comes behind it as much as the call returns.

        Route 53 lists a name's children right behind it.
        """

    async def read_name(self, zone_id: str, name: str) -> Sequence[RecordSet]:
        """Every record set at exactly this name; empty where there is none."""

    async def protections(self, zone_id: str, names: Collection[str]) -> Sequence[Protection]:
        """The record set protections of every type at exactly these names.

        Raises:
            ApiError: they cannot be listed; `AccessDeniedError` where it is not allowed.
        """

    async def change(self, zone_id: str, changes: Sequence[Change], comment: str) -> str:
        """Sends one batch, **in a single attempt**; returns the change id.

        Raises:
            RejectedChangeError: nothing was applied: the batch does not fit the zone.
            ThrottledError: nothing was applied: too fast, or a prior request is not complete.
            UnansweredError: it may have been applied.
            EndpointError: nothing was sent.
        """

    async def is_insync(self, change_id: str) -> bool:
        """Whether every name server serves the change (``GetChange`` says INSYNC)."""

    async def warm(self) -> None:
        """Opens or keeps open the connection, so that the next call costs one round trip."""


class Stacks(Protocol):
    """CloudFormation. ``stack`` is a name or an ARN; an ARN also finds a deleted stack."""

    async def describe(self, stack: str) -> StackDescription:
        """Its status; `ABSENT` with empty ids where no such stack exists."""

    async def resources(self, stack_id: str, *, urgent: bool = False) -> Sequence[StackResource]:
        """Every resource of one stack (all pages), children not descended into.

        Args:
            urgent: before other reads that wait for their turn.
        """

    async def stacks(self, found: Callable[[int], None]) -> Sequence[StackDescription]:
        """Every stack of this region that is not deleted, nested ones included (all pages).

        Args:
            found: told after each page how many it held.
        """

    async def other_regions(self) -> Sequence[str]:
        """The regions besides this one in which a stack might own a record.

        Raises:
            ApiError: there may be some, and this connection does not reach them.
        """

    def in_region(self, region: str) -> AbstractAsyncContextManager[Stacks]:
        """The stacks of another region, on the same credentials."""

    async def body(self, stack_id: str) -> Mapping[str, Any]:
        """The template in force, parsed, with macros expanded where it can be."""

    async def details(self, stack_id: str) -> StackDetails:
        """The parameters and outputs in force."""

    async def exports(self) -> Mapping[str, str]:
        """What the stacks of this region export, by the exports' names (all pages)."""

    async def importers(self, export: str) -> Sequence[str]:
        """Names of the stacks of this region that import an export (all pages)."""

    async def newest_event(self, stack_id: str) -> EventMark | None:
        """Its newest event; ``None`` where it has none or does not exist."""

    async def events(
        self,
        stack_id: str,
        known: Container[str],
        *,
        after: str | None,
        urgent: bool = False,
    ) -> Sequence[StackEvent]:
        """New events, oldest first, in whole pages.

        Reading goes back from the newest event to ``after``, which is left out; without it, to the
        newest event that starts an operation of the stack, which is included. It also ends with the
        first page that holds a ``known`` id; known events are left out, and one that came late and
        stands behind them on that page is not missed. A stack that does not exist has no events.

        Args:
            urgent: before other reads that wait for their turn.
        """


class StackDeletes(Protocol):
    """Deleting a stack of CloudFormation."""

    async def delete_stack(self, stack_id: str, token: str) -> None:
        """Begins it; the same token begins it once. Raises ApiError."""


class ChangeSets(Protocol):
    """CloudFormation's change sets. Nothing here creates or executes one."""

    async def change_sets(self, stack: str) -> Sequence[str]:
        """The ids of a stack's change sets (all pages); none where no such stack exists."""

    async def change_set(self, change_set_id: str) -> ChangeSet:
        """One change set with its changes (all pages), and their values where the API has them."""

    async def change_set_body(self, change_set_id: str) -> Mapping[str, Any]:
        """Its template, parsed, with macros expanded where it can be."""

    async def delete_change_set(self, change_set_id: str) -> None:
        """Deletes it, and those nested in it; only for one that the caller's preview made."""


class DeployExit(Struct, frozen=True, kw_only=True):
    """How a deploy command ended; ``code`` is ``None`` where the exit status is lost."""

    code: int | None
    tail: str = ""
    timed_out: bool = False


class Deployer(Protocol):
    """Runs the deploy commands, which outlive this process. ``switch`` is ``off`` or ``on``."""

    async def run(self, switch: str) -> DeployExit:
        """Starts the command and waits for its end."""

    async def rejoin(self, switch: str) -> DeployExit:
        """Waits for one that an earlier process may have started; never starts one."""

    def ever_started(self, switch: str) -> bool:
        """Whether it may have been started at some time; false is certain."""


class DnsAnswer(Struct, frozen=True, kw_only=True):
    """What one name server said: ``answer``, ``nxdomain``, ``nodata``, ``timeout``, ``error``."""

    server: str
    name: str
    type: str
    status: str
    values: tuple[str, ...] = ()
    ttl: int | None = None


class Prober(Protocol):
    """Asks the zone's name servers directly."""

    async def probe(self, name: str, record_type: str) -> Sequence[DnsAnswer]:
        """One answer a server, each within a second; never raises."""


class StateMachine(Struct, frozen=True, kw_only=True):
    """A state machine: its definition as JSON, and the role that it works with."""

    definition: str
    role_arn: str


class StepFunctions(Protocol):
    """Step Functions, as far as the deadman in AWS needs it (`core.plan.cloud_deadman`).

    Raises, of each call: `NotFoundError` where there is no such state machine or execution.
    """

    region: str

    async def machine(self, machine_arn: str) -> StateMachine: ...

    async def test(self, role_arn: str, definition: str, given: str) -> tuple[str, str]:
        """Carries one state out with this role; its error and the cause, both empty without one."""

    async def start(self, machine_arn: str, name: str, given: str) -> None:
        """Starts an execution; the same name is never started twice.

        Raises:
            UnansweredError: it may have been started.
        """

    async def is_running(self, execution_arn: str) -> bool:
        """Whether it has not ended."""

    async def stop(self, execution_arn: str) -> None:
        """Stops it; one that has ended stays as it is."""

    async def running(self, machine_arn: str) -> Sequence[str]:
        """The names of the executions that run (all pages); new ones may be missing."""


class ApiGateway(Protocol):
    """API Gateway's custom domains and their mappings, by whichever of its two APIs fits a domain.

    A mapping has no version and no compare-and-set: who writes reads before and after.
    """

    async def domains(self) -> Sequence[CustomDomain]:
        """Every custom domain of this region (all pages)."""

    async def domain(self, name: str) -> CustomDomain:
        """One custom domain.

        Raises:
            NotFoundError: there is none of this name.
        """

    async def mappings(self, domain: CustomDomain) -> Sequence[ApiMapping]:
        """Every mapping of a custom domain (all pages)."""

    async def point(
        self, domain: CustomDomain, base_path: str, mapping: ApiMapping | None, to: ApiTarget
    ) -> None:
        """Lets a base path lead to this stage, in **one** request, sent **once**.

        Args:
            mapping: the one that is changed; ``None``: there is none, and it is created.

        Raises:
            RejectedChangeError: nothing was applied; `AccessDeniedError` and `NotFoundError` too.
            ThrottledError: nothing was applied.
            UnansweredError: it may have been applied.
            EndpointError: nothing was sent.
        """

    async def api(self, target: ApiTarget, kind: ApiKind | None = None) -> ApiDescription:
        """An API, one stage of it, and what is set there.

        Args:
            kind: which it is, where that is known: an id alone does not tell.

        Raises:
            NotFoundError: there is no such API in this region.
        """

    async def api_ids(self) -> Mapping[str, ApiKind]:
        """Every API of this region (all pages): its id, and whether it is REST or not."""

    async def stages(self, api_id: str, kind: ApiKind) -> Sequence[str]:
        """The names of an API's stages (all pages)."""

    async def rules(self, domain: CustomDomain) -> Sequence[RoutingRule]:
        """Every routing rule of a custom domain (all pages)."""

    async def create_rule(self, domain: CustomDomain, rule: RoutingRule) -> None:
        """Creates a rule, sent **once**; its id is ignored. Raises as `point` does."""

    async def delete_rule(self, domain: CustomDomain, rule_id: str) -> None:
        """Deletes a rule, sent **once**. Raises as `point` does."""


class Distributions(Protocol):
    """CloudFront."""

    async def distributions(self) -> Sequence[Distribution]:
        """Every distribution of the account (all pages).

        Without ETag; ``config`` has what the list tells, origins and behaviours among it.
        """

    async def distribution(self, distribution_id: str) -> Distribution:
        """One distribution with its whole config.

        Raises:
            NotFoundError: there is none of this id.
        """

    async def update(
        self, distribution_id: str, etag: str, config: Mapping[str, Any]
    ) -> Distribution:
        """Replaces the whole config if it still has this ETag, sent **once**.

        Raises:
            RejectedChangeError: nothing was applied; its code is ``PreconditionFailed`` where the
                ETag is another one by now. `AccessDeniedError` and `NotFoundError` too.
            ThrottledError: nothing was applied.
            UnansweredError: it may have been applied.
            EndpointError: nothing was sent.
        """

    async def policy(self, kind: PolicyKind, policy_id: str) -> Mapping[str, Any]:
        """The content of a policy, in the API's shape, without its name and comment."""

    async def invalidate(self, distribution_id: str, paths: Sequence[str], reference: str) -> str:
        """Begins an invalidation and returns its id; the same reference begins only one."""

    async def is_invalidated(self, distribution_id: str, invalidation_id: str) -> bool:
        """Whether an invalidation is complete."""


class HttpChecks(Protocol):
    """Carries out checks; see `core.domain.http_checks`."""

    async def carry_out(self, check: Check, route: Route) -> CheckAnswer:
        """One check by one way, within 10 seconds (a command: a minute); never raises."""
