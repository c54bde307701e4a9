"""A dry run: a plan is rehearsed in a simulated account that is made of what was read for it.

The account is read with the session's read-only guard, and closed before the rehearsal. From then
on the environment holds nothing of AWS but the simulated account's endpoint.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import UNSET
from msgspec.structs import replace

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.base.errors import RefusedError
from route53_takeover.cli.bootstrap import opened
from route53_takeover.cli.execution import agreed, carry_out, unnamed
from route53_takeover.cli.interrupts import StoppedError
from route53_takeover.core.plan.model import Finding
from route53_takeover.core.status.rehearsal_marks import DRY_RUN
from route53_takeover.core.status.result import Result
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.simulation.rehearsed_account import RehearsedAccount, guessed
from route53_takeover.simulation.serve import PAST, deploy_line, scrub, serving_world, with_deadman
from route53_takeover.storage.config import Connection

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.base.errors import ExitCode
    from route53_takeover.core.plan.account_read import AccountRead
    from route53_takeover.core.plan.model import Options, Plan
    from route53_takeover.core.takeover.state import State
    from route53_takeover.output.reporter import Reporter
    from route53_takeover.storage.config import Common
    from route53_takeover.storage.plan_file import PlanFile
    from route53_takeover.storage.rehearsable import Rehearsable
    from route53_takeover.storage.run_folder import Saved

_SLOWEST, _FASTEST = 10.0, 20.0
_WAITING = 20.0
"""Real seconds in which all the waiting of a plan is to pass."""
_DEPLOY_BY_HAND = 5.0
"""Seconds after which the deploy begins that ``--no-deploy`` leaves to another system."""


async def start_dry_run(
    common: Common,
    reporter: Reporter,
    connection: Connection,
    options: Options,
    *,
    reviewed: PlanFile | None = None,
    slower: float = 1.0,
) -> ExitCode:
    """``run --dry-run``: reads the account, writes nothing there, and rehearses the plan.

    Args:
        reviewed: as for `start_run`.
        slower: how many times slower it is rehearsed, to be looked at.
    """
    clock = SystemClock()
    async with agreed(
        common,
        reporter,
        connection,
        options,
        clock,
        writable=False,
        reviewed=reviewed,
        remarks=_remarks,
    ) as (_, saved):
        pass
    if isinstance(saved, Result):
        return reporter.ended(saved, clock.now())
    return await _rehearse(common, reporter, saved, speed_for(saved.plan) / slower)


async def rehearse_like(
    common: Common,
    reporter: Reporter,
    like: Rehearsable,
    speed: float | None,
    *,
    slower: float = 1.0,
) -> ExitCode:
    """``rehearse --like``: the same for what was read for an earlier plan, without any AWS call."""
    remarks = [each for each in _remarks(like.plan, like.account) if each not in like.plan.warnings]
    plan = replace(like.plan, warnings=(*like.plan.warnings, *remarks))
    if not await reporter.agrees(plan):
        raise StoppedError("the plan was declined, nothing was written")
    saved = unnamed(plan, Connection(), like.account)
    return await _rehearse(common, reporter, saved, speed or speed_for(like.plan) / slower)


def _remarks(plan: Plan, read: AccountRead) -> list[Finding]:
    """What a dry run is, and what it assumes."""
    found = [
        Finding(
            text="DRY RUN: nothing is written to AWS and no deploy command is run; this plan is "
            "rehearsed in a simulated account made of what was read."
        ),
        Finding(text=_habits(plan)),
    ]
    return found + [
        Finding(
            text=f"what the stack creates for {key} is not known: another value is assumed.",
            hint="Show the template with --template or --preview.",
        )
        for key in guessed(plan, read)
    ]


def _habits(plan: Plan) -> str:
    """What the simulated CloudFormation does about an existing record, and where that is from."""
    reported = (
        "as publicly reported: it retries an alias, adopts an identical alias, CNAME, "
        "TXT or MX record, and fails on any other and in a RecordSetGroup."
    )
    measured = () if plan.measured is UNSET else plan.measured.kinds
    if not measured:
        return (
            "how CloudFormation treats an existing record is not known for this account; "
            f"assumed, {reported}"
        )
    kinds = ", ".join(each.kind for each in measured)
    return (
        f"the simulated CloudFormation treats existing records as measured in this account "
        f"({kinds}); others {reported}"
    )


def speed_for(plan: Plan) -> float:
    """Simulated seconds in a real one: the more, the longer the plan waits."""
    options = plan.options
    steps = max((len(manual.weights) for manual in plan.manuals), default=0)
    waits = options.settle + steps * options.weight_every + 60.0
    return min(max(waits / _WAITING, _SLOWEST), _FASTEST)


async def _rehearse(common: Common, reporter: Reporter, saved: Saved, speed: float) -> ExitCode:
    plan, read = saved.plan, saved.account
    if read is None:
        raise RefusedError(
            "what was read for this plan is not stored: an earlier version made it",
            "Make it again with `plan --out FILE`, or use `run --dry-run`.",
        )
    scrub(os.environ)
    clock = SystemClock(speed)
    clock.longest_wait = 1.0  # it is moved on
    world = RehearsedAccount(plan, read, seed=plan.zone_id, start=clock.now() - PAST)
    with tempfile.TemporaryDirectory(prefix="route53-takeover-") as folder:
        commands = _commands(Path(folder), world)
        services = with_deadman(world.step_functions)
        async with serving_world(world, clock, account=plan.account, services=services) as served:
            connection = Connection(
                region=read.region,
                endpoint_url=served.endpoint_url,
                name_servers=served.name_servers,
            )
            saved = replace(saved, connection=connection, rehearsal=DRY_RUN)
            deadman = plan.options.cloud_deadman is not None
            async with opened(connection, clock, writable=True, deadman=deadman) as account:
                return await carry_out(
                    common,
                    reporter,
                    account,
                    saved,
                    clock,
                    rehearsed=commands,
                    also=_moving_on(plan, world, clock),
                )


def _commands(folder: Path, world: RehearsedAccount) -> dict[str, str]:
    """The deploy commands of the rehearsal, by switch; their templates are written there."""
    commands = {}
    for switch, template in (("off", world.off), ("on", world.on)):
        path = folder / f"{switch}.json"
        path.write_text(json.dumps(template), encoding="utf-8")
        commands[switch] = deploy_line(world.name, path)
    return commands


def _moving_on(plan: Plan, world: RehearsedAccount, clock: SystemClock) -> Callable[[State], None]:
    """Skips the wait for the old TTLs, and begins the deploy that another system would begin."""
    done: set[Phase] = set()

    def look(state: State) -> None:
        phase = state.phase
        if phase in done:
            return
        done.add(phase)
        if phase is Phase.DRAIN:
            clock.go_on_from(clock.now() + max(0.0, plan.drain_seconds - 30.0))
        if phase in (Phase.DEPLOY_ON, Phase.WATCH) and plan.options.deploy_on is None:
            done.update((Phase.DEPLOY_ON, Phase.WATCH))
            world.timeline.after(_DEPLOY_BY_HAND, world.deploy)

    return look
