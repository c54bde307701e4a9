"""``switch --deploy``: the live site while green is made, and what is left where that fails.

The deploy is the test's own: the command says that it has begun, waits, and exits as it is told.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from tests.cli.live import JSON
from tests.live_sites import Wrote

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.live import Switcher
    from tests.cli.program import Ended
    from tests.live_sites import LiveAccount, LiveDomain

DEPLOY = "touch asked; while ! test -s told; do sleep 0.02; done; exit $(cat told)"
BY = "the deploy"
OURS = "client"


def stack_of(site: LiveDomain) -> str:
    return site.name.partition(".")[0]


def deployed(
    switcher: Switcher, site: LiveDomain, deploy: Callable[[], None], exits: int = 0
) -> Ended:
    """The switch of a site whose green is made, or not, by this deploy."""
    home = switcher.program.home

    def carry_out() -> None:
        asked = home / "asked"
        pause = threading.Event()
        while not asked.exists():
            if over.wait(0.02):
                return
        code = exits
        try:
            deploy()
        except BaseException:
            code = 99
            raise
        finally:
            pause.wait(0.1)
            (home / "told").write_text(f"{code}\n")

    over = threading.Event()
    thread = threading.Thread(target=carry_out)
    thread.start()
    try:
        to = ("--domain", site.name, "--to-stack", stack_of(site), "--deploy", DEPLOY)
        more = (*site.account.connection, *site.check, "--auto", "--bake", "1s", *JSON)
        return switcher("switch", *to, *more)
    finally:
        over.set()
        thread.join()


def create_green(site: LiveDomain) -> None:
    """The deploy's stack, as far as it is about the API."""
    account = site.account
    resource = {
        "Type": "AWS::ApiGateway::RestApi",
        "Metadata": {"Simulation": {"PhysicalId": site.green.api_id}},
    }
    stacks, name = account.world.stacks, stack_of(site)
    account.do(lambda: stacks.create_stack(name, {"Resources": {"RestApi": resource}}))
    pause = threading.Event()
    while True:
        found = account.do(lambda: stacks.find(name))
        if found is not None and found.status == "CREATE_COMPLETE":
            return
        pause.wait(0.05)


def await_writes(site: LiveDomain, by: str, number: int) -> None:
    """Waits until one writer has written so often."""
    pause = threading.Event()
    for _ in range(500):
        if [write.by for write in site.writes].count(by) >= number:
            return
        pause.wait(0.02)
    raise AssertionError(f"in vain waited for {by}: {site.writes}")


def test_green_that_the_deploy_makes_is_found_checked_and_switched_to(
    live: LiveAccount, switcher: Switcher
) -> None:
    site = live.domain(has_green=False)

    def deploy() -> None:
        live.do(lambda: site.make(site.green, "green"))
        create_green(site)

    done = deployed(switcher, site, deploy)
    assert (done.code, done.result["outcome"]) == (0, "done"), done.result
    assert site.writes == [Wrote(OURS, "", str(site.green))]
    phases = dict.fromkeys(line["phase"] for line in done.lines)
    assert list(phases)[:4] == ["backup", "deploy", "check", "switch"]


def test_a_deploy_that_moves_the_live_mappings_is_undone_at_once_and_then_green_is_checked(
    live: LiveAccount, switcher: Switcher
) -> None:
    site = live.domain("", "v1", has_green=False)

    def deploy() -> None:
        live.do(lambda: site.make(site.green, "green"))
        live.do(lambda: site.lead(site.green, "", BY))
        live.do(lambda: site.lead(site.green, "v1", BY))
        await_writes(site, OURS, 2)
        assert set(site.leads_to.values()) == {site.blue}, "while it is still deploying"
        create_green(site)

    done = deployed(switcher, site, deploy)
    assert (done.code, done.result["outcome"]) == (0, "done"), done.result
    blue, green = str(site.blue), str(site.green)
    assert site.writes[:2] == [Wrote(BY, "", green), Wrote(BY, "v1", green)]
    assert sorted(site.writes[2:4]) == [Wrote(OURS, "", blue), Wrote(OURS, "v1", blue)]
    assert site.writes[4:] == [Wrote(OURS, "", green), Wrote(OURS, "v1", green)]


def test_a_deploy_that_deletes_and_creates_the_live_mapping_is_undone(
    live: LiveAccount, switcher: Switcher
) -> None:
    site = live.domain(has_green=False)
    gateway, pause = live.world.api_gateway, threading.Event()

    def delete() -> None:
        site.make(site.green, "green")
        gateway.delete_mapping(gateway.domain(site.name), "", by=BY, operation="Delete")

    def create() -> None:
        gateway.create_mapping(gateway.domain(site.name), "", site.green, by=BY, operation="Create")

    def deploy() -> None:
        live.do(delete)
        pause.wait(0.3)  # it is gone for six of the account's seconds, and nobody is in the way
        live.do(create)
        create_green(site)

    done = deployed(switcher, site, deploy)
    assert (done.code, done.result["outcome"]) == (0, "done"), done.result
    blue, green = str(site.blue), str(site.green)
    assert site.writes == [
        Wrote(BY, "", ""),
        Wrote(BY, "", green),
        Wrote(OURS, "", blue),
        Wrote(OURS, "", green),
    ]


@pytest.mark.parametrize("steals", [False, True], ids=["in vain", "and moves the site"])
def test_a_deploy_that_fails_leaves_the_site_on_blue(
    live: LiveAccount, switcher: Switcher, *, steals: bool
) -> None:
    site = live.domain(has_green=False)

    def deploy() -> None:
        if steals:
            live.do(lambda: site.make(site.green, "green"))
            live.do(lambda: site.lead(site.green, "", BY))

    failed = deployed(switcher, site, deploy, exits=3)
    assert (failed.code, failed.result["outcome"]) == (1, "failed"), failed.result
    assert "the deploy of green exited with 3" in failed.result["reason"]
    (switch,) = failed.result["switches"]
    assert switch["to"] == f"stack {stack_of(site)}", "what it would have been is not known"
    assert switch["outcome"] == ("restored" if steals else "untouched")
    assert site.leads_to == {"": site.blue}
    assert [write.by for write in site.writes] == ([BY, OURS] if steals else [])


def test_a_deploy_that_makes_nothing_is_a_failure(live: LiveAccount, switcher: Switcher) -> None:
    site = live.domain(has_green=False)
    failed = deployed(switcher, site, lambda: None)
    assert (failed.code, failed.result["outcome"]) == (1, "failed"), failed.result
    assert site.writes == []
    missed = [line for line in failed.lines if line["event"] == "green-not-found"]
    assert "there is no stack" in missed[0]["reason"]


def test_a_stage_that_the_deploy_makes_need_not_be_there(
    live: LiveAccount, switcher: Switcher
) -> None:
    site = live.domain()
    live.do(live.world.api_gateway.api(site.green.api_id).stages.clear)
    failed = switcher("switch", *site.to_green, "--deploy", "exit 3", "--auto", *JSON)
    assert "the deploy of green exited with 3" in failed.result["reason"]
