"""What was measured of each account and region: ``STATE_DIR/measurements/ACCOUNT-REGION.json``.

An emulator of this machine is another world than AWS, at each port: its file begins with that.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from route53_takeover.adapters.endpoint import is_loopback
from route53_takeover.base import private_files
from route53_takeover.base.errors import UsageError
from route53_takeover.core.plan.measured import FORMAT, Measurement

if TYPE_CHECKING:
    from pathlib import Path

_EMULATOR = "loopback-"


def measurement_path(state_dir: Path, account: str, region: str, endpoint_url: str | None) -> Path:
    """The file of an account and region."""
    port = urlsplit(endpoint_url or "").port or 0
    where = f"{_EMULATOR}{port}-" if is_loopback(endpoint_url) else ""
    return state_dir / "measurements" / f"{where}{account}-{region}.json"


def read_measurement(path: Path) -> Measurement | None:
    """What was measured; ``None`` where nothing was, or another version wrote it."""
    try:
        data = path.read_bytes()
        found = msgspec.json.decode(data, type=Measurement)
    except (OSError, msgspec.MsgspecError):
        return None
    return found if found.format == FORMAT else None


def save_measurement(path: Path, newer: Measurement) -> Measurement:
    """Puts what a run measured in the place of what is there of that; returns all of it.

    Raises:
        UsageError: it cannot be written.
    """
    known = read_measurement(path)
    merged = newer if known is None else known.with_newer(newer)
    try:
        private_files.make_folder(path.parent)
        data = msgspec.json.format(msgspec.json.encode(merged), indent=1)
        private_files.write_durably(path, data + b"\n")
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror}", "Check --state-dir and its permissions."
        ) from error
    return merged


def newest_measurement(state_dir: Path) -> Measurement | None:
    """The newest of any real account, for a rehearsal that has none of its own."""
    found: list[Measurement] = []
    with suppress(OSError):
        for path in sorted((state_dir / "measurements").glob("*.json")):
            read = read_measurement(path)
            if read is not None and read.kinds and not path.name.startswith(_EMULATOR):
                found.append(read)
    return max(found, key=lambda each: max(k.at for k in each.kinds), default=None)
