"""Starts moto, an AWS emulator of other people's, for the services that MiniStack has not.

Owns its environment (made once, in the user's cache folder) and its process. Nothing here may reach
further than 127.0.0.1, but for the installation from the package index.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.e2e.installed import python_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = "5.2.0"
PACKAGES = (f"moto[apigateway,server]=={VERSION}",)
_SERVE = """\
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
"""


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The URL of a server on a free port of 127.0.0.1; its log is ``moto.log`` in ``folder``.

    It ends with its standard input, so that it never outlives who started it.

    Raises:
        NotInstallableError: the package cannot be had.
    """
    python = python_environment(f"moto-{VERSION}", *PACKAGES) / "python"
    environment = {"PATH": os.defpath, "HOME": str(folder), "TMPDIR": str(folder)}
    with (
        (folder / "moto.log").open("wb") as log,
        subprocess.Popen(
            [python, "-I", "-c", _SERVE],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        assert process.stdin
        assert process.stdout
        try:
            port = process.stdout.readline().strip().decode()
            assert port, f"moto does not start: {(folder / 'moto.log').read_text('utf-8')[-3000:]}"
            yield f"http://127.0.0.1:{port}"
        finally:
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
