"""``rehearse --live``: measures the account's CloudFormation with throw-away names and one stack.

It says first what it creates, and asks. Whatever ends it, it removes all of that again; a process
that is killed leaves that to `restore`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.base.errors import (
    ExitCode,
    RefusedError,
    TakeoverError,
    UsageError,
    one_line,
)
from route53_takeover.base.private_files import refuse_exposed
from route53_takeover.base.signals import asking
from route53_takeover.base.stdio import write_line, write_lines
from route53_takeover.base.threads import in_thread
from route53_takeover.cli.bootstrap import opened, prober_of, who_am_i
from route53_takeover.cli.execution import refuse_questions
from route53_takeover.cli.interrupts import StoppedError
from route53_takeover.core.domain.names import display_name, normal_name
from route53_takeover.core.endings import OUTCOMES
from route53_takeover.core.plan.measured import Measurement, measured_line
from route53_takeover.core.status.result import Result
from route53_takeover.core.timing import ONE_REQUEST
from route53_takeover.output import json_lines, text_lines
from route53_takeover.runtime.measuring.bench import Bench
from route53_takeover.runtime.measuring.guarded import GuardedRecords, ThrowAwayStack
from route53_takeover.runtime.measuring.measure import LOGGED_AFTER, measure
from route53_takeover.runtime.measuring.removal import remove_all
from route53_takeover.storage.journal import FileJournal
from route53_takeover.storage.measurement_folder import (
    MeasurementLedger,
    SavedMeasurement,
    save_measurement_plan,
)
from route53_takeover.storage.measurements import measurement_path, save_measurement
from route53_takeover.storage.run_folder import create_run, line_for, within

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from pathlib import Path

    from route53_takeover.cli.bootstrap import OpenAccount
    from route53_takeover.core.measuring.scope import Scope
    from route53_takeover.core.plan.facts import Identity
    from route53_takeover.core.plan.measured import MeasuredKind, RecordKind
    from route53_takeover.core.ports import Clock, Zone
    from route53_takeover.runtime.measuring.guarded import Ledger
    from route53_takeover.runtime.measuring.removal import Left
    from route53_takeover.storage.config import Common, Connection
    from route53_takeover.storage.run_folder import RunFolder

_Found = TypeVar("_Found")
_BLOCKING = ("ACTIVE_RECORD_CHECK", "ACTIVE_DELEGATION_CHECK")
"""Guardrails under which a record that was asked for could not be removed again."""


class LiveRequest(NamedTuple):
    """What is to be measured.

    Attributes:
        zone: the hosted zone's id or name.
        auto: no one is asked.
    """

    zone: str
    kinds: tuple[RecordKind, ...]
    protections: bool
    auto: bool


async def measure_live(common: Common, connection: Connection, asked: LiveRequest) -> ExitCode:
    """Measures, removes everything again, and saves what was found."""
    clock = SystemClock()

    def tell(text: str) -> None:
        text_lines.talk(common, text)

    if exposed := refuse_exposed(common.state_dir):
        text_lines.talk(common, f"warning: {exposed}", always=True)
    refuse_questions(connection)
    identity = await in_thread(lambda: who_am_i(connection))
    async with opened(connection, clock, writable=True, measures=True, tell=tell) as account:
        zone = await zone_to_measure_in(account, asked.zone)
        connection = msgspec.structs.replace(connection, region=account.region)
        for line in announcement(asked, zone, identity, account.region):
            text_lines.talk(common, line, always=True)
        if not asked.auto and not await in_thread(lambda: _agrees(zone)):
            raise StoppedError("declined, and nothing was written", "")
        folder = create_run(common.state_dir, "measure", clock.now())
        saved = SavedMeasurement(
            run=folder.name,
            begun=clock.now(),
            connection=connection,
            cwd=str(folder.path),
            account=identity.account,
            zone_id=zone.zone_id,
            zone_name=zone.name,
            kinds=asked.kinds,
            protections=asked.protections,
        )
        with within(folder), MeasurementLedger(folder, clock.now) as ledger:
            _save(folder, saved)
            tell(f"run {folder.name} in {folder.path}")
            run = LiveRun(common, account, clock, folder, saved, ledger, identity, zone)
            return await run.carry_out()


class LiveRun:
    """One measurement in its folder."""

    def __init__(
        self,
        common: Common,
        account: OpenAccount,
        clock: Clock,
        folder: RunFolder,
        saved: SavedMeasurement,
        ledger: MeasurementLedger,
        identity: Identity,
        zone: Zone,
    ) -> None:
        self._common = common
        self._account = account
        self._clock = clock
        self._folder = folder
        self._saved = saved
        self._ledger = ledger
        self._identity = identity
        self._zone = zone
        self._bench = bench_of(account, saved.scope, ledger, clock, self._tell)
        self._lines = 0

    async def carry_out(self) -> ExitCode:
        """Measures until it ends or is stopped, and removes everything."""
        stop = Stop()
        failure: TakeoverError | None = None
        try:
            measurement = await stop.able(self._measure())
            self._found(measurement)
            self._print_measurement(measurement)
        except asyncio.CancelledError:
            failure = StoppedError(f"{stop.signal}: stopped")
        except TakeoverError as error:
            failure = error
            text_lines.tell_error(error)
        self._tell("removing the stack and the records")
        try:
            left = await stop.able(remove_all(self._bench))
        except asyncio.CancelledError:
            line = line_for(self._common.state_dir, "restore", self._folder.name)
            reason = (
                f"{stop.signal}: stopped before everything was removed; remove it with `{line}`"
            )
            return self._end(ExitCode.UNKNOWN, reason)
        return end_removal(self._common, left, failure, self._end)

    async def _measure(self) -> Measurement:
        journal = FileJournal(self._folder.path / "takeover.jsonl")
        try:
            return await measure(
                self._bench,
                self._saved.kinds,
                protections=self._saved.protections,
                identity=self._identity,
                region=self._account.region,
                prober=None
                if self._zone.private
                else prober_of(self._saved.connection, self._zone.name_servers),
                journal=journal,
                found=self._found_kind,
                log_patience=0.0 if self._saved.connection.is_loopback else LOGGED_AFTER,
            )
        finally:
            journal.close()

    def _found_kind(self, kind: MeasuredKind) -> None:
        """Saves what is known so far: a later failure must not lose it."""
        self._found(
            Measurement(
                account=self._identity.account,
                region=self._account.region,
                run=self._folder.name,
                kinds=(kind,),
            )
        )
        self._tell(f"{kind.kind}: measured and saved")

    def _found(self, measurement: Measurement) -> None:
        save_measurement(self._path, measurement)

    @property
    def _path(self) -> Path:
        return measurement_path(
            self._common.state_dir,
            self._identity.account,
            self._account.region,
            self._saved.connection.endpoint_url,
        )

    def _print_measurement(self, measurement: Measurement) -> None:
        if self._common.as_json:
            self._print_json("measurement", msgspec.to_builtins(measurement))
            return
        write_lines(measurement_lines(measurement), sys.stdout)
        write_line(f"saved in {self._path}", sys.stdout)

    def _print_json(self, event: str, body: dict[str, object]) -> None:
        self._lines += 1
        head = {
            "run": self._folder.name,
            "seq": self._lines,
            "time": json_lines.rfc3339(self._clock.now()),
            "phase": "measure",
            "event": event,
        }
        rest = {key: value for key, value in body.items() if key not in head}
        write_line(json.dumps(head | rest), sys.stdout)

    def _end(self, code: ExitCode, reason: str) -> ExitCode:
        self._ledger.ended(str(OUTCOMES[code]), reason)
        ended = removal_result(self._folder, code, reason, self._account)
        return text_lines.print_result(self._common, ended, self._clock.now(), seq=self._lines + 1)

    def _tell(self, text: str) -> None:
        text_lines.talk(self._common, text)


class Stop:
    """Signals: the first ends the work it meets, and those within two seconds are the same one."""

    def __init__(self) -> None:
        self.signal = ""
        self._at = float("-inf")
        self._work: asyncio.Task[object] | None = None
        loop = asyncio.get_running_loop()
        for number in asking():
            loop.add_signal_handler(number, self._asked, number.name)

    async def able(self, work: Coroutine[None, None, _Found]) -> _Found:
        """Carries out work that a signal ends: CancelledError then."""
        self._work = task = asyncio.ensure_future(work)
        return await task

    def _asked(self, name: str) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._at < ONE_REQUEST:
            return
        self._at, self.signal = now, name
        if self._work is not None:
            self._work.cancel()


def bench_of(
    account: OpenAccount, scope: Scope, ledger: Ledger, clock: Clock, tell: Callable[[str], None]
) -> Bench:
    """What a measurement works with on an account that is open for it."""
    return Bench(
        scope=scope,
        records=GuardedRecords(account.records, scope, ledger),
        stack=ThrowAwayStack(account.measuring, account.stacks, scope, ledger, clock),
        stacks=account.stacks,
        aws=account.measuring,
        clock=clock,
        tell=tell,
    )


def end_removal(
    common: Common,
    left: Sequence[Left],
    failure: TakeoverError | None,
    end: Callable[[ExitCode, str], ExitCode],
) -> ExitCode:
    """Says what could not be removed, with the line that does it, and ends."""
    for each in left:
        text_lines.talk(common, f"warning: {each.what} is left: {each.why}", always=True)
        text_lines.talk(common, f"  {each.command}", always=True)
    if left:
        return end(ExitCode.UNKNOWN, "not removed: " + ", ".join(each.what for each in left))
    if failure is not None:
        code = ExitCode.INTERRUPTED if isinstance(failure, StoppedError) else ExitCode.FAILED
        return end(code, f"{one_line(failure)}; everything was removed again")
    return end(ExitCode.DONE, "everything was removed again")


def removal_result(folder: RunFolder, code: ExitCode, reason: str, account: OpenAccount) -> Result:
    return Result(
        run=folder.name,
        phase="ended",
        outcome=str(OUTCOMES[code]),
        exit_code=code,
        reason=reason,
        api_calls=dict(sorted(account.calls.items())),
        resumable=False,
    )


def announcement(asked: LiveRequest, zone: Zone, identity: Identity, region: str) -> Sequence[str]:
    """What will be created, where, what it costs and how long it takes."""
    kinds = ", ".join(asked.kinds)
    count = len(asked.kinds)
    per_kind = 4 if asked.protections else 3
    name = display_name(zone.name)
    created = (
        f"It creates throw-away records below _takeover-test-RUN.{name} in zone {zone.zone_id}, "
        "and one stack, takeover-test-RUN; RUN is the time of its start. It removes all of them "
        "again, and writes nothing else."
    )
    calls = (
        f"Calls: about {2 + per_kind * count} updates of the stack, {4 + 6 * count} changes of "
        "records, and up to 4 reads of Route 53 a second. Cost: none of these has a price; a zone "
        "includes 10,000 records, and up to 15 for each kind stand at a time."
    )
    time = (
        f"Time: {3 + 3 * count} to {15 + 20 * count} minutes, depending on how long CloudFormation "
        "retries and on CloudTrail."
    )
    first = f"This measures CloudFormation in account {identity.account}, region {region}: {kinds}."
    return first, created, calls, time


def measurement_lines(measurement: Measurement) -> list[str]:
    """What was measured, a line each."""
    lines = [measured_line(each) for each in measurement.kinds]
    lines += [
        f"{each.kind}: events come {max(0.0, round(each.event_lag, 1)):g} s after the change"
        for each in measurement.kinds
        if each.event_lag is not None
    ]
    if measurement.visible_after is not None:
        lines.append(f"a DELETE is on every name server after {measurement.visible_after:g} s")
    if measurement.takeover_gap is not None:
        lines.append(f"a takeover of a throw-away alias: {measurement.takeover_gap:g} s gap")
    return lines


async def zone_to_measure_in(account: OpenAccount, asked: str) -> Zone:
    """The zone, which throw-away records can be removed from again."""
    if "." in asked:
        name = normal_name(asked)
        found = [each for each in await account.records.zones(name) if each.name == name]
        if len(found) != 1:
            ids = ", ".join(each.zone_id for each in found) or "none"
            raise RefusedError(
                f"zones of the name {display_name(name)}: {ids}", "Give the zone's id with --zone."
            )
        zone = found[0]
    else:
        zone = await account.records.zone(asked)
    if on := [each for each in _BLOCKING if each in zone.guardrails]:
        raise RefusedError(
            f"zone {zone.zone_id} has the change guardrail {on[0]}: records that were asked for "
            "could not be deleted again",
            "Measure in another zone: it counts for the account and region.",
        )
    return zone


def _agrees(zone: Zone) -> bool:
    """Asks for the zone's name on the terminal."""
    name = display_name(zone.name)
    sys.stderr.write(f"Type {name} to start: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().rstrip(".").lower() == name.rstrip(".").lower()


def _save(folder: RunFolder, saved: SavedMeasurement) -> None:
    try:
        save_measurement_plan(folder, saved)
    except OSError as error:
        raise UsageError(
            f"cannot write {folder.path}: {error.strerror}; nothing was written to AWS",
            "Make room there, or choose another folder with --state-dir.",
        ) from error
