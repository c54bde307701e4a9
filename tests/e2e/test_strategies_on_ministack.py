"""The strategies without a gap, carried out by the installed command on an emulator of others.

MiniStack serves no DNS. What a resolver would be told is worked out from its record sets, which a
client reads all the time: the name's own, or the wildcard's where the name does not exist.
"""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self

import pytest
from tests.e2e.test_groups_on_ministack import BLUE, PENDING, QUICK, WWW, Site, manual

if TYPE_CHECKING:
    from tests.e2e.ministack import Account
    from tests.e2e.processes import Takeover

PLAIN: dict[str, Any] = {
    "Name": WWW,
    "Type": "A",
    "TTL": 60,
    "ResourceRecords": [{"Value": "192.0.2.1"}],
}
EVERY = 0.02


class Client:
    """Asks for the name every 20 ms, and counts the answers without a record."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._ended = Event()
        self._thread = Thread(target=self._ask)
        self.asked = 0
        self.failed: list[list[str]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._ended.wait(EVERY):
            listed = self._site.account.route53.list_resource_record_sets(
                HostedZoneId=self._site.zone
            )["ResourceRecordSets"]
            names = {record["Name"] for record in listed if record["Type"] in ("A", "CNAME")}
            self.asked += 1
            if WWW not in names and "\\052.example.com." not in names:
                self.failed.append(sorted(names))


@pytest.fixture
def site(account: Account, takeover: Takeover) -> Site:
    return Site(account, takeover)


def test_a_plain_record_is_taken_over_under_a_wildcard(site: Site) -> None:
    site.by_hand(PLAIN)
    arguments = site.arguments(WWW, Www=site.record())
    with Client(site) as client:
        done = site.takeover.run(
            "run", *arguments, *PENDING, *QUICK, "--strategy", "bridge", seconds=150
        )  # the wildcard is removed a minute after the record is created
    assert done.code == 0, done.stderr
    (record,) = done.result["records"]
    assert (record["strategy"], record["observed"], record["gap_seconds"]) == (
        "bridge",
        "created",
        0.0,
    )
    assert client.asked > 50
    assert client.failed == []
    assert site.targets(WWW) == {None: "new.cloudfront.net."}
    assert site.account.records(site.zone, "\\052.example.com.") == []


def test_a_simple_record_is_taken_over_by_weights(site: Site) -> None:
    site.by_hand(manual())
    arguments = site.arguments(WWW, Www=site.record(**BLUE))
    weights = ("--strategy", "weighted", "--weights", "50,100", "--weight-every", "0.5s")
    with Client(site) as client:
        done = site.takeover.run("run", *arguments, *PENDING, *QUICK, *weights)
    assert done.code == 0, done.stderr
    (record,) = done.result["records"]
    assert (record["strategy"], record["outcome"], record["gap_seconds"]) == (
        "weighted",
        "created",
        0.0,
    )
    assert client.failed == []
    assert site.targets(WWW) == {"blue": "new.cloudfront.net."}
