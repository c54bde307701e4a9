"""The report's page in a real browser: nothing is loaded, all of it can be read, on any screen."""

from __future__ import annotations

import asyncio
import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.program import Program
from tests.e2e.browser import browsing, chromium
from tests.e2e.installed import NotInstallableError
from tests.old_runs import placed
from tests.played_switch import PLAN, Played

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.events import TimePassed
from route53_takeover.storage.config import Connection
from route53_takeover.storage.journal import FileJournal
from route53_takeover.storage.run_folder import RunFolder, SavedSwitch

if TYPE_CHECKING:
    from route53_takeover.core.events import Event

RECORDED = Path(__file__).parents[1] / "data" / "recorded"
SIZES = ((390, False), (390, True), (1200, False))
PRINTED = ("restored", "switch")
PICTURES = os.environ.get("REPORT_PICTURES")
"""A folder for the pictures, to look at them."""

WIDER = """
[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll') && !e.closest('svg')
  && (e.getBoundingClientRect().right > innerWidth + 1 || e.getBoundingClientRect().left < -1))
  .map(e => e.outerHTML.slice(0, 200))
"""
"""What is outside the page, but for tables that scroll by themselves."""
UNREADABLE = """
(() => {
  const channels = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const back = e => { for (; e; e = e.parentElement) {
    const c = channels(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
  const found = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || e.closest('title') || !e.getClientRects().length) continue;
    const style = getComputedStyle(e), svg = e.closest('svg');
    const [a, b] = [light(channels(svg ? style.fill : style.color)), light(back(e))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize);
    if (contrast < 4.5 || size < 11.5) found.push([e.outerHTML.slice(0, 120), contrast, size]);
  }
  return found;
})()
"""
"""Texts with too little contrast (WCAG AA) or too small."""
BACKGROUND = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"


class Recorded(Played):
    """A switch whose events are kept, for a journal."""

    def __init__(self) -> None:
        self.history: list[Event] = []
        super().__init__()

    def take(self, event: Event) -> None:
        self.history.append(event)
        super().take(event)


def switch_run(program: Program) -> RunFolder:
    """The folder of a switch that is done, with answers of both sides on the way."""
    played = Recorded()
    played.backed_up().deploy().check().switch().settle().watch(305)
    played.take(TimePassed(time=played.time))
    played.read(Side.GREEN)
    assert played.state.ending is not None
    return journalled(program, "20261128-switch-shop", played.history)


def journalled(program: Program, name: str, history: list[Event]) -> RunFolder:
    folder = RunFolder(program.state / "runs" / name)
    folder.path.mkdir(parents=True, mode=0o700)
    saved = SavedSwitch(
        run=name, begun=history[0].time, connection=Connection(), cwd="/", plan=PLAN
    )
    folder.save_plan(saved)
    with closing(FileJournal(folder.journal)) as journal:
        for event in history:
            journal.append(event)
    return folder


def recorded_run(program: Program, journal: str) -> RunFolder:
    """A folder with a recorded journal and no plan."""
    folder = RunFolder(program.state / "runs" / f"20261128-{journal}")
    folder.path.mkdir(parents=True, mode=0o700)
    folder.journal.write_bytes((RECORDED / f"{journal}.jsonl").read_bytes())
    return folder


@pytest.fixture(scope="module")
def browser() -> str:
    try:
        return chromium()
    except NotInstallableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def seen(browser: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the browser says of every page at every size, by ``PAGE WIDTH SCHEME``."""
    home = tmp_path_factory.mktemp("report-pages")
    program = Program(home)
    folders = {
        "rehearsal": placed(program, "rehearsal"),
        "died": placed(program, "killed-in-the-gap"),
        "restored": recorded_run(program, "never-created"),
        "many": recorded_run(program, "many"),
        "switch": switch_run(program),
    }
    files = {}
    for name, folder in folders.items():
        ended = program("report", folder.name, "--output=html")
        assert ended.code == 0, ended.err
        files[name] = home / f"{name}.html"
        files[name].write_text(ended.out)
    return asyncio.run(_look(browser, home / "profile", files))


async def _look(browser: str, profile: Path, files: dict[str, Path]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    async with browsing(browser, profile) as page:
        for name, file in files.items():
            for width, dark in SIZES:
                await page.open(file, width=width, dark=dark)
                found[f"{name} {width} {'dark' if dark else 'light'}"] = {
                    "file": file.as_uri(),
                    "wider": await page.value(WIDER),
                    "scrolls": await page.value("document.documentElement.scrollWidth"),
                    "unreadable": await page.value(UNREADABLE),
                    "background": await page.value(BACKGROUND),
                    "text": await page.value("document.body.innerText"),
                    "charts": await page.value(
                        "[...document.querySelectorAll('svg.chart')].map(e => [e.clientWidth,"
                        " e.querySelectorAll('rect').length])"
                    ),
                    "requests": page.requests,
                    "complaints": page.complaints,
                }
                if PICTURES:
                    await page.picture(Path(PICTURES) / f"{name}-{width}-{dark}.png")
            if name in PRINTED:
                found[name] = await page.printed()
    return found


def pages(seen: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(name, page) for name, page in seen.items() if isinstance(page, dict)]


def test_a_page_asks_for_nothing_and_the_browser_has_nothing_to_complain_of(
    seen: dict[str, Any],
) -> None:
    for name, page in pages(seen):
        others = [url for url in page["requests"] if url not in (page["file"], "data:,")]
        assert (others, page["complaints"]) == ([], []), name


def test_a_page_fits_a_phone_and_every_text_on_it_can_be_read(seen: dict[str, Any]) -> None:
    for name, page in pages(seen):
        assert (page["wider"], page["unreadable"]) == ([], []), name
        assert page["scrolls"] <= int(name.split()[1]), name


def test_a_page_is_dark_where_dark_is_wanted(seen: dict[str, Any]) -> None:
    for name, page in pages(seen):
        is_dark = max(page["background"]) < 60
        assert is_dark == name.endswith("dark"), (name, page["background"])


def test_a_page_has_the_chart_of_the_name_servers_or_of_the_two_sides(
    seen: dict[str, Any],
) -> None:
    for name, page in pages(seen):
        which, width, _ = name.split()
        if which == "died":
            assert page["charts"] == [], "its name servers were not asked"
            assert "NO RECORD" in page["text"]
            continue
        ((wide, bars),) = page["charts"]
        assert wide > int(width) * 0.7
        assert bars > 8, name
        says = "Who answered users" if which == "switch" else "no such name"
        assert says in page["text"], name


def test_a_page_can_be_printed(seen: dict[str, Any]) -> None:
    for name in PRINTED:
        assert seen[name].startswith(b"%PDF-")
        assert len(seen[name]) > 10_000
