"""Long conversations on Cassandra."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from engine_endpoints import engine_endpoints
from message_rows import message_rows, new_conversation, user

from chat4all_core.adapters.cassandra.session import open_session
from chat4all_core.adapters.cassandra.stores import CassandraStores, open_stores
from chat4all_core.config import CassandraSection
from chat4all_core.domain.ids import ConversationId
from chat4all_core.domain.message import MAX_TEXT_BYTES
from chat4all_core.domain.source import Source
from chat4all_core.ports.clock import system_clock

pytestmark = pytest.mark.skipif("cassandra" not in engine_endpoints(), reason="no Cassandra: see `make test-engines`")


@pytest_asyncio.fixture
async def stores(section: CassandraSection) -> AsyncIterator[CassandraStores]:
    """Opened for one test."""
    async with open_stores(section, system_clock) as stores:
        yield stores


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wide(section: CassandraSection) -> ConversationId:
    """A conversation of 25,000 messages: two full buckets and a half."""
    conversation = new_conversation()
    async with open_stores(section, system_clock) as stores:
        for first in range(1, 25_001, 1_000):
            await stores.messages.write(message_rows(conversation, range(first, first + 1_000)))
    return conversation


async def test_pages_of_a_wide_conversation(stores: CassandraStores, wide: ConversationId) -> None:
    """Pages go on across buckets in both directions, with none missing or repeated, from any place."""
    before, after = 2**62, 0
    down: list[int] = []
    while page := [m.sequence for m in await stores.messages.list_before(wide, before, 0, 3_000)]:
        down += page
        before = page[-1]
    up: list[int] = []
    while page := [m.sequence for m in await stores.messages.list_after(wide, after, 2**62, 3_000)]:
        up += page
        after = page[-1]
    assert up == down[::-1] == list(range(1, 25_001))
    assert [m.sequence for m in await stores.messages.list_before(wide, 10_002, 0, 4)] == [10_001, 10_000, 9_999, 9_998]
    assert [m.sequence for m in await stores.messages.list_after(wide, 19_998, 20_002, 9)] == [19_999, 20_000, 20_001]
    assert await stores.messages.list_after(wide, 25_000, 2**62, 5) == []
    assert await stores.messages.list_before(wide, 2**62, 25_000, 5) == []


async def test_a_page_far_down_is_found_by_those_who_know_nothing(
    section: CassandraSection, wide: ConversationId
) -> None:
    """The newest rows, and pages bounded on any side, are found by a process that has just been started."""
    for before, after, expected in (
        (2**62, 0, 25_000),
        (2**62, 24_990, 25_000),
        (15_000, 0, 14_999),
        (10**15, 3, 25_000),
    ):
        async with open_stores(section, system_clock) as stores:
            assert (await stores.messages.list_before(wide, before, after, 5))[0].sequence == expected
    async with open_stores(section, system_clock) as stores:
        assert (await stores.messages.newest([wide, new_conversation()]))[wide].sequence == 25_000
    async with open_stores(section, system_clock) as stores:
        assert await stores.messages.last_sequence(wide) == 25_000


async def test_a_long_replay_is_passed_over(stores: CassandraStores, wide: ConversationId) -> None:
    """The last sequence before a source is found below thousands of later rows, in another bucket too."""
    for offset in (25_000, 24_000, 20_000, 19_999, 9_999, 1):
        found = await stores.messages.last_sequences_before({wide: Source(1, 3, offset)})
        assert found == {wide: offset - 1}
    assert await stores.messages.last_sequences_before({wide: Source(1, 3, 25_001)}) == {wide: 25_000}


async def test_senders_across_a_bucket(stores: CassandraStores, wide: ConversationId) -> None:
    """The newest message of each sender is found in either bucket."""
    senders = await stores.messages.senders(wide, 9_994, 10_001)
    assert {sender: sequence for sender, (sequence, _) in senders.items()} == {
        user(f"user {sequence % 10}"): sequence for sequence in range(9_995, 10_002)
    }
    assert {sequence for sequence, _ in (await stores.messages.senders(wide, 0, 2**40)).values()} == set(
        range(24_991, 25_001)
    )


async def test_a_hint_may_be_wrong(section: CassandraSection) -> None:
    """The newest row is found whether the stored hint is missing or ahead of the rows."""
    missing, ahead = new_conversation(), new_conversation()
    async with open_stores(section, system_clock) as stores, open_session(section) as session:
        queries = await session.prepare(
            {
                "delete": "DELETE FROM conversation_heads WHERE conversation_id = ?",
                "insert": "INSERT INTO conversation_heads (conversation_id, bucket) VALUES (?, ?)",
            }
        )
        for conversation in (missing, ahead):
            await stores.messages.write(message_rows(conversation, range(1, 20_011)))
        await session.execute(queries["delete"].bind(missing))
        await session.execute(queries["insert"].bind(ahead, 7))
    async with open_stores(section, system_clock) as stores:
        assert {c: m.sequence for c, m in (await stores.messages.newest([missing, ahead])).items()} == {
            missing: 20_010,
            ahead: 20_010,
        }
    async with open_stores(section, system_clock) as stores:
        assert (await stores.messages.list_before(ahead, 2**62, 0, 1))[0].sequence == 20_010


async def test_the_longest_texts_fit(stores: CassandraStores) -> None:
    """A batch of the longest messages is divided into requests that Cassandra takes."""
    rows = message_rows(new_conversation(), range(1, 101), "x" * MAX_TEXT_BYTES)
    await stores.messages.write(rows)
    assert await stores.messages.list_after(rows[0].message.conversation_id, 0, 101, 100) == rows
