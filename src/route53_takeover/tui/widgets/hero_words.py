"""The sentences of the hero: what happens, what users get, what to do, and how a run ended.

A sentence says only what the view shows; the bars, the digits and the keys are in `hero`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.endings import Outcome
from route53_takeover.core.status.choices import Act
from route53_takeover.core.status.rehearsal_marks import mark
from route53_takeover.core.status.result import gap_words
from route53_takeover.core.status.run_words import RunKind
from route53_takeover.core.status.snapshot import Mark
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.output.text_lines import swap_line
from route53_takeover.process.protocol import KILLED, Link
from route53_takeover.tui.frame import Frame
from route53_takeover.tui.marks import MUTED, STRONG
from route53_takeover.tui.state_colour import DENIED, DIED, Tone, failing, state_of, to_confirm
from route53_takeover.tui.wording import clock, duration, plain, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.status.result import RecordResult, Result
    from route53_takeover.core.status.snapshot import Snapshot
    from route53_takeover.process.protocol import View
    from route53_takeover.tui.key_bar import Hint

ITS_ACCOUNT_TOO = "The process of this rehearsal has died, and its simulated account with it."
ALERT = "bold $text-warning"
_DIAGNOSE = "; for the owner and the way out: "
"""What is between a reason and the command that shows more, in `failure_reason`."""
_LATE = "did not create the record in time"
_MAKE_PERMANENT = ": make the switch permanent now."
_PERMANENT = (
    "Make the switch permanent now: in the template, remove the condition or turn its default on."
)

# -- what happens


def headline(sight: Frame) -> Content:
    """The first line: the most important fact."""
    snapshot, link = sight.view.snapshot, sight.view.link
    if snapshot.result is not None:
        return plain(_sentence(snapshot.result.reason))
    if link in DIED:
        return plain(_dead(sight))
    if link is Link.STALE:
        return plain(f"The run's process is silent; it may be stopped. {_bare(sight)}".strip())
    if snapshot.absences:
        return plain(_bare(sight))
    if state_of(sight.view).tone is Tone.YOUR_TURN:
        return plain(_asked(sight))
    return Content.assemble(f"{sight.spinner('»')} ", plain(snapshot.doing))


def said_in_a_line(view: View, hints: tuple[Hint, ...]) -> str:
    """State and sentence, for where nothing else fits."""
    sight = Frame(view=view, now=view.snapshot.now, hints=hints)
    return f"{state_of(view).word}: {headline(sight).plain.removeprefix('» ')}"


def _asked(sight: Frame) -> str:
    """What the user must do now, with the key for it."""
    snapshot = sight.view.snapshot
    names = ", ".join(map(display_name, to_confirm(snapshot)))
    key = next((hint.key for hint in sight.hints if hint.action == "release"), "")
    if names and key and not snapshot.paused:
        return f"CloudFormation is waiting: press {key} to delete the old record of {names} now."
    return snapshot.needs_person


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _bare(sight: Frame) -> str:
    """Which names lack what."""
    snapshot = sight.view.snapshot
    if not snapshot.absences:
        return ""
    worst = max(snapshot.absences, key=lambda each: _denials(snapshot, each.name))
    others = len(snapshot.absences) - 1
    more = f" and {others} more" if others else ""
    unreal = f"{mark(snapshot.rehearsal)}, nothing real: " if snapshot.rehearsal else ""
    who = f"{unreal}{worst.name}{more}"
    get = _what_users_get(snapshot)
    if not worst.is_certain:
        return f"{who} is being deleted; Route 53 has not answered yet."
    if worst.answers:
        return f"{who} is missing; {worst.answers}."
    if sight.view.link is Link.REPLAY:
        return f"{who} had no record: {in_the_past(get)}"
    if snapshot.rehearsal:
        get = get.replace("users get", "users would get")
    return f"{who} {'have' if others else 'has'} no record: {get}"


def _denials(snapshot: Snapshot, name: str) -> int:
    """How many name servers say that there is none."""
    latest = [s.answers[-1].status for s in snapshot.servers if s.answers and s.name == name]
    return sum(status in DENIED for status in latest)


def _what_users_get(snapshot: Snapshot) -> str:
    """Of names that have no record, as far as the name servers show it."""
    latest = [server.answers[-1].status for server in snapshot.servers if server.answers]
    denied = sum(status in DENIED for status in latest)
    if latest and not denied:
        return "name servers still answer as before."
    return "users get no answer." if denied == len(latest) else "some users get no answer."


def _dead(sight: Frame) -> str:
    snapshot = sight.view.snapshot
    if sight.view.link is Link.KILLED:
        return KILLED
    if not sight.view.resumable:
        return ITS_ACCOUNT_TOO
    if snapshot.absences:
        worst = snapshot.absences[0]
        what = "IS MISSING" if worst.answers else "HAS NO RECORD"
        rescue = next((each for each in snapshot.cloud_rescues if each.name == worst.name), None)
        if rescue is None:
            return f"{worst.name} {what} and no process will restore it{_resumes(sight)}."
        if sight.now < rescue.at:
            return f"{worst.name} {what}: AWS restores it at {clock(rescue.at)}{_resumes(sight)}."
        return f"{worst.name} {what} unless AWS restored it at {clock(rescue.at)}{_resumes(sight)}."
    if snapshot.words.kind is RunKind.TAKEOVER:
        return "Every name has a record. The takeover is not finished, and no process continues it."
    return f"The switch is not finished, and {snapshot.words.dead}."


def _resumes(sight: Frame) -> str:
    key = next((hint.key for hint in sight.hints if hint.action == "resume"), "")
    return f": press {key}" if key else ""


def was_due(what: str) -> str:
    """What a countdown of a replay counted down to."""
    for now, then in (("is ", "was to be "), ("expires", "was to expire"), ("ends", "was to end")):
        if now in what:
            return what.replace(now, then, 1)
    return what


def in_the_past(text: str) -> str:
    """The sentence on users, in a replay."""
    for now, then in (
        ("does not answer", "did not answer"),
        ("name server answers", "name server answered"),
        ("still answer ", "still answered "),
        ("answers", "answered"),
        ("answer.", "answered." if "get" not in text else "answer."),
        (" get no", " got no"),
    ):
        text = text.replace(now, then)
    return text


def first_in_doubt(sight: Frame) -> str:
    """Which of the keys in a gap is safe; empty where there is none, or nothing to choose."""
    snapshot = sight.view.snapshot
    key = next((hint.key for hint in sight.hints if hint.action == "restore"), "")
    if not key or not snapshot.absences or snapshot.absences[0].until is None:
        return ""
    return f"wait: the run restores it by itself. {key} restores it now; the stack may roll back."


# -- what users get, and what follows


def users(snapshot: Snapshot) -> str:
    """What those who ask for the name get now; empty where the first line says it."""
    if snapshot.absences:
        return ""
    if snapshot.words.kind is RunKind.SWITCH:
        return _of_a_switch(snapshot)
    if failing(snapshot):
        return "Some users get no answer. Nothing to do: every name server gets it within a minute."
    covering = {record.covered_by for record in snapshot.records if record.covered_by}
    if covering:
        return f"{', '.join(sorted(covering))} answers meanwhile."
    latest = [server.answers[-1].status for server in snapshot.servers if server.answers]
    if any(status != "answer" for status in latest):
        return "Not every name server answers."
    if snapshot.released:
        return "A record answers again."
    return "The old record answers." if _is_old(snapshot) else "A record answers."


def _is_old(snapshot: Snapshot) -> bool:
    """Whether what stands is what stood before, and the run and no one else has touched it."""
    return all(
        record.strategy in ("", "delete") and record.mark in (Mark.WAITING, Mark.RUNNING)
        for record in snapshot.records
    )


def _of_a_switch(snapshot: Snapshot) -> str:
    meter = snapshot.meter
    if any(swap.side == Side.ABSENT for swap in snapshot.swaps):
        return "Users get no answer."
    if meter is None or meter.began_at is None:
        return "Blue answers."
    if meter.share is None:
        return "Which side answers is not known."
    if meter.share in (0.0, 1.0):
        return "Green answers." if meter.share else "Blue answers."
    return "Blue and green answer."


def asked_for(sight: Frame) -> Iterator[tuple[str, str]]:
    """What a key would do to users, what is still missing for it, and whether there is a limit."""
    snapshot = sight.view.snapshot
    deletes = [c for c in snapshot.choices if c.act in (Act.CONFIRM_RELEASE, Act.RELEASE_NOW)]
    key = next((hint.key for hint in sight.hints if hint.action == "release"), "")
    if deletes and key and deletes[0].risk:
        yield f"after {key}", deletes[0].risk
    if to_confirm(snapshot) and not snapshot.paused:
        missing = [text for text in snapshot.waits if "your confirmation" not in text]
        met = "every condition but your confirmation is met"
        yield "conditions", f"missing: {', '.join(missing)}" if missing else met
    if snapshot.paused or to_confirm(snapshot):
        is_switch = snapshot.words.kind is RunKind.SWITCH
        first = "" if is_switch else "; if CloudFormation gives up, the old record stays"
        yield "waits", f"for you, no limit{first}"


def fallback(snapshot: Snapshot) -> str:
    """What the run does by itself if the site fails while it watches."""
    meter = snapshot.meter
    if meter is None or snapshot.phase is not SwitchPhase.BAKE:
        return ""
    return f"after more than {meter.max_failures} failed checks the run switches back to blue"


def last_seen(sight: Frame) -> float:
    """When the process gave its last sign of life."""
    return max(sight.view.alive_at, sight.view.snapshot.as_of)


def while_silent(sight: Frame) -> Iterator[tuple[str, str]]:
    """Of a process that gives no sign of life: what was last known, and what helps."""
    snapshot = sight.view.snapshot
    ago = f"when last seen {duration(sight.now - last_seen(sight))} ago"
    if snapshot.words.kind is RunKind.SWITCH:
        yield "users", f"{_of_a_switch(snapshot).removesuffix('.')}, {ago}."
    elif not snapshot.absences:
        yield "users", f"A record was in place {ago}, at {clock(last_seen(sight))}."
    if sight.view.pid:
        yield "to continue", f"kill -CONT {sight.view.pid}"
    yield "next", "Then the run goes on, and reads the account anew before it deletes anything."
    yield "if it died", "This screen says so at once, and which key starts a new process."


def after_death(sight: Frame) -> Iterator[tuple[str, str]]:
    """Of a process that died: since when, what may happen without it, and what a new one does."""
    snapshot = sight.view.snapshot
    ago = duration(sight.now - snapshot.as_of)
    yield "died", f"at most {ago} ago: its last sign is of {clock(snapshot.as_of)}"
    if sight.view.link is not Link.GONE or not sight.view.resumable:
        return
    if snapshot.absences:
        yield (
            "the stack",
            "CloudFormation may still create its record. If not, the name stays without one.",
        )
        yield "resume", "A new process reads the account, then restores or continues."
    else:
        yield (
            "resume",
            "A new process reads the journal and the account, and continues the run.",
        )


# -- the end


def ending(sight: Frame) -> Iterator[Content]:
    """What stands now comes first, then why, then what to do."""
    snapshot = sight.view.snapshot
    result = snapshot.result
    if result is None:
        return
    if snapshot.needs_person:
        yield Content.styled("! ", ALERT).append(plain(snapshot.needs_person, ALERT))
    yield from (plain(_record(record), STRONG) for record in result.records)
    yield from (plain(swap_line(swap), STRONG) for swap in result.switches)
    if result.owner_notice:
        owner, permanent, _ = result.owner_notice.partition(_MAKE_PERMANENT)
        yield Content.styled("! ", ALERT).append(plain(_sentence(owner), ALERT))
        if permanent:
            yield Content.assemble(("next  ", MUTED), (_PERMANENT, ALERT))
    else:
        reason, _, command = result.reason.partition(_DIAGNOSE)
        yield plain(_sentence(_cause(reason)))
        if command:
            yield Content.assemble("Find the cause: ", plain(command, STRONG))
        if snapshot.next and result.outcome != Outcome.DONE and not snapshot.needs_person:
            yield Content.assemble(("next  ", MUTED), plain(snapshot.next))
    yield from _more_alerts(snapshot, result)


def _cause(reason: str) -> str:
    """Without what followed from the restore: CloudFormation's next try met the old record."""
    begin, end = reason.find(" ("), reason.rfind(")")
    if _LATE in reason and "already exists" in reason[begin:end]:
        return reason[:begin] + reason[end + 1 :]
    return reason


def _more_alerts(snapshot: Snapshot, result: Result) -> Iterator[Content]:
    for alert in snapshot.alerts:
        if result.reason not in alert:
            yield Content.styled("! ", ALERT).append(plain(alert, ALERT))


def _record(record: RecordResult) -> str:
    by_dns = "" if record.gap_seconds_dns is None else seconds(record.gap_seconds_dns)
    if record.gap_seconds is None:
        return f"{record.label}: {record.outcome}{gap_words('', 0.0, by_dns)}"
    gap = gap_words(seconds(record.gap_seconds), record.unwatched, by_dns)
    return f"{record.label}: {record.outcome}, gap {gap}"
