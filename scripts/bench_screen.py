"""Measures the screen of a run that waits for two hours: memory and CPU, of it and of the run.

    uv run scripts/bench_screen.py [--hours 2] [--speed 100]

A rehearsal on a terminal of its own (120x40), paused before its first deploy, ``--speed`` times as
fast as life: two hours take 72 seconds. What grows with the time that passes grows here, too; what
a screen draws each real second it draws less often than in life, so CPU is told for each second.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
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


def started(state: str, speed: float) -> tuple[subprocess.Popen[bytes], int]:
    """The screen, and the terminal that it is on."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    program = Path(sys.executable).with_name("route53-takeover")
    words = ["rehearse", "--scenario", "cname", "--speed", str(speed), "--state-dir", state]
    process = subprocess.Popen(
        [program, *words],
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


def main() -> None:
    """Runs the measurement and prints a line for each tenth of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--speed", type=float, default=100.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as state:
        screen, master = started(state, arguments.speed)
        try:
            for key, shown in ((b"s", b"Press s"), (b"y", b"Take over"), (b"p", b" running ")):
                if not read_for(master, 30, shown):
                    raise SystemExit(f"in vain waited for {shown.decode()!r}")
                os.write(master, key)
            if not read_for(master, 30, b"PAUSED"):
                raise SystemExit("it does not pause")
            run = Process(run_of(state))
            shown_by = Process(screen.pid)
            print("simulated   screen MB  CPU/s    run MB  CPU/s")
            for part in range(11):
                before, seconds = (shown_by.cpu, run.cpu), arguments.hours * 360 / arguments.speed
                read_for(master, seconds)
                spent = ((shown_by.cpu - before[0]) / seconds, (run.cpu - before[1]) / seconds)
                print(
                    f"{arguments.hours * (part + 1) / 10:7.2f} h   {shown_by.resident:9.1f}  "
                    f"{spent[0]:5.3f} {run.resident:9.1f}  {spent[1]:5.3f}",
                    flush=True,
                )
            os.write(master, b"x")
            read_for(master, 5, b"given up")
            os.write(master, b"www.example.com\r")
            read_for(master, 20, b"ABORTED")
        finally:
            screen.kill()
            screen.wait()


if __name__ == "__main__":
    main()
