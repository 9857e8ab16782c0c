"""The app's colours: dark, light and high contrast.

Quiet surfaces that differ by background; one accent for focus and selection, one colour for people
(warning), one for trouble (error).
"""

from __future__ import annotations

from textual.theme import Theme

_CURSOR = {"block-cursor-text-style": "none", "footer-key-foreground": "$accent"}

THEMES: tuple[Theme, ...] = (
    Theme(
        name="aimem-dark",
        dark=True,
        primary="#7fb4ca",
        secondary="#a7b8c8",
        accent="#7fb4ca",
        foreground="#d6dae0",
        background="#14171c",
        surface="#191d23",
        panel="#20252d",
        boost="#272d36",
        success="#9ac58f",
        warning="#e0b074",
        error="#e58a8a",
        variables={**_CURSOR, "border": "#2b323c"},
    ),
    Theme(
        name="aimem-light",
        dark=False,
        primary="#2d6a83",
        secondary="#55636f",
        accent="#2d6a83",
        foreground="#24292f",
        background="#fbfaf7",
        surface="#f4f2ed",
        panel="#ebe8e1",
        boost="#e2ded5",
        success="#3d7a35",
        warning="#8f5a12",
        error="#b0393d",
        variables={**_CURSOR, "border": "#d8d3c8"},
    ),
    Theme(
        name="high-contrast",
        dark=True,
        primary="#ffd700",
        secondary="#ffffff",
        accent="#ffd700",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#1c1c1c",
        boost="#303030",
        success="#00ff5f",
        warning="#ffaf5f",
        error="#ff8787",
        variables={**_CURSOR, "border": "#ffffff"},
    ),
)
