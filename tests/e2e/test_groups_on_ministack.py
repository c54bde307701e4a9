"""Record set groups and routed members, planned and taken over by the installed command.

The account is an emulator that other people wrote, over real HTTP; groups and its retry window are
added to it (`tests.e2e.ministack_retry`). What the plan says is compared with what a deploy does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.ministack import REGION, alias, deploy_command, template
from tests.e2e.processes import NO_SERVER

if TYPE_CHECKING:
    from tests.e2e.ministack import Account
    from tests.e2e.processes import Takeover

WWW, API = "www.example.com.", "api.example.com."
JSON = ("--output", "json")
QUICK = ("--no-drain", "--hold", "0.6", "--settle", "0.4", "--auto", *JSON)
PENDING = ("--template", "site.json", "--parameter", "Route53Enable=true")
WINDOW = {"Metadata": {"RetryDelays": "60", "Gap": "0.5"}}
BLUE: dict[str, Any] = {"SetIdentifier": "blue", "Weight": 10}
GREEN: dict[str, Any] = {"SetIdentifier": "green", "Weight": 90}


def manual(name: str = WWW, **routing: Any) -> dict[str, Any]:
    """An alias by hand."""
    target = {
        "HostedZoneId": "Z2FDTNDATAQYW2",
        "DNSName": "old.cloudfront.net.",
        "EvaluateTargetHealth": False,
    }
    return {"Name": name, "Type": "A", "AliasTarget": target, **routing}


class Site:
    """A zone with records by hand, and a stack ``site`` that is deployed by the command."""

    def __init__(self, account: Account, takeover: Takeover) -> None:
        self.account = account
        self.takeover = takeover
        self.zone = account.create_zone("example.com")
        takeover.environment |= account.environment | {"AWS_ENDPOINT_URL": NO_SERVER}

    def by_hand(self, *records: dict[str, Any]) -> None:
        for record in records:
            self.account.change(self.zone, "CREATE", record)

    def record(self, name: str = WWW, **properties: Any) -> dict[str, Any]:
        """The resource of one record."""
        made = alias(self.zone, name, "new.cloudfront.net", **WINDOW)
        return {**made, "Properties": {**made["Properties"], **properties}}

    def group(self, *resources: dict[str, Any]) -> dict[str, Any]:
        """One resource for all of these."""
        entries = [
            {key: each for key, each in resource["Properties"].items() if key != "HostedZoneId"}
            for resource in resources
        ]
        properties = {"HostedZoneId": self.zone, "RecordSets": entries}
        condition = {"Condition": "WithRecord", **WINDOW}
        return {"Type": "AWS::Route53::RecordSetGroup", "Properties": properties, **condition}

    def arguments(self, *names: str, **resources: Any) -> tuple[str, ...]:
        deploy = deploy_command(self.takeover.folder, "site", template(**resources))
        where = ("--endpoint-url", self.account.endpoint_url, "--region", REGION)
        records = [word for name in names for word in ("--record", name.rstrip("."))]
        return ("--stack", "site", *records, "--deploy", deploy, *where)

    def plan(self, *arguments: str) -> dict[str, Any]:
        """The plan of the pending template."""
        planned = self.takeover.run("plan", *arguments, *PENDING, *JSON)
        assert planned.lines, planned.stderr
        return next(line for line in planned.lines if line["event"] == "plan")

    def targets(self, name: str) -> dict[str | None, str]:
        """Set identifier -> target of what stands at a name."""
        here = self.account.records(self.zone, name)
        return {r.get("SetIdentifier"): r["AliasTarget"]["DNSName"] for r in here}


@pytest.fixture
def site(account: Account, takeover: Takeover) -> Site:
    return Site(account, takeover)


def test_a_group_is_planned_and_taken_over_at_every_name(site: Site) -> None:
    site.by_hand(manual(WWW), manual(API))
    free = site.record("new.example.com.")
    group = site.group(site.record(WWW), site.record(API), free)
    arguments = site.arguments(Group=group)
    plan = site.plan(*arguments)
    assert not plan["refused"], plan["reasons"]
    assert {(each["name"], each["strategy"]) for each in plan["records"]} == {
        ("www.example.com", "delete"),
        ("api.example.com", "delete"),
        ("new.example.com", None),
    }
    done = site.takeover.run("run", *arguments, *PENDING, *QUICK)
    assert done.code == 0, done.stderr
    assert [each["outcome"] for each in done.result["records"]] == ["created", "created"]
    for name in (WWW, API, "new.example.com."):
        assert site.targets(name) == {None: "new.cloudfront.net."}


def test_a_weighted_member_is_taken_over_beside_another_and_an_unrelated_group(site: Site) -> None:
    site.by_hand(manual(**BLUE), manual(**GREEN))
    dkim = {"Name": "k1._domainkey.example.com", "Type": "CNAME", "TTL": "60"}
    group = site.group({"Properties": dkim | {"ResourceRecords": ["x.dkim.example"]}})
    arguments = site.arguments(WWW, Www=site.record(**BLUE), Dkim=group)
    plan = site.plan(*arguments)
    assert not plan["refused"], plan["reasons"]
    assert [each["now"]["SetIdentifier"] for each in plan["records"] if each["now"]] == ["blue"]
    done = site.takeover.run("run", *arguments, *PENDING, *QUICK)
    assert done.code == 0, done.stderr
    assert [each["outcome"] for each in done.result["records"]] == ["created"]
    assert site.targets(WWW) == {"blue": "new.cloudfront.net.", "green": "old.cloudfront.net."}


def test_a_foreign_group_and_a_simple_record_are_refused_with_a_way_out_that_works(
    site: Site,
) -> None:
    site.account.create_stack("legacy", template(Old=site.group(site.record(API))))
    site.by_hand(manual())
    site.account.wait_for_status("legacy", "CREATE_COMPLETE")
    arguments = site.arguments(WWW, API, Www=site.record(**BLUE), Api=site.record(API))
    plan = site.plan(*arguments)
    reasons = " ".join(plan["reasons"])
    assert plan["refused"]
    assert "stack legacy owns the A record at api.example.com (RecordSetGroup Old)" in reasons
    assert "Route 53 lets only one of the two kinds stand" in reasons
    batch: Any = [
        {"Action": "DELETE", "ResourceRecordSet": manual()},
        {"Action": "CREATE", "ResourceRecordSet": manual(**GREEN)},
    ]
    changes: Any = {"HostedZoneId": site.zone, "ChangeBatch": {"Changes": batch}}
    site.account.route53.change_resource_record_sets(**changes)
    plan = site.plan(*site.arguments(WWW, Www=site.record(**BLUE)))
    assert "stands beside www.example.com A [green]" in " ".join(plan["reasons"])
    site.account.create_stack("site", template(Www=site.record(**BLUE)))
    site.account.wait_for_status("site", "CREATE_COMPLETE")
    assert site.targets(WWW) == {"blue": "new.cloudfront.net.", "green": "old.cloudfront.net."}
