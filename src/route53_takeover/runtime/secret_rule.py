"""Asking green under the production name: a routing rule with a secret header, made and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.base.errors import NotFoundError, TakeoverError, one_line
from route53_takeover.core.domain.api_mappings import RoutingRule
from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.switch.events import RuleRemoved, RuleTested, Way
from route53_takeover.core.switch.routes import route_for
from route53_takeover.core.switch.who_answered import are_told_apart, who_answered

if TYPE_CHECKING:
    from route53_takeover.core.domain.http_checks import Check
    from route53_takeover.core.ports import ApiGateway, Clock, HttpChecks
    from route53_takeover.core.switch.model import SecretRule, SwitchPlan
    from route53_takeover.core.switch.state import SwitchState

_SERVED_WITHIN, _AGAIN = 60.0, 2.0
"""Seconds within which every edge should know a rule, and between two questions."""


class SecretRules:
    """Makes, uses and removes the rule of a plan."""

    def __init__(self, api_gateway: ApiGateway, checks: HttpChecks, clock: Clock) -> None:
        self._api_gateway = api_gateway
        self._checks = checks
        self._clock = clock

    async def test(self, rule: SecretRule, state: SwitchState) -> RuleTested:
        """Creates it, carries out every check that is a request, and deletes it in any case."""
        try:
            problem = await self._tested(rule, state)
        except TakeoverError as error:
            problem = one_line(error)
        removed = await self.remove(rule)
        return RuleTested(time=self._clock.now(), problem=problem, is_removed=not removed.problem)

    async def remove(self, rule: SecretRule) -> RuleRemoved:
        """Deletes what has the secret value; where there is nothing of it, that is as well."""
        try:
            await remove_rule(self._api_gateway, rule)
        except TakeoverError as error:
            return RuleRemoved(time=self._clock.now(), problem=one_line(error))
        return RuleRemoved(time=self._clock.now())

    async def _tested(self, rule: SecretRule, state: SwitchState) -> str:
        await self._api_gateway.create_rule(
            rule.domain,
            RoutingRule(
                rule_id="",
                priority=rule.priority,
                target=rule.to,
                headers={rule.header: rule.value},
                base_paths=(rule.base_path,) if rule.base_path else (),
            ),
        )
        for place, check in enumerate(state.plan.checks):
            if not check.command and (problem := await self._asked(place, check, state)):
                return f"{check.text}: {problem}"
        return ""

    async def _asked(self, place: int, check: Check, state: SwitchState) -> str:
        """Asks until green answers and passes; why it does not, or nothing."""
        until = self._clock.now() + _SERVED_WITHIN
        route = route_for(state.plan, check, Way.RULE)
        blue, green = (
            () if (known := state.checks.get((place, way))) is None else known.marks
            for way in (Way.BLUE, Way.GREEN)
        )
        while True:
            answer = await self._checks.carry_out(check, route)
            side = who_answered(answer.marks, blue, green)
            is_green = side is Side.GREEN or not are_told_apart(blue, green)
            if answer.passed and is_green:
                return ""
            if self._clock.now() >= until:
                return answer.reason or "green does not answer under the production name"
            await self._clock.sleep(_AGAIN)


async def remove_rule(api_gateway: ApiGateway, rule: SecretRule) -> bool:
    """Deletes every rule of the domain that has the secret value; whether there was one.

    Raises:
        ApiError: it cannot be told, or was not deleted.
    """
    found = [
        each.rule_id
        for each in await api_gateway.rules(rule.domain)
        if rule.value in each.headers.values()
    ]
    for rule_id in dict.fromkeys(found):
        try:
            await api_gateway.delete_rule(rule.domain, rule_id)
        except NotFoundError:
            continue
    return bool(found)


def rule_of(plan: SwitchPlan) -> SecretRule:
    """The plan's rule, where it is known to have one."""
    if plan.rule is None:
        raise ValueError("the plan has no routing rule")
    return plan.rule
