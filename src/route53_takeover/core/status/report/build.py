"""Makes the `Report` of a run from what its folder tells. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from route53_takeover.core.domain.names import shown_name
from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.status.any_run import doing_of, result_of
from route53_takeover.core.status.forecast_result import forecast_results
from route53_takeover.core.status.rehearsal_marks import title as rehearsal_title
from route53_takeover.core.status.report.charts import server_chart, share_chart
from route53_takeover.core.status.report.model import Fact, Line, Report, ServerGap
from route53_takeover.core.status.report.sent import batches
from route53_takeover.core.status.run_status import Need, Standing
from route53_takeover.core.status.run_words import few
from route53_takeover.core.status.snapshot import Detail
from route53_takeover.core.status.spoken_times import length, moment
from route53_takeover.core.takeover.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from route53_takeover.core.events import Event
    from route53_takeover.core.status.any_run import RunState
    from route53_takeover.core.status.run_status import LaterRestore, RunStatus
    from route53_takeover.core.status.snapshot import News, Snapshot
    from route53_takeover.core.switch.state import LiveAnswer, SwitchState


class RunFacts(NamedTuple):
    """What is known of a run besides its events. Empty where it was not kept.

    Attributes:
        identity: ARN of the credentials that started it; ``program``: the version that did.
        folder: where its files are.
        api_calls: by operation, of its processes that ended.
        restores: what `restore` did.
    """

    region: str = ""
    identity: str = ""
    program: str = ""
    folder: str = ""
    api_calls: Mapping[str, int] | None = None
    restores: tuple[LaterRestore, ...] = ()


class Followed(NamedTuple):
    """What was collected while the journal was folded.

    Attributes:
        news: every line of the timeline and about gaps.
        live: every answer to users' way.
    """

    history: Sequence[Event]
    news: Sequence[News]
    live: Sequence[LiveAnswer]


def build_report(
    state: RunState,
    shown: Snapshot,
    status: RunStatus,
    followed: Followed,
    facts: RunFacts,
    *,
    line_for: Callable[[str], str],
    detail: Detail = Detail.MAIN,
) -> Report:
    """The report of a run that has started.

    Args:
        line_for: the command line that does this with the run: ``resume``, ``restore``, ...
        detail: which lines of the timeline are shown.
    """
    ended = None if state.ending is None else result_of(state, facts.api_calls)
    is_takeover = isinstance(state, State)
    return Report(
        run=shown.run,
        kind=str(shown.words.kind),
        title=_title(shown, is_takeover=is_takeover),
        rehearsal=shown.rehearsal,
        began=shown.began,
        as_of=shown.now if state.ending is None else state.now,
        last=state.now,
        events=len(followed.history),
        status=status,
        headline=_headline(state, status),
        advice=tuple(_advice(shown, status, ended.owner_notice if ended else None, line_for)),
        facts=tuple(_facts(state, shown, facts)),
        phases=tuple((str(n.phase), n.time) for n in followed.news if n.phase),
        result=ended,
        records=shown.records,
        swaps=shown.swaps,
        checks=shown.checks,
        deploys=shown.deploys,
        gaps=tuple(_gaps(state, shown.now)),
        forecasts=tuple(forecast_results(state)) if isinstance(state, State) else (),
        lines=tuple(_lines(followed.news, detail)),
        batches=batches(followed.history, state),
        restores=facts.restores,
        api_calls=facts.api_calls,
        servers=server_chart(shown),
        shares=share_chart(followed.live, shown.meter),
    )


def _title(shown: Snapshot, *, is_takeover: bool) -> str:
    if is_takeover:
        names = tuple(dict.fromkeys(record.name for record in shown.records))
        return f"Takeover of {few(names) or shown.zone}"
    is_switched = any(swap.before != swap.after for swap in shown.swaps)
    return f"{'Switch' if is_switched else 'Guard'} of {shown.zone}"


def _headline(state: RunState, status: RunStatus) -> str:
    ended = state.ending
    stood = f"it was in phase {state.phase} at {moment(state.now)}"
    if status.restored_at is not None:
        before = f"the run itself had not ended: {stood}"
        if ended is not None:
            before = f"the run itself had ended {ended.outcome}: {ended.reason}"
        return f"restored by `restore` at {moment(status.restored_at)}; {before}"
    if ended is not None:
        return f"{ended.outcome}: {ended.reason}"
    if status.standing is Standing.DIED:
        return f"not ended: {stood}, and its process died"
    doing = doing_of(state).rstrip(".")
    return f"not ended: it is in phase {state.phase} (newest event {moment(state.now)}). {doing}"


def _advice(
    shown: Snapshot, status: RunStatus, notice: str | None, line_for: Callable[[str], str]
) -> Iterator[Fact]:
    for each in status.missing:
        then = ""
        if each.until is not None:
            then = f"; restored at {moment(each.until)} at the latest"
        elif status.alive:
            then = "; it is being restored"
        elif status.standing is Standing.DIED:
            rescues = {rescue.name: rescue for rescue in shown.cloud_rescues}
            then = ", and no process will restore it"
            if (rescue := rescues.get(each.name)) is not None:
                does = "restores" if shown.now <= rescue.at else "was to restore"
                then = f"; without a process, AWS {does} it at {moment(rescue.at)}"
        yield Fact("", f"{each}{then}.")
    if status.why and not status.missing:
        yield Fact("", status.why)
    match status.needs:
        case Need.RESUME:
            yield Fact("Resume with", line_for("resume"))
        case Need.RESTORE | Need.LOOK:
            yield Fact("Continue with", line_for("resume"))
            yield Fact("Or restore with", line_for("restore"))
        case Need.YOUR_TURN:
            yield Fact("Show it with", line_for("attach"))
        case None if status.alive and not shown.has_ended:
            yield Fact("Show it with", line_for("attach"))
        case None if status.standing is Standing.DIED:
            text = "It was a rehearsal, whose simulated account no longer exists."
            yield Fact("", text)
        case _:
            pass
    if notice and status.restored_at is None:
        yield Fact("", notice)


def _facts(state: RunState, shown: Snapshot, facts: RunFacts) -> Iterator[Fact]:
    if shown.rehearsal:
        yield Fact("Rehearsal", f"{rehearsal_title(shown.rehearsal)}; nothing real was changed")
    yield Fact("Started", moment(shown.began))
    if state.ending is not None:
        lasted = length(state.now - shown.began)
        yield Fact("Ended", f"{moment(state.now)}, after {lasted}")
    else:
        yield Fact("Newest event", moment(state.now))
    region = f", region {facts.region}" if facts.region else ""
    yield Fact("Account", f"{shown.account}{region}")
    yield Fact("By", facts.identity or "not recorded (a run of an earlier version)")
    if isinstance(state, State):
        yield Fact("Zone", f"{shown_name(state.plan.zone_name)} ({state.plan.zone_id})")
        yield Fact("Stack", shown.stack)
        used = dict.fromkeys(str(manual.strategy) for manual in state.plan.manuals)
        yield Fact("Strategy", ", ".join(used))
    else:
        yield from _switch_facts(state, shown)
    yield Fact("Program", f"route53-takeover {facts.program or '(version not recorded)'}")
    yield Fact("Run", shown.run)
    if facts.folder:
        yield Fact("Folder", facts.folder)


def _switch_facts(state: SwitchState, shown: Snapshot) -> Iterator[Fact]:
    options = state.plan.options
    yield Fact("Site", shown.zone)
    if shown.stack:
        yield Fact("Green's stack", shown.stack)
    if options.retire:
        yield Fact("Retired stack", options.retire)
    yield Fact("Strategy", f"switch, then {length(options.bake)} of checks on the live site")


def _gaps(state: RunState, now: float) -> Iterator[ServerGap]:
    """For each released name and each name server that answered before."""
    if not isinstance(state, State):
        return
    for name in state.names.values():
        if not name.was_released:
            continue
        for server in sorted(name.answered):
            since = name.silent_since.get(server)
            is_open = since is not None and state.ending is None
            silent = now - since if since is not None and is_open else 0.0
            yield ServerGap(
                server=server.removesuffix("."),
                name=display_name(name.name),
                seconds=round(max(name.silences.get(server, 0.0), silent), 3),
                is_open=is_open,
            )


def _lines(news: Iterable[News], detail: Detail) -> Iterator[Line]:
    """Those of this detail; what is said several times in a row is one line."""
    last: Line | None = None
    for each in news:
        if each.detail > detail:
            continue
        phase = str(each.phase) if each.phase else ""
        if last is not None and (last.text, last.phase) == (each.text, phase):
            last = replace(last, times=last.times + 1, until=each.time)
            continue
        if last is not None:
            yield last
        last = Line(time=each.time, text=each.text, mark=each.mark, phase=phase)
    if last is not None:
        yield last
