"""Serves simulated accounts of scenarios on 127.0.0.1 until it is told to stop.

Prints one JSON line: the endpoint, the name servers, and what a takeover in it would be called
with. The end-to-end tests start it as a process of its own; so can anybody who wants to try the
AWS CLI or boto3 on it:

    uv run scripts/simulated_account.py --shell account.sh &
    . ./account.sh

The file points a shell at the account; ``$DEPLOY`` is a deploy command for its stack.

Under ``control_url`` it tells what truly happened and moves time on, which no AWS API can:

    GET  /accounts/1            who wrote what in the zone, and how the stack is
    POST /accounts/1?skip=60    the same, a minute later
    POST /accounts?scenario=... another account, with its own endpoint (a line as the first one)

An account of ``--speed 0`` stands still: its time passes only where it is skipped.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import signal
import sys
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web
from msgspec.structs import replace

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.simulation.scenarios import DEFAULT, cname, find_scenario
from route53_takeover.simulation.serve import rehearsal_options, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from route53_takeover.simulation.serve import ServedAccount


class SkippingClock(SystemClock):
    """A clock of any speed, none included, that can be moved on."""

    def __init__(self, pace: float) -> None:
        super().__init__()
        self._pace = pace
        self._began = super().now()
        self._skipped = 0.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._began + (super().now() - self._began) * self._pace + self._skipped

    def skip(self, seconds: float) -> None:
        """Lets so many seconds have passed."""
        self._skipped += seconds


class Accounts:
    """The accounts that are served, and what is asked of them beside AWS's API.

    Args:
        folder: where the templates' files are put.
        stack: closes what was opened.
    """

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._opened: list[tuple[ServedAccount, SkippingClock]] = []

    async def open(self, options: Mapping[str, str]) -> dict[str, Any]:
        """Opens one, and returns what its line says.

        Args:
            options: ``scenario``, ``seed``, ``speed``, and ``cname``: the TTL of a CNAME that
                stands in the place of the scenario's own record.
        """
        scenario = find_scenario(options.get("scenario", DEFAULT))
        if "cname" in options:
            existing = (replace(cname(int(options["cname"])), values=("d1old.cloudfront.net",)),)
            scenario = replace(scenario, account=replace(scenario.account, existing=existing))
        folder = self._folder / f"account-{len(self._opened) + 1}"
        folder.mkdir(parents=True, exist_ok=True)
        asked = rehearsal_options(scenario, folder)
        clock = SkippingClock(float(options.get("speed", "1")))
        served = await self._stack.enter_async_context(
            serving(scenario, seed=options.get("seed", "1"), clock=clock)
        )
        self._opened.append((served, clock))
        return {
            "endpoint_url": served.endpoint_url,
            "name_servers": list(served.name_servers),
            "zone_id": served.world.zone.zone_id,
            "stack": asked.stack,
            "record": scenario.record,
            "deploy": asked.deploy_on,
            "template": str(folder / "template.json"),
            "number": len(self._opened),
        }

    def tell(self, number: int, *, skip: float = 0.0) -> dict[str, Any]:
        """What truly happened in one, so many seconds from now."""
        served, clock = self._opened[number - 1]
        world = served.world
        clock.skip(skip)
        world.timeline.advance(clock.now())
        stack = world.stacks.find(world.account.stack)
        return {
            "stack": None if stack is None else stack.status,
            "history": [
                {
                    "time": change.time,
                    "by": change.by,
                    "comment": change.comment,
                    "changes": [[action, record.to_api()] for action, record in change.changes],
                }
                for change in world.zones.history
            ],
        }

    @asynccontextmanager
    async def controlled(self) -> AsyncIterator[str]:
        """Listens for what is asked, at the URL that it yields."""

        async def open_another(request: web.Request) -> web.Response:
            return web.json_response(await self.open(request.query))

        async def answer(request: web.Request) -> web.Response:
            number = int(request.match_info["number"])
            skip = request.query.get("skip", "0") if request.method == "POST" else "0"
            return web.json_response(self.tell(number, skip=float(skip)))

        app = web.Application()
        app.router.add_post("/accounts", open_another)
        app.router.add_route("*", r"/accounts/{number:\d+}", answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


def shell_lines(line: Mapping[str, Any]) -> str:
    """What points a shell at an account, and at no other."""
    variables = {
        "AWS_ENDPOINT_URL": line["endpoint_url"],
        "AWS_ACCESS_KEY_ID": "SIMULATED",
        "AWS_SECRET_ACCESS_KEY": "simulated",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "ROUTE53_TAKEOVER_NAME_SERVER": " ".join(line["name_servers"]),
        "DEPLOY": line["deploy"],
    }
    exports = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return "\n".join(["unset AWS_PROFILE AWS_SESSION_TOKEN", *exports, ""])


async def serve(options: Mapping[str, str], folder: Path, shell: Path | None) -> None:
    """Serves until SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as stack:
        accounts = Accounts(folder, stack)
        line = await accounts.open(options)
        line["control_url"] = await stack.enter_async_context(accounts.controlled())
        if shell is not None:
            await asyncio.to_thread(shell.write_text, shell_lines(line), encoding="utf-8")
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        await stopped.wait()


def main() -> None:
    """Reads the arguments and serves."""
    parser = argparse.ArgumentParser(description="Serve a simulated account on loopback.")
    parser.add_argument("--scenario", default=DEFAULT)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds a real one")
    parser.add_argument(
        "--folder", type=Path, help="for the template's file; a temporary one without it"
    )
    parser.add_argument(
        "--shell", type=Path, metavar="FILE", help="write the variables that point a shell at it"
    )
    arguments = parser.parse_args()
    options = {
        "scenario": arguments.scenario,
        "seed": arguments.seed,
        "speed": str(arguments.speed),
    }
    with tempfile.TemporaryDirectory(prefix="simulated-account-") as temporary:
        asyncio.run(serve(options, arguments.folder or Path(temporary), arguments.shell))


if __name__ == "__main__":
    main()
