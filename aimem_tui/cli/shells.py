"""Completion in bash, zsh and fish: the scripts, and the answers they ask for.

A script calls ``aimem`` with ``_AIMEM_COMPLETE`` set to the shell's name and ``_AIMEM_LINE`` to the
command line up to the cursor. The answer is one candidate per line: its sort (``plain``,
``thought``, ``file`` or ``dir``), the value and a word of help, parted by tabs. The sorts ``file``
and ``dir`` ask the shell to complete those itself. Quoting is left to the shells.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aimem_tui.cli import output
from aimem_tui.cli.styling import safe

if TYPE_CHECKING:
    import click

    from aimem_tui.cli.context import Session

_LINE = "_AIMEM_LINE"
_WORD = "_AIMEM_WORD"
_CURSOR = "\x1f"
_ASSIGNMENT = re.compile(r"\w+=")
_OPTION = re.compile(r"--[a-z-]+=")

_BASH = """\
_aimem_completion() {
    local sort value help
    COMPREPLY=()
    while IFS=$'\\t' read -r sort value help; do
        case $sort in
            plain) COMPREPLY+=("$value") ;;
            thought)
                COMPREPLY+=("$value")
                compopt -o filenames 2>/dev/null
                ;;
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
        esac
    done < <(_AIMEM_COMPLETE=bash _AIMEM_LINE="${COMP_LINE:0:COMP_POINT}" _AIMEM_WORD="$2" \\
        "$1" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o nosort -F _aimem_completion aimem 2>/dev/null ||
    complete -F _aimem_completion aimem
"""

_ZSH = """\
#compdef aimem
_aimem() {
    local sort value help line="${(j: :)words[1,CURRENT]}"
    local -a named thoughts folders
    [[ $PREFIX == --*=* ]] && compset -P '*='
    while IFS=$'\\t' read -r sort value help; do
        case $sort in
            plain) named+=("${value//:/\\\\:}:$help") ;;
            thought)
                if [[ $value == */ ]]; then folders+=("$value"); else thoughts+=("$value"); fi
                ;;
            dir) _path_files -/ ;;
            file) _path_files ;;
        esac
    done < <(_AIMEM_COMPLETE=zsh _AIMEM_LINE="$line" aimem 2>/dev/null)
    (( $#named )) && _describe -V aimem named
    (( $#folders )) && compadd -S '' -a folders
    (( $#thoughts )) && compadd -a thoughts
    return 0
}
if [[ ${funcstack[1]} == _aimem ]]; then
    _aimem "$@"
else
    compdef _aimem aimem
fi
"""

_FISH = """\
function __aimem_complete
    set -l line (commandline -cp | string collect)
    for answer in (env _AIMEM_COMPLETE=fish _AIMEM_LINE="$line" aimem 2>/dev/null)
        set -l parts (string split \\t -- $answer)
        switch $parts[1]
            case dir
                __fish_complete_directories (commandline -ct)
            case file
                __fish_complete_path (commandline -ct)
            case '*'
                printf '%s\\t%s\\n' $parts[2] $parts[3]
        end
    end
end
complete -c aimem -f -a '(__aimem_complete)'
"""

_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def script(shell: str) -> str:
    """The script for a shell: ``bash``, ``zsh`` or ``fish``."""
    return _SCRIPTS[shell]


def answer(root: click.Command, session: Session, shell: str) -> None:
    """Print the candidates for the line that the environment holds."""
    if shell not in _SCRIPTS:
        return
    before, word = _words(os.environ.get(_LINE, ""))
    for sort, value, help_text in _candidates(root, session, before, word):
        shown = _as_shell_expects(shell, word, value)
        output.emit(f"{sort}\t{shown}\t{safe(help_text)}\n")


def _candidates(
    root: click.Command, session: Session, before: list[str], word: str
) -> Iterator[tuple[str, str, str]]:
    from click.shell_completion import ShellComplete

    engine = ShellComplete(root, {"obj": session}, "aimem", "_AIMEM_COMPLETE")
    for item in engine.get_completions(before, word):
        value = str(item.value)
        if value == safe(value):
            yield item.type, value, item.help or ""


def _words(line: str) -> tuple[list[str], str]:
    """The words before the cursor, the program's name left out, and the one it stands in."""
    words = _split(line + _CURSOR)
    while words and _ASSIGNMENT.match(words[0]):
        del words[0]
    if not words:
        return [], ""
    return words[1:-1], words[-1].removesuffix(_CURSOR)


def _split(line: str) -> list[str]:
    """The words of a line whose last quote may be open."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:
        words.append(lexer.token)
    return words


def _as_shell_expects(shell: str, word: str, value: str) -> str:
    """A value with the part of the word that the shell wants to see again, or without what it has.

    Fish replaces ``--path=pl`` whole; bash replaces only what stands behind a ``=`` or ``:``.
    """
    option = _OPTION.match(word)
    if shell == "fish" and option:
        return option[0] + value
    if shell == "bash":
        typed = word[option.end() :] if option else word
        piece = os.environ.get(_WORD, typed)
        if typed.endswith(piece) and value.startswith(typed):
            return value[len(typed) - len(piece) :]
    return value
