"""``--jets DIR``: reads the app, and says what the other options would have said."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from route53_takeover.adapters.jets_folder import reader
from route53_takeover.base.errors import RefusedError, UsageError
from route53_takeover.core.plan.jets.app import SETTLE, derive, with_extra

if TYPE_CHECKING:
    from collections.abc import Mapping

    from route53_takeover.cli.takeover_options import Takeover
    from route53_takeover.core.plan.jets.app import JetsDeploy
    from route53_takeover.core.plan.model import JetsApp, Options


def options_of(given: Takeover, app: Path) -> Options:
    """The options, with those that the app in this folder and the environment stand for.

    Raises:
        UsageError: it is no app that is known, its stack is not certain, or an option contradicts.
    """
    if given.no_deploy or given.deploy or given.deploy_off or given.deploy_on:
        raise UsageError(
            "--jets stands for the deploy command: it contradicts --deploy, --deploy-off, "
            "--deploy-on and --no-deploy",
            "Leave one out.",
        )
    derived = _derived(app.absolute(), given.stack)
    plain = replace(
        given,
        jets=None,
        stack=derived.stack,
        deploy=derived.command,
        settle=SETTLE if given.settle is None else given.settle,
        deploy_timeout=derived.timeout if given.deploy_timeout is None else given.deploy_timeout,
    )
    return structs.replace(plain.options(), jets=derived.app)


def refuse_changed(options: Options, app: JetsApp) -> None:
    """Refuses an app that no longer comes to the options that were planned.

    Raises:
        RefusedError: its files, or JETS_ENV and the like, have changed.
        UsageError: it is no app that is known any more.
    """
    derived = _derived(Path(app.folder), options.stack)
    if (derived.app, derived.command) != (app, options.deploy_on):
        raise RefusedError(
            f"changed since the plan: the Jets app {app.folder}, or the environment that it reads "
            f"(JETS_ENV, JETS_EXTRA); its deploy command is {derived.command}",
            "Make a new plan with `plan --out` and review it.",
        )


def second_environment(app: Path, extra: str) -> JetsDeploy:
    """What deploys the app a second time (``JETS_EXTRA``), and the stack that this makes.

    Raises:
        UsageError: it is no app that is known, or its stack is not certain.
    """
    return _derived(app.absolute(), None, extra)


def _derived(folder: Path, stack: str | None, extra: str | None = None) -> JetsDeploy:
    """What the app stands for, if Jets would read its files and no other app's."""
    read = reader(folder)
    root = os.environ.get("JETS_ROOT")
    if root and (folder / root).resolve() != folder.resolve():
        raise UsageError(
            f"JETS_ROOT is {root}: Jets would read the app there, not the one in {folder}",
            "Unset JETS_ROOT, or give its folder with --jets DIR.",
        )
    environment: Mapping[str, str] = os.environ
    if extra is not None:
        environment = with_extra(str(folder), read, os.environ, extra)
    return derive(str(folder), read, environment, stack=stack)
