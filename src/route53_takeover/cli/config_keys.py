"""takeover.toml as the options declare it: its keys, its JSON schema, and an annotated file.

A key is an option's name in code, with dashes: its long name, but for one option of `policy`. What
an option takes, means and defaults to stands only where it is declared.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from typer.core import TyperOption

from route53_takeover.cli.given_options import is_in_config
from route53_takeover.cli.help import Panel, default_of, duration_text
from route53_takeover.cli.help_texts import KEY_EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from typer._click.core import Command
    from typer.core import TyperGroup

    Value = str | int | float | bool | Sequence[str]

SCHEMA_FILE = "takeover.schema.json"
SWITCH = "switch"
_DURATION = r"^\s*(\d+(\.\d+)?\s*[smhSMH]?\s*)+$"
_LINE = 96


class Key(NamedTuple):
    """A key of takeover.toml, and the option that it stands for."""

    name: str
    option: TyperOption

    @property
    def panel(self) -> str:
        """The part of the help that the option is in."""
        return self.option.rich_help_panel or Panel.COMMAND

    def written(self, value: Value) -> str:
        """``key = value``, as TOML."""
        return f"{self.name} = {_toml(value, is_duration=_is_duration(self.option))}"

    def comment(self) -> list[str]:
        """What the key means, as lines of a comment."""
        default = default_of(self.option)
        told = f"{self.option.help} [default: {default}]" if default else str(self.option.help)
        return [f"# {line}" for line in textwrap.wrap(told, _LINE)]

    def schema(self) -> dict[str, Any]:
        """The key's part of the JSON schema."""
        told: dict[str, Any] = {"description": self.option.help or ""} | _kind(self.option)
        if default := default_of(self.option):
            told["description"] += f" Default: {default}."
        if self.option.envvar:
            told["description"] += f" Variable: {self.option.envvar}."
        return told


def keys_of(command: Command) -> list[Key]:
    """The keys that a command takes."""
    return [
        Key(str(param.name).replace("_", "-"), param)
        for param in command.params
        if isinstance(param, TyperOption) and is_in_config(param)
    ]


def all_keys(program: TyperGroup) -> tuple[dict[str, Key], dict[str, Key]]:
    """The keys at the top of the file, and those of the table of a switch."""
    top: dict[str, Key] = {}
    for name, command in program.commands.items():
        if name != SWITCH:
            top |= {key.name: key for key in keys_of(command) if key.name not in top}
    return top, {key.name: key for key in keys_of(program.commands[SWITCH])}


def schema(program: TyperGroup) -> dict[str, Any]:
    """The JSON schema of takeover.toml."""
    top, switch = ({n: key.schema() for n, key in keys.items()} for keys in all_keys(program))
    table = {
        "type": "object",
        "description": "The options of `switch`.",
        "properties": switch,
        "additionalProperties": False,
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "takeover.toml of route53-takeover",
        "description": "Keys are the long names of options. Flags and variables win over the file.",
        "type": "object",
        "properties": {**top, SWITCH: table},
        "additionalProperties": False,
    }


def schema_text(program: TyperGroup) -> str:
    """The same as the text of a file."""
    return json.dumps(schema(program), indent=1, ensure_ascii=False) + "\n"


def example_text(program: TyperGroup) -> str:
    """A file with every key, all of them commented out."""
    top, switch = all_keys(program)
    lines = [*annotated(top.values(), {}), "", f"[{SWITCH}]", *annotated(switch.values(), {})]
    return "\n".join(lines).lstrip("\n") + "\n"


def annotated(
    keys: Iterable[Key], values: Mapping[str, Value], *, but: Collection[str] = ()
) -> Iterator[str]:
    """The lines of a file with every key: those with a value set, the others commented out.

    Args:
        values: by the option's name in code.
        but: panels to leave out, where no key of theirs has a value.
    """
    order = [str(panel) for panel in Panel]
    panel = ""
    for key in sorted(keys, key=lambda key: order.index(key.panel)):
        value = values.get(str(key.option.name))
        if value is None and key.panel in but:
            continue
        if key.panel != panel:
            panel = key.panel
            yield from ("", f"# ---- {panel} ----")
        yield from ("", *key.comment())
        yield key.written(value) if value is not None else f"# {key.written(_example(key))}"


def _example(key: Key) -> Value:
    """The default, or what could be there."""
    if key.name in KEY_EXAMPLES:
        return KEY_EXAMPLES[key.name]
    default = key.option.default
    if key.option.is_flag:
        return True
    return default if isinstance(default, int | float) else default_of(key.option)


def _is_duration(option: TyperOption) -> bool:
    return (option.metavar or "").startswith("DURATION")


def _kind(option: TyperOption) -> dict[str, Any]:
    text = {"type": "string"}
    if option.is_flag:
        return {"type": "boolean"}
    if option.multiple:
        return {"anyOf": [text, {"type": "array", "items": text}]}
    if choices := getattr(option.type, "choices", None):
        return {"enum": [str(getattr(each, "value", each)) for each in choices]}
    number = {"type": "number", "minimum": 0}
    if option.metavar == "DURATION|keep":
        return {"anyOf": [number, text | {"pattern": _DURATION}, {"const": "keep"}]}
    if _is_duration(option):
        return {"anyOf": [number, text | {"pattern": _DURATION}]}
    if isinstance(option.default, int | float):
        whole = {"type": "integer" if isinstance(option.default, int) else "number"}
        least = getattr(option.type, "min", None)
        return whole if least is None else whole | {"minimum": least}
    return {"type": "number"} if option.type.name.startswith("float") else text


def _toml(value: Value, *, is_duration: bool) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f'"{duration_text(value)}"' if is_duration else f"{value:g}"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case Path():
            return _toml(str(value), is_duration=False)
        case _:
            return f"[{', '.join(_toml(each, is_duration=False) for each in value)}]"
