"""The timeline: what happened, however often and in whatever order it is told, and no more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.builders import NOW, before_deploys, with_name

from route53_takeover.core.domain.stacks import STACK, StackEvent, StackResource
from route53_takeover.core.status.snapshot import Mark
from route53_takeover.core.status.timeline import Timeline
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.step import step
from route53_takeover.storage.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.takeover.state import State

JOURNALS = Path(__file__).parents[2] / "data" / "recorded"
NAME = "www.example.com."
ROOT = "arn:aws:cloudformation:us-east-1:123456789012:stack/shop/1"


def history(journal: str) -> Sequence[ev.AnyEvent]:
    return read_journal(JOURNALS / f"{journal}.jsonl")


def folded(events: Sequence[ev.AnyEvent]) -> tuple[State, Timeline]:
    timeline, state = Timeline(), None
    for event in events:
        state, _ = step(state, event)
        timeline.take(event, state)
    assert state is not None
    return state, timeline


def reported(
    status: str,
    *,
    number: int = 1,
    at: float = 1.0,
    logical_id: str = "Site",
    kind: str = "AWS::Lambda::Function",
    reason: str = "",
    physical_id: str = "",
) -> StackEvent:
    return StackEvent(
        event_id=f"e{number}",
        stack_id=ROOT,
        stack_name="shop",
        logical_id=logical_id,
        resource_type=kind,
        status=status,
        timestamp=at,
        reason=reason,
        physical_id=physical_id,
    )


def polled(time: float, *events: StackEvent) -> ev.StackPolled:
    return ev.StackPolled(time=time, stack=ROOT, began=time, events=events)


def received(time: float, status: str, *values: str) -> ev.NamesAnswered:
    found = {"ns-1": values} if values else {}
    return ev.NamesAnswered(time=time, name=NAME, type="A", statuses={"ns-1": status}, values=found)


def size(timeline: Timeline) -> dict[str, int]:
    return {key: len(value) for key, value in vars(timeline).items() if hasattr(value, "__len__")}


@pytest.fixture
def started() -> tuple[State, Timeline]:
    return folded(history("alias")[:1])


# -- phases


def test_every_stay_in_a_phase_is_kept_with_its_beginning_and_its_end() -> None:
    state, timeline = folded(history("rolled-back"))
    visits = list(timeline.visits)
    assert [v.phase for v in visits][-5:] == [
        Phase.RELEASE,
        Phase.CONFIRM,
        Phase.GUARD,
        Phase.RESTORE,
        Phase.ENDED,
    ]
    assert [v.left for v in visits[:-1]] == [v.entered for v in visits[1:]]
    assert visits[-1].left is None
    assert visits[-1].entered == state.now
    assert timeline.began == visits[0].entered == history("rolled-back")[0].time


def test_the_time_of_the_newest_baseline_is_kept() -> None:
    events = history("alias")
    times = [e.time for e in events if isinstance(e, ev.BaselineRead)]
    assert len(times) == 2
    assert folded(events)[1].baseline_at == times[-1]


# -- stacks


def test_an_event_that_is_reported_twice_counts_once(started: tuple[State, Timeline]) -> None:
    state, timeline = started
    before = len(timeline.news)
    failed = reported("CREATE_FAILED", reason="no")
    for time in (5.0, 6.0, 7.0):
        timeline.take(polled(time, failed), state)
    assert len(timeline.news) == before + 1
    assert timeline.resources[ROOT, "Site"].since == 5.0


def test_an_older_event_that_comes_late_changes_nothing_but_is_reported(
    started: tuple[State, Timeline],
) -> None:
    state, timeline = started
    timeline.take(polled(5.0, reported("CREATE_COMPLETE", number=2, at=9.0)), state)
    timeline.take(polled(6.0, reported("CREATE_IN_PROGRESS", number=1, at=8.0)), state)
    assert timeline.resources[ROOT, "Site"].status == "CREATE_COMPLETE"


def test_the_same_status_again_keeps_since_when_it_is(started: tuple[State, Timeline]) -> None:
    state, timeline = started
    timeline.take(polled(5.0, reported("CREATE_IN_PROGRESS", number=1, at=1.0)), state)
    again = reported("CREATE_IN_PROGRESS", number=2, at=2.0, physical_id="it", reason="Initiated")
    timeline.take(polled(8.0, again), state)
    resource = timeline.resources[ROOT, "Site"]
    assert (resource.since, resource.physical_id, resource.reason) == (5.0, "it", "Initiated")
    timeline.take(polled(9.0, reported("CREATE_COMPLETE", number=3, at=3.0)), state)
    resource = timeline.resources[ROOT, "Site"]
    assert (resource.since, resource.physical_id, resource.reason) == (9.0, "it", "")


def test_a_list_adds_only_what_no_event_has_reported(started: tuple[State, Timeline]) -> None:
    state, timeline = started
    timeline.take(
        polled(5.0, reported("CREATE_IN_PROGRESS", logical_id="Child", kind=STACK)), state
    )
    listed = ev.ResourcesRead(
        time=6.0,
        stack=ROOT,
        began=6.0,
        resources=tuple(
            StackResource(
                stack_id=ROOT,
                logical_id=logical_id,
                physical_id=f"arn:{logical_id}",
                resource_type=STACK,
                status="UPDATE_COMPLETE",
            )
            for logical_id in ("Child", "Other")
        ),
    )
    timeline.take(listed, state)
    child, other = timeline.resources[ROOT, "Child"], timeline.resources[ROOT, "Other"]
    assert (child.status, child.physical_id) == ("CREATE_IN_PROGRESS", "arn:Child")
    assert (other.status, other.since) == ("UPDATE_COMPLETE", 0.0)
    late = reported("UPDATE_IN_PROGRESS", number=7, at=0.5, logical_id="Other", kind=STACK)
    timeline.take(polled(7.0, late), state)
    assert timeline.resources[ROOT, "Other"].status == "UPDATE_IN_PROGRESS"


def test_what_was_only_cancelled_is_no_news_of_a_failure(started: tuple[State, Timeline]) -> None:
    state, timeline = started
    before = len(timeline.news)
    cancelled = reported("CREATE_FAILED", number=1, reason="Resource creation cancelled")
    timeline.take(polled(5.0, cancelled), state)
    timeline.take(polled(5.0, reported("CREATE_COMPLETE", number=2)), state)
    assert len(timeline.news) == before
    timeline.take(polled(5.0, reported("CREATE_FAILED", number=3, reason="no ")), state)
    assert timeline.news[-1].text == "shop Site CREATE_FAILED no"
    assert timeline.news[-1].mark is Mark.FAILED


# -- name servers


def test_answers_are_kept_as_changes_with_what_was_answered(
    started: tuple[State, Timeline],
) -> None:
    state, timeline = started
    for event in (
        received(1.0, "answer", "192.0.2.1"),
        received(2.0, "answer", "192.0.2.1"),
        received(3.0, "nxdomain"),
        received(4.0, "answer", "192.0.2.2"),
        received(5.0, "answer", "192.0.2.3"),
    ):
        timeline.take(event, state)
    answers = timeline.answers[NAME, "A", "ns-1"]
    assert [(a.since, a.status, a.values) for a in answers] == [
        (1.0, "answer", ("192.0.2.1",)),
        (3.0, "nxdomain", ()),
        (4.0, "answer", ("192.0.2.2",)),
        (5.0, "answer", ("192.0.2.3",)),
    ]


def test_of_too_many_answers_those_around_the_release_are_kept(
    started: tuple[State, Timeline],
) -> None:
    state, timeline = started
    (handover,) = state.names[NAME].handovers
    for second in range(150):
        timeline.take(received(float(second), "answer", f"before {second}"), state)
    released = replace(handover, released_at=149.5)
    state = replace(state, names={NAME: replace(state.names[NAME], handovers=(released,))})
    timeline.take(received(150.0, "nxdomain"), state)
    for second in range(151, 900):
        timeline.take(received(float(second), "answer", f"after {second}"), state)
    answers = timeline.answers[NAME, "A", "ns-1"]
    assert len(answers) == 200
    around = [answer.since for answer in answers if 148.0 < answer.since < 160.0]
    assert around == [149.0, 150.0, *map(float, range(151, 160))]
    assert answers[0].since == 149.0  # what stood at the release; what was before went first
    assert answers[-1].since == 899.0


def test_before_any_release_the_oldest_answers_go_first(started: tuple[State, Timeline]) -> None:
    state, timeline = started
    for second in range(300):
        timeline.take(received(float(second), "answer", str(second)), state)
    answers = timeline.answers[NAME, "A", "ns-1"]
    assert [answers[0].since, answers[-1].since, len(answers)] == [100.0, 299.0, 200]


# -- what else happened


def test_the_newest_change_of_a_name_is_kept() -> None:
    accepted = [e for e in history("alias") if isinstance(e, ev.WriteAccepted)]
    assert folded(history("alias"))[1].change_ids == {NAME: accepted[-1].change_id}


@pytest.mark.parametrize("journal", ["never-created", "rolled-back", "two-names"])
def test_an_absence_lasts_from_the_release_until_there_is_a_record_again(journal: str) -> None:
    state, timeline = folded(history(journal))
    for handover in state.handovers:
        absence = timeline.absences[handover.original.key]
        assert absence.until is not None
        assert absence.until >= absence.since
        if journal != "rolled-back":  # there the newest is the one that the rollback made
            assert (absence.since, absence.until) == (handover.released_at, handover.back_at)


def test_a_failed_read_is_reported_once_and_dropped_when_it_succeeds() -> None:
    events = history("credentials-expired")
    _, timeline = folded(events)
    lines = [n.text for n in timeline.news if n.text.startswith("cannot read")]
    assert lines == ["cannot read the account, trying again: The security token is expired"]
    assert "name:" + NAME not in timeline.troubles
    last = max(n for n, e in enumerate(events) if isinstance(e, ev.NameUnread))
    assert "name:" + NAME in folded(events[: last + 1])[1].troubles


def test_every_action_of_the_run_and_of_operators_is_reported() -> None:
    texts = [n.text for n in folded(history("put-back-by-a-person"))[1].news]
    for wanted in (
        "backup saved",
        "starting the deploy with the switch off",
        "the deploy with the switch off exited 0",
        "deleting and creating www.example.com A in one batch, to test the restore",
        "deleting www.example.com A alias to d1old.cloudfront.net",
        "www.example.com A deleted; no record exists now",
        "60 s more requested before www.example.com is restored",
        "restore requested",
        "restoring www.example.com A alias to d1old.cloudfront.net",
        "www.example.com A restored as it was",
    ):
        assert wanted in texts, wanted
    assert texts[-1].startswith("restored: ")


def test_a_lowered_ttl_and_its_undo_are_reported() -> None:
    texts = [n.text for n in folded(history("aborted"))[1].news]
    assert [t for t in texts if t.startswith("lowering the TTL of")] == [
        "lowering the TTL of www.example.com CNAME to 60 s"
    ]
    assert "abort requested: undoing the run's changes; a signal stops at once" in texts
    assert "restoring the TTL of www.example.com CNAME to 300 s" in texts


# -- its nature


def test_time_that_passes_and_reads_without_news_add_nothing() -> None:
    events = history("alias")
    watching = next(n for n, e in enumerate(events) if isinstance(e, ev.NamesAnswered)) + 1
    state, timeline = folded(events[:watching])
    read = next(e for e in events if isinstance(e, ev.NameRead))
    before = size(timeline)
    for second in range(900):
        later = state.now + 1.0
        for event in (
            ev.TimePassed(time=later),
            replace(read, time=later, began=later),
            ev.StackPolled(time=later, stack=ROOT, began=later),
            ev.StackUnpolled(time=later, stack=ROOT, reason="Rate exceeded"),
        ):
            state, _ = step(state, event)
            timeline.take(event, state)
        if second == 0:
            before = size(timeline)
    after = size(timeline)
    grown = {key for key in after if after[key] > before[key]}
    assert grown <= {"news"}
    assert after["news"] <= 500


def test_a_copy_is_not_changed_by_what_happens_later() -> None:
    events = history("nested")
    state, timeline = folded(events[:40])
    copy = timeline.copy()
    known = {key: repr(value) for key, value in vars(copy).items()}
    for event in events[40:]:
        state, _ = step(state, event)
        timeline.take(event, state)
    assert {key: repr(value) for key, value in vars(copy).items()} == known
    state, _ = folded(events[:40])
    for event in events[40:]:
        state, _ = step(state, event)
        copy.take(event, state)
    assert vars(copy) == vars(timeline)


@pytest.mark.parametrize("journal", ["two-names", "killed-in-the-gap"])
def test_the_same_events_make_the_same_chronicle(journal: str) -> None:
    assert vars(folded(history(journal))[1]) == vars(folded(history(journal))[1])


def test_the_news_are_bounded_and_the_newest_stay(started: tuple[State, Timeline]) -> None:
    state, timeline = started
    for number in range(1000):
        event = reported("CREATE_FAILED", number=number, at=float(number), reason=f"no {number}")
        timeline.take(polled(float(number), event), state)
    assert len(timeline.news) == 500
    assert timeline.news[-1].text.endswith("no 999")


def test_a_run_that_changed_nothing_does_not_say_that_it_undoes_something() -> None:
    untouched = with_name(before_deploys(Phase.RESTORE), tried=frozenset())
    for state, text in (
        (untouched, "nothing was changed; reading everything once more"),
        (with_name(untouched, tried=frozenset({Purpose.LOWER})), "undoing the run's changes"),
    ):
        news = Timeline().take(ev.RunPaused(time=NOW), state)
        assert [line.text for line in news if line.phase] == [text]
