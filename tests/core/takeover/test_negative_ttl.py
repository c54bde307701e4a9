"""The SOA of a run with `--negative-ttl`: compared before, read after, put back, left to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from tests.builders import plan

from route53_takeover.core.domain.record_sets import Change, RecordSet
from route53_takeover.core.domain.soa import NegativeCaching, negative_ttl, with_negative_caching
from route53_takeover.core.endings import Outcome
from route53_takeover.core.plan.model import LoweredSoa
from route53_takeover.core.takeover import commands as cmd
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.fold import begin
from route53_takeover.core.takeover.invariants import violations
from route53_takeover.core.takeover.name_state import SoaStatus
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.soa_queries import left_soa
from route53_takeover.core.takeover.step import step

if TYPE_CHECKING:
    from route53_takeover.core.takeover.state import State

ZONE = "example.com."
ORIGINAL = RecordSet(
    name=ZONE, type="SOA", ttl=900, values=("ns-1. host.example. 1 7200 900 1209600 86400",)
)
LOWERED = with_negative_caching(ORIGINAL, NegativeCaching(5, 5))
SERIAL = replace(LOWERED, values=("ns-1. host.example. 2 7200 900 1209600 5",))
THEIRS = with_negative_caching(ORIGINAL, NegativeCaching(1800, 1800))


def lowering() -> State:
    """A run that has its backup, in the phase that lowers TTLs."""
    made = plan(soa=LoweredSoa(original=ORIGINAL, lowered=LOWERED))
    state = begin(ev.RunStarted(time=100.0, run="r", plan=made))
    return replace(state, phase=Phase.LOWER_TTL, backed_up=True)


class Run:
    """A state, the events that come to it, and the last batch that it asked for."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.write: cmd.WriteBatch | None = None

    def feed(self, *events: ev.AnyEvent) -> Run:
        for event in events:
            self.state, commands = step(self.state, event)
            for command in commands:
                if isinstance(command, cmd.WriteBatch):
                    assert violations(self.state, command, frozenset()) == ()
                    self.write = command
        return self

    def read(self, soa: RecordSet, *, after: float = 1.0) -> Run:
        at = self.state.now + after
        return self.feed(ev.NameRead(time=at, name=ZONE, began=at - 0.1, records=(soa,)))

    def intend(self) -> Run:
        assert self.write is not None
        return self.feed(
            ev.WriteIntended(
                time=self.state.now,
                id=self.write.id,
                name=ZONE,
                purpose=self.write.purpose,
                changes=self.write.changes,
            )
        )

    def accept(self) -> Run:
        self.intend()
        assert self.write is not None
        return self.feed(
            ev.WriteAccepted(time=self.state.now, id=self.write.id, name=ZONE, change_id="C1")
        )

    @property
    def stage(self) -> SoaStatus:
        assert self.state.soa is not None
        return self.state.soa.stage

    @property
    def sent(self) -> tuple[Purpose, tuple[Change, ...]]:
        assert self.write is not None
        return self.write.purpose, self.write.changes


def lowered() -> Run:
    run = Run(lowering()).read(ORIGINAL).accept().read(LOWERED)
    return run.feed(ev.ChangeInsync(time=run.state.now, name=ZONE, change_id="C1"))


def test_only_two_fields_are_changed() -> None:
    assert LOWERED.ttl == 5
    assert LOWERED.values == ("ns-1. host.example. 1 7200 900 1209600 5",)
    assert with_negative_caching(LOWERED, NegativeCaching(900, 86400)) == ORIGINAL
    assert (negative_ttl(ORIGINAL), negative_ttl(LOWERED), negative_ttl(None)) == (900, 5, 900)


def test_it_is_read_before_and_after_and_awaited_until_every_name_server_has_it() -> None:
    run = Run(lowering())
    run.feed(ev.TimePassed(time=101.0))
    assert run.write is None
    run.read(ORIGINAL)
    assert run.sent == (Purpose.LOWER_SOA, (Change.upsert_soa(LOWERED),))
    run.accept()
    assert run.state.phase is Phase.LOWER_TTL
    run.read(LOWERED)
    assert run.state.phase is Phase.LOWER_TTL
    run.feed(ev.ChangeInsync(time=run.state.now, name=ZONE, change_id="C1"))
    assert run.state.phase is not Phase.LOWER_TTL


def test_what_another_writer_changed_before_is_not_overwritten() -> None:
    run = Run(lowering()).read(THEIRS)
    assert run.write is None
    assert "another writer changed the SOA of example.com" in run.state.given_up
    assert left_soa(run.state) == ""


def test_the_other_fields_are_kept_as_they_are_read() -> None:
    serial = with_negative_caching(SERIAL, NegativeCaching(900, 86400))
    run = Run(lowering()).read(serial)
    assert run.sent[1] == (Change.upsert_soa(SERIAL),)


def test_a_lost_answer_is_settled_by_reading() -> None:
    run = Run(lowering()).read(ORIGINAL).intend()
    assert run.write is not None
    lost = ev.WriteUnknown(time=run.state.now, id=run.write.id, name=ZONE, reason="closed")
    assert run.feed(lost).read(LOWERED).stage is SoaStatus.LOWERED
    again = Run(lowering()).read(ORIGINAL).intend()
    first = again.write
    again.feed(lost).read(ORIGINAL).read(ORIGINAL)
    assert again.write == first
    again.read(ORIGINAL)
    assert again.write is not None
    assert again.write != first


def stopped(run: Run) -> Run:
    return run.feed(ev.Interrupted(time=run.state.now + 30, signal="SIGTERM"))


def test_it_is_put_back_to_the_letter_when_the_run_ends() -> None:
    run = stopped(lowered()).read(LOWERED)
    assert run.sent == (Purpose.RESTORE_SOA, (Change.upsert_soa(ORIGINAL),))
    run.accept().read(LOWERED)  # a read that lags
    assert run.stage is SoaStatus.RESTORED
    assert run.state.ending is None
    run.read(ORIGINAL)
    assert left_soa(run.state) == ""


def test_a_serial_that_another_writer_raised_is_kept() -> None:
    run = stopped(lowered()).read(SERIAL)
    kept = with_negative_caching(SERIAL, NegativeCaching(900, 86400))
    assert run.sent == (Purpose.RESTORE_SOA, (Change.upsert_soa(kept),))


def test_a_negative_ttl_that_another_writer_set_is_left_and_told() -> None:
    run = lowered()
    write = run.write
    stopped(run).read(THEIRS).read(THEIRS)
    assert run.write is write
    assert run.stage is SoaStatus.CHANGED
    told = left_soa(run.state)
    assert "left as it is" in told
    assert "TTL 900, minimum 86400" in told


def test_a_resumed_run_puts_it_back() -> None:
    run = lowered()
    run.feed(ev.RunResumed(time=run.state.now + 900))
    stopped(run).read(LOWERED)
    assert run.sent[0] is Purpose.RESTORE_SOA


def test_the_second_signal_ends_at_once_and_tells_of_the_soa() -> None:
    run = stopped(lowered())
    run.feed(ev.Interrupted(time=run.state.now + 10, signal="SIGTERM"))
    ending = run.state.ending
    assert ending is not None
    assert ending.outcome is Outcome.UNKNOWN
    assert "the SOA of example.com could not be put back" in ending.reason
