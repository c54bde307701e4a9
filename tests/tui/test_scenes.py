"""Every scene as text, at every size and in every palette: what must be in view, and readable."""

from __future__ import annotations

import re
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from tests.tui import scenes, switch_scenes
from tests.tui.acting import HeardApp, PlayedSource, show

from route53_takeover.process.protocol import Link
from route53_takeover.tui import run_layout, themes
from route53_takeover.tui.frame import SPINNER
from route53_takeover.tui.key_bar import KeyBar, KeyHint
from route53_takeover.tui.marks import LOOKS
from route53_takeover.tui.state_colour import DIED, state_of
from route53_takeover.tui.widgets.lines import Lines
from route53_takeover.tui.wording import duration, remaining

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rich.color import Color
    from rich.segment import Segment

    from route53_takeover.process.protocol import View

SIZES = ((80, 24), (120, 40), (160, 48), (200, 60))
_REACH = {
    Link.LIVE: " running ",
    Link.STALE: " STALE ",
    Link.GONE: " PROCESS DIED ",
    Link.REPLAY: " REPLAY ",
    Link.ENDED: " took ",
}
_OF_A_TAKEOVER = re.compile(
    r"record|\bTTL|name server|(?<!-)takeover|\bzone|stacks|release", re.IGNORECASE
)
"""What a switch has none of."""
_UNSCROLLED = ("header", "rail", "tabs")
_SIGNS = {look.symbol for look in LOOKS.values()} | set(f"!≠-x█{SPINNER}")
"""What says without colour what a colour says; the spinner says that something is running."""
_READABLE = 4.5
"""Contrast of text to its background at least (WCAG 2.1, 1.4.3)."""


@pytest.fixture(autouse=True)
def _time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_layout, "_loop_time", lambda: 0.0)


async def play(
    size: tuple[int, int],
    preferences: Path,
    look: Callable[[str, HeardApp], None],
    palette: str = themes.DARK.name,
) -> None:
    """Looks at every scene, all of them in one application."""
    source = PlayedSource()
    app = HeardApp(source=source, preferences=preferences)
    async with app.run_test(size=size) as pilot:
        app.theme = palette
        for name in (*scenes.SCENES, *switch_scenes.SCENES):
            await show(pilot, source, _view(name))
            look(name, app)


def _view(name: str) -> View:
    return scenes.view(name) if name in scenes.SCENES else switch_scenes.view(name)


@pytest.mark.parametrize("size", SIZES)
async def test_every_scene_is_complete_at_every_size(size: tuple[int, int], tmp_path: Path) -> None:
    def look(name: str, app: HeardApp) -> None:
        view, text = _view(name), _text(app)
        missing = [word for word in _important(view) if word not in text]
        assert not missing, (name, missing)
        promised = [each for each in _countdowns(view) if each in text]
        assert not promised or view.link not in DIED, (name, promised)
        assert _REACH[view.link] in text.splitlines()[0]
        assert _cut_off(app) == [], name
        assert _overlapping(app) == [], name
        assert _shown_by_colour_alone(app) == [], name
        assert _unreadable(app) == [], name
        if name in switch_scenes.SCENES:
            assert _OF_A_TAKEOVER.findall(text) == [], name

    await play(size, tmp_path / "preferences", look)


async def test_every_scene_reads_the_same_on_a_light_ground_and_without_colour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[dict[str, str]] = []

    def look(name: str, app: HeardApp) -> None:
        reported[-1][name] = _text(app)
        assert _unreadable(app) == [], (name, app.no_color)

    for has_colour in (True, False):
        if not has_colour:
            monkeypatch.setenv("NO_COLOR", "1")
        reported.append({})
        await play((120, 40), tmp_path / "preferences", look, themes.LIGHT.name)
    light, colourless = reported
    assert light == colourless


async def test_a_terminals_own_colours_are_not_used_as_a_ground_of_the_hero(tmp_path: Path) -> None:
    def look(name: str, app: HeardApp) -> None:
        assert app.screen.query_one("#hero").styles.background.ansi == -1, name

    await play((80, 24), tmp_path / "preferences", look, "ansi-dark")


def _important(view: View) -> Iterator[str]:
    snapshot = view.snapshot
    yield f" {state_of(view).word} "
    if view.link not in DIED:
        yield duration(snapshot.now - snapshot.began)
    if snapshot.result is not None:
        yield snapshot.result.outcome.upper()
        yield f"exit code {snapshot.result.exit_code}"
    elif snapshot.paused:
        yield " YOUR TURN: PAUSED "
    if snapshot.rehearsal:
        yield " REHEARSAL "
    for record in snapshot.records:
        if not record.standing:
            yield " MEMBER MISSING " if record.still_answers else " NO RECORD "
    for swap in snapshot.swaps:
        yield swap.words
        yield {"absent": " GONE ", "other": " OTHER "}.get(swap.side, swap.side)
    if snapshot.meter is not None and snapshot.meter.share is not None:
        yield f"{snapshot.meter.share:.0%} green"
    if view.link not in DIED:  # no process is there that would act when the time is up
        yield from _countdowns(view)


def _countdowns(view: View) -> Iterator[str]:
    for countdown in view.snapshot.countdowns[:1]:
        if view.link is not Link.STALE:
            yield f" in {remaining(countdown.until - view.snapshot.now)} "


def _text(app: HeardApp) -> str:
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def _parts(app: HeardApp) -> list[Lines]:
    """The parts that are to be seen."""
    return [part for part in app.screen.query(Lines) if part.region]


def _cut_off(app: HeardApp) -> list[str]:
    """The parts that show less than they should, and cannot be scrolled to the rest."""
    wrong = []
    for part in _parts(app):
        lines = [part.line(number) for number in range(part.virtual_size.height)]
        if max((line.cell_length for line in lines), default=0) > part.size.width:
            wrong.append(f"{part.id} is too narrow")
        if part.id in _UNSCROLLED and len(lines) > part.size.height:
            wrong.append(f"{part.id} is too low")
    hints = [*app.screen.query(KeyHint)][:-1]  # the last one may be cut
    return wrong + [f"the key {h.hint.key}" for h in hints if h.region.right > app.size.width]


def _overlapping(app: HeardApp) -> list[str]:
    """Parts of which one stands on another, or outside the screen."""
    parts = [*_parts(app), app.screen.query_one(KeyBar)]
    over = [f"{a} on {b}" for a, b in combinations(parts, 2) if a.region.overlaps(b.region)]
    return over + [
        str(part) for part in parts if not app.screen.region.contains_region(part.region)
    ]


def _shown_by_colour_alone(app: HeardApp) -> list[str]:
    """Lines with something in a colour and no sign or word in capitals that says the same.

    A line that is indented goes on with the one above. The hero says its colour in its border.
    """
    found = []
    for part in (each for each in _parts(app) if each.id != "hero"):
        is_said = False
        for number in range(part.size.height):
            strip = part.render_line(number)
            text = strip.text
            is_said = bool(
                _SIGNS.intersection(text)
                or re.search(r"\b[A-Z]{3,}\b", text)
                or (is_said and text.startswith("  "))
            )
            if not is_said and any(_is_coloured(segment) for segment in strip):
                found.append(f"{part.id}: {text}")
    return found


def _is_coloured(segment: Segment) -> bool:
    colour = segment.style and segment.style.color and segment.style.color.triplet
    return bool(colour and segment.text.strip() and max(colour) - min(colour) > 40)


def _unreadable(app: HeardApp) -> list[str]:
    """Words in a colour that is too much like that behind them."""
    return [
        segment.text
        for strip in app.screen._compositor.render_strips()
        for segment in strip
        if re.search(r"\w", segment.text)
        and segment.style
        and _contrast(segment.style.color, segment.style.bgcolor) < _READABLE
    ]


@cache
def _contrast(one: Color | None, other: Color | None) -> float:
    dark, light = sorted(map(_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Color | None) -> float:
    """Relative, as WCAG 2.1 defines it."""
    assert colour is not None
    assert colour.triplet is not None
    red, green, blue = (
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4
        for c in colour.triplet.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
