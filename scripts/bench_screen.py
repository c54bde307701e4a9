"""Measures the screen of a run: memory and CPU, of it and of the run.

    uv run scripts/bench_screen.py [--hours 2] [--speed 100] [--size 120x40]
    uv run scripts/bench_screen.py --scenario never-created --speed 1 --after 60 --seconds 30

A rehearsal on a terminal of its own. Without ``--after`` it is paused before its first deploy, and
``--speed`` times as fast as life: two hours take 72 seconds. What grows with the time that passes
grows here, too; what a screen draws each real second it draws less often than in life, so CPU is
per real second.

With ``--after`` nothing is paused: from so many seconds after the start it is measured once for
``--seconds``, in a gap for example. ``--program`` measures another version of the program; only the
ratio of two that run at the same time says something on a machine that does other work.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


class Process:
    """What /proc tells of one."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")

    @property
    def resident(self) -> float:
        """Megabytes."""
        lines = (self._folder / "status").read_text().splitlines()
        return int(next(li for li in lines if li.startswith("VmRSS")).split()[1]) / 1024

    @property
    def cpu(self) -> float:
        """Seconds so far."""
        fields = (self._folder / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


def started(state: str, given: argparse.Namespace) -> tuple[subprocess.Popen[bytes], int]:
    """The screen, and the terminal that it is on."""
    master, slave = pty.openpty()
    columns, lines = map(int, given.size.split("x"))
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    words = ["--scenario", given.scenario, "--speed", str(given.speed), "--state-dir", state]
    process = subprocess.Popen(
        [given.program, "rehearse", *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(slave)
    return process, master


def read_for(master: int, seconds: float, wanted: bytes = b"") -> bool:
    """Reads what is drawn, for so long or until it holds this; whether it did."""
    end, seen = time.monotonic() + seconds, b""  # noqa: TID251 -- a measurement
    while (left := end - time.monotonic()) > 0:  # noqa: TID251
        if select.select([master], [], [], left)[0]:
            seen = seen[-20_000:] + os.read(master, 1 << 16)
            if wanted and wanted in seen:
                return True
    return False


def run_of(state: str) -> int:
    """The process of the run."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            used = [str(fd.readlink()) for fd in (folder / "fd").iterdir()]
        except OSError:
            continue
        if b"route53_takeover.cli.worker" in words and any(state in path for path in used):
            return int(folder.name)
    raise SystemExit("the run has no process")


def press(master: int, key: bytes, shown: bytes) -> None:
    """Presses a key once this is shown."""
    if not read_for(master, 30, shown):
        raise SystemExit(f"in vain waited for {shown.decode()!r}")
    os.write(master, key)


def measure(name: str, master: int, seconds: float, screen: Process, run: Process) -> None:
    """Prints a line."""
    before = screen.cpu, run.cpu
    read_for(master, seconds)
    spent = [
        (now - then) / seconds for now, then in zip((screen.cpu, run.cpu), before, strict=True)
    ]
    parts = zip((screen.resident, run.resident), spent, strict=True)
    shown = " ".join(f"{resident:9.1f}  {cpu:6.4f}" for resident, cpu in parts)
    print(f"{name:>11}   {shown}", flush=True)


def main() -> None:
    """Runs the measurement and prints a line for each part of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--speed", type=float, default=100.0)
    parser.add_argument("--size", default="120x40", help="columns x lines")
    parser.add_argument("--scenario", default="cname")
    parser.add_argument("--after", type=float, help="seconds from the start to the measurement")
    parser.add_argument("--seconds", type=float, default=30.0, help="of a measurement --after")
    parser.add_argument("--program", default=Path(sys.executable).with_name("route53-takeover"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as state:
        screen, master = started(state, given)
        try:
            press(master, b"\r", b" Start ")
            press(master, b"y", b"Take over")
            if given.after is None:
                press(master, b"p", b" running ")
                if not read_for(master, 30, b"PAUSED"):
                    raise SystemExit("it does not pause")
            else:
                read_for(master, given.after)
            parts = Process(screen.pid), Process(run_of(state))
            print("  simulated   screen MB   CPU/s    run MB   CPU/s")
            if given.after is not None:
                measure(f"{given.after:.0f} s", master, given.seconds, *parts)
                return
            for part in range(11):
                name = f"{given.hours * (part + 1) / 10:.2f} h"
                measure(name, master, given.hours * 360 / given.speed, *parts)
            os.write(master, b"x")
            read_for(master, 5, b"given up")
            os.write(master, b"www.example.com\r")
            read_for(master, 20, b"ABORTED")
        finally:
            screen.kill()
            screen.wait()
            with suppress(ProcessLookupError, SystemExit):
                os.kill(run_of(state), signal.SIGKILL)


if __name__ == "__main__":
    main()
