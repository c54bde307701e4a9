"""The end-to-end tests' fixtures: the command, and an independent emulator's account a test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.installed import NotInstallableError
from tests.e2e.ministack import Ministack, running
from tests.e2e.processes import NO_SERVER, Relay, Takeover
from tests.e2e.simulated import Scene, serving
from tests.e2e.switching import Switches
from tests.live_sites import LiveAccount

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from tests.e2e.ministack import Account
    from tests.e2e.simulated import Account as SimulatedAccount


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    """The server, with CloudFormation's retry window; skips where it cannot be installed."""
    try:
        with running(tmp_path_factory.mktemp("ministack"), retry_delays="1,2,4,8,15,30") as server:
            yield server
    except NotInstallableError as error:
        pytest.skip(f"MiniStack cannot be installed here: {error}")


@pytest.fixture
def account(ministack: Ministack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An empty account, in an environment with its credentials and an endpoint without a server.

    So a client or a command that was not told ``account.endpoint_url`` fails, on this machine.
    """
    for name in list(os.environ):
        if name.startswith(("AWS_", "ROUTE53_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    with ministack.account() as fresh:
        for name, value in fresh.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", NO_SERVER)
        yield fresh


@pytest.fixture
def takeover(tmp_path: Path) -> Iterator[Takeover]:
    """The installed command, with a state folder of its own and in an environment without AWS."""
    with Takeover(tmp_path) as program:
        yield program


@pytest.fixture(scope="session")
def simulated(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., SimulatedAccount]]:
    """Opens simulated accounts, all of them in one process."""
    with serving(tmp_path_factory.mktemp("simulated")) as open_account:
        yield open_account


@pytest.fixture
def scene(
    simulated: Callable[..., SimulatedAccount], takeover: Takeover, request: pytest.FixtureRequest
) -> Iterator[Scene]:
    """A takeover in a simulated account; ``request.param`` says of which kind."""
    account = simulated(**getattr(request, "param", {"scenario": "nested"}))
    with Relay(account.port) as relay:
        yield Scene(account, takeover, relay)


@pytest.fixture(scope="session")
def live() -> Iterator[LiveAccount]:
    """The account in which tests put up live sites of their own."""
    with LiveAccount().served() as served:
        yield served


@pytest.fixture
def switches(live: LiveAccount, takeover: Takeover) -> Switches:
    """The command, for live sites."""
    return Switches(live, takeover)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows the server's log with a test that failed."""
    report = yield
    fixtures: dict[str, Any] = getattr(item, "funcargs", {})
    server = fixtures.get("ministack")
    if report.failed and isinstance(server, Ministack):
        report.sections.append(("MiniStack's log", server.log.read_text("utf-8")[-4000:]))
    return report
