"""The result: what a run says of itself when it has ended."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from route53_takeover.base.errors import ExitCode
from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.domain.stacks import StackDescription
from route53_takeover.core.endings import Ending, Outcome
from route53_takeover.core.plan.model import Manual, Options, Plan
from route53_takeover.core.status.result import Result, owner_notice, record_results, result
from route53_takeover.core.takeover.name_state import Handover, NameState, RecordStatus
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.state import State

ROOT = StackDescription(stack_id="arn:shop", stack_name="shop-prod", status="UPDATE_COMPLETE")
WWW = RecordSet(name="www.example.com.", type="CNAME", ttl=60, values=("old.example.net",))
STAR = RecordSet(name="\\052.example.com.", type="A", ttl=60, values=("192.0.2.1",))
DONE = Ending(
    phase=Phase.VERIFY, outcome=Outcome.DONE, exit_code=ExitCode.DONE, reason="all is well"
)
FAILED = Ending(
    phase=Phase.WATCH, outcome=Outcome.FAILED, exit_code=ExitCode.FAILED, reason="it failed"
)


def ended(
    *handovers: Handover,
    ending: Ending | None = DONE,
    owned: tuple[RecordSet, ...] = (),
    answered: frozenset[str] = frozenset(),
    silences: dict[str, float] | None = None,
) -> State:
    plan = Plan(
        options=Options(stack="shop-prod", records=("www.example.com",)),
        zone_id="Z1",
        zone_name="example.com.",
        zone_private=False,
        zone_is_unique=True,
        name_servers=(),
        root=ROOT,
        account="123456789012",
        manuals=tuple(Manual(original=h.original) for h in handovers),
        owned=owned,
    )
    return State(
        run="r1",
        plan=plan,
        phase=Phase.ENDED,
        phase_since=0.0,
        now=100.0,
        names={
            h.original.name: NameState(
                name=h.original.name,
                handovers=(h,),
                answered=answered,
                silences=silences or {},
            )
            for h in handovers
        },
        root=ROOT,
        ending=ending,
    )


def handed(stage: RecordStatus, record: RecordSet = WWW, **times: Any) -> Handover:
    return Handover(original=record, standing=record, stage=stage, **times)


@pytest.mark.parametrize(
    ("stage", "outcome"),
    [
        (RecordStatus.STANDING, "untouched"),
        (RecordStatus.CHANGED, "untouched"),
        (RecordStatus.CREATED, "created"),
        (RecordStatus.ADOPTED, "adopted"),
        (RecordStatus.RESTORED, "restored"),
        (RecordStatus.RELEASED, "unknown"),
        (RecordStatus.LOST, "unknown"),
    ],
)
def test_each_stage_has_its_word(stage: RecordStatus, outcome: str) -> None:
    [record] = record_results(ended(handed(stage)))
    assert (record.name, record.type, record.outcome) == ("www.example.com", "CNAME", outcome)
    assert record.strategy == "delete"


@pytest.mark.parametrize("stage", RecordStatus)
def test_no_stage_is_without_a_word(stage: RecordStatus) -> None:
    assert record_results(ended(handed(stage)))[0].outcome


def test_a_record_that_another_writer_wrote_after_the_release_is_unknown() -> None:
    state = ended(handed(RecordStatus.CHANGED, released_at=10.0, back_at=11.0))
    assert record_results(state)[0].outcome == "unknown"


def test_the_gap_is_from_the_release_until_the_name_has_a_record_again() -> None:
    state = ended(handed(RecordStatus.CREATED, released_at=10.0, back_at=12.34567, created_at=13.0))
    [record] = record_results(state)
    assert (record.released_at, record.created_at, record.gap_seconds) == (10.0, 13.0, 2.346)


def test_a_gap_is_never_negative_and_not_invented() -> None:
    early = handed(RecordStatus.CREATED, released_at=10.0, back_at=9.9)
    assert record_results(ended(early))[0].gap_seconds == 0.0
    still_gone = handed(RecordStatus.RELEASED, released_at=10.0)
    assert record_results(ended(still_gone))[0].gap_seconds is None
    assert record_results(ended(handed(RecordStatus.ADOPTED)))[0].gap_seconds == 0.0


def test_the_gap_in_dns_is_of_the_worst_server_and_only_where_something_was_released() -> None:
    released, adopted = handed(RecordStatus.CREATED, released_at=10.0), handed(RecordStatus.ADOPTED)
    probed = {"answered": frozenset({"ns-1", "ns-2"}), "silences": {"ns-1": 0.5, "ns-2": 1.25}}
    assert record_results(ended(released, **probed))[0].gap_seconds_dns == 1.25  # type: ignore[arg-type]  # by name
    assert record_results(ended(adopted, **probed))[0].gap_seconds_dns is None  # type: ignore[arg-type]  # by name
    assert record_results(ended(released))[0].gap_seconds_dns is None
    quiet = ended(released, answered=frozenset({"ns-1"}))
    assert record_results(quiet)[0].gap_seconds_dns == 0.0


def test_what_the_stack_owned_already_is_listed_first() -> None:
    state = ended(handed(RecordStatus.CREATED), owned=(STAR,))
    assert [(r.name, r.outcome) for r in record_results(state)] == [
        ("*.example.com", "owned"),
        ("www.example.com", "created"),
    ]


def test_the_result_says_how_the_run_ended_and_from_where() -> None:
    state = ended(handed(RecordStatus.STANDING), ending=FAILED)
    assert result(state, {"route53:B": 2, "route53:A": 1}) == Result(
        run="r1",
        phase="ended",
        outcome="failed",
        exit_code=ExitCode.FAILED,
        reason="it failed",
        owner_notice=None,
        records=record_results(state),
        api_calls={"route53:A": 1, "route53:B": 2},
    )
    assert list(result(state, {"b": 1, "a": 1}).api_calls or {}) == ["a", "b"]


def test_a_live_run_has_no_result() -> None:
    with pytest.raises(ValueError, match="r1 has not ended"):
        result(ended(handed(RecordStatus.STANDING), ending=None), {})


def test_the_new_owner_is_named_with_what_the_next_deploy_would_do() -> None:
    state = ended(handed(RecordStatus.CREATED), handed(RecordStatus.ADOPTED, STAR))
    notice = owner_notice(state)
    assert notice is not None
    assert notice.startswith("Stack shop-prod owns www.example.com, *.example.com now.")
    assert "switch off deletes it" in notice
    assert "permanent" in notice
    assert result(state, {}).owner_notice == notice


def test_one_name_with_two_records_is_named_once() -> None:
    six = replace(WWW, type="AAAA")
    state = ended(handed(RecordStatus.CREATED))
    name = replace(
        state.names[WWW.name],
        handovers=(handed(RecordStatus.CREATED), handed(RecordStatus.CREATED, six)),
    )
    notice = owner_notice(replace(state, names={WWW.name: name})) or ""
    assert notice.count("www.example.com") == 1


@pytest.mark.parametrize(
    "state",
    [
        ended(handed(RecordStatus.STANDING)),
        ended(handed(RecordStatus.RESTORED), ending=FAILED),
        ended(handed(RecordStatus.CREATED), ending=FAILED),
        ended(handed(RecordStatus.CREATED), ending=None),
        ended(owned=(STAR,)),
    ],
    ids=["untouched", "restored", "failed", "going on", "owned before"],
)
def test_no_new_owner_is_named_unless_a_takeover_is_done(state: State) -> None:
    assert owner_notice(state) is None


def test_a_stack_that_was_created_by_the_run_is_named_as_it_was_asked_for() -> None:
    state = replace(ended(handed(RecordStatus.CREATED)), root=replace(ROOT, stack_name=""))
    assert (owner_notice(state) or "").startswith("Stack shop-prod owns")


def test_a_member_of_a_routed_group_is_named_by_its_set_identifier() -> None:
    blue = replace(WWW, set_identifier="blue", routing=(("Weight", "10"),))
    [owned, record] = record_results(ended(handed(RecordStatus.CREATED, blue), owned=(blue,)))
    assert (owned.set_identifier, record.set_identifier) == ("blue", "blue")
    assert record.label == "www.example.com CNAME [blue]"
    [simple] = record_results(ended(handed(RecordStatus.CREATED)))
    assert (simple.set_identifier, simple.label) == (None, "www.example.com CNAME")
