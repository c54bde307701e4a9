"""What a stack has beside its site: data that goes for good, and work that is done twice.

A database or a table goes with everything in it, and whether the live site reads it stands in no
template. So it counts as broken unless it is retained. A bucket that has objects is never deleted
by CloudFormation; queues, schedules and event sources are told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.retire import model as kinds
from route53_takeover.core.retire.model import Break, Findings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.retire.facts import RetireFacts, TreeResource

_STORES = {
    "AWS::Cognito::UserPool": "user pool",
    "AWS::DocDB::DBCluster": "database",
    "AWS::DynamoDB::GlobalTable": "table",
    "AWS::DynamoDB::Table": "table",
    "AWS::EFS::FileSystem": "file system",
    "AWS::RDS::DBCluster": "database",
    "AWS::RDS::DBInstance": "database",
}
_QUEUE = "AWS::SQS::Queue"
_SCHEDULES = ("AWS::Events::Rule", "AWS::Scheduler::Schedule")
_CUSTOM = "AWS::CloudFormation::CustomResource"
_INSTANCE = "AWS::EC2::Instance"
_EVENT_SOURCE = "AWS::Lambda::EventSourceMapping"


def check_data(facts: RetireFacts) -> Findings:
    """What of data and background work would break, or is to be known."""
    doomed = [each for each in facts.resources if each.is_doomed]
    return Findings(breaks=tuple(_stores(doomed)), notes=tuple(_notes(doomed)))


def _stores(doomed: list[TreeResource]) -> Iterator[Break]:
    for each in doomed:
        if each.type in _STORES:
            yield Break(
                what=f"{_STORES[each.type]} of the stack",
                id=each.physical_id,
                why=f"{each} goes with its data, and whether the live site uses it cannot be told.",
                way_out=f"Add DeletionPolicy: Retain to {each.logical_id} in the template of "
                f"{each.stack_name}, deploy that, and run this again.",
            )


def _notes(doomed: list[TreeResource]) -> Iterator[str]:
    if buckets := [each for each in doomed if each.type == kinds.BUCKET]:
        yield (
            f"Buckets that go: {_ids(buckets)}. CloudFormation deletes only empty ones; `jets "
            "delete` empties them before anything else, and then there is no way back."
        )
    if queues := [each for each in doomed if each.type == _QUEUE]:
        yield f"Queues that go, with their messages: {_ids(queues)}."
    if schedules := [each for each in doomed if _is_schedule(each)]:
        yield (
            f"Schedules that end: {_names(schedules)}. While the new stack has them too, their "
            "work is done twice."
        )
    if sources := [each for each in doomed if each.type == _EVENT_SOURCE]:
        yield (
            f"Event sources that end: {_names(sources)}. While the new stack reads the same ones "
            "too, each takes a part of the messages, or both get all of them."
        )
    if custom := [each for each in doomed if _is_custom(each)]:
        yield (
            f"Custom resources, whose functions run in the delete: {_names(custom)}. What they do "
            "then cannot be told."
        )
    if instances := [each for each in doomed if each.type == _INSTANCE]:
        yield (
            f"Instances that go: {_names(instances)}. Which records lead to their addresses cannot "
            "be told, unless those are resources of the stack."
        )
    if urls := [each for each in doomed if each.type == kinds.FUNCTION_URL]:
        yield f"Function URLs that go: {_names(urls)}. Who asks them directly cannot be told."


def _is_custom(each: TreeResource) -> bool:
    is_custom = each.type.startswith("Custom::") or each.type == _CUSTOM
    return is_custom and each.type not in kinds.MAPPINGS


def _is_schedule(each: TreeResource) -> bool:
    if each.properties.get("State") == "DISABLED" or each.type not in _SCHEDULES:
        return False
    return each.type != "AWS::Events::Rule" or "ScheduleExpression" in each.properties


def _ids(resources: list[TreeResource]) -> str:
    return ", ".join(each.physical_id for each in resources)


def _names(resources: list[TreeResource]) -> str:
    return ", ".join(map(str, resources))
