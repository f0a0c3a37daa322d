"""The stores on a ring of three nodes, of which one fails."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import pytest_asyncio
from cassandra_keyspace import empty_keyspace
from engine_endpoints import VARIABLE
from message_rows import message_rows, new_conversation, user
from persistent_writers import PersistentWriters, until_done
from tools.engines import Engines, FreePorts

from chat4all_core.adapters.cassandra.migration import migrate
from chat4all_core.adapters.cassandra.stores import CassandraStores, open_stores
from chat4all_core.config import CassandraSection
from chat4all_core.domain.user import User
from chat4all_core.ports.clock import system_clock

pytestmark = [
    pytest.mark.skipif(not os.environ.get(VARIABLE), reason="brings up a ring of Cassandra: see `make test-engines`"),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """A ring of our own."""
    engines = Engines(tmp_path_factory.mktemp("engines"))
    engines.up(["cassandra"], sizes={"cassandra": 3}, ports={"cassandra": FreePorts()})
    yield engines
    engines.down(wipe=True)


@pytest.fixture(scope="module")
def section(engines: Engines) -> CassandraSection:
    """A keyspace with all tables, three copies of each row."""
    section = replace(empty_keyspace(engines.endpoint("cassandra")), request_timeout_seconds=10.0)
    migrate(section)
    return section


@pytest_asyncio.fixture
async def stores(section: CassandraSection) -> AsyncIterator[CassandraStores]:
    """Opened for one test."""
    async with open_stores(section, system_clock) as stores:
        yield stores


async def test_a_frozen_node_of_three_stops_nobody(engines: Engines, stores: CassandraStores) -> None:
    """While one node does not answer, all reads and writes are done by the others, without an error."""
    rows = message_rows(new_conversation(), range(1, 301))
    await until_done(lambda: stores.messages.write(rows[:200]))
    await asyncio.to_thread(engines.pause, "cassandra-2")
    try:
        await stores.messages.write(rows[200:])
        assert await stores.messages.list_after(rows[0].message.conversation_id, 0, 1_000, 1_000) == rows
        positions = await stores.messages.positions([row.message.message_id for row in rows])
        assert {m: p.source for m, p in positions.items()} == {r.message.message_id: r.source for r in rows}
    finally:
        await asyncio.to_thread(engines.resume, "cassandra-2")


async def test_a_killed_node_of_three_loses_nothing(engines: Engines, stores: CassandraStores) -> None:
    """Writes and transactions go on while one node is dead, and everything is there before and after its return."""
    conversation = new_conversation()
    batches = [message_rows(conversation, range(first, first + 40)) for first in range(1, 2_001, 40)]
    writers = PersistentWriters(stores.messages, batches)
    account = User(user(str(uuid.uuid4())), f"n_{uuid.uuid4().hex}", "", system_clock())
    async with writers.running():
        await writers.reached(5)
        await asyncio.to_thread(engines.kill, "cassandra-3")
        await until_done(lambda: stores.users.create(account, "hash"))
    await writers.check()
    assert await stores.users.find(account.username) == (account, "hash")
    await asyncio.to_thread(engines.start, "cassandra-3")
    await writers.check()
