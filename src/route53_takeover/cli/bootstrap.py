"""The composition root: settings -> real ports -> engine -> output, the same for every command.

A rehearsal goes through here too: only the endpoint and the clock's speed are other ones.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from msgspec import UNSET
from msgspec.structs import replace

from route53_takeover.adapters.change_sets import CloudFormationChangeSets
from route53_takeover.adapters.cloudformation import CloudFormationStacks
from route53_takeover.adapters.deploy_process import ShellDeployer
from route53_takeover.adapters.dns import DnsProber, NameServer, delegated_to, parse_name_server
from route53_takeover.adapters.identity import identify
from route53_takeover.adapters.measuring import AwsMeasuring
from route53_takeover.adapters.route53 import Route53Records
from route53_takeover.adapters.session import AwsSession, Credentials
from route53_takeover.adapters.stack_deletes import CloudFormationDeletes
from route53_takeover.adapters.step_functions import AwsStepFunctions
from route53_takeover.base.errors import RefusedError
from route53_takeover.base.threads import in_thread
from route53_takeover.cli.hosting import host
from route53_takeover.cli.programs import missing_programs
from route53_takeover.core.domain.names import requested_names
from route53_takeover.core.plan.account_read import AccountRead
from route53_takeover.core.plan.facts import Identity
from route53_takeover.core.plan.planner import make_plan
from route53_takeover.core.plan.review import review
from route53_takeover.core.takeover.queries import may_lose_a_record
from route53_takeover.runtime.inventory import Inventory
from route53_takeover.runtime.pending_template import PendingSource
from route53_takeover.runtime.preflight import gather
from route53_takeover.runtime.takeover_effects import takeover_engine
from route53_takeover.runtime.way_to_aws import warn_way_to_aws
from route53_takeover.storage.locks import last_holders, site_of
from route53_takeover.storage.measurements import measurement_path, read_measurement
from route53_takeover.storage.template_files import read_template_file
from route53_takeover.storage.unfinished_runs import unfinished_runs

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from route53_takeover.adapters.clock import SystemClock
    from route53_takeover.base.errors import ExitCode
    from route53_takeover.core.plan.facts import Facts
    from route53_takeover.core.plan.model import Finding, Options, Plan
    from route53_takeover.core.plan.review import Review
    from route53_takeover.core.ports import ApiGateway, Clock, DeployExit, Distributions
    from route53_takeover.core.status.any_run import RunObserver
    from route53_takeover.core.takeover import events as ev
    from route53_takeover.core.takeover.state import State
    from route53_takeover.output.reporter import Reporter
    from route53_takeover.runtime.takeover_effects import TakeoverEngine
    from route53_takeover.storage.config import Common, Connection
    from route53_takeover.storage.journal import FileJournal
    from route53_takeover.storage.run_folder import RunFolder, Saved
    from route53_takeover.storage.template_files import TemplateFile


class OpenAccount:
    """An account that is open: its ports, and how often each API was called.

    Attributes:
        inventory: what its stacks hold: read once, on first use.
        tell: receives progress messages.
        identity: ARN of the credentials, where they were asked for it.
        api_gateway, distributions: only where the account was opened with ``switches``.
    """

    api_gateway: ApiGateway
    distributions: Distributions

    def __init__(
        self, dns: AwsSession, stacks: AwsSession, clock: Clock, tell: Callable[[str], None]
    ) -> None:
        self.records = Route53Records(dns)
        self.stacks = CloudFormationStacks(stacks)
        self.change_sets = CloudFormationChangeSets(stacks)
        self.region = stacks.region
        self.partition = stacks.partition
        self.tell = tell
        self.identity = ""
        self.inventory = Inventory(self.stacks, clock, region=self.region, tell=tell)
        self._sessions = {id(dns): dns, id(stacks): stacks}.values()
        self.deletes = CloudFormationDeletes(stacks)
        self.measuring = AwsMeasuring(stacks, dns)
        self.step_functions = AwsStepFunctions(dns)
        if stacks.switches:
            from route53_takeover.adapters.api_gateway import ApiGatewayMappings
            from route53_takeover.adapters.cloudfront import CloudFrontDistributions

            self.api_gateway = ApiGatewayMappings(stacks)
            self.distributions = CloudFrontDistributions(stacks)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The URLs that AWS is asked at."""
        return tuple(url for session in self._sessions for url in session.endpoints)

    @property
    def calls(self) -> Counter[str]:
        """Calls that were really sent, by ``service:Operation``."""
        first, *rest = [session.calls for session in self._sessions]
        return sum(rest, first.copy())


@asynccontextmanager
async def opened(
    connection: Connection,
    clock: Clock,
    *,
    writable: bool = False,
    previews: bool = False,
    switches: bool = False,
    deletes: bool = False,
    measures: bool = False,
    deadman: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[OpenAccount]:
    """Opens the account; ``dns_profile`` makes a second session for the zone.

    Args:
        writable: whether records may be changed. What only reads must not ask for it.
        previews: whether a preview is made, whose change set is deleted again.
        switches: whether it is for API Gateway and CloudFront; ``writable`` means these then.
        deletes: whether a stack may be deleted.
        measures: whether it is for a measurement, which has a stack of its own.
        deadman: whether the deadman in AWS is used, with the zone's credentials.
        tell: receives progress messages.
    """
    async with AsyncExitStack() as stack:

        async def session(
            profile: str | None, *, writable: bool, is_of_stacks: bool = False
        ) -> AwsSession:
            credentials = Credentials(
                profile=profile, region=connection.region, endpoint_url=connection.endpoint_url
            )
            return await stack.enter_async_context(
                AwsSession(
                    credentials,
                    clock,
                    writable=writable,
                    previews=previews and is_of_stacks,
                    switches=switches and is_of_stacks,
                    deletes=deletes and is_of_stacks,
                    measures=measures,
                    deadman=deadman and (not is_of_stacks or not connection.dns_profile),
                )
            )

        other = connection.dns_profile
        stacks = await session(
            connection.profile,
            writable=writable and (switches or not other),
            is_of_stacks=True,
        )
        dns = await session(other, writable=writable and not switches) if other else stacks
        yield OpenAccount(dns, stacks, clock, tell)


def who_am_i(connection: Connection) -> Identity:
    """Who calls AWS: a short, synchronous question, asked before the loop has work to do.

    With ``dns_profile`` both are asked, and what ends first, or asks for a code, counts.
    """
    profiles = dict.fromkeys([connection.profile, connection.dns_profile or connection.profile])
    asked = [identify(p, connection.region, connection.endpoint_url) for p in profiles]
    ending = [who for who in asked if who.expires is not None and not who.renewable]
    first = min(ending, key=lambda who: who.expires or 0.0, default=asked[0])
    return Identity(
        account=asked[0].account,
        arn=asked[0].arn,
        expires=first.expires,
        renewable=first.renewable,
        needs_mfa=any(who.needs_mfa for who in asked),
    )


async def planned(
    account: OpenAccount,
    clock: Clock,
    connection: Connection,
    options: Options,
    identity: Identity,
    *,
    state_dir: Path,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Plan, Review, AccountRead]:
    """Preflight, the plan that follows from it, the same as it is reviewed, and what was read.

    ``tell``: receives what is being read.
    """
    facts = await read(
        account, clock, connection, options, identity, state_dir=state_dir, tell=tell
    )
    made = make_plan(facts, options)
    found = warn_way_to_aws(made.names, account.endpoints)
    made = replace(made, warnings=(*made.warnings, *found))
    return made, review(facts, options), AccountRead.of(facts)


async def read(
    account: OpenAccount,
    clock: Clock,
    connection: Connection,
    options: Options,
    identity: Identity,
    *,
    state_dir: Path,
    tell: Callable[[str], None] = lambda _: None,
) -> Facts:
    """Preflight: what a plan is made from, what this machine knows of it included."""
    facts = await gather(
        options,
        clock=clock,
        records=account.records,
        stacks=account.stacks,
        identity=identity,
        region=account.region,
        ask_delegation=None if connection.is_loopback else delegated_to,
        inventory=account.inventory,
        pending=PendingSource(
            stacks=account.stacks,
            change_sets=account.change_sets,
            clock=clock,
            read_file=_template_file,
            run=lambda command: _run_preview(command, connection, account.region, options, clock),
            tell=account.tell,
        ),
        tell=tell,
    )
    here = Path.cwd()
    program = None if options.jets is None else options.jets.program
    commands = (options.deploy_off, options.deploy_on, program)
    elsewhere = last_holders(site_of(facts.zone_id, connection.endpoint_url))
    measured = read_measurement(
        measurement_path(state_dir, identity.account, account.region, connection.endpoint_url)
    )
    return replace(
        facts,
        unfinished=unfinished_runs(
            state_dir,
            facts.zone_id,
            facts.zone_records,
            elsewhere,
            requested_names(options.records),
        ),
        missing_programs=missing_programs(commands, here),
        cwd=str(here),
        measured=UNSET if measured is None else measured,
    )


async def _template_file(path: str) -> TemplateFile:
    return await in_thread(lambda: read_template_file(Path(path)))


async def _run_preview(
    command: str, connection: Connection, region: str, options: Options, clock: Clock
) -> DeployExit:
    """Runs a preview command with the switch on, on the account that is read."""
    with TemporaryDirectory(prefix="route53-takeover-") as folder:
        deployer = ShellDeployer(
            Path(folder),
            {"on": command},
            clock,
            timeout=options.deploy_timeout,
            environment=os.environ,
            profile=connection.profile,
            region=region,
            endpoint_url=connection.endpoint_url,
            lines=500,  # the change set's ARN is among them: the CDK prints notices after it
        )
        try:
            return await deployer.run("on")
        except asyncio.CancelledError:
            await asyncio.shield(deployer.stop("on"))
            raise


def check_refusals(plan: Plan) -> None:
    """Raises what the plan refuses with.

    Raises:
        RefusedError: it must not be carried out; all reasons, and the ways out.
    """
    raise_refusals(plan.refusals)


def raise_refusals(refusals: Sequence[Finding]) -> None:
    """The same of refusals of any plan."""
    if refusals:
        raise RefusedError(
            " ".join(finding.text for finding in refusals),
            " ".join(dict.fromkeys(finding.hint for finding in refusals)),
        )


def _prober(connection: Connection, plan: Plan) -> DnsProber | None:
    """Queries the given name servers, else the zone's; none for an emulator or `--no-probe`."""
    if not plan.options.probe or plan.zone_private:
        return None
    return prober_of(connection, plan.name_servers)


def prober_of(connection: Connection, name_servers: Sequence[str]) -> DnsProber | None:
    """The same for a public zone with these name servers."""
    if connection.name_servers:
        return DnsProber([parse_name_server(text) for text in connection.name_servers])
    if connection.is_loopback or not name_servers:
        return None
    return DnsProber([NameServer(host=host) for host in name_servers])


def _deployer(
    saved: Saved, folder: RunFolder, clock: Clock, rehearsed: Mapping[str, str] | None
) -> ShellDeployer:
    """Runs the plan's commands, or a rehearsal's in their place, where the run began."""
    options, connection = saved.plan.options, saved.connection
    commands = {"off": options.deploy_off, "on": options.deploy_on}
    if rehearsed is not None:
        commands = {switch: rehearsed[switch] for switch, command in commands.items() if command}
    return ShellDeployer(
        folder.path,
        {switch: command for switch, command in commands.items() if command},
        clock,
        timeout=options.deploy_timeout,
        environment=os.environ,
        profile=connection.profile,
        region=connection.region,
        endpoint_url=connection.endpoint_url,
        cwd=Path(saved.cwd),
    )


async def drive(
    common: Common,
    audience: Reporter,
    account: OpenAccount,
    clock: SystemClock,
    folder: RunFolder,
    saved: Saved,
    journal: FileJournal,
    first: ev.RunStarted | ev.RunResumed,
    known: State | None = None,
    *,
    rehearsed: Mapping[str, str] | None = None,
    also: Callable[[State], None] = lambda _: None,
) -> ExitCode:
    """Runs a takeover's engine in a run's folder to its end; see `route53_takeover.cli.hosting`.

    Args:
        rehearsed: the commands that stand for the plan's deploy commands, by switch.
        also: is told of every state.
    """

    def engine_of(observer: RunObserver) -> TakeoverEngine:
        return takeover_engine(
            clock=clock,
            journal=journal,
            records=account.records,
            stacks=account.stacks,
            deployer=_deployer(saved, folder, clock, rehearsed),
            prober=_prober(saved.connection, saved.plan),
            step_functions=account.step_functions,
            save_backup=lambda: in_thread(lambda: folder.save_backup(saved.plan)),
            rng=Random(folder.name),  # noqa: S311 -- jitter, not a secret
            observer=observer,
        )

    return await host(
        common,
        audience,
        clock,
        folder,
        saved,
        journal,
        first,
        known,
        engine_of=engine_of,
        is_at_risk=may_lose_a_record,
        calls=lambda: account.calls,
        also=also,
    )
