"""Which tool deploys the stack of a folder, and its usual deploy command."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from route53_takeover.core.plan.template_snippet import Tool

if TYPE_CHECKING:
    from pathlib import Path

_TEMPLATES = ("template.yaml", "template.yml", "site.yml", "template.json")
_HEAD = 20_000
"""Characters of a template in which ``Transform`` is looked for."""


def detect(folder: Path) -> Tool | None:
    """The tool that the files of a folder belong to; ``None`` where there are none."""
    if (folder / "cdk.json").is_file():
        return Tool.CDK
    if (folder / "config/jets").is_dir() or "jets" in _gems(folder):
        return Tool.JETS
    if (folder / "samconfig.toml").is_file():
        return Tool.SAM
    template = template_in(folder)
    if template is None:
        return None
    return Tool.SAM if "AWS::Serverless" in _read(template) else Tool.CLOUDFORMATION


def template_in(folder: Path) -> Path | None:
    """A template with one of the usual names."""
    return next((folder / name for name in _TEMPLATES if (folder / name).is_file()), None)


def deploy_command(tool: Tool, stack: str, template: Path | None) -> str | None:
    """The usual command; ``None`` where the app says it (``--jets``)."""
    name = shlex.quote(stack)
    match tool:
        case Tool.JETS:
            return None
        case Tool.CDK:
            return f"npx cdk deploy {name} --require-approval never"
        case Tool.SAM:
            return (
                f"sam deploy --stack-name {name} --no-confirm-changeset "
                "--no-fail-on-empty-changeset --parameter-overrides Route53Enable=$ROUTE53_ENABLE"
            )
        case Tool.CLOUDFORMATION:
            file = shlex.quote(template.name if template else "site.yml")
            return (
                f"aws cloudformation deploy --stack-name {name} --template-file {file} "
                "--no-fail-on-empty-changeset --parameter-overrides Route53Enable=$ROUTE53_ENABLE"
            )


def _gems(folder: Path) -> set[str]:
    lines = _read(folder / "Gemfile").replace("'", '"').splitlines()
    return {
        line.partition('"')[2].partition('"')[0]
        for line in lines
        if line.lstrip().startswith("gem ")
    }


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_HEAD)
    except OSError:
        return ""
