"""The screen's own themes. For the terminal's colours Textual has ``ansi-dark``, ``ansi-light``."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="takeover-dark",
    dark=True,
    primary="#7cb7ff",
    secondary="#8fa3bf",
    accent="#c4a7ff",
    success="#6fd08c",
    warning="#ffc657",
    error="#ff7b72",
    foreground="#e6e9ef",
    background="#10141b",
    surface="#171d27",
    panel="#222b38",
)
LIGHT = Theme(
    name="takeover-light",
    dark=False,
    primary="#0b57b0",
    secondary="#4a5a70",
    accent="#6b3fa0",
    success="#17692f",
    warning="#8a5200",
    error="#b3261e",
    foreground="#1a1f27",
    background="#fbfbf9",
    surface="#f1f2f0",
    panel="#e3e6e8",
)

THEMES = (DARK, LIGHT)
"""To be registered by the app; the first one is the default."""
NAMES = (DARK.name, LIGHT.name, "ansi-dark", "ansi-light")
"""The themes to choose from."""
