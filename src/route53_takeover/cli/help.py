"""``--help``: options and commands in panels, with defaults, examples and exit codes.

Plain text as wide as the terminal. Rich, which typer would use, costs a quarter of a second. Which
panel an option is in stands where it is declared; one without a panel is in the first.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from route53_takeover.cli.given_options import PREFIX
from route53_takeover.cli.help_texts import EXAMPLES, EXIT_CODES, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typer._click.core import Command as AnyCommand
    from typer._click.core import Context, Parameter
    from typer._click.formatting import HelpFormatter

    Rows = list[tuple[str, str]]

WIDEST = 110
"""Columns: longer lines are hard to read."""


class Panel(StrEnum):
    """The panels of the options of a command, in their order."""

    COMMAND = "Options"
    TARGET = "What to take over"
    SITE = "What to switch"
    DEPLOY = "Deploy"
    STRATEGY = "Strategy and TTLs"
    RELEASE = "Release, gap and restore"
    CHECKS = "Checks and way back"
    ACCOUNT = "AWS account and name servers"
    ALERTS = "Alerts"
    COMMON = "Output and files"


class Commands(StrEnum):
    """The panels of the commands, in their order."""

    START = "Start here"
    TAKEOVER = "Take over a record"
    SWITCH = "Switch a live site to another stack"
    RUNS = "Look at a run, resume it, put records back"
    OTHER = "Other commands"


class Command(TyperCommand):
    """A command whose help has panels."""

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Writes usage, examples, panels, settings and exit codes."""
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        _write_examples(formatter, EXAMPLES.get(self.name or "", ()))
        _write_panels(formatter, {"Arguments": _argument_rows(self)} | _option_rows(self, ctx))
        if any(param.envvar for param in self.params):
            formatter.write_paragraph()
            formatter.write_text(SETTINGS)
        _write_exit_codes(formatter, EXIT_CODES.get(self.name or "", {}))

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        """``[OPTIONS] RUN``, as the arguments are called in the help."""
        return ["[OPTIONS]", *(_argument(each) for each in self.get_params(ctx) if _is_said(each))]


class Program(TyperGroup):
    """The program, whose help has the commands in panels, each in full."""

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Writes usage, examples, commands, options and exit codes."""
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        _write_examples(formatter, EXAMPLES[""])
        by_panel: dict[str, Rows] = {str(panel): [] for panel in Commands}
        for name, command in self.commands.items():
            panel = getattr(command, "rich_help_panel", None)
            if not command.hidden:
                rows = by_panel[panel if panel in by_panel else Commands.OTHER]
                rows.append((name, command.help or ""))
        _write_panels(formatter, by_panel)
        _write_panels(formatter, _option_rows(self, ctx))
        _write_exit_codes(formatter, EXIT_CODES[""])


def _is_said(param: Parameter) -> bool:
    return isinstance(param, TyperArgument) and not param.hidden


def _argument(param: Parameter) -> str:
    name = str(param.metavar or param.name).strip("[]")
    return name if param.required else f"[{name}]"


def _argument_rows(command: AnyCommand) -> Rows:
    return [(_argument(param), _help_of(param)) for param in command.params if _is_said(param)]


def _option_rows(command: AnyCommand, ctx: Context) -> dict[str, Rows]:
    by_panel: dict[str, Rows] = {str(panel): [] for panel in Panel}
    for param in command.get_params(ctx):
        if not isinstance(param, TyperOption) or param.hidden:
            continue
        if "--help" in param.opts:
            by_panel[Panel.COMMON].append((_names(param, ctx), "Show this help and exit."))
            continue
        panel = param.rich_help_panel
        rows = by_panel[panel if panel in by_panel else Panel.COMMAND]
        rows.append((_names(param, ctx), _help_of(param)))
    return by_panel


def _names(param: TyperOption, ctx: Context) -> str:
    flags = ", ".join(sorted(param.opts, key=len))
    flags = "/".join([flags, *param.secondary_opts])
    if param.is_flag:
        return f"{flags} {param.metavar or ''}".rstrip()
    return f"{flags} {param.make_metavar(ctx).removeprefix('<').removesuffix('>')}"


def _help_of(param: Parameter) -> str:
    told = [getattr(param, "help", None) or ""]
    if default := default_of(param):
        told.append(f"[default: {default}]")
    if param.required and isinstance(param, TyperOption):
        told.append("[required]")
    if (variable := unusual_variable(param)) is not None:
        told.append(f"[variable: {variable}]")
    return " ".join(told)


def default_of(param: Parameter) -> str:
    """The default, as it would be given on the command line; empty where there is none."""
    shown = getattr(param, "show_default", None)
    if isinstance(shown, str):
        return shown
    default = param.default
    if default is None or default is False or default in ((), []):
        return ""
    if param.metavar == "DURATION" and isinstance(default, float):
        return duration_text(default)
    return str(default)


def duration_text(seconds: float) -> str:
    """A duration as an option takes it: ``90s``, ``5m``, ``2h``."""
    for length, unit in ((3600, "h"), (60, "m")):
        if seconds and seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s"


def unusual_variable(param: Parameter) -> str | None:
    """The option's variable, where its name does not follow from the option's."""
    if not isinstance(param, TyperOption) or not param.envvar:
        return None
    usual = {PREFIX + flag.removeprefix("--").replace("-", "_").upper() for flag in param.opts}
    return None if param.envvar in usual else str(param.envvar)


def _write_panels(formatter: HelpFormatter, panels: Mapping[str, Rows]) -> None:
    """Writes the panels that have rows, their second columns below each other."""
    names = [len(name) for rows in panels.values() for name, _ in rows]
    column = max((each for each in names if each <= _COLUMN), default=0)
    for title, rows in panels.items():
        if rows:
            with formatter.section(title):
                formatter.write_dl([(n.ljust(column), told) for n, told in rows], col_max=column)


_COLUMN = 27


def _write_examples(formatter: HelpFormatter, examples: Sequence[str]) -> None:
    if examples:
        with formatter.section("Examples" if len(examples) > 1 else "Example"):
            for line in "\n".join(examples).splitlines():  # to be copied: never wrapped
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")


def _write_exit_codes(formatter: HelpFormatter, codes: Mapping[int, str]) -> None:
    if codes:
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in codes.items()])
