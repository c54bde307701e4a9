"""The edges of a distribution: each gets a new config at a time of its own, and keeps answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.simulation.aws.web.routing import SiteAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping

Key = tuple[Any, ...]
"""What two requests have in common that get the same kept answer."""


class Kept(Struct, frozen=True, kw_only=True):
    """An answer in an edge's cache; ``path`` is the viewer's."""

    answer: SiteAnswer
    path: str
    since: float
    until: float


class Edge:
    """One edge, with what it has of one distribution."""

    def __init__(self, name: str, config: Mapping[str, Any]) -> None:
        self.name = name
        self._configs: list[tuple[float, Mapping[str, Any]]] = [(float("-inf"), config)]
        self._kept: dict[Key, Kept] = {}
        self._purges: list[tuple[float, tuple[str, ...]]] = []

    def configure(self, at: float, config: Mapping[str, Any]) -> None:
        """Lets it have this config from then on, unless it has a newer one by that time."""
        self._configs.append((at, config))

    def config(self, now: float) -> Mapping[str, Any]:
        """What it works by now."""
        return next(config for at, config in reversed(self._configs) if at <= now)

    def keep(self, key: Key, kept: Kept) -> None:
        """Puts an answer into the cache."""
        self._kept[key] = kept

    def kept(self, key: Key, now: float) -> Kept | None:
        """What the cache still has."""
        found = self._kept.get(key)
        if found is None or found.until <= now:
            return None
        is_purged = any(
            found.since <= at <= now and any(_fits(found.path, path) for path in paths)
            for at, paths in self._purges
        )
        return None if is_purged else found

    def purge(self, at: float, paths: tuple[str, ...]) -> None:
        """Lets it forget, at that time, what it has kept until then."""
        self._purges.append((at, paths))


def _fits(path: str, invalidated: str) -> bool:
    if invalidated.endswith("*"):
        return path.startswith(invalidated[:-1])
    return path == invalidated
