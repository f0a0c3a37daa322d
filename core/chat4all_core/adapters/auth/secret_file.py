"""Secrets that the platform makes for itself, one file each."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["MIN_SECRET_BYTES", "SecretFileError", "create_secret_file", "load_or_create_secret", "load_secret"]

MIN_SECRET_BYTES = 32
"""Of an HMAC-SHA-256 key: as many as the hash gives (RFC 7518, section 3.2)."""


class SecretFileError(Exception):
    """A file of keys or secrets can't be used. The message names it and says what to do."""


def load_or_create_secret(path: Path) -> bytes:
    """The secret in a file; the first caller makes it, and processes that call at once get the same one.

    Raises:
        SecretFileError: what is there is shorter than `MIN_SECRET_BYTES`.
        OSError: it can't be read or written.
    """
    if not path.exists():
        with suppress(FileExistsError):  # another process was quicker
            create_secret_file(path, secrets.token_bytes(MIN_SECRET_BYTES))
    return load_secret(path)


def load_secret(path: Path) -> bytes:
    """The secret in a file.

    Raises:
        SecretFileError: there is none, or it is shorter than `MIN_SECRET_BYTES`.
        OSError: it can't be read.
    """
    try:
        secret = path.read_bytes()
    except FileNotFoundError:
        raise SecretFileError(f"{path} is missing: put at least {MIN_SECRET_BYTES} random bytes there") from None
    if len(secret) < MIN_SECRET_BYTES:
        raise SecretFileError(f"{path} must hold at least {MIN_SECRET_BYTES} bytes, has {len(secret)}")
    return secret


def create_secret_file(path: Path, content: bytes) -> None:
    """Write a new file that only its owner may read. It appears whole and durable, or not at all.

    Raises:
        FileExistsError: there is one; it is left as it is.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, scratch = tempfile.mkstemp(dir=path.parent, prefix=".")  # mode 0600
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(scratch, path)  # unlike a rename, never replaces
    finally:
        os.unlink(scratch)
    _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
