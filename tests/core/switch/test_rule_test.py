"""Green under the production name: the rule is gone before the switch, and on every way back."""

from __future__ import annotations

from tests.core.switch.stepped import RULE, Stepped, plan

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.endings import Outcome
from route53_takeover.core.events import Interrupted, RunResumed
from route53_takeover.core.switch import commands as cmd
from route53_takeover.core.switch import events as ev


def outcome(run: Stepped) -> Outcome:
    assert run.state.ending is not None
    return run.state.ending.outcome


def test_green_is_asked_by_the_rule_before_the_switch() -> None:
    run = Stepped(plan(rule=RULE))
    run.go()
    assert outcome(run) is Outcome.DONE
    assert run.kinds() == ["SaveBackup", "TryByRule", "WriteSwap"]


def test_a_failure_under_the_production_name_changes_nothing() -> None:
    run = Stepped(plan(rule=RULE))
    run.answers[cmd.TryByRule] = lambda _: ev.RuleTested(
        time=run.now, problem="the status is 422", is_removed=True
    )
    run.go()
    assert outcome(run) is Outcome.FAILED
    assert "the status is 422" in run.state.ending.reason  # type: ignore[union-attr]
    assert run.side is Side.BLUE


def test_a_rule_that_stays_is_removed_before_the_switch() -> None:
    run = Stepped(plan(rule=RULE))
    run.answers[cmd.TryByRule] = lambda _: ev.RuleTested(time=run.now, is_removed=False)
    run.go()
    assert outcome(run) is Outcome.DONE
    assert run.kinds() == ["SaveBackup", "TryByRule", "RemoveRule", "WriteSwap"]


def test_a_rule_that_cannot_be_removed_is_told_and_nothing_is_switched() -> None:
    run = Stepped(plan(rule=RULE))
    run.answers[cmd.TryByRule] = lambda _: ev.RuleTested(time=run.now, is_removed=False)
    run.answers[cmd.RemoveRule] = lambda _: ev.RuleRemoved(time=run.now, problem="denied")
    run.go()
    assert outcome(run) is Outcome.UNKNOWN
    assert "denied" in run.state.ending.reason  # type: ignore[union-attr]
    assert "WriteSwap" not in run.kinds()


def test_a_resumed_run_removes_what_may_stand_and_asks_again() -> None:
    run = Stepped(plan(rule=RULE))
    run.answers[cmd.TryByRule] = lambda _: None  # killed meanwhile
    run.go(5)
    del run.answers[cmd.TryByRule]
    run.take(RunResumed(time=run.now))
    run.go()
    assert outcome(run) is Outcome.DONE
    assert run.kinds() == ["SaveBackup", "TryByRule", "RemoveRule", "TryByRule", "WriteSwap"]


def test_an_abort_waits_for_the_test_to_remove_its_rule() -> None:
    run = Stepped(plan(rule=RULE))
    run.answers[cmd.TryByRule] = lambda _: None
    run.go(5)
    run.take(Interrupted(time=run.now, signal="SIGINT"))
    run.go(5)
    assert run.state.ending is None
    run.take(ev.RuleTested(time=run.now, problem="stopped", is_removed=True))
    run.go()
    assert outcome(run) is Outcome.ABORTED
