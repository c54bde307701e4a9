"""What an operator does who gives a rehearsed run up: `restore`, until it has done all it can."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from route53_takeover.base.errors import ApiError, ManualActionRequiredError, RefusedError
from route53_takeover.core.plan.strategies.versions import versions
from route53_takeover.runtime.cloud_deadman import stop_deadmen
from route53_takeover.runtime.helper_removal import remove_helpers
from route53_takeover.runtime.restore import Place, rescue
from route53_takeover.runtime.soa_restore import put_soa_back
from route53_takeover.simulation.chaos.cloudformation_port import SimulatedStacks
from route53_takeover.simulation.chaos.route53_port import SimulatedRecords
from route53_takeover.simulation.chaos.step_functions_port import SimulatedStepFunctions

if TYPE_CHECKING:
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.simulation.chaos.harness import Harness

LOOK = 60.0
"""Virtual seconds after which an operator looks again."""
_PATIENCE = 60
"""How often the operator looks whether a stack is at rest, and repeats what did not work."""


async def restore(harness: Harness, plan: Plan, *, longest: float) -> None:
    """``restore`` instead of ``resume``: at once, and again when the stack is at rest.

    Args:
        longest: virtual seconds for which this may take.
    """
    harness.trouble("left to the operator", longest)
    await _restore_once(harness, plan)
    for _ in range(_PATIENCE):
        await harness.clock.sleep(LOOK)  # no read is stale any more
        if not harness.is_busy:
            await _restore_once(harness, plan)
            if not harness.is_busy:  # no one has started another operation meanwhile
                break
    else:
        await _restore_once(harness, plan)


async def _restore_once(harness: Harness, plan: Plan) -> None:
    for name in plan.names:
        for _ in range(_PATIENCE):
            try:
                await _rescue(harness, plan, name)
            except RefusedError:
                break  # another writer's record stands there
            except (ManualActionRequiredError, ApiError):
                await harness.clock.sleep(LOOK)  # as it says: run it again
            else:
                break
    with suppress(ManualActionRequiredError, ApiError):  # as it says: run it again
        await remove_helpers(
            plan.helpers,
            restored=plan.names,
            zone_id=plan.zone_id,
            clock=harness.clock,
            records=SimulatedRecords(harness.transport),
            dry_run=False,
            tell=lambda _: None,
            save=lambda _: None,
        )
    await _put_soa_back(harness, plan)
    if all(harness.is_served(plan, name) for name in plan.names):
        with suppress(ApiError):  # as it says: run it again
            await stop_deadmen(
                SimulatedStepFunctions(harness.transport, harness.world),
                plan,
                "rehearsal",
                dry_run=False,
                tell=lambda _: None,
            )


async def _rescue(harness: Harness, plan: Plan, name: str) -> None:
    done = await rescue(
        name,
        [m.original for m in plan.manuals if m.key.name == name],
        place=Place(
            zone_id=plan.zone_id,
            zone_name=plan.zone_name,
            root=plan.root.stack_id or plan.options.stack,
        ),
        clock=harness.clock,
        records=SimulatedRecords(harness.transport),
        stacks=SimulatedStacks(harness.transport),
        changed=[r for m in plan.manuals if m.key.name == name for r in versions(m)],
        force=False,
        by_force="",
        dry_run=False,
        tell=lambda _: None,
        save=lambda _: None,
    )
    if done.changes:
        harness.strike("put back by restore")


async def _put_soa_back(harness: Harness, plan: Plan) -> None:
    if plan.soa is None:
        return
    for _ in range(_PATIENCE):
        try:
            await put_soa_back(
                plan.soa,
                zone_id=plan.zone_id,
                clock=harness.clock,
                records=SimulatedRecords(harness.transport),
                by_force="restore --force",
                dry_run=False,
                tell=lambda _: None,
                save=lambda _: None,
            )
        except ManualActionRequiredError:
            if harness.struck["SOA edited"]:
                return  # another writer's is left
            await harness.clock.sleep(LOOK)
        else:
            return
