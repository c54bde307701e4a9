"""The soak: rehearsals drawn from a seed, each another account and another set of faults.

Faults are singly and combined, at every point, and harsher than production. One number of one seed
is one run, whatever ran before it: ``scripts/soak.py --seed S --only N`` repeats it and tells what
happened.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import fields, replace

from route53_takeover.base.errors import RefusedError
from route53_takeover.core.plan.model import Options, Strategy
from route53_takeover.simulation.chaos.drawn_accounts import (
    among_others,
    drawn_scenario,
    with_strategy,
)
from route53_takeover.simulation.chaos.drawn_deadmen import with_cloud_deadman
from route53_takeover.simulation.chaos.drawn_faults import (
    aimed_at_strategies,
    drawn_faults,
    drawn_soa_faults,
)
from route53_takeover.simulation.chaos.fault_injection import FaultKind, InjectedFault
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.operator_inputs import draw_keys
from route53_takeover.simulation.chaos.pending_port import SWITCHED_ON, TEMPLATE
from route53_takeover.simulation.chaos.runner import rehearse_once
from route53_takeover.simulation.scenarios import Scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.simulation.chaos.oracle import Rehearsal


class DrawnRun(Struct, frozen=True, kw_only=True):
    """One case of the soak: an account, what is asked for, and what goes wrong."""

    scenario: Scenario
    options: Options
    faults: Faults

    def __str__(self) -> str:
        account, faults = self.scenario.account, self.faults
        handler = account.config.records
        lines = [
            f"account: {self.scenario.name}, {'existing' if account.exists else 'new'} stack",
            f"CloudFormation: {_changed(handler, 'modes')}, modes {handler.modes}",
            f"deploy: {account.habit}",
            *(f"other stacks: {', '.join(account.others)}" for _ in [0] if account.others),
            f"options: {_changed(self.options)}",
            f"calls: {_changed(faults.rates)}",
            f"faults: {_changed(faults, 'injected', 'rates')}",
            *(f"fault: {fault}" for fault in faults.injected),
        ]
        return "\n".join(lines)


def _changed(value: Struct, *without: str) -> str:
    """What of a struct is not as it is by default."""
    told = [
        f"{field.name}={getattr(value, field.name)!r}"
        for field in fields(value)
        if field.name not in without and getattr(value, field.name) != field.default
    ]
    return ", ".join(told) or "as usual"


def soak_once(seed: int, number: int) -> Rehearsal:
    """The run of this number.

    Raises:
        Exception: the engine met what it takes for a defect of its own.
    """
    drawn, as_seed = draw(seed, number), f"{seed}/{number}"
    try:
        return rehearse_once(drawn.scenario, as_seed, drawn.faults, options=drawn.options)
    except RefusedError:
        if drawn.options.strategy is Strategy.DELETE:
            raise
    # The strategy is not possible here: the record is deleted instead.
    options = replace(drawn.options, strategy=Strategy.DELETE, strategy_given=True)
    return rehearse_once(drawn.scenario, as_seed, drawn.faults, options=options)


def draw(seed: int, number: int) -> DrawnRun:
    """The case of this number."""
    rng = Random(f"soak/{seed}/{number}")  # noqa: S311 -- a simulation, not a secret
    groups = Random(f"soak/{seed}/{number}/groups")  # noqa: S311
    scenario, names, edits = drawn_scenario(rng, groups)
    scenario = among_others(Random(f"soak/{seed}/{number}/others"), scenario)  # noqa: S311
    options = _options(rng, scenario, names)
    apart = Random(f"soak/{seed}/{number}/strategy")  # noqa: S311
    scenario, strategy = with_strategy(apart, scenario)
    options = _with_strategy(apart, options, strategy)
    aimed = () if strategy is Strategy.DELETE else aimed_at_strategies(apart)
    faults = drawn_faults(rng, edits)
    faults = replace(faults, injected=(*faults.injected, *aimed, *draw_keys(rng, options)))
    negative = Random(f"soak/{seed}/{number}/negative-ttl")  # noqa: S311
    options, more = _with_negative_ttl(negative, options)
    faults = replace(faults, injected=(*faults.injected, *more))
    apart = Random(f"soak/{seed}/{number}/cloud-deadman")  # noqa: S311
    scenario, options, faults = with_cloud_deadman(apart, scenario, options, faults)
    if options.deploy_on is None:
        somebodys = InjectedFault(deed=FaultKind.DEPLOY, delay=rng.uniform(0.0, 60.0))
        faults = replace(faults, injected=(*faults.injected, somebodys))
    return DrawnRun(scenario=scenario, options=options, faults=faults)


def _with_strategy(rng: Random, options: Options, strategy: Strategy) -> Options:
    if strategy is Strategy.DELETE:
        return options
    return replace(
        options,
        strategy=strategy,
        template=TEMPLATE,
        parameters=SWITCHED_ON,
        weights=rng.choice(((), (50, 100), (30, 60, 100))),
        weight_every=rng.choice((5.0, 60.0)),
    )


def _with_negative_ttl(rng: Random, options: Options) -> tuple[Options, tuple[InjectedFault, ...]]:
    """Now and then the SOA is lowered too, and something strikes at its batches."""
    if rng.random() >= _NEGATIVE_TTLS:
        return options, ()
    options = replace(options, negative_ttl=rng.choice((5, 60)))
    return options, tuple(drawn_soa_faults(rng))


_NEGATIVE_TTLS = 0.25
"""How often ``--negative-ttl`` is given."""


def _options(rng: Random, scenario: Scenario, names: Sequence[str]) -> Options:
    exists = scenario.account.exists
    deploys = not exists or rng.random() < 0.85  # else it is --no-deploy
    # A stack that owns a record set already is not deployed with the switch off.
    skips = exists and (scenario.account.twin or rng.random() < 0.2)
    return Options(
        stack=scenario.account.stack,
        records=tuple(names),
        deploy_off=None if skips or not deploys else "off",
        deploy_on="on" if deploys else None,
        drain=rng.random() < 0.8,
        hold=rng.choice((None, None, None, 0.0, 7.0)),
        restore_after=rng.choice((None, None, None, 1.0, 20.0, 90.0)),
        deploy_timeout=600.0,
        settle=rng.choice((5.0, 5.0, 60.0)),
        confirm_release=rng.random() < 0.12,
    )
