"""The table from events, phases and record stages to the lines that users read.

The screen, the live text and `report` all take their lines from here, through
`route53_takeover.core.status.timeline`. Pure wording: nothing here decides anything or remembers
what was shown before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.domain.soa import negative_caching, negative_ttl
from route53_takeover.core.endings import Outcome
from route53_takeover.core.events import Switch
from route53_takeover.core.plan.strategies.weighted import weight_of
from route53_takeover.core.status.deadman_words import of_deadman
from route53_takeover.core.status.message import Message
from route53_takeover.core.status.snapshot import Detail, Mark, mark_of
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.absence import still_answering
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.finish import is_member
from route53_takeover.core.takeover.name_state import RecordStatus
from route53_takeover.core.takeover.phases import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.domain.stacks import StackEvent
    from route53_takeover.core.takeover.name_state import Handover, NameState

PHASE_WORDS = {
    Phase.PREFLIGHT: "reading the account",
    Phase.BACKUP: "saving a backup",
    Phase.LOWER_TTL: "lowering the TTL",
    Phase.DRAIN: "waiting for the old TTL to expire",
    Phase.DEPLOY_OFF: "deploying with the switch off",
    Phase.PROVE: "testing that the record can be restored",
    Phase.PREPARE: "preparing the record for the deploy",
    Phase.DEPLOY_ON: "preparing the deploy with the switch on",
    Phase.WATCH: "watching the stack until it creates the record",
    Phase.RELEASE: "deleting the old record",
    Phase.CONFIRM: "waiting for CloudFormation to create its record",
    Phase.GUARD: "watching until the stack is complete",
    Phase.RESTORE: "undoing the run's changes",
    Phase.VERIFY: "verifying the result",
    Phase.ENDED: "ended",
}
_STAGE_WORDS = {
    RecordStatus.STANDING: (Mark.WAITING, "unchanged"),
    RecordStatus.RELEASED: (Mark.RUNNING, "deleted; {left}"),
    RecordStatus.CREATED: (Mark.DONE, "created by CloudFormation"),
    RecordStatus.ADOPTED: (Mark.DONE, "adopted by CloudFormation without a gap"),
    RecordStatus.LOST: (Mark.FAILED, "deleted again; {left}"),
    RecordStatus.RESTORED: (Mark.UNDONE, "restored as it was"),
    RecordStatus.CHANGED: (Mark.SKIPPED, "changed by another writer; left as it is"),
}


def stage_words(name: NameState, handover: Handover) -> tuple[Mark, str]:
    """What became of a record set, and whether its name answers without it."""
    if handover.stage is RecordStatus.ADOPTED and is_member(handover):
        return Mark.DONE, "created by CloudFormation beside the manual member"
    mark, words = _STAGE_WORDS[handover.stage]
    return mark, words.format(left=still_answering(name, handover) or "no record exists now")


OUTCOME_MARKS = {
    Outcome.DONE: Mark.DONE,
    Outcome.RESTORED: Mark.UNDONE,
    Outcome.ABORTED: Mark.UNDONE,
    Outcome.FAILED: Mark.FAILED,
    Outcome.REFUSED: Mark.FAILED,
    Outcome.UNKNOWN: Mark.UNKNOWN,
}


def of_event(event: ev.AnyEvent) -> Iterator[Message]:
    """What an event says by itself; nothing for one that needs the events before it."""
    match event:
        case ev.RunResumed():
            yield Message("resumed from the journal", Mark.DONE)
        case ev.BackupWritten():
            yield Message("backup saved", Mark.DONE, Detail.MORE)
        case ev.BackupFailed():
            yield Message(f"no backup: {event.reason}", Mark.FAILED)
        case ev.ChangeInsync():
            text = f"every name server serves the change of {display_name(event.name)}"
            yield Message(text, Mark.DONE, Detail.MORE)
        case ev.DeployIntended():
            yield Message(f"starting the deploy with the switch {event.switch}", Mark.RUNNING)
        case ev.DeployExited():
            yield of_deploy_exit(event)
        case ev.Interrupted():
            text = f"{event.signal}: stopping after the undo; once more stops at once"
            yield Message(text, Mark.UNDONE)
        case ev.JournalFailed():
            text = f"the journal cannot be written: {event.reason}; continuing in memory"
            yield Message(text, Mark.FAILED)
        case ev.AlertFailed():
            yield Message(f"--on-event: {event.reason}", Mark.FAILED)
        case (
            ev.WriteIntended()
            | ev.WriteAccepted()
            | ev.WriteRefused()
            | ev.WriteHeldOff()
            | ev.WriteUnknown()
        ):
            yield from _of_write(event)
        case ev.DeadmanTested() | ev.DeadmanIntended() | ev.DeadmanAnswered():
            yield from of_deadman(event)
        case _:
            yield from _of_operator(event)


def of_stack_event(event: StackEvent) -> Message:
    """A line of a stack's history; the screen shows other resources in its stack tree."""
    mark = mark_of(event.status, event.reason)
    shown = event.is_of_stack or "AWS::Route53" in event.resource_type
    detail = Detail.MAIN if shown else Detail.MORE if mark is Mark.FAILED else Detail.ALL
    about = [event.stack_name, "" if event.is_of_stack else event.logical_id]
    return Message(
        " ".join(filter(None, [*about, event.status, event.reason.strip()])), mark, detail
    )


_DEPLOYS_ELSEWHERE = {
    Phase.DEPLOY_ON: "reading the stacks; nothing is deployed by this run",
    Phase.WATCH: "waiting for a deploy started elsewhere",
}


def of_phase(phase: Phase, *, deploys_elsewhere: bool = False) -> Message:
    """A phase that the run enters."""
    words = PHASE_WORDS[phase]
    if deploys_elsewhere:
        words = _DEPLOYS_ELSEWHERE.get(phase, words)
    return Message(words, Mark.RUNNING)


def of_answer(server: str, status: str, record: str) -> Message:
    """A name server whose answer changed; ``record`` is the name and type."""
    mark = Mark.DONE if status == "answer" else Mark.FAILED
    text = f"{server.removesuffix('.')}: {ANSWER_WORDS.get(status, status)} ({record})"
    return Message(text, mark, Detail.MORE)


ANSWER_WORDS = {
    "answer": "answers",
    "nxdomain": "no such name",
    "nodata": "no record",
    "timeout": "no answer",
    "error": "error",
}
"""What a name server answered; NXDOMAIN, no data and no answer are three facts."""


def of_failed_read(reason: str) -> Message:
    """Something that cannot be read and is tried again."""
    return Message(f"cannot read the account, trying again: {reason}", Mark.FAILED)


def _of_write(
    event: ev.WriteIntended
    | ev.WriteAccepted
    | ev.WriteRefused
    | ev.WriteHeldOff
    | ev.WriteUnknown,
) -> Iterator[Message]:
    name = display_name(event.name)
    match event:
        case ev.WriteIntended():
            yield from _intended(event)
        case ev.WriteAccepted():
            text = f"Route 53 accepted the batch for {name} ({event.change_id})"
            yield Message(text, Mark.DONE, Detail.MORE)
        case ev.WriteRefused():
            yield Message(f"Route 53 refused the batch for {name}: {event.reason}", Mark.FAILED)
        case ev.WriteHeldOff():
            text = f"the batch for {name} was not applied: {event.reason}"
            yield Message(text, Mark.WAITING)
        case ev.WriteUnknown():
            yield Message(f"no answer to the batch for {name}: {event.reason}", Mark.UNKNOWN)


def _of_operator(event: ev.AnyEvent) -> Iterator[Message]:
    """The request alone: it may come too late to change anything."""
    match event:
        case ev.RunPaused():
            text = "pause requested: no further step starts, and nothing is deleted"
            yield Message(text, Mark.WAITING)
        case ev.RunUnpaused():
            yield Message("continuing requested", Mark.RUNNING)
        case ev.RestoreAsked():
            yield Message("restore requested", Mark.UNDONE)
        case ev.AbortAsked():
            text = "abort requested: undoing the run's changes; a signal stops at once"
            yield Message(text, Mark.UNDONE)
        case ev.HoldCut():
            text = f"release of {display_name(event.name)} requested before the hold ends"
            yield Message(text, Mark.RUNNING)
        case ev.ReleaseConfirmed():
            yield Message(f"release of {display_name(event.name)} confirmed", Mark.RUNNING)
        case ev.DeadmanExtended():
            name = display_name(event.name)
            text = f"{event.seconds:g} s more requested before {name} is restored"
            yield Message(text, Mark.WAITING)
        case _:
            return


def _intended(event: ev.WriteIntended) -> Iterator[Message]:
    for change in event.changes:
        record, deletes = change.record, change.action == "DELETE"
        if deletes is not (event.purpose in (Purpose.RELEASE, Purpose.REMOVE)):
            continue
        match event.purpose:
            case Purpose.RELEASE:
                yield Message(f"deleting {record.describe()}", Mark.RUNNING)
            case Purpose.RESTORE:
                yield Message(f"restoring {record.describe()}", Mark.RUNNING)
            case Purpose.PROVE:
                text = f"deleting and creating {record.key} in one batch, to test the restore"
                yield Message(text, Mark.RUNNING, Detail.MORE)
            case Purpose.LOWER:
                text = f"lowering the TTL of {record.key} to {record.ttl} s"
                yield Message(text, Mark.RUNNING, Detail.MORE)
            case Purpose.UNDO:
                yield Message(_undoing(event, record), Mark.RUNNING, Detail.MORE)
            case Purpose.PREPARE:
                yield Message(f"changing it to {record.describe()}", Mark.RUNNING)
            case Purpose.BRIDGE:
                yield Message(
                    f"creating {record.describe()}, which answers meanwhile", Mark.RUNNING
                )
            case Purpose.WEIGH:
                yield Message(f"giving {record.key} the weight {weight_of(record)}", Mark.RUNNING)
            case Purpose.REMOVE:
                yield Message(f"removing {record.describe()}", Mark.RUNNING)
            case Purpose.LOWER_SOA:
                text = f"lowering the negative TTL of {record.key} to {negative_ttl(record)} s"
                yield Message(text, Mark.RUNNING)
            case Purpose.RESTORE_SOA:
                text = f"putting {record.key} back: {negative_caching(record)}"
                yield Message(text, Mark.RUNNING)


def _undoing(event: ev.WriteIntended, record: RecordSet) -> str:
    deleted = [change.record for change in event.changes if change.action == "DELETE"]
    if any(replace(each, ttl=record.ttl) == record for each in deleted):
        return f"restoring the TTL of {record.key} to {record.ttl} s"
    return f"changing it back to {record.describe()}"


def of_deploy_exit(event: ev.DeployExited) -> Message:
    """How a deploy command ended."""
    what = f"the deploy with the switch {event.switch}"
    if event.switch is Switch.GREEN:
        what = "the deploy of green"
    if event.timed_out:
        return Message(f"{what} was stopped after --deploy-timeout", Mark.FAILED)
    if event.code is None:
        return Message(f"{what} has ended with an unknown exit status", Mark.UNKNOWN)
    return Message(f"{what} exited {event.code}", Mark.FAILED if event.code else Mark.DONE)


def deploy_tail(event: ev.DeployExited) -> list[str]:
    """The last lines of a deploy command's output."""
    return [f"  | {line}" for line in event.tail.splitlines()[-5:]]
