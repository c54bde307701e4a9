"""What happened in a switch, as far as views show it and the state does not keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.events import RunResumed
from route53_takeover.core.status.run_timeline import RunTimeline
from route53_takeover.core.status.switch.messages import of_switch_event, of_switch_phase
from route53_takeover.core.switch import events as ev

if TYPE_CHECKING:
    from route53_takeover.core.status.snapshot import News
    from route53_takeover.core.switch.state import SwitchState


class SwitchTimeline(RunTimeline):
    """What happened so far in a switch."""

    def take(self, event: ev.SwitchEvent, state: SwitchState) -> tuple[News, ...]:
        """Takes in an event, after the machine has, and returns the lines that it adds."""
        self._begin(event.time)
        match event:
            case ev.SwapRead():
                self._clear(event.swap)
            case ev.SwapUnread():
                self._cannot(event.swap, event.time, event.reason)
            case RunResumed():
                self.troubles.clear()
            case _:
                pass
        for message in of_switch_event(event, state):
            self._say(event.time, message)
        self._follow_run(state, "the switch", of_switch_phase(state.phase))
        return tuple(self._new)
