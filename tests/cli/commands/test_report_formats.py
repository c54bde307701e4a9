"""`report` in its four formats: the result first, the truth about the gap, nothing foreign raw."""

from __future__ import annotations

import html.parser
import json
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.program import Program, cloud
from tests.old_runs import placed, resealed

from route53_takeover.storage.journal import FileJournal

if TYPE_CHECKING:
    from pathlib import Path

    from route53_takeover.storage.run_folder import RunFolder

FORMATS = ("text", "json", "markdown", "html")
HOSTILE = "</code><script>alert(1)</script> ``` ` | @all ` [x](http://e.vil) \x1b[31m\u202e"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


class Page(html.parser.HTMLParser):
    """What a page has: its tags, their attributes, its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def reports(program: Program, folder: RunFolder) -> dict[str, str]:
    found = {}
    for each in FORMATS:
        ended = program("report", folder.name, f"--output={each}")
        assert (ended.code, ended.err) == (0, ""), ended
        found[each] = ended.out
    return found


def with_reason(folder: RunFolder, reason: str) -> None:
    """Puts a text into the reason of every stack event of the run's journal."""

    def change(event: dict[str, Any]) -> dict[str, Any]:
        for item in event.get("events", ()):
            item["reason"] = reason
        return event

    folder.journal.write_bytes(resealed(folder.journal.read_bytes(), change))


@pytest.mark.parametrize(
    "name", ["aborted", "adopted", "done", "failed", "nested", "rehearsal", "rolled-back"]
)
def test_every_format_has_the_result_and_every_change_of_an_old_run(
    program: Program, name: str
) -> None:
    folder = placed(program, name)
    found = reports(program, folder)
    data = json.loads(found["json"])
    assert data["result"]["reason"] in data["headline"]
    page = Page(found["html"])
    for text in (found["text"], found["markdown"], page.text):
        assert data["headline"] in text
        assert text.index(data["headline"]) < text.index(data["head"]["started"])
        for batch in data["changes"]:
            assert batch["id"] in text
            assert batch["detail"] in text
            for change in batch["changes"]:
                assert change["text"] in text
        for line in data["timeline"]:
            assert line["text"] in text
        for gap in data["name_servers"]:
            assert gap["server"] in text
    assert (data["head"].get("rehearsal") is not None) == (name == "rehearsal")


def test_of_a_run_killed_in_the_gap_every_format_says_what_stands_and_what_to_do(
    program: Program,
) -> None:
    folder = placed(program, "killed-in-the-gap")
    found = reports(program, folder)
    data = json.loads(found["json"])
    assert (data["state"], data["needs"], data["no_record"]) == (
        "died",
        "resume",
        ["www.example.com"],
    )
    for text in (found["text"], found["markdown"], Page(found["html"]).text):
        assert "not ended: it was in phase confirm" in text
        assert "its process died" in text
        assert "www.example.com has NO RECORD" in text
        assert f"route53-takeover resume {folder.name}" in text
        assert re.search(r"NO RECORD: www.example.com .* at \d\d:\d\d:\d\dZ at the latest", text)


def test_of_a_run_in_progress_every_format_says_that_it_is_not_the_end(program: Program) -> None:
    folder = placed(program, "killed-in-the-gap")
    with closing(FileJournal(folder.journal)):  # as its process does
        found = reports(program, folder)
    data = json.loads(found["json"])
    assert (data["state"], data["needs"], data["result"]) == ("running", None, None)
    for text in (found["text"], found["markdown"], Page(found["html"]).text):
        assert "not ended: it is in phase confirm" in text
        assert "no process will restore it" not in text
        assert f"route53-takeover attach {folder.name}" in text
    assert "make the report again later" in found["html"]


def test_the_timeline_says_when_the_record_was_back_and_what_is_waited_for(
    program: Program,
) -> None:
    folder = placed(program, "restored")
    texts = [line["text"] for line in json.loads(reports(program, folder)["json"])["timeline"]]
    gone = next(n for n, text in enumerate(texts) if text.startswith("NO RECORD: "))
    back = next(n for n, text in enumerate(texts) if "record restored after" in text)
    assert "waiting for stack shop to roll back" in texts[back]
    assert gone < back
    assert not any("undoing" in text for text in texts[:gone])


def test_foreign_text_is_harmless_in_every_format(program: Program) -> None:
    folder = placed(program, "rolled-back")
    with_reason(folder, HOSTILE)
    found = reports(program, folder)
    assert "\x1b" not in "".join(found.values())
    assert "\u202e" not in "".join(found.values())
    page = Page(found["html"])
    assert "<script>alert(1)</script>" in page.text
    assert "script" not in page.tags
    plain = re.sub(r"(?s)(`{3,})text\n.*?\n\1\n|(`+)(?!`).+?(?<!`)\2(?!`)", "", found["markdown"])
    for word in ("script", "@all", "e.vil"):
        assert word in found["markdown"]
        assert word not in plain


def test_the_page_loads_nothing_runs_nothing_and_is_ascii(program: Program) -> None:
    folder = placed(program, "done")
    text = reports(program, folder)["html"]
    assert text.isascii()
    assert text.startswith("<!doctype html>")
    page = Page(text)
    assert page.open == []
    assert {"script", "img", "iframe", "object", "form"}.isdisjoint(page.tags)
    links = [value for name, value in page.attributes if name in ("href", "src", "action")]
    assert links == ["data:,"]
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert not re.search(r"url\((?!#)|@import|https?:", text)
    policy = next(v for n, v in page.attributes if n == "content" and "default-src" in v)
    assert policy.startswith("default-src 'none'")


def test_who_started_a_run_and_its_calls_are_kept_and_reported(program: Program) -> None:
    with cloud(program.home) as account:
        ran = program("run", "--auto", *account.target("--skip-off"), "--output=json")
    assert ran.code == 0, ran.err
    data = json.loads(program("report", "--output=json").out)
    assert data["head"]["by"].startswith("arn:aws:")
    assert data["head"]["program"].startswith("route53-takeover 0")
    assert data["api_calls"] == data["result"]["api_calls"] == ran.result["api_calls"]
    assert data["api_calls"]["route53:ChangeResourceRecordSets"] > 0
    for each in ("text", "markdown", "html"):
        assert "route53:ChangeResourceRecordSets" in program("report", f"--output={each}").out
