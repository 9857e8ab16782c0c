"""Links that lead to no thought, and where they most likely should lead.

A link is followed as everywhere in aimem: from the folder of its thought, from the root, by an
earlier path, by a file name that one thought has. What that leads to is fine. Of the others only
those count that look like links to thoughts: to a markdown file, ``[[a name]]``, or without suffix
into a folder that is there. The likely target is, in this order: the same name written otherwise
(case, dashes, blanks, a date in front), the one of several thoughts of that name that lies nearest,
a title, a name that is nearly the same. It is written as the link was: from the root, from the
thought's folder, or as a name; with or without ``.md``.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple
from urllib.parse import unquote

import apsw

from aimem_tui.markdown.dates import without_date
from aimem_tui.markdown.describe import describe, is_markdown
from aimem_tui.organize.library import Card, Library
from crdt.textdiff import Splice

_ALIKE = 0.8
"""How alike two names are, as difflib counts it, for one to be a slip of the other."""

_NAMES_COMPARED = 300


class Broken(NamedTuple):
    """A link that leads nowhere."""

    target: str
    """As written."""
    times: int
    """How often the thought has it."""
    likely: str
    """What to write instead; empty if nothing comes near."""
    leads_to: str
    """The path of the thought that it would lead to."""
    why: str
    confidence: float


class LinkTable:
    """All that links can lead to."""

    def __init__(self, library: Library, connection: apsw.Connection) -> None:
        self._cards = library.cards
        self._by_path = {card.thought.path: n for n, card in self._cards.items()}
        self._known = set(self._by_path) | {
            str(row[0])
            for row in connection.execute(
                "SELECT a.path FROM aliases AS a JOIN thoughts AS t ON t.n = a.thought"
                " WHERE t.shown = 1"
            )
        }
        self._trashed = {
            str(row[0])
            for row in connection.execute(
                "SELECT path FROM thoughts WHERE trashed_at IS NOT NULL AND purged = 0"
            )
        }
        self._folders = {path.rpartition("/")[0] for path in self._known}
        self._ids = set(library.by_id)
        self._names: defaultdict[str, list[int]] = defaultdict(list)
        self._folded: defaultdict[str, list[int]] = defaultdict(list)
        self._titles: defaultdict[str, list[int]] = defaultdict(list)
        self._by_word: defaultdict[str, list[str]] = defaultdict(list)
        for n, card in self._cards.items():
            self._names[card.thought.name].append(n)
            self._folded[folded(card.thought.name)].append(n)
            self._titles[folded(card.thought.title)].append(n)
        for name in self._folded:
            for word in set(name.split()):
                self._by_word[word].append(name)

    def broken(self, card: Card, targets: Iterable[str]) -> Iterator[Broken]:
        """The links among a thought's that lead nowhere, each target once, in their order."""
        counts: dict[str, int] = {}
        for target in targets:
            counts[target] = counts.get(target, 0) + 1
        for target, count in counts.items():
            path = _path_of(target)
            if self._leads(card, path) or not self._is_for_thoughts(card, path, target):
                continue
            found, why, confidence = self._likely(card, path)
            if found is None:
                if self._in_trash(card, path):
                    yield Broken(target, count, "", "", "What it leads to is in the trash.", 0.3)
                else:
                    yield Broken(target, count, "", "", "It leads nowhere.", 0.2)
            elif found != card.n:
                there = self._cards[found].thought.path
                likely = self._written(card, target, there)
                yield Broken(target, count, likely, there, why, confidence)

    def written(self, card: Card, target: str, path: str) -> str:
        """A link to a thought's path, in the form of an earlier target."""
        return self._written(card, target, path)

    def _leads(self, card: Card, path: str) -> bool:
        """Whether there is something behind a link; the same as ``Workspace.follow``."""
        if not path:
            return True
        for name in _readings(card, path):
            if name in self._known or f"{name}.md" in self._known or name in self._ids:
                return True
        name = posixpath.basename(path)
        return any(
            each in self._known or len(self._names.get(each, ())) == 1
            for each in (name, f"{name}.md")
        )

    def _is_for_thoughts(self, card: Card, path: str, target: str) -> bool:
        name = posixpath.basename(path)
        if is_markdown(path):
            return True
        if "." in name or not name:
            return False
        return "/" not in path or any(
            posixpath.dirname(each) in self._folders for each in _readings(card, path)
        )

    def _in_trash(self, card: Card, path: str) -> bool:
        return any(
            each in self._trashed or f"{each}.md" in self._trashed for each in _readings(card, path)
        )

    def _likely(self, card: Card, path: str) -> tuple[int | None, str, float]:
        name = posixpath.basename(path)
        exact = self._names.get(name) or self._names.get(f"{name}.md")
        if exact:
            found = self._nearest(card, path, exact)
            return found, f"{_say(len(exact))} have that name; this one lies nearest.", 0.6
        key = folded(name)
        same = self._folded.get(key)
        if same and key:
            found = self._nearest(card, path, same)
            return (
                found,
                "The name is the same but for how it is written.",
                0.9 if len(same) == 1 else 0.6,
            )
        titled = self._titles.get(key)
        if titled and key:
            return self._nearest(card, path, titled), "That is its title.", 0.8
        best, share = "", 0.0
        words = sorted(set(key.split()), key=lambda word: len(self._by_word.get(word, ())))
        near = dict.fromkeys(
            other for word in words[:3] for other in self._by_word.get(word, ())[:_NAMES_COMPARED]
        )
        for other in near:
            matcher = SequenceMatcher(None, key, other, autojunk=False)
            if matcher.real_quick_ratio() >= _ALIKE and (ratio := matcher.ratio()) > share:
                best, share = other, ratio
        if share < _ALIKE:
            return None, "", 0.0
        found = self._nearest(card, path, self._folded[best])
        return found, "The name is nearly the same.", round(share - 0.2, 3)

    def _nearest(self, card: Card, path: str, candidates: Sequence[int]) -> int:
        """Of several thoughts the one whose folders are most like those of the link."""
        folders = posixpath.dirname(next(_readings(card, path))).split("/")

        def unlike(n: int) -> tuple[int, int, str]:
            there = self._cards[n].thought.path
            own = there.split("/")[:-1]
            shared = len(set(folders) & set(own))
            return (-shared, abs(len(own) - len(folders)), there)

        return min(candidates, key=unlike)

    def _written(self, card: Card, target: str, path: str) -> str:
        anchor = re.search(r"[#?].*\Z", target, re.DOTALL)
        written = target[: anchor.start()] if anchor else target
        lead = re.match(r"[@/]*", written)
        folder = card.thought.path.rpartition("/")[0]
        if "/" not in written and self._names.get(path.rpartition("/")[2]) == [self._by_path[path]]:
            new = path.rpartition("/")[2]
        elif lead and lead[0]:
            new = lead[0] + path
        elif written.startswith(".") or (folder and not _from_root(written, self._folders)):
            new = posixpath.relpath(path, folder or ".")
            if written.startswith("./") and not new.startswith("."):
                new = f"./{new}"
        else:
            new = path
        if not is_markdown(written):
            new = re.sub(r"\.md\Z", "", new)
        if "%20" in written or (" " not in written and "](" not in target and " " in new):
            new = new.replace(" ", "%20")
        return new + (anchor[0] if anchor else "")


def folded(name: str) -> str:
    """A name but for how it is written: words in lower case, without date and suffix."""
    stem = re.sub(r"\.(?:md|markdown|mdx|mdown)\Z", "", name, flags=re.IGNORECASE)
    stem = re.sub(r" \(\d+\)\Z", "", stem)
    return " ".join(re.split(r"[\s_.\-]+", without_date(stem).casefold())).strip()


def replacement(path: str, text: str, target: str, new: str) -> list[Splice]:
    """The edit that makes a text's links to ``target`` lead to ``new``."""
    lines = {link.line for link in describe(path, text).links if link.target == target}
    pattern = re.compile(rf"(?<![\w/.%-]){re.escape(target)}(?![\w/%-])")
    found: list[Splice] = []
    for number, line in enumerate(re.finditer(r"[^\r\n]*(?:\r\n|\r|\n|\Z)", text)):
        if number in lines:
            found += [
                Splice(line.start() + match.start(), line.start() + match.end(), new)
                for match in pattern.finditer(line[0])
            ]
    return found


def _readings(card: Card, path: str) -> Iterator[str]:
    folder = card.thought.path.rpartition("/")[0]
    yield posixpath.normpath(posixpath.join(folder, path))
    yield path.lstrip("/@")


def _path_of(target: str) -> str:
    path = re.split(r"[#?]", target, maxsplit=1)[0].strip()
    return unquote(path) if "%" in path else path


def _from_root(written: str, folders: set[str]) -> bool:
    first = written.partition("/")[0]
    return any(folder == first or folder.startswith(f"{first}/") for folder in folders)


def _say(count: int) -> str:
    return "Two thoughts" if count == 2 else f"{count} thoughts"
