"""A switch in this process: a new one, one that is resumed, and the way back hours later."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager, closing
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.adapters.deploy_process import ShellDeployer, command_environment
from route53_takeover.adapters.http_checks import WebChecks
from route53_takeover.base.errors import ExitCode, RefusedError
from route53_takeover.base.private_files import refuse_exposed
from route53_takeover.base.threads import in_thread
from route53_takeover.cli.bootstrap import opened, raise_refusals, who_am_i
from route53_takeover.cli.execution import (
    begun_run,
    check_account,
    claim,
    refuse_questions,
    way_to_account,
)
from route53_takeover.cli.hosting import host
from route53_takeover.cli.interrupts import StoppedError, in_loop
from route53_takeover.cli.run_state import fold_switch_journal
from route53_takeover.core.endings import Outcome
from route53_takeover.core.events import RunResumed, Switch
from route53_takeover.core.status.result import Result
from route53_takeover.core.status.switch.result import switch_result
from route53_takeover.core.switch.events import SwitchStarted
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.switch.planner import is_done, make_switch_plan
from route53_takeover.runtime.retire_reading import RetirePorts
from route53_takeover.runtime.site_swaps import SiteSwaps
from route53_takeover.runtime.stack_retirement import StackRetirement
from route53_takeover.runtime.switch_effects import switch_engine
from route53_takeover.runtime.switch_preflight import SwitchReading
from route53_takeover.storage.journal import FileJournal
from route53_takeover.storage.locks import Work, locked_names, site_of
from route53_takeover.storage.run_folder import SavedSwitch, within

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractContextManager

    from route53_takeover.adapters.clock import SystemClock
    from route53_takeover.cli.bootstrap import OpenAccount
    from route53_takeover.cli.execution import (
        Rehearsed,
    )
    from route53_takeover.core.status.any_run import RunObserver
    from route53_takeover.core.switch.model import SwitchOptions, SwitchPlan
    from route53_takeover.core.switch.state import SwitchState
    from route53_takeover.output.reporter import Reporter
    from route53_takeover.runtime.switch_effects import SwitchEngine
    from route53_takeover.storage.config import Common, Connection, Override
    from route53_takeover.storage.locks import Held
    from route53_takeover.storage.run_folder import RunFolder


def reading_of(account: OpenAccount, number: str) -> SwitchReading:
    """What reads for a plan, on an account that is open for switches."""
    return SwitchReading(
        api_gateway=account.api_gateway,
        distributions=account.distributions,
        stacks=account.stacks,
        account=number,
        region=account.region,
        partition=account.partition,
    )


@asynccontextmanager
async def planned_switch(
    reporter: Reporter,
    connection: Connection,
    options: SwitchOptions,
    clock: SystemClock,
    *,
    writable: bool,
) -> AsyncIterator[tuple[OpenAccount, SwitchPlan]]:
    """Reads the account and makes the plan, refused or not; the account stays open meanwhile."""
    reporter.tell("reading the account")
    refuse_questions(connection)
    identity = await in_thread(lambda: who_am_i(connection))
    async with opened(
        connection,
        clock,
        writable=writable,
        switches=True,
        deletes=writable and options.retire is not None,
        tell=reporter.tell,
    ) as account:
        account.identity = identity.arn
        must = options.deploy is None
        facts = await reading_of(account, identity.account).facts(options, green_is_there=must)
        yield account, make_switch_plan(facts)


async def start_switch(
    common: Common,
    reporter: Reporter,
    connection: Connection,
    options: SwitchOptions,
    clock: SystemClock,
    *,
    rehearsal: Rehearsed | None = None,
) -> ExitCode:
    """A switch on the account behind the connection, which may be a rehearsal's."""
    if exposed := refuse_exposed(common.state_dir):
        reporter.warn(exposed)
    async with planned_switch(reporter, connection, options, clock, writable=True) as (
        account,
        made,
    ):
        if is_done(made):
            return reporter.ended(nothing_to_do(made, account), clock.now())
        raise_refusals(made.refusals)
        if not await reporter.agrees_to_switch(made):
            raise StoppedError("the plan was declined, nothing was written")
        saved = SavedSwitch(
            run="",
            begun=0.0,
            plan=made,
            connection=replace(connection, region=account.region),
            cwd=str(Path.cwd()),
            identity=account.identity,
        )
        if rehearsal is not None:
            link = rehearsal.account
            saved = replace(saved, rehearsal=rehearsal.scenario, simulated=str(link.folder))
        named = rehearsal.account.named if rehearsal is not None else _not_told
        return await carry_out_switch(common, reporter, account, saved, clock, named)


def _not_told(_text: str) -> None:
    """No one listens."""


def retire_ports(
    account: OpenAccount, clock: SystemClock, tell: Callable[[str], None] = _not_told
) -> RetirePorts:
    """Where a verdict is read from, on an account that is open for switches."""
    return RetirePorts(
        stacks=account.stacks,
        records=account.records,
        api_gateway=account.api_gateway,
        distributions=account.distributions,
        clock=clock,
        region=account.region,
        tell=tell,
    )


async def carry_out_switch(
    common: Common,
    reporter: Reporter,
    account: OpenAccount,
    saved: SavedSwitch,
    clock: SystemClock,
    named: Callable[[str], None],
) -> ExitCode:
    """Makes the run's folder and runs the plan to its end."""
    with locks_of(common, saved, Work.RUN) as held:
        label = f"REHEARSAL-{saved.rehearsal}" if saved.rehearsal else _label(saved.plan)
        folder, saved = begun_run(common, saved, label, clock.now())
        held.register(folder)
        named(folder.name)
        first = SwitchStarted(time=clock.now(), run=folder.name, plan=saved.plan)
        with within(folder), closing(FileJournal(folder.journal)) as journal:
            return await _drive(
                common, reporter, account, clock, folder, saved, journal, first, None
            )


def _label(plan: SwitchPlan) -> str:
    """What the folder of its run says it is."""
    is_switched = any(swap.before != swap.after for swap in plan.swaps or plan.watched)
    return f"switch-{plan.site}" if is_switched or plan.watched else f"retire-{plan.site}"


def checks_of(connection: Connection, site: str, cwd: Path) -> WebChecks:
    """What carries out the checks, with the account that deploys get."""
    return WebChecks(
        environment=command_environment(
            os.environ,
            profile=connection.profile,
            region=connection.region,
            endpoint_url=connection.endpoint_url,
        ),
        site=site,
        connect=connection.web_server,
        cwd=cwd,
    )


async def _drive(
    common: Common,
    reporter: Reporter,
    account: OpenAccount,
    clock: SystemClock,
    folder: RunFolder,
    saved: SavedSwitch,
    journal: FileJournal,
    first: SwitchStarted | RunResumed,
    known: SwitchState | None,
) -> ExitCode:
    """Runs the switch's engine in its folder to its end."""
    connection, plan = saved.connection, saved.plan

    async def find_green(of: SwitchPlan) -> SwitchPlan:
        reading = reading_of(account, of.account)
        facts = await reading.facts(of.options, green_is_there=True)
        return replace(make_switch_plan(facts), watched=of.watched, known_apis=of.known_apis)

    def engine_of(observer: RunObserver) -> SwitchEngine:
        commands = {
            str(Switch.GREEN): plan.options.deploy,
            str(Switch.RETIRE): plan.options.retire_command,
        }
        deployer = ShellDeployer(
            folder.path,
            {name: command for name, command in commands.items() if command is not None},
            clock,
            timeout=plan.options.deploy_timeout,
            environment=os.environ,
            profile=connection.profile,
            region=connection.region,
            endpoint_url=connection.endpoint_url,
            cwd=Path(saved.cwd),
        )
        return switch_engine(
            clock=clock,
            journal=journal,
            sites=SiteSwaps(account.api_gateway, account.distributions),
            checks=checks_of(connection, plan.site, Path(saved.cwd)),
            deployer=deployer,
            find_green=find_green,
            save_backup=lambda: in_thread(lambda: folder.save_switch_backup(plan)),
            retirement=StackRetirement(
                ports=retire_ports(account, clock),
                deletes=account.deletes,
                deployer=deployer,
                has_command=plan.options.retire_command is not None,
            ),
            rng=Random(folder.name),  # noqa: S311 -- jitter, not a secret
            observer=observer,
        )

    return await host(
        common,
        reporter,
        clock,
        folder,
        saved,
        journal,
        first,
        known,
        engine_of=engine_of,
        is_at_risk=_is_at_risk,
        calls=lambda: account.calls,
    )


def _is_at_risk(state: SwitchState) -> bool:
    """Whether the machine must not fall asleep: the live site has been led somewhere."""
    return state.ever_green and state.phase is not SwitchPhase.ENDED


def locks_of(common: Common, saved: SavedSwitch, work: Work) -> AbstractContextManager[Held]:
    """Keeps other runs of this machine from what this one switches."""
    site = site_of("switch", saved.connection.endpoint_url, saved.simulated)
    swaps = saved.plan.watched or saved.plan.swaps
    return locked_names(common.state_dir, site, tuple(swap.target for swap in swaps), work)


def nothing_to_do(made: SwitchPlan, account: OpenAccount) -> Result:
    places = ", ".join(dict.fromkeys(swap.after for swap in made.swaps))
    return Result(
        run=None,
        phase="ended",
        outcome=str(Outcome.DONE),
        exit_code=ExitCode.DONE,
        reason=f"nothing to do: {made.site} is served by {places} already",
        api_calls=dict(sorted(account.calls.items())),
    )


def resume_switch(
    common: Common, reporter: Reporter, folder: RunFolder, override: Override
) -> ExitCode:
    """Resumes a switch whose process died, or reports how it has ended."""
    with within(folder):
        claim(common, reporter, folder)
        saved = folder.saved()
        if not isinstance(saved, SavedSwitch):
            raise TypeError(f"{folder.name} is no switch")
        if not folder.journal.exists():
            raise _never_started(folder)
        with closing(FileJournal(folder.journal)) as journal:
            state = fold_switch_journal(folder, journal.events)
            if state is None:
                raise _never_started(folder)
            if state.ending is not None and state.ending.outcome is not Outcome.UNKNOWN:
                reporter.tell(f"{folder.name} has already ended")
                ended = switch_result(state, None)
                return reporter.ended(ended, state.now, seq=len(journal.events) + 1)
            with way_to_account(saved, override) as (reached, clock, account):
                check_account(reporter, reached)
                work = _go_on(common, reporter, folder, reached, journal, state, clock)
                code = in_loop(work, written="the run is where it was")
                if account is not None:
                    account.leave(code)
                return code


async def _go_on(
    common: Common,
    reporter: Reporter,
    folder: RunFolder,
    saved: SavedSwitch,
    journal: FileJournal,
    state: SwitchState,
    clock: SystemClock,
) -> ExitCode:
    async with opened(
        saved.connection,
        clock,
        writable=True,
        switches=True,
        deletes=saved.plan.options.retire is not None,
    ) as account:
        with locks_of(common, saved, Work.RESUME) as held:
            held.register(folder)
            first = RunResumed(time=clock.now())
            return await _drive(
                common, reporter, account, clock, folder, saved, journal, first, state
            )


def _never_started(folder: RunFolder) -> RefusedError:
    return RefusedError(
        f"{folder.name} never started: its journal is empty, nothing was written",
        "Start it again with `switch`.",
    )
