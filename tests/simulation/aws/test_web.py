"""The simulated web: fronts pass requests on, sites answer them, in process and over real HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest
from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.adapters.http_checks import WebChecks
from route53_takeover.core.domain.api_mappings import ApiTarget
from route53_takeover.core.domain.http_checks import Route
from route53_takeover.core.switch.check_syntax import parse_check
from route53_takeover.simulation.aws.timeline import Schedule
from route53_takeover.simulation.aws.web.routing import SiteAnswer, SiteRequest, ToApi
from route53_takeover.simulation.aws.web.server import WebServer
from route53_takeover.simulation.aws.web.sites import Page, Site, Sites, Trouble
from route53_takeover.simulation.aws.web.web import MOST_HOPS, Web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from route53_takeover.core.domain.http_checks import CheckAnswer

PROBE = Path(__file__).parents[3] / "scripts/probe_site.py"
START = 1_700_000_000.0
SITE, URL = "www.example.com", "https://www.example.com"
BLUE, GREEN = ApiTarget("blueapi", "dev"), ApiTarget("greenapi", "dev_2")
FORM = {"origin": URL}


class Domain:
    """A custom domain with one mapping: a host leads to a stage."""

    def __init__(self, host: str, target: ApiTarget) -> None:
        self.host = host
        self.target = target

    def route(self, request: SiteRequest) -> ToApi | None:
        if request.host != self.host:
            return None
        return ToApi(target=self.target, path=request.path)


class Distribution(Struct):
    """A host that asks another one; it may keep the host that it was asked by."""

    host: str
    origin: str

    def route(self, request: SiteRequest) -> SiteRequest | SiteAnswer | None:
        if request.host != self.host:
            return None
        if request.path == "/blocked":
            return SiteAnswer(status=403, body=b"blocked")
        return replace(request, host=self.origin)


class Stamping(Distribution):
    """One that sees the answers to what it passed on."""

    def answered(self, passed: SiteRequest, answer: SiteAnswer) -> SiteAnswer:
        seen = f"{answer.headers.get('seen', '')} {self.host}>{passed.host}".strip()
        return replace(answer, headers={**answer.headers, "seen": seen})


class Account:
    """A domain that leads to blue, and a distribution in front of green's own host."""

    def __init__(self) -> None:
        self.timeline = Schedule(START)
        self.now = START
        self.sites = Sites(self.timeline)
        self.blue, self.green = Site("blue"), Site("green")
        self.sites.put(BLUE, self.blue)
        self.sites.put(GREEN, self.green)
        self.sites.put("green.lambda-url.example", self.green)
        self.domain = Domain(SITE, BLUE)
        self.front = Distribution("front.example.com", "green.lambda-url.example")
        self.web = Web([self.domain, self.front], self.sites)
        self.server = WebServer(self.web, before=lambda: self.timeline.advance(self.now))
        self.url = ""

    def ask(
        self, host: str, path: str = "/", method: str = "GET", headers: Mapping[str, str] = FORM
    ) -> SiteAnswer | None:
        request = SiteRequest(method=method, host=host, path=path, headers=headers)
        return self.web.ask(request)

    def status(self, host: str, path: str = "/", method: str = "GET", **headers: str) -> int:
        answer = self.ask(host, path, method, headers or FORM)
        assert answer is not None
        return answer.status

    async def check(self, text: str, route: Route | None = None) -> CheckAnswer:
        checks = WebChecks(environment=os.environ, site=SITE, connect=self.url)
        return await checks.carry_out(parse_check(text), route or Route())


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
async def served(account: Account) -> AsyncIterator[Account]:
    account.url = await account.server.start()
    yield account
    await account.server.stop()


def test_a_request_goes_from_front_to_front_to_the_site_that_answers(account: Account) -> None:
    live, behind = account.ask(SITE), account.ask("front.example.com")
    assert live is not None
    assert behind is not None
    assert (live.status, live.headers["x-env"], live.body) == (
        *(200, "blue"),
        b"<h1>Welcome to blue</h1>",
    )
    assert behind.headers["x-env"] == "green"
    account.domain.target = GREEN
    switched = account.ask(SITE)
    assert switched is not None
    assert switched.headers["x-env"] == "green"


def test_an_answer_goes_back_by_the_fronts_that_the_request_came_by(account: Account) -> None:
    """Each may keep it, and answer the next request by itself."""
    outer = Stamping("outer.example.com", "inner.example.com")
    inner = Stamping("inner.example.com", "green.lambda-url.example")
    account.web.fronts += [outer, inner]
    answer = account.ask("outer.example.com")
    assert answer is not None
    assert answer.headers["seen"] == (
        "inner.example.com>green.lambda-url.example outer.example.com>inner.example.com"
    )
    blocked = account.ask("outer.example.com", "/blocked")
    assert blocked is not None
    assert (blocked.status, "seen" in blocked.headers) == (403, False)


def test_what_has_no_site_is_answered_as_its_front_would(account: Account) -> None:
    account.sites.remove(BLUE)
    assert account.ask(SITE) == SiteAnswer(
        status=403, headers={"content-type": "application/json"}, body=b'{"message":"Forbidden"}'
    )
    account.front.origin = "gone.example"
    assert account.status("front.example.com") == 502
    assert account.status("front.example.com", "/blocked") == 403
    assert account.ask("nowhere.example") is None


@pytest.mark.parametrize(("hops", "status"), [(MOST_HOPS - 1, 200), (MOST_HOPS, 508)])
def test_a_request_comes_by_ten_hosts_at_most(account: Account, hops: int, status: int) -> None:
    chain = [Distribution(f"{n}.example", f"{n + 1}.example") for n in range(hops)]
    chain[-1].origin = "green.lambda-url.example"
    account.web.fronts += chain
    assert account.status("0.example") == status


def test_a_loop_comes_to_an_end(account: Account) -> None:
    account.front.origin = "front.example.com"
    assert account.status("front.example.com") == 508


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_site_that_sees_another_host_refuses_forms_and_not_pages(
    account: Account, method: str
) -> None:
    account.green.pages["/form"] = Page(body="taken")
    front = "front.example.com"
    assert account.status(front, "/form", "GET", origin=f"https://{front}") == 200
    assert account.status(front, "/form", method, origin=f"https://{front}") == 422
    assert account.status(front, "/form", method, origin="null") == 422
    assert account.status(front, "/form", method, origin="https://[") == 422
    assert account.status(front, "/form", method, accept="*/*") == 200
    account.green.shown_host = front
    assert account.status(front, "/form", method, origin=f"https://{front}:443") == 200
    account.green.shown_host, account.green.checks_origin = "", False
    assert account.status(front, "/form", method, origin=f"https://{front}") == 200


def test_a_site_answers_by_method_and_path(account: Account) -> None:
    assert account.status(SITE, "/login", "POST") == 302
    assert account.status(SITE, "/login") == 200
    assert account.status(SITE, "/nothing") == 404
    head = account.ask(SITE, "/", "HEAD")
    assert head is not None
    assert (head.status, head.body) == (200, b"")


def test_a_site_fails_from_a_time_on_for_some_paths_or_a_share(account: Account) -> None:
    account.blue.fail(Trouble(since=START + 10, until=START + 20, paths=("/up",), status=503))
    found = []
    for seconds in (9.9, 10.0, 19.9, 20.0):
        account.timeline.advance(START + seconds)
        found.append((account.status(SITE, "/up"), account.status(SITE, "/")))
    assert found == [(200, 200), (503, 200), (503, 200), (200, 200)]
    account.blue.fail(Trouble(since=START, share=0.3))
    failed = [account.status(SITE) for _ in range(1000)].count(500)
    assert 250 < failed < 350


# over real HTTP


async def test_the_host_decides_who_answers_over_http(served: Account) -> None:
    live = await served.check(f"{URL}/up --side-header X-Env --expect-body ok")
    green = await served.check(
        f"{URL}/up?a=1 --side-header X-Env", Route(base_url="https://front.example.com:8443")
    )
    assert (live.passed, live.marks, green.passed, green.marks) == (True, "blue", True, "green")
    gone = await served.check("https://nowhere.example/")
    assert gone.reason == "the connection was closed without an answer"


async def test_time_moves_on_before_each_request(served: Account) -> None:
    served.blue.fail(Trouble(since=START + 10))
    assert (await served.check(f"{URL}/")).status == 200
    served.now = START + 10
    assert (await served.check(f"{URL}/")).status == 500


async def test_a_form_through_a_front_fails_where_a_page_does_not(served: Account) -> None:
    green = Route(base_url="https://front.example.com")
    text = f"{URL}/login -H 'Origin: {URL}' -b s=1 --expect-status 200,302"
    assert (await served.check(text, green)).passed
    assert (await served.check(f"{text} -d user=x", green)).reason == (
        "the status is 422, not 200 or 302"
    )
    served.green.shown_host = SITE
    assert (await served.check(f"{text} -d user=x", green)).passed


async def test_an_error_in_the_web_is_an_answer(
    served: Account, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(served.domain, "target", None)
    monkeypatch.setattr(served.sites, "answer", lambda *_: 1 / 0)
    assert (await served.check(f"{URL}/")).status == 500
    assert "ZeroDivisionError" in caplog.text


async def test_a_command_reaches_the_web_of_a_rehearsal_by_its_proxy(served: Account) -> None:
    program = (
        "import os, urllib.request as r; "
        "print(r.urlopen(os.environ['TAKEOVER_BASE_URL'] + '/up').headers['x-env'])"
    )
    command = f'{sys.executable} -c "{program}"; exit 1'
    assert (await served.check(command)).reason == "exit status 1: blue"
    green = Route(side="green", base_url="https://front.example.com")
    assert (await served.check(command, green)).reason == "exit status 1: green"


async def test_hosts_are_read_as_clients_write_them(served: Account) -> None:
    async with aiohttp.ClientSession() as session:
        for host in ("WWW.Example.com", "www.example.com.", "www.example.com:8080"):
            async with session.get(f"{served.url}/up", headers={"Host": host}) as answer:
                assert answer.headers["x-env"] == "blue", host


# the probe


async def test_the_probe_counts_failures_and_who_answered(served: Account) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, PROBE, f"{URL}/up --side-header x-env"),
        *("--connect", served.url, "--for", "30"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    assert await process.stderr.readline() == b"asking\n"
    await asyncio.sleep(0.3)
    served.domain.target = GREEN
    await asyncio.sleep(0.3)
    served.green.fail(Trouble(since=START, status=502))
    await asyncio.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    out, _ = await process.communicate()
    told = json.loads(out)
    assert told["sent"] >= 20
    assert told["failed"] == told["reasons"]["the status is 502"] == told["sent"] - told["passed"]
    assert 0 < told["failed"] < told["sent"] / 2
    blue, green = told["answered"]["blue"], told["answered"]["green"]
    assert blue["count"] + green["count"] == told["sent"]
    assert blue["last"] < green["last"]
    assert process.returncode == 0
