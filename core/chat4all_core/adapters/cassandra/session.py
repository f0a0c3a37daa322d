"""A session with the cluster, for one event loop.

The driver's own thread talks to the cluster and calls back there. What it brings is put into a queue, and the event
loop is woken once for all that has come, not once a request.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from cassandra.query import BatchStatement, BatchType

from chat4all_core.adapters.cassandra.cluster import CONDITIONAL, ORDINARY, build_cluster
from chat4all_core.adapters.cassandra.errors import platform_error, unavailable
from chat4all_core.adapters.cassandra.query import Query
from chat4all_core.config import CassandraSection

Row = tuple[Any, ...]

_MAX_IN_FLIGHT = 256
"""Requests. More would only queue in the cluster; far fewer than the driver takes before it blocks its caller."""


class Session:
    """Runs statements. Whatever fails raises UnavailableError, or QueryRefusedError for what can't ever work."""

    def __init__(self, session: Any, keyspace: str, datacenter: str) -> None:
        self._session = session
        self._keyspace = keyspace
        self._datacenter = datacenter
        self._loop = asyncio.get_running_loop()
        self._in_flight = 0
        self._unsent: deque[tuple[_Call, int, Any]] = deque()
        self._answers: deque[tuple[_Call, int, Any, Exception | None]] = deque()
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

    async def execute_conditional(self, statement: Any) -> tuple[bool, dict[str, Any]]:
        """Run a lightweight transaction: whether it was applied, and the values that decided otherwise. After an
        UnavailableError it may have been applied, or be applied later."""
        ((row, *_),) = await self._start([statement], CONDITIONAL)
        values = dict(row)
        return values.pop("[applied]"), values

    def owner(self, key: bytes) -> object:
        """Who coordinates requests for a partition: those with the same owner belong into one request."""
        for host in self._session.cluster.metadata.get_replicas(self._keyspace, key):
            if host.datacenter == self._datacenter:
                return host
        return None

    def _start(self, statements: Sequence[Any], profile: str) -> asyncio.Future[list[Any]]:
        call = _Call(self._loop.create_future(), profile, len(statements))
        if statements:
            self._unsent.extend((call, index, statement) for index, statement in enumerate(statements))
            self._send()
        else:
            call.future.set_result([])
        return call.future

    def _send(self) -> None:
        while self._unsent and self._in_flight < _MAX_IN_FLIGHT:
            call, index, statement = self._unsent.popleft()
            if call.future.done():
                continue
            try:
                response = self._session.execute_async(statement, execution_profile=call.profile)
            except Exception as error:  # such as a session that was closed meanwhile
                call.fail(error)
                continue
            self._in_flight += 1
            response.add_callbacks(
                self._on_rows, self._on_error, callback_args=(call, index), errback_args=(call, index)
            )

    def _on_rows(self, rows: Any, call: "_Call", index: int) -> None:
        self._answers.append((call, index, rows, None))
        self._wake()

    def _on_error(self, error: Exception, call: "_Call", index: int) -> None:
        self._answers.append((call, index, None, error))
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
            call, index, rows, error = self._answers.popleft()
            self._in_flight -= 1
            if error is None:
                call.answer(index, rows)
            else:
                call.fail(error)
        self._send()

    def aclose(self) -> None:
        """Fail what is still waiting."""
        for call, _, _ in self._unsent:
            call.fail(None)
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

    def fail(self, error: Exception | None) -> None:
        if not self.future.done():
            self.future.set_exception(unavailable("the session is closed") if error is None else platform_error(error))


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
        QueryRefusedError: there is no such keyspace.
    """
    try:
        cluster = await asyncio.to_thread(build_cluster, settings)
    except Exception as error:
        raise platform_error(error) from error
    try:
        try:
            driver_session = await asyncio.to_thread(cluster.connect)
            # Not in one step, where the driver would tell a keyspace that is missing as a node that is down.
            await asyncio.to_thread(driver_session.set_keyspace, settings.keyspace)
        except Exception as error:
            raise platform_error(error) from error
        driver_session.default_fetch_size = None  # statements say themselves how many rows they want
        session = Session(driver_session, settings.keyspace, settings.datacenter)
        try:
            yield session
        finally:
            session.aclose()
    finally:
        await asyncio.to_thread(cluster.shutdown)
