"""The stores on a Cassandra that dies, freezes and comes back."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from cassandra_keyspace import empty_keyspace
from engine_endpoints import VARIABLE
from message_rows import message_rows, new_conversation
from persistent_writers import DEADLINE, PersistentWriters, until_done
from tools.engines import Engines, FreePorts

from chat4all_core.adapters.cassandra.migration import migrate
from chat4all_core.adapters.cassandra.stores import CassandraStores, open_stores
from chat4all_core.config import CassandraSection
from chat4all_core.domain.conversation import Conversation, ConversationType, Participation, Role
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.domain.ids import ConversationId
from chat4all_core.ports.clock import system_clock

pytestmark = pytest.mark.skipif(not os.environ.get(VARIABLE), reason="brings up a Cassandra: see `make test-engines`")


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """A Cassandra of our own, to be killed."""
    engines = Engines(tmp_path_factory.mktemp("engines"))
    engines.up(["cassandra"], ports={"cassandra": FreePorts()})
    yield engines
    engines.down(wipe=True)


@pytest.fixture(scope="module")
def section(engines: Engines) -> CassandraSection:
    """A keyspace with all tables, and a request timeout that is over soon."""
    section = empty_keyspace(engines.endpoint("cassandra"))
    migrate(section)
    return replace(section, request_timeout_seconds=2.0)


@pytest_asyncio.fixture
async def stores(section: CassandraSection) -> AsyncIterator[CassandraStores]:
    """Opened for one test."""
    async with open_stores(section, system_clock) as stores:
        yield stores


async def read_until_it_fails(stores: CassandraStores, conversation: ConversationId) -> None:
    """An answer may be on its way still."""
    async with asyncio.timeout(DEADLINE):
        while True:
            await stores.messages.get(conversation, 1)


async def test_a_killed_node_loses_nothing_that_was_written(engines: Engines, stores: CassandraStores) -> None:
    """While the node is dead, writes are refused as unavailable and nothing else; repeated after its return, they give
    the same rows, and those that had been written before are all there."""
    conversation = new_conversation()
    batches = [message_rows(conversation, range(first, first + 40)) for first in range(1, 6_001, 40)]
    writers = PersistentWriters(stores.messages, batches)
    async with writers.running():
        await writers.reached(20)
        await asyncio.to_thread(engines.kill, "cassandra")
        acknowledged = [batches[number] for number in writers.written]
        await asyncio.to_thread(engines.start, "cassandra")
        await until_done(lambda: stores.messages.last_sequence(conversation))
        for batch in acknowledged:
            positions = await stores.messages.positions([row.message.message_id for row in batch])
            assert len(positions) == len(batch)
    assert sum(writers.refused) > 0
    await writers.check()


async def test_a_frozen_node_is_unavailable_until_it_goes_on(engines: Engines, stores: CassandraStores) -> None:
    """A node that stops answering makes writes unavailable after the request timeout, whatever became of them; when
    it goes on, the same writes give the same rows, although the late ones are done too."""
    conversation = new_conversation()
    batches = [message_rows(conversation, range(first, first + 40)) for first in range(1, 4_001, 40)]
    writers = PersistentWriters(stores.messages, batches)
    async with writers.running():
        await writers.reached(20)
        await asyncio.to_thread(engines.pause, "cassandra")
        try:
            with pytest.raises(UnavailableError):
                await read_until_it_fails(stores, conversation)
        finally:
            await asyncio.to_thread(engines.resume, "cassandra")
    assert sum(writers.refused) > 0
    await writers.check()


async def test_nothing_of_the_driver_leaks_while_the_node_is_down(
    engines: Engines, section: CassandraSection, stores: CassandraStores
) -> None:
    """Reads, writes, transactions and opening are all unavailable, and work again in the same process afterwards."""
    conversation = new_conversation()
    group = Conversation(
        conversation_id=conversation,
        type=ConversationType.GROUP,
        title="",
        creator=message_rows(conversation, [1])[0].message.sender,
        created_at=system_clock(),
        version=1,
        participations=(Participation(message_rows(conversation, [1])[0].message.sender, Role.ADMIN, 1, None, 0),),
    )

    async def open_and_close() -> None:
        async with open_stores(section, system_clock):
            pass

    calls: list[Callable[[], Coroutine[Any, Any, Any]]] = [
        lambda: stores.messages.list_before(conversation, 10, 0, 10),
        lambda: stores.receipts.cursors([conversation]),
        lambda: stores.receipts.record_sent({(conversation, group.creator): 1}),
        lambda: stores.conversations.get(conversation),
        lambda: stores.conversations.create(group),
        lambda: stores.users.find("somebody"),
        lambda: stores.refresh_tokens.revoke(b"hash"),
        open_and_close,
    ]
    await asyncio.to_thread(engines.kill, "cassandra")
    try:
        for call in calls:
            with pytest.raises(UnavailableError):
                await call()
    finally:
        await asyncio.to_thread(engines.start, "cassandra")
    for call in calls:
        await until_done(call)
    assert await stores.conversations.get(conversation) == group
