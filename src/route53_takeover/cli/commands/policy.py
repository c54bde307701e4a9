"""``policy``: what the program may call for one plan or measurement, as an IAM policy on stdout.

It reads what `plan` reads, on a connection that can only read. A plan that is refused has no
policy: what would have to change first may change it.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.base.errors import ExitCode
from route53_takeover.base.stdio import write_lines
from route53_takeover.base.threads import in_thread
from route53_takeover.cli.bootstrap import check_refusals, opened, read, who_am_i
from route53_takeover.cli.interrupts import in_loop
from route53_takeover.cli.live_measurement import zone_to_measure_in
from route53_takeover.core.measuring.iam_policy import MeasuredZone, measuring_policy
from route53_takeover.core.plan.cloud_deadman import template
from route53_takeover.core.plan.iam_policy import (
    MANAGED_SIZE,
    ROLE_SIZE,
    Reach,
    only_create,
    policy_for,
    sids,
)
from route53_takeover.core.plan.measured import RecordKind
from route53_takeover.core.plan.planner import make_plan, wanted_records
from route53_takeover.output import text_lines
from route53_takeover.runtime.ownership_lookup import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from route53_takeover.cli.bootstrap import OpenAccount
    from route53_takeover.cli.options import CommonOptions, ConnectionOptions
    from route53_takeover.cli.policy_options import MeasurementPolicy
    from route53_takeover.cli.takeover_options import Takeover
    from route53_takeover.core.plan.facts import Facts
    from route53_takeover.core.plan.iam_policy import Policy
    from route53_takeover.core.plan.model import Options, Plan
    from route53_takeover.storage.config import Common, Connection


def policy(
    takeover: Takeover,
    connection: ConnectionOptions,
    common: CommonOptions,
    *,
    deadman_template: bool = False,
) -> ExitCode:
    """Prints the least-privilege IAM policy for this plan; writes nothing.

    Args:
        deadman_template: prints the template of the deadman in AWS instead.
    """
    options, reached = takeover.options(), connection.connection()
    work = _policy(common.common(), reached, options, deadman_template=deadman_template)
    return in_loop(work)


def live_policy(
    asked: MeasurementPolicy, zone: str, connection: ConnectionOptions, common: CommonOptions
) -> ExitCode:
    """Prints the least-privilege IAM policy for `rehearse --live`; writes nothing."""
    kinds = [RecordKind(each) for each in asked.kinds.split(",")]
    work = _live_policy(
        common.common(), connection.connection(), zone, kinds, protections=asked.protections
    )
    return in_loop(work)


async def _live_policy(
    common: Common,
    connection: Connection,
    asked: str,
    kinds: Sequence[RecordKind],
    *,
    protections: bool,
) -> ExitCode:
    identity = await in_thread(lambda: who_am_i(connection))
    async with opened(connection, SystemClock()) as account:
        zone = await zone_to_measure_in(account, asked)
        where = MeasuredZone(
            partition=account.partition,
            region=account.region,
            account=identity.account,
            zone_id=zone.zone_id,
            name=zone.name,
        )
    found = measuring_policy(where, kinds, protections=protections)
    _tell_credentials(common, connection, found)
    text_lines.talk(
        common,
        "for every run of `rehearse --live` in this zone and region, and for its `restore`; "
        "CloudFormation creates the throw-away records with the same credentials",
    )
    _print(common, found.document)
    return ExitCode.DONE


async def _policy(
    common: Common, connection: Connection, options: Options, *, deadman_template: bool
) -> ExitCode:
    clock = SystemClock()
    identity = await in_thread(lambda: who_am_i(connection))
    async with opened(
        connection,
        clock,
        previews=options.preview is not None,
        tell=lambda text: text_lines.talk(common, text),
    ) as account:
        facts = await read(
            account, clock, connection, options, identity, state_dir=common.state_dir
        )
        made = make_plan(facts, options)
        check_refusals(made)
        reach = await _reach(account, facts, options)
    if deadman_template and not made.manuals:
        owner = made.root.stack_name
        text_lines.talk(
            common,
            f"nothing to do: stack {owner} owns it already; no deadman is needed",
            always=True,
        )
        return ExitCode.DONE
    if deadman_template:
        _print(common, template(made, only_create(made), reach.partition))
        return ExitCode.DONE
    found = policy_for(made, reach)
    _tell(common, connection, made, found)
    _print(common, found.document)
    return ExitCode.DONE


def _print(common: Common, document: Mapping[str, Any]) -> None:
    text = json.dumps(document, indent=None if common.as_json else 2)
    write_lines(text.splitlines(), sys.stdout)


async def _reach(account: OpenAccount, facts: Facts, options: Options) -> Reach:
    """What the plan was made from, by name: zones that could hold it, stacks that count."""
    names = list(dict.fromkeys(name for name, _ in wanted_records(facts, options)))
    zones = [zone.zone_id for name in names for zone in await account.records.zones(name)]
    tree = await Tree.read(account.stacks, facts.stack)
    return Reach(
        partition=account.partition,
        region=account.region,
        zones=tuple(zones),
        nested=tuple(tree.stack_ids[1:]),
        owners=tuple(sorted(account.inventory.templates)),
        exports=account.calls["cloudformation:ListExports"] > 0,
    )


def _tell(common: Common, connection: Connection, made: Plan, found: Policy) -> None:
    if not made.manuals:
        text_lines.talk(
            common,
            f"nothing to do: stack {made.root.stack_name} owns it already; this policy only reads",
        )
    _tell_credentials(common, connection, found)
    if found.size > MANAGED_SIZE:
        text_lines.talk(
            common,
            f"warning: {found.size} characters without white space; a managed policy may have "
            f"{MANAGED_SIZE}, the inline policies of a role {ROLE_SIZE} together: take fewer names "
            "over at a time",
            always=True,
        )
    text_lines.talk(
        common,
        "your deploy command needs its own permissions as before, CloudFormation's for the record "
        "included; sts:GetCallerIdentity, which is called too, needs none",
    )


def _tell_credentials(common: Common, connection: Connection, found: Policy) -> None:
    if connection.dns_profile:
        text_lines.talk(
            common,
            f"for the credentials of --dns-profile {connection.dns_profile}: {sids(found.zone)}; "
            f"for those of the stack: {sids(found.stacks)}",
            always=True,
        )
