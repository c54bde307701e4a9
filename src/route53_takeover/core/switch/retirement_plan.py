"""The plan of a run that retires a stack alone: nothing is switched, what is live is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.switch.mapping_plan import mapping_swaps
from route53_takeover.core.switch.model import SwitchOptions, SwitchPlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from route53_takeover.core.domain.api_mappings import ApiMapping, CustomDomain
    from route53_takeover.core.domain.stacks import StackDescription


def retirement_plan(
    stack: StackDescription,
    live: Iterable[tuple[CustomDomain, Sequence[ApiMapping]]],
    *,
    account: str,
    region: str,
    command: str | None,
) -> SwitchPlan:
    """What is watched while a stack is deleted: where every custom domain leads now.

    Args:
        stack: which may be deleted, by the verdict on it.
        live: the custom domains of the region, and their mappings.
        command: the shell command that deletes the stack; ``None``: a DeleteStack does.
    """
    swaps = (swap for domain, found in live for swap in mapping_swaps(domain, found, None))
    return SwitchPlan(
        options=SwitchOptions(retire=stack.stack_id, retire_command=command, bake=0.0),
        account=account,
        region=region,
        site=stack.stack_name,
        swaps=tuple(swaps),
    )
