"""How a relay is set up: defaults, a TOML file, and the environment, in this order.

- Every setting is a field of :class:`Config`. In the file it has the field's name; in the
  environment it is ``AIMEM_RELAY_`` and the name in capitals, lists with an item a line.
- What is unknown or out of range is an error at the start, never a surprise later.
- Credentials (``secrets``, the URLs' passwords) are never printed; :func:`shown` leaves them out.
- The table in ``docs/relay.md`` is these fields; a test compares the two.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from aimem_relay.errors import RelayError

ENVIRONMENT = "AIMEM_RELAY_"
CONFIG_VARIABLE = "AIMEM_RELAY_CONFIG"
"""Names the TOML file."""

Port: TypeAlias = Annotated[int, Meta(ge=0, le=65_535)]
Count: TypeAlias = Annotated[int, Meta(ge=1)]
Bytes: TypeAlias = Annotated[int, Meta(ge=0)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=86_400)]
Interval: TypeAlias = Annotated[float, Meta(gt=0, le=86_400)]


def _about(text: str) -> Meta:
    return Meta(description=text)


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set."""

    host: Annotated[str, _about("Address to listen on.")] = "127.0.0.1"
    port: Annotated[Port, _about("Port to listen on; 0 takes a free one.")] = 8787
    tls_certificate: Annotated[str, _about("PEM file with the certificate; empty for none.")] = ""
    tls_key: Annotated[str, _about("PEM file with its key.")] = ""
    forwarded_hops: Annotated[
        int,
        Meta(ge=0, le=16),
        _about(
            "How many proxies of your own stand before the relay. The address of a client is then"
            " taken from `X-Forwarded-For`, so many places from its end."
        ),
    ] = 0
    data_dir: Annotated[
        str,
        _about("Folder of the SQLite ledger and the secret; empty for the platform's own place."),
    ] = ""
    database: Annotated[
        str, _about("URL of a PostgreSQL database; empty for SQLite in the data folder.")
    ] = ""
    redis: Annotated[str, _about("URL of a Redis server; empty for none.")] = ""
    secrets: Annotated[
        tuple[str, ...],
        _about(
            "Secrets that tokens are signed with, each of 32 characters or more. The first one"
            " signs, all are accepted. Empty for those of `secrets_file`."
        ),
    ] = ()
    secrets_file: Annotated[
        str,
        _about(
            "File with a secret a line; empty for `secrets` in the data folder, made if missing."
        ),
    ] = ""
    revoked: Annotated[
        tuple[str, ...], _about("Ids of tokens that are not accepted any more.")
    ] = ()
    max_frame: Annotated[
        int, Meta(ge=65_536, le=64 << 20), _about("Largest frame taken from a client, in bytes.")
    ] = 17 << 20
    entries_per_s: Annotated[
        Count, _about("Entries a second taken from one connection, ten seconds' worth at once.")
    ] = 20_000
    frames_per_s: Annotated[
        Count, _about("Frames a second taken from one connection, ten seconds' worth at once.")
    ] = 2_000
    connections: Annotated[Count, _about("Connections at a time.")] = 20_000
    connections_per_workspace: Annotated[Count, _about("Connections to one workspace.")] = 5_000
    connections_per_address: Annotated[Count, _about("Connections from one address.")] = 2_000
    handshakes: Annotated[Count, _about("Connections that are being let in at a time.")] = 1_000
    workspace_bytes: Annotated[
        Bytes, _about("Bytes that one workspace may take up; 0 for no limit.")
    ] = 10 << 30
    uncommitted_bytes: Annotated[
        Bytes, _about("Bytes received from one connection that may wait to be stored.")
    ] = 8 << 20
    unfinished_bytes: Annotated[
        int,
        Meta(ge=64 << 20),
        _about(
            "Bytes held of messages that have begun and not ended, for all connections together."
        ),
    ] = 256 << 20
    presence_ms: Annotated[
        int, Meta(ge=10, le=10_000), _about("Presence is passed on this far apart at least, in ms.")
    ] = 50
    presence_per_connection: Annotated[Count, _about("Presences one connection may announce.")] = 64
    presence_per_workspace: Annotated[
        Count, Meta(le=20_000), _about("Presences passed on in one workspace; others are left out.")
    ] = 10_000
    slow_s: Annotated[
        Seconds, _about("A connection that takes nothing for this long is dropped.")
    ] = 10.0
    retry_s: Annotated[
        Seconds, _about("Who is turned away is asked to wait about this long, at random.")
    ] = 5.0
    poll_s: Annotated[
        Interval,
        _about("How often other pods' commits are looked for without Redis, or when it is lost."),
    ] = 1.0
    drain_s: Annotated[Seconds, _about("Connections are closed over this long after SIGTERM.")] = (
        10.0
    )
    checkpoints: Annotated[
        bool, _about("Whether this process builds checkpoints of long thoughts.")
    ] = True
    checkpoint_s: Annotated[
        Interval, _about("How often thoughts worth a checkpoint are looked for.")
    ] = 10.0
    checkpoint_timeout_s: Annotated[
        Interval, _about("How long the building of one checkpoint may take.")
    ] = 60.0
    checkpoint_memory: Annotated[
        int, Meta(ge=256 << 20), _about("Memory, in bytes, that the building of one may take.")
    ] = 2 << 30

    @property
    def data(self) -> Path:
        """The data folder."""
        if self.data_dir:
            return Path(self.data_dir).expanduser().absolute()
        from platformdirs import PlatformDirs

        return Path(PlatformDirs("aimem", appauthor=False, roaming=False).user_data_dir) / "relay"


def load(file: Path | None = None, environment: Mapping[str, str] | None = None) -> Config:
    """The settings in force.

    Args:
        file: the TOML file; the one that the environment names unless given.
        environment: the process's own unless given.

    Raises:
        RelayError: if the file cannot be read, or a setting is unknown or out of range.
    """
    environment = os.environ if environment is None else environment
    if file is None and environment.get(CONFIG_VARIABLE):
        file = Path(environment[CONFIG_VARIABLE])
    values = _read(file) if file is not None else {}
    lists = {field.name for field in msgspec.structs.fields(Config) if field.default == ()}
    for variable, text in environment.items():
        if not variable.startswith(ENVIRONMENT) or variable == CONFIG_VARIABLE:
            continue
        name = variable.removeprefix(ENVIRONMENT).lower()
        values[name] = [line for line in text.splitlines() if line] if name in lists else text
    try:
        config = msgspec.convert(values, Config, strict=False)
    except msgspec.ValidationError as error:
        # The value itself is not repeated: it may be a secret.
        raise RelayError(
            f"A setting is wrong: {error}. See docs/relay.md for what is valid."
        ) from None
    if bool(config.tls_certificate) != bool(config.tls_key):
        raise RelayError("tls_certificate and tls_key belong together; set both or none.")
    return config


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            return tomllib.load(opened)
    except OSError as error:
        raise RelayError(f"The settings in {file} cannot be read: {error.strerror}.") from None
    except tomllib.TOMLDecodeError as error:
        raise RelayError(f"The settings in {file} are not valid TOML: {error}.") from None


def shown(config: Config) -> dict[str, Any]:
    """The settings for people to read, without what nobody should see."""
    values: dict[str, Any] = msgspec.to_builtins(config)
    values["secrets"] = f"({len(config.secrets)} of them)" if config.secrets else ""
    values["database"] = without_password(config.database)
    values["redis"] = without_password(config.redis)
    return values


def without_password(url: str) -> str:
    """A URL as it may be shown: without a user's name and password, and without its query."""
    if not url:
        return ""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    hidden = "…@" if "@" in parts.netloc else ""
    return f"{parts.scheme}://{hidden}{host}{parts.path}"
