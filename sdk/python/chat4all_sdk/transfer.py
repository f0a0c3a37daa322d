"""What uploads and downloads have in common: how long to go on after errors, and what to compare at the end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc

from chat4all_sdk.connection import Connection
from chat4all_sdk.errors import ChatError, DataLoss, FailedPrecondition
from chat4all_sdk.file_models import File, FileState
from chat4all_sdk.retry import Backoff, resumable
from chat4all_sdk.session import Credentials

__all__ = ["Attempts", "require_available", "require_sha256", "while_alive"]

T = TypeVar("T")

_CORRECTABLE = frozenset({"CHUNK_CORRUPT", "OFFSET_BEYOND_COMMITTED"})
"""Reasons that going on from the committed size mends."""

_RENEWALS = 2  # the second time is for a session that another client left in the store


class Attempts:
    """Decides whether a transfer that broke goes on: until `timeout` seconds after an error brought nothing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._backoff = Backoff()
        self._deadline: float | None = None
        self._renewals = 0

    def progressed(self) -> None:
        """Bytes are through: patience begins anew."""
        self._backoff.reset()
        self._deadline = None
        self._renewals = 0

    async def pause(self, error: ChatError, credentials: Credentials = ()) -> None:
        """Waits before the next attempt, renewing an expired session. Raises the error when there is to be none."""
        if error.reason == "TOKEN_EXPIRED" and self._renewals < _RENEWALS:
            self._renewals += 1
            await self._connection.sessions.renew(credentials)
            return
        if not resumable(error) and error.reason not in _CORRECTABLE:
            raise error
        now = asyncio.get_running_loop().time()
        self._deadline = self._deadline or now + self._connection.timeout
        delay = self._backoff.next(error.retry_after)
        if now + delay >= self._deadline:
            raise error
        await asyncio.sleep(delay)


async def while_alive(awaitable: Awaitable[T], seconds: float, ask: Callable[[], Awaitable[object]]) -> T:
    """Waits for something that may take long, asking every so many seconds whether the server still answers.

    Raises what `ask` raises.
    """
    task = asyncio.ensure_future(awaitable)
    try:
        while not task.done() and not (await asyncio.wait({task}, timeout=seconds))[0]:
            await ask()
        return await task
    finally:
        task.cancel()


def require_sha256(file: File, sha256: str) -> None:
    """Compares the platform's sum with that of the bytes here; one that nobody computed says nothing.

    Raises:
        DataLoss: SHA256_MISMATCH.
    """
    if file.sha256 not in ("", sha256):
        raise DataLoss(
            grpc.StatusCode.DATA_LOSS,
            f"the bytes here have SHA-256 {sha256}, those of the platform {file.sha256}",
            reason="SHA256_MISMATCH",
            metadata={"sha256": sha256, "file_id": file.file_id},
        )


def require_available(file: File) -> None:
    """Refuses what has no bytes to read.

    Raises:
        FailedPrecondition: FILE_NOT_AVAILABLE.
    """
    if file.state is not FileState.AVAILABLE:
        raise FailedPrecondition(
            grpc.StatusCode.FAILED_PRECONDITION,
            f"the file is {file.state}",
            reason="FILE_NOT_AVAILABLE",
            metadata={"file_id": file.file_id},
        )
