"""Lets a command take its options in groups: dataclasses whose fields are options.

typer reads one parameter for each option from a function's signature. A command that is `grouped`
has such a signature, and is called with the groups.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from route53_takeover.base.errors import ExitCode

_hints = cache(lambda annotated: get_type_hints(annotated, include_extras=True))


def grouped(command: Callable[..., ExitCode]) -> Callable[..., None]:
    """The same command for typer: one parameter for each option, the required ones first.

    It ends with the exit code that the command returns.
    """
    groups: dict[str, type] = {}
    spread: dict[str, Parameter] = {}
    for name, parameter in signature(command).parameters.items():
        kind = _hints(command)[name]
        if is_dataclass(kind) and isinstance(kind, type):
            groups[name] = kind
            spread |= _parameters(kind)
        else:
            spread[name] = parameter.replace(annotation=kind, kind=Parameter.KEYWORD_ONLY)

    def flat(**given: Any) -> None:  # noqa: ANN401 -- whatever the options are
        for name, kind in groups.items():
            given[name] = kind(**{field.name: given.pop(field.name) for field in fields(kind)})
        raise typer.Exit(command(**given))

    parameters = sorted(spread.values(), key=lambda one: one.default is not Parameter.empty)
    flat.__name__, flat.__doc__ = command.__name__, command.__doc__
    flat.__annotations__ = {one.name: one.annotation for one in parameters}
    flat.__dict__["__signature__"] = Signature(parameters)
    return flat


@cache
def _parameters(group: type) -> Mapping[str, Parameter]:
    hints = _hints(group)
    return {
        name: Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            annotation=hints[name],
            default=getattr(group, name, Parameter.empty),
        )
        for name in (field.name for field in fields(group))
    }
