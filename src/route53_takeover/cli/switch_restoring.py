"""``restore`` of a switch: everything leads to blue again, by the run's own process if it lives."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.base.errors import (
    ExitCode,
    ManualActionRequiredError,
    RefusedError,
    TakeoverError,
)
from route53_takeover.base.stdio import write_line
from route53_takeover.cli.bootstrap import opened
from route53_takeover.cli.execution import check_account, claim, way_to_account
from route53_takeover.cli.interrupts import in_loop
from route53_takeover.cli.run_state import read_state
from route53_takeover.cli.switch_execution import locks_of
from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.endings import OUTCOMES, Outcome
from route53_takeover.core.status.choices import Act, event_of
from route53_takeover.core.status.result import Result
from route53_takeover.core.status.switch.choices import switch_choices
from route53_takeover.core.status.switch.result import switch_result
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.switch.state import SwitchState
from route53_takeover.output import json_lines, text_lines
from route53_takeover.output.reporter import ConsoleReporter
from route53_takeover.process.client import NotReachedError, RemoteRun
from route53_takeover.runtime.secret_rule import remove_rule
from route53_takeover.runtime.site_swaps import SiteSwaps
from route53_takeover.runtime.switch_restore import invalidate, lead_back
from route53_takeover.storage.journal import is_held
from route53_takeover.storage.locks import Work
from route53_takeover.storage.run_folder import SavedSwitch, line_for, within
from route53_takeover.storage.run_notes import RESTORE, save_end, save_switch_restore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.adapters.clock import SystemClock
    from route53_takeover.core.switch.model import SecretRule, Swap
    from route53_takeover.runtime.switch_restore import LedBack
    from route53_takeover.storage.config import Common, Override
    from route53_takeover.storage.run_folder import RunFolder

_PATIENCE = 60.0
"""Seconds that the run's own process gets to lead everything back."""
_AGAIN, _TRIES = 0.2, 25


def restore_switch(
    common: Common, folder: RunFolder, override: Override, *, force: bool, dry_run: bool
) -> ExitCode:
    """Leads everything back, in this process or in the run's own if that is alive."""
    reporter = ConsoleReporter(common)
    with within(folder):
        claim(common, reporter, folder)
        saved = folder.saved()
        if not isinstance(saved, SavedSwitch):
            raise TypeError(f"{folder.name} is no switch")
        if is_held(folder.journal) and not (dry_run or force):
            live = _restore_live(common, folder)
            code = in_loop(live, written="the run's process continues")
            if not _has_ended_on_green(folder):
                return code
        swaps, rule = _planned(folder, saved)
        with way_to_account(saved, override) as (reached, clock, _):
            check_account(reporter, reached)
            work = _restore(
                common, folder, reached, swaps, rule, clock, force=force, dry_run=dry_run
            )
            return in_loop(work, written="what was not reached is not led back")


def _planned(folder: RunFolder, saved: SavedSwitch) -> tuple[tuple[Swap, ...], SecretRule | None]:
    """What may have been led to green, and the rule: as the journal tells, or else the backup."""
    with suppress(TakeoverError):
        state = read_state(folder)
        if isinstance(state, SwitchState):
            return tuple(swap.swap for swap in state.swaps.values()), state.plan.rule
    return folder.switch_backup().swaps or saved.plan.swaps, saved.plan.rule


def _has_ended_on_green(folder: RunFolder) -> bool:
    """Whether the run has ended as planned, and before it was asked to lead back."""
    state = read_state(folder)
    return (
        isinstance(state, SwitchState)
        and state.ending is not None
        and state.ending.outcome is Outcome.DONE
    )


async def _restore(
    common: Common,
    folder: RunFolder,
    saved: SavedSwitch,
    swaps: tuple[Swap, ...],
    rule: SecretRule | None,
    clock: SystemClock,
    *,
    force: bool,
    dry_run: bool,
) -> ExitCode:
    by_force = line_for(common.state_dir, "restore", folder.name, "--force")

    def tell(text: str) -> None:
        text_lines.talk(common, text)

    async with opened(
        saved.connection, clock, writable=not dry_run, switches=True, tell=tell
    ) as account:
        sites = SiteSwaps(account.api_gateway, account.distributions)
        with locks_of(common, saved, Work.RESTORE) as held:
            if not dry_run:
                held.register(folder)
            found: list[LedBack] = []
            for seq, swap in enumerate(reversed(swaps), start=1):
                back = await lead_back(
                    swap,
                    sites=sites,
                    clock=clock,
                    force=force,
                    by_force=by_force,
                    dry_run=dry_run,
                    save=lambda swap, there: save_switch_restore(folder, clock.now(), swap, there),
                    tell=tell,
                )
                _print(common, folder, back, seq, clock.now(), dry_run=dry_run)
                found.append(back)
            if rule is not None and not dry_run:
                try:
                    if await remove_rule(account.api_gateway, rule):
                        tell(f"the routing rule with {rule.header} is removed")
                except TakeoverError as error:
                    text_lines.tell_error(error)
            for back in found:
                if back.outcome == "restored":
                    reference = f"{folder.name}-restore-{clock.now():.0f}"
                    await invalidate(
                        back.swap, sites=sites, clock=clock, reference=reference, tell=tell
                    )
        ended = _result(folder, found, dict(account.calls), dry_run=dry_run)
        if not dry_run:
            save_end(folder, clock.now(), RESTORE, ended)
    return text_lines.print_result(common, ended, clock.now(), seq=len(found) + 1)


def _print(
    common: Common, folder: RunFolder, back: LedBack, seq: int, now: float, *, dry_run: bool
) -> None:
    """What came of one swap: data on stdout, or text on stderr."""
    swap = back.swap
    if back.error is not None:
        text_lines.tell_error(back.error)
    elif not back.is_led:
        text_lines.talk(common, f"{swap.target} leads to {swap.before} already")
    elif not common.as_json:
        would = "would be " if dry_run else ""
        text_lines.talk(common, f"{swap.target} {would}led back to {swap.before}")
    if common.as_json:
        line = {
            "run": folder.name,
            "seq": seq,
            "time": json_lines.rfc3339(now),
            "phase": "restore",
            "event": "restore",
            "target": swap.target,
            "dry_run": dry_run,
            "to": swap.before if back.is_led else None,
            "shown": back.shown,
        }
        write_line(json.dumps(line), sys.stdout)


def _result(
    folder: RunFolder, found: Sequence[LedBack], calls: dict[str, int], *, dry_run: bool
) -> Result:
    errors = [back.error for back in found if back.error is not None]
    code = max((error.exit_code for error in errors), default=ExitCode.DONE)
    if any(back.outcome == "unknown" for back in found):
        code = ExitCode.UNKNOWN
    led = [back.swap.target for back in found if back.is_led]
    would = "would be " if dry_run else ""
    reason = f"{', '.join(led)} {would}led back to blue" if led else "everything leads to blue"
    if errors:
        reason = "; ".join(error.message for error in errors)
    return Result(
        run=folder.name,
        phase="ended",
        outcome=str(OUTCOMES[code]),
        exit_code=code,
        reason=reason,
        switches=tuple(back.result() for back in found),
        api_calls=dict(sorted(calls.items())),
        resumable=False,
    )


async def _restore_live(common: Common, folder: RunFolder) -> ExitCode:
    """Lets the run's own process lead back: it has the locks, and knows what is on its way."""
    known: list[SwitchState] = []

    def remember(_event: object, state: SwitchState, _seq: int) -> None:
        known[:] = [state]

    following, is_asked = RemoteRun(folder, observer=remember), False
    try:
        async with asyncio.timeout(_PATIENCE), aclosing(following.subscribe()) as views:
            async for _ in views:
                if known and not is_asked:
                    is_asked = await _ask(common, folder, following, known[0])
                if known and known[0].ending is not None:
                    break
    except TimeoutError:
        again = line_for(common.state_dir, "attach", folder.name)
        raise ManualActionRequiredError(
            f"the process of {folder.name} has not led everything back within {_PATIENCE:g} s",
            f"It keeps trying: `{again}`.",
        ) from None
    state = known[0]
    if state.ending is not None and state.ending.outcome is Outcome.DONE:
        text_lines.talk(common, f"{folder.name} has ended on green meanwhile")
        await _until_left(folder)
        return ExitCode.DONE
    ended = switch_result(state, None)
    if all(swap.side is Side.BLUE and swap.write is None for swap in state.swaps.values()):
        ended = replace(ended, outcome=str(Outcome.DONE), exit_code=ExitCode.DONE)
    return text_lines.print_result(common, ended, state.now)


async def _until_left(folder: RunFolder) -> None:
    """Waits until the process of a run that has ended has let go of it."""
    for _ in range(_TRIES):
        if not is_held(folder.journal):
            return
        await asyncio.sleep(_AGAIN)


async def _ask(common: Common, folder: RunFolder, following: RemoteRun, state: SwitchState) -> bool:
    """Sends the request; true once the run leads back."""
    if state.given_up or state.ending is not None:
        return True
    offered = [choice.act for choice in switch_choices(state)]
    act = next((act for act in (Act.RESTORE, Act.ABORT) if act in offered), None)
    if act is None and state.phase is SwitchPhase.VERIFY:
        return False  # about to end on green, and led back then
    if act is None:
        raise RefusedError(
            f"{folder.name} cannot be led back now: it is in phase {state.phase}",
            f"See `{line_for(common.state_dir, 'attach', folder.name)}`.",
        )
    text_lines.talk(common, f"asking the process of {folder.name} to lead everything back")
    for _ in range(_TRIES):
        try:
            await following.submit(event_of(act, "", time=state.now))
        except NotReachedError:
            await asyncio.sleep(_AGAIN)
        else:
            return True
    raise ManualActionRequiredError(
        f"the process of {folder.name} does not answer", "Look at it, and try again."
    )
