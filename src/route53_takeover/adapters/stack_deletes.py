"""Deleting a stack over CloudFormation's API: the `StackDeletes` port.

By itself, for nothing else that reads stacks may do it: see `adapters.operation_allowlist`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.ports import StackDeletes

if TYPE_CHECKING:
    from route53_takeover.adapters.session import AwsSession


class CloudFormationDeletes(StackDeletes):
    """The stacks of one region.

    Args:
        aws: its session, opened for deletes.
    """

    def __init__(self, aws: AwsSession) -> None:
        self._aws = aws

    async def delete_stack(self, stack_id: str, token: str) -> None:
        """Begins it; CloudFormation knows a request that comes twice by its token."""
        async with self._aws.writing("cloudformation:DeleteStack") as clients:
            await clients.cloudformation.delete_stack(StackName=stack_id, ClientRequestToken=token)
