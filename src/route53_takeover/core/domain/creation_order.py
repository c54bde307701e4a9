"""The order in which records are created: Route 53 creates no alias whose target is absent."""

from __future__ import annotations

from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, TypeVar

from route53_takeover.core.domain.record_sets import normal_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from route53_takeover.core.domain.record_sets import RecordSet

_Node = TypeVar("_Node")


def dependencies_first(needs: Mapping[_Node, Collection[_Node]]) -> list[_Node]:
    """The nodes, each after those that it needs, else in their order.

    Those of a ring, and those that need one of them, come last.

    Args:
        needs: node -> the nodes that it needs, which are nodes too.
    """
    sorter = TopologicalSorter(needs)
    with suppress(CycleError):
        sorter.prepare()
    position = {node: number for number, node in enumerate(needs)}
    ordered: list[_Node] = []
    while ready := sorter.get_ready():
        ordered += sorted(ready, key=position.__getitem__)
        sorter.done(*ready)
    return [*ordered, *(node for node in needs if node not in ordered)]


def names_targets_first(records: Sequence[RecordSet]) -> list[str]:
    """The names of these record sets, those that others are aliases to before these."""
    needs: dict[str, set[str]] = {record.key.name: set() for record in records}
    for record in records:
        if record.alias:
            target = normal_name(record.alias.dns_name)
            needs[record.key.name] |= {target} & (needs.keys() - {record.key.name})
    return dependencies_first(needs)
