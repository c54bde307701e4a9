"""What is said of the deadman in AWS (``--cloud-deadman``): its news, and when it restores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.status.message import Message
from route53_takeover.core.status.snapshot import CloudRescue, Detail, Mark
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.deadman_state import rescuers, utc
from route53_takeover.core.takeover.events import DeadmanAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.takeover.deadman_state import CloudDeadman
    from route53_takeover.core.takeover.state import State


def of_deadman(event: ev.DeadmanEvent) -> Iterator[Message]:
    """The lines of an event about it."""
    name = display_name(event.name)
    match event:
        case ev.DeadmanTested() if event.reason:
            text = f"the deadman in AWS could not restore {name}: {event.reason}"
            yield Message(text, Mark.FAILED)
        case ev.DeadmanTested():
            text = f"tested with its role: the deadman in AWS can restore {name}"
            yield Message(text, Mark.DONE, Detail.MORE)
        case ev.DeadmanIntended():
            at = utc(event.time + event.seconds)[11:]
            text = f"starting the deadman in AWS: if this machine dies, it restores {name} at {at}"
            yield Message(text, Mark.RUNNING)
        case ev.DeadmanAnswered():
            text, mark = _ANSWERS[event.answer]
            why = f": {event.reason}" if event.reason else ""
            detail = Detail.MORE if mark is Mark.DONE else Detail.MAIN
            yield Message(f"{text.format(name=name)}{why}", mark, detail)


_ANSWERS = {
    DeadmanAnswer.STARTED: ("the deadman in AWS of {name} runs", Mark.DONE),
    DeadmanAnswer.FOUND: ("the deadman in AWS of {name} runs", Mark.DONE),
    DeadmanAnswer.REFUSED: ("the deadman in AWS of {name} was not started", Mark.FAILED),
    DeadmanAnswer.HELD_OFF: ("the deadman in AWS of {name} was not started", Mark.WAITING),
    DeadmanAnswer.UNKNOWN: ("no answer to the start of the deadman of {name}", Mark.UNKNOWN),
    DeadmanAnswer.ABSENT: ("the deadman in AWS of {name} does not run", Mark.FAILED),
    DeadmanAnswer.ENDED: ("the deadman in AWS of {name} has ended", Mark.DONE),
    DeadmanAnswer.STOPPED: ("the deadman in AWS of {name} is stopped", Mark.DONE),
    DeadmanAnswer.NOT_STOPPED: ("the deadman in AWS of {name} was not stopped", Mark.FAILED),
    DeadmanAnswer.NOT_FOUND_OUT: ("the deadman in AWS of {name} was not read", Mark.FAILED),
}


def cloud_rescues(state: State) -> tuple[CloudRescue, ...]:
    """What AWS restores if this machine dies, and when; the earliest first."""
    if state.ending is not None:
        return ()
    found = {
        each.name: CloudRescue(
            name=display_name(each.name),
            at=each.fires_at,
            text=f"if this machine dies, AWS restores {display_name(each.name)}{_due(state, each)}",
        )
        for each in rescuers(state)
    }
    return tuple(sorted(found.values(), key=lambda each: each.at))


def _due(state: State, deadman: CloudDeadman) -> str:
    """When it fires; later it looks again every few seconds, until it ends."""
    at = utc(deadman.fires_at)[11:]
    return f" at {at}" if state.now <= deadman.fires_at else f", due at {at}"
