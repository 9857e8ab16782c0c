"""Thoughts and passages for tests that need no workspace."""

from __future__ import annotations

from aimem_tui.assist.prompts import Passage
from aimem_tui.model import Kind, Lifecycle, Thought


def thought(path: str = "plans/auth.md", title: str = "Auth") -> Thought:
    """A thought of that path."""
    return Thought(
        "0" * 32,
        path,
        path,
        title,
        Kind.PLAN,
        "",
        Lifecycle.NONE,
        (),
        0,
        "",
        0,
        "",
        None,
        0,
        0,
        0,
        0,
    )


def passage(number: int, text: str, path: str = "plans/auth.md") -> Passage:
    """A passage that was found."""
    return Passage(number, thought(path), 1, text)
