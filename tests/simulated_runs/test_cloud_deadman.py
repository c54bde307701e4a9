"""The deadman in AWS in simulated runs: it restores where no process does, and never in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from route53_takeover.core.endings import Outcome
from route53_takeover.core.plan.model import Strategy
from route53_takeover.core.status.choices import Act
from route53_takeover.core.takeover import completion, invariants, release_gate
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import DeadmanAnswer, Purpose
from route53_takeover.core.takeover.machine import fold
from route53_takeover.simulation.aws.account import DEADMAN_ROLE
from route53_takeover.simulation.aws.step_functions.state_machines import DEADMAN, StateMachines
from route53_takeover.simulation.chaos.coverage import CoverageGoal
from route53_takeover.simulation.chaos.fault_injection import FaultKind, InjectedFault
from route53_takeover.simulation.chaos.faults import Faults, WayOut
from route53_takeover.simulation.chaos.harness import InjectionPoint
from route53_takeover.simulation.chaos.release_oracle import Ground, unfounded_releases
from route53_takeover.simulation.chaos.runner import options_of, rehearse_once
from route53_takeover.simulation.chaos.step_functions_port import SimulatedStepFunctions
from route53_takeover.simulation.scenarios import SCENARIOS, site_account

if TYPE_CHECKING:
    from route53_takeover.simulation.chaos.harness import Harness
    from route53_takeover.simulation.chaos.oracle import Rehearsal
    from route53_takeover.simulation.scenarios import Scenario

NEVER = (1.0, 2000.0)
"""CloudFormation tries at once, and not again before all is over."""


def scenario_of(name: str = "alias", retry_delays: tuple[float, ...] | None = None) -> Scenario:
    scenario = SCENARIOS[name]
    account = replace(scenario.account, deadman=True)
    if retry_delays is not None:
        account = replace(site_account(retry_delays=retry_delays), deadman=True)
    return replace(scenario, account=account)


def rehearse(
    scenario: Scenario, *injected: InjectedFault, way_out: WayOut = WayOut.RESUME, **options: Any
) -> Rehearsal:
    return rehearse_once(
        scenario,
        "deadman",
        Faults(injected=injected, way_out=way_out),
        options=replace(options_of(scenario), **options),
    )


def killed(seconds: float, delay: float = 1.0) -> InjectedFault:
    return InjectedFault(
        deed=FaultKind.KILL, cue=InjectionPoint.RELEASE, delay=delay, seconds=seconds
    )


def struck(deed: FaultKind, cue: InjectionPoint, seconds: float, **more: Any) -> InjectedFault:
    return InjectedFault(deed=deed, cue=cue, seconds=seconds, **more)


def answers(run: Rehearsal) -> list[DeadmanAnswer]:
    return [e.answer for e in run.events if isinstance(e, ev.DeadmanAnswered)]


def started(run: Rehearsal) -> list[ev.DeadmanIntended]:
    return [e for e in run.events if isinstance(e, ev.DeadmanIntended)]


def purposes(run: Rehearsal) -> list[Purpose]:
    return [e.purpose for e in run.events if isinstance(e, ev.WriteIntended)]


# -- it is there when it is needed


def test_a_lost_machine_leaves_a_name_that_aws_restores_in_time() -> None:
    run = rehearse(scenario_of(retry_delays=NEVER), killed(1.0), way_out=WayOut.LEAVE)
    assert run.broken == ()
    assert CoverageGoal.CLOUD_RESTORED in run.sights
    assert not run.absent
    assert 120.0 <= run.gap_seconds <= 160.0  # the local deadman's 60 s, 60 s, and some slack
    assert any(f"{DEADMAN}: CREATE" in line for _, line in run.history)


def test_without_it_a_lost_machine_leaves_the_name_empty() -> None:
    scenario = scenario_of(retry_delays=NEVER)
    run = rehearse(scenario, killed(1.0), way_out=WayOut.LEAVE, cloud_deadman=None)
    assert run.gap_seconds > 1900.0  # until CloudFormation's next try


def test_a_release_waits_until_it_runs() -> None:
    run = rehearse(scenario_of())
    assert run.result.outcome == Outcome.DONE
    assert answers(run) == [DeadmanAnswer.STARTED, DeadmanAnswer.STOPPED]
    kinds = [type(e).__name__ for e in run.events if not isinstance(e, ev.Observation)]
    release = max(i for i, e in enumerate(kinds) if e == "WriteIntended")
    assert kinds.index("DeadmanTested") < kinds.index("DeadmanIntended") < release


def test_it_is_not_in_the_way_of_a_takeover_without_a_gap_of_its_own() -> None:
    plain = rehearse_once(SCENARIOS["alias"], "deadman", Faults())
    assert rehearse(scenario_of()).gap_seconds == pytest.approx(plain.gap_seconds, abs=2.0)


@pytest.mark.parametrize("name", ["bridge", "group-two-names", "nested", "routed", "many"])
def test_every_way_to_release_has_one(name: str) -> None:
    run = rehearse(scenario_of(name))
    assert (run.result.outcome, run.broken) == (Outcome.DONE, ())
    released = {
        change.record.key
        for e in run.events
        if isinstance(e, ev.WriteIntended) and e.purpose is Purpose.RELEASE
        for change in e.changes
    }
    assert {e.record.key for e in started(run)} >= released


def test_a_weighted_member_needs_none() -> None:
    run = rehearse(scenario_of("weighted"))
    assert (run.result.outcome, started(run)) == (Outcome.DONE, [])
    assert not any(isinstance(e, ev.DeadmanTested) for e in run.events)


def test_under_a_wildcard_it_waits_as_long_as_the_deploy_may_take() -> None:
    run = rehearse(scenario_of("bridge"), deploy_timeout=1000.0)
    assert [e.seconds for e in started(run)] == [pytest.approx(1090.0, abs=5.0)]


def test_no_more_than_two_names_are_tested_at_the_same_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An account takes five calls of Route 53 a second."""
    under_way = most = 0
    test = SimulatedStepFunctions.test

    async def counted(port: SimulatedStepFunctions, *given: str) -> tuple[str, str]:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            return await test(port, *given)
        finally:
            under_way -= 1

    monkeypatch.setattr(SimulatedStepFunctions, "test", counted)
    run = rehearse(scenario_of("many"))
    assert (run.result.outcome, run.broken, most) == (Outcome.DONE, (), 2)


# -- without it nothing is deleted


@pytest.mark.parametrize("strategy", [Strategy.DELETE, Strategy.BRIDGE])
def test_a_role_that_may_not_create_the_record_stops_the_run(strategy: Strategy) -> None:
    scenario = scenario_of("bridge" if strategy is Strategy.BRIDGE else "alias")
    run = rehearse(scenario, struck(FaultKind.DEADMAN_DENIED, InjectionPoint.PROVE, 900.0))
    assert (run.result.outcome, run.broken) == (Outcome.FAILED, ())
    assert "is not authorized to perform: route53:ChangeResourceRecordSets" in run.result.reason
    assert Purpose.RELEASE not in purposes(run)


def test_a_state_machine_that_does_not_exist_stops_the_run() -> None:
    scenario = SCENARIOS["alias"]
    run = rehearse(scenario, cloud_deadman=DEADMAN_ROLE)
    assert run.result.outcome == Outcome.FAILED
    assert "State Machine Does Not Exist" in run.result.reason
    assert run.gap_seconds == 0


def test_another_definition_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    find = StateMachines.machine

    def other(machines: StateMachines, arn: str) -> Any:
        found = find(machines, arn)
        return replace(found, definition=found.definition.replace("360", "1").replace("10", "9"))

    monkeypatch.setattr(StateMachines, "machine", other)
    run = rehearse(scenario_of())
    assert run.result.outcome == Outcome.FAILED
    assert "policy --cloud-deadman" in run.result.reason


def test_a_start_that_is_denied_keeps_the_record() -> None:
    denied = struck(FaultKind.REVOKE, InjectionPoint.CREATING, 3000.0, only="states:StartExecution")
    run = rehearse(scenario_of(), denied)
    assert (run.result.outcome, run.broken) == (Outcome.FAILED, ())
    assert "the deadman in AWS cannot be relied on" in run.result.reason
    assert Purpose.RELEASE not in purposes(run)


def test_a_release_that_is_late_gets_a_later_one() -> None:
    """Reads of the name fail for so long that the first one would fire too soon."""
    unread = struck(FaultKind.SILENCE, InjectionPoint.DEADMAN, 60.0, only="ListResourceRecordSets")
    run = rehearse(scenario_of(retry_delays=(1.0, 100.0, 20.0)), unread)
    assert (run.result.outcome, run.broken) == (Outcome.DONE, ())
    release = next(
        e for e in run.events if isinstance(e, ev.WriteIntended) and e.purpose is Purpose.RELEASE
    )
    before = [e for e in started(run) if e.time < release.time]
    assert len(before) > 1
    assert before[-1].time + before[-1].seconds >= release.time + 120.0


def test_a_start_without_an_answer_is_found() -> None:
    deaf = struck(FaultKind.DEAF, InjectionPoint.CREATING, 4.0, only="states:StartExecution")
    run = rehearse(scenario_of(), deaf)
    assert (run.result.outcome, run.broken) == (Outcome.DONE, ())
    assert answers(run)[:2] == [DeadmanAnswer.UNKNOWN, DeadmanAnswer.FOUND]


def test_a_start_that_never_arrived_is_followed_by_another() -> None:
    lost = struck(FaultKind.SILENCE, InjectionPoint.CREATING, 4.0, only="states:StartExecution")
    run = rehearse(scenario_of(), lost)
    assert (run.result.outcome, run.broken) == (Outcome.DONE, ())
    assert answers(run)[:2] == [DeadmanAnswer.UNKNOWN, DeadmanAnswer.ABSENT]
    assert len({e.id for e in started(run)}) > 1


def test_a_clock_that_is_set_back_between_two_processes_starts_a_later_one() -> None:
    """The first one fires in less time than the second process's clock shows."""
    killed_before = struck(FaultKind.KILL, InjectionPoint.DEADMAN, 100.0, delay=0.5)
    back = InjectedFault(deed=FaultKind.CLOCK, seconds=-7200.0)
    run = rehearse(scenario_of(retry_delays=(1.0, 110.0, 10.0, 10.0, 10.0)), killed_before, back)
    assert run.broken == ()
    assert run.result.outcome == Outcome.DONE
    first, *later = started(run)
    assert later
    stopped = [
        e.id
        for e in run.events
        if isinstance(e, ev.DeadmanAnswered) and e.answer is DeadmanAnswer.STOPPED
    ]
    assert stopped[0] == first.id


# -- what it does is understood


def test_a_run_that_is_resumed_after_it_says_that_the_record_is_restored() -> None:
    run = rehearse(scenario_of(retry_delays=(1.0, 300.0)), killed(200.0))
    assert (run.result.outcome, run.broken) == (Outcome.RESTORED, ())
    assert run.result.reason.startswith("the deadman in AWS restored www.example.com")
    assert Purpose.RELEASE not in purposes(run)[purposes(run).index(Purpose.RELEASE) + 1 :]


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.02, 0.03, 0.05])
def test_a_release_of_unknown_fate_is_not_sent_again_once_it_has_fired(delay: float) -> None:
    run = rehearse(scenario_of(retry_delays=(1.0, 600.0)), killed(200.0, delay))
    assert run.broken == ()
    if run.gap_seconds:
        assert purposes(run).count(Purpose.RELEASE) == 1
        assert run.result.outcome == Outcome.RESTORED


def test_it_fires_while_cloudformation_creates_and_overwrites_nothing() -> None:
    """CloudFormation has created its record by then: the CREATE is refused, again and again."""
    run = rehearse(scenario_of(retry_delays=(1.0, 30.0)), killed(300.0))
    assert (run.result.outcome, run.broken) == (Outcome.DONE, ())
    assert not any(DEADMAN in line for _, line in run.history)


def test_more_time_for_cloudformation_starts_a_later_one_before_the_first_is_stopped() -> None:
    more = InjectedFault(
        deed=FaultKind.KEYS,
        cue=InjectionPoint.RELEASE,
        delay=5.0,
        act=Act.EXTEND_DEADMAN,
        name="www.example.com.",
        times=3,
        seconds=1.0,
    )
    run = rehearse(scenario_of(retry_delays=(1.0, 180.0)), more)
    assert (run.result.outcome, run.broken) == (Outcome.DONE, ())
    first, *later = started(run)
    assert later
    stops = [
        (e.time, e.id)
        for e in run.events
        if isinstance(e, ev.DeadmanAnswered) and e.answer is DeadmanAnswer.STOPPED
    ]
    assert stops[0][1] == first.id
    assert stops[0][0] > later[0].time
    assert later[-1].time + later[-1].seconds > first.time + first.seconds + 170.0


# -- it ends


def test_one_that_cannot_be_stopped_is_told_with_its_end() -> None:
    run = rehearse(scenario_of(), struck(FaultKind.DEADMAN_STUCK, InjectionPoint.DEADMAN, 9e4))
    assert (run.result.outcome, run.result.exit_code, run.broken) == (Outcome.UNKNOWN, 4, ())
    assert "the deadman in AWS of www.example.com still runs" in run.result.reason
    assert "ends by itself at 2027-" in run.result.reason


def test_a_run_that_is_stopped_in_the_gap_leaves_it_running_and_says_so() -> None:
    stop = InjectedFault(deed=FaultKind.STOP, cue=InjectionPoint.RELEASE, delay=1.0)
    again = replace(stop, delay=5.0)
    run = rehearse(scenario_of(retry_delays=NEVER), stop, again)
    told = [
        state.ending.reason
        for state in map(fold, (run.events[:n] for n in range(1, len(run.events))))
        if state is not None and state.ending is not None
    ]
    assert "stopped by a second SIGTERM; the deadman in AWS of www.example.com" in told[0]
    assert run.broken == ()


@pytest.mark.parametrize("signal", [InjectionPoint.DEADMAN, InjectionPoint.CREATING])
def test_an_abort_stops_it(signal: InjectionPoint) -> None:
    stop = InjectedFault(deed=FaultKind.STOP, cue=signal, delay=1.0)
    run = rehearse(scenario_of(retry_delays=(1.0, 60.0)), stop, hold=30.0)
    assert (run.result.outcome, run.broken) == (Outcome.ABORTED, ())
    assert answers(run)[-1:] in ([], [DeadmanAnswer.STOPPED])


def test_restore_stops_it() -> None:
    seen: list[Harness] = []
    scenario = scenario_of(retry_delays=NEVER)
    run = rehearse_once(
        scenario,
        "deadman",
        Faults(injected=(killed(5.0),), way_out=WayOut.RESTORE),
        options=options_of(scenario),
        begin=seen.append,
    )
    assert run.broken == ()
    executions = seen[0].world.step_functions.executions.values()
    assert [each.status for each in executions] == ["ABORTED"]
    assert not any(f"{DEADMAN}: CREATE" in line for _, line in run.history)


# -- what the oracle allows


def test_a_sleep_between_the_program_and_the_wire_is_no_fault_of_the_release() -> None:
    asleep = struck(FaultKind.SUSPEND, InjectionPoint.RELEASE, 400.0, delay=0.001)
    seen: list[Harness] = []
    scenario = scenario_of(retry_delays=NEVER)
    run = rehearse_once(
        scenario,
        "deadman",
        Faults(injected=(asleep,)),
        options=options_of(scenario),
        begin=seen.append,
    )
    slept = [a for a in seen[0].transport.arrivals if a.time - a.sent > 300.0]
    assert len(slept) == 1
    assert run.broken == ()
    plan = next(e.plan for e in run.events if isinstance(e, ev.RunStarted))
    seen[0].troubles[:] = [t for t in seen[0].troubles if t.what != "asleep"]
    assert Ground.RESCUED in list(unfounded_releases(seen[0], plan))


def test_the_time_in_which_route53_takes_nothing_counts_while_no_process_lives() -> None:
    busy = struck(FaultKind.BUSY, InjectionPoint.RELEASE, 400.0, delay=1.75)
    run = rehearse(scenario_of(retry_delays=NEVER), killed(1800.0, 0.5), busy)
    assert run.broken == ()
    assert 400.0 < run.gap_seconds < 440.0


# -- the oracle tells what is broken


def test_the_oracle_tells_a_release_that_did_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (release_gate, invariants):
        monkeypatch.setattr(module, "is_armed", lambda *_: True)
    assert Ground.RESCUED in rehearse(scenario_of()).broken


def test_the_oracle_tells_one_that_is_left_running(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "deadmen_stopped", lambda _: True)
    monkeypatch.setattr(completion, "left_deadmen", lambda _: "")
    monkeypatch.setattr(invariants, "left_deadmen", lambda _: "")
    told = "the deadman in AWS is stopped, or the run says that it is not"
    assert told in rehearse(scenario_of()).broken


def test_the_oracle_tells_one_that_does_not_restore(monkeypatch: pytest.MonkeyPatch) -> None:
    carry_out = StateMachines._carry_out

    def never(machines: StateMachines, role: str, resource: str, parameters: Any) -> Any:
        if "deadman" in parameters["ChangeBatch"]["Comment"].split()[1:2]:
            return carry_out(machines, role, resource, parameters)
        if "test" in parameters["ChangeBatch"]["Comment"]:
            return carry_out(machines, role, resource, parameters)
        machines.denied_until = float("inf")
        return carry_out(machines, role, resource, parameters)

    monkeypatch.setattr(StateMachines, "_carry_out", never)
    run = rehearse(scenario_of(retry_delays=NEVER), killed(1.0), way_out=WayOut.LEAVE)
    assert "a name has a record again soon after its deadman in AWS was due" in run.broken
