"""How the preview looks: the names its lines are drawn in, and the colours of each.

Surfaces differ by their ground, nothing has a border, and one accent colour marks headings and
what can be done. Without colours, weight and underlines carry the same. In the terminal's own
colours nothing gets a ground: nobody knows what can be read on which of them.
"""

from __future__ import annotations

PREFIX = "preview--"

NAMES = (
    *(f"h{level}" for level in range(1, 7)),
    "h1-rule",
    "strong",
    "em",
    "strike",
    "code",
    "link",
    "link-focus",
    "image",
    "muted",
    "done",
    "quote",
    "bar",
    "bullet",
    "rule",
    "property",
    "value",
    "fence",
    "comment",
    "keyword",
    "string",
    "number",
    "function",
    "builtin",
    "inserted",
    "deleted",
)

CSS = """
MarkdownPreview {
    background: $background;
    color: $foreground;
    overflow-x: hidden;
    overflow-y: auto;
    scrollbar-gutter: stable;
    scrollbar-size-vertical: 1;
    scrollbar-background: $background;
    scrollbar-background-hover: $background;
    scrollbar-background-active: $background;
    scrollbar-color: $foreground 15%;
    scrollbar-color-hover: $foreground 30%;
    scrollbar-color-active: $accent;

    & > .preview--h1 { color: $text-accent; text-style: bold; }
    & > .preview--h1-rule { color: $accent 60%; }
    & > .preview--h2 { color: $text-accent; text-style: bold; }
    & > .preview--h3 { text-style: bold; }
    & > .preview--h4 { text-style: bold italic; }
    & > .preview--h5 { color: $foreground 70%; text-style: bold; }
    & > .preview--h6 { color: $foreground 70%; text-style: italic; }
    & > .preview--strong { text-style: bold; }
    & > .preview--em { text-style: italic; }
    & > .preview--strike { text-style: strike; }
    & > .preview--code { background: $foreground 9%; }
    & > .preview--link { color: $text-primary; text-style: underline; }
    & > .preview--link-focus { background: $accent 35%; text-style: bold underline; }
    & > .preview--image { color: $foreground 60%; text-style: italic underline; }
    & > .preview--muted { color: $foreground 60%; }
    & > .preview--done { color: $foreground 55%; }
    & > .preview--quote { color: $foreground 75%; }
    & > .preview--bar { color: $accent 60%; }
    & > .preview--bullet { color: $text-accent; }
    & > .preview--rule { color: $foreground 25%; }
    & > .preview--property { color: $foreground 45%; }
    & > .preview--value { color: $foreground 70%; }
    & > .preview--fence { background: $foreground 6%; }
    & > .preview--comment { color: $foreground 50%; text-style: italic; }
    & > .preview--keyword { color: $text-accent; }
    & > .preview--string { color: $text-success; }
    & > .preview--number { color: $text-warning; }
    & > .preview--function { color: $text-primary; text-style: bold; }
    & > .preview--builtin { color: $text-secondary; }
    & > .preview--inserted { color: $text-success; }
    & > .preview--deleted { color: $text-error; }

    &:ansi {
        & > .preview--muted, & > .preview--done, & > .preview--property,
        & > .preview--comment, & > .preview--rule { text-style: dim; }
        & > .preview--link-focus { background: transparent; text-style: bold reverse; }
        & > .preview--fence { background: transparent; }
        & > .preview--code { background: transparent; color: $text-success; }
    }
    &:nocolor {
        & > .preview--h1 { text-style: bold underline; }
        & > .preview--code { text-style: bold; }
        & > .preview--link-focus { text-style: reverse; }
    }
}
"""
