"""What the operator sees: every phase and every ending of the recorded runs, in words and marks."""

from __future__ import annotations

import shlex
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from msgspec.structs import replace

from route53_takeover.core.deploys import Deploy
from route53_takeover.core.events import Switch
from route53_takeover.core.status.build import snapshot
from route53_takeover.core.status.choices import Act, choices
from route53_takeover.core.status.snapshot import Mark, mark_of
from route53_takeover.core.status.timeline import Timeline
from route53_takeover.core.status.waiting import CONDITION_WORDS
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.release_gate import Condition, release_gates
from route53_takeover.core.takeover.step import step
from route53_takeover.core.timing import ONE_REQUEST
from route53_takeover.storage.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from route53_takeover.core.status.snapshot import RecordView, Snapshot
    from route53_takeover.core.takeover.state import State

JOURNALS = Path(__file__).parents[2] / "data" / "recorded"
NAME = "www.example.com."
EVERY = sorted(path.stem for path in JOURNALS.glob("*.jsonl"))
every_journal = pytest.mark.parametrize("journal", EVERY)


@cache
def history(journal: str) -> Sequence[ev.AnyEvent]:
    return read_journal(JOURNALS / f"{journal}.jsonl")


class Then(NamedTuple):
    """A run as it was after an event."""

    state: State
    timeline: Timeline

    def seen(self, *, after: float = 0.0, rehearsal: str = "") -> Snapshot:
        return snapshot(self.state, self.timeline, self.state.now + after, rehearsal=rehearsal)

    def but(self, **changes: Any) -> Then:
        return Then(replace(self.state, **changes), self.timeline)

    def but_name(self, **changes: Any) -> Then:
        name = replace(self.state.names[NAME], **changes)
        return self.but(names={**self.state.names, NAME: name})


def unfolding(journal: str) -> Iterator[Then]:
    """The run after every one of its events; the timeline is the same one, as it goes on."""
    timeline, state = Timeline(), None
    for event in history(journal):
        state, _ = step(state, event)
        timeline.take(event, state)
        yield Then(state, timeline)


def at(journal: str, phase: Phase, *, first: bool = False) -> Then:
    """The last, or first, time that it was in this phase."""
    found: Then | None = None
    for then in unfolding(journal):
        if then.state.phase is phase:
            found = Then(then.state, then.timeline.copy())
            if first:
                break
    assert found is not None
    return found


def end(journal: str) -> Snapshot:
    return at(journal, Phase.ENDED).seen()


def marks(seen: Snapshot) -> dict[str, str]:
    return {str(s.phase): str(s.mark) for s in seen.steps}


def fields(record: RecordView) -> dict[str, tuple[str, str, bool]]:
    return {f.name: (f.before, f.after, f.differs) for f in record.fields}


# -- of every run, after every event


@every_journal
def test_every_prefix_of_every_recorded_run_can_be_shown(journal: str) -> None:
    for then in unfolding(journal):
        seen = then.seen()
        running = [s for s in seen.steps if s.mark is Mark.RUNNING]
        assert [s.phase for s in running] == ([] if seen.result else [seen.phase])
        assert len({s.phase for s in seen.steps}) == len(seen.steps)
        assert all(c.since <= seen.now < c.until for c in seen.countdowns)
        assert seen.choices == choices(then.state)
        assert seen.doing.endswith(".")
        assert all(s.spent is None or s.spent >= 0 for s in seen.steps)
        assert all(r.gap is None or r.gap >= 0 for r in seen.records)
        assert seen.tree[0].depth == 0
        if then.state.root_stack and then.state.root_stack.status:
            assert seen.tree[0].status == then.state.root_stack.status
        assert all(b.depth <= a.depth + 1 for a, b in zip(seen.tree, seen.tree[1:], strict=False))
        assert [s.phase for s in seen.steps if s.phase is Phase.RESTORE] == (
            [Phase.RESTORE] if Phase.RESTORE in {v.phase for v in then.timeline.visits} else []
        )


@every_journal
def test_a_run_says_why_it_waits_unless_it_continues_at_once(journal: str) -> None:
    for then in unfolding(journal):
        seen = then.seen()
        assert bool(seen.waits) == (seen.result is None), (seen.phase, seen.doing)


@every_journal
def test_the_end_says_what_the_result_says(journal: str) -> None:
    seen = end(journal)
    assert seen.result is not None
    assert seen.result.reason in seen.doing
    assert [r.gap for r in seen.records if seen.result.outcome != "restored"] == [
        r.gap_seconds for r in seen.result.records if seen.result.outcome != "restored"
    ]
    assert [r.gap_dns for r in seen.records] == [r.gap_seconds_dns for r in seen.result.records]
    assert seen.countdowns == ()
    assert seen.choices == ()


# -- endings


@pytest.mark.parametrize(
    ("journal", "ended", "others"),
    [
        ("alias", "done", {"release": "done", "confirm": "done", "verify": "done"}),
        ("nested", "done", {"guard": "done"}),
        ("adopted", "done", {"release": "skipped", "confirm": "skipped", "guard": "done"}),
        ("cname", "done", {"lower-ttl": "done", "drain": "done", "release": "skipped"}),
        ("never-created", "undone", {"release": "undone", "confirm": "failed", "restore": "done"}),
        ("rolled-back", "undone", {"guard": "failed", "restore": "done", "verify": "skipped"}),
        ("failed-at-once", "failed", {"watch": "failed", "release": "skipped"}),
        ("edited-meanwhile", "failed", {"watch": "failed", "release": "skipped"}),
        ("aborted", "undone", {"lower-ttl": "undone", "drain": "undone", "prove": "skipped"}),
        ("stopped", "undone", {"lower-ttl": "undone", "drain": "undone"}),
        ("rollback-failed", "unknown", {"guard": "failed", "restore": "unknown"}),
        ("put-back-by-a-person", "undone", {"confirm": "failed", "release": "undone"}),
    ],
)
def test_each_ending_marks_what_became_of_each_step(
    journal: str, ended: str, others: dict[str, str]
) -> None:
    found = marks(end(journal))
    assert found["ended"] == ended
    assert {phase: found[phase] for phase in others} == others


@pytest.mark.parametrize(
    ("journal", "mark", "words"),
    [
        ("alias", Mark.DONE, "created by CloudFormation"),
        ("adopted", Mark.DONE, "adopted by CloudFormation without a gap"),
        ("never-created", Mark.UNDONE, "restored as it was"),
        ("failed-at-once", Mark.SKIPPED, "unchanged"),
        ("edited-meanwhile", Mark.SKIPPED, "changed by another writer; left as it is"),
        ("aborted", Mark.SKIPPED, "unchanged"),
    ],
)
def test_each_ending_says_what_became_of_the_record(journal: str, mark: Mark, words: str) -> None:
    (record,) = end(journal).records
    assert (record.mark, record.words) == (mark, words)


def test_a_plan_only_has_the_steps_that_it_takes() -> None:
    seen = end("alias")
    assert list(marks(seen)) == [
        "backup",
        "deploy-off",
        "prove",
        "deploy-on",
        "watch",
        "release",
        "confirm",
        "guard",
        "verify",
        "ended",
    ]
    then = at("alias", Phase.PROVE)
    options = replace(then.state.plan.options, deploy_off=None)
    skipping = then.but(plan=replace(then.state.plan, options=options))
    skipping.timeline.visits.clear()
    assert "deploy-off" not in marks(skipping.seen())


def test_a_phase_that_a_pause_keeps_it_in_is_shown_though_nothing_is_to_do_in_it() -> None:
    then = at("alias", Phase.BACKUP).but(phase=Phase.LOWER_TTL, paused=True)
    assert marks(then.seen())["lower-ttl"] == "running"
    assert then.seen().doing == "Paused while lowering the TTL."


def test_a_step_says_how_long_it_took_and_a_drain_how_long_it_will() -> None:
    steps = {str(s.phase): s for s in end("cname").steps}
    assert steps["drain"].spent == pytest.approx(300.0, abs=0.1)
    assert (steps["drain"].expected, steps["lower-ttl"].expected) == (300.0, 60.0)
    assert steps["guard"].expected is None
    drain = at("cname", Phase.DRAIN, first=True)
    spent = {str(s.phase): s.spent for s in drain.seen(after=42.0).steps}
    assert spent["drain"] == pytest.approx(42.0)
    assert spent["watch"] is None


# -- phases


@pytest.mark.parametrize(
    ("journal", "phase", "doing", "wait"),
    [
        ("alias", Phase.BACKUP, "Saving every record set", "the backup to be saved"),
        ("cname", Phase.LOWER_TTL, "Lowering the TTL of", "every name server to serve"),
        ("cname", Phase.DRAIN, "Waiting until the old TTL", "the old TTL of 300 s"),
        ("alias", Phase.DEPLOY_OFF, "The deploy with the switch off has ended", "stack shop to"),
        (
            "alias",
            Phase.PROVE,
            "Testing that www.example.com",
            "Route 53's answer to the batch that tests",
        ),
        ("alias", Phase.DEPLOY_ON, "Reading the stacks", "the stacks to be read"),
        ("alias", Phase.WATCH, "CloudFormation is trying to create", "the hold"),
        (
            "alias",
            Phase.RELEASE,
            "Deleting the manual record",
            "Route 53's answer to the batch that deletes",
        ),
        ("alias", Phase.CONFIRM, "www.example.com has no record", "CloudFormation to create"),
        (
            "alias",
            Phase.GUARD,
            "CloudFormation created www.example.com",
            "stack shop to be read once",
        ),
        ("alias", Phase.VERIFY, "Reading records, stacks and name servers", "a last read of"),
    ],
)
def test_each_phase_says_what_it_does_and_waits_for(
    journal: str, phase: Phase, doing: str, wait: str
) -> None:
    seen = at(journal, phase).seen()
    assert seen.doing.startswith(doing)
    assert any(w.startswith(wait) for w in seen.waits), seen.waits


def test_the_unmet_conditions_of_the_gate_are_what_the_run_waits_for() -> None:
    lacking = 0
    for then in unfolding("cname"):
        found = [m for name in then.state.names.values() for m in release_gates(then.state, name)]
        if then.state.phase is Phase.WATCH and found:
            lacking += 1
            assert then.seen().waits == tuple(CONDITION_WORDS[c] for c in found[0].unmet)
    assert lacking > 3
    assert CONDITION_WORDS.keys() == set(Condition)


def test_of_two_names_each_lack_says_whose_it_is() -> None:
    waits = [w for then in unfolding("two-names") for w in then.seen().waits]
    assert "the hold to end (api.example.com)" in waits
    assert "the hold to end (www.example.com)" in waits


def test_watching_says_when_no_release_is_possible_any_more() -> None:
    seen = at("failed-at-once", Phase.WATCH).seen()
    assert seen.doing.startswith("No record is deleted any more")
    assert seen.next == "The run undoes its changes and ends."


def test_before_its_deploy_begins_the_stack_a_run_waits_for_the_deploy() -> None:
    then = at("alias", Phase.WATCH, first=True)
    assert then.seen().waits == ("the deploy with the switch on to end",)
    theirs = then.but(
        deploys={},
        plan=replace(then.state.plan, options=replace(then.state.plan.options, deploy_on=None)),
    )
    assert theirs.seen().doing == "Waiting for a deploy with the switch on, started elsewhere."
    assert theirs.seen().waits == ("a deploy of stack shop with the switch on, started elsewhere",)
    assert [d.label for d in theirs.seen().deploys] == ["switch off"]


def test_restoring_says_whether_the_name_is_still_empty() -> None:
    first = at("never-created", Phase.RESTORE, first=True).seen()
    assert first.doing == "Restoring www.example.com."
    assert "www.example.com to be restored" in first.waits
    assert "www.example.com is being restored." in first.alerts
    later = at("never-created", Phase.RESTORE).seen()
    assert later.doing.startswith("Undoing the run's changes")
    between = [t.seen() for t in unfolding("never-created") if t.state.phase is Phase.RESTORE]
    assert any("has a record; waiting for the stack to finish" in s.doing for s in between)


def test_a_done_run_says_what_the_next_deploy_would_do() -> None:
    assert "switch off deletes it" in end("alias").next
    assert end("rolled-back").next.startswith("The manual record is in place.")
    assert end("edited-meanwhile").next.startswith("The record of another writer is in place.")
    assert "`resume` or `restore`" in end("rollback-failed").next


def test_a_rehearsal_is_marked_as_one() -> None:
    seen = at("alias", Phase.GUARD).seen(rehearsal="alias")
    assert seen.rehearsal == "alias"


# -- records


def test_a_record_is_shown_before_and_after_with_what_differs() -> None:
    (record,) = end("alias").records
    assert fields(record) == {
        "type": ("A", "A", False),
        "value": ("alias to d1old.cloudfront.net", "alias to d1new.cloudfront.net", True),
        "TTL": ("its target's", "its target's", False),
        "owner": ("no stack", "shop DnsRecord", True),
    }
    assert record.standing == ("www.example.com A alias to d1new.cloudfront.net",)
    assert record.read_at is not None


def test_what_is_not_known_yet_stays_empty_and_differs_from_nothing() -> None:
    (record,) = at("alias", Phase.PROVE).seen().records
    assert [(f.after, f.differs) for f in record.fields] == [("", False)] * 4


def test_values_that_no_event_reports_are_not_shown_as_known() -> None:
    then = at("alias", Phase.CONFIRM)
    (stack,) = then.state.stacks.values()
    resource = stack.records["DnsRecord"]
    assert resource.desired is not None
    vague = replace(resource, desired=replace(resource.desired, complete=False))
    stack = replace(stack, records={"DnsRecord": vague})
    (record,) = then.but(stacks={stack.stack_id: stack}).seen().records
    assert fields(record)["type"] == ("A", "A", False)
    assert fields(record)["value"][1:] == ("", False)
    assert fields(record)["owner"][1:] == ("shop DnsRecord", True)


def test_what_only_the_template_says_is_shown_as_expected() -> None:
    found = [
        fields(then.seen().records[0])["value"][1]
        for then in unfolding("alias")
        if then.state.phase is Phase.WATCH and not any(_records(then.state))
    ]
    assert found[0] == ""
    assert found[-1] == "alias to d1new.cloudfront.net"


def _records(state: State) -> list[object]:
    return [record for stack in state.stacks.values() for record in stack.records.values()]


def test_a_lowered_ttl_is_shown_beside_the_one_that_it_was() -> None:
    def ttl(then: Then) -> str:
        return fields(then.seen().records[0])["TTL"][0]

    assert ttl(at("cname", Phase.BACKUP)) == "300 s"
    assert ttl(at("cname", Phase.DRAIN)) == "300 s, lowered to 60 s"
    assert at("cname", Phase.DRAIN).seen().records[0].words == "in place, TTL lowered"
    assert ttl(at("aborted", Phase.ENDED)) == "300 s"


def test_the_gap_grows_while_the_name_is_empty_and_then_stays() -> None:
    then = at("never-created", Phase.CONFIRM)
    (now,), (later,) = then.seen().records, then.seen(after=5.0).records
    assert now.gap is not None
    assert later.gap == pytest.approx(now.gap + 5.0)
    assert later.gap_dns == pytest.approx((now.gap_dns or 0.0) + 5.0)
    assert later.standing == ()
    (record,) = end("never-created").records
    assert record.gap == pytest.approx(60.0, abs=0.1)
    assert at("never-created", Phase.ENDED).seen(after=500.0).records == (record,)


def test_a_name_that_a_rollback_emptied_has_a_gap_of_its_own() -> None:
    for then in unfolding("rolled-back"):
        (record,) = then.seen(after=1.0).records
        if then.state.phase is Phase.RESTORE and record.mark is Mark.FAILED:
            assert record.gap == pytest.approx(1.0, abs=0.2)
            return
        if then.state.phase is Phase.RESTORE:
            assert record.words == "deleted; being restored"
            assert record.gap == pytest.approx(1.0, abs=0.2)
            return
    pytest.fail("never empty")


def test_after_a_write_of_its_own_what_that_left_is_shown_until_it_is_read() -> None:
    then = at("alias", Phase.CONFIRM, first=True)
    (record,) = then.seen().records
    assert (record.standing, record.read_at) == ((), None)
    proven = next(
        t.seen() for t in unfolding("alias") if t.state.names[NAME].proven and t.state.now
    )
    assert proven.records[0].standing == ("www.example.com A alias to d1old.cloudfront.net",)
    assert proven.records[0].read_at is None


def test_a_record_that_the_stack_owned_already_is_shown_as_its_own() -> None:
    then = at("alias", Phase.WATCH)
    owned = replace(then.state.plan.manuals[0].original, name="own.example.com.")
    seen = then.but(plan=replace(then.state.plan, owned=(owned,))).seen()
    assert [r.name for r in seen.records] == ["own.example.com", "www.example.com"]
    assert seen.records[0].mark is Mark.DONE
    assert fields(seen.records[0])["owner"] == ("shop", "shop", False)


# -- the tree


def test_a_child_stands_below_the_resource_of_its_parent_that_it_is() -> None:
    seen = end("nested")
    assert [(r.depth, r.label, r.is_stack, r.is_record) for r in seen.tree] == [
        (0, "shop", True, False),
        (1, "Site", True, False),
        (2, "Distribution", False, False),
        (2, "DnsRecord", False, True),
    ]
    assert {r.mark for r in seen.tree} == {Mark.DONE}


def test_a_child_stack_with_an_unknown_parent_is_shown_all_the_same() -> None:
    then = at("nested", Phase.WATCH)
    timeline = then.timeline.copy()
    for key, reported in list(timeline.resources.items()):
        if reported.label == "Site":
            del timeline.resources[key]
    seen = Then(then.state, timeline).seen()
    root, child, *below = seen.tree
    assert (root.label, child.depth) == ("shop", 1)
    assert child.label.startswith("shop-Site-")
    assert child.is_stack
    assert [(r.depth, r.label) for r in below] == [(2, "Distribution"), (2, "DnsRecord")]


def test_a_rollback_turns_the_tree_over() -> None:
    seen = end("rolled-back")
    found = {r.label: (r.status, str(r.mark)) for r in seen.tree}
    assert found["shop"] == ("UPDATE_ROLLBACK_COMPLETE", "undone")
    assert found["DnsRecord"] == ("DELETE_COMPLETE", "undone")
    during = [r for t in unfolding("rolled-back") for r in t.seen().tree if r.label == "Permission"]
    assert any(r.mark is Mark.FAILED and r.reason for r in during)


def test_a_record_of_another_name_is_none_of_the_takeovers() -> None:
    seen = at("two-names", Phase.GUARD).seen()
    assert [r.label for r in seen.tree if r.is_record] == ["DnsRecord", "Api"]
    then = at("two-names", Phase.GUARD)
    mine = {"www.example.com.": then.state.names["www.example.com."]}
    assert [r.label for r in then.but(names=mine).seen().tree if r.is_record] == ["DnsRecord"]
    (stack,) = then.state.stacks
    known = replace(then.state.plan, resources=(f"{stack} DnsRecord",))
    assert [r.label for r in then.but(plan=known).seen().tree if r.is_record] == ["Api"]


def test_before_there_is_a_stack_the_tree_is_its_name() -> None:
    (row,) = at("alias", Phase.BACKUP).seen().tree
    assert (row.label, row.status, row.mark) == ("shop", "ABSENT", Mark.WAITING)


@pytest.mark.parametrize(
    ("status", "reason", "mark"),
    [
        ("", "", Mark.WAITING),
        ("ABSENT", "", Mark.WAITING),
        ("REVIEW_IN_PROGRESS", "", Mark.WAITING),
        ("CREATE_IN_PROGRESS", "", Mark.RUNNING),
        ("CREATE_COMPLETE", "", Mark.DONE),
        ("CREATE_FAILED", "no", Mark.FAILED),
        ("CREATE_FAILED", "Resource creation cancelled", Mark.SKIPPED),
        ("UPDATE_FAILED", "Resource update cancelled", Mark.SKIPPED),
        ("UPDATE_IN_PROGRESS", "", Mark.RUNNING),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "", Mark.RUNNING),
        ("UPDATE_COMPLETE", "", Mark.DONE),
        ("IMPORT_COMPLETE", "", Mark.DONE),
        ("IMPORT_ROLLBACK_IN_PROGRESS", "", Mark.UNDONE),
        ("ROLLBACK_IN_PROGRESS", "", Mark.UNDONE),
        ("ROLLBACK_COMPLETE", "", Mark.UNDONE),
        ("ROLLBACK_FAILED", "", Mark.FAILED),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "", Mark.UNDONE),
        ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "", Mark.UNDONE),
        ("UPDATE_ROLLBACK_COMPLETE", "", Mark.UNDONE),
        ("UPDATE_ROLLBACK_FAILED", "", Mark.FAILED),
        ("DELETE_IN_PROGRESS", "", Mark.UNDONE),
        ("DELETE_COMPLETE", "", Mark.UNDONE),
        ("DELETE_FAILED", "", Mark.FAILED),
        ("DELETE_SKIPPED", "", Mark.SKIPPED),
        ("SOMETHING_NEW", "", Mark.UNKNOWN),
    ],
)
def test_each_status_of_cloudformation_has_its_mark(status: str, reason: str, mark: Mark) -> None:
    assert mark_of(status, reason) is mark


# -- name servers and time


def test_each_name_server_is_shown_with_its_answers() -> None:
    seen = end("alias")
    assert [s.server for s in seen.servers] == [f"ns-{n}.awsdns.example." for n in (1, 2, 3, 4)]
    statuses = {tuple(a.status for a in s.answers) for s in seen.servers}
    assert ("answer", "nxdomain", "answer") in statuses
    assert all(s.answers[0].values != s.answers[-1].values for s in seen.servers)
    assert len(seen.released) == len(seen.back) == 1
    assert seen.released[0] < seen.back[0]


@pytest.mark.parametrize(
    ("journal", "phase", "label", "seconds"),
    [
        ("cname", Phase.DRAIN, "the old TTL expires", 300.0),
        ("alias", Phase.WATCH, "the hold ends", 2.0),
        ("cname", Phase.WATCH, "the hold ends", 10.0),
        ("never-created", Phase.CONFIRM, "the record is restored", 60.0),
        ("put-back-by-a-person", Phase.CONFIRM, "the record is restored", 120.0),
        ("alias", Phase.GUARD, "the quiet time ends", 5.0),
    ],
)
def test_what_happens_at_a_known_time_is_counted_down_to(
    journal: str, phase: Phase, label: str, seconds: float
) -> None:
    found = [
        c
        for then in unfolding(journal)
        if then.state.phase is phase
        for c in then.seen().countdowns
        if c.label == label
    ]
    assert found
    assert found[-1].until - found[-1].since == pytest.approx(seconds)


def test_a_drain_whose_beginning_is_only_assumed_is_counted_down_to_from_now() -> None:
    then = at("cname", Phase.DRAIN, first=True)
    (countdown,) = then.but_name(synced_at=then.state.now + 60.0).seen().countdowns
    assert countdown.since <= then.state.now
    assert countdown.until == then.state.now + 360.0


def test_a_countdown_that_is_over_is_not_shown() -> None:
    then = at("never-created", Phase.CONFIRM, first=True)
    assert [c.label for c in then.seen(after=59.0).countdowns] == ["the record is restored"]
    assert then.seen(after=61.0).countdowns == ()


def test_a_deploy_is_counted_down_to_its_limit_only_when_that_is_near() -> None:
    then = at("alias", Phase.GUARD, first=True)
    assert "the deploy command is stopped" not in [c.label for c in then.seen().countdowns]
    (near,) = then.seen(after=6500.0).countdowns
    assert near.label == "the deploy command is stopped"
    assert near.until - near.since == 7200.0


def test_a_wait_for_a_deploy_started_elsewhere_is_counted_down_to_its_limit() -> None:
    then = at("alias", Phase.WATCH, first=True)
    options = replace(then.state.plan.options, deploy_on=None)
    theirs = then.but(deploys={}, plan=replace(then.state.plan, options=options))
    assert theirs.seen().countdowns == ()
    assert [c.label for c in theirs.seen(after=6500.0).countdowns] == ["the wait for a deploy ends"]


def test_verifying_waits_for_name_servers_and_says_for_how_long() -> None:
    name = at("alias", Phase.VERIFY).state.names[NAME]
    server = min(name.answered)
    silent = {"answers": {**name.answers, server: "timeout"}}
    seen = at("alias", Phase.VERIFY).but_name(**silent).seen()
    assert f"an answer from {server.removesuffix('.')}" in seen.waits
    (countdown,) = seen.countdowns
    assert countdown.until - countdown.since == 120.0


# -- what the operator must know


def test_a_release_that_waits_for_confirmation_says_so() -> None:
    needing = [t for t in unfolding("confirmed") if t.seen().needs_person]
    assert needing
    for then in needing:
        seen = then.seen()
        assert "confirm the release of www.example.com" in seen.needs_person
        assert any(c.act is Act.CONFIRM_RELEASE for c in seen.choices)


def test_a_paused_run_says_that_it_waits_for_the_operator() -> None:
    paused = [t.seen() for t in unfolding("paused") if t.state.is_paused]
    assert all(s.paused for s in paused)
    assert {s.needs_person for s in paused} == {"The run is paused. Continue or abort it."}
    assert {s.next for s in paused} == {"No further step starts until you continue the run."}
    assert not end("paused").paused


def test_credentials_that_are_not_accepted_need_the_operator_until_they_are() -> None:
    needs = [t.seen().needs_person for t in unfolding("credentials-expired")]
    assert any("The security token is expired" in text for text in needs)
    assert needs[-1] == ""
    last = max(n for n, text in enumerate(needs) if text)
    then = [Then(t.state, t.timeline.copy()) for t in unfolding("credentials-expired")][last]
    assert then.seen().needs_person
    assert not then.seen(after=60.0).needs_person


@pytest.mark.parametrize(
    ("reason", "is_credentials"),
    [
        ("The security token included in the request is expired", True),
        ("The security token included in the request is invalid.", True),
        ("Error when retrieving token from sso: Token has expired and refresh failed", True),
        ("Unable to locate credentials. set AWS_PROFILE or --profile to a profile", True),
        ("it expired. run: aws sso login --profile shop", True),
        ("it ended. run: aws login --profile shop", True),
        ("Signature expired: 20261123T0 is now earlier than", True),
        ("Rate exceeded", False),
        (
            "not authorized. allow it for these credentials, or use another --profile",
            False,
        ),
        ("could not connect. check the network, --region and --endpoint-url", False),
    ],
)
def test_only_what_says_so_is_taken_for_credentials(reason: str, is_credentials: bool) -> None:
    then = at("alias", Phase.GUARD)
    unread = ev.NameUnread(time=then.state.now, name=NAME, reason=reason)
    state, _ = step(then.state, unread)
    then.timeline.take(unread, state)
    seen = Then(state, then.timeline).seen()
    assert bool(seen.needs_person) == is_credentials
    assert any(reason.rstrip(".") in alert for alert in seen.alerts)


def test_a_name_that_is_empty_at_the_end_is_the_first_thing_to_say() -> None:
    then = at("never-created", Phase.CONFIRM)
    state = then.state
    for time in (state.now, state.now + ONE_REQUEST):
        interrupted = ev.Interrupted(time=time, signal="SIGINT")
        state, _ = step(state, interrupted)
        then.timeline.take(interrupted, state)
    assert Then(state, then.timeline).seen().countdowns == ()  # no process is there to restore it
    seen = Then(state, then.timeline).seen(after=100.0)
    assert seen.result is not None
    assert seen.needs_person == "www.example.com has no record. Run `restore` now."
    assert seen.records[0].mark is Mark.FAILED
    assert marks(seen)["confirm"] == "unknown"
    assert seen.alerts.count("Stop requested: SIGINT.") == 1
    assert seen.records[0].gap == pytest.approx(state.now - seen.released[0])


def test_an_unknown_outcome_asks_the_operator_to_look() -> None:
    assert end("rollback-failed").needs_person.startswith("Check the name and the stack: ")
    assert end("alias").needs_person == ""
    assert end("failed-at-once").needs_person == ""


def test_a_lost_journal_is_an_alert_and_needs_the_operator() -> None:
    seen = at("alias", Phase.GUARD).but(journal_lost="no space left").seen()
    assert "no space left" in seen.needs_person
    assert "The journal cannot be written: no space left." in seen.alerts


def test_what_goes_wrong_in_a_row_is_an_alert() -> None:
    early = at("alias", Phase.PROVE).but_name(failures=3).but(failures=2, unlisted=4)
    assert early.seen().alerts == (
        "www.example.com could not be read 3 times in a row (given up after 12).",
        "The stacks could not be read 2 times in a row (given up after 12).",
        "A stack's resources could not be listed 4 times in a row (given up after 12).",
    )
    assert (
        at("alias", Phase.GUARD)
        .but_name(failures=30)
        .seen()
        .alerts[0]
        .endswith("could not be read 30 times in a row.")
    )


def test_a_name_server_that_stays_silent_after_a_release_is_an_alert() -> None:
    then = at("alias", Phase.CONFIRM)
    silent = then.but_name(silent_since={"ns-1.": then.state.now}, answers={"ns-1.": "timeout"})
    assert silent.seen(after=10.0).alerts == ()
    assert silent.seen(after=20.0).alerts == (
        "1 of 1 name servers: no answer for www.example.com (longest 20 s).",
    )


def test_what_was_given_up_and_edited_is_an_alert() -> None:
    alerts = end("edited-meanwhile").alerts
    assert any(a.startswith("The takeover is given up: another writer changed") for a in alerts)
    assert "Another writer changed www.example.com A; its record is left as it is." in alerts


# -- deploys and copies


@pytest.mark.parametrize(
    ("deploy", "mark", "words"),
    [
        (None, Mark.WAITING, "not started yet"),
        (Deploy(intended_at=1.0), Mark.RUNNING, "running"),
        (Deploy(intended_at=1.0, exited_at=2.0, code=0), Mark.DONE, "exited 0"),
        (Deploy(intended_at=1.0, exited_at=2.0, code=1), Mark.FAILED, "exited 1"),
        (
            Deploy(intended_at=1.0, exited_at=2.0, code=255, tail="No updates are to be performed"),
            Mark.DONE,
            "exited 255: nothing to deploy",
        ),
        (Deploy(intended_at=1.0, exited_at=2.0), Mark.UNKNOWN, "ended, exit status unknown"),
        (
            Deploy(intended_at=1.0, exited_at=2.0, code=137, timed_out=True),
            Mark.FAILED,
            "stopped after --deploy-timeout",
        ),
    ],
)
def test_a_deploy_says_how_far_it_is(deploy: Deploy | None, mark: Mark, words: str) -> None:
    then = at("alias", Phase.WATCH)
    deploys = {} if deploy is None else {Switch.ON: deploy}
    on = then.but(deploys=deploys).seen().deploys[1]
    assert (on.mark, on.words, on.log, on.command) == (mark, words, "deploy-on.log", "on")


def test_a_deploy_that_a_stopped_run_did_not_start_is_skipped() -> None:
    assert {d.words for d in end("aborted").deploys} == {"not started"}


def test_there_are_commands_to_copy_for_every_fact() -> None:
    texts = [shlex.split(c.text) for c in end("alias").copies]
    assert ["dig", "+norecurse", "@ns-1.awsdns.example", "www.example.com", "A"] in texts
    assert any(t[:3] == ["aws", "route53", "list-resource-record-sets"] for t in texts)
    assert any(t[:3] == ["aws", "route53", "get-change"] for t in texts)
    events = next(t for t in texts if "describe-stack-events" in t)
    assert events[-2:] == ["--region", "us-east-1"]
    assert texts[-1] == ["route53-takeover", "restore", "rehearsal"]


def test_copied_commands_are_quoted_and_ask_the_given_port() -> None:
    then = at("alias", Phase.GUARD)
    timeline = then.timeline.copy()
    (name, kind, _), answers = next(iter(timeline.answers.items()))
    timeline.answers = {
        (name, kind, server): answers for server in ("[2001:db8::1]:5353", "ns-1;reboot")
    }
    texts = [c.text for c in Then(then.state, timeline).seen().copies if "dig" in c.text]
    assert texts == [
        "dig +norecurse @2001:db8::1 -p 5353 www.example.com A",
        "dig +norecurse '@ns-1;reboot' www.example.com A",
    ]
    odd = then.but(run="a b").seen().copies[-1]
    assert odd.text == "route53-takeover restore 'a b'"


def test_in_a_rehearsal_no_command_asks_real_aws() -> None:
    seen = at("alias", Phase.ENDED).seen(rehearsal="alias")
    assert [c.text.split()[0] for c in seen.copies[1:]] == ["route53-takeover"]
    assert not any("aws" in c.text or "dig" in c.text for c in seen.copies)


def test_a_name_without_a_record_is_shown_with_its_deadman_the_worst_first() -> None:
    then = at("alias", Phase.CONFIRM)
    (www,) = then.seen().absences
    assert (www.name, www.until) == ("www.example.com", then.state.names[NAME].deadman_at)
    assert www.is_certain
    later = replace(then.state.names[NAME], name="api.example.com.", restoring=True)
    both = then.but(names={**then.state.names, later.name: later}).seen().absences
    assert [(a.name, a.until is None) for a in both] == [
        ("api.example.com", True),
        ("www.example.com", False),
    ]
    assert at("alias", Phase.GUARD).seen().absences == ()


def test_a_name_whose_delete_is_under_way_counts_as_one_without_a_record() -> None:
    (www,) = at("alias", Phase.RELEASE).seen().absences
    assert not www.is_certain
    assert www.until is not None


# -- a member of a routed group, beside others that stay

GREEN = "the name still answers from its 1 other member (about 10 % of queries affected)"
MISSING = f"www.example.com A [blue] is missing; {GREEN}"


def test_a_name_that_a_wildcard_answers_for_has_no_countdown_and_no_gap() -> None:
    for phase in (Phase.PREPARE, Phase.WATCH):
        then = at("bridge", phase)
        assert then.state.missing
        seen = then.seen()
        (record,) = seen.records
        assert record.words == "deleted; the name still answers from *.example.com"
        assert (record.covered_by, record.gap) == ("*.example.com", None)
        assert seen.absences == ()
        assert not [c for c in seen.countdowns if c.label == "the record is restored"]
        assert not [c for c in seen.choices if c.act is Act.EXTEND_DEADMAN]
    assert at("bridge", Phase.WATCH).seen().doing == (
        "*.example.com answers for www.example.com; watching the stack until it creates its record."
    )


def test_a_member_that_goes_is_shown_with_its_weight() -> None:
    seen = at("weighted", Phase.GUARD).seen()
    assert "the manual one has the weight 0 and goes (step 2 of 2)" in seen.doing
    (back,) = [c for c in seen.choices if c.act is Act.RESTORE]
    assert "gets its first weight back" in back.effect


def test_a_missing_member_is_shown_beside_the_name_that_still_answers() -> None:
    released, read = at("routed", Phase.CONFIRM, first=True), at("routed", Phase.CONFIRM)
    assert released.state.names[NAME].read is None
    assert read.state.names[NAME].read is not None
    for then in (released, read):
        seen = then.seen()
        assert seen.doing == f"{MISSING}; waiting for CloudFormation to create its own."
        (record,) = seen.records
        assert (record.label, record.standing) == ("www.example.com A [blue]", ())
        assert record.words == f"deleted; {GREEN}"
        assert record.still_answers
        (absence,) = seen.absences
        assert (absence.name, absence.answers) == ("www.example.com A [blue]", GREEN)
        assert f"www.example.com A [blue] deleted; {GREEN}" in [news.text for news in seen.news]
        (extend,) = [c for c in seen.choices if c.act is Act.EXTEND_DEADMAN]
        assert "in which www.example.com A [blue] may be missing." in extend.effect


def test_a_member_whose_delete_is_under_way_leaves_the_others() -> None:
    (absence,) = at("routed", Phase.RELEASE).seen().absences
    assert not absence.is_certain
    assert (absence.name, absence.answers) == ("www.example.com A [blue]", GREEN)


def test_a_missing_member_without_others_leaves_the_name_without_a_record() -> None:
    seen = at("routed", Phase.CONFIRM).but_name(seen=()).seen()
    assert seen.doing.startswith("www.example.com has no record;")
    assert not seen.records[0].still_answers
    assert seen.records[0].words == "deleted; no record exists now"
    assert [(each.name, each.answers) for each in seen.absences] == [("www.example.com", "")]


def test_what_a_read_no_longer_shows_does_not_answer() -> None:
    then = at("routed", Phase.CONFIRM)
    time = then.state.now + 1.0
    state, _ = step(then.state, ev.NameRead(time=time, name=NAME, began=time - 0.1, records=()))
    assert Then(state, then.timeline).seen().doing.startswith("www.example.com has no record;")


def test_a_second_member_that_is_gone_too_does_not_answer() -> None:
    then = at("routed", Phase.CONFIRM)
    (blue,) = then.state.names[NAME].handovers
    (green,) = [r for r in then.state.names[NAME].seen if r.set_identifier == "green"]
    both = (blue, replace(blue, original=green, standing=green))
    seen = then.but_name(handovers=both).seen()
    assert seen.doing.startswith("www.example.com has no record;")
    assert [record.still_answers for record in seen.records] == [False, False]


def test_a_missing_member_of_one_type_does_not_hide_another_type_that_has_no_record() -> None:
    then = at("routed", Phase.CONFIRM)
    (blue,) = then.state.names[NAME].handovers
    simple = replace(blue.original, type="AAAA", set_identifier=None, routing=())
    both = (blue, replace(blue, original=simple, standing=simple))
    seen = then.but_name(handovers=both).seen()
    assert seen.doing.startswith("www.example.com has no record;")
    assert [record.still_answers for record in seen.records] == [True, False]


def test_a_member_that_is_missing_at_the_end_needs_the_operator() -> None:
    then = at("routed", Phase.CONFIRM)
    state = then.state
    for time in (state.now, state.now + ONE_REQUEST):
        state, _ = step(state, ev.Interrupted(time=time, signal="SIGINT"))
    seen = Then(state, then.timeline).seen(after=100.0)
    assert seen.needs_person == f"{MISSING}. Run `restore` now."
