"""What a run can ask for: the commands that the engine carries out.

Commands are imperative; each is answered by one of the events named in its docstring. They are
never journalled: what a run did is told by the events.
"""

from __future__ import annotations

from msgspec import Struct

from route53_takeover.core.domain.record_sets import Change
from route53_takeover.core.takeover.events import Purpose, Switch


class Command(Struct, frozen=True, kw_only=True, tag=True):
    """Something the machine asks for."""


class WriteBackup(Command, frozen=True, kw_only=True):
    """-> `BackupWritten` or `BackupFailed`."""


class ReadName(Command, frozen=True, kw_only=True):
    """-> `NameRead` or `NameUnread`."""

    name: str


class WriteBatch(Command, frozen=True, kw_only=True):
    """-> `WriteIntended` at once, then one of the other ``Write...`` events.

    ``id`` is unique in the run: it is never sent twice. ``patience``: seconds after which an answer
    that has not come counts as lost; ``None``: as long as the client waits.
    """

    id: str
    name: str
    purpose: Purpose
    changes: tuple[Change, ...]
    patience: float | None = None


class AwaitInsync(Command, frozen=True, kw_only=True):
    """-> `ChangeInsync`, sooner or later."""

    name: str
    change_id: str


class ReadBaseline(Command, frozen=True, kw_only=True):
    """-> `BaselineRead` or `BaselineUnread`."""

    joining: bool


class DescribeRoot(Command, frozen=True, kw_only=True):
    """-> `RootDescribed` or `RootUndescribed`."""


class ReadTemplate(Command, frozen=True, kw_only=True):
    """-> `TemplateRead`."""

    stack: str


class ReadResources(Command, frozen=True, kw_only=True):
    """-> `ResourcesRead` or `ResourcesUnread`. ``urgent``: a release waits for nothing else."""

    stack: str
    urgent: bool = False


class RunDeploy(Command, frozen=True, kw_only=True):
    """-> `DeployIntended` at once, then `DeployExited`."""

    switch: Switch


class RejoinDeploy(Command, frozen=True, kw_only=True):
    """-> `DeployExited`, of a command that an earlier process may have started."""

    switch: Switch


AnyCommand = (
    WriteBackup
    | ReadName
    | WriteBatch
    | AwaitInsync
    | ReadBaseline
    | DescribeRoot
    | ReadTemplate
    | ReadResources
    | RunDeploy
    | RejoinDeploy
)
