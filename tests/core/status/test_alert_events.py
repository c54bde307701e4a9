"""What is reported to those who do not look: once each, and not again after a resume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from tests.builders import due_state, released

from route53_takeover.base.errors import ExitCode
from route53_takeover.core.endings import Ending, Outcome
from route53_takeover.core.events import RunResumed, TimePassed
from route53_takeover.core.status.alert_events import AlertFeed, AlertKind
from route53_takeover.core.takeover.events import NameUnread
from route53_takeover.core.takeover.phases import Phase

if TYPE_CHECKING:
    from route53_takeover.core.takeover.state import State

EXPIRED = "ExpiredToken: Signature expired: 2026112{} is now earlier than 2026112{}"


def texts(feed: AlertFeed, state: State, *reasons: str) -> list[str]:
    """What is reported while reads of the name fail so, two seconds apart."""
    found = []
    for number, reason in enumerate(reasons):
        at = replace(state, now=state.now + 2.0 * number)
        event = NameUnread(time=at.now, name=next(iter(state.names)), reason=reason)
        found += [alert.text for alert in feed.take(event, at)]
    return found


def test_what_is_needed_is_reported_once_whatever_numbers_the_reason_has() -> None:
    feed, state = AlertFeed(), due_state()
    (needed,) = texts(feed, state, *(EXPIRED.format(n, n + 1) for n in range(20)))
    assert needed.startswith("AWS rejects the credentials")


def test_a_need_that_comes_and_goes_is_reported_again_only_after_a_minute() -> None:
    feed, state = AlertFeed(), due_state()
    paused = replace(state, paused=True)

    def at(state: State, seconds: float) -> list[AlertKind]:
        later = replace(state, now=state.now + seconds)
        return [a.kind for a in feed.take(TimePassed(time=later.now), later)]

    assert at(paused, 0) == [AlertKind.NEEDS_YOU]
    assert at(paused, 100) == []
    assert (at(state, 102), at(paused, 104)) == ([], [AlertKind.NEEDS_YOU])
    assert (at(state, 106), at(paused, 108)) == ([], [])


def test_a_resumed_run_reports_only_what_is_new() -> None:
    state = replace(released(), journal_lost="no space left")
    resumed = RunResumed(time=state.now + 5)
    at = replace(state, now=resumed.time)
    assert AlertFeed(state).take(resumed, at) == ()
    assert {a.kind for a in AlertFeed().take(resumed, at)} == {
        AlertKind.GAP_OPENED,
        AlertKind.NEEDS_YOU,
    }


def test_the_end_is_reported_once_and_again_where_a_run_is_resumed_after_it() -> None:
    ending = Ending(
        outcome=Outcome.UNKNOWN, exit_code=ExitCode.UNKNOWN, reason="look", phase=Phase.WATCH
    )
    ended = replace(due_state(), phase=Phase.ENDED, ending=ending)
    feed = AlertFeed(due_state())
    passed = TimePassed(time=ended.now)
    (alert,) = feed.take(passed, ended)
    assert (alert.kind, alert.text) == (AlertKind.ENDED, "stack shop: unknown: look")
    assert feed.take(passed, ended) == ()
    again = AlertFeed(ended)
    assert (
        again.take(RunResumed(time=ended.now), replace(ended, phase=Phase.WATCH, ending=None)) == ()
    )
    assert [a.kind for a in again.take(passed, ended)] == [AlertKind.ENDED]
