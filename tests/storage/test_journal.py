"""The journal: nothing that was acknowledged is lost, nothing half-written is believed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import types
import typing
from typing import TYPE_CHECKING

import pytest

from route53_takeover.base.errors import (
    ExitCode,
    ManualActionRequiredError,
    RefusedError,
    UsageError,
)
from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.record_sets import AliasTarget, Change, RecordSet
from route53_takeover.core.domain.stacks import (
    StackDescription,
    StackEvent,
    StackResource,
    StackTemplate,
)
from route53_takeover.core.events import Observation, Switch
from route53_takeover.core.plan.model import Finding, Manual, Options, Plan
from route53_takeover.core.takeover import events as ev
from route53_takeover.storage import journal_format
from route53_takeover.storage.journal import (
    FileJournal,
    JournalError,
    MemoryJournal,
    read_journal,
)
from route53_takeover.storage.journal_format import FORMAT, decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ALIAS = RecordSet(
    name="www.example.com.",
    type="A",
    alias=AliasTarget(zone_id="Z2", dns_name="d1.cloudfront.net.", evaluate_target_health=True),
)
CNAME = RecordSet(
    name="\\052.example.com.",
    type="CNAME",
    ttl=300,
    values=("d1.cloudfront.net",),
    set_identifier="blue",
    routing=(("Weight", "0"),),
)
TEXT = RecordSet(name="example.com.", type="TXT", ttl=60, values=('"a\\"b" "\\303\\251"',))
ROOT = StackDescription(
    stack_id="arn:root", stack_name="shop", status="UPDATE_COMPLETE", root_id=None
)
DESIRED = DesiredRecord(record=CNAME, complete=True, zone_id="Z1", zone_name="example.com.")
PLAN = Plan(
    options=Options(stack="shop", records=("www.example.com/A",), deploy_on='sh -c "x\ny"'),
    zone_id="Z1",
    zone_name="example.com.",
    zone_private=False,
    zone_is_unique=True,
    name_servers=("ns-1.example.net.",),
    root=ROOT,
    account="123456789012",
    manuals=(Manual(original=CNAME, lowered=TEXT), Manual(original=ALIAS)),
    owned=(TEXT,),
    staying=(ALIAS,),
    refusals=(Finding(text="no", hint="yes"),),
    warnings=(Finding(text="careful"),),
    negative_ttl=5,
)
STACK_EVENT = StackEvent(
    event_id="e1",
    stack_id="arn:root",
    stack_name="shop",
    logical_id="Dns",
    resource_type="AWS::Route53::RecordSet",
    status="CREATE_IN_PROGRESS",
    timestamp=1.25,
    physical_id="www.example.com",
    reason="line one\nline two",
    token="t",  # noqa: S106 -- CloudFormation's, no secret
    desired=DESIRED,
)
RESOURCE = StackResource(
    stack_id="arn:root", logical_id="Dns", physical_id="p", resource_type="T", status="S"
)
TEMPLATE = StackTemplate(
    record_sets={"Dns": DESIRED, "Other": None},
    depends={"Dns": frozenset({"Cdn", "Zone"})},
    members={"Group": (DESIRED, None)},
)
CHANGES = (Change.delete(CNAME), Change.create(ALIAS))
NAME = "www.example.com."
EVENTS: list[ev.AnyEvent] = [
    ev.RunStarted(time=1700000000.125, run="r", plan=PLAN),
    ev.RunResumed(time=1.0),
    ev.BackupWritten(time=0.0),
    ev.BackupFailed(time=1.0, reason='disk "full"\n'),
    ev.TimePassed(time=1e10),
    ev.Interrupted(time=1.0, signal="SIGINT"),
    ev.JournalFailed(time=1.0, reason="gone"),
    ev.AlertFailed(time=1.0, reason="exit status 7: no webhook"),
    ev.NameRead(time=1.0, name=NAME, began=0.5, records=(ALIAS, CNAME, TEXT)),
    ev.NameUnread(time=1.0, name=NAME, reason="\x00\x1f\u2028é😀"),
    ev.WriteIntended(time=1.0, id="w1", name=NAME, purpose=ev.Purpose.RELEASE, changes=CHANGES),
    ev.WriteAccepted(time=1.0, id="w1", name=NAME, change_id="/change/C1"),
    ev.WriteRefused(time=1.0, id="w1", name=NAME, code="InvalidChangeBatch", reason="[no]"),
    ev.WriteHeldOff(time=1.0, id="w1", name=NAME, reason="Throttling"),
    ev.WriteUnknown(time=1.0, id="w1", name=NAME, reason="time-out"),
    ev.ChangeInsync(time=1.0, name=NAME, change_id="C1"),
    ev.NamesAnswered(time=1.0, name=NAME, type="A", statuses={"ns-1": "nxdomain"}),
    ev.BaselineRead(
        time=1.0,
        root=ROOT,
        newest={"arn:root": "e0"},
        existing={"arn:root": ("Cdn",)},
        parents={"arn:child": "arn:root"},
    ),
    ev.BaselineUnread(time=1.0, reason="throttled"),
    ev.StackPolled(time=1.0, stack="arn:root", began=0.5, events=(STACK_EVENT,)),
    ev.StackUnpolled(time=1.0, stack="arn:root", reason="throttled"),
    ev.RootDescribed(time=1.0, began=0.5, root=ROOT),
    ev.RootUndescribed(time=1.0, reason="reset"),
    ev.TemplateRead(time=1.0, stack="arn:root", template=TEMPLATE),
    ev.ResourcesRead(time=1.0, stack="arn:root", began=0.5, resources=(RESOURCE,)),
    ev.ResourcesUnread(time=1.0, stack="arn:root", reason="no"),
    ev.DeployIntended(time=1.0, switch=Switch.ON),
    ev.DeployExited(time=1.0, switch=Switch.OFF, code=None, tail="a\r\nb", timed_out=True),
    ev.RunPaused(time=1.0),
    ev.RunUnpaused(time=1.0),
    ev.HoldCut(time=1.0, name=NAME),
    ev.ReleaseConfirmed(time=1.0, name=NAME),
    ev.DeadmanExtended(time=1.0, name=NAME, seconds=60.0),
    ev.RestoreAsked(time=1.0),
    ev.AbortAsked(time=1.0),
    ev.DeadmanTested(time=1.0, name=NAME, reason="denied", is_certain=False),
    ev.DeadmanIntended(time=1.0, id="r--1", name=NAME, record=ALIAS, seconds=150.0),
    ev.DeadmanAnswered(
        time=1.0, id="r--1", name=NAME, answer=ev.DeadmanAnswer.HELD_OFF, reason="throttled"
    ),
]
FEW = EVENTS[1:5]


def written(events: list[ev.AnyEvent]) -> bytes:
    return b"".join(encode(seq, event) for seq, event in enumerate(events, 1))


def keep(journal: FileJournal, event: ev.AnyEvent) -> int:
    """Appends an event and waits until it is durable."""
    seq = journal.append(event)
    asyncio.run(journal.durable(seq))
    return seq


# -- what is written is what is read


def test_an_example_of_every_event_is_here() -> None:
    assert isinstance(ev.AnyEvent, types.UnionType)
    assert {type(event) for event in EVENTS} == set(typing.get_args(ev.AnyEvent))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_is_read_back_as_it_was_written(event: ev.AnyEvent) -> None:
    line = encode(1, event)
    assert decode(line) == ([event], len(line))
    assert line.count(b"\n") == 1, "one event, one line, whatever its text holds"


def test_half_a_surrogate_ends_no_rescue_and_is_read_back_as_its_escape(tmp_path: Path) -> None:
    """What no JSON can hold: some answer, or a name of a file, may have it."""
    journal = FileJournal(tmp_path / "journal.jsonl")
    template = StackTemplate(
        record_sets={"Ev\udce9n": DESIRED}, depends={"On": frozenset({"Le\udce9"})}
    )
    journal.append(ev.TemplateRead(time=1.0, stack="shop", template=template))
    journal.append(
        ev.StackUnpolled(time=2.0, stack="caf\udce9", reason="\ud83d caf\u00e9 \U0001f600")
    )
    journal.append(ev.TimePassed(time=3.0))
    journal.close()
    first, second, third = read_journal(tmp_path / "journal.jsonl")
    read = StackTemplate(
        record_sets={"Ev\\udce9n": DESIRED}, depends={"On": frozenset({"Le\\udce9"})}
    )
    assert first == ev.TemplateRead(time=1.0, stack="shop", template=read)
    assert second == ev.StackUnpolled(
        time=2.0, stack="caf\\udce9", reason="\\ud83d caf\u00e9 \U0001f600"
    )
    assert third == ev.TimePassed(time=3.0)


def test_events_are_read_back_in_order_with_the_bytes_they_take() -> None:
    data = written(EVENTS)
    assert decode(data) == (EVENTS, len(data))
    assert decode(b"") == ([], 0)


def test_a_file_and_a_journal_in_memory_hold_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal, memory = FileJournal(path), MemoryJournal()
    numbers = [(journal.append(event), memory.append(event)) for event in EVENTS]
    journal.close()
    assert numbers == [(seq, seq) for seq in range(1, len(EVENTS) + 1)]
    assert path.read_bytes() == bytes(memory.data)
    assert read_journal(path) == memory.events == EVENTS
    assert MemoryJournal(bytes(memory.data)).events == EVENTS


# -- torn and damaged lines


def test_a_last_line_torn_anywhere_is_cut_off_and_written_again(tmp_path: Path) -> None:
    whole, last = written(FEW[:-1]), encode(len(FEW), FEW[-1])
    path = tmp_path / "journal.jsonl"
    for size in range(len(last)):
        path.write_bytes(whole + last[:size])
        assert read_journal(path) == FEW[:-1], "a reader does not mind that it is being written"
        assert path.stat().st_size == len(whole) + size, "and repairs nothing"
        journal = FileJournal(path)
        assert journal.events == FEW[:-1]
        assert path.read_bytes() == whole
        assert journal.append(FEW[-1]) == len(FEW)
        journal.close()
        assert path.read_bytes() == whole + last


@pytest.mark.parametrize("bit", [0x01, 0x10])
@pytest.mark.parametrize("lines", [3, 2], ids=["with lines after it", "as the last"])
def test_damage_to_any_byte_of_a_whole_line_is_an_error_that_names_the_line(
    lines: int, bit: int
) -> None:
    data = written(FEW[:lines])
    begin, end = len(written(FEW[:1])), len(written(FEW[:2]))
    version = data.index(b'"v":%d' % FORMAT, begin) + len('"v":')
    newline = end - 1 if lines == 2 else -1
    for at in range(begin, end):
        if at in (version, newline):
            continue  # another version is tested below; a line without its newline is a torn one
        damaged = data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
        with pytest.raises(
            ManualActionRequiredError, match=r"line 2 of the journal is damaged"
        ) as caught:
            decode(damaged)
        assert caught.value.exit_code is ExitCode.UNKNOWN
        assert "backup.json" in caught.value.hint


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lines: [lines[0], lines[2], lines[3]],
        lambda lines: [lines[0], lines[1], lines[1], lines[2]],
        lambda lines: [lines[0], lines[2], lines[1], lines[3]],
        lambda lines: [lines[0], b"\n", lines[1]],
        lambda lines: [lines[0], lines[1][:-9], lines[2]],
        lambda lines: [lines[0], lines[1][:-9] + b"\n"],
    ],
    ids=["left out", "twice", "swapped", "blank", "a line after a torn one", "not torn but cut"],
)
def test_lines_that_are_not_in_sequence_are_damage(
    spoil: Callable[[list[bytes]], list[bytes]],
) -> None:
    lines = written(FEW).splitlines(keepends=True)
    with pytest.raises(ManualActionRequiredError, match=r"line [23] "):
        decode(b"".join(spoil(lines)))


def test_a_damaged_file_is_left_as_it_is_and_unlocked(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    data = b"x" + written(FEW)
    path.write_bytes(data)
    for _ in range(2):  # the second would be refused if the first had kept its lock
        with pytest.raises(ManualActionRequiredError, match=r"line 1 of .*journal\.jsonl"):
            FileJournal(path)
    with pytest.raises(ManualActionRequiredError):
        read_journal(path)
    assert path.read_bytes() == data


def test_a_journal_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(written(FEW).replace(b'{"v":1,', b'{"v":2,'))
    with pytest.raises(RefusedError, match="format 2; this program reads format 1") as caught:
        FileJournal(path)
    assert "version" in caught.value.hint


def test_a_whole_line_with_an_unknown_event_is_refused_and_never_cut_off(tmp_path: Path) -> None:
    body = b'{"event":"FromTheFuture","time":1.0}'
    line = b'{"v":%d,"seq":1,"sum":"%s","event":%s}\n' % (
        FORMAT,
        journal_format._sum(1, body),
        body,
    )
    path = tmp_path / "journal.jsonl"
    path.write_bytes(line)
    with pytest.raises(RefusedError, match=r"line 1 .*FromTheFuture"):
        FileJournal(path)
    assert path.read_bytes() == line


# -- one writer


def test_a_second_writer_is_refused_while_readers_are_welcome(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    first = FileJournal(path)
    keep(first, FEW[0])
    with pytest.raises(RefusedError, match=f"working on this run \\({tmp_path.name}\\)"):
        FileJournal(path)
    assert keep(first, FEW[1]) == 2, "the refused one has not touched it"
    assert read_journal(path) == FEW[:2]
    first.close()
    second = FileJournal(path)
    assert second.events == FEW[:2]
    assert second.append(FEW[2]) == 3
    second.close()


def test_a_deploy_command_does_not_inherit_the_lock(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "journal.jsonl")
    assert not os.get_inheritable(journal._fd)
    journal.close()


def test_only_the_user_may_read_it(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "journal.jsonl")
    journal.close()
    assert (tmp_path / "journal.jsonl").stat().st_mode & 0o777 == 0o600


# -- what cannot be opened or written


def test_a_place_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write") as new:
        FileJournal(tmp_path / "missing" / "journal.jsonl")
    assert "--state-dir" in new.value.hint
    with pytest.raises(UsageError, match="cannot write") as raised:
        FileJournal(tmp_path)
    assert "--state-dir" not in raised.value.hint, "no other folder holds the run"
    assert "`resume`" in raised.value.hint
    assert "`restore`" in raised.value.hint
    with pytest.raises(UsageError, match="cannot read") as unread:
        read_journal(tmp_path / "missing")
    assert "`restore`" in unread.value.hint


def test_a_file_system_that_fails_while_opening_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[int] = []
    close = os.close

    def watched(fd: int) -> None:
        closed.append(fd)
        close(fd)

    monkeypatch.setattr(os, "close", watched)
    monkeypatch.setattr(os, "fsync", _broken)
    with pytest.raises(UsageError, match="Input/output error"):
        FileJournal(tmp_path / "journal.jsonl")
    assert len(closed) == 2, "the folder and the file"


def _broken(*_: object) -> int:
    raise OSError(5, "Input/output error")


def test_an_event_is_on_the_disk_before_it_is_said_to_be_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.jsonl"
    journal = FileJournal(path)
    durable: list[bytes] = []
    fsync = os.fsync

    def watched(fd: int) -> None:
        assert fd == journal._fd
        fsync(fd)
        durable.append(path.read_bytes())

    monkeypatch.setattr(os, "fsync", watched)
    for count, event in enumerate(EVENTS, start=1):
        before = len(durable)
        if isinstance(event, Observation):
            journal.append(event)  # durable with the next event, for it can be seen again
        else:
            keep(journal, event)
            assert durable[-1:] == [written(EVENTS[:count])]
            assert len(durable) == before + 1
    journal.close()


async def test_a_disk_that_stalls_makes_nothing_wait_but_what_must_be_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.jsonl"
    journal = FileJournal(path)
    goes_on = threading.Event()
    fsync = os.fsync

    def stalled(fd: int) -> None:
        goes_on.wait(30)
        fsync(fd)

    monkeypatch.setattr(os, "fsync", stalled)
    numbers = [journal.append(event) for event in FEW]  # returns though nothing can be synced
    waiting = asyncio.ensure_future(journal.durable(numbers[-2]))
    assert not (await asyncio.wait([waiting], timeout=0.05))[0]
    goes_on.set()
    await asyncio.wait_for(waiting, 30)
    journal.close()
    assert read_journal(path) == FEW


def test_no_intent_answer_or_operators_wish_is_an_observation() -> None:
    must_last = {type(event) for event in EVENTS if not isinstance(event, Observation)}
    assert must_last >= {
        ev.RunStarted,
        ev.RunResumed,
        ev.BackupWritten,
        ev.BaselineRead,
        ev.Interrupted,
        ev.WriteIntended,
        ev.WriteAccepted,
        ev.WriteRefused,
        ev.WriteHeldOff,
        ev.WriteUnknown,
        ev.ChangeInsync,
        ev.DeployIntended,
        ev.DeployExited,
    }


def test_the_name_and_a_repair_are_made_durable_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(written(FEW) + b'{"v":1')
    synced: list[int] = []
    fsync = os.fsync

    def watched(fd: int) -> None:
        synced.append(os.fstat(fd).st_ino)
        fsync(fd)

    monkeypatch.setattr(os, "fsync", watched)
    FileJournal(path).close()
    assert synced == [path.stat().st_ino, tmp_path.stat().st_ino]


@pytest.mark.parametrize("failure", ["short write", "no write", "no fsync"])
def test_a_line_that_is_not_durable_leaves_nothing_behind(
    failure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.jsonl"
    journal = FileJournal(path)
    keep(journal, FEW[0])
    with monkeypatch.context() as patch:
        write = os.write
        if failure == "short write":
            patch.setattr(os, "write", lambda fd, data: write(fd, data[: len(data) // 2]))
        else:
            patch.setattr(os, "write" if failure == "no write" else "fsync", _broken)
        with pytest.raises(JournalError, match="cannot write"):
            keep(journal, FEW[1])
    assert "cannot write" in asyncio.run(journal.broken())
    assert path.read_bytes() == written(FEW[:1])
    with pytest.raises(JournalError, match="cannot write"):
        journal.append(FEW[2])  # once broken it stays so: the run goes on in memory
    journal.close()
    assert read_journal(path) == FEW[:1]


def test_a_torn_line_that_cannot_even_be_cut_back_is_still_a_journal_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.jsonl"
    journal = FileJournal(path)
    keep(journal, FEW[0])
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, data: write(fd, data[:9]))
        patch.setattr(os, "ftruncate", _broken)
        with pytest.raises(JournalError, match="no space left"):
            keep(journal, FEW[1])
    with pytest.raises(JournalError, match="no space left"):
        journal.append(FEW[1])
    journal.close()
    reopened = FileJournal(path)
    assert reopened.events == FEW[:1]
    reopened.close()


FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
from route53_takeover.core.takeover import events as ev
from route53_takeover.storage.journal import FileJournal, JournalError

journal = FileJournal(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
for attempt in range(100):
    try:
        asyncio.run(journal.durable(journal.append(ev.BackupWritten(time=float(attempt)))))
    except JournalError as error:
        print(attempt, error)
        break
"""


@pytest.mark.parametrize("limit", [1, 300, 337])
def test_a_disk_that_becomes_full_leaves_no_torn_line(limit: int, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    command = [sys.executable, "-c", FULL_DISK, str(path), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    count, _, error = done.stdout.partition(" ")
    assert "cannot write" in error
    data = path.read_bytes()
    events, good = decode(data)
    assert len(events) == int(count)
    assert good == len(data), "no torn tail"
