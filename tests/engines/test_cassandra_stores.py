"""The stores on Cassandra: what only a real cluster shows. The contracts are in tests/contract."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import pytest_asyncio
from cassandra_keyspace import drop_keyspace, empty_keyspace
from engine_endpoints import engine_endpoints
from message_rows import new_conversation, user

from chat4all_core.adapters.cassandra.errors import QueryRefusedError
from chat4all_core.adapters.cassandra.migration import SchemaMissingError, migrate
from chat4all_core.adapters.cassandra.session import open_session
from chat4all_core.adapters.cassandra.stores import CassandraStores, open_stores
from chat4all_core.config import CassandraSection
from chat4all_core.domain.conversation import Conversation, ConversationType, MembershipChange, Participation, Role
from chat4all_core.domain.delivery_state import DeliveryState, Receipt, StateChange
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.domain.user import User
from chat4all_core.ports.clock import system_clock
from chat4all_core.ports.refresh_token_store import RefreshTokenFamily, Rotation

pytestmark = pytest.mark.skipif("cassandra" not in engine_endpoints(), reason="no Cassandra: see `make test-engines`")


@pytest_asyncio.fixture
async def stores(section: CassandraSection) -> AsyncIterator[CassandraStores]:
    """Opened for one test."""
    async with open_stores(section, system_clock) as stores:
        yield stores


@pytest_asyncio.fixture
async def others(section: CassandraSection) -> AsyncIterator[CassandraStores]:
    """The same, as another process has them."""
    async with open_stores(section, system_clock) as stores:
        yield stores


def group(creator: str, members: int = 0) -> Conversation:
    """A new group of a creator and some members."""
    stays = [Participation(user(creator), Role.ADMIN, 1, None, 0)]
    stays += [Participation(user(str(uuid.uuid4())), Role.MEMBER, 1, None, 0) for _ in range(members)]
    return Conversation(
        conversation_id=new_conversation(),
        type=ConversationType.GROUP,
        title="",
        creator=user(creator),
        created_at=system_clock(),
        version=1,
        participations=tuple(sorted(stays, key=lambda stay: stay.participant)),
    )


def test_many_may_migrate_at_once() -> None:
    """Of several who migrate a new keyspace at the same time, all succeed, and each script was applied once."""
    section = empty_keyspace(engine_endpoints()["cassandra"])
    try:
        with ThreadPoolExecutor() as pool:
            applied = [future.result() for future in [pool.submit(migrate, section) for _ in range(3)]]
        names = [name for one in applied for name in one]
        assert len(names) == len(set(names)) > 0
        assert migrate(section) == []
    finally:
        drop_keyspace(section)


async def test_stores_want_their_tables(section: CassandraSection) -> None:
    """Without the keyspace, or some of its migrations, opening fails and says so."""
    with pytest.raises(QueryRefusedError, match="does not exist"):
        async with open_stores(replace(section, keyspace="nowhere"), system_clock):
            pass
    async with open_session(section) as session:
        queries = await session.prepare(
            {
                "delete": "DELETE FROM schema_migrations WHERE part = 'all' AND version = 4 IF EXISTS",
                "insert": "INSERT INTO schema_migrations (part, version) VALUES ('all', 4) IF NOT EXISTS",
            }
        )
        await session.execute_conditional(queries["delete"].bind())
        try:
            with pytest.raises(SchemaMissingError, match="0004_receipts"):
                async with open_stores(section, system_clock):
                    pass
        finally:
            await session.execute_conditional(queries["insert"].bind())


async def test_two_processes_agree_on_names_and_conversations(stores: CassandraStores, others: CassandraStores) -> None:
    """Of two that register one name, or create one conversation, at the same moment, one is stored and both know it."""
    for number in range(10):
        name = f"n_{uuid.uuid4().hex}"
        accounts = [User(user(str(uuid.uuid4())), name, "", system_clock()) for _ in range(2)]
        created = await asyncio.gather(stores.users.create(accounts[0], "a"), others.users.create(accounts[1], "b"))
        assert sorted(created) == [False, True]
        winner = accounts[created.index(True)]
        assert await stores.users.find(name) == (winner, "ab"[created.index(True)])
        assert await stores.users.create(winner, "again")

        one = group("ann")
        titled = await asyncio.gather(
            stores.conversations.create(replace(one, title=f"{number} a")),
            others.conversations.create(replace(one, title=f"{number} b")),
        )
        assert titled[0] == titled[1]


async def test_two_processes_never_make_one_version_twice(stores: CassandraStores, others: CassandraStores) -> None:
    """However two race to change one conversation, each version is made by one of them, and both read the same."""
    conversation_id = (await stores.conversations.create(group("ann"))).conversation_id

    async def add(by: CassandraStores, version: int, name: str) -> Conversation | None:
        change = MembershipChange(added=[user(f"{name} {version}")])
        return await by.conversations.change_membership(conversation_id, version, change)

    for version in range(1, 16):
        changed = await asyncio.gather(add(stores, version, "a"), add(others, version, "b"))
        (applied,) = [conversation for conversation in changed if conversation is not None]
        for either in (stores, others):
            assert await either.conversations.get(conversation_id, version + 1) == applied


async def test_a_change_elsewhere_is_seen_within_a_second(stores: CassandraStores, others: CassandraStores) -> None:
    """A conversation that is kept in memory is not believed for longer than its contract says."""
    created = await stores.conversations.create(group("ann"))
    change = MembershipChange(added=[user("bob")])
    await others.conversations.change_membership(created.conversation_id, 1, change)
    changed_at = time.monotonic()
    while True:
        asked_at = time.monotonic()
        found = await stores.conversations.get(created.conversation_id)
        assert found is not None
        if found.version == 2:
            break
        assert asked_at - changed_at < 1.1
        await asyncio.sleep(0.01)


async def test_two_processes_rotate_a_token_once(stores: CassandraStores, others: CassandraStores) -> None:
    """Of two uses in two processes one is reuse, after which nothing of the family is good; the same call again is not
    reuse, for its first answer may have been lost."""
    later = Timestamp(system_clock() + 3_600 * SECOND)
    family = RefreshTokenFamily(str(uuid.uuid4()), user("ann"))
    first, second, left, right = (uuid.uuid4().bytes for _ in range(4))
    await stores.refresh_tokens.add(family, first, later)
    for either in (stores, others):
        assert await either.refresh_tokens.rotate(first, second, system_clock(), later) == (Rotation.ROTATED, family)
    outcomes = await asyncio.gather(
        stores.refresh_tokens.rotate(second, left, system_clock(), later),
        others.refresh_tokens.rotate(second, right, system_clock(), later),
    )
    assert sorted(rotation.name for rotation, _ in outcomes) == ["REUSED", "ROTATED"]
    for token in (left, right):
        rotation, _ = await stores.refresh_tokens.rotate(token, uuid.uuid4().bytes, system_clock(), later)
        assert rotation is Rotation.UNKNOWN


async def test_the_largest_group_is_one_transaction(stores: CassandraStores, others: CassandraStores) -> None:
    """A group of 1,024 is created, and left by nearly all, at once."""
    created = await stores.conversations.create(group("ann", 1_023))
    assert await others.conversations.get(created.conversation_id) == created
    everyone = [stay.participant for stay in created.participants if stay.participant != "ann"]
    left = await stores.conversations.change_membership(created.conversation_id, 1, MembershipChange(removed=everyone))
    assert left is not None
    assert [stay.participant for stay in left.participants] == ["ann"]
    assert await others.conversations.get(created.conversation_id, 2) == left


async def test_history_of_those_who_were_away(stores: CassandraStores) -> None:
    """The moment at which somebody covered a message is found although it lies many thousand messages further."""
    conversation = new_conversation()

    def receipt(who: str, state: DeliveryState, sequence: int, at: int) -> Receipt:
        return Receipt(conversation, user(who), state, sequence, Timestamp(at))

    await stores.receipts.record([receipt("ann", DeliveryState.DELIVERED, n, n) for n in range(1, 2_001)])
    await stores.receipts.record([receipt("bob", DeliveryState.READ, 1, 10), receipt("cem", DeliveryState.READ, 3, 11)])
    await stores.receipts.record([receipt("bob", DeliveryState.READ, 777_777, 5_000)])
    assert await stores.receipts.history(conversation, 2) == [
        StateChange(user("ann"), DeliveryState.DELIVERED, Timestamp(2)),
        StateChange(user("cem"), DeliveryState.READ, Timestamp(11)),
        StateChange(user("bob"), DeliveryState.READ, Timestamp(5_000)),
    ]
    assert [change.time for change in await stores.receipts.history(conversation, 1_999)] == [1_999, 5_000]
    assert [change.time for change in await stores.receipts.history(conversation, 700_000)] == [5_000]


async def test_evidence_in_disorder_from_two_processes(stores: CassandraStores, others: CassandraStores) -> None:
    """A process that knows nothing of what was recorded before it records as exactly."""
    conversation = new_conversation()

    def receipt(sequence: int, at: int) -> Receipt:
        return Receipt(conversation, user("ann"), DeliveryState.READ, sequence, Timestamp(at))

    await stores.receipts.record([receipt(5, 50), receipt(9, 90)])
    await others.receipts.record([receipt(7, 60)])
    await others.receipts.record([receipt(30_000, 55)])
    times = [(await stores.receipts.history(conversation, n))[0].time for n in (1, 5, 6, 7, 8, 9, 10, 30_000)]
    assert times == [50, 50, 55, 55, 55, 55, 55, 55]
    assert (await stores.receipts.cursors([conversation]))[conversation]["ann"].read_up_to == 30_000
