"""The host names that belong to the tree: where something that leads to one of them leads.

A host belongs to the tree where what answers for it goes with the stack. A bucket, an address, a
domain or a distribution that is retained stays what it is; an API, a function URL or a load
balancer may be retained, and what stands behind it still goes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from route53_takeover.core.retire import model as kinds

if TYPE_CHECKING:
    from route53_takeover.core.retire.facts import RetireFacts, TreeResource

_GIVEN = {
    kinds.FUNCTION_URL: r"[a-z0-9]+\.lambda-url\.{region}\.on\.aws",
    "AWS::Amplify::App": r"[a-z0-9.-]+\.amplifyapp\.com",
    "AWS::AppRunner::Service": r"[a-z0-9]+\.{region}\.awsapprunner\.com",
    "AWS::EC2::Instance": r"ec2-[0-9-]+\.[a-z0-9.-]+\.amazonaws\.com",
    "AWS::ElasticBeanstalk::Environment": r"[a-z0-9.-]+\.elasticbeanstalk\.com",
    "AWS::GlobalAccelerator::Accelerator": r"[a-z0-9]+(?:\.dualstack)?\.awsglobalaccelerator\.com",
}
"""Types whose host AWS makes up, with its form: only an output of the stack may tell it."""
ANYWHERE = frozenset({*_GIVEN, *kinds.LOAD_BALANCERS, kinds.ADDRESS} - {kinds.FUNCTION_URL})
"""Types to which a record of any name may lead."""
_BEGIN, _END = r"(?<![a-z0-9.-])", r"(?![a-z0-9.-])"
"""Where a host begins and ends in a text; it also keeps the search linear."""


class Hosts:
    """The host names of the tree, each with the resource that answers for it."""

    def __init__(self, facts: RetireFacts) -> None:
        self._exact: dict[str, TreeResource] = {}
        self._patterns: list[tuple[re.Pattern[str], TreeResource]] = []
        self._nameless: list[tuple[re.Pattern[str], TreeResource]] = []
        for each in facts.resources:
            self._take(each, facts)
        for kind, form in _GIVEN.items():
            self._take_given(kind, form.replace("{region}", re.escape(facts.region)), facts)

    def owner(self, host: str) -> TreeResource | None:
        """The resource of the tree that answers for a host, if one does."""
        wanted = host.lower().removesuffix(".")
        if wanted in self._exact:
            return self._exact[wanted]
        return next((owner for form, owner in self._patterns if form.fullmatch(wanted)), None)

    def possible_owner(self, host: str) -> TreeResource | None:
        """A resource of the tree whose host is not known, and that a host may be of."""
        wanted = host.lower().removesuffix(".")
        if self.owner(wanted) is not None:
            return None
        return next((owner for form, owner in self._nameless if form.fullmatch(wanted)), None)

    def _take_given(self, kind: str, form: str, facts: RetireFacts) -> None:
        """Those of a type whose hosts only outputs tell."""
        found = facts.of_type(kind)
        if not found:
            return
        known = re.compile(form)
        in_text = re.compile(_BEGIN + form + _END)
        told = {host[0] for text in facts.outputs for host in in_text.finditer(text.lower())}
        self._exact |= dict.fromkeys(told, found[0])
        if len(told) < len(found):
            self._nameless.append((known, found[0]))

    def _take(self, each: TreeResource, facts: RetireFacts) -> None:
        physical_id = each.physical_id
        stays = not each.is_doomed
        if each.type in kinds.APIS:
            host = f"{physical_id}.execute-api.{facts.region}"
            self._pattern(rf"(?:vpce-[a-z0-9]+-)?{re.escape(host)}\.amazonaws\.com(?:\.cn)?", each)
        elif each.type in kinds.LOAD_BALANCERS:
            name = re.escape(physical_id.split("/")[-2] if "/" in physical_id else physical_id)
            form = rf"(?:dualstack\.)?(?:internal-)?{name}-[0-9a-z]+\.(?:elb\.)?"
            self._pattern(rf"{form}[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?", each)
        elif stays:
            return
        elif each.type in kinds.CUSTOM_DOMAINS:
            live = facts.live_domain(physical_id)
            hosts = [physical_id, "" if live is None else live.domain.hostname]
            self._exact |= {host.lower(): each for host in hosts if host}
        elif each.type == kinds.DISTRIBUTION:
            for found in facts.distributions:
                if found.distribution_id == physical_id:
                    self._exact[found.domain_name.lower()] = each
        elif each.type == kinds.BUCKET:
            place = r"(?:s3|s3[.-][a-z0-9-]+|s3\.dualstack\.[a-z0-9-]+|s3-website[.-][a-z0-9-]+)"
            form = rf"{re.escape(physical_id.lower())}\.{place}\.amazonaws\.com(?:\.cn)?"
            self._pattern(form, each)
        elif each.type == kinds.ADDRESS:
            self._exact[physical_id] = each

    def _pattern(self, form: str, owner: TreeResource) -> None:
        self._patterns.append((re.compile(form.lower()), owner))


def tell_its_host(resource: TreeResource) -> str:
    """The way out where something may lead to a resource whose host is not known."""
    return (
        f"Add an output with the host of {resource.logical_id} to the template of "
        f"{resource.stack_name}, deploy that, and run this again."
    )
