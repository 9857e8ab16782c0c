"""Searches kept under a name, in ``searches.toml`` beside the workspace's file.

The file is a person's, too: what else stands in it, comments among it, stays.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, NamedTuple

from aimem_tui.errors import BadInput, NotFound, StorageError

FILE_NAME = "searches.toml"
_NAME_LENGTH = 60


class SavedSearch(NamedTuple):
    """A search with a name."""

    name: str
    query: str
    """Words and fields, as one types them."""
    kind: str = "hybrid"


class SavedSearches:
    """The searches that are kept for a workspace.

    Args:
        folder: where the workspace's file is.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE_NAME

    def all(self) -> list[SavedSearch]:
        """Every one, by name.

        Raises:
            StorageError: if the file cannot be read.
            BadInput: if it is not TOML.
        """
        import tomllib

        try:
            tree = tomllib.loads(self.file.read_bytes().decode())
        except FileNotFoundError:
            return []
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise _unreadable(self.file, error) from error
        except OSError as error:
            raise _failed(self.file, "read", error) from error
        found = []
        for name, table in tree.items():
            if isinstance(table, dict) and isinstance(table.get("query"), str):
                kind = table.get("type")
                found.append(
                    SavedSearch(name, table["query"], kind if isinstance(kind, str) else "hybrid")
                )
        return sorted(found)

    def get(self, name: str) -> SavedSearch:
        """The search of a name.

        Raises:
            NotFound: if there is none.
        """
        known = self.all()
        for each in known:
            if each.name == name:
                return each
        names = ", ".join(each.name for each in known)
        raise NotFound(
            f"There is no saved search called {name}.",
            hint=f"There are: {names}."
            if names
            else "To keep one: aimem search --save NAME WORDS.",
        )

    def save(self, search: SavedSearch) -> None:
        """Keep a search, in place of one of the same name.

        Raises:
            BadInput: if the name or the search is empty or the name too long.
            StorageError: if the file cannot be written.
        """
        name = search.name.strip()
        if not name or len(name) > _NAME_LENGTH or not name.isprintable():
            raise BadInput(
                "A saved search needs a name.", why=f"It has up to {_NAME_LENGTH} characters."
            )
        if not search.query.strip():
            raise BadInput(f"There is nothing to keep as {name}.", hint="Say what to look for.")
        self._change(name, {"query": search.query, "type": search.kind})

    def remove(self, name: str) -> None:
        """Forget a search.

        Raises:
            NotFound: if there is none of that name.
        """
        self.get(name)
        self._change(name, None)

    def _change(self, name: str, value: dict[str, str] | None) -> None:
        import tomlkit
        from tomlkit.exceptions import ParseError

        try:
            text = self.file.read_text(encoding="utf-8") if self.file.exists() else ""
            document: MutableMapping[str, Any] = tomlkit.parse(text)
            if value is None:
                document.pop(name, None)
            else:
                table = tomlkit.table()
                table.update(value)
                document[name] = table
            temporary = self.file.with_name(f"{self.file.name}.new")
            temporary.write_text(tomlkit.dumps(document), encoding="utf-8")
            temporary.replace(self.file)
        except (ParseError, UnicodeDecodeError) as error:
            raise _unreadable(self.file, error) from error
        except OSError as error:
            raise _failed(self.file, "written", error) from error


def _unreadable(file: Path, error: Exception) -> BadInput:
    return BadInput(f"{file} is not valid TOML.", why=str(error), hint="Mend it, or remove it.")


def _failed(file: Path, what: str, error: OSError) -> StorageError:
    return StorageError(f"{file} cannot be {what}.", why=error.strerror or str(error))
