"""The lines about names without a record: when, until when, and what follows."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.core.status.test_timeline import history
from tests.played_switch import Played

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.events import RunResumed
from route53_takeover.core.status.any_run import RunReading
from route53_takeover.core.status.gap_lines import GapLines
from route53_takeover.core.status.result import record_results, unwatched_seconds
from route53_takeover.core.status.run_words import few
from route53_takeover.core.status.spoken_times import age, length, moment, offset, time_of_day
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.machine import fold


def told(journal: str, *extra: ev.AnyEvent) -> list[str]:
    """Every line of a recorded run; events of ``extra`` come at their times."""
    reading, gaps, lines = RunReading(), GapLines(), []
    events = sorted([*history(journal), *extra], key=lambda event: event.time)
    for event in events:
        reading.take(event)
        assert reading.state is not None
        lines += [line.text for line in gaps.take(reading.state)]
    return lines


def released_at(journal: str) -> float:
    intents = [e for e in history(journal) if isinstance(e, ev.WriteIntended)]
    release = next(e for e in intents if e.purpose == "release")
    return next(
        e.time for e in history(journal) if isinstance(e, ev.WriteAccepted) and e.id == release.id
    )


def test_a_gap_that_cloudformation_closes_has_a_beginning_a_deadline_and_a_length() -> None:
    until = time_of_day(released_at("alias") + 60)
    first, last = told("alias")
    assert first == (
        f"NO RECORD: www.example.com does not resolve; restored at {until} at the latest"
    )
    assert last.startswith("www.example.com has a record again after ")


def test_after_a_rescue_it_is_said_that_only_the_stack_is_waited_for() -> None:
    first, last = told("never-created")
    assert first.startswith("NO RECORD: www.example.com")
    assert last.startswith("www.example.com: record restored after 60.")
    assert last.endswith("; waiting for stack shop to roll back")


def test_a_gap_in_which_no_process_lived_was_at_most_as_long() -> None:
    _, last = told("machine-lost")
    assert "restored after at most 3 min 1 s (no process looked for 3 min 0 s)" in last
    state = fold(history("machine-lost"))
    assert state is not None
    (record,) = record_results(state)
    assert record.gap_seconds is not None
    assert 0 < record.unwatched < record.gap_seconds


def test_a_process_that_resumes_in_a_gap_counts_from_its_beginning() -> None:
    events = history("machine-lost")
    resumed = next(i for i, event in enumerate(events) if isinstance(event, RunResumed))
    reading, gaps, lines = RunReading(), GapLines(), []
    for number, event in enumerate(events):
        reading.take(event)
        if number >= resumed:  # what came before was said by another process
            assert reading.state is not None
            lines += [line.text for line in gaps.take(reading.state)]
    assert "restored after at most 3 min 1 s (no process looked for 3 min 0 s)" in lines[-1]


def test_only_the_part_of_a_silence_that_is_in_the_gap_counts() -> None:
    state = fold(history("machine-lost"))
    assert state is not None
    (handover,) = state.handovers
    began, back = handover.gap_began_at, handover.back_at
    assert began is not None
    assert back is not None
    spans = ((began - 9, began - 5), (began - 2, began + 1), (back - 3, back + 60))
    assert unwatched_seconds(replace(state, unwatched=spans), handover) == pytest.approx(4)


def test_more_time_is_another_deadline_and_is_said() -> None:
    begun = released_at("never-created")
    more = ev.DeadmanExtended(time=begun + 5, name="www.example.com.", seconds=30)
    first, second, _ = told("never-created", more)
    assert first != second
    assert time_of_day(begun + 90) in second


@pytest.mark.parametrize("journal", ["bridge", "weighted", "adopt", "adopted", "routed"])
def test_a_name_that_always_answers_has_no_such_line(journal: str) -> None:
    assert told(journal) == []


def test_each_name_has_lines_of_its_own() -> None:
    names = {line.removeprefix("NO RECORD: ").split()[0] for line in told("two-names")}
    assert len(names) == 2


def test_times_are_said_in_the_largest_unit_that_fits() -> None:
    ages = [age(s) for s in (-1, 0, 59, 60, 119, 3600, 7300, 86400, 86400 * 3)]
    assert ages == ["0 s", "0 s", "59 s", "1 min", "1 min", "1 h", "2 h", "1 d", "3 d"]
    lengths = [length(s) for s in (0.04, 3.72, 99.96, 125.4, 3600, 3725)]
    assert lengths == ["0.0 s", "3.7 s", "100.0 s", "2 min 5 s", "1 h 0 min", "1 h 2 min"]
    assert [offset(s) for s in (-1, 7.9, 725, 3723)] == ["0:00", "0:07", "12:05", "1:02:03"]
    assert moment(0) == "1970-01-01 00:00:00Z"


def test_a_mapping_that_vanishes_in_a_switch_has_lines_too() -> None:
    played = Played().backed_up().deploy().check().switch()
    gaps, lines = GapLines(), []
    for side in (Side.GREEN, Side.ABSENT, Side.ABSENT, Side.GREEN):
        played.read(side)
        lines += [line.text for line in gaps.take(played.state)]
    assert [line.partition(":")[0] for line in lines[:2]] == [
        "the mapping of shop.example.com is gone",
        "the mapping of shop.example.com/orders is gone",
    ]
    assert len(lines) == 4
    assert all("is there again" in line for line in lines[2:])


def test_many_names_are_few_words() -> None:
    assert [few(tuple("abcdef"[:n])) for n in (0, 1, 4, 6)] == [
        "",
        "a",
        "a, b, c, d",
        "a, b, c and 3 more",
    ]
