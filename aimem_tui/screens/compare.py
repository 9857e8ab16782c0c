"""Two thoughts that are much alike, side by side: make them one, or leave them two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from aimem_tui import words
from aimem_tui.errors import AimemError
from aimem_tui.widgets.hints import Hint, Hints
from aimem_tui.widgets.icons import Icons
from aimem_tui.widgets.preview import MarkdownPreview

if TYPE_CHECKING:
    from aimem_tui.model import Thought
    from aimem_tui.workspace.ordering import Ordering
    from aimem_tui.workspace.workspace import Workspace

_BOTH = 100
"""Columns from which both fit beside each other."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided: to merge, with the id of the thought that stays, or to leave them two."""

    merge: bool
    kept: str


class CompareScreen(ModalScreen[Verdict | None]):
    """The two, and what would become of them.

    Args:
        kept: the id of the thought that would stay.
        other: the id of the one that would be merged in and go to the trash.
    """

    CSS_PATH = "compare.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("m", "merge", "Merge"),
        Binding("s", "swap", "Keep the other one"),
        Binding("d", "leave_two", "They are two"),
        Binding("r", "result", "Show the result"),
        Binding("tab", "next", "The other text", priority=True),
        Binding("down", "walk(1)", priority=True),
        Binding("up", "walk(-1)", priority=True),
        Binding("pagedown", "walk(10)", priority=True),
        Binding("pageup", "walk(-10)", priority=True),
    ]

    def __init__(
        self, workspace: Workspace, ordering: Ordering, icons: Icons, kept: str, other: str
    ) -> None:
        super().__init__()
        self._workspace = workspace
        self._ordering = ordering
        self._icons = icons
        self._pair = [kept, other]
        self._result = False
        self._front = "left"

    def compose(self) -> ComposeResult:
        """The figures, the two texts with their paths above, the keys."""
        with Vertical():
            yield Static("", id="figures", markup=False)
            with Horizontal():
                for side in ("left", "right"):
                    with Vertical(id=side):
                        yield Static("", id=f"{side}-name", classes="name", markup=False)
                        yield MarkdownPreview(icons=self._icons, id=f"{side}-text")
            yield Hints()

    def on_mount(self) -> None:
        """Read both."""
        self._arrange()
        self._show()

    def on_resize(self) -> None:
        """One text where two do not fit."""
        self._arrange()

    def _arrange(self) -> None:
        both = self.size.width >= _BOTH
        for side in ("left", "right"):
            self.query_one(f"#{side}").display = both or side == self._front
        hints = [
            Hint("m", "make them one", "merge"),
            Hint("s", "keep the other", "swap"),
            Hint("r", "both texts" if self._result else "the result", "result"),
            Hint("d", "they are two", "leave_two"),
        ]
        if not both:
            hints.append(Hint("tab", "the other text", "next"))
        hints.append(Hint("esc", "close", "dismiss(None)"))
        self.query_one(Hints).show(hints)

    def _show(self) -> None:
        try:
            kept, other = map(self._workspace.by_id, self._pair)
            pair = self._ordering.compare(*self._pair)
            merged = self._ordering.preview(*self._pair) if self._result else None
            texts = [self._workspace.text(thought) for thought in self._pair]
        except AimemError as error:
            self.notify(str(error), severity="error", timeout=10, markup=False)
            return
        figures = f"{pair.resemblance:.0%} of the wording is in both"
        if pair.cosine is not None:
            figures += f", {pair.cosine:.2f} near in meaning"
        if merged is not None:
            texts[0] = merged.text
            figures += f"   {words.count(merged.added, 'passage')} would come in"
            if merged.left_out:
                figures += f", left out: {'; '.join(merged.left_out)}"
        self.query_one("#figures", Static).update(figures)
        self._fill("left", "Would read so" if merged else "Stays", kept, texts[0])
        self._fill("right", "Goes to the trash", other, texts[1])

    def _fill(self, side: str, fate: str, thought: Thought, text: str) -> None:
        said = f"{fate}\n{thought.path.removesuffix('.md')}"
        self.query_one(f"#{side}-name", Static).update(said)
        self.query_one(f"#{side}-text", MarkdownPreview).load(text)

    def action_merge(self) -> None:
        """Make them one."""
        self.dismiss(Verdict(True, self._pair[0]))

    def action_leave_two(self) -> None:
        """They are two; do not propose it again."""
        self.dismiss(Verdict(False, self._pair[0]))

    def action_swap(self) -> None:
        """Keep the other one."""
        self._pair.reverse()
        self._show()

    def action_result(self) -> None:
        """Show on the left what would become of them, or the text as it is."""
        self._result = not self._result
        self._arrange()
        self._show()

    def action_next(self) -> None:
        """The other text, where only one fits."""
        self._front = "right" if self._front == "left" else "left"
        self._arrange()

    def action_walk(self, lines: int) -> None:
        """Scroll both."""
        for side in ("left", "right"):
            text = self.query_one(f"#{side}-text", MarkdownPreview)
            text.scroll_to(y=text.scroll_offset.y + lines, animate=False)
