"""A preview leaves nothing behind, however it ends, and says what it could not remove."""

from __future__ import annotations

import asyncio
import json
from random import Random
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from route53_takeover.base.errors import AccessDeniedError, RefusedError
from route53_takeover.core.plan.facts import Identity
from route53_takeover.core.plan.model import Options
from route53_takeover.core.ports import DeployExit
from route53_takeover.runtime.ownership_lookup import Tree
from route53_takeover.runtime.pending_template import PendingReader
from route53_takeover.runtime.preview import Preview
from route53_takeover.simulation.aws.account import SimulatedAccount
from route53_takeover.simulation.chaos.cloudformation_port import SimulatedStacks
from route53_takeover.simulation.chaos.runner import START
from route53_takeover.simulation.chaos.transport import FaultRates, Transport, VirtualClock
from route53_takeover.simulation.chaos.virtual_time import VirtualLoop
from route53_takeover.simulation.scenarios import site_account

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from route53_takeover.core.domain.stacks import ChangeSet
    from route53_takeover.core.plan.facts import PendingTemplate


class Slow(SimulatedStacks):
    """A change set is ready at the third look, in the status of `ends`."""

    looks = 0
    ends, reason = "CREATE_COMPLETE", ""

    async def change_set(self, change_set_id: str) -> ChangeSet:
        found = await super().change_set(change_set_id)
        self.looks += 1
        if self.looks < 3:
            return replace(found, status="CREATE_IN_PROGRESS")
        return replace(found, status=self.ends, reason=self.reason)


class Failing(Slow):
    ends, reason = "FAILED", "AWS::EarlyValidation: a property is not right"


class Undeletable(SimulatedStacks):
    async def delete_change_set(self, change_set_id: str) -> None:
        raise AccessDeniedError(f"may not delete {change_set_id}", code="AccessDenied")


def previewed(
    kind: type[SimulatedStacks] = SimulatedStacks,
    command: Callable[[], Awaitable[None]] | None = None,
    name: str = "shop",
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[PendingTemplate | BaseException, list[str]]:
    """What a preview of a stack came to (``shop`` is there), and the change sets that are left."""
    world = SimulatedAccount(site_account(), seed="preview", start=START)

    async def run(_: str) -> DeployExit:
        made = world.stacks.change_sets.create(
            {
                "StackName": name,
                "ChangeSetName": "preview",
                "ChangeSetType": "UPDATE" if name == "shop" else "CREATE",
            },
            body=json.dumps(world.account.template),
            parameters={"Route53Enable": "true"},
        )
        if command is not None:
            await command()
        return DeployExit(code=0, tail=made.change_set_id)

    async def make() -> PendingTemplate:
        clock = VirtualClock(world.timeline.now)
        rng = Random(1)  # noqa: S311 -- a simulation
        stacks = kind(Transport(world, clock, rng, FaultRates()))
        root = await stacks.describe(name)
        reader = PendingReader(
            stacks,
            stacks,
            root=root,
            tree=await Tree.read(stacks, root),
            options=Options(stack=name, records=()),
            identity=Identity(account="123456789012", arn="arn:aws:iam::123456789012:user/a"),
            region="us-east-1",
        )
        preview = Preview(stacks, stacks, clock, run, tell=tell)
        return await preview.make("make", root, name, reader)

    async def until_cancelled() -> PendingTemplate | BaseException:
        task = asyncio.create_task(make())
        if command is not None:
            await asyncio.sleep(5)
            task.cancel()
        (done,) = await asyncio.gather(task, return_exceptions=True)
        return done

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        came_to = runner.run(until_cancelled())
    left = world.stacks.change_sets.of_stack(world.stacks.get(name).stack_id)
    return came_to, [each.name for each in left]


def test_a_change_set_that_takes_its_time_is_waited_for() -> None:
    pending, left = previewed(Slow)
    assert not isinstance(pending, BaseException), pending
    assert ([each.path for each in pending.records], left) == (["DnsRecord"], [])


def test_a_change_set_that_fails_says_why_and_is_deleted() -> None:
    error, left = previewed(Failing)
    assert isinstance(error, RefusedError)
    assert "is FAILED: AWS::EarlyValidation: a property is not right" in error.message
    assert left == []


def test_a_refused_preview_tells_of_the_empty_stack_that_it_left() -> None:
    error, left = previewed(Failing, name="new")
    assert isinstance(error, RefusedError)
    assert "is FAILED" in error.message
    assert "created stack new, which is REVIEW_IN_PROGRESS" in error.hint
    assert "aws cloudformation delete-stack --stack-name new" in error.hint
    assert left == []


def test_a_preview_that_is_interrupted_says_what_may_be_left_of_its_command() -> None:
    told: list[str] = []
    error, left = previewed(command=lambda: asyncio.sleep(3600), tell=told.append)
    assert isinstance(error, asyncio.CancelledError)
    assert left == ["preview"]
    assert "changeSet/preview/" in told[-1]
    assert "aws cloudformation delete-change-set" in told[-1]


def test_a_preview_that_is_interrupted_after_its_command_deletes_what_that_made() -> None:
    class Stuck(SimulatedStacks):
        async def change_set(self, change_set_id: str) -> ChangeSet:
            await asyncio.sleep(3600)
            return await super().change_set(change_set_id)

    error, left = previewed(Stuck, command=lambda: asyncio.sleep(0))
    assert isinstance(error, asyncio.CancelledError)
    assert left == []


def test_what_cannot_be_deleted_is_reported_with_the_command_that_does() -> None:
    pending, left = previewed(Undeletable)
    assert not isinstance(pending, BaseException), pending
    assert left == ["preview"]
    (warning,) = pending.warnings
    assert "could not be deleted: may not delete" in warning.text
    assert "aws cloudformation delete-change-set" in warning.hint


@pytest.mark.parametrize("kind", [SimulatedStacks, Slow])
def test_a_preview_gives_the_records_as_certain(kind: type[SimulatedStacks]) -> None:
    pending, _ = previewed(kind)
    assert not isinstance(pending, BaseException), pending
    assert pending.given
    assert [each.certain for each in pending.records] == [True]
