"""Times and durations as text shows them."""

from __future__ import annotations

from datetime import UTC, datetime

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_EXACT = 100.0
"""Seconds up to which tenths are shown."""


def moment(time: float) -> str:
    """``2026-11-28 12:05:08Z``."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def time_of_day(time: float) -> str:
    """``12:05:08Z``."""
    return datetime.fromtimestamp(time, UTC).strftime("%H:%M:%SZ")


def age(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3 h``, ``5 d``: how long ago something was."""
    for unit, text in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.0f} {text}" if seconds >= 2 * unit else f"1 {text}"
    return f"{max(seconds, 0.0):.0f} s"


def length(seconds: float) -> str:
    """``60.1 s``, ``2 min 5 s``, ``1 h 2 min``: how long something lasted."""
    if seconds < _EXACT:
        return f"{max(seconds, 0.0):.1f} s"
    if seconds < _HOUR:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest} s"
    hours, rest = divmod(round(seconds / _MINUTE), 60)
    return f"{hours} h {rest} min"


def offset(seconds: float) -> str:
    """``0:07``, ``12:05``, ``1:02:03``: how long after the beginning."""
    minutes, rest = divmod(max(int(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
