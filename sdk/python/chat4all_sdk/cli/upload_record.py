"""Which upload a file belongs to, kept until it is finished, so that a later run of the command goes on with it."""

import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path

from chat4all_sdk.cli.settings import Settings

__all__ = ["UploadRecord"]

_LIFETIME = 7 * 24 * 3600  # seconds; the platform gives uploads up after a day


class UploadRecord:
    """Of one file, as it is now: another size or time of change makes it another file."""

    def __init__(self, settings: Settings, conversation_id: str, path: Path) -> None:
        """Raises OSError when there is no such file."""
        facts = path.stat()
        key = [
            settings.server,
            settings.profile,
            conversation_id,
            str(path.resolve()),
            facts.st_size,
            facts.st_mtime_ns,
        ]
        name = hashlib.sha256(json.dumps(key).encode()).hexdigest()
        self._folder = settings.folder.parent / "uploads"
        self._path = self._folder / f"{name}.json"

    def load(self) -> str | None:
        """The upload's id; None when none was begun, or the record can't be understood."""
        try:
            found = json.loads(self._path.read_text("utf-8"))["upload_id"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found if isinstance(found, str) else None

    def save(self, upload_id: str) -> None:
        """Replaces the record in one step, and removes those of uploads that are long over."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._remove_old()
        written = self._path.with_suffix(f".{os.getpid()}")
        written.write_text(json.dumps({"upload_id": upload_id}), "utf-8")
        os.replace(written, self._path)

    def forget(self) -> None:
        """The upload is finished, or over."""
        self._path.unlink(missing_ok=True)

    def _remove_old(self) -> None:
        for path in self._folder.iterdir():
            with suppress(OSError):
                if path.stat().st_mtime < time.time() - _LIFETIME:
                    path.unlink()
