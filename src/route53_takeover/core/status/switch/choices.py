"""The operator's choices in a switch: what each of them does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.status.choices import Act, Choice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.switch.state import SwitchState


def switch_choices(state: SwitchState) -> tuple[Choice, ...]:
    """The requests that are possible now."""
    return tuple(_choices(state))


def _choices(state: SwitchState) -> Iterator[Choice]:
    blue = ", ".join(dict.fromkeys(swap.swap.before for swap in state.swaps.values()))
    if state.may_pause and not state.paused:
        yield Choice(
            act=Act.PAUSE,
            effect="No further step starts, and nothing is switched.",
            unchanged=f"{state.plan.site} stays on {blue}. A running deploy continues.",
            undo="Continue the run.",
        )
    if state.paused and not state.given_up:
        yield Choice(
            act=Act.GO_ON,
            effect=f"The run continues with {state.phase}; it may switch {state.plan.site}.",
            unchanged="Green still has to pass every check.",
            undo="Pause it again, as long as nothing is switched.",
        )
    if state.may_switch_back:
        yield Choice(
            act=Act.RESTORE,
            title="Switch back to blue",
            effect=f"Leads {state.plan.site} back to {blue}.",
            unchanged="What another writer has changed meanwhile is not overwritten.",
            undo="None in this run: start another.",
        )
    if state.may_abort:
        yield Choice(
            act=Act.ABORT,
            title="Give up the switch",
            effect="The switch is given up.",
            unchanged=f"{state.plan.site} stays on {blue}. A running deploy continues.",
            undo="None in this run: start another.",
        )
