"""The files of a Ruby on Jets app that configure its deploys, in the order of their loading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.plan.jets.ruby_config import SWITCH, assignments, code_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from route53_takeover.core.plan.jets.ruby_config import Assignment

    Read = Callable[[str], str | None]
    """The text of a file of the app by its path in it; ``None`` where there is none."""

JETS_6 = 6
"""From this version on CodeBuild deploys, and config/jets has the settings."""


class JetsFiles:
    """The settings in an app's files, each file read once."""

    def __init__(self, read: Read, env: str) -> None:
        self.read = read
        self.env = env
        self._settings: dict[str, Sequence[Assignment]] = {}

    def settings(self, *paths: str) -> list[Assignment]:
        """All of these files, in the order in which Jets loads them."""
        for path in paths:
            if path not in self._settings:
                self._settings[path] = assignments(path, self.read(path) or "")
        return [each for path in paths for each in self._settings[path]]

    def mention(self, *paths: str, understood: Sequence[Assignment] = ()) -> str | None:
        """The first line of code that names the switch, as ``FILE:LINE``.

        Args:
            understood: the settings whose value is known.
        """
        known = {(each.file, each.line) for each in understood}
        for path in paths:
            for number, code in code_lines(self.read(path) or ""):
                if SWITCH in code and (path, number) not in known:
                    return f"{path}:{number}"
        return None

    @property
    def application(self) -> tuple[str, str]:
        return ("config/application.rb", f"config/environments/{self.env}.rb")

    def of_jets(self, name: str) -> tuple[str, str]:
        """The files of one of the settings of Jets 6: for all environments, and for this one."""
        return (f"config/jets/{name}.rb", f"config/jets/{name}/{self.env}.rb")
