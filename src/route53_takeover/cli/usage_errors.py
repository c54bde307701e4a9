"""A command line that cannot be read: what is wrong, where it was said, and what was meant.

typer finds the errors; here they are put into the words and the form of all others.
"""

from __future__ import annotations

import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING

from typer._click import exceptions as typers

from route53_takeover.base.errors import UsageError
from route53_takeover.cli.given_options import source_of, sources_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typer._click.core import Command, Context, Parameter

    from route53_takeover.base.errors import TakeoverError


def usage_error_of(error: typers.UsageError) -> UsageError:
    """The error that typer raised because of the command line."""
    message = _lower(error.format_message().rstrip("."))
    hints: list[str] = []
    match error:
        case typers.NoSuchOption(option_name=option, ctx=ctx):
            message = f"no such option: {option}"
            hints.append("" if ctx is None else _meant_option(ctx, option))
        case typers.MissingParameter():
            pass
        case typers.BadParameter(param=param, ctx=ctx) if param is not None:
            name = "/".join(param.opts) if param.param_type_name == "option" else param.metavar
            message = f"invalid value for {name}: {error.message}"
            if ctx is not None and (source := source_of(ctx, param.name or "")):
                message = f"{source}: {message}"
            hints.append(_meant_choice(param, error.message))
        case _:
            message, _, meant = message.partition(". Did you mean ")
            if message == "no such command 'help'":
                meant = "--help?"
            hints.append(f"Did you mean {meant}" if meant else "")
    if error.ctx is not None:
        hints.append(f"See `{error.ctx.command_path} --help`.")
    return UsageError(message, " ".join(filter(None, hints)))


def show_help(error: typers.NoArgsIsHelpError) -> None:
    """Prints the help for a line without a command."""
    sys.stderr.write(f"{error.format_message()}\n")


def add_sources(error: TakeoverError) -> None:
    """Adds to an error where the options that it names were set, if not on this line."""
    told = sources_in(f"{error.message} {error.hint}")
    error.hint = " ".join(filter(None, [error.hint, told]))


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _meant_option(ctx: Context, option: str) -> str:
    commands: dict[str, Command] = getattr(ctx.find_root().command, "commands", {})
    having = [f"`{name}`" for name, command in commands.items() if option in _flags(command)]
    if having:
        return f"{option} is an option of {' and '.join(having)}."
    known = _flags(ctx.command)
    near = get_close_matches(option, known, n=2, cutoff=_LIKE)
    near += [flag for flag in known if len(option) > _SHORT and flag.startswith(option)]
    return f"Did you mean {' or '.join(dict.fromkeys(near))}?" if near else ""


def _flags(command: Command) -> list[str]:
    flags = [flag for param in command.params for flag in (*param.opts, *param.secondary_opts)]
    return [flag for flag in flags if flag.startswith("--")]


def _meant_choice(param: Parameter, message: str) -> str:
    choices: Iterable[object] = getattr(param.type, "choices", ())
    given = message.partition("'")[2].partition("'")[0]
    near = get_close_matches(given, [str(one) for one in choices], n=1)
    return f"Did you mean {near[0]}?" if given and near else ""


_LIKE = 0.7
"""Similarity from which on an option counts as a misspelling of another (`difflib`'s ratio)."""
_SHORT = 4
"""Characters of an option (``--re``) that are too few to say what it is the beginning of."""
