"""Reads what a switch is planned from: the live site, blue behind it, and green.

Everything is asked fresh and nothing is written. What is not there, or cannot be read, is a
refusal with what to do about it.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.base.errors import ApiError, NotFoundError, RefusedError, TakeoverError
from route53_takeover.core.domain.api_mappings import ApiKind, ApiTarget, RoutingMode, stage_path
from route53_takeover.core.domain.distribution_configs import policy_ids
from route53_takeover.core.domain.stacks import ABSENT, STACK
from route53_takeover.core.plan.model import Finding
from route53_takeover.core.switch.check_syntax import parse_check
from route53_takeover.core.switch.facts import GreenPlace, SwitchFacts
from route53_takeover.core.switch.mapping_plan import chosen_mappings
from route53_takeover.core.switch.model import place
from route53_takeover.core.switch.origins import chosen_origin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from route53_takeover.core.domain.api_mappings import ApiDescription, RoutingRule
    from route53_takeover.core.domain.distributions import Distribution
    from route53_takeover.core.domain.stacks import StackResource
    from route53_takeover.core.ports import ApiGateway, Distributions, Stacks
    from route53_takeover.core.switch.model import SwitchOptions

_API_TYPES = {"AWS::ApiGateway::RestApi": ApiKind.REST, "AWS::ApiGatewayV2::Api": ApiKind.HTTP}
_DISTRIBUTION = "AWS::CloudFront::Distribution"
_HOST_OUTPUT = re.compile(
    r"(?:https://)?([^./\s]+\.lambda-url\.[^./\s]+\.on\.aws|[^./\s]+\.execute-api\.[^/\s]+)"
    r"(/[^\s?#]*)?"
)


class SwitchReading:
    """Reads for one plan.

    Args:
        region: of the APIs and stacks.
        partition: such as ``aws``.
        account: its number.
    """

    def __init__(
        self,
        *,
        api_gateway: ApiGateway,
        distributions: Distributions,
        stacks: Stacks,
        account: str,
        region: str,
        partition: str,
    ) -> None:
        self._api_gateway = api_gateway
        self._distributions = distributions
        self._stacks = stacks
        self._account = account
        self._region = region
        self._suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"

    async def facts(self, options: SwitchOptions, *, green_is_there: bool) -> SwitchFacts:
        """Everything that the plan is made from.

        Args:
            green_is_there: whether green must be found; else it may be made by the deploy first.

        Raises:
            RefusedError: the live site, or green where it must be there, cannot be found.
        """
        checks = tuple(parse_check(text) for text in options.checks)
        green = await self._green(options, must=green_is_there)
        known = SwitchFacts(
            options=options,
            account=self._account,
            region=self._region,
            checks=checks,
            green=green,
            domain_suffix=self._suffix,
        )
        if options.distribution is not None:
            return await self._of_distribution(known, options.distribution)
        return await self._of_domain(known, options.domain or "", must=green_is_there)

    # -- a custom domain

    async def _of_domain(self, known: SwitchFacts, name: str, *, must: bool) -> SwitchFacts:
        try:
            domain = await self._api_gateway.domain(name)
        except NotFoundError as error:
            there = ", ".join(each.name for each in await self._api_gateway.domains()) or "none"
            raise RefusedError(
                f"API Gateway has no custom domain {name} in {self._region}",
                f"Check --domain and --region. It has: {there}.",
            ) from error
        mappings = tuple(await self._api_gateway.mappings(domain))
        rules: tuple[RoutingRule, ...] = ()
        if domain.routing_mode is not RoutingMode.MAPPINGS:
            rules = tuple(await self._api_gateway.rules(domain))
        known = replace(
            known,
            domain=domain,
            mappings=mappings,
            rules=rules,
            secret=secrets.token_urlsafe(24),
        )
        apis: dict[str, ApiDescription] = {}
        findings: list[Finding] = []
        targets = {mapping.target for mapping in chosen_mappings(known).mappings}
        green = None if known.green is None else known.green.target
        for target in [*targets, *((green,) if green is not None else ())]:
            try:
                apis[str(target)] = await self._api_gateway.api(target)
            except NotFoundError:
                if target == green and not must:
                    continue
                findings.append(
                    Finding(
                        text=f"There is no API {target.api_id} in {self._region}.",
                        hint="Check --to and --region."
                        if target == green
                        else "The mapping leads nowhere.",
                    )
                )
        if green is not None and not must and not _is_there(apis.get(str(green))):
            known = replace(known, green=None)  # the deploy is to make it
        ids = await self._api_gateway.api_ids() if known.options.deploy is not None else {}
        return replace(known, apis=apis, known_apis=tuple(sorted(ids)), findings=tuple(findings))

    # -- a distribution

    async def _of_distribution(self, known: SwitchFacts, name: str) -> SwitchFacts:
        listed = await self._distributions.distributions()
        found = _named(listed, name)
        if found is None:
            raise RefusedError(
                f"there is no distribution {name} in account {self._account}",
                "Give its id, its cloudfront.net name or one of its aliases.",
            )
        front = await self._distributions.distribution(found.distribution_id)
        origin_id = chosen_origin(front.config, known.options.origin)
        before = "" if origin_id is None else place(front.config, origin_id)
        after = "" if known.green is None else known.green.host
        behind_blue = await self._behind(listed, before)
        behind_green = await self._behind(listed, after)
        configs = [d.config for d in (front, behind_blue, behind_green) if d is not None]
        return replace(
            known,
            distribution=front,
            behind_blue=behind_blue,
            behind_green=behind_green,
            policies=await self._policies(configs),
        )

    async def _behind(self, listed: Sequence[Distribution], host: str) -> Distribution | None:
        """The distribution of this account that a host is, with its config."""
        name = host.partition("/")[0]
        found = _named(listed, name) if name else None
        if found is None:
            return None
        return await self._distributions.distribution(found.distribution_id)

    async def _policies(self, configs: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
        """The content of every policy; what may not be read is left out, and the plan says so."""
        found: dict[str, Mapping[str, Any]] = {}
        for kind, policy_id in dict.fromkeys(p for config in configs for p in policy_ids(config)):
            try:
                found[policy_id] = await self._distributions.policy(kind, policy_id)
            except ApiError:
                continue
        return found

    # -- green

    async def _green(self, options: SwitchOptions, *, must: bool) -> GreenPlace | None:
        if options.to is not None:
            return _named_green(options)
        stack = options.to_stack
        if stack is None:
            return None
        try:
            return await self._in_stack(stack, options)
        except TakeoverError:
            if must:
                raise
            return None  # the deploy is to make it

    async def _in_stack(self, stack: str, options: SwitchOptions) -> GreenPlace:
        root = await self._stacks.describe(stack)
        if root.status == ABSENT:
            raise RefusedError(
                f"there is no stack {stack} in {self._region}",
                "Check --to-stack and --region, or make it with --deploy.",
            )
        resources = await self._tree(root.stack_id)
        if options.distribution is None:
            target = await self._api_of(stack, resources)
            return GreenPlace(target=target, stack_id=root.stack_id)
        host = await self._host_of(stack, root.stack_id, resources)
        return GreenPlace(host=host, stack_id=root.stack_id)

    async def _tree(self, root_id: str) -> list[StackResource]:
        """Every resource of a stack and of those nested in it."""
        found: list[StackResource] = []
        todo = [root_id]
        for stack_id in todo:
            for resource in await self._stacks.resources(stack_id):
                if resource.resource_type == STACK and resource.physical_id:
                    todo.append(resource.physical_id)
                else:
                    found.append(resource)
        return found

    async def _api_of(self, stack: str, resources: Sequence[StackResource]) -> ApiTarget:
        apis = [r for r in resources if r.resource_type in _API_TYPES and r.physical_id]
        if len(apis) != 1:
            found = ", ".join(f"{r.logical_id} ({r.physical_id})" for r in apis) or "none"
            raise RefusedError(
                f"stack {stack} has {len(apis)} APIs, not one: {found}",
                "Name green with --to API_ID/STAGE.",
            )
        api_id = apis[0].physical_id
        stages = await self._api_gateway.stages(api_id, _API_TYPES[apis[0].resource_type])
        if len(stages) != 1:
            raise RefusedError(
                f"API {api_id} of stack {stack} has {len(stages)} stages: "
                f"{', '.join(stages) or 'none'}",
                f"Name green with --to {api_id}/STAGE.",
            )
        return ApiTarget(api_id, stages[0])

    async def _host_of(self, stack: str, stack_id: str, resources: Sequence[StackResource]) -> str:
        """The one host in a stack that can be an origin: its distribution, a URL, its API."""
        inner = [r.physical_id for r in resources if r.resource_type == _DISTRIBUTION]
        if len(inner) == 1:
            return (await self._distributions.distribution(inner[0])).domain_name
        outputs = (await self._stacks.details(stack_id)).outputs
        hosts = {
            f"{match[1]}{(match[2] or '').rstrip('/')}"
            for value in outputs.values()
            if (match := _HOST_OUTPUT.fullmatch(value))
        }
        if len(hosts) == 1:
            return hosts.pop()
        if not inner and not hosts:
            target = await self._api_of(stack, resources)
            return f"{target.api_id}.execute-api.{self._region}.{self._suffix}{stage_path(target)}"
        raise RefusedError(
            f"stack {stack} has several hosts that could be green: "
            f"{', '.join(sorted({*inner, *hosts}))}",
            "Name it with --to HOST[/PATH].",
        )


def _is_there(green: ApiDescription | None) -> bool:
    """Whether a stage can be led to."""
    return green is not None and green.has_stage and green.is_deployed


def _named_green(options: SwitchOptions) -> GreenPlace:
    """What ``--to`` names."""
    to = options.to or ""
    if options.distribution is not None:
        return GreenPlace(host=to.removeprefix("https://").rstrip("/"))
    api_id, slash, stage = to.partition("/")
    if not (api_id and slash and stage) or "/" in stage:
        raise RefusedError(f"--to {to!r} is no API_ID/STAGE", "Such as --to a1b2c3d4e5/dev_2.")
    return GreenPlace(target=ApiTarget(api_id, stage))


def _named(listed: Sequence[Distribution], name: str) -> Distribution | None:
    """The distribution of this id, name or alias."""
    wanted = name.rstrip(".").lower()
    return next(
        (
            each
            for each in listed
            if each.distribution_id == name
            or each.domain_name.lower() == wanted
            or wanted in (alias.lower() for alias in each.aliases)
        ),
        None,
    )
