"""One thread that owns one SQLite connection and runs jobs on it in groups.

Crossing between the event loop and a thread costs more than most statements, so whatever was submitted
while a group ran makes up the next group, and a group's results come back in one wake-up of the loop.
"""

import asyncio
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from chat4all_core.domain.errors import Reason, UnavailableError

T = TypeVar("T")

_MAX_GROUP = 1_000


class Job:
    """A function to run on the connection, and what came of it."""

    __slots__ = ("after", "error", "future", "result", "run")

    def __init__(
        self,
        run: Callable[[sqlite3.Connection], Any],
        future: "asyncio.Future[Any]",
        after: Callable[[Any], None] | None,
    ) -> None:
        self.run = run
        self.future = future
        self.after = after
        self.result: Any = None
        self.error: Exception | None = None


RunGroup = Callable[[sqlite3.Connection, Sequence[Job]], None]
"""Runs jobs in order and leaves in each its result or its error."""


class JobThread:
    """Runs submitted jobs in the order of submission. Everything but the thread itself is called from the
    event loop that it was opened in."""

    def __init__(
        self, name: str, connect: Callable[[], sqlite3.Connection], run_group: RunGroup, max_queued: int
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._connect = connect
        self._run_group = run_group
        self._max_queued = max_queued
        self._queue: deque[Job] = deque()
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._awake = False
        self._closing = False
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._closed: asyncio.Future[None] = self._loop.create_future()
        # A daemon, so that a process that fails without closing can end; what was acknowledged is durable.
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)

    async def open(self) -> None:
        """Start the thread and connect; raises what connecting raises."""
        self._thread.start()
        await self._opened

    def submit(
        self, run: Callable[[sqlite3.Connection], T], after: Callable[[T], None] | None = None
    ) -> "asyncio.Future[T]":
        """Queue a job.

        Args:
            run: called in the thread.
            after: called in the loop with the result, also when nobody waits for the future any more, in
                the order of submission, and before the future's waiter goes on.

        Raises:
            UnavailableError: too much is queued, or the thread is closing.
        """
        if self._closing or len(self._queue) >= self._max_queued:
            raise UnavailableError(Reason.UNAVAILABLE, "the database is overloaded or closing", 1.0)
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.append(Job(run, future, after))
        self._notify()
        return future

    async def aclose(self) -> None:
        """Run what is queued, then disconnect."""
        if not self._closing and self._thread.ident is not None:
            self._closing = True
            self._notify()
        if self._thread.ident is not None:
            await asyncio.shield(self._closed)
            self._thread.join()

    def _notify(self) -> None:
        if not self._awake:
            self._awake = True
            # At the end of this turn of the loop: what the turn still submits goes into the same group, and the thread
            # does not ask for the interpreter's lock while the loop is using it.
            self._loop.call_soon(self._wake.put, None)

    def _main(self) -> None:
        try:
            connection = self._connect()
        except Exception as error:
            self._tell(self._fail_to_open, error)
            return
        try:
            self._tell(self._opened.set_result, None)
            self._serve(connection)
        finally:
            connection.close()
            self._tell(self._closed.set_result, None)

    def _fail_to_open(self, error: Exception) -> None:
        self._opened.set_exception(error)
        self._closed.set_result(None)

    def _serve(self, connection: sqlite3.Connection) -> None:
        while not (self._closing and not self._queue):
            self._wake.get()
            self._awake = False  # before looking at the queue, so that no job is left without a wake-up
            while self._queue:
                group = [self._queue.popleft() for _ in range(min(len(self._queue), _MAX_GROUP))]
                self._run_group(connection, group)
                self._tell(_resolve, group)

    def _tell(self, callback: Callable[..., object], *args: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(callback, *args)


def _resolve(group: Sequence[Job]) -> None:
    for job in group:
        if job.error is None and job.after is not None:
            try:
                job.after(job.result)
            except Exception as error:  # the other jobs of the group must be answered all the same
                job.error = error
        if job.future.done():
            continue
        if job.error is None:
            job.future.set_result(job.result)
        else:
            job.future.set_exception(job.error)
