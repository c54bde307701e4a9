"""A template on disk with the nested ones beside it: plain, of ``cdk synth``, SAM or Jets.

A nested template is found by what its resource says: a local ``TemplateURL``, the CDK's asset
metadata, or the last part of a URL where a file of that name lies beside the template.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.base.errors import UsageError
from route53_takeover.core.domain.stacks import STACK
from route53_takeover.core.domain.template import (
    TemplateError,
    members_of,
    parse_template,
    resources_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_DEEPEST = 20
"""Nested stacks within each other, at most."""


class TemplateFile(Struct, frozen=True, kw_only=True):
    """A template file, and by logical id those of its nested stacks that were found."""

    path: str
    body: dict[str, Any]
    nested: dict[str, TemplateFile] = {}


def read_template_file(path: Path, depth: int = _DEEPEST) -> TemplateFile:
    """Reads a template and those nested in it.

    Raises:
        UsageError: it cannot be read, or is no template.
    """
    try:
        body = parse_template(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "Check --template.") from error
    except (TemplateError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}", "Check --template.") from error
    files = {
        logical_id: nested_path(path.parent, resource)
        for logical_id, resource in resources_of(body)
        if resource.get("Type") == STACK and depth
    }
    return TemplateFile(
        path=str(path),
        body=body,
        nested={
            logical_id: read_template_file(found, depth - 1)
            for logical_id, found in files.items()
            if found is not None and found.is_file()
        },
    )


def nested_path(folder: Path, resource: Mapping[str, Any]) -> Path | None:
    """Where the template of a nested stack would be; ``None`` where that is not told."""
    metadata = members_of(resource.get("Metadata"))
    asset = metadata.get("aws:asset:path")
    if metadata.get("aws:asset:property") == "TemplateURL" and isinstance(asset, str):
        return folder / asset
    text = _last_text(members_of(resource.get("Properties")).get("TemplateURL"))
    text = text.partition("?")[0]
    if "://" in text or text.startswith("/"):
        text = text.rpartition("/")[2]
    return folder / text if text else None


def template_url(resource: Mapping[str, Any]) -> str:
    """The ``TemplateURL`` of a nested stack, as messages name it."""
    url = resource.get("Properties")
    return _last_text(members_of(url).get("TemplateURL")) or "a URL that is not known"


def _last_text(node: object) -> str:
    """A URL, or the part of it that stands last in an intrinsic function."""
    match node:
        case str():
            return node
        case {"Fn::Sub": str(text)} | {"Fn::Sub": [str(text), *_]}:
            return "://" + text if "/" in text else ""
        case {"Fn::Join": [_, [*_, str(text)]]}:
            return "://" + text if "/" in text else ""
        case _:
            return ""
