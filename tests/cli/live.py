"""`switch` and what follows it, called in this process, on live sites that a thread serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.account_time import in_time_of
from tests.cli.program import Program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Ended
    from tests.live_sites import LiveAccount, LiveDomain, LiveFront

JSON = ("--output", "json")


class Switcher:
    """The command in an empty home, by the account's time."""

    def __init__(self, account: LiveAccount, home: Path) -> None:
        self.account = account
        self.program = Program(home)

    def __call__(self, *words: str) -> Ended:
        """Calls any command."""
        with in_time_of(self.account.clock.origin, self.account.web_url):
            return self.program(*words)

    def switch(self, site: LiveDomain | LiveFront, *more: str, bake: str = "2s") -> Ended:
        """Switches a site to green, with a check that tells the sides apart."""
        return self("switch", *site.to_green, *site.check, "--auto", "--bake", bake, *JSON, *more)

    @property
    def run(self) -> str:
        """The name of the only run."""
        return self.program.folder.name
