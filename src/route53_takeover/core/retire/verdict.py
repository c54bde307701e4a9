"""May a stack be deleted? The verdict on what was read, put together from each family of checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.retire.api_checks import check_apis
from route53_takeover.core.retire.data_checks import check_data
from route53_takeover.core.retire.distribution_checks import check_distributions
from route53_takeover.core.retire.hosts import Hosts
from route53_takeover.core.retire.model import Verdict
from route53_takeover.core.retire.name_lookup import Lookup
from route53_takeover.core.retire.record_checks import check_records
from route53_takeover.core.retire.stack_checks import check_stack, is_gone

if TYPE_CHECKING:
    from route53_takeover.core.retire.facts import RetireFacts

_NOT_LOOKED_AT = (
    "Not looked at: who calls the functions, APIs and queues of the stack by their own names, "
    "other accounts, and DNS that is not in this account's Route 53."
)


def judge(facts: RetireFacts) -> Verdict:
    """The verdict."""
    found = [check_stack(facts)]
    if not is_gone(facts):
        lookup, hosts = Lookup(facts.zones), Hosts(facts)
        found += [
            check_apis(facts, lookup),
            check_distributions(facts, hosts, lookup),
            check_records(facts, hosts, lookup),
            check_data(facts),
        ]
    return Verdict(
        stack=facts.root.stack_name,
        stack_id=facts.root.stack_id,
        breaks=tuple(dict.fromkeys(each for family in found for each in family.breaks)),
        notes=tuple(
            dict.fromkeys(
                [*(note for family in found for note in family.notes)]
                + ([] if is_gone(facts) else [_NOT_LOOKED_AT])
            )
        ),
    )
