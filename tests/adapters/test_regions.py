"""The client of another region, which only asks."""

from __future__ import annotations

from typing import Any

import pytest

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.adapters.operation_allowlist import NotAllowedError
from route53_takeover.adapters.rate_limit import CallBudget
from route53_takeover.adapters.regions import Region
from route53_takeover.base.errors import UnansweredError


async def test_a_defect_of_ours_is_not_reported_as_an_answer_that_was_lost() -> None:
    client: Any = None
    region = Region(client, "log in", CallBudget(SystemClock(), rate=5, burst=5))
    with pytest.raises(NotAllowedError):
        async with region.reading("cloudformation:DescribeStacks"):
            raise NotAllowedError("cloudformation:DeleteStack: nothing was sent")
    with pytest.raises(UnansweredError):
        async with region.reading("cloudformation:DescribeStacks"):
            raise ConnectionResetError
