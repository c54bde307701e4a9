"""Questions about helper records: which names they answer for now, and whether everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

from route53_takeover.core.takeover.name_state import HelperStatus
from route53_takeover.core.takeover.queries import ANSWERED
from route53_takeover.core.timing import HELPER_PATIENCE, INSYNC_PATIENCE, PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.takeover.name_state import HelperState, NameState, WrittenName
    from route53_takeover.core.takeover.state import State

DENIED = frozenset({"nxdomain", "nodata"})
"""What a name server says of a name that has no such record (`core.ports.DnsAnswer`)."""


def helper_of(state: State, name: str) -> HelperState | None:
    """The helper that answers, or is to answer, for a name."""
    return next((each for each in state.helpers.values() if name in each.covers), None)


def is_covered(state: State, name: NameState) -> bool:
    """Whether helper records answer for whatever of the name is gone."""
    return bool(name.covered_by) and not denying_servers(state, name)


def denying_servers(state: State, name: NameState) -> tuple[str, ...]:
    """The name servers that say the name does not exist, of those that answered for it before.

    What they said of it before the change was on every one of them does not count.
    """
    if not is_synced(state, name):
        return ()
    return tuple(s for s in sorted(name.answered) if name.answers.get(s) in DENIED)


def is_gapless(state: State, name: NameState) -> bool:
    """Whether a name without its record has an answer all the same."""
    return name.is_absent and is_covered(state, name)


def is_synced(state: State, name: WrittenName) -> bool:
    """Whether every name server has its last change, or must have."""
    if state.now >= name.wrote_at + INSYNC_PATIENCE:
        return True
    return name.unsynced is None and (name.synced_at is None or state.now >= name.synced_at)


def is_serving(state: State, helper: HelperState) -> bool:
    """Whether every name server that answers for the names answers a name that only it covers.

    Without name servers to ask, that it is INSYNC has to do.
    """
    if helper.stage is not HelperStatus.STANDING or not is_synced(state, helper):
        return False
    asked = {s for name in helper.covers for s in state.names[name].answered}
    return all(helper.answers.get(server) == ANSWERED for server in asked)


def is_bridge_awaited(state: State, name: NameState) -> bool:
    """Whether a release waits until helper records answer for the name: not without end."""
    helper = helper_of(state, name.name)
    return helper is not None and not is_serving(state, helper) and may_serve(state, helper)


def may_serve(state: State, helper: HelperState) -> bool:
    """Whether the helper may come to answer everywhere, as far as was seen so far."""
    if helper.given_up or helper.stage not in (HelperStatus.PLANNED, HelperStatus.STANDING):
        return False
    if helper.failures >= PATIENCE or helper.attempts >= PATIENCE:
        return False
    return not helper.created_at or state.now < helper.created_at + HELPER_PATIENCE


def probe_name(state: State, helper: HelperState) -> str:
    """A name that has no record, and that only the helper can answer for."""
    parent = helper.name.partition(".")[2]
    return f"takeover-{crc32(f'{state.run}{helper.name}'.encode()):08x}.{parent}"


def helper_probes(state: State) -> Iterator[tuple[str, str]]:
    """Name and type of each question that shows whether a helper answers."""
    for helper in state.helpers.values():
        if helper.stage is HelperStatus.STANDING:
            for record in helper.records:
                kind = "A" if record.type == "CNAME" else record.type
                yield probe_name(state, helper), kind
