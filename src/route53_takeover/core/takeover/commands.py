"""What a run can ask for: the commands that the engine carries out.

Commands are imperative; each is answered by one of the events named in its docstring. They are
never journalled: what a run did is told by the events.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.domain.record_sets import Change, RecordSet
from route53_takeover.core.events import Switch
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose

if TYPE_CHECKING:
    from route53_takeover.core.takeover.events import AnyEvent


class Subject(StrEnum):
    """What is asked for at most once at a time."""

    BACKUP = "backup"
    BASELINE = "baseline"
    ROOT = "root"
    TEMPLATE = "template"
    RESOURCES = "resources"
    DEPLOY = "deploy"
    INSYNC = "insync"
    NAME = "name"
    DEADMAN_TEST = "deadman-test"
    DEADMAN = "deadman"


class Request(Struct, frozen=True):
    """What identifies a command under way: ``of`` is a stack, a deploy, a change or a name."""

    subject: Subject
    of: str = ""


class Command(Struct, frozen=True, kw_only=True, tag=True):
    """Something the machine asks for."""


class WriteBackup(Command, frozen=True, kw_only=True):
    """-> `BackupWritten` or `BackupFailed`."""

    @property
    def request(self) -> Request:
        return Request(Subject.BACKUP)


class ReadName(Command, frozen=True, kw_only=True):
    """-> `NameRead` or `NameUnread`. For a decision that waits for it; see also `polling`."""

    name: str

    @property
    def request(self) -> Request:
        return Request(Subject.NAME, self.name)


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

    @property
    def request(self) -> Request:
        return Request(Subject.INSYNC, self.change_id)


class ReadBaseline(Command, frozen=True, kw_only=True):
    """-> `BaselineRead` or `BaselineUnread`."""

    joining: bool

    @property
    def request(self) -> Request:
        return Request(Subject.BASELINE)


class DescribeRoot(Command, frozen=True, kw_only=True):
    """-> `RootDescribed` or `RootUndescribed`."""

    @property
    def request(self) -> Request:
        return Request(Subject.ROOT)


class ReadTemplate(Command, frozen=True, kw_only=True):
    """-> `TemplateRead`."""

    stack: str

    @property
    def request(self) -> Request:
        return Request(Subject.TEMPLATE, self.stack)


class ReadResources(Command, frozen=True, kw_only=True):
    """-> `ResourcesRead` or `ResourcesUnread`. ``urgent``: a release waits for nothing else."""

    stack: str
    urgent: bool = False

    @property
    def request(self) -> Request:
        return Request(Subject.RESOURCES, self.stack)


class RunDeploy(Command, frozen=True, kw_only=True):
    """-> `DeployIntended` at once, then `DeployExited`."""

    switch: Switch

    @property
    def request(self) -> Request:
        return Request(Subject.DEPLOY, self.switch)


class RejoinDeploy(Command, frozen=True, kw_only=True):
    """-> `DeployExited`, of a command that an earlier process may have started."""

    switch: Switch

    @property
    def request(self) -> Request:
        return Request(Subject.DEPLOY, self.switch)


class TestDeadman(Command, frozen=True, kw_only=True):
    """-> `DeadmanTested`."""

    __test__ = False  # for pytest, which collects what is called so

    name: str

    @property
    def request(self) -> Request:
        return Request(Subject.DEADMAN_TEST, self.name)


class StartDeadman(Command, frozen=True, kw_only=True):
    """-> `DeadmanIntended` at once, then `DeadmanAnswered`. ``id`` is never started twice."""

    id: str
    name: str
    record: RecordSet
    seconds: float


class FindDeadman(Command, frozen=True, kw_only=True):
    """-> `DeadmanAnswered`, for a start without an answer."""

    id: str
    name: str

    @property
    def request(self) -> Request:
        return Request(Subject.DEADMAN, self.id)


class StopDeadman(Command, frozen=True, kw_only=True):
    """-> `DeadmanAnswered`."""

    id: str
    name: str

    @property
    def request(self) -> Request:
        return Request(Subject.DEADMAN, self.id)


OnceAtATime = (
    WriteBackup
    | ReadName
    | AwaitInsync
    | ReadBaseline
    | DescribeRoot
    | ReadTemplate
    | ReadResources
    | RunDeploy
    | RejoinDeploy
    | TestDeadman
    | FindDeadman
    | StopDeadman
)
"""Commands of which one `Request` is under way at a time (`State.in_flight`)."""

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
    | TestDeadman
    | StartDeadman
    | FindDeadman
    | StopDeadman
)


def answered_by(event: AnyEvent) -> Request | None:
    """The request that this event answers, if it is one that is asked for once at a time."""
    if (answered := _ANSWERED.get(type(event))) is None:
        return None
    subject, of = answered
    return Request(subject, getattr(event, of) if of else "")


_ANSWERED: dict[type[AnyEvent], tuple[Subject, str]] = {
    ev.BackupWritten: (Subject.BACKUP, ""),
    ev.BackupFailed: (Subject.BACKUP, ""),
    ev.BaselineRead: (Subject.BASELINE, ""),
    ev.BaselineUnread: (Subject.BASELINE, ""),
    ev.RootDescribed: (Subject.ROOT, ""),
    ev.RootUndescribed: (Subject.ROOT, ""),
    ev.TemplateRead: (Subject.TEMPLATE, "stack"),
    ev.ResourcesRead: (Subject.RESOURCES, "stack"),
    ev.ResourcesUnread: (Subject.RESOURCES, "stack"),
    ev.DeployExited: (Subject.DEPLOY, "switch"),
    ev.ChangeInsync: (Subject.INSYNC, "change_id"),
    ev.NameRead: (Subject.NAME, "name"),
    ev.NameUnread: (Subject.NAME, "name"),
    ev.DeadmanTested: (Subject.DEADMAN_TEST, "name"),
    ev.DeadmanAnswered: (Subject.DEADMAN, "id"),
}
"""What each of them answers, and the field that tells of which stack, deploy, change or name."""
