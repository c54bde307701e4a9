"""What can happen to any run, whatever machine decides about it.

The facts of one machine are beside it (`route53_takeover.core.takeover.events`); its union of
events includes those of this module.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Event(Struct, frozen=True, kw_only=True, tag_field="event", tag=True, omit_defaults=True):
    """Something that happened. ``time``: seconds since the epoch, when it was taken in."""

    time: float


class Observation(Event, frozen=True, kw_only=True):
    """What can be looked at again after a crash.

    An fsync for each of them would only delay the release (4 ms each, measured): whatever is done
    because of one has an intent, whose fsync covers both.
    """


class RunResumed(Event, frozen=True, kw_only=True):
    """Another process resumes the run: calls in flight are lost, and writes among them unknown."""


class TimePassed(Observation, frozen=True, kw_only=True):
    """A deadline that the machine asked for is reached."""


class Interrupted(Event, frozen=True, kw_only=True):
    """SIGINT or SIGTERM, or their like; see `route53_takeover.core.timing.ONE_REQUEST`."""

    signal: str


class JournalFailed(Event, frozen=True, kw_only=True):
    """The journal cannot be written any more. Never in a journal."""

    reason: str


class AlertFailed(Observation, frozen=True, kw_only=True):
    """The command of ``--on-event`` failed, for the first time in this process."""

    reason: str


# -- the disk and the deploys


class BackupWritten(Event, frozen=True, kw_only=True):
    """The originals are on disk, fsynced."""


class BackupFailed(Event, frozen=True, kw_only=True):
    """They could not be written."""

    reason: str


class Switch(StrEnum):
    """Which command of a run: a deploy with the switch off or on, of green, the delete of blue."""

    OFF = "off"
    ON = "on"
    GREEN = "green"
    RETIRE = "retire"


class DeployIntended(Event, frozen=True, kw_only=True):
    """The deploy command is about to be started."""

    switch: Switch


class DeployExited(Event, frozen=True, kw_only=True):
    """It ended; ``code`` is ``None`` where its exit status is unknown."""

    switch: Switch
    code: int | None
    tail: str = ""
    timed_out: bool = False


# -- the operator's requests


class RunPaused(Event, frozen=True, kw_only=True):
    """The operator pauses the run: no further step starts."""


class RunUnpaused(Event, frozen=True, kw_only=True):
    """The operator continues the run."""


class RestoreAsked(Event, frozen=True, kw_only=True):
    """The operator wants the released records restored now."""


class AbortAsked(Event, frozen=True, kw_only=True):
    """The operator aborts the takeover, before any release."""
