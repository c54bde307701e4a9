"""What ``--jets DIR`` stands for: the stack and the deploy command of a Ruby on Jets app.

Jets 4, 5 and 6 name a stack by different rules. A name that Ruby computes is not guessed: the stack
has to be given then. The app is never changed.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.base.errors import UsageError
from route53_takeover.core.plan.jets.files import JETS_6, JetsFiles
from route53_takeover.core.plan.jets.switch import switch_of
from route53_takeover.core.plan.model import JetsApp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from route53_takeover.core.plan.jets.files import Read
    from route53_takeover.core.plan.jets.ruby_config import Assignment

SETTLE = 300.0
"""Seconds without news before a run is done: the real update may come minutes after the first."""
DEPLOY_TIMEOUT = 7200.0
_QUEUED = 1800.0
"""Seconds that a build may wait, and the app be packed, beside the time that CodeBuild gives it."""

MAJORS = (4, 5, 6)
_LOCKED = re.compile(r"^ {4}jets \((\d{1,4})[.)]", re.MULTILINE)
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
_YAML_NAME = re.compile(r"^project_name:[ \t]*+[\"']?([\w-]++)[\"']?[ \t]*+$", re.MULTILINE)
_MINUTES = re.compile(r"\d{1,4}")
_SHORT = {"development": "dev", "production": "prod", "staging": "stag"}

_OTHERWISE = "Or give --stack and --deploy instead of --jets."


class JetsDeploy(Struct, frozen=True, kw_only=True):
    """What ``--jets`` stands for."""

    app: JetsApp
    stack: str
    command: str
    timeout: float


def derive(
    folder: str, read: Read, environment: Mapping[str, str], *, stack: str | None = None
) -> JetsDeploy:
    """Derives the deploy of an app.

    Args:
        folder: its absolute path.
        read: reads its files, by their path in it.
        environment: what the deploy command runs in.
        stack: what ``--stack`` says, where it is given.

    Raises:
        UsageError: this is not an app of a known version, or its stack is not certain.
    """
    major, locked = _version(folder, read)
    name = environment.get("JETS_ENV", "dev" if major == JETS_6 else "development")
    if not _ENVIRONMENT_NAME.fullmatch(name):
        raise UsageError(
            f"JETS_ENV is {name!r}, which names no environment", f"Set it. {_OTHERWISE}"
        )
    files = JetsFiles(read, name)
    project = _PROJECTS[major](folder, files, environment)
    variables = {each: environment.get(each, "") for each in _NAMING[major]}
    variables |= {"JETS_ENV": name, "JETS_ROOT": folder}
    if not project.unclear:
        project = replace(project, unclear=files.sets_otherwise(major, project.extra, variables))
    found = project.stack(major, name)
    if stack is None and found is None:
        raise UsageError(
            f"the stack of the Jets app {folder} is not certain: "
            f"{project.unclear or f'{project.name!r} makes no name of a stack'}",
            "Say which it is with --stack NAME.",
        )
    if stack is not None and found is not None and _name_of(stack) != found:
        raise UsageError(
            f"--stack {stack} is not what the Jets app {folder} deploys with JETS_ENV={name}: "
            f"that is {found}",
            "Leave --stack out, or set JETS_ENV and JETS_EXTRA as for that stack.",
        )
    app = switch_of(folder, major, files)
    return JetsDeploy(
        app=replace(app, program="bundle") if locked else app,
        stack=stack or found or "",
        command=_command(folder, major, name, environment, locked=locked),
        timeout=_timeout(files),
    )


def with_extra(
    folder: str, read: Read, environment: Mapping[str, str], extra: str
) -> dict[str, str]:
    """The environment in which the app is deployed a second time, beside the one that is there.

    Raises:
        UsageError: this is not an app of a known version.
    """
    major, _ = _version(folder, read)
    cleared = {k: v for k, v in environment.items() if k not in ("JETS_EXTRA", "JETS_ENV_EXTRA")}
    name = "JETS_ENV_EXTRA" if major == min(MAJORS) else "JETS_EXTRA"
    return cleared | {name: extra}


# -- the version


def _version(folder: str, read: Read) -> tuple[int, bool]:
    """The major version, and whether the app's bundle has it."""
    found = _LOCKED.search(read("Gemfile.lock") or "")
    if found is not None:
        major = int(found[1])
        if major not in MAJORS:
            raise UsageError(
                f"{folder} is an app of Jets {major}; --jets knows Jets 4, 5 and 6",
                "Give --stack and --deploy instead.",
            )
        return major, True
    if any(read(f"config/jets/{name}.rb") is not None for name in ("deploy", "project")):
        return JETS_6, False
    if read("config/application.rb") is None:
        raise UsageError(
            f"{folder} is not a Jets app: it has neither config/jets/deploy.rb nor "
            "config/application.rb",
            "Check --jets DIR.",
        )
    raise UsageError(
        f"{folder} does not tell its version of Jets: Gemfile.lock has none",
        f"Run `bundle install` there. {_OTHERWISE}",
    )


# -- the stack's name


class _Project(Struct, frozen=True, kw_only=True):
    """What a stack's name is made of; ``name`` is ``None`` where it is unclear, and why."""

    name: str | None = None
    extra: str = ""
    unclear: str = ""

    def stack(self, major: int, env: str) -> str | None:
        if self.name is None or self.unclear:
            return None
        short = env if major == JETS_6 else _SHORT.get(env, env)
        found = "-".join(part for part in (self.name, short, self.extra) if part).replace("_", "-")
        return found if _STACK_NAME.fullmatch(found) else None


def _project_6(_folder: str, files: JetsFiles, environment: Mapping[str, str]) -> _Project:
    extra = _unless_blank(environment, "JETS_EXTRA")
    if given := _unless_blank(environment, "JETS_PROJECT"):
        return _Project(name=given, extra=extra)
    named = [a for a in files.settings(*files.of_jets("project")) if a.key == "name"]
    if named:
        return _named(named[-1], named, extra)
    found = _YAML_NAME.search(files.read("config/jets/info.yml") or "")
    if found is not None:
        return _Project(name=found[1], extra=extra)
    return _Project(
        unclear="config/jets/project.rb does not set config.name, and JETS_PROJECT is not set"
    )


def _project_5(folder: str, files: JetsFiles, environment: Mapping[str, str]) -> _Project:
    if computed := _computed_extra(files):
        return _Project(unclear=computed)
    extra = _unless_blank(environment, "JETS_EXTRA") or _unless_blank(environment, "JETS_ENV_EXTRA")
    if given := _unless_blank(environment, "JETS_PROJECT_NAME"):
        return _Project(name=given, extra=extra)
    if (kept := files.read("config/project_name")) is not None:
        return _Project(name=kept.strip(), extra=extra, unclear=_if_blank(kept))
    named = _project_names(files, files.application[0])
    if named:
        return _named(named[0], named, extra)
    if "project_name" in (files.read("config/application.rb") or ""):
        return _Project(unclear="config/application.rb computes its project name")
    return _Project(name=folder.rstrip("/").rpartition("/")[2], extra=extra)


def _project_4(_folder: str, files: JetsFiles, environment: Mapping[str, str]) -> _Project:
    if computed := _computed_extra(files):
        return _Project(unclear=computed)
    extra = environment.get("JETS_ENV_EXTRA")
    if extra is None and "JETS_EXTRA" in environment:
        return _Project(unclear="JETS_EXTRA is set, and Jets 4 reads JETS_ENV_EXTRA")
    if extra is not None and not extra.strip():
        return _Project(unclear="JETS_ENV_EXTRA is set, and empty")
    given = environment.get("JETS_PROJECT_NAME")
    if given is not None:
        return _Project(name=given, extra=extra or "", unclear=_if_blank(given))
    named = _project_names(files, *files.application)
    if named:
        return _named(named[-1], named, extra or "")
    return _Project(unclear="config/application.rb sets no config.project_name")


_PROJECTS = {4: _project_4, 5: _project_5, 6: _project_6}


def _named(counts: Assignment, named: Sequence[Assignment], extra: str) -> _Project:
    """A name from a file, if no other line could mean another."""
    literals = {each.literal for each in named}
    if None in literals or len(literals) > 1:
        return _Project(unclear=f"{counts.file}:{counts.line} has `{counts.text}`")
    return _Project(name=counts.literal, extra=extra, unclear=_if_blank(counts.literal or ""))


def _project_names(files: JetsFiles, *paths: str) -> list[Assignment]:
    return [a for a in files.settings(*paths) if a.key == "project_name"]


def _computed_extra(files: JetsFiles) -> str:
    for each in files.settings(*files.application):
        if each.key in ("extra", "env_extra"):
            return f"{each.file}:{each.line} has `{each.text}`"
    return ""


def _unless_blank(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    return value if value.strip() else ""


def _if_blank(name: str) -> str:
    return "" if name.strip() else "the project name is empty"


def _name_of(stack: str) -> str:
    return stack.split("/")[1] if stack.startswith("arn:") and "/" in stack else stack


# -- the deploy command


_NAMING = {
    4: ("JETS_ENV_EXTRA", "JETS_PROJECT_NAME"),
    5: ("JETS_EXTRA", "JETS_ENV_EXTRA", "JETS_PROJECT_NAME"),
    6: ("JETS_EXTRA", "JETS_PROJECT"),
}
"""The variables that name the stack, beside ``JETS_ENV``."""


def _command(
    folder: str, major: int, env: str, environment: Mapping[str, str], *, locked: bool
) -> str:
    """The command, with all that decides which stack it deploys: a resumed run has to meet it."""
    variables = {"JETS_ENV": env}
    variables |= {name: environment[name] for name in _NAMING[major] if environment.get(name)}
    if major < JETS_6:
        variables["JETS_API_AUTO_REPLACE"] = "1"
    words = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
    words += ["bundle", "exec"] if locked else []
    words += ["jets", "deploy"]
    words += ["--yes"] if major == JETS_6 else []
    return f"cd {shlex.quote(folder)} && {' '.join(words)}"


def _timeout(files: JetsFiles) -> float:
    """What `--deploy-timeout` has to be for a build to end by itself."""
    for each in reversed(files.settings(*files.of_jets("bootstrap"))):
        if each.key == "codebuild.project.timeout_in_minutes" and _MINUTES.fullmatch(each.value):
            return max(DEPLOY_TIMEOUT, int(each.value) * 60.0 + _QUEUED)
    return DEPLOY_TIMEOUT
