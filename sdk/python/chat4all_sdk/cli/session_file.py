"""Sessions saved in a file that only its owner may read."""

import json
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import grpc
from filelock import AsyncFileLock, Timeout

from chat4all_sdk.errors import Unavailable
from chat4all_sdk.session import Session

__all__ = ["SessionFile"]

_PATIENCE = 60.0  # seconds; a renewal by another process is over by then


class SessionFile:
    """The session of one profile with one server; a token never goes to another server.

    It is a SessionStore: processes that share it renew the session one at a time. A file that can't
    be understood counts as none.
    """

    def __init__(self, folder: Path, profile: str, server: str) -> None:
        self._path = folder / f"{quote(profile, safe='')}@{quote(server, safe='')}.json"

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Holds the lock between processes. Raises Unavailable when another keeps it for too long."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = AsyncFileLock(f"{self._path}.lock", timeout=_PATIENCE, mode=0o600)
        try:
            await lock.acquire()
        except Timeout:
            raise Unavailable(grpc.StatusCode.UNAVAILABLE, "another chat4all process holds the saved session") from None
        try:
            yield
        finally:
            await lock.release()

    def load(self) -> Session | None:
        """The saved session, None when there is none."""
        try:
            saved = json.loads(self._path.read_text("utf-8"))
            return Session(
                access_token=saved["access_token"],
                refresh_token=saved["refresh_token"],
                expires_at=datetime.fromisoformat(saved["expires_at"]),
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def save(self, session: Session | None) -> None:
        """Replaces the file in one step, so that no reader and no crash sees half of it."""
        if session is None:
            self._path.unlink(missing_ok=True)
            return
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = {
            "access_token": session.access_token,
            "refresh_token": session.refresh_token,
            "expires_at": session.expires_at.isoformat(),
        }
        descriptor, name = tempfile.mkstemp(dir=self._path.parent)  # with mode 0600
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(content, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self._path)
        except BaseException:
            os.unlink(name)
            raise
