"""What the plan of a Ruby on Jets app is refused for, and warned of.

Jets 4 and 5 put the record into the template only while the API Gateway custom domain does not
exist, or where the stack has the record already. So a deploy that creates the domain without the
record leaves the record out of every later deploy, and says nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.names import shown_name
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
    domains = {normal_name(each) for each in facts.custom_domains}
    if taken := [name for name in plan.names if name in domains]:
        yield Finding(
            text=f"stack {facts.stack.stack_name} has the API Gateway custom domain "
            f"{shown_name(taken[0])} and no record set for it: Jets {app.major} then leaves the "
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


def warn_jets(_facts: Facts, plan: Plan) -> Iterator[Finding]:
    """What is not certain of the app."""
    app = plan.options.jets
    if app is None:
        return
    yield from app.warnings
    if not leaves_out(app):
        return
    for manual in plan.manuals:
        record = manual.original
        target = record.alias.dns_name if record.alias else " ".join(record.values)
        if ".execute-api." in target:
            yield Finding(
                text=f"{record.key} leads to an API Gateway custom domain. If that is "
                f"{shown_name(record.key.name)} itself, Jets {app.major} leaves the record out "
                "of its template, and this run ends with nothing changed.",
                hint=OWN_RECORD,
            )
