"""One step's decisions of a switch as they are made: commands, when to wake up, the next phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.endings import EXIT_CODES, Ending
from route53_takeover.core.switch import commands as cmd
from route53_takeover.core.switch.phases import ALLOWED, SwitchPhase
from route53_takeover.core.switch.state import SwapWrite
from route53_takeover.core.timing import SWAP_FRESH

if TYPE_CHECKING:
    from route53_takeover.base.errors import ExitCode
    from route53_takeover.core.domain.http_checks import Side
    from route53_takeover.core.endings import Outcome
    from route53_takeover.core.switch.events import SwapPurpose
    from route53_takeover.core.switch.state import SwapState, SwitchState


class SwitchContext:
    """One step's decisions as they are made."""

    def __init__(self, state: SwitchState) -> None:
        self.state = state
        self.commands: list[cmd.SwitchCommand] = []
        self.wake_at: float | None = None

    def move(self, target: SwitchPhase) -> None:
        """Enters another phase."""
        state = self.state
        if target not in ALLOWED[state.phase]:
            raise ValueError(f"{target} does not follow {state.phase}")
        self.state = replace(state, phase=target, phase_since=state.now, news_at=state.now)

    def wake(self, at: float) -> None:
        """Asks to be woken at ``at``, if that is to come."""
        if at > self.state.now and (self.wake_at is None or at < self.wake_at):
            self.wake_at = at

    def ask(self, command: cmd.SwitchOnceAtATime) -> None:
        """Asks for something once at a time."""
        if command.request not in self.state.in_flight:
            in_flight = self.state.in_flight | {command.request}
            self.state = replace(self.state, in_flight=in_flight)
            self.commands.append(command)

    def give_up(self, reason: str) -> None:
        """No further step is taken towards green; the first reason stays."""
        if not self.state.given_up:
            self.state = replace(self.state, given_up=reason)

    def is_read(self, swap: SwapState, *, since: float) -> bool:
        """Whether a swap was read by a read that began then or later, and just now; else reads it.

        What is decided on a read is decided at once when it is told, so that between looking and
        writing lies little more than a round trip.
        """
        state = self.state
        is_fresh = swap.read_began >= since and state.now - swap.read_at <= SWAP_FRESH
        if swap.reading is not None and is_fresh:
            return True
        due = max(swap.read_again_at, since)
        if state.now >= due:
            self.ask(cmd.ReadSwap(swap=swap.id))
        else:
            self.wake(due)
        return False

    def write(self, swap: SwapState, to: Side, purpose: SwapPurpose) -> None:
        """Asks for one write; its id is derived from how many came before, and from this life.

        A process whose journal broke may have sent some of which the next one knows nothing.
        """
        state = self.state
        number = state.writes + 1
        life = f"r{state.resumes}-{round(state.resumed_at * 1000):x}-" if state.resumes else ""
        write = SwapWrite(id=f"{state.run}-{life}{number}", to=to, purpose=purpose, sent=state.now)
        swaps = {**state.swaps, swap.id: replace(swap, write=write)}
        self.state = replace(state, writes=number, swaps=swaps)
        self.commands.append(
            cmd.WriteSwap(
                id=write.id,
                swap=swap.id,
                to=to,
                purpose=purpose,
                shown="" if swap.reading is None else swap.reading.shown,
                etag="" if swap.reading is None else swap.reading.etag,
            )
        )

    def end(self, outcome: Outcome, reason: str, *, exit_code: ExitCode | None = None) -> None:
        """Ends the run, with the exit code of its outcome unless another one is given."""
        ending = Ending(
            phase=self.state.phase,
            outcome=outcome,
            exit_code=EXIT_CODES[outcome] if exit_code is None else exit_code,
            reason=reason,
        )
        self.move(SwitchPhase.ENDED)
        self.state = replace(self.state, ending=ending)
