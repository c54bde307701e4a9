"""The messages of the screen's parts. Attributes go down, messages go up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from route53_takeover.process.protocol import Request


@dataclass
class ViewArrived(Message):
    """The source has a newer view. The app keeps the newest; those before it are never drawn."""


@dataclass
class Asked(Message):
    """The user requested this, and confirmed it where a confirmation is needed."""

    request: Request


@dataclass
class StartAsked(Message):
    """The user started the plan."""


@dataclass
class LeaveAsked(Message):
    """The user leaves the screen."""


@dataclass
class HelpAsked(Message):
    """The user opens the list of keys."""


@dataclass
class ThemeAsked(Message):
    """The user changes the theme."""


@dataclass
class PaletteAsked(Message):
    """The user opens the command palette."""


@dataclass
class PictureAsked(Message):
    """The user saves a picture of the screen."""


@dataclass
class Pressed(Message):
    """The mouse was pressed on an action in the footer."""

    action: str


@dataclass
class Scrubbed(Message):
    """The mouse was pressed on the bar of a replay; ``share`` of it, from 0 to 1."""

    share: float
