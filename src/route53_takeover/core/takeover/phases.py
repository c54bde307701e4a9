"""The phases of a takeover, and which may follow which.

Every move is in `ALLOWED`; one that is not is an error and changes nothing.
"""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """Where a run is. The order is the order of a run in which nothing goes wrong, but RESTORE."""

    PREFLIGHT = "preflight"
    BACKUP = "backup"
    LOWER_TTL = "lower-ttl"
    DRAIN = "drain"
    DEPLOY_OFF = "deploy-off"
    PROVE = "prove"
    PREPARE = "prepare"
    DEPLOY_ON = "deploy-on"
    WATCH = "watch"
    RELEASE = "release"
    CONFIRM = "confirm"
    GUARD = "guard"
    RESTORE = "restore"
    VERIFY = "verify"
    ENDED = "ended"


LIVE = frozenset({Phase.WATCH, Phase.RELEASE, Phase.CONFIRM, Phase.GUARD, Phase.RESTORE})
"""The phases in which CloudFormation may be creating, and the name may lack its record."""


_P = Phase
_BEFORE_THE_END = frozenset(Phase) - {_P.PREFLIGHT, _P.RESTORE, _P.ENDED}
"""Where a run can turn to putting everything back."""
_FORWARD: dict[Phase, frozenset[Phase]] = {
    _P.PREFLIGHT: frozenset({_P.BACKUP}),
    _P.BACKUP: frozenset({_P.LOWER_TTL}),
    _P.LOWER_TTL: frozenset({_P.DRAIN}),
    _P.DRAIN: frozenset({_P.DEPLOY_OFF}),
    _P.DEPLOY_OFF: frozenset({_P.PROVE}),
    _P.PROVE: frozenset({_P.PREPARE}),
    _P.PREPARE: frozenset({_P.DEPLOY_ON}),
    _P.DEPLOY_ON: frozenset({_P.WATCH}),
    _P.WATCH: frozenset({_P.RELEASE, _P.CONFIRM, _P.GUARD}),
    _P.RELEASE: frozenset({_P.CONFIRM, _P.WATCH, _P.GUARD}),
    _P.CONFIRM: frozenset({_P.RELEASE, _P.WATCH, _P.GUARD}),
    _P.GUARD: frozenset({_P.RELEASE, _P.CONFIRM, _P.WATCH, _P.VERIFY}),
    _P.VERIFY: frozenset({_P.GUARD}),  # something moved meanwhile
    _P.RESTORE: frozenset({_P.GUARD}),  # CloudFormation's create won against ours
    _P.ENDED: frozenset(),
}
ALLOWED: dict[Phase, frozenset[Phase]] = {
    phase: forward
    | ({_P.RESTORE} if phase in _BEFORE_THE_END else set())
    | ({_P.ENDED} if phase is not _P.ENDED else set())
    for phase, forward in _FORWARD.items()
}
"""Phase -> the phases that may follow it. Any other move is a defect, and changes nothing."""
