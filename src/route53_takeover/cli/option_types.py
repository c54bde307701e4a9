"""What options may say: the words that one accepts, and how a value is read and checked.

Imports only typer, like `route53_takeover.cli.app`.
"""

from __future__ import annotations

from enum import StrEnum

import typer

from route53_takeover import __version__
from route53_takeover.base.errors import UsageError
from route53_takeover.cli.given_options import PROGRAM


class Output(StrEnum):
    """What stdout carries."""

    TEXT = "text"
    JSON = "json"


class ReportOutput(StrEnum):
    """What the stdout of `report` carries."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


class LogLevel(StrEnum):
    """How much goes to takeover.log."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Strategy(StrEnum):
    """How the record changes hands: `route53_takeover.core.plan.model.Strategy`."""

    DELETE = "delete"
    ADOPT = "adopt"
    BRIDGE = "bridge"
    WEIGHTED = "weighted"
    AUTO = "auto"


class Tool(StrEnum):
    """What deploys the stack: `route53_takeover.core.plan.template_snippet.Tool`."""

    CDK = "cdk"
    SAM = "sam"
    CLOUDFORMATION = "cloudformation"
    JETS = "jets"


class OwnersIn(StrEnum):
    """Where other stacks are read for an owner: `route53_takeover.core.plan.model.OwnerCheck`."""

    FULL = "full"
    REGION = "region"
    NONE = "none"


def duration(value: str | float) -> float:
    from route53_takeover.storage.config import seconds

    if isinstance(value, int | float):  # a number in takeover.toml, or a default
        if not 0 <= value < float("inf"):
            raise typer.BadParameter(f"{value} is not a duration. Use seconds, or 90s, 5m, 1h.")
        return float(value)
    try:
        return seconds(value)
    except UsageError as error:
        raise typer.BadParameter(f"{error.message}. {error.hint}") from error


def age(value: str | float) -> float:
    """A duration, or days: ``30d``."""
    text = str(value).strip().lower()
    days = text.removesuffix("d")
    if days != text and days.isdecimal() and len(days) < _DIGITS:
        return float(days) * 86400.0
    return duration(value)


def weights(value: str) -> str:
    """Percent, growing, such as ``10,50,100``."""
    told = value.split(",")
    shares = [int(each) for each in told if each.strip().isdecimal() and len(each) < _DIGITS]
    if (
        len(shares) != len(told)
        or sorted(set(shares)) != shares
        or not 0 < shares[0] <= shares[-1] == _ALL
    ):
        raise typer.BadParameter(
            f"{value!r} is not a list of growing percentages that ends with 100, like 10,50,100"
        )
    return value


_ALL = 100
_DIGITS = 20


def ttl(value: str | float) -> str:
    """A TTL as text, such as ``60`` for ``1m``, or ``keep``."""
    if value == "keep":
        return value
    if (seconds := _whole_seconds(value)) is None:
        raise typer.BadParameter(
            f"{str(value)!r} is neither a number of seconds nor keep. Use 60, 90s, 5m, 1h or keep."
        )
    return str(seconds)


def negative_ttl(value: str | float) -> int:
    if (seconds := _whole_seconds(value)) is None:
        raise typer.BadParameter(f"{str(value)!r} is not a number of seconds. Use 60, 90s, 5m, 1h.")
    return seconds


def _whole_seconds(value: str | float) -> int | None:
    try:
        length = duration(value)
    except typer.BadParameter:
        return None
    return int(length) if 0 <= length < _TTLS and length.is_integer() else None


_TTLS = 2**31
"""RFC 2181: a TTL has 31 bits."""


def record(value: str) -> str:
    from route53_takeover.core.domain.names import canonical_record

    try:
        return canonical_record(value)
    except UsageError as error:
        raise typer.BadParameter(f"{error.message}. {error.hint}") from error


def zone(value: str) -> str:
    from route53_takeover.core.domain.names import canonical_zone

    try:
        return canonical_zone(value)
    except UsageError as error:
        raise typer.BadParameter(f"{error.message}. {error.hint}") from error


def kinds(value: str) -> str:
    """Kinds of records, with commas: `route53_takeover.core.plan.measured.RecordKind`."""
    told = value.lower().replace(" ", "").split(",")
    if not set(told) <= {*_KINDS} or len(set(told)) != len(told):
        raise typer.BadParameter(f"{value!r} is not a list of {', '.join(_KINDS)}, each once")
    return ",".join(told)


_KINDS = ("alias", "a", "cname", "txt", "ns")


def role(value: str) -> str:
    from route53_takeover.core.plan.cloud_deadman import DeadmanRole

    try:
        return DeadmanRole.parse(value).arn
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def parameter(value: str) -> str:
    name, equals, _ = value.partition("=")
    if not (equals and name.isalnum()):
        raise typer.BadParameter(f"{value!r} is not KEY=VALUE")
    return value


def name_server(value: str) -> str:
    from route53_takeover.adapters.dns import parse_name_server

    try:
        parse_name_server(value)
    except UsageError as error:
        raise typer.BadParameter(f"{error.message}. {error.hint}") from error
    return value


def not_empty(value: str | None) -> str | None:
    if value is not None and not value.strip():
        raise typer.BadParameter("the value is empty")
    return value


def install_completion(value: bool) -> None:
    if value:
        from route53_takeover.cli.completion_scripts import install_asked

        install_asked()


def show_completion(value: bool) -> None:
    if value:
        from route53_takeover.cli.completion_scripts import show_asked

        show_asked()


def version(value: bool) -> None:
    if value:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit
