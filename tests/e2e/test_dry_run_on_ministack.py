"""`run --dry-run` by the installed command against an emulator that other people wrote.

Records and stacks are byte for byte as they were; what is rehearsed is the plan of this account.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.ministack import REGION, alias, deploy_command, nested, template
from tests.e2e.processes import are_in_order

if TYPE_CHECKING:
    from tests.e2e.ministack import Account
    from tests.e2e.processes import Finished, Takeover

WWW, API, BLOG = "www.example.com.", "api.example.com.", "blog.example.com."
CLOUDFRONT = "Z2FDTNDATAQYW2"


def by_hand(name: str, **more: Any) -> dict[str, Any]:
    to = {
        "HostedZoneId": CLOUDFRONT,
        "DNSName": "old.cloudfront.net.",
        "EvaluateTargetHealth": False,
    }
    return {"Name": name, "Type": "A", "AliasTarget": to, **more}


class Site:
    """A zone with records of several kinds, a stack that is to own one, and another that owns one.

    Attributes:
        file: the pending template of the stack ``site``.
    """

    def __init__(self, account: Account, takeover: Takeover) -> None:
        self.account = account
        self.takeover = takeover
        self.zone = account.create_zone("example.com")
        plain = [{"Value": "192.0.2.1"}]
        for record in (
            by_hand(WWW),
            {"Name": API, "Type": "A", "TTL": 300, "ResourceRecords": plain},
            {"Name": BLOG, "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": '"a b"'}]},
        ):
            account.change(self.zone, "CREATE", record)
        other = template(Theirs=alias(self.zone, "theirs.example.com.", "theirs.cloudfront.net"))
        account.create_stack("other", other, Route53Enable="true")
        account.wait_for_status("other", "CREATE_COMPLETE")
        self.file = takeover.folder / "pending.json"
        takeover.environment |= account.environment

    def stack(self, **resources: Any) -> None:
        """The stack with the switch off, and what the deploy with the switch on applies."""
        body = template(**resources)
        self.file.write_text(json.dumps(body), "utf-8")
        self.account.create_stack("site", body, Route53Enable="false")
        self.account.wait_for_status("site", "CREATE_COMPLETE")

    def everything(self) -> bytes:
        """All records and stacks, as the API returns them."""
        cloudformation = self.account.cloudformation
        found: list[Any] = []
        pages = self.account.route53.get_paginator("list_resource_record_sets")
        for page in pages.paginate(HostedZoneId=self.zone):
            found += page["ResourceRecordSets"]
        stacks: list[Any] = [*cloudformation.describe_stacks()["Stacks"]]
        for stack in stacks:
            name = stack["StackName"]
            found += [stack, *self.account.events(name)]
            found += cloudformation.list_stack_resources(StackName=name)["StackResourceSummaries"]
            found.append(cloudformation.get_template(StackName=name)["TemplateBody"])
            found += cloudformation.list_change_sets(StackName=name)["Summaries"]
        return json.dumps(found, default=str, indent=1).encode()

    def dry_run(self, record: str, *more: str) -> Finished:
        """A dry run, which must leave everything as it is, and start no deploy."""
        before = self.everything()
        deploy = deploy_command(self.takeover.folder, "site", template())
        finished = self.takeover.run(
            "run",
            *("--stack", "site", "--record", record, "--dry-run", "--output", "json"),
            *("--endpoint-url", self.account.endpoint_url, "--region", REGION),
            *("--deploy", f"echo x >>{self.takeover.folder}/started; {deploy}"),
            *("--template", str(self.file), "--parameter", "Route53Enable=true", *more),
        )
        assert self.everything() == before
        assert not (self.takeover.folder / "started").exists()
        return finished


@pytest.fixture
def site(account: Account, takeover: Takeover) -> Site:
    return Site(account, takeover)


def batches(finished: Finished) -> list[str]:
    return [str(line["purpose"]) for line in finished.lines if line["event"] == "would-write"]


def test_records_and_stacks_are_byte_for_byte_as_they_were(site: Site) -> None:
    site.stack(Site=alias(site.zone, WWW, "new.cloudfront.net"))
    done = site.dry_run("www.example.com")
    assert (done.code, done.result["outcome"]) == (0, "done"), done.result
    assert done.result["rehearsal"] == "dry-run"
    assert are_in_order(done.lines)
    assert batches(done) == ["prove", "release"]
    (release,) = [each for each in done.lines if each.get("purpose") == "release"][-1:]
    assert release["zone_id"] == site.zone
    assert release["changes"] == [
        {"action": "DELETE", "record": site.account.records(site.zone, WWW)[0]}
    ]


def test_a_nested_stack_and_a_plain_record_under_a_bridge(site: Site) -> None:
    record = alias(site.zone, API, "new.cloudfront.net")
    child = template(Record=record)
    url = site.account.upload_template(child)
    (site.takeover.folder / "nested.json").write_text(json.dumps(child), "utf-8")
    site.stack(Dns=nested(url))
    done = site.dry_run("api.example.com", "--strategy", "bridge")
    assert (done.code, done.result["outcome"]) == (0, "done"), done.result
    assert batches(done)[-3:] == ["bridge", "release", "remove"]


def test_a_target_that_only_the_deploy_makes_known(site: Site) -> None:
    record = alias(site.zone, WWW, {"Fn::GetAtt": ["Always", "TopicName"]}, DependsOn="Always")
    site.stack(Site=record)
    done = site.dry_run("www.example.com")
    assert (done.code, done.result["outcome"]) == (0, "done"), done.result


def test_a_plan_that_is_refused(site: Site) -> None:
    site.stack(Site=alias(site.zone, "theirs.example.com.", "new.cloudfront.net"))
    done = site.dry_run("theirs.example.com")
    assert (done.code, done.result["outcome"]) == (3, "refused"), done.result
    assert "other" in done.result["reason"]
