"""What every handler of the simulated account shares, and the faults that may befall a call.

A handler is an `Operation`: parameters in, result out, and it says no by raising `ApiFault`, which
the wire server puts into the error form of the protocol. A `Fault` is what the owner of the
account lets happen to a call on its way. Nothing here may know a protocol or a service.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

Operation = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""One operation of a service: botocore's parameters in, botocore's result out."""


class ApiFault(Exception):  # noqa: N818 -- "fault" is the word of the wire protocols for this
    """An answer with an AWS error code.

    Attributes:
        code: AWS's error code, such as `NoSuchHostedZone`.
        message: The text for people.
        status: The HTTP status of the answer.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        """Keep the parts of the answer."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class Refused(Struct, frozen=True, kw_only=True):
    """The call is answered with an error and not executed."""

    code: str = "Throttling"
    message: str = "Rate exceeded"
    status: int = 400


class AnswerLost(Struct, frozen=True):
    """The call is executed, then the connection closes without an answer."""


class RequestLost(Struct, frozen=True):
    """The connection closes without an answer, and the call is not executed."""


class AnswerDelayed(Struct, frozen=True, kw_only=True):
    """The call is executed and its answer comes so many seconds later, by the real clock."""

    seconds: float


Fault = Refused | AnswerLost | RequestLost | AnswerDelayed
