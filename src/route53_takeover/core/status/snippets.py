"""Texts to copy: commands that show the same data by other means, and the restore line.

Each is quoted for a shell. Only the restore line writes. In a rehearsal there are none that would
ask real servers about a simulated account.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.status.snapshot import Copy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.status.timeline import Timeline
    from route53_takeover.core.takeover.state import State

_PORT = 53


def command_line(verb: str, *words: str, state_dir: str = "") -> str:
    """A command line of this program that works in any folder.

    Args:
        state_dir: where the runs are; empty for the default, which needs no option.
    """
    where = ["--state-dir", state_dir] if state_dir else []
    return shlex.join(["route53-takeover", verb, *words, *where])


def copies(
    state: State, timeline: Timeline, *, rehearsal: str = "", state_dir: str = ""
) -> tuple[Copy, ...]:
    """The newest change, name server queries, AWS calls, and the restore line."""
    found = [*_changes(state, timeline)]
    if not rehearsal:
        found += [*_questions(state, timeline), *_calls(state, timeline)]
    restore = command_line("restore", state.run, state_dir=state_dir)
    return (*found, Copy(label="restore the records", text=restore))


def _changes(state: State, timeline: Timeline) -> Iterator[Copy]:
    for name in state.names:
        if name in timeline.change_ids:
            label = f"newest change of {display_name(name)}"
            yield Copy(label=label, text=timeline.change_ids[name])


def _questions(state: State, timeline: Timeline) -> Iterator[Copy]:
    """To each name server that the run asks, or else to those of the zone."""
    asked = {
        (h.original.key.name, "A" if h.original.type == "CNAME" else h.original.type): None
        for h in state.handovers
    }
    for name, kind in asked:
        heard = [server for n, t, server in timeline.answers if (n, t) == (name, kind)]
        for server in heard or state.plan.name_servers:
            host, port = _address(server)
            ports = [] if port == _PORT else ["-p", str(port)]
            words = ["dig", "+norecurse", f"@{host}", *ports, display_name(name), kind]
            label = f"ask {server.removesuffix('.')} for {display_name(name)} {kind}"
            yield Copy(label=label, text=shlex.join(words))


def _address(server: str) -> tuple[str, int]:
    """Host and port of ``HOST``, ``HOST:PORT`` or ``[ADDRESS]:PORT``."""
    host, colon, port = server.rpartition(":")
    if not colon or not port.isdecimal() or (":" in host and not host.startswith("[")):
        return server.removesuffix(".").strip("[]"), _PORT
    return host.strip("[]"), int(port)


def _calls(state: State, timeline: Timeline) -> Iterator[Copy]:
    for name in state.names:
        words = ["--hosted-zone-id", state.plan.zone_id, "--start-record-name", name]
        yield _aws(
            f"record sets at {display_name(name)}",
            ["route53", "list-resource-record-sets", *words, "--max-items", "5"],
        )
        if name in timeline.change_ids:
            words = ["route53", "get-change", "--id", timeline.change_ids[name]]
            yield _aws(f"status of the change of {display_name(name)}", words)
    stack = state.root.stack_id or state.root.stack_name or state.plan.options.stack
    region = stack.split(":")[3] if stack.startswith("arn:") and stack.count(":") > 2 else ""  # noqa: PLR2004 -- an ARN's parts
    words = ["cloudformation", "describe-stack-events", "--stack-name", stack]
    words += ["--max-items", "20"]
    yield _aws("newest events of the stack", [*words, *(["--region", region] if region else [])])


def _aws(label: str, words: list[str]) -> Copy:
    return Copy(label=label, text=shlex.join(["aws", *words]))
