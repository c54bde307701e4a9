"""A DDNS client, or another controller, that writes its own record again and again.

No read tells of it before a run: Route 53 does not say when or by whom a record was written. So
each run here meets it in one phase. It ends with what is true, and overwrites nothing of it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.simulated_runs.test_faults import (
    CNAME_TO_ALIAS,
    NAME,
    TWO_NAMES,
    assert_truthful,
    batches,
    options_for,
    rehearse,
    story,
)

from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.simulation.aws.route53.zones import ZoneError
from route53_takeover.simulation.scenarios import (
    SCENARIOS,
    cname,
    site_account,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.core.takeover.state import State
    from route53_takeover.simulation.chaos.harness import Harness
    from route53_takeover.simulation.chaos.oracle import Rehearsal
    from route53_takeover.simulation.scenarios import Scenario

    Since = Callable[[State], bool]
    Own = Callable[[int], RecordSet]
    """What is written the first time, the second and so on."""

LEFT = "another writer changed www.example.com {}; its record is left as it is"
KEPT = " (TTL 60 s; before the run it was 300 s)"
EVERY = (1.0, 7.0, 60.0)


def address(number: int) -> RecordSet:
    """What a DDNS client writes: an address that differs each time."""
    return RecordSet(name=NAME, type="A", ttl=60, values=(f"203.0.113.{number % 250}",))


def tunnel(number: int) -> RecordSet:
    return replace(cname(120), values=(f"t{number}.tunnel.example.net",))


MANUAL = RecordSet(name=NAME, type="A", ttl=300, values=("198.51.100.1",))
HOME = story("home", site_account(existing=MANUAL))
ALIAS = SCENARIOS["alias"]


class Updater:
    """Writes a record of its own every so many seconds, from a point of the run on."""

    def __init__(
        self,
        since: Since,
        every: float,
        delay: float,
        own: Own,
    ) -> None:
        self._since, self._every, self._delay, self._own = since, every, delay, own
        self.wrote: list[RecordSet] = []
        self.began = False

    def saw(self, harness: Harness, _: ev.AnyEvent, state: State) -> None:
        if not self.began and self._since(state):
            self.began = True
            harness.after(self._delay, lambda: self._write(harness))

    def _write(self, harness: Harness) -> None:
        own = self._own(len(self.wrote) + 1)
        with suppress(ZoneError):  # a record of another type stands there
            harness.world.write([("UPSERT", own)])
            harness.strike("edited")
            self.wrote.append(own)
        harness.after(self._every, lambda: self._write(harness))


def met(
    scenario: Scenario,
    since: Since,
    every: float,
    *,
    delay: float = 0.1,
    own: Own = address,
) -> Rehearsal:
    """The run that meets it; not one of its records was deleted by the run."""
    updater = Updater(since, every, delay, own)
    options = options_for(scenario, strategy_given=True)  # a plain A needs the explicit word
    rehearsal = rehearse(scenario, options=options, saw=updater.saw)
    assert_truthful(rehearsal, (every, delay))
    assert updater.wrote
    deleted = [c.record for e in batches(rehearsal) for c in e.changes if c.action == "DELETE"]
    assert not [r for r in deleted if any(r.same_as(theirs) for theirs in updater.wrote)]
    return rehearsal


def left(scenario: Scenario, own: Own = address) -> str:
    """The reason; where the client's TTL is the run's, it may have kept what it found."""
    return LEFT.format(own(0).type) + (KEPT if scenario is HOME else "")


def within(phase: Phase) -> Since:
    return lambda state: state.phase is phase


def ended(rehearsal: Rehearsal) -> tuple[str, int, list[str], str]:
    result = rehearsal.result
    return (
        result.outcome,
        result.exit_code,
        [record.outcome for record in result.records],
        result.reason,
    )


def deploys(rehearsal: Rehearsal) -> list[str]:
    return [str(e.switch) for e in rehearsal.events if isinstance(e, ev.DeployIntended)]


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize(
    ("scenario", "own"),
    [(HOME, address), (ALIAS, address), (CNAME_TO_ALIAS, tunnel)],
    ids=lambda it: getattr(it, "name", ""),
)
def test_one_that_writes_before_the_first_deploy_is_met_before_it(
    scenario: Scenario, own: Own, every: float
) -> None:
    rehearsal = met(scenario, lambda _: True, every, delay=0.0, own=own)
    told = LEFT.format(own(0).type)
    assert ended(rehearsal) == ("failed", 1, ["untouched"], told)
    assert deploys(rehearsal) == []
    assert batches(rehearsal) == []


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("delay", [0.1, 20.0, 200.0, 295.0])
def test_one_that_writes_in_the_drain_is_met_in_the_drain(every: float, delay: float) -> None:
    since = within(Phase.DRAIN)
    for scenario, own in ((HOME, address), (CNAME_TO_ALIAS, tunnel)):
        rehearsal = met(scenario, since, every, delay=delay, own=own)
        assert ended(rehearsal) == ("failed", 1, ["untouched"], left(scenario, own))
        assert deploys(rehearsal) == []
        first, last = rehearsal.events[0], rehearsal.events[-1]
        assert last.time - first.time < delay + 45, "it is seen within a read or two"


def test_the_other_name_gets_its_ttl_back_and_the_text_tells_of_the_one_that_stays() -> None:
    api = replace(MANUAL, name="api.example.com.")
    account = replace(TWO_NAMES.account, existing=(MANUAL, api))
    scenario = replace(TWO_NAMES, account=account)
    options = replace(
        options_for(TWO_NAMES, strategy_given=True), records=("www.example.com", "api.example.com")
    )
    updater = Updater(within(Phase.DRAIN), 60.0, 5.0, address)
    rehearsal = rehearse(scenario, options=options, saw=updater.saw)
    assert_truthful(rehearsal)
    assert deploys(rehearsal) == []
    told = LEFT.format("A") + KEPT
    assert ended(rehearsal) == ("failed", 1, ["untouched", "untouched"], told)
    assert rehearsal.state.names["api.example.com."].handovers[0].standing == api


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize(
    ("phase", "began"),
    [
        (Phase.DEPLOY_OFF, ["off"]),
        (Phase.PROVE, ["off", "on"]),
        (Phase.DEPLOY_ON, ["off", "on"]),
        (Phase.WATCH, ["off", "on"]),
    ],
)
def test_one_that_writes_before_the_release_keeps_its_record(
    phase: Phase, began: list[str], every: float
) -> None:
    since = within(phase)
    if phase is Phase.DEPLOY_OFF:
        since = lambda state: bool(state.deploys)  # noqa: E731
    for scenario in (HOME, ALIAS):
        rehearsal = met(scenario, since, every)
        assert ended(rehearsal) == ("failed", 1, ["untouched"], left(scenario))
        assert deploys(rehearsal) == began
        assert rehearsal.gap_seconds == 0


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("delay", [0.0, 0.5, 1.0, 1.5, 1.9, 2.2])
def test_one_that_writes_in_the_hold_is_not_deleted(every: float, delay: float) -> None:
    def creating(state: State) -> bool:
        return any(s.records for s in state.stacks.values()) and state.phase is Phase.WATCH

    rehearsal = met(ALIAS, creating, every, delay=delay)
    outcome = ended(rehearsal)
    if rehearsal.gap_seconds == 0:
        assert outcome == ("failed", 1, ["untouched"], LEFT.format("A"))
    else:
        assert outcome[0] == "unknown", outcome


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("phase", [Phase.RELEASE, Phase.CONFIRM])
def test_one_that_writes_in_the_gap_fills_it_and_the_operator_is_asked_to_look(
    phase: Phase, every: float
) -> None:
    """The manual record does not stand, and no stack owns what does: not `failed`."""
    rehearsal = met(ALIAS, within(phase), every)
    assert ended(rehearsal) == ("unknown", 4, ["unknown"], LEFT.format("A"))
    assert 0 < rehearsal.gap_seconds < 1


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("delay", [0.1, 1.5, 4.0])
def test_one_that_overwrites_cloudformations_record_is_told_of(every: float, delay: float) -> None:
    rehearsal = met(ALIAS, within(Phase.GUARD), every, delay=delay)
    reason = "www.example.com A is not what the stack says it created"
    assert ended(rehearsal) == ("unknown", 4, ["created"], reason)


@pytest.mark.parametrize("every", EVERY)
def test_one_that_writes_while_the_stack_rolls_back_keeps_its_record(every: float) -> None:
    def rolling_back(state: State) -> bool:
        return any("ROLLBACK" in s.status for s in state.stacks.values())

    for delay in (0.0, 0.3, 1.0, 3.0):
        rehearsal = met(SCENARIOS["rolled-back"], rolling_back, every, delay=delay)
        assert rehearsal.result.outcome in ("unknown", "restored"), delay
