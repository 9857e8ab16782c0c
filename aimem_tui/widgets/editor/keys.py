"""The editor's keys. The rest of the app's keys belong to its screens.

Left out on purpose, though many editors have them: Ctrl+E, Ctrl+H, Ctrl+J, Ctrl+K and Ctrl+T,
which the app uses, and Escape, which leaves the editor.

Terminals with the kitty protocol report Shift together with Space, Enter, Backspace and Delete;
whoever types capitals holds it down, so these are the keys without it.
"""

from __future__ import annotations

from textual.binding import Binding


def _key(keys: str, action: str, description: str) -> Binding:
    identity = "editor." + action.replace("(True)", "_select").replace("_", "-")
    return Binding(keys, action, description, show=False, id=identity)


KEYS = [
    _key("up", "cursor_up", "Up"),
    _key("down", "cursor_down", "Down"),
    _key("left", "cursor_left", "Left"),
    _key("right", "cursor_right", "Right"),
    _key("ctrl+left,alt+left", "cursor_word_left", "Word left"),
    _key("ctrl+right,alt+right", "cursor_word_right", "Word right"),
    _key("home,ctrl+a", "cursor_line_start", "Start of the row"),
    _key("end", "cursor_line_end", "End of the row"),
    _key("ctrl+home", "cursor_text_start", "Start of the text"),
    _key("ctrl+end", "cursor_text_end", "End of the text"),
    _key("pageup", "cursor_page_up", "Page up"),
    _key("pagedown", "cursor_page_down", "Page down"),
    _key("shift+up", "cursor_up(True)", "Select up"),
    _key("shift+down", "cursor_down(True)", "Select down"),
    _key("shift+left", "cursor_left(True)", "Select left"),
    _key("shift+right", "cursor_right(True)", "Select right"),
    _key("ctrl+shift+left", "cursor_word_left(True)", "Select word left"),
    _key("ctrl+shift+right", "cursor_word_right(True)", "Select word right"),
    _key("shift+home", "cursor_line_start(True)", "Select to the start of the row"),
    _key("shift+end", "cursor_line_end(True)", "Select to the end of the row"),
    _key("ctrl+shift+home", "cursor_text_start(True)", "Select to the start of the text"),
    _key("ctrl+shift+end", "cursor_text_end(True)", "Select to the end of the text"),
    _key("f6", "select_line", "Select the line"),
    _key("f7", "select_all", "Select everything"),
    _key("backspace,shift+backspace", "delete_left", "Delete to the left"),
    _key("delete,shift+delete,ctrl+d", "delete_right", "Delete to the right"),
    _key("ctrl+w,ctrl+backspace,alt+backspace", "delete_word_left", "Delete word left"),
    _key("ctrl+delete,alt+delete", "delete_word_right", "Delete word right"),
    _key("ctrl+u,super+backspace", "delete_to_start_of_line", "Delete to the start of the row"),
    _key("ctrl+shift+k", "delete_line", "Delete the line"),
    _key("tab", "indent", "Indent"),
    _key("shift+tab", "outdent", "Outdent"),
    _key("alt+up", "move_lines_up", "Move the line up"),
    _key("alt+down", "move_lines_down", "Move the line down"),
    _key("ctrl+x,super+x", "cut", "Cut"),
    _key("ctrl+c,super+c", "copy", "Copy"),
    _key("ctrl+v,super+v", "paste", "Paste"),
    _key("ctrl+z,super+z", "undo", "Undo"),
    _key("ctrl+y,super+y,ctrl+shift+z", "redo", "Redo"),
]
