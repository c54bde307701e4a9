"""A measurement by the real adapters, in a simulated account that answers over HTTP and DNS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.measuring.in_process import RUN, Ledger, Site

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.cli.bootstrap import opened, prober_of
from route53_takeover.cli.live_measurement import bench_of, measurement_lines
from route53_takeover.core.measuring.scope import Scope
from route53_takeover.core.plan.facts import Identity
from route53_takeover.core.plan.measured import (
    MeasuredKind,
    MeasuredOutcome,
    Measurement,
    RecordKind,
)
from route53_takeover.runtime.measuring.measure import measure
from route53_takeover.runtime.measuring.removal import remove_all
from route53_takeover.simulation.aws.cloudtrail import api as cloudtrail_api
from route53_takeover.simulation.serve import PAST, serving_world
from route53_takeover.storage.config import Connection
from route53_takeover.storage.journal import MemoryJournal

if TYPE_CHECKING:
    from collections.abc import Mapping

SPEED = 12.0


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


async def test_the_real_adapters_recover_the_schedule() -> None:
    clock = SystemClock(SPEED)
    site = Site(delays=(2, 3, 5, 25), start=clock.now() - PAST - 3600)
    services: Mapping[str, Any] = {
        "cloudtrail": cloudtrail_api.operations(site.world.zones, lag=0.0)
    }
    async with serving_world(site.world, clock, services=services) as served:
        connection = Connection(
            region="us-east-1",
            endpoint_url=served.endpoint_url,
            name_servers=served.name_servers,
        )
        async with opened(connection, clock, writable=True, measures=True) as account:
            zone_id = site.world.zone.zone_id
            scope = Scope(run=RUN, zone_id=zone_id, zone_name="example.com.")
            bench = bench_of(account, scope, Ledger(), clock, site.told.append)
            measured = await measure(
                bench,
                [RecordKind.ALIAS],
                protections=True,
                identity=Identity(account="123456789012", arn="test"),
                region=account.region,
                prober=prober_of(connection, ()),
                journal=MemoryJournal(),
                log_patience=0.0,
            )
            assert await remove_all(bench) == []
    (found,) = measured.kinds
    assert found.differs is MeasuredOutcome.RETRIED
    assert found.protected is MeasuredOutcome.FAILED_AT_ONCE
    near = max(found.uncertainty, 0.5) + 0.1  # a slow machine is less certain, and says so
    for given in (2.0, 5.0, 10.0, 35.0):
        assert min(abs(each - given) for each in found.tries) <= near, found
    assert found.event_lag == pytest.approx(0.0, abs=0.5)
    assert measured.visible_after is not None
    assert measured.takeover_gap is not None
    assert served.calls["cloudtrail:LookupEvents"] >= 1
    assert site.state == site.before


@pytest.mark.parametrize(("lag", "said"), [(-0.01, "0 s"), (-2.0, "0 s"), (1.24, "1.2 s")])
def test_events_never_come_before_the_change(lag: float, said: str) -> None:
    kind = MeasuredKind(
        kind=RecordKind.ALIAS, at=0.0, differs=MeasuredOutcome.RETRIED, event_lag=lag
    )
    made = Measurement(account="1", region="us-east-1", run=RUN, kinds=(kind,))
    assert f"alias: events come {said} after the change" in measurement_lines(made)
