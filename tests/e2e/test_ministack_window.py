"""The emulator behaves like CloudFormation where a takeover depends on it, over real HTTP."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from tests.e2e.ministack import alias, deploy_command, nested, template, wait, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.ministack import Account

WWW = "www.example.com."
EXISTS = f"[Tried to create resource record set [name='{WWW}', type='A'] but it already exists]"
QUICK = {"Metadata": {"RetryDelays": ",".join(["0.2"] * 60)}}


def manual(kind: str = "A") -> dict[str, Any]:
    """The record that was made by hand: an alias A, or a CNAME."""
    if kind == "CNAME":
        values = [{"Value": "old.cloudfront.net"}]
        return {"Name": WWW, "Type": "CNAME", "TTL": 60, "ResourceRecords": values}
    target = {
        "HostedZoneId": "Z2FDTNDATAQYW2",
        "DNSName": "old.cloudfront.net.",
        "EvaluateTargetHealth": False,
    }
    return {"Name": WWW, "Type": "A", "AliasTarget": target}


@pytest.fixture
def zone(account: Account) -> str:
    zone_id = account.create_zone("example.com")
    account.change(zone_id, "CREATE", manual())
    return zone_id


def target(account: Account, zone: str) -> str | None:
    """Where the name points now."""
    for record in account.records(zone, WWW):
        return str(record["AliasTarget"]["DNSName"])
    return None


def in_progress(account: Account, stack: str, logical_id: str) -> None:
    wait_until(
        lambda: account.reported(stack, logical_id) == ["CREATE_IN_PROGRESS"],
        f"{logical_id} to be in progress",
    )


def test_a_create_over_an_existing_record_waits_and_succeeds_once_it_is_gone(
    account: Account, zone: str
) -> None:
    stack = account.create_stack(
        "site", template(Site=alias(zone, WWW, "new.cloudfront.net", **QUICK))
    )
    in_progress(account, stack, "Site")
    first = account.events(stack)[-1]
    assert "PhysicalResourceId" not in first or not first["PhysicalResourceId"]
    assert json.loads(first["ResourceProperties"]) == {
        "HostedZoneId": zone,
        "Name": WWW,
        "Type": "A",
        "AliasTarget": {
            "HostedZoneId": "Z2FDTNDATAQYW2",
            "DNSName": "new.cloudfront.net",
            "EvaluateTargetHealth": "false",
        },
    }
    assert account.status(stack) == "CREATE_IN_PROGRESS"
    account.change(zone, "DELETE", manual())
    account.wait_for_status(stack, "CREATE_COMPLETE")
    assert target(account, zone) == "new.cloudfront.net."
    reported = [
        (e["ResourceStatus"], e.get("ResourceStatusReason", ""), e.get("PhysicalResourceId", ""))
        for e in account.events(stack)
        if e["LogicalResourceId"] == "Site"
    ]
    assert reported == [
        ("CREATE_IN_PROGRESS", "", ""),
        ("CREATE_IN_PROGRESS", "Resource creation Initiated", WWW),
        ("CREATE_COMPLETE", "", WWW),
    ]


def test_after_the_last_delay_the_create_fails_in_cloudformations_words_and_the_record_stands(
    account: Account, zone: str
) -> None:
    site = alias(zone, WWW, "new.cloudfront.net", Metadata={"RetryDelays": "0.1,0.1"})
    stack = account.create_stack("site", template(Site=site))
    account.wait_for_status(stack, "ROLLBACK_COMPLETE")
    reasons = [e.get("ResourceStatusReason") for e in account.events(stack)]
    assert EXISTS in reasons
    assert account.reported(stack, "Site") == ["CREATE_IN_PROGRESS", "CREATE_FAILED"]
    assert account.records(zone, WWW) == [manual()]


def test_a_cancelled_update_ends_the_retries_at_once(account: Account, zone: str) -> None:
    site = template(Site=alias(zone, WWW, "new.cloudfront.net", Metadata={"RetryDelays": "60"}))
    stack = account.create_stack("site", site, Route53Enable="false")
    account.wait_for_status(stack, "CREATE_COMPLETE")
    account.update_stack("site", site, Route53Enable="true")
    in_progress(account, stack, "Site")
    account.cloudformation.cancel_update_stack(StackName=stack)
    account.wait_for_status(stack, "UPDATE_ROLLBACK_COMPLETE")
    assert account.reported(stack, "Site") == ["CREATE_IN_PROGRESS", "CREATE_FAILED"]
    assert account.records(zone, WWW) == [manual()]


def test_a_later_failing_resource_rolls_back_and_deletes_the_record(
    account: Account, zone: str
) -> None:
    account.change(zone, "DELETE", manual())
    resources = {
        "Site": alias(zone, WWW, "new.cloudfront.net"),
        "Hold": wait("Site", delete_seconds=1),
        "Later": wait("Hold", seconds=1, failure="out of luck"),
    }
    stack = account.create_stack("site", template(**resources))
    in_progress(account, stack, "Later")
    assert target(account, zone) == "new.cloudfront.net."
    account.wait_for_status(stack, "ROLLBACK_IN_PROGRESS")
    assert target(account, zone) == "new.cloudfront.net."
    account.wait_for_status(stack, "ROLLBACK_COMPLETE")
    assert account.records(zone, WWW) == []
    assert account.reported(stack, "Site")[-2:] == ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]
    assert account.reported(stack, "site")[-2:] == ["ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"]
    assert "out of luck" in [e.get("ResourceStatusReason") for e in account.events(stack)]


def test_the_parents_events_give_the_arn_of_a_nested_stack_while_its_record_waits(
    account: Account, zone: str
) -> None:
    child = template(Record=alias(zone, WWW, "new.cloudfront.net", **QUICK))
    parent = template(Dns=nested(account.upload_template(child)))
    stack = account.create_stack("site", parent)
    wait_until(lambda: len(account.reported(stack, "Dns")) == 2, "the child's ARN")
    reported = [e for e in account.events(stack) if e["LogicalResourceId"] == "Dns"]
    arn = reported[1]["PhysicalResourceId"]
    assert not reported[0].get("PhysicalResourceId")
    assert arn.startswith("arn:aws:cloudformation:us-east-1:")
    assert reported[1]["ResourceStatusReason"] == "Resource creation Initiated"
    in_progress(account, arn, "Record")
    account.change(zone, "DELETE", manual())
    account.wait_for_status(stack, "CREATE_COMPLETE")
    assert account.status(arn) == "CREATE_COMPLETE"
    assert target(account, zone) == "new.cloudfront.net."


def test_an_update_creates_what_is_new_and_is_silent_of_what_did_not_change(
    account: Account, zone: str
) -> None:
    child = template(Record=alias(zone, WWW, "new.cloudfront.net", **QUICK))
    parent = template(Dns=nested(account.upload_template(child)))
    stack = account.create_stack("site", parent, Route53Enable="false")
    account.wait_for_status(stack, "CREATE_COMPLETE")
    arn = account.events(stack)[-2]["PhysicalResourceId"]
    before = len(account.events(stack))
    account.update_stack("site", parent, Route53Enable="true")
    in_progress(account, arn, "Record")
    account.change(zone, "DELETE", manual())
    account.wait_for_status(stack, "UPDATE_COMPLETE")
    reported = [
        (e["LogicalResourceId"], e["ResourceStatus"], e.get("PhysicalResourceId"))
        for e in account.events(stack)[before:]
    ]
    assert reported == [
        ("site", "UPDATE_IN_PROGRESS", stack),
        ("Dns", "UPDATE_IN_PROGRESS", arn),
        ("Dns", "UPDATE_COMPLETE", arn),
        ("site", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", stack),
        ("site", "UPDATE_COMPLETE", stack),
    ]
    statuses = ["CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    assert account.reported(arn, "Record") == statuses


def test_a_failed_update_of_a_nested_stack_takes_its_record_away_again(
    account: Account, zone: str
) -> None:
    account.change(zone, "DELETE", manual())
    child = template(
        Record=alias(zone, WWW, "new.cloudfront.net"),
        Later=wait("Record", failure="out of luck"),
    )
    parent = template(Dns=nested(account.upload_template(child)))
    stack = account.create_stack("site", parent, Route53Enable="false")
    account.wait_for_status(stack, "CREATE_COMPLETE")
    arn = account.events(stack)[-2]["PhysicalResourceId"]
    account.update_stack("site", parent, Route53Enable="true")
    account.wait_for_status(stack, "UPDATE_ROLLBACK_COMPLETE")
    assert account.records(zone, WWW) == []
    assert account.reported(arn, arn.split("/")[1])[-4:] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]
    assert account.status(arn) == "UPDATE_ROLLBACK_COMPLETE"


def test_a_nested_stack_that_fails_to_be_created_leaves_no_record(
    account: Account, zone: str
) -> None:
    account.change(zone, "DELETE", manual())
    child = template(
        Record=alias(zone, WWW, "new.cloudfront.net"),
        Later=wait("Record", failure="out of luck"),
    )
    stack = account.create_stack("site", template(Dns=nested(account.upload_template(child))))
    account.wait_for_status(stack, "ROLLBACK_COMPLETE")
    assert account.records(zone, WWW) == []
    assert account.reported(stack, "Dns") == [
        "CREATE_IN_PROGRESS",
        "CREATE_IN_PROGRESS",
        "CREATE_FAILED",
        "DELETE_IN_PROGRESS",
        "DELETE_COMPLETE",
    ]


def test_switching_the_record_off_deletes_it_in_the_clean_up_phase(
    account: Account, zone: str
) -> None:
    account.change(zone, "DELETE", manual())
    site = template(Site=alias(zone, WWW, "new.cloudfront.net"))
    stack = account.create_stack("site", site)
    account.wait_for_status(stack, "CREATE_COMPLETE")
    owner = account.cloudformation.describe_stack_resources(PhysicalResourceId=WWW)
    assert {each["StackId"] for each in owner["StackResources"]} == {stack}
    account.update_stack("site", site, Route53Enable="false")
    account.wait_for_status(stack, "UPDATE_COMPLETE")
    reported = [(e["LogicalResourceId"], e["ResourceStatus"]) for e in account.events(stack)]
    assert reported[-5:] == [
        ("site", "UPDATE_IN_PROGRESS"),
        ("site", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Site", "DELETE_IN_PROGRESS"),
        ("Site", "DELETE_COMPLETE"),
        ("site", "UPDATE_COMPLETE"),
    ]
    assert account.records(zone, WWW) == []
    with pytest.raises(ClientError, match="does not exist"):
        account.cloudformation.describe_stack_resources(PhysicalResourceId=WWW)


def test_a_cname_and_an_alias_cannot_stand_at_one_name(account: Account, zone: str) -> None:
    with pytest.raises(ClientError, match="not permitted as it conflicts with other records"):
        account.change(zone, "CREATE", manual("CNAME"))
    assert account.records(zone, WWW) == [manual()]
    account.change(zone, "DELETE", manual())
    account.change(zone, "CREATE", manual("CNAME"))
    with pytest.raises(ClientError, match="because a conflicting RRSet of type  CNAME"):
        account.change(zone, "CREATE", manual())
    stack = account.create_stack(
        "site", template(Site=alias(zone, WWW, "new.cloudfront.net", **QUICK))
    )
    in_progress(account, stack, "Site")
    account.change(zone, "DELETE", manual("CNAME"))
    account.wait_for_status(stack, "CREATE_COMPLETE")


def test_an_identical_cname_is_adopted_and_a_plain_address_fails_at_once(
    account: Account, zone: str
) -> None:
    account.change(zone, "DELETE", manual())
    account.change(zone, "CREATE", manual("CNAME"))
    site = alias(zone, WWW, "")
    values = {"TTL": "60", "ResourceRecords": ["old.cloudfront.net"]}
    site["Properties"] = {"HostedZoneId": zone, "Name": WWW, "Type": "CNAME", **values}
    stack = account.create_stack("site", template(Site=site))
    account.wait_for_status(stack, "CREATE_COMPLETE")
    plain = {"Name": "api.example.com.", "Type": "A", "TTL": 60}
    account.change(zone, "CREATE", plain | {"ResourceRecords": [{"Value": "192.0.2.1"}]})
    api = alias(zone, WWW, "")
    api["Properties"] = plain | {"HostedZoneId": zone, "ResourceRecords": ["192.0.2.2"]}
    stack = account.create_stack("api", template(Api=api))
    account.wait_for_status(stack, "ROLLBACK_COMPLETE", seconds=2)


def test_names_and_refusals_are_spelt_as_route53_spells_them(account: Account, zone: str) -> None:
    wild = manual() | {"Name": "*.Example.com"}
    account.change(zone, "CREATE", wild)
    assert [r["Name"] for r in account.records(zone, r"\052.example.com")] == [r"\052.example.com."]
    with pytest.raises(ClientError) as refused:
        account.change(zone, "CREATE", manual())
    assert refused.value.response["Error"] == {
        "Type": "Sender",
        "Code": "InvalidChangeBatch",
        "Message": EXISTS,
    }
    other = alias(zone, WWW, "other.cloudfront.net")["Properties"]["AliasTarget"]
    with pytest.raises(ClientError, match="do not match the current values]"):
        account.change(zone, "DELETE", manual() | {"AliasTarget": other})


def test_a_rollback_never_deletes_a_record_that_is_no_longer_the_stacks(
    account: Account, zone: str
) -> None:
    account.change(zone, "DELETE", manual())
    later = wait("Site", seconds=2, failure="out of luck")
    stack = account.create_stack(
        "site", template(Site=alias(zone, WWW, "new.cloudfront.net"), Later=later)
    )
    in_progress(account, stack, "Later")
    account.change(zone, "UPSERT", manual())
    account.wait_for_status(stack, "ROLLBACK_FAILED")
    assert account.records(zone, WWW) == [manual()]


def test_one_account_does_not_see_anothers_zones_and_stacks(account: Account, zone: str) -> None:
    account.create_stack("site", template())
    account.wait_for_status("site", "CREATE_COMPLETE")
    assert zone
    other = type(account)(account.endpoint_url, "999999999999")
    with other:
        assert other.route53.list_hosted_zones()["HostedZones"] == []
        with pytest.raises(ClientError, match="does not exist"):
            other.status("site")


def test_the_deploy_command_deploys_by_its_environment_and_says_how_it_went(
    account: Account, zone: str, tmp_path: Path
) -> None:
    site = template(Site=alias(zone, WWW, "new.cloudfront.net", Metadata={"RetryDelays": "0.1"}))
    command = deploy_command(tmp_path, "site", site)

    def run(switch: str, endpoint_url: str = account.endpoint_url) -> tuple[int, str]:
        done = subprocess.run(
            ["sh", "-c", command],
            env=os.environ | {"ROUTE53_ENABLE": switch, "AWS_ENDPOINT_URL": endpoint_url},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    assert run("false") == (0, "create site with ROUTE53_ENABLE=false\ncreate complete\n")
    assert run("false")[1].endswith("no updates are to be performed\n")
    code, said = run("true")
    assert (code, account.status("site")) == (1, "UPDATE_ROLLBACK_COMPLETE")
    assert "failed: " in said
    account.change(zone, "DELETE", manual())
    assert run("true") == (0, "update site with ROUTE53_ENABLE=true\nupdate complete\n")
    assert run("true", "https://cloudformation.example.com")[0] == 3


def test_a_change_set_follows_conditions_and_tells_the_values_after_it(
    account: Account, zone: str
) -> None:
    client = account.cloudformation
    contents = template(Site=alias(zone, WWW, {"Fn::GetAtt": ["Always", "TopicName"]}))
    contents["Resources"]["Always"]["Condition"] = "WithRecord"
    contents["Resources"]["Plain"] = {"Type": "AWS::SNS::Topic"}

    def change_set(name: str, kind: str, switch: str) -> Any:
        client.create_change_set(
            StackName="site",
            ChangeSetName=name,
            ChangeSetType=kind,  # type: ignore[arg-type]
            TemplateBody=json.dumps(contents),
            Parameters=[{"ParameterKey": "Route53Enable", "ParameterValue": switch}],
        )
        return client.describe_change_set(
            StackName="site", ChangeSetName=name, IncludePropertyValues=True
        )

    first, second = (change_set(each, "CREATE", "false") for each in ("first", "second"))
    assert first["StackId"] == second["StackId"], "all are of the one stack in review"
    listed = client.list_change_sets(StackName=first["StackId"])["Summaries"]
    assert [each["ChangeSetName"] for each in listed] == ["first", "second"]
    assert [c["ResourceChange"]["LogicalResourceId"] for c in second["Changes"]] == ["Plain"]
    client.execute_change_set(StackName="site", ChangeSetName="second")
    account.wait_for_status("site", "CREATE_COMPLETE")
    third = change_set("third", "UPDATE", "true")
    changes = {c["ResourceChange"]["LogicalResourceId"]: c for c in third["Changes"]}
    assert changes.keys() == {"Always", "Site"}
    after = json.loads(changes["Site"]["ResourceChange"]["AfterContext"])["Properties"]
    assert after["AliasTarget"]["DNSName"] == "{{changeSet:KNOWN_AFTER_APPLY}}"
    assert (after["HostedZoneId"], after["Name"]) == (zone, WWW)
