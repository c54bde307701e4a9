"""The distributions of the simulated account, on its timeline.

An update holds for the API at once and for each edge at a time of its own; until the last has it,
the distribution is ``InProgress``. Whoever writes is kept in `CloudFront.history`. Refusals are
`ApiFault`, with CloudFront's codes. What becomes of a request: `simulation.aws.cloudfront.passing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.core.domain.cloudfront_policies import MANAGED
from route53_takeover.core.domain.distributions import PolicyKind
from route53_takeover.simulation.aws.cloudfront.edges import Edge
from route53_takeover.simulation.aws.cloudfront.passing import Passing
from route53_takeover.simulation.aws.cloudfront.rules import check, completed
from route53_takeover.simulation.aws.http.faults import ApiFault

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from route53_takeover.simulation.aws.timeline import Schedule
    from route53_takeover.simulation.aws.web.routing import SiteAnswer, SiteRequest

NEWER = "NewerSetting"
"""A member that the SDK of a program does not know: see `simulation.aws.http.models`."""
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Habits(Struct, frozen=True, kw_only=True):
    """How long things take, in seconds.

    Attributes:
        edges: how many of them a distribution has.
        deploying: until the last edge has a new config.
        invalidating: until an invalidation is complete.
    """

    edges: int = 5
    deploying: float = 8.0
    invalidating: float = 3.0


class Written(Struct, frozen=True, kw_only=True):
    """What somebody wrote: a config, or the paths of an invalidation."""

    time: float
    by: str
    distribution_id: str
    config: Mapping[str, Any] = {}
    etag: str = ""
    invalidated: tuple[str, ...] = ()


class Invalidation(Struct, frozen=True, kw_only=True):
    """An invalidation, complete at ``done``."""

    invalidation_id: str
    reference: str
    paths: tuple[str, ...]
    created: float
    done: float


class SimDistribution:
    """One distribution."""

    def __init__(self, distribution_id: str, domain_name: str, config: dict[str, Any]) -> None:
        self.distribution_id = distribution_id
        self.domain_name = domain_name
        self.config = config
        self.etag = ""
        self.modified = 0.0
        self.deployed = 0.0
        self.edges: list[Edge] = []
        self.invalidations: list[Invalidation] = []

    @property
    def aliases(self) -> tuple[str, ...]:
        return tuple(self.config["Aliases"].get("Items") or ())

    def status(self, now: float) -> str:
        """``Deployed`` once every edge has the newest config."""
        return "Deployed" if now >= self.deployed else "InProgress"


class CloudFront:
    """Every distribution of an account, and the policies.

    Attributes:
        policies: content by kind and id, in the API's shape, without a name.
        history: every write, in order.
    """

    def __init__(self, timeline: Schedule, rng: Random, habits: Habits | None = None) -> None:
        self.timeline = timeline
        self.habits = habits or Habits()
        self.policies: dict[tuple[PolicyKind, str], Mapping[str, Any]] = {
            (_kind_of(content), policy_id): content for policy_id, content in MANAGED.items()
        }
        self.history: list[Written] = []
        self._rng = rng
        self._by_id: dict[str, SimDistribution] = {}
        self._passing = Passing(self, rng)

    def add(
        self, config: Mapping[str, Any], *, distribution_id: str = "", domain_name: str = ""
    ) -> SimDistribution:
        """A distribution that has been there for long, deployed."""
        made = SimDistribution(
            distribution_id or f"E{self._drawn(13)}",
            domain_name or f"d{self._drawn(13).lower()}.cloudfront.net",
            completed(config),
        )
        made.etag = self._new_etag()
        made.modified = made.deployed = self.timeline.now
        names = (f"EDGE{number}-P1" for number in range(1, self.habits.edges + 1))
        made.edges = [Edge(name, made.config) for name in names]
        self._by_id[made.distribution_id] = made
        return made

    def add_policy(self, kind: PolicyKind, policy_id: str, content: Mapping[str, Any]) -> None:
        """A policy of the account's own."""
        self.policies[kind, policy_id] = content

    def all(self) -> Sequence[SimDistribution]:
        """Every distribution, in the order of their ids."""
        return [self._by_id[each] for each in sorted(self._by_id)]

    def distribution(self, distribution_id: str) -> SimDistribution:
        """The distribution of this id."""
        if distribution_id not in self._by_id:
            raise ApiFault("NoSuchDistribution", "The specified distribution does not exist.", 404)
        return self._by_id[distribution_id]

    def policy(self, kind: PolicyKind, policy_id: str) -> Mapping[str, Any]:
        """A policy's content."""
        if (kind, policy_id) not in self.policies:
            code = "NoSuch" + "".join(word.title() for word in (*kind.split("-"), "policy"))
            raise ApiFault(code, "The specified policy does not exist.", 404)
        return self.policies[kind, policy_id]

    def update(
        self,
        distribution_id: str,
        config: Mapping[str, Any],
        etag: str | None,
        *,
        by: str = "client",
    ) -> SimDistribution:
        """Replaces the config of a distribution if it has this ETag."""
        found = self.distribution(distribution_id)
        if not etag:
            raise ApiFault("InvalidIfMatchVersion", "The If-Match version is missing or not valid.")
        if etag != found.etag:
            raise ApiFault(
                "PreconditionFailed",
                "The request failed because it didn't meet the preconditions in one or more "
                "request-header fields.",
                412,
            )
        check(config, found.config, {policy_id for _, policy_id in self.policies})
        self._check_aliases(found, config)
        found.config, found.etag = completed(config), self._new_etag()
        self._deploy(found)
        self.history.append(
            Written(
                time=self.timeline.now,
                by=by,
                distribution_id=distribution_id,
                config=deepcopy(found.config),
                etag=found.etag,
            )
        )
        return found

    def edit(
        self,
        distribution_id: str,
        by: str = "a person",
        **members: Any,  # noqa: ANN401 -- the API's
    ) -> SimDistribution:
        """Lets another writer change members of the config."""
        found = self.distribution(distribution_id)
        return self.update(distribution_id, {**found.config, **members}, found.etag, by=by)

    def touch(self, distribution_id: str) -> None:
        """Gives it another ETag without an edit, as the change of a policy does that it uses."""
        self.distribution(distribution_id).etag = self._new_etag()

    def plant(self, distribution_id: str, value: str = "on", *, origin_id: str = "") -> None:
        """Gives the config, or one origin, a setting that older SDKs do not know."""
        config = self.distribution(distribution_id).config
        of = next((o for o in config["Origins"]["Items"] if o["Id"] == origin_id), config)
        of[NEWER] = value

    def invalidate(
        self, distribution_id: str, paths: Sequence[str], reference: str, *, by: str = "client"
    ) -> Invalidation:
        """Begins an invalidation, or finds the one of this reference."""
        found, now = self.distribution(distribution_id), self.timeline.now
        for each in found.invalidations:
            if each.reference == reference:
                if each.paths != tuple(paths):
                    raise ApiFault(
                        "InvalidArgument",
                        "Your request contains a caller reference that was used for a previous "
                        "invalidation batch for the same distribution.",
                    )
                return each
        if not paths or not all(path.startswith("/") for path in paths):
            raise ApiFault("InvalidArgument", "Your request contains an invalid path.")
        made = Invalidation(
            invalidation_id=f"I{self._drawn(13)}",
            reference=reference,
            paths=tuple(paths),
            created=now,
            done=now + self.habits.invalidating,
        )
        for edge in found.edges:
            edge.purge(self._rng.uniform(now, made.done), made.paths)
        found.invalidations.append(made)
        self.history.append(
            Written(time=now, by=by, distribution_id=distribution_id, invalidated=made.paths)
        )
        return made

    def invalidation(self, distribution_id: str, invalidation_id: str) -> Invalidation:
        """The invalidation of this id."""
        for each in self.distribution(distribution_id).invalidations:
            if each.invalidation_id == invalidation_id:
                return each
        raise ApiFault("NoSuchInvalidation", "The specified invalidation does not exist.", 404)

    # -- requests

    def route(self, request: SiteRequest) -> SiteRequest | SiteAnswer | None:
        """Where a request goes now; an answer where an edge has or gives one itself."""
        return self._passing.route(request)

    def answered(self, passed: SiteRequest, answer: SiteAnswer) -> SiteAnswer:
        """The answer to a request that was passed on, as the viewer gets it; it may be kept."""
        return self._passing.answered(passed, answer)

    def _deploy(self, found: SimDistribution) -> None:
        now = self.timeline.now
        found.modified, found.deployed = now, now + self.habits.deploying
        for edge in found.edges:
            edge.configure(self._rng.uniform(now, found.deployed), found.config)

    def _check_aliases(self, found: SimDistribution, config: Mapping[str, Any]) -> None:
        wanted = {alias.lower() for alias in (config.get("Aliases") or {}).get("Items") or ()}
        for other in self._by_id.values():
            if other is not found and wanted & {alias.lower() for alias in other.aliases}:
                raise ApiFault(
                    "CNAMEAlreadyExists",
                    "One or more of the CNAMEs you provided are already associated with a "
                    "different resource.",
                    409,
                )

    def _new_etag(self) -> str:
        return f"E{self._drawn(13)}"

    def _drawn(self, length: int) -> str:
        return "".join(self._rng.choices(_ALPHABET, k=length))


def _kind_of(content: Mapping[str, Any]) -> PolicyKind:
    return PolicyKind.CACHE if "MinTTL" in content else PolicyKind.ORIGIN_REQUEST
