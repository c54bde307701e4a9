"""What the plan of a Ruby on Jets app is refused for, and warned of.

Jets 4 and 5 put the record into the template only while the API Gateway custom domain does not
exist, or where the stack has the record already. So a deploy that creates the domain without the
record leaves the record out of every later deploy, and says nothing. Domains that stacks of the
region have are known; of others, which only API Gateway could tell, the plan warns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.names import display_name, shown_name
from route53_takeover.core.domain.record_sets import normal_name
from route53_takeover.core.plan.jets.files import JETS_6
from route53_takeover.core.plan.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.plan.facts import Facts
    from route53_takeover.core.plan.model import JetsApp, Plan

OWN_RECORD = (
    "Set config.domain.route53 = false, define the AWS::Route53::RecordSet yourself in "
    'app/shared/resources, there only where ENV["ROUTE53_ENABLE"] is "true", and give --stack and '
    "--deploy instead of --jets."
)
"""The way out where Jets leaves the record out because the custom domain exists."""


def leaves_out(app: JetsApp) -> bool:
    """Whether this version of Jets may leave the record out because its custom domain exists."""
    return app.major < JETS_6


def refuse_jets(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """Why the deploys of the app that ``--jets`` names would not hand the record over."""
    app = plan.options.jets
    if app is None:
        return
    yield from app.refusals
    if not leaves_out(app):
        return
    domains = _custom_domains(facts)
    if taken := [name for name in plan.names if name in domains]:
        yield Finding(
            text=f"stack {domains[taken[0]]} has the API Gateway custom domain "
            f"{shown_name(taken[0])} and the app's stack has no record set for it: "
            f"Jets {app.major} then leaves the "
            "record out of its template, whatever config.domain.route53 says.",
            hint=OWN_RECORD,
        )
    elif plan.options.deploy_off is not None and not app.domain_is_switched:
        yield Finding(
            text="the deploy with the switch off would create the API Gateway custom domain, and "
            f"Jets {app.major} leaves the record out of its template while that exists and the "
            "stack has no record set.",
            hint="Add --skip-off. Where the first deploy has to create the stack: config.domain."
            'hosted_zone_name = "..." if ENV["ROUTE53_ENABLE"] == "true"',
        )


def warn_jets(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """What is not certain of the app."""
    app = plan.options.jets
    if app is None:
        return
    yield from app.warnings
    if not leaves_out(app):
        return
    domains = _custom_domains(facts)
    for name in plan.names:
        if name in domains:
            continue  # it is refused
        yield Finding(
            text=f"API Gateway is not asked whether a custom domain {shown_name(name)} exists that "
            f"no stack has. If so, Jets {app.major} leaves the record out of its template, and "
            "this run ends with nothing changed.",
            hint=f"`aws apigateway get-domain-name --domain-name {display_name(name)}` has to say "
            f"NotFoundException. {OWN_RECORD}",
        )


def _custom_domains(facts: Facts) -> dict[str, str]:
    """The API Gateway custom domains that stacks have -> the stack's name."""
    found = dict.fromkeys(facts.custom_domains, facts.stack.stack_name)
    return {normal_name(k): v for k, v in {**facts.custom_domains_elsewhere, **found}.items()}
