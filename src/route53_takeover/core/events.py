"""What can happen to any run, whatever machine decides about it.

The facts of one machine are beside it (`route53_takeover.core.takeover.events`); its union of
events includes those of this module.
"""

from __future__ import annotations

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
