"""The takeover at the end of a measurement: a throw-away alias, by the engine that `run` has."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from route53_takeover.base.errors import TakeoverError, one_line
from route53_takeover.core.domain.record_sets import Change, display_name
from route53_takeover.core.measuring.records import record, template
from route53_takeover.core.plan.measured import RecordKind
from route53_takeover.core.plan.model import Options, OwnerCheck
from route53_takeover.core.plan.planner import make_plan
from route53_takeover.core.ports import Deployer, DeployExit
from route53_takeover.core.status.result import result
from route53_takeover.core.takeover import events as ev
from route53_takeover.runtime.measuring.patience import patiently
from route53_takeover.runtime.preflight import gather
from route53_takeover.runtime.takeover_effects import takeover_engine

if TYPE_CHECKING:
    from route53_takeover.core.plan.facts import Identity
    from route53_takeover.core.ports import Prober
    from route53_takeover.core.status.result import Result
    from route53_takeover.runtime.measuring.bench import Bench
    from route53_takeover.storage.journal import Journal

LABEL = "takeover"
_SETTLE = 2.0


class ThrowAwayDeploy(Deployer):
    """The deploy of the takeover: an update of the throw-away stack."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._is_started = False

    async def run(self, switch: str) -> DeployExit:
        """Updates the stack, and waits for it."""
        del switch
        self._is_started = True
        wanted = {"Takeover": record(self._bench.scope, RecordKind.ALIAS, LABEL, new=True)}
        try:
            await self._bench.stack.update(template(self._bench.scope, wanted))
        except TakeoverError as error:
            return DeployExit(code=1, tail=one_line(error))
        return await self.rejoin("on")

    async def rejoin(self, switch: str) -> DeployExit:
        del switch
        status = await self._bench.await_rest()
        return DeployExit(code=0 if status == "UPDATE_COMPLETE" else 1, tail=status)

    def ever_started(self, switch: str) -> bool:
        return switch == "on" and self._is_started


async def take_over(
    bench: Bench,
    *,
    identity: Identity,
    region: str,
    prober: Prober | None,
    journal: Journal[ev.AnyEvent],
) -> Result:
    """Takes a throw-away alias over, and returns what came of it.

    Raises:
        TakeoverError: the plan is refused, or AWS cannot be asked.
    """
    await bench.write([Change.create(record(bench.scope, RecordKind.ALIAS, LABEL, new=False))])
    options = Options(
        stack=bench.stack.stack_id,
        records=(f"{display_name(bench.scope.name(LABEL))}/A",),
        zone=bench.scope.zone_id,
        deploy_on="an update of the throw-away stack",
        ttl=None,
        settle=_SETTLE,
        owner_check=OwnerCheck.NONE,
        strategy_given=True,
    )
    facts = await patiently(
        bench.clock,
        lambda: gather(
            options,
            clock=bench.clock,
            records=bench.records,
            stacks=bench.stacks,
            identity=identity,
            region=region,
            ask_delegation=None,
        ),
    )
    plan = make_plan(facts, options)
    if plan.refused:
        raise TakeoverError("; ".join(map(str, plan.refusals)))
    engine = takeover_engine(
        clock=bench.clock,
        journal=journal,
        records=bench.records,
        stacks=bench.stacks,
        deployer=ThrowAwayDeploy(bench),
        prober=prober,
        save_backup=_saved,
        rng=Random(bench.scope.run),  # noqa: S311 -- jitter, not a secret
        observer=lambda _event, _state, _seq: None,
    )
    first = ev.RunStarted(time=bench.clock.now(), run=bench.scope.run, plan=plan)
    return result(await engine.run(first, []), None)


async def _saved() -> None:
    """The record is in the measurement's ledger, which was written before it was created."""
