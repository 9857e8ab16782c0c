"""The other copies that this one keeps in step with: relays, and machines paired with.

They are kept in ``remotes.toml`` beside the workspace's file, in the order in which they were
added; secrets are not there but in :mod:`aimem_tui.sync.credentials`. The file is read anew
whenever it is needed, so that a person may edit it, and written whole or not at all.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from aimem_tui.errors import BadInput, NotFound, Refused, StorageError

FILE_NAME = "remotes.toml"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_WORKSPACE = re.compile(r"[0-9a-f]{32}")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}|")
_SCHEMES = {"ws": 80, "wss": 443}
_PATH = "/sync/"
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class Kind(Enum):
    """What is at the other end."""

    RELAY = "relay"
    PEER = "peer"
    """Another machine, on this network."""


@dataclass(frozen=True, slots=True)
class Remote:
    """Another copy of the workspace, and where it is."""

    name: str
    url: str
    """A websocket address, path included."""
    kind: Kind = Kind.RELAY
    fingerprint: str = ""
    """SHA-256 of the certificate it must show, 64 hexadecimal digits; empty: one that any
    authority of this machine vouches for."""


@dataclass(frozen=True, slots=True)
class Address:
    """What a person gives to connect to."""

    url: str
    """Without a path."""
    host: str
    workspace: str
    """The id of the workspace; empty where none is named."""

    @property
    def is_open(self) -> bool:
        """Whether others on the way could read what is said."""
        return self.url.startswith("ws://") and self.host not in _THIS_MACHINE

    def of(self, workspace: str) -> str:
        """The address of a workspace there."""
        return f"{self.url}{_PATH}{workspace}"


def read_address(text: str) -> Address:
    """Take an address apart: ``ws(s)://host[:port][/sync/WORKSPACE]``.

    Raises:
        BadInput: if it is none; says what is wrong.
    """

    def wrong(why: str) -> BadInput:
        return BadInput(
            f"{text} is not an address to sync with.",
            why=why,
            hint="It is written like wss://relay.example.org or"
            " wss://relay.example.org/sync/WORKSPACE.",
        )

    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise wrong(f"{str(error).capitalize().rstrip('.')}.") from error
    if parts.scheme in ("http", "https"):
        other = "wss" if parts.scheme == "https" else "ws"
        raise wrong(f"It begins with {parts.scheme}:// where {other}:// is needed.")
    if parts.scheme not in _SCHEMES:
        raise wrong("It begins neither with ws:// nor with wss://.")
    if not host or any(c.isspace() or not c.isprintable() for c in text.strip()):
        raise wrong("It names no computer.")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise wrong("A password or token does not belong into an address; you are asked for it.")
    path = parts.path.rstrip("/")
    workspace = path.removeprefix(_PATH.rstrip("/")).removeprefix("/")
    if path and (not path.startswith(_PATH.rstrip("/")) or "/" in workspace):
        raise wrong(f"Behind the computer's name only {_PATH}WORKSPACE can stand.")
    if workspace and not _WORKSPACE.fullmatch(workspace):
        raise wrong("The id of a workspace has 32 digits from 0 to 9 and a to f.")
    shown = f"[{host}]" if ":" in host else host
    where = shown if port is None else f"{shown}:{port}"
    return Address(f"{parts.scheme}://{where}", host, workspace)


class Remotes:
    """The remotes of one workspace.

    Args:
        folder: the folder of the workspace's file.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE_NAME

    def all(self) -> list[Remote]:
        """Every remote, in the order of the file.

        Raises:
            StorageError: if the file cannot be read.
            BadInput: if it does not hold remotes.
        """
        try:
            data = self.file.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StorageError(
                f"{self.file} cannot be read.", why=f"{error.strerror or error}."
            ) from error
        try:
            tree = tomllib.loads(data.decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise self._broken(f"{error}.") from error
        tables = tree.get("remote", [])
        if not isinstance(tables, list):
            raise self._broken("remote is not a list of tables.")
        return [self._remote(table) for table in tables]

    def get(self, name: str) -> Remote:
        """The remote called so.

        Raises:
            NotFound: if there is none.
        """
        remotes = self.all()
        for remote in remotes:
            if remote.name == name:
                return remote
        names = ", ".join(remote.name for remote in remotes)
        raise NotFound(
            f"Nothing called {name} is connected.",
            hint=f"There are: {names}." if names else "To connect: aimem connect URL.",
        )

    def add(self, remote: Remote, *, replace: bool = False) -> None:
        """Keep a remote.

        Raises:
            Refused: if there is one of that name, unless it is to be replaced.
            BadInput: if nothing can be called so.
            StorageError: if the file cannot be written.
        """
        problem = name_problem(remote.name)
        if problem:
            raise BadInput(f"{remote.name!r} cannot be a name.", why=problem)
        if not replace:
            self.refuse_taken(remote.name)
        remotes = self.all()
        if any(other.name == remote.name for other in remotes):
            remotes = [remote if other.name == remote.name else other for other in remotes]
        else:
            remotes.append(remote)
        self._write(remotes)

    def refuse_taken(self, name: str) -> None:
        """Make sure that nothing is called so.

        Raises:
            Refused: if something is.
        """
        if any(other.name == name for other in self.all()):
            raise Refused(
                f"Something called {name} is connected already.",
                hint=f"Give another name, or first: aimem disconnect {name}.",
            )

    def remove(self, name: str) -> Remote:
        """Forget a remote; returns what it was.

        Raises:
            NotFound: if there is none of that name.
            StorageError: if the file cannot be written.
        """
        gone = self.get(name)
        self._write(remote for remote in self.all() if remote.name != name)
        return gone

    def free_name(self, wanted: str) -> str:
        """``wanted`` made a name, with a number behind it where it is taken."""
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted).strip(".-_")[:60] or "relay"
        taken = {remote.name for remote in self.all()}
        number = 1
        free = name
        while free in taken:
            number += 1
            free = f"{name}-{number}"
        return free

    def _remote(self, table: object) -> Remote:
        if not isinstance(table, dict) or not all(
            isinstance(table.get(key, ""), str) for key in ("name", "url", "kind", "fingerprint")
        ):
            raise self._broken("A remote has name, url, kind and fingerprint, all of them text.")
        kind = table.get("kind", Kind.RELAY.value)
        if kind not in {each.value for each in Kind}:
            raise self._broken(f"{kind} is none of the kinds relay and peer.")
        remote = Remote(
            table.get("name", ""), table.get("url", ""), Kind(kind), table.get("fingerprint", "")
        )
        problem = name_problem(remote.name)
        if problem:
            raise self._broken(f"{remote.name!r} cannot be a name. {problem}")
        if not _FINGERPRINT.fullmatch(remote.fingerprint):
            raise self._broken(f"The fingerprint of {remote.name} has not 64 hexadecimal digits.")
        try:
            read_address(remote.url)
        except BadInput as error:
            raise self._broken(str(error)) from error
        return remote

    def _broken(self, why: str) -> BadInput:
        return BadInput(f"{self.file} cannot be used.", why=why, hint="Mend it, or remove it.")

    def _write(self, remotes: Iterable[Remote]) -> None:
        import tomlkit

        document = tomlkit.document()
        tables = tomlkit.aot()
        for remote in remotes:
            table = tomlkit.table()
            table["name"], table["url"], table["kind"] = remote.name, remote.url, remote.kind.value
            if remote.fingerprint:
                table["fingerprint"] = remote.fingerprint
            tables.append(table)
        document["remote"] = tables
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            temporary = self.file.with_name(f"{self.file.name}.{os.getpid()}.new")
            temporary.write_text(tomlkit.dumps(document), encoding="utf-8")
            temporary.replace(self.file)
        except OSError as error:
            raise StorageError(
                f"{self.file} cannot be written.", why=f"{error.strerror or error}."
            ) from error


def name_problem(name: str) -> str:
    """What is wrong with a remote's name; empty if nothing."""
    if _NAME.fullmatch(name):
        return ""
    return (
        "A name has 1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first."
    )
