"""Which options were given, and where: on the command line, by a variable, or in takeover.toml.

Flags win over the environment, and that over the file. Imports only typer, like
`route53_takeover.cli.app`.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer

from route53_takeover.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from typer._click.core import Context, Parameter
    from typer.core import TyperGroup

    from route53_takeover.storage.config import ConfigFile
    from route53_takeover.storage.config_file import ConfigText

PROGRAM = "route53-takeover"
PREFIX = "ROUTE53_TAKEOVER_"
"""Begins the variable of each option."""
VARIABLE = "_ROUTE53_TAKEOVER_COMPLETE"
"""Set by a shell that asks for what can follow on a line."""
_NOT_IN_CONFIG = frozenset(
    {
        *("config", "help", "list_", "version", "dry_run", "force", "out", "plan_file"),
        *("delete", "delete_command", "policy", "write_config", "deadman_template"),
        *("file", "tool", "yes", "prune", "older_than", "live", "yes_create"),
    }
)
"""Options that belong to one call, or do nothing in a file."""
_OF_EVERY_RUN = frozenset({"on_event", "notify"})
_OF_THE_PLAN_ALONE = frozenset(
    {"out", "write_config", "output", "config", "verbose", "quiet", "log_level", "version"}
)

_OF_THE_STACK_ALONE = _OF_THE_PLAN_ALONE | {"stack", "state_dir"}


class Given:
    """What is known of this command line so far; `main` starts it anew."""

    output: str | None = None
    """``--output``, once it is known: errors are printed in its form."""

    context: typer.Context | None = None
    """The command's, once its options are read."""

    config: tuple[typer.Context, Path] | None = None
    """The file that has been read for options, and the command that may have got some from it."""

    file: ConfigText | None = None
    """The text of that file."""


def read_config_file(ctx: typer.Context, value: Path | None) -> Path | None:
    """Makes takeover.toml's values the options' defaults; flags and environment win."""
    from route53_takeover.storage.config_file import (
        CONFIG_FILE,
        SWITCH_TABLE,
        check_config,
        check_endpoint,
        read_config,
    )

    Given.context = ctx
    path = value or Path(CONFIG_FILE)
    file = read_config(path, required=value is not None)
    commands = getattr(ctx.find_root().command, "commands", {})
    others = [command for name, command in commands.items() if name != SWITCH_TABLE]
    switch = _kinds([commands[SWITCH_TABLE]] if SWITCH_TABLE in commands else [])
    of_switch = check_config(file, switch, table=SWITCH_TABLE)
    loaded = check_config(file, _kinds(others))
    if ctx.command.name == SWITCH_TABLE:
        of_takeover = _kinds([commands["run"]]).keys() - _kinds([commands["restore"]]).keys()
        of_takeover -= _OF_EVERY_RUN
        loaded = {k: v for k, v in loaded.items() if k not in of_takeover} | of_switch
    if value is None:
        check_endpoint(path, loaded)
    Given.output = str(loaded.get("output", ""))
    Given.config = (ctx, path.absolute()) if loaded else None
    Given.file = file
    ctx.default_map = {**(ctx.default_map or {}), **loaded}
    return value


def source_of(ctx: Context, name: str) -> str:
    """Where an option's value is from: a variable, or a line of takeover.toml.

    Empty where it is from the command line, or not given at all.
    """
    from route53_takeover.storage.config_file import SWITCH_TABLE

    source = ctx.get_parameter_source(name)
    if source is None:
        return ""
    if source.name == "ENVIRONMENT":
        return next(str(one.envvar) for one in ctx.command.params if one.name == name)
    if source.name != "DEFAULT_MAP" or Given.file is None:
        return ""
    table = SWITCH_TABLE if ctx.command.name == SWITCH_TABLE else ""
    in_table = Given.file.line_of(name, table) is not None
    return Given.file.place(name, table if in_table else "")


def sources_in(text: str) -> str:
    """Where the options that a text names are from, if not from the command line; as a sentence."""
    if (ctx := Given.context) is None:
        return ""
    words = {word.strip(".,:;`'()") for word in text.split()}
    told = [
        f"{next(iter(words.intersection(one.opts)))} is from {source}"
        for one in ctx.command.params
        if words.intersection(one.opts) and (source := source_of(ctx, one.name or ""))
    ]
    return f"{'; '.join(told)}." if told else ""


def _kinds(commands: Iterable[Any]) -> dict[str, str]:
    """The kind of value of each option of these commands that a file may have."""
    return {
        str(one.name): "flag" if one.is_flag else "list" if one.multiple else "value"
        for command in commands
        for one in command.params
        if is_in_config(one)
    }


def is_in_config(param: Parameter) -> bool:
    """Whether it is an option that takeover.toml may have."""
    return param.param_type_name == "option" and param.name not in _NOT_IN_CONFIG


def config_file(takeover: Iterable[str]) -> ConfigFile | None:
    """The file that options of this command came from.

    ``takeover``: the options of a takeover, which do not count where ``--plan`` has them.
    """
    from route53_takeover.storage.config import ConfigFile

    if Given.config is None:
        return None
    ctx, path = Given.config
    planned = ctx.params.get("plan_file") is not None
    words = _words(ctx, "DEFAULT_MAP", but=frozenset(takeover) if planned else ())
    return ConfigFile(path=str(path), options=shlex.join(words)) if words else None


def run_line(ctx: typer.Context) -> str:
    """The `run` line of a plan: all that was given, be it by flag, variable or file.

    Where the plan is saved, that file stands for all but the state folder. Unattended, unless the
    release has to be confirmed.
    """
    given = _words(ctx, "COMMANDLINE", "ENVIRONMENT", "DEFAULT_MAP", but=_OF_THE_PLAN_ALONE)
    if (out := ctx.params.get("out")) is not None:
        state = ctx.params.get("state_dir")
        given = ["--plan", str(out), *([] if state is None else ["--state-dir", str(state)])]
    auto = [] if ctx.params.get("confirm_release") else ["--auto"]
    return shlex.join([PROGRAM, "run", *given, *auto])


def switch_line(ctx: typer.Context) -> str:
    """The line that carries out what ``switch --dry-run`` has shown, unattended."""
    left_out = _OF_THE_PLAN_ALONE | {"dry_run", "policy", "auto"}
    given = _words(ctx, "COMMANDLINE", "ENVIRONMENT", "DEFAULT_MAP", but=left_out)
    return shlex.join([PROGRAM, "switch", *given, "--auto"])


def is_given_for_this(name: str) -> bool:
    """Whether an option that alerts people is meant for this command, wherever it was given.

    A rehearsal alerts no one who has not been named for it, so that only its own command line
    counts. `resume` shows no plan to agree to, so that a file in the current folder does not.
    """
    ctx = Given.context
    source = None if ctx is None else ctx.get_parameter_source(name)
    where = "" if source is None else source.name
    if ctx is None or ctx.command.name == "rehearse" or ctx.params.get("dry_run"):
        return where == "COMMANDLINE"
    return where in ("COMMANDLINE", "ENVIRONMENT") or (
        where == "DEFAULT_MAP" and ctx.command.name != "resume"
    )


def is_ambient(name: str) -> bool:
    """Whether an option's value, if it has one, is from neither this line nor takeover.toml."""
    source = None if Given.context is None else Given.context.get_parameter_source(name)
    return source is None or source.name not in ("COMMANDLINE", "DEFAULT_MAP")


def refuse_beside_plan(ctx: typer.Context, takeover: Iterable[str]) -> None:
    """Refuses options of a takeover on the command line: ``--plan`` has them.

    Variables and takeover.toml are for other plans too, and do not count.

    Raises:
        UsageError: there are some.
    """
    names = set(takeover)
    others = {one.name or "" for one in ctx.command.params} - names
    if words := [w for w in _words(ctx, "COMMANDLINE", but=others) if w.startswith("--")]:
        raise UsageError(
            f"--plan contains the options of the takeover: it contradicts {', '.join(words)}",
            "Leave them out, or make a new plan with them.",
        )


def refuse_beside_live(ctx: typer.Context, *, live: bool) -> None:
    """Refuses options on the command line that a measurement, or a rehearsal, has no use for.

    Args:
        live: whether it is a measurement.

    Raises:
        UsageError: there are some.
    """
    unused = _OF_A_RUN if live else _OF_LIVE
    others = {one.name or "" for one in ctx.command.params} - unused
    if words := [w for w in _words(ctx, "COMMANDLINE", but=others) if w.startswith("--")]:
        who = "a measurement" if live else "a rehearsal in a simulated account"
        raise UsageError(
            f"{who} does not use {', '.join(words)}",
            "Leave them out." if live else "Leave them out, or add --live.",
        )


def refuse_beside_live_policy(ctx: typer.Context, takeover: Iterable[str]) -> None:
    """Refuses options on the command line that are not of a measurement's policy.

    Raises:
        UsageError: there are some.
    """
    unused = {*takeover, "deadman_template"} - {"zone"}
    others = {one.name or "" for one in ctx.command.params} - unused
    if words := [w for w in _words(ctx, "COMMANDLINE", but=others) if w.startswith("--")]:
        raise UsageError(
            f"the policy of `rehearse --live` does not use {', '.join(words)}", "Leave them out."
        )


_OF_A_RUN = frozenset({"on_event", "notify"})
_OF_LIVE = frozenset(
    {
        *("zone", "kinds", "protections", "yes_create"),
        *("profile", "region", "endpoint_url", "dns_profile", "name_server"),
    }
)


def root_of(ctx: Context) -> TyperGroup:
    """The program with its commands."""
    return cast("TyperGroup", ctx.find_root().command)


def given_values(ctx: Context) -> dict[str, Any]:
    """The options of a plan that were given by flag, variable or file, by their names in code."""
    sources = {one.name: ctx.get_parameter_source(one.name or "") for one in ctx.command.params}
    return {
        name: ctx.params[name]
        for name, source in sources.items()
        if name is not None
        and source is not None
        and source.name in ("COMMANDLINE", "ENVIRONMENT", "DEFAULT_MAP")
        and name not in _OF_THE_PLAN_ALONE
    }


def account_words(ctx: typer.Context) -> list[str]:
    """The options of this command that reach the account, for the line of another command."""
    return _words(ctx, "COMMANDLINE", "ENVIRONMENT", "DEFAULT_MAP", but=_OF_THE_STACK_ALONE)


def _words(ctx: typer.Context, *sources: str, but: Collection[str] = ()) -> list[str]:
    """The options of a command line that mean the same.

    Args:
        sources: where those have come from that count, as the command line library calls it.
        but: options to leave out.
    """
    words: list[str] = []
    for one in ctx.command.params:
        name = one.name or ""
        source = ctx.get_parameter_source(name)
        if source is None or source.name not in sources or name in but:
            continue
        flag = next(word for word in one.opts if word.startswith("--"))
        value = ctx.params[name]
        if value is True:
            words.append(flag)
        elif value is False and one.secondary_opts:
            words.append(one.secondary_opts[0])
        elif value is not False:
            for item in value if isinstance(value, list | tuple) else [value]:
                words += [flag, f"{item:g}" if isinstance(item, float) else str(item)]
    return words
