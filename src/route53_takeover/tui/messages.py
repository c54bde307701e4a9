"""What the parts of the screen tell each other. Attributes go down, these go up."""

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
    """A person has asked for this, and has said yes where a yes was due."""

    request: Request


@dataclass
class StartAsked(Message):
    """A person has said yes to the plan."""


@dataclass
class LeaveAsked(Message):
    """A person wants to leave the screen."""


@dataclass
class HelpAsked(Message):
    """A person wants to see the keys."""


@dataclass
class ThemeAsked(Message):
    """A person wants another theme."""


@dataclass
class PaletteAsked(Message):
    """A person wants the command palette."""


@dataclass
class PictureAsked(Message):
    """A person wants a picture of the screen."""


@dataclass
class Pressed(Message):
    """The mouse was pressed on an action in the footer."""

    action: str


@dataclass
class Scrubbed(Message):
    """The mouse was pressed on the bar of a replay; ``share`` of it, from 0 to 1."""

    share: float
