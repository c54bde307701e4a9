"""A run in this process: a new one, or one that is resumed from its journal.

The same for ``--auto`` and for the process that a terminal starts (`route53_takeover.cli.worker`);
a `Reporter` prints or sends how it goes.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from msgspec.structs import replace

from route53_takeover import __version__
from route53_takeover.adapters.clock import SystemClock
from route53_takeover.adapters.identity import needs_mfa
from route53_takeover.base.errors import ExitCode, RefusedError, TakeoverError, UsageError
from route53_takeover.base.private_files import exposure, refuse_exposed
from route53_takeover.base.threads import in_thread
from route53_takeover.cli.bootstrap import check_refusals, drive, opened, planned, who_am_i
from route53_takeover.cli.interrupts import StoppedError, in_loop
from route53_takeover.cli.run_state import fold_takeover
from route53_takeover.core.endings import Outcome
from route53_takeover.core.plan.model import Finding
from route53_takeover.core.plan.review import differences
from route53_takeover.core.status.result import RecordResult, Result, result
from route53_takeover.core.takeover import events as ev
from route53_takeover.process.account_socket import rejoin
from route53_takeover.storage.journal import FileJournal, read_journal
from route53_takeover.storage.locks import Work, locked_names, site_of
from route53_takeover.storage.run_folder import (
    Saved,
    SavedSwitch,
    create_run,
    line_for,
    within,
)

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from route53_takeover.cli.bootstrap import OpenAccount
    from route53_takeover.core.plan.account_read import AccountRead
    from route53_takeover.core.plan.model import Options, Plan
    from route53_takeover.core.takeover.state import State
    from route53_takeover.output.reporter import Reporter
    from route53_takeover.process.account_socket import AccountLink
    from route53_takeover.storage.config import Common, Connection, Override
    from route53_takeover.storage.locks import Held
    from route53_takeover.storage.plan_file import PlanFile
    from route53_takeover.storage.run_folder import RunFolder


class Rehearsed(NamedTuple):
    """A run that is a rehearsal: of which scenario, and in which simulated account."""

    scenario: str
    account: AccountLink


async def start_run(
    common: Common,
    reporter: Reporter,
    connection: Connection,
    options: Options,
    clock: SystemClock,
    *,
    rehearsal: Rehearsed | None = None,
    reviewed: PlanFile | None = None,
) -> ExitCode:
    """A takeover on the account behind the connection, which may be a rehearsal's.

    Args:
        reviewed: what was planned before, whose options these are: refused if that has changed.
    """
    async with agreed(
        common, reporter, connection, options, clock, writable=True, reviewed=reviewed
    ) as (account, saved):
        if isinstance(saved, Result):
            return reporter.ended(saved, clock.now())
        if rehearsal is None:
            return await carry_out(common, reporter, account, saved, clock)
        link = rehearsal.account
        marked = replace(saved, rehearsal=rehearsal.scenario, simulated=str(link.folder))
        return await carry_out(common, reporter, account, marked, clock, named=link.named)


@asynccontextmanager
async def agreed(
    common: Common,
    reporter: Reporter,
    connection: Connection,
    options: Options,
    clock: SystemClock,
    *,
    writable: bool,
    reviewed: PlanFile | None = None,
    remarks: Callable[[Plan, AccountRead], Sequence[Finding]] = lambda *_: (),
) -> AsyncIterator[tuple[OpenAccount, Saved | Result]]:
    """Reads the account, and plans what is agreed to; a result where there is nothing to do.

    Args:
        writable: whether records may be changed while the account is open.
        reviewed: as for `start_run`.
        remarks: more warnings, to be seen before the plan is agreed to.

    Raises:
        RefusedError: the plan is refused, or not what was reviewed.
        StoppedError: the plan was declined.
    """
    if exposed := refuse_exposed(common.state_dir):
        reporter.warn(exposed)
    reporter.tell("reading the account")
    refuse_questions(connection)
    identity = await in_thread(lambda: who_am_i(connection))
    if reviewed is not None and identity.account != reviewed.review.plan.account:
        account_then = reviewed.review.plan.account
        raise _changed(reviewed, [Finding(text=f"account {account_then} -> {identity.account}")])
    async with opened(
        connection,
        clock,
        writable=writable,
        previews=options.preview is not None,
        deadman=writable and options.cloud_deadman is not None,
        tell=reporter.tell,
    ) as account:
        if reviewed is not None and account.region != reviewed.review.region:
            moved = f"region {reviewed.review.region} -> {account.region}"
            raise _changed(reviewed, [Finding(text=moved)])
        made, now, read = await planned(
            account,
            clock,
            connection,
            options,
            identity,
            state_dir=common.state_dir,
            tell=reporter.tell,
        )
        if reviewed is not None and (found := differences(reviewed.review, now)):
            raise _changed(reviewed, found)
        check_refusals(made)
        if not made.manuals:
            yield account, _nothing_to_do(made, account.calls)
            return
        made = replace(made, warnings=(*made.warnings, *remarks(made, read)))
        if not await reporter.agrees(made):
            raise StoppedError("the plan was declined, nothing was written")
        reached = replace(connection, region=account.region)
        yield account, replace(unnamed(made, reached, read), identity=identity.arn)


def unnamed(made: Plan, connection: Connection, read: AccountRead | None) -> Saved:
    """What a run of this plan in this folder saves, before it has a folder and a name."""
    cwd = str(Path.cwd())
    return Saved(run="", begun=0.0, plan=made, connection=connection, cwd=cwd, account=read)


async def carry_out(
    common: Common,
    reporter: Reporter,
    account: OpenAccount,
    saved: Saved,
    clock: SystemClock,
    *,
    named: Callable[[str], None] = lambda _: None,
    rehearsed: Mapping[str, str] | None = None,
    also: Callable[[State], None] = lambda _: None,
) -> ExitCode:
    """Makes the run's folder and runs the plan to its end.

    Args:
        saved: without a name, which it gets here.
        named: told the run's name once its folder is there.
        rehearsed: as for `drive`; so is ``also``.
    """
    made = saved.plan
    site = site_of(made.zone_id, saved.connection.endpoint_url, saved.simulated)
    with locked_names(common.state_dir, site, made.locked_names) as held:
        label = f"REHEARSAL-{saved.rehearsal}" if saved.rehearsal else made.options.stack
        folder, saved = begun_run(common, saved, label, clock.now())
        held.register(folder)
        named(folder.name)
        first = ev.RunStarted(
            time=clock.now(), run=folder.name, plan=made, rehearsal=bool(saved.rehearsal)
        )
        with within(folder), closing(FileJournal(folder.journal)) as journal:
            return await drive(
                common,
                reporter,
                account,
                clock,
                folder,
                saved,
                journal,
                first,
                rehearsed=rehearsed,
                also=also,
            )


_AnySaved = TypeVar("_AnySaved", Saved, SavedSwitch)


def begun_run(
    common: Common, saved: _AnySaved, label: str, now: float
) -> tuple[RunFolder, _AnySaved]:
    """The folder of a new run with its plan in it, and what that says, with its name.

    Raises:
        UsageError: it cannot be written.
    """
    folder = create_run(common.state_dir, label, now)
    saved = replace(
        saved, run=folder.name, begun=now, on_event=common.on_event, program=__version__
    )
    try:
        folder.save_plan(saved)
    except OSError as error:
        folder.discard()
        raise UsageError(
            f"cannot write {folder.path}: {error.strerror}; nothing was written to AWS",
            "Make room there, or choose another folder with --state-dir.",
        ) from error
    return folder, saved


def _changed(reviewed: PlanFile, found: Sequence[Finding]) -> RefusedError:
    """What has changed since the review, with the ways out of what refuses now."""
    made = datetime.fromtimestamp(reviewed.made, UTC).isoformat(timespec="seconds")
    texts = "; ".join(each.text.rstrip(".") for each in found)
    ways_out = " ".join(each.hint for each in found if each.hint)
    again = "make a new plan with `plan --out` and review it"
    return RefusedError(
        f"changed since the plan of {made}: {texts}",
        f"Then {again}. First: {ways_out}" if ways_out else f"{again.capitalize()}.",
    )


def refuse_questions(connection: Connection) -> None:
    """Refuses profiles for which the SDK would ask for a code: no one can answer."""
    for profile in (connection.profile, connection.dns_profile):
        if needs_mfa(profile):
            raise RefusedError(
                f"profile {profile or 'default'} asks for an MFA code, which a run cannot enter",
                "Use an open session (aws sts get-session-token), or another --profile.",
            )


def _nothing_to_do(made: Plan, calls: Counter[str]) -> Result:
    return Result(
        run=None,
        phase="ended",
        outcome=str(Outcome.DONE),
        exit_code=ExitCode.DONE,
        reason=f"nothing to do: stack {made.root.stack_name} owns it already",
        records=tuple(RecordResult.of(record, "owned") for record in made.owned),
        api_calls=dict(sorted(calls.items())),
    )


def resume_run(
    common: Common, reporter: Reporter, folder: RunFolder, override: Override
) -> ExitCode:
    """Resumes a takeover whose process died, or reports how it has ended."""
    with within(folder):
        claim(common, reporter, folder)
        saved = folder.plan()
        if not folder.journal.exists():
            raise _never_started(folder)
        try:
            journal = FileJournal(folder.journal)
        except (RefusedError, UsageError):  # another process has it, or it cannot be written
            events = read_journal(folder.journal)
            state = fold_takeover(folder, events)
            if state is not None and _has_ended(state):
                return _report_end(reporter, folder, state, len(events))
            with _names_of(common, replace(saved, connection=override(saved.connection))):
                raise  # unless the lock of a name says more: which run it is
        with closing(journal):
            state = fold_takeover(folder, journal.events)
            if state is None:
                raise _never_started(folder)
            if not _has_ended(state):
                with way_to_account(saved, override) as (saved, clock, account):
                    check_account(reporter, saved)
                    if saved.plan.options.confirm_release:
                        again = line_for(common.state_dir, "attach", folder.name)
                        reporter.tell(f"the release waits for your confirmation: {again}")
                    work = _go_on(common, reporter, folder, saved, journal, state, clock)
                    code = in_loop(work, written="the run is where it was")
                    if account is not None:
                        account.leave(code)
                    return code
        return _report_end(reporter, folder, state, len(journal.events))


async def _go_on(
    common: Common,
    reporter: Reporter,
    folder: RunFolder,
    saved: Saved,
    journal: FileJournal,
    state: State,
    clock: SystemClock,
) -> ExitCode:
    async with opened(
        saved.connection,
        clock,
        writable=True,
        deadman=saved.plan.options.cloud_deadman is not None,
    ) as account:
        with _names_of(common, saved) as held:
            held.register(folder)
            first = ev.RunResumed(time=clock.now())
            return await drive(
                common, reporter, account, clock, folder, saved, journal, first, state
            )


def _names_of(common: Common, saved: Saved) -> AbstractContextManager[Held]:
    """The locks of the names that the run works on."""
    site = site_of(saved.plan.zone_id, saved.connection.endpoint_url, saved.simulated)
    return locked_names(common.state_dir, site, saved.plan.locked_names, Work.RESUME)


@contextmanager
def way_to_account(
    saved: _AnySaved, override: Override
) -> Iterator[tuple[_AnySaved, SystemClock, AccountLink | None]]:
    """How a run's account is reached again, and its clock: a rehearsal's by its own process alone.

    Raises:
        RefusedError: it was a rehearsal, and its account no longer exists.
    """
    if not saved.rehearsal:
        yield replace(saved, connection=override(saved.connection)), SystemClock(), None
        return
    from route53_takeover.simulation.serve import scrub  # noqa: PLC0415 -- of rehearsals

    with rejoin(saved.simulated, saved.run) as account:
        scrub(os.environ)
        yield saved, account.clock, account


def _has_ended(state: State) -> bool:
    return state.ending is not None and state.ending.outcome is not Outcome.UNKNOWN


def _report_end(reporter: Reporter, folder: RunFolder, state: State, events: int) -> ExitCode:
    reporter.tell(f"{folder.name} has already ended")
    return reporter.ended(result(state, None), state.now, seq=events + 1)


def _never_started(folder: RunFolder) -> RefusedError:
    return RefusedError(
        f"{folder.name} never started: its journal is empty, nothing was written",
        "Start it again with `run`.",
    )


def check_account(reporter: Reporter, saved: Saved | SavedSwitch) -> None:
    """Refuses other credentials than the run's; if STS does not answer, a rescue continues."""
    try:
        account = who_am_i(saved.connection).account
    except TakeoverError as error:
        reporter.warn(f"cannot check the account of the credentials: {error}")
        return
    if account != saved.plan.account:
        raise RefusedError(
            f"the credentials are of account {account}, the run is of account {saved.plan.account}",
            "Give a profile of that account with --profile.",
        )


def claim(common: Common, reporter: Reporter, folder: RunFolder) -> None:
    """Refuses what another user may have put there; root, who may be helping, is warned.

    A state folder in which another user can swap runs is only warned of: this may be a rescue, and
    the run's folder itself and all in it are ours.
    """
    if warning := folder.claim():
        reporter.warn(warning)
    if exposed := exposure(common.state_dir):
        reporter.warn(exposed)
