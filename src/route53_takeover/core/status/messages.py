"""What a person is told of each event, a line each, and the words for phases and stages.

Pure wording: nothing here knows what was told before, or decides anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.status.snapshot import Mark
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.state import Outcome, Phase, RecordStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

PHASE_WORDS = {
    Phase.PREFLIGHT: "looking at the account",
    Phase.BACKUP: "saving a backup",
    Phase.LOWER_TTL: "lowering the TTL",
    Phase.DRAIN: "waiting for the old TTL to run out",
    Phase.DEPLOY_OFF: "deploying with the switch off",
    Phase.PROVE: "proving that the record can be put back",
    Phase.DEPLOY_ON: "deploying with the switch on",
    Phase.WATCH: "watching the stack for the moment",
    Phase.RELEASE: "releasing the record",
    Phase.CONFIRM: "waiting for CloudFormation to create its own",
    Phase.GUARD: "guarding the result",
    Phase.RESTORE: "putting everything back",
    Phase.VERIFY: "verifying",
    Phase.ENDED: "ended",
}
STAGE_WORDS = {
    RecordStatus.STANDING: (Mark.WAITING, "stands as it was"),
    RecordStatus.RELEASED: (Mark.RUNNING, "is gone, and nothing stands in its place"),
    RecordStatus.CREATED: (Mark.DONE, "was created by CloudFormation"),
    RecordStatus.ADOPTED: (Mark.DONE, "was adopted by CloudFormation, without a gap"),
    RecordStatus.LOST: (Mark.FAILED, "is gone again, and nothing stands in its place"),
    RecordStatus.RESTORED: (Mark.UNDONE, "is put back as it was"),
    RecordStatus.CHANGED: (Mark.SKIPPED, "was changed by somebody else: theirs is left alone"),
}
OUTCOME_MARKS = {
    Outcome.DONE: Mark.DONE,
    Outcome.RESTORED: Mark.UNDONE,
    Outcome.ABORTED: Mark.UNDONE,
    Outcome.FAILED: Mark.FAILED,
    Outcome.REFUSED: Mark.FAILED,
    Outcome.UNKNOWN: Mark.UNKNOWN,
}


def lines(event: ev.AnyEvent) -> Iterator[tuple[str, Mark]]:
    """What an event by itself is worth telling; nothing of one that only may show something."""
    match event:
        case ev.RunResumed():
            yield "resumed from the journal", Mark.DONE
        case ev.BackupWritten():
            yield "the backup is on disk", Mark.DONE
        case ev.BackupFailed():
            yield f"no backup: {event.reason}", Mark.FAILED
        case ev.ChangeInsync():
            name = display_name(event.name)
            yield f"every name server serves {name} as it was changed", Mark.DONE
        case ev.DeployIntended():
            yield f"starting the deploy with the switch {event.switch}", Mark.RUNNING
        case ev.DeployExited():
            yield _exited(event)
        case ev.Interrupted():
            yield f"{event.signal}: ending in good order; once more stops at once", Mark.UNDONE
        case ev.JournalFailed():
            yield f"the journal is lost: {event.reason}; going on in memory", Mark.FAILED
        case (
            ev.WriteIntended()
            | ev.WriteAccepted()
            | ev.WriteRefused()
            | ev.WriteHeldOff()
            | ev.WriteUnknown()
        ):
            yield from _of_write(event)
        case _:
            yield from _of_person(event)


def _of_write(
    event: ev.WriteIntended
    | ev.WriteAccepted
    | ev.WriteRefused
    | ev.WriteHeldOff
    | ev.WriteUnknown,
) -> Iterator[tuple[str, Mark]]:
    name = display_name(event.name)
    match event:
        case ev.WriteIntended():
            for line in _intended(event):
                yield line, Mark.RUNNING
        case ev.WriteAccepted():
            yield f"Route 53 accepted the batch for {name} ({event.change_id})", Mark.DONE
        case ev.WriteRefused():
            yield f"Route 53 refused the batch for {name}: {event.reason}", Mark.FAILED
        case ev.WriteHeldOff():
            yield f"the batch for {name} was held off: {event.reason}", Mark.WAITING
        case ev.WriteUnknown():
            yield f"no answer to the batch for {name}: {event.reason}", Mark.UNKNOWN


def _of_person(event: ev.AnyEvent) -> Iterator[tuple[str, Mark]]:
    """Only that it was asked for: what follows from it is told when it does."""
    match event:
        case ev.RunPaused():
            yield "a person asked for a pause", Mark.WAITING
        case ev.RunUnpaused():
            yield "a person asked to go on", Mark.RUNNING
        case ev.RestoreAsked():
            yield "a person asked for the record back", Mark.UNDONE
        case ev.AbortAsked():
            yield "a person asked to give the takeover up", Mark.UNDONE
        case ev.HoldCut():
            name = display_name(event.name)
            yield f"a person asked to release {name} without the rest of the hold", Mark.RUNNING
        case ev.ReleaseConfirmed():
            yield f"a person said that {display_name(event.name)} may be released", Mark.RUNNING
        case ev.DeadmanExtended():
            name = display_name(event.name)
            yield f"a person gave {name} {event.seconds:.0f} s more", Mark.WAITING
        case _:
            return


def _intended(event: ev.WriteIntended) -> Iterator[str]:
    for change in event.changes:
        record, deletes = change.record, change.action == "DELETE"
        if deletes is not (event.purpose is Purpose.RELEASE):
            continue
        match event.purpose:
            case Purpose.RELEASE:
                yield f"deleting {record.describe()}"
            case Purpose.RESTORE:
                yield f"putting back {record.describe()}"
            case Purpose.PROVE:
                yield f"proving that {record.key} can be put back"
            case Purpose.LOWER:
                yield f"lowering the TTL of {record.key} to {record.ttl} s"
            case Purpose.UNDO:
                yield f"putting the TTL of {record.key} back to {record.ttl} s"


def _exited(event: ev.DeployExited) -> tuple[str, Mark]:
    what = f"the deploy with the switch {event.switch}"
    if event.timed_out:
        return f"{what} ran into --deploy-timeout and was ended", Mark.FAILED
    if event.code is None:
        return f"nobody knows how {what} ended", Mark.UNKNOWN
    return f"{what} exited {event.code}", Mark.FAILED if event.code else Mark.DONE
