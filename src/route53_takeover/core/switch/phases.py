"""The phases of a blue-green switch, and which may follow which."""

from __future__ import annotations

from enum import StrEnum


class SwitchPhase(StrEnum):
    """Where a switch is. The order is that of one in which nothing goes wrong, but RESTORE."""

    PREFLIGHT = "preflight"
    BACKUP = "backup"
    DEPLOY = "deploy"
    CHECK = "check"
    SWITCH = "switch"
    SETTLE = "settle"
    BAKE = "bake"
    RETIRE = "retire"
    RESTORE = "restore"
    VERIFY = "verify"
    ENDED = "ended"


_P = SwitchPhase
_FORWARD: dict[SwitchPhase, frozenset[SwitchPhase]] = {
    _P.PREFLIGHT: frozenset({_P.BACKUP}),
    _P.BACKUP: frozenset({_P.DEPLOY}),
    _P.DEPLOY: frozenset({_P.CHECK}),
    _P.CHECK: frozenset({_P.SWITCH}),
    _P.SWITCH: frozenset({_P.SETTLE}),
    _P.SETTLE: frozenset({_P.BAKE}),
    _P.BAKE: frozenset({_P.RETIRE}),
    _P.RETIRE: frozenset({_P.VERIFY}),
    _P.RESTORE: frozenset({_P.VERIFY}),
    _P.VERIFY: frozenset(),
    _P.ENDED: frozenset(),
}
RETURNABLE = frozenset({_P.BACKUP, _P.DEPLOY, _P.CHECK, _P.SWITCH, _P.SETTLE, _P.BAKE, _P.RETIRE})
"""Where a run can turn to leading everything back to blue."""
ALLOWED: dict[SwitchPhase, frozenset[SwitchPhase]] = {
    phase: forward
    | (frozenset({_P.RESTORE}) if phase in RETURNABLE else frozenset())
    | (frozenset() if phase is _P.ENDED else frozenset({_P.ENDED}))
    for phase, forward in _FORWARD.items()
}
AFTER_THE_SWITCH = frozenset({_P.SETTLE, _P.BAKE, _P.RETIRE})
"""Where every swap leads to green, as far as this run can tell."""
