"""What users get all through a switch: a request by the live name every 20 ms, none repeated."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.processes import bare_environment
from tests.e2e.simulated import await_true
from tests.e2e.switching import Switches
from tests.live_sites import LiveAccount

from route53_takeover.core.domain.api_mappings import ApiKind, EndpointType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.processes import Takeover
    from tests.live_sites import LiveDomain

PROBE = Path(__file__).parents[2] / "scripts" / "probe_site.py"
SPEED = 5.0
"""Slow enough that the seconds in which both sides answer hold many requests."""


@contextmanager
def asked_all_the_time(site: LiveDomain, folder: Path) -> Iterator[dict[str, Any]]:
    """Asks a site from a process until the context ends; what came of it is told then."""
    told: dict[str, Any] = {}
    _, check = site.check
    stderr = folder / f"probe-{site.name}.txt"
    with (
        stderr.open("w") as file,
        subprocess.Popen(
            [sys.executable, PROBE, check, "--connect", site.account.web_url],
            env=bare_environment(folder),
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
        ) as process,
    ):
        try:
            await_true(lambda: "asking" in stderr.read_text("utf-8"), "the first request")
            yield told
        finally:
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=30)
    told |= json.loads(out)


def test_no_request_fails_while_a_domain_is_switched(takeover: Takeover) -> None:
    """By v2 and by v1, both at once."""
    with LiveAccount(SPEED).served() as account:
        switches, folder = Switches(account, takeover), takeover.folder
        regional = account.domain(kind=ApiKind.HTTP)
        edge = account.domain(endpoint_type=EndpointType.EDGE)
        with (
            asked_all_the_time(regional, folder) as by_v2,
            asked_all_the_time(edge, folder) as by_v1,
        ):
            started = [switches.switch(site, bake="1s") for site in (regional, edge)]
            for running in started:
                done = running.finish()
                assert (done.code, done.result["outcome"]) == (0, "done"), done.result
    for told in (by_v2, by_v1):
        assert (told["failed"], told["passed"]) == (0, told["sent"]), told
        blue, green = told["answered"]["blue"], told["answered"]["green"]
        assert blue["count"] + green["count"] == told["sent"], told
        assert told["sent"] > 100, told
        assert blue["first"] < green["first"] < blue["last"] < green["last"], "mixed for a time"
