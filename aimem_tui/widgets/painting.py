"""From spans to strips: names of styles become the colours of the theme.

A name ``muted`` is the component class ``<prefix>muted`` of the widget; several names are laid
over each other in order. People's colours are the same in every theme and lie on top. Styles are
worked out once and kept until the widget's styles change.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from aimem_tui.widgets.people import PREFIX, person_style
from aimem_tui.widgets.rows import Span


class Painter:
    """Paints the lines of one widget.

    Args:
        widget: whose component classes give the colours.
        prefix: what stands before each name in them.
    """

    def __init__(self, widget: Widget, prefix: str) -> None:
        self._widget = widget
        self._prefix = prefix
        self._styles: dict[str, Style] = {}

    def forget(self) -> None:
        """Work out all styles anew: the widget's have changed."""
        self._styles.clear()

    def style(self, names: str = "") -> Style:
        """The style of names separated by spaces; none for the widget's own."""
        style = self._styles.get(names)
        if style is None:
            people = [name for name in names.split() if name.startswith(PREFIX)]
            classes = [f"{self._prefix}{name}" for name in names.split() if name not in people]
            style = self._widget.get_visual_style(*classes).rich_style
            # A visual style knows every attribute of text but this one.
            styles = (self._widget.get_component_styles(name) for name in classes)
            if any(one.text_style.reverse for one in styles):
                style += Style(reverse=True)
            for name in people:
                style += person_style(name, dark=self._widget.app.current_theme.dark)
            self._styles[names] = style
        return style

    def strip(self, spans: Iterable[Span], width: int, ground: str = "") -> Strip:
        """Spans as a strip of exactly that width.

        Neighbours in one style become one run: every change of style costs bytes on the line.

        Args:
            spans: printable.
            width: in cells.
            ground: names of the styles that lie under every span and fill the rest.
        """
        segments = [
            Segment("".join(span.text for span in run), self.style(f"{ground} {names}".strip()))
            for names, run in groupby(spans, key=lambda span: span.style)
        ]
        return Strip([segment for segment in segments if segment.text]).adjust_cell_length(
            width, self.style(ground)
        )
