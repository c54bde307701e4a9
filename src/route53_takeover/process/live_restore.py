"""`restore` of a run whose process lives: the process restores the records itself, on request.

It has the locks and knows which writes are in flight, so a second writer would only conflict.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from route53_takeover.base.errors import ManualActionRequiredError, RefusedError
from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.status.choices import Act, choices, event_of
from route53_takeover.core.takeover.name_state import TAKEN_STAGES
from route53_takeover.process.client import NotReachedError, RemoteRun
from route53_takeover.storage.run_folder import line_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.core.takeover.events import AnyEvent
    from route53_takeover.core.takeover.state import State
    from route53_takeover.storage.run_folder import RunFolder

PATIENCE = 60.0
"""Seconds that the run's process gets to put everything back."""
_REACHED = 5.0
"""Seconds that it gets to answer at its socket."""
_PAUSE = 0.1


async def restore_live(
    folder: RunFolder, tell: Callable[[str], None], *, patience: float = PATIENCE
) -> State:
    """Asks the run's process to put every name back, and waits until they are.

    Returns:
        The run's last state: it may have ended, or goes on watching what its stack does.

    Raises:
        RefusedError: CloudFormation's records stand, and the run guards them.
        ManualActionRequiredError: a name has no record yet, or the process does not answer.
    """
    known: list[State] = []

    def remember(_event: AnyEvent, state: State, _seq: int) -> None:
        known[:] = [state]

    following = RemoteRun(folder, observer=remember)
    is_asked = False
    try:
        async with asyncio.timeout(patience), aclosing(following.subscribe()) as views:
            async for _ in views:
                if not known:
                    continue
                if not is_asked:
                    is_asked = await _ask(folder, following, known[0], tell)
                if known[0].ending is not None or (is_asked and _is_back(known[0])):
                    break
    except TimeoutError:
        names = [display_name(n.name) for n in (known[0].names.values() if known else ())]
        raise ManualActionRequiredError(
            f"the process of {folder.name} has not restored {', '.join(names)} within "
            f"{patience:g} s",
            f"It keeps trying: `{line_for(folder.state_dir, 'attach', folder.name)}`.",
        ) from None
    return known[0]


async def _ask(
    folder: RunFolder, following: RemoteRun, state: State, tell: Callable[[str], None]
) -> bool:
    """Sends the request; true once the run restores what it released."""
    if state.ending is not None or state.has_stopped:
        return True  # it does that already
    offered = [choice.act for choice in choices(state)]
    act = next((act for act in (Act.RESTORE, Act.ABORT) if act in offered), None)
    if act is None:
        taken = [str(h.original.key) for h in state.handovers if h.stage in TAKEN_STAGES]
        raise RefusedError(
            f"CloudFormation's {', '.join(taken)} is in place, and the process of {folder.name} "
            "watches it: there is nothing to restore",
            "Wait until the run has ended; if its stack rolls back, it restores by itself.",
        )
    tell(f"asking the process of {folder.name} to restore every record")
    until = asyncio.get_running_loop().time() + _REACHED
    while True:
        try:
            await following.submit(event_of(act, "", time=state.now))
        except NotReachedError as error:
            if asyncio.get_running_loop().time() >= until:
                raise ManualActionRequiredError(error.message, error.hint) from error
            await asyncio.sleep(_PAUSE)
        else:
            return True


def _is_back(state: State) -> bool:
    """Whether every name has a record, and nothing is on its way."""
    return state.has_stopped and not any(
        name.is_absent or name.write is not None for name in state.names.values()
    )
