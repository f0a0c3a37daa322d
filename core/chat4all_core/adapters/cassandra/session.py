"""A session with the cluster, for one event loop.

The driver's own thread talks to the cluster and calls back there. What it brings is put into a queue, and the event
loop is woken once for all that has come, not once a request.
"""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from cassandra.query import BatchStatement, BatchType

from chat4all_core.adapters.cassandra.cluster import CONDITIONAL, ORDINARY, build_cluster
from chat4all_core.adapters.cassandra.errors import ContentionError, platform_error, start_error, unavailable
from chat4all_core.adapters.cassandra.query import Query
from chat4all_core.config import CassandraSection

Row = tuple[Any, ...]

_MAX_IN_FLIGHT = 256
"""Requests. More would only queue in the cluster; far fewer than the driver takes before it blocks its caller."""


_MAX_TRIES = 5
_PAUSE = (0.02, 0.1)  # seconds, the more of it the more tries there were


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of a lightweight transaction."""

    applied: bool
    uncertain: bool
    """An earlier try may have been applied; then this one was not."""
    values: Mapping[str, Any]
    """Those that decided against it."""


class Session:
    """Runs statements. Whatever fails raises UnavailableError, or QueryRefusedError for what can't ever work."""

    def __init__(self, session: Any, keyspace: str, datacenter: str) -> None:
        self._session = session
        self._keyspace = keyspace
        self._datacenter = datacenter
        self._loop = asyncio.get_running_loop()
        self._in_flight = 0
        self._unsent: deque[tuple[_Request, Any]] = deque()
        self._answers: deque[tuple[_Request, Any, Exception | None]] = deque()
        self._woken = False

    async def prepare(self, cql: Mapping[str, str], *, idempotent: bool = True) -> dict[str, Query]:
        """Prepare statements. Idempotent ones are sent to a second node when the first is slow to answer."""
        try:
            prepared = await asyncio.to_thread(lambda: [self._session.prepare(text) for text in cql.values()])
        except Exception as error:
            raise platform_error(error) from error
        for statement in prepared:
            statement.is_idempotent = idempotent
        return dict(zip(cql, map(Query, prepared), strict=True))

    async def execute(self, statement: Any) -> Sequence[Row]:
        """Run one statement; its rows."""
        (rows,) = await self.execute_all([statement])
        return rows

    async def execute_all(self, statements: Iterable[Any]) -> Sequence[Sequence[Row]]:
        """Run statements side by side; the rows of each. At the first that fails the error is raised: what was not
        sent by then never is, the others may go on for a while."""
        return await self._start(list(statements), ORDINARY)

    async def execute_conditional(self, statement: Any) -> "Outcome":
        """Run a lightweight transaction, again where it was overtaken by others so often that its outcome is not
        known. After an UnavailableError it may have been applied, or be applied later."""
        for tries in range(1, _MAX_TRIES + 1):
            try:
                ((row, *_),) = await self._start([statement], CONDITIONAL)
            except ContentionError:
                if tries == _MAX_TRIES:
                    raise
                await asyncio.sleep(tries * random.uniform(*_PAUSE))
            else:
                values = dict(row)
                return Outcome(values.pop("[applied]"), tries > 1, values)
        raise AssertionError("unreachable")

    def owner(self, key: bytes) -> object:
        """Who coordinates requests for a partition: those with the same owner belong into one request."""
        for host in self._session.cluster.metadata.get_replicas(self._keyspace, key):
            if host.datacenter == self._datacenter:
                return host
        return None

    def _start(self, statements: Sequence[Any], profile: str) -> asyncio.Future[list[Any]]:
        call = _Call(self._loop.create_future(), profile, len(statements))
        if statements:
            self._unsent.extend((_Request(call, index), statement) for index, statement in enumerate(statements))
            self._send()
        else:
            call.future.set_result([])
        return call.future

    def _send(self) -> None:
        while self._unsent and self._in_flight < _MAX_IN_FLIGHT:
            request, statement = self._unsent.popleft()
            if request.call.future.done():
                continue
            try:
                response = self._session.execute_async(statement, execution_profile=request.call.profile)
            except Exception as error:  # such as a session that was closed meanwhile
                request.call.fail(error)
                continue
            self._in_flight += 1
            response.add_callbacks(self._on_rows, self._on_error, callback_args=(request,), errback_args=(request,))

    def _on_rows(self, rows: Any, request: "_Request") -> None:
        self._answers.append((request, rows, None))
        self._wake()

    def _on_error(self, error: Exception, request: "_Request") -> None:
        self._answers.append((request, None, error))
        self._wake()

    def _wake(self) -> None:
        # In the driver's thread, or in the loop's when the answer was quicker than the registration of its callback.
        if self._woken:
            return
        self._woken = True
        try:
            self._loop.call_soon_threadsafe(self._take_answers)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return

    def _take_answers(self) -> None:
        # Before the queue is emptied: whoever appends after that finds it unset and wakes again.
        self._woken = False
        while self._answers:
            request, rows, error = self._answers.popleft()
            if request.answered:
                continue  # by the other of two nodes: the driver tells what both say
            request.answered = True
            self._in_flight -= 1
            if error is None:
                request.call.answer(request.index, rows)
            else:
                request.call.fail(error)
        self._send()

    def close(self) -> None:
        """Fail what is still waiting."""
        for request, _ in self._unsent:
            request.call.fail(unavailable("the session is closed"))
        self._unsent.clear()


class _Call:
    """Statements whose results somebody awaits together."""

    __slots__ = ("_missing", "_results", "future", "profile")

    def __init__(self, future: asyncio.Future[list[Any]], profile: str, count: int) -> None:
        self.future = future
        self.profile = profile
        self._results: list[Any] = [()] * count
        self._missing = count

    def answer(self, index: int, rows: Any) -> None:
        self._results[index] = rows or ()
        self._missing -= 1
        if not self._missing and not self.future.done():
            self.future.set_result(self._results)

    def fail(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(platform_error(error))


class _Request:
    """One statement of a call."""

    __slots__ = ("answered", "call", "index")

    def __init__(self, call: _Call, index: int) -> None:
        self.call = call
        self.index = index
        self.answered = False


def unlogged_batch(statements: Sequence[Any]) -> Any:
    """One request for several idempotent writes, which may be done in part when it fails."""
    return _batch(statements, BatchType.UNLOGGED, idempotent=True)


def transaction(statements: Sequence[Any]) -> Any:
    """A lightweight transaction of several statements on one partition: all are applied or none."""
    return _batch(statements, BatchType.UNLOGGED, idempotent=False)


def _batch(statements: Sequence[Any], kind: Any, *, idempotent: bool) -> Any:
    if len(statements) == 1:
        return statements[0]
    batch = BatchStatement(kind)
    batch.is_idempotent = idempotent
    for statement in statements:
        batch.add(statement)
    return batch


@asynccontextmanager
async def open_session(settings: CassandraSection) -> AsyncIterator[Session]:
    """Connect to the keyspace, for the running event loop.

    Raises:
        UnavailableError: no node can be reached.
        QueryRefusedError: there is no such keyspace, or nodes do not let this process in.
    """
    try:
        cluster = await asyncio.to_thread(build_cluster, settings)
    except Exception as error:
        raise start_error(error) from error
    try:
        try:
            driver_session = await asyncio.to_thread(cluster.connect)
            # Not in one step, where the driver would tell a keyspace that is missing as a node that is down.
            await asyncio.to_thread(driver_session.set_keyspace, settings.keyspace)
        except Exception as error:
            raise start_error(error) from error
        driver_session.default_fetch_size = None  # statements say themselves how many rows they want
        session = Session(driver_session, settings.keyspace, settings.datacenter)
        try:
            yield session
        finally:
            session.close()
    finally:
        await asyncio.to_thread(cluster.shutdown)
