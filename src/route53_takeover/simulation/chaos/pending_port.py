"""The pending template of a rehearsal: the scenario's own, as ``--template`` would give it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from route53_takeover.core.domain.stacks import STACK
from route53_takeover.core.domain.template import members_of, resources_of
from route53_takeover.runtime.pending_template import PendingSource
from route53_takeover.storage.template_files import TemplateFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from route53_takeover.core.ports import ChangeSets, Clock, DeployExit, Stacks

TEMPLATE = "site.json"
"""What ``--template`` says in a virtual rehearsal."""
SWITCHED_ON = ("Route53Enable=true",)


def pending_source(template: Mapping[str, Any], stacks: Stacks, clock: Clock) -> PendingSource:
    """Reads the template of a scenario; nothing previews."""

    async def read_file(path: str) -> TemplateFile:
        return _file(path, template)

    async def run(command: str) -> DeployExit:
        raise NotImplementedError(command)

    return PendingSource(
        stacks=stacks,
        change_sets=cast("ChangeSets", None),
        clock=clock,
        read_file=read_file,
        run=run,
        tell=lambda _: None,
    )


def _file(path: str, body: Mapping[str, Any]) -> TemplateFile:
    nested = {
        logical_id: _file(f"{logical_id}.json", child)
        for logical_id, resource in resources_of(body)
        if resource.get("Type") == STACK
        and (
            child := members_of(members_of(resource.get("Metadata")).get("Simulation"))["Template"]
        )
    }
    return TemplateFile(path=path, body=dict(body), nested=nested)
