"""Bearer tokens: who may do what in a workspace, for how long, signed by the relay's secret.

Form: ``aimem1.<payload>.<mac>``, both in base64 for URLs without padding. The payload is JSON with
the workspace, the role, the expiry, an id and a name for people; the MAC is HMAC-SHA256 (RFC 2104)
over everything before its dot. Nothing is looked up, so every pod that knows the secret can check
every token. Secrets are changed by putting a new one first and taking the old one away once the
tokens it signed have expired.

A token is a credential: it is never logged, and never part of a URL or of a command line.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from aimem_relay.config import Config
from aimem_relay.errors import RelayError
from crdt.wire.messages import Role

PREFIX = "aimem1"
MIN_SECRET = 32
MAX_TOKEN = 4_096


class Token(Struct, frozen=True):
    """What a token says."""

    workspace: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    role: Role
    expires: Annotated[int, Meta(ge=0)]
    """Until when it is good, ms since the Unix epoch; 0 for ever."""
    id: Annotated[str, Meta(max_length=64)]
    """Tells this token from others, for revoking it."""
    name: Annotated[str, Meta(max_length=256)] = ""
    """Whose it is, for people."""


class BadToken(Exception):
    """The token was not signed by this relay, or is no token."""


_decoder = msgspec.json.Decoder(Token)


def issue(token: Token, secret: str) -> str:
    """Sign a token."""
    signed = f"{PREFIX}.{_text(msgspec.json.encode(token))}"
    return f"{signed}.{_text(_mac(signed, secret))}"


def read(text: str, accepted: Sequence[str]) -> Token:
    """What a token says, once it is sure that one of the ``accepted`` secrets signed it.

    Raises:
        BadToken: if none did.
    """
    signed, _, mac = text.rpartition(".")
    prefix, _, payload = signed.partition(".")
    if prefix != PREFIX or len(text) > MAX_TOKEN:
        raise BadToken
    try:
        given, content = _bytes(mac), _bytes(payload)
    except (binascii.Error, ValueError):
        raise BadToken from None
    # All secrets are tried, so that the time tells nothing.
    matches = [hmac.compare_digest(_mac(signed, secret), given) for secret in accepted]
    if not any(matches):
        raise BadToken
    try:
        return _decoder.decode(content)
    except msgspec.DecodeError:
        raise BadToken from None


def new_id() -> str:
    """A fresh id for a token."""
    return secrets.token_hex(8)


def secrets_of(config: Config) -> tuple[str, ...]:
    """The secrets in force; one is made for a relay of its own that has none.

    Raises:
        RelayError: if the file cannot be read or written, others could read it, or a secret is
            short.
    """
    found = config.secrets or _from_file(config)
    if not found:
        raise RelayError("There is no secret to sign tokens with: set `secrets` or `secrets_file`.")
    if any(len(secret) < MIN_SECRET for secret in found):
        raise RelayError(f"A secret is too short: each must have {MIN_SECRET} characters or more.")
    return found


def _from_file(config: Config) -> tuple[str, ...]:
    file = Path(config.secrets_file) if config.secrets_file else config.data / "secrets"
    try:
        if not config.secrets_file and not file.exists():
            _make(file)
        return tuple(file.read_text(encoding="ascii").split())
    except (OSError, UnicodeDecodeError) as error:
        raise RelayError(f"The secrets in {file} cannot be used: {error}.") from None


def _make(file: Path) -> None:
    """Write a fresh secret that only the owner can read, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "w", encoding="ascii") as opened:  # noqa: PTH123 (the mode is the point)
            opened.write(secrets.token_urlsafe(48) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        # Another process may have been quicker; then its secret counts.
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink()


def _mac(signed: str, secret: str) -> bytes:
    return hmac.new(secret.encode(), signed.encode("ascii", "replace"), hashlib.sha256).digest()


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
