"""The files of a Ruby on Jets app that configure its deploys, in the order of their loading."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from route53_takeover.core.plan.jets.ruby_config import SWITCH, assignments, code_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from route53_takeover.core.plan.jets.ruby_config import Assignment

    Read = Callable[[str], str | None]
    """The text of a file of the app by its path in it; ``None`` where there is none."""

JETS_6 = 6
"""From this version on CodeBuild deploys, and config/jets has the settings."""

_IN_RUBY = re.compile(
    r"""(?<!\w)ENV\[["'](?P<name>\w++)["']\]\s*+(?P<default>\|\|)?=(?![=~>])\s*+(?P<value>.*+)"""
)
_IN_DOTENV = re.compile(r"\s*+(?:export\s++)?(?P<name>\w++)(?P<default>)\s*+[=:]\s*+(?P<value>.*+)")


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
            for number, code in code_lines(self.read(path) or "", SWITCH):
                if SWITCH in code and (path, number) not in known:
                    return f"{path}:{number}"
        return None

    @property
    def application(self) -> tuple[str, str]:
        return ("config/application.rb", f"config/environments/{self.env}.rb")

    def of_jets(self, name: str) -> tuple[str, str]:
        """The files of one of the settings of Jets 6: for all environments, and for this one."""
        return (f"config/jets/{name}.rb", f"config/jets/{name}/{self.env}.rb")

    def sets_otherwise(self, major: int, extra: str, variables: Mapping[str, str]) -> str:
        """The first line that gives one of these variables another value than it has.

        Jets loads dotenv files and its settings after the first look at a variable and before the
        last, and each version in its own order.

        Args:
            extra: what ``JETS_EXTRA`` is, which names one of the files.
            variables: name -> value in the environment of the deploy, empty where it has none.
        """
        env = self.env
        if major == JETS_6:
            dotenv = [f"config/jets/env/.env{each}" for each in ("", f".{env}", f".{env}.{extra}")]
            ruby = [
                path for name in ("project", "bootstrap", "deploy") for path in self.of_jets(name)
            ]
        else:
            more = ("", ".local", *(f".{env}{each}" for each in ("", ".local", ".remote")))
            dotenv = [f".env{each}" for each in (*more, f".{env}.{extra}")]
            ruby = [*self.application]
        for path in (*dotenv, *ruby):
            match = _IN_RUBY.search if path in ruby else _IN_DOTENV.match
            for number, code in code_lines(self.read(path) or "", "JETS_"):
                found = match(code)
                now = variables.get(found["name"]) if found else None
                if found is None or now is None or (now and found["default"]):
                    continue
                if found["value"].strip(" \"'") != now:
                    return f"{path}:{number} has `{code.strip()}`"
        return ""
