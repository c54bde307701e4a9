"""``init``: finds stack and record in the account, writes takeover.toml, prints the snippet.

It only reads from AWS. Questions and messages go to stderr, the snippet to stdout.
"""

from __future__ import annotations

import json
import sys
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.base.errors import ExitCode, RefusedError, UsageError
from route53_takeover.base.stdio import write_line, write_lines
from route53_takeover.base.threads import in_thread
from route53_takeover.cli.bootstrap import opened, who_am_i
from route53_takeover.cli.config_keys import SCHEMA_FILE
from route53_takeover.cli.config_writer import refuse_existing, write_config
from route53_takeover.cli.deploy_tools import deploy_command, detect, template_in
from route53_takeover.cli.given_options import is_ambient
from route53_takeover.cli.interrupts import in_loop
from route53_takeover.cli.questions import agrees, ask, choose
from route53_takeover.core.domain.names import canonical_record, display_name, requested
from route53_takeover.core.domain.record_sets import normal_name, normal_zone_id
from route53_takeover.core.plan.template_snippet import Tool, snippet
from route53_takeover.output import text_lines
from route53_takeover.runtime.similar_stacks import similar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typer.core import TyperGroup

    from route53_takeover.cli.bootstrap import OpenAccount
    from route53_takeover.cli.init_options import Init
    from route53_takeover.cli.options import AccountOptions, CommonOptions
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.ports import Zone
    from route53_takeover.storage.config import Common, Connection

_ALIKE = 0.6
_IN_ITS_OWN_ZONE = ("NS", "SOA")


class Found(NamedTuple):
    """What was found in the account: the stack's name, the records as ``--record`` takes them."""

    stack: str
    zone: Zone
    needs_zone: bool
    words: list[str]
    records: list[RecordSet]


def init(
    given: Init, account: AccountOptions, options: CommonOptions, program: TyperGroup
) -> ExitCode:
    """Writes takeover.toml."""
    common, connection = options.common(), account.connection()
    asks = not given.yes
    if asks and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "there is no terminal to ask questions on", "Give --stack, --record and --yes."
        )
    if not asks or not (given.file.exists() or given.file.is_symlink()):
        refuse_existing(given.file)
    elif not agrees(f"{given.file} exists. Write over it?"):
        raise UsageError(f"{given.file} is left as it is", "Choose another name with --file.")
    if not asks and not (given.stack and given.record):
        raise UsageError("--yes needs --stack and --record", "Leave out --yes to be asked.")
    if not asks and not given.deploy:
        _check_deploy(given)
    return in_loop(_init(given, connection, common, program))


def _check_deploy(given: Init) -> None:
    """Refuses to guess the deploy command where the current folder does not show it.

    Raises:
        UsageError: neither the tool nor its template is known.
    """
    here = Path.cwd()
    tool = Tool(given.tool) if given.tool else detect(here)
    if tool is None:
        raise UsageError(
            "--yes needs --tool or --deploy: the current folder does not show what deploys the "
            "stack",
            "Leave out --yes to be asked.",
        )
    if tool is Tool.CLOUDFORMATION and template_in(here) is None:
        raise UsageError(
            "--yes needs --deploy: the current folder has no template with a usual name",
            "Leave out --yes to be asked.",
        )


async def _init(
    given: Init, connection: Connection, common: Common, program: TyperGroup
) -> ExitCode:
    text_lines.talk(common, "reading stacks and hosted zones")
    await in_thread(lambda: who_am_i(connection))
    async with opened(connection, SystemClock()) as account:
        stack = await _stack(account, given)
        found = await _records(account, given, stack)
    here = Path.cwd()
    tool = Tool(given.tool) if given.tool else detect(here)
    if not given.yes and given.tool is None:
        tool = await in_thread(partial(_asked_tool, tool))
    tool = tool or Tool.CLOUDFORMATION
    deploy = given.deploy or deploy_command(tool, found.stack, template_in(here))
    if deploy and not given.yes and not given.deploy:
        deploy = await in_thread(partial(ask, "Deploy command", deploy))
    values: dict[str, Any] = {"record": found.words}
    if deploy:
        values |= {"stack": found.stack, "deploy": deploy}
    else:
        values["jets"] = "."
    if found.needs_zone:
        values["zone"] = found.zone.zone_id
    values |= {name: value for name, value in _reach(connection).items() if value}
    write_config(given.file, program, values, overwrite=not given.yes)
    text = snippet(tool, found.records, found.zone.zone_id)
    _print(common, given.file, found, tool, text)
    return ExitCode.DONE


def _reach(connection: Connection) -> dict[str, str | None]:
    """What a later call needs to reach the same account."""
    return {
        "profile": connection.profile,
        "region": connection.region,
        "endpoint_url": None if is_ambient("endpoint_url") else connection.endpoint_url,
        "dns_profile": connection.dns_profile,
    }


def _print(common: Common, file: Path, found: Found, tool: Tool, text: str) -> None:
    plan = "route53-takeover plan" + ("" if file.name == "takeover.toml" else f" --config {file}")
    if common.as_json:
        told = {
            "event": "init",
            "file": str(file),
            "stack": found.stack,
            "records": found.words,
            "zone": found.zone.zone_id,
            "tool": tool,
            "snippet": text,
            "next": plan,
        }
        write_line(json.dumps(told), sys.stdout)
        return
    text_lines.talk(common, f"wrote {file}, and {SCHEMA_FILE} beside it")
    where = "the app" if tool is Tool.JETS else f"the template of {found.stack}"
    text_lines.talk(common, f"Add this to {where}, so that the switch adds the record:")
    write_lines(text.splitlines(), sys.stdout)
    text_lines.talk(common, f"Then: {plan}")


async def _stack(account: OpenAccount, given: Init) -> str:
    """The name of the stack that was given or chosen.

    Raises:
        RefusedError: it does not exist, and another has a similar name.
    """
    listed = await account.stacks.stacks(lambda _: None)
    roots = {each.stack_name: each.stack_id for each in listed if not each.root_id}
    wanted = given.stack
    if wanted is None:
        names = sorted(roots)
        if not names:
            return await in_thread(partial(ask, "Name of the stack that is to be created"))
        picked = await in_thread(partial(choose, "Stack", names, own="the name of a new stack"))
        if isinstance(picked, int):
            return names[picked]
        wanted = picked
    if wanted in roots or wanted in roots.values():
        return wanted
    described = await account.stacks.describe(wanted)
    if described.stack_id:  # a nested stack, or another name of one
        return described.stack_name
    near = similar(wanted, roots)
    if not near:
        write_line(
            f"warning: stack {wanted} does not exist in {account.region}; the first deploy has "
            "to create it",
            sys.stderr,
        )
        return wanted
    if given.yes:
        raise RefusedError(
            f"stack {wanted} does not exist in {account.region}",
            f"Did you mean {' or '.join(near)}? Check --stack, --region and the account.",
        )
    write_line(f"Stack {wanted} does not exist in {account.region}. Similar names:", sys.stderr)
    entries = [*near, f"{wanted}: the first deploy creates it"]
    picked = await in_thread(partial(choose, "Stack", entries))
    return near[picked] if isinstance(picked, int) and picked < len(near) else wanted


async def _records(account: OpenAccount, given: Init, stack: str) -> Found:
    """The records, in their one zone."""
    words = list(given.record or ())
    if not words:
        return await _chosen_records(account, given, stack)
    first = requested(words[0])[0]
    candidates = [zone for zone in await account.records.zones(first) if _fits(zone, given.zone)]
    public = [zone for zone in candidates if not zone.private]
    zones = [zone for zone in public or candidates if zone.name == (public or candidates)[0].name]
    if not zones:
        raise RefusedError(
            f"no hosted zone of this account contains {display_name(first)}",
            "Check the name, --zone, --profile and --dns-profile.",
        )
    zone = await _one_zone(zones, given)
    records: list[RecordSet] = []
    for word in words:
        name, kinds = requested(word)
        if not f".{name}".endswith(f".{zone.name}"):
            raise RefusedError(
                f"{display_name(name)} is not in zone {display_name(zone.name)}",
                "One run takes over the records of one zone.",
            )
        here = await account.records.read_name(zone.zone_id, name)
        there = [r for r in here if not kinds or r.type in kinds]
        if not there:
            raise await _not_there(account, zone, word)
        records += [r for r in there if kinds or r.type not in _IN_ITS_OWN_ZONE]
    return Found(stack, zone, len(zones) > 1 or zone.private, words, records)


async def _not_there(account: OpenAccount, zone: Zone, word: str) -> RefusedError:
    name = display_name(requested(word)[0])
    names = {display_name(r.name) for r in await account.records.read_zone(zone.zone_id)}
    near = get_close_matches(name, sorted(names - {name}), n=3, cutoff=_ALIKE)
    meant = f"Did you mean {' or '.join(near)}? " if near else ""
    return RefusedError(
        f"there is no record {word} in zone {display_name(zone.name)} ({zone.zone_id})",
        f"{meant}A record that does not exist needs no takeover: just deploy.",
    )


async def _chosen_records(account: OpenAccount, given: Init, stack: str) -> Found:
    zones = [zone for zone in await account.records.every_zone() if _fits(zone, given.zone)]
    if not zones:
        raise RefusedError("this account has no hosted zone", "Check --zone and --dns-profile.")
    zone = await _one_zone(sorted(zones, key=lambda zone: (zone.private, zone.name)), given)
    records = [
        record
        for record in await account.records.read_zone(zone.zone_id)
        if not (normal_name(record.name) == zone.name and record.type in _IN_ITS_OWN_ZONE)
    ]
    if not records:
        raise RefusedError(f"zone {display_name(zone.name)} has no records", "Choose another.")
    lines = [_line(record) for record in records]
    picked = await in_thread(partial(choose, "Record", lines, own="a name"))
    twins = [each for each in zones if each.name == zone.name]
    needs_zone = len(twins) > 1 or zone.private
    if isinstance(picked, int):
        record = records[picked]
        word = canonical_record(f"{display_name(record.name)}/{record.type}")
        return Found(stack, zone, needs_zone, [word], [record])
    name, kinds = requested(picked)
    there = [r for r in records if normal_name(r.name) == name and (not kinds or r.type in kinds)]
    if not there:
        raise await _not_there(account, zone, picked)
    return Found(stack, zone, needs_zone, [canonical_record(picked)], there)


async def _one_zone(zones: Sequence[Zone], given: Init) -> Zone:
    """The only zone, or the one that is chosen.

    Raises:
        RefusedError: there are several, and no one is asked.
    """
    if len(zones) == 1:
        return zones[0]
    lines = [
        f"{display_name(zone.name)} ({zone.zone_id}{', private' if zone.private else ''})"
        for zone in zones
    ]
    if given.yes:
        raise RefusedError(
            f"several hosted zones fit: {', '.join(lines)}", "Choose one with --zone ID."
        )
    picked = await in_thread(partial(choose, "Hosted zone", lines))
    return zones[picked if isinstance(picked, int) else 0]


def _fits(zone: Zone, wanted: str | None) -> bool:
    return (
        wanted is None or zone.zone_id == normal_zone_id(wanted) or zone.name == normal_name(wanted)
    )


def _line(record: RecordSet) -> str:
    what = f"alias to {display_name(record.alias.dns_name)}" if record.alias else ""
    values = ", ".join(record.values)
    told = f"{display_name(record.name)} {record.type} {what or values}"
    return told + (f" ({record.set_identifier})" if record.set_identifier else "")


def _asked_tool(found: Tool | None) -> Tool:
    tools = list(Tool)
    while True:
        picked = choose("Tool that deploys the stack", tools, own="its name", default=found)
        if isinstance(picked, int):
            return tools[picked]
        if picked.casefold() in tools:
            return Tool(picked.casefold())
        write_line(f"  {picked!r} is none of them", sys.stderr)
