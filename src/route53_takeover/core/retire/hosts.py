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

_FUNCTION_URL = re.compile(r"[a-z0-9]+\.lambda-url\.([a-z0-9-]+)\.on\.aws")


class Hosts:
    """The host names of the tree, each with the resource that answers for it."""

    def __init__(self, facts: RetireFacts) -> None:
        self._exact: dict[str, TreeResource] = {}
        self._patterns: list[tuple[re.Pattern[str], TreeResource]] = []
        self._region = facts.region
        self.nameless_urls: list[TreeResource] = []
        for each in facts.resources:
            self._take(each, facts)
        urls = facts.of_type(kinds.FUNCTION_URL)
        told = [found[0] for text in facts.outputs if (found := _FUNCTION_URL.search(text))]
        if urls:
            self._exact |= dict.fromkeys(told, urls[0])
        if len(told) < len(urls):
            self.nameless_urls = urls

    def owner(self, host: str) -> TreeResource | None:
        """The resource of the tree that answers for a host, if one does."""
        wanted = host.lower().removesuffix(".")
        if wanted in self._exact:
            return self._exact[wanted]
        return next((owner for form, owner in self._patterns if form.fullmatch(wanted)), None)

    def may_be_nameless_url(self, host: str) -> bool:
        """Whether it is a function URL that may be one of the tree's whose host is not known."""
        found = _FUNCTION_URL.fullmatch(host.lower())
        is_here = found is not None and found[1] == self._region
        return is_here and bool(self.nameless_urls) and self.owner(host) is None

    def _take(self, each: TreeResource, facts: RetireFacts) -> None:
        physical_id = each.physical_id
        stays = not each.is_doomed
        if each.type in kinds.APIS:
            host = f"{physical_id}.execute-api.{facts.region}"
            self._pattern(rf"(?:vpce-[a-z0-9]+-)?{re.escape(host)}\.amazonaws\.com(?:\.cn)?", each)
        elif each.type == kinds.LOAD_BALANCER:
            name = re.escape(physical_id.split("/")[-2]) if "/" in physical_id else "(?!)"
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
