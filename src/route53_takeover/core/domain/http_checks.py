"""HTTP checks of a site: what is asked, what has to come back, and who gave the answer."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct


class Side(StrEnum):
    """Which of the two environments something leads to, or came from."""

    BLUE = "blue"
    GREEN = "green"
    OTHER = "other"  # neither: another writer's
    ABSENT = "absent"  # there is none
    UNKNOWN = "unknown"  # cannot be told


class Check(Struct, frozen=True, kw_only=True):
    """One ``--check``: a request with what has to come back, or a shell command.

    Attributes:
        text: as it was given, its secrets masked.
        command: the shell command; the rest is empty then.
        url: as users ask for it, by the production name.
        headers: sent; ``${NAME}`` in a value, and in `data`, stands for a variable of the
            environment, so that nothing secret has to be kept with the run.
        statuses: the status codes that pass; empty: 200 to 399.
        body: texts that the body has to hold.
        expected: headers that have to come back, by lower-case name.
        side_header: the header whose value tells which side answered.
    """

    text: str
    command: str = ""
    method: str = "GET"
    url: str = ""
    headers: Mapping[str, str] = {}
    data: str = ""
    statuses: tuple[int, ...] = ()
    body: tuple[str, ...] = ()
    expected: Mapping[str, str] = {}
    side_header: str = ""


class Route(Struct, frozen=True, kw_only=True):
    """By which way a check's request goes.

    Attributes:
        base_url: replaces scheme and host of the check's URL, and comes before its path (of which
            ``strip_path`` is taken away first); empty: the URL as it is, the way that users go.
        headers: sent as well, such as the secret one of a routing rule.
        side: whom it asks, as commands are told: ``blue``, ``green`` or ``live``.
    """

    side: str = "live"
    base_url: str = ""
    strip_path: str = ""
    headers: Mapping[str, str] = {}


class CheckAnswer(Struct, frozen=True, kw_only=True):
    """What came of one check.

    Attributes:
        passed: whether everything was as expected.
        reason: why it did not pass, in a line; empty where it did.
        status: the status code; 0 where there was none.
        marks: what may tell the sides apart: the value of ``side_header``, or a digest of the
            answer; empty where there is neither.
        seconds: how long it took.
    """

    passed: bool
    reason: str = ""
    status: int = 0
    marks: str = ""
    seconds: float = 0.0
