"""Plumbing of the switch tests: the installed command in a process, and live sites for it.

The sites are in an account that a thread of the tests serves (`tests.live_sites`); the command goes
by that account's clock, through `tests/account_time.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.simulated import JSON, KEYS, await_true
from tests.live_sites import WRITES

from route53_takeover.simulation.aws.http.faults import AnswerDelayed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.processes import Finished, Running, Takeover
    from tests.live_sites import LiveAccount, LiveDomain, LiveFront

    from route53_takeover.simulation.aws.http.faults import Fault

IN_TIME = Path(__file__).parents[1] / "account_time.py"
NEVER = 60.0
"""Seconds for which an answer stays away that a process is killed before."""


class Switches:
    """The command with keys for the account."""

    def __init__(self, account: LiveAccount, takeover: Takeover) -> None:
        self.account = account
        self.takeover = takeover
        takeover.environment |= KEYS
        del takeover.environment["AWS_ENDPOINT_URL"]

    def start(self, *words: str) -> Running:
        """Starts any command."""
        through = (sys.executable, str(IN_TIME), self.account.origin, self.account.web_url)
        return self.takeover.start(*words, through=through)

    def call(self, *words: str) -> Finished:
        """The same, to its end."""
        return self.start(*words).finish()

    def switch(self, site: LiveDomain | LiveFront, *more: str, bake: str = "2s") -> Running:
        """Starts the switch of a site to green, with a check that tells the sides apart."""
        words = (*site.to_green, *site.check, "--auto", "--bake", bake, *JSON)
        return self.start("switch", *words, *more)

    def killed_after_the_write(self, site: LiveDomain, bake: str = "2s") -> None:
        """A run whose process is killed once its first write is applied, and before the answer."""

        def keep_back(called: str, _: Mapping[str, Any]) -> Fault | None:
            return AnswerDelayed(seconds=NEVER) if called in WRITES else None

        site.befall(keep_back)
        running = self.switch(site, bake=bake)
        await_true(lambda: site.writes, "the write")
        running.kill()
        site.befall(lambda *_: None)
        assert len(site.writes) == 1

    @property
    def run(self) -> str:
        """The name of the only run."""
        return self.takeover.run_folder.name
