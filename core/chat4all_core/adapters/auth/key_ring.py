"""The keys of access tokens: a folder with one file a key, so that keys rotate without a break.

A file's name is the key's id (`kid`). The newest by name signs, all of them verify. To rotate, add a file
whose name sorts last to every server's folder, restart the servers in any order (one that was not restarted
yet finds the new key when it meets a token of it), and delete the old file once its last token has expired.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from chat4all_core.adapters.auth.secret_file import SecretFileError, create_secret_file
from chat4all_core.adapters.auth.signing_key import Algorithm, SigningKey, generate_key, parse_key

__all__ = ["KeyRing", "create_first_key"]

_FIRST_KEY = "0001"  # a fixed name: of two processes that start at once, one makes it and both use it
_RELOAD_SECONDS = 5.0  # so that tokens with made-up key ids do not make the server read files all the time


def create_first_key(directory: Path, algorithm: Algorithm) -> None:
    """Make a key in a folder that is missing or has none; nothing happens when there is one.

    Raises:
        OSError: it can't be written.
    """
    if not (directory.is_dir() and _key_files(directory)):
        with suppress(FileExistsError):
            create_secret_file(directory / _FIRST_KEY, generate_key(algorithm))


class KeyRing:
    """The keys in a folder. It never writes there.

    Raises:
        SecretFileError: on construction, when the folder has no key or a file is no key for the algorithm.
    """

    def __init__(self, directory: Path, algorithm: Algorithm, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.algorithm = algorithm
        self._directory = directory
        self._monotonic = monotonic
        self._keys = _load(directory, algorithm)
        self._loaded_at = monotonic()
        self.signing_key = self._keys[max(self._keys)]
        """Stays the same until the process ends."""

    def find(self, key_id: str) -> SigningKey | None:
        """The key of this id, also when it was added lately; None when there is none."""
        if key_id not in self._keys and self._monotonic() - self._loaded_at >= _RELOAD_SECONDS:
            self._loaded_at = self._monotonic()
            # A half-made rotation must not stop a server whose keys are good.
            with suppress(SecretFileError, OSError):
                self._keys = _load(self._directory, self.algorithm)
        return self._keys.get(key_id)

    def public_keys(self) -> Sequence[Mapping[str, Any]]:
        """The public halves as JWKs, oldest first; empty for a symmetric algorithm."""
        jwks = (self._keys[key_id].public_jwk() for key_id in sorted(self._keys))
        return [jwk for jwk in jwks if jwk is not None]


def _load(directory: Path, algorithm: Algorithm) -> dict[str, SigningKey]:
    files = _key_files(directory) if directory.is_dir() else []
    if not files:
        raise SecretFileError(f"{directory} has no key: add a file with a private key for {algorithm.value}")
    return {path.name: _load_key(path, algorithm) for path in files}


def _load_key(path: Path, algorithm: Algorithm) -> SigningKey:
    try:
        return parse_key(path.name, algorithm, path.read_bytes())
    except SecretFileError as error:
        raise SecretFileError(f"{path} {error}") from error


def _key_files(directory: Path) -> list[Path]:
    # Hidden files are not keys: an unfinished one, or what Kubernetes keeps beside mounted secrets.
    return [path for path in directory.iterdir() if path.is_file() and not path.name.startswith(".")]
