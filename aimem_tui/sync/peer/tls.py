"""The certificate of this device, and how connections between two machines are encrypted.

A device signs its certificate itself; nobody else vouches for it. Two machines get to know that
they see each other's by pairing (``pairing``), and from then on by its fingerprint. So the names
and dates in it say nothing, and none is checked. Key and certificate are one file that only its
owner can read.
"""

from __future__ import annotations

import os
import secrets
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from aimem_tui.errors import StorageError

FILE_NAME = "device.pem"
_FROM, _UNTIL = datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Certificate:
    """This device's."""

    file: Path
    """Key and certificate, PEM."""
    fingerprint: bytes
    """SHA-256 of the certificate, 32 bytes."""


def device_certificate(folder: Path) -> Certificate:
    """The certificate that is kept in ``folder``; made when it is first needed.

    Raises:
        StorageError: if it cannot be made or read.
    """
    file = folder / FILE_NAME
    try:
        if not file.exists():
            _make(file)
        return Certificate(file, _fingerprint_in(file.read_bytes()))
    except OSError as error:
        raise StorageError(
            f"{file} cannot be read or written.", why=f"{error.strerror or error}."
        ) from error
    except ValueError as error:
        raise StorageError(
            f"{file} is damaged.",
            why="It should hold the certificate of this device.",
            hint="Remove it, and pair this machine again with those that connect to it.",
        ) from error


def server_context(certificate: Certificate) -> ssl.SSLContext:
    """For the side that listens.

    Raises:
        StorageError: if key and certificate do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_cert_chain(certificate.file)
    except (ssl.SSLError, OSError) as error:
        raise StorageError(f"{certificate.file} cannot be used.", why=str(error)) from error
    return context


def client_context() -> ssl.SSLContext:
    """For the side that dials, which must compare the fingerprint itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def fingerprint_of(certificate: bytes) -> bytes:
    """The fingerprint of a certificate in DER."""
    return sha256(certificate).digest()


def _fingerprint_in(pem: bytes) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    return fingerprint_of(x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER))


def _make(file: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "aimem")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(pem)
            out.flush()
            os.fsync(out.fileno())
        # Where two processes make one at a time, both go by the first.
        with suppress(FileExistsError):
            os.link(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)
