"""Passwords as Argon2id hashes."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY

from chat4all_core.domain.errors import Reason, UnavailableError

__all__ = ["Argon2PasswordHasher"]

T = TypeVar("T")

_RETRY_AFTER = 1.0  # a full queue of the default size is worked off in about that time


class Argon2PasswordHasher:
    """Implements `chat4all_core.ports.password_hasher.PasswordHasher`.

    A hash takes tens of milliseconds of every core and, by default, 64 MiB (RFC 9106, section 4, second
    recommendation). So both are bounded: `threads` hashes at a time, and `max_waiting` behind them; more are
    refused with UnavailableError.
    """

    def __init__(self, threads: int = 2, max_waiting: int = 32, parameters: Parameters = RFC_9106_LOW_MEMORY) -> None:
        self._hasher = PasswordHasher.from_parameters(parameters)
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._room = threading.BoundedSemaphore(threads + max_waiting)

    async def hash(self, password: str) -> str:
        """A salted hash with its parameters.

        Raises:
            UnavailableError: too many are waiting.
        """
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the one; False after the same work when there is no hash.

        Raises:
            UnavailableError: too many are waiting.
            argon2.exceptions.VerificationError, InvalidHashError: what is stored is no hash.
        """
        return await self._run(lambda: self._verify(password_hash, password))

    def close(self) -> None:
        """Wait for the hashes under way and end the threads. No call may follow."""
        self._executor.shutdown()

    def _verify(self, password_hash: str | None, password: str) -> bool:
        if password_hash is None:
            self._hasher.hash(password)  # what verifying would have cost
            return False
        try:
            return self._hasher.verify(password_hash, password)
        except VerifyMismatchError:
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if not self._room.acquire(blocking=False):
            raise UnavailableError(Reason.UNAVAILABLE, "too many passwords are being checked just now", _RETRY_AFTER)
        future = self._executor.submit(work)
        # When the work ends or is cancelled unbegun, not when the caller stops waiting for it.
        future.add_done_callback(lambda _: self._room.release())
        return await asyncio.wrap_future(future)
