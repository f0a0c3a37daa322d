"""MessageStore: rows that may be written any number of times."""

import random
import uuid
from collections.abc import Sequence
from dataclasses import replace

from engine_under_test import EngineUnderTest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat4all_core.domain.channel import ChannelAddress, ChannelName
from chat4all_core.domain.file import Attachment
from chat4all_core.domain.ids import ConversationId, FileId, MessageId, ParticipantId, UserId
from chat4all_core.domain.message import AcceptedMessage, DeliveryRoute, StoredMessage
from chat4all_core.domain.source import Source
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.engine import Engine
from chat4all_core.ports.message_store import MessagePosition, MessageStore


def new_conversation() -> ConversationId:
    """An id that nobody uses."""
    return ConversationId(str(uuid.uuid4()))


def user(name: str) -> UserId:
    """A sender."""
    return UserId(ParticipantId(name))


def row(conversation: ConversationId, sequence: int, offset: int = -1, sender: str = "ann") -> StoredMessage:
    """A message whose record has the given offset, by default its sequence."""
    return StoredMessage(
        AcceptedMessage(
            message_id=MessageId(str(uuid.uuid4())),
            conversation_id=conversation,
            sender=user(sender),
            text=f"text {sequence}",
            accepted_at=Timestamp(1_700_000_000_000_000 + sequence),
            membership_version=1,
        ),
        sequence,
        Source(1, 3, sequence if offset < 0 else offset),
    )


async def stored(messages: MessageStore, conversation: ConversationId) -> Sequence[StoredMessage]:
    """All rows of a conversation."""
    return await messages.list_after(conversation, 0, 2**40, 10_000)


async def test_a_message_is_read_as_it_was_written(engine: Engine) -> None:
    """Every field comes back, with values that are empty, absent, long or not ASCII."""
    conversation = new_conversation()
    plain = row(conversation, 1)
    rich = row(conversation, 2)
    rich = replace(
        rich,
        message=replace(
            rich.message,
            text="héllo ✓ 🎉 " + "x" * 10_000,
            file=Attachment(FileId("f1"), "résumé 🎉.pdf", 5 << 40, "application/pdf", "0" * 64),
            routes=(DeliveryRoute(user("ben"), ChannelAddress(ChannelName("telegram"), "1")),),
            reply_to=plain.message.message_id,
            metadata={"k": "v", "ключ": "", "quote": '"\\'},
            membership_version=7,
        ),
    )
    bare = row(conversation, 3)
    bare = replace(bare, message=replace(bare.message, metadata={}))
    await engine.messages.write([plain, rich, bare])
    assert await engine.messages.get(conversation, 1) == plain
    assert await engine.messages.get(conversation, 2) == rich
    read = await engine.messages.get(conversation, 3)
    assert read is not None
    assert not read.message.metadata


async def test_what_is_not_stored_is_not_found(engine: Engine) -> None:
    """Unknown conversations and sequences give nothing, not errors."""
    conversation = new_conversation()
    await engine.messages.write([row(conversation, 1)])
    await engine.messages.write([])
    unknown = new_conversation()
    assert await engine.messages.get(conversation, 2) is None
    assert await engine.messages.get(unknown, 1) is None
    assert await engine.messages.last_sequence(unknown) == 0
    assert await stored(engine.messages, unknown) == []
    assert await engine.messages.newest([unknown]) == {}
    assert await engine.messages.newest([]) == {}
    assert await engine.messages.senders(unknown, 0, 10) == {}
    assert await engine.messages.positions([MessageId(str(uuid.uuid4()))]) == {}
    assert await engine.messages.positions([]) == {}
    assert await engine.messages.last_sequences_before({unknown: Source(1, 0, 5)}) == {unknown: 0}
    assert await engine.messages.last_sequences_before({}) == {}


async def test_what_was_written_survives(under_test: EngineUnderTest) -> None:
    """Rows and positions are there when the engine is opened again."""
    conversation = new_conversation()
    rows = [row(conversation, n) for n in range(1, 301)]
    async with under_test.open() as engine:
        await engine.messages.write(rows)
    async with under_test.open() as engine:
        assert await stored(engine.messages, conversation) == rows
        assert len(await engine.messages.positions([r.message.message_id for r in rows])) == 300


async def test_writing_again_changes_nothing(engine: Engine) -> None:
    """Rows may be written in part, twice, in any order and mixed with others: each is there once."""
    conversation = new_conversation()
    rows = [row(conversation, n) for n in range(1, 41)]
    for part in (rows[5:20], rows[:12], rows, [*rows[30:], *reversed(rows[:10])]):
        await engine.messages.write(part)
    assert await stored(engine.messages, conversation) == rows
    positions = await engine.messages.positions([r.message.message_id for r in rows])
    assert positions == {r.message.message_id: MessagePosition(conversation, r.sequence, r.source) for r in rows}


async def test_an_older_write_never_wins(engine: Engine) -> None:
    """Of two writes of a sequence, the one from the later record stays, whichever arrives last."""
    conversation = new_conversation()
    older, newer = row(conversation, 1, offset=5), row(conversation, 1, offset=9)
    next_life = replace(newer, source=Source(2, 0, 0))
    await engine.messages.write([newer])
    await engine.messages.write([older])
    assert await engine.messages.get(conversation, 1) == newer
    await engine.messages.write([next_life])
    await engine.messages.write([newer])
    assert await engine.messages.get(conversation, 1) == next_life


async def test_pages_are_bounded_on_both_sides(engine: Engine) -> None:
    """Both listings leave out their bounds, keep their order, and stop at the limit."""
    conversation, other = new_conversation(), new_conversation()
    await engine.messages.write([row(c, n) for n in range(1, 21) for c in (conversation, other)])

    async def before(before: int, after: int, limit: int) -> list[int]:
        return [m.sequence for m in await engine.messages.list_before(conversation, before, after, limit)]

    async def after(after: int, before: int, limit: int) -> list[int]:
        return [m.sequence for m in await engine.messages.list_after(conversation, after, before, limit)]

    assert await before(21, 0, 5) == [20, 19, 18, 17, 16]
    assert await before(16, 13, 5) == [15, 14]
    assert await before(2**40, 0, 100) == list(range(20, 0, -1))
    assert await before(1, 0, 5) == await before(5, 4, 5) == []
    assert await after(0, 2**40, 5) == [1, 2, 3, 4, 5]
    assert await after(15, 18, 5) == [16, 17]
    assert await after(20, 2**40, 5) == await after(4, 5, 5) == []


async def test_the_newest_message_of_each_conversation(engine: Engine) -> None:
    """`newest` and `last_sequence` agree, and conversations do not get mixed up."""
    conversations = [new_conversation() for _ in range(30)]
    await engine.messages.write([row(c, n) for i, c in enumerate(conversations) for n in range(1, i + 2)])
    newest = await engine.messages.newest(conversations)
    assert {c: m.sequence for c, m in newest.items()} == {c: i + 1 for i, c in enumerate(conversations)}
    assert all(m.message.conversation_id == c for c, m in newest.items())
    assert await engine.messages.last_sequence(conversations[7]) == 8


async def test_the_newest_message_of_each_sender(engine: Engine) -> None:
    """`senders` leaves out the lower bound, includes the upper one, and names each sender's newest message there."""
    conversation = new_conversation()
    rows = [row(conversation, n, sender="abc"[n % 3]) for n in range(1, 13)]
    await engine.messages.write(rows)
    ids = {r.sequence: r.message.message_id for r in rows}
    assert await engine.messages.senders(conversation, 3, 8) == {
        user("b"): (7, ids[7]),
        user("c"): (8, ids[8]),
        user("a"): (6, ids[6]),
    }
    assert await engine.messages.senders(conversation, 8, 8) == {}


async def test_many_rows_and_ids_at_once(engine: Engine) -> None:
    """A batch may be larger than whatever an engine takes in one statement."""
    rows = [row(c, n) for c in [new_conversation() for _ in range(40)] for n in range(1, 51)]
    random.shuffle(rows)
    await engine.messages.write(rows)
    positions = await engine.messages.positions([r.message.message_id for r in rows] + [MessageId("unknown")])
    assert {m: p.source for m, p in positions.items()} == {r.message.message_id: r.source for r in rows}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sources=st.lists(st.tuples(st.integers(1, 2), st.integers(0, 9)), min_size=1, max_size=15, unique=True),
    asked=st.tuples(st.integers(1, 3), st.integers(-1, 10)),
)
async def test_only_rows_from_before_the_source_count(
    engine: Engine, sources: list[tuple[int, int]], asked: tuple[int, int]
) -> None:
    """The last sequence before a source is that of the newest row from an earlier record, whatever lies after it;
    the partition of another life of the topic may be another one."""
    conversation, other = new_conversation(), new_conversation()
    places = [Source(generation, 4 - generation, offset) for generation, offset in sorted(sources)]
    rows = [replace(row(conversation, n), source=place) for n, place in enumerate(places, 1)]
    await engine.messages.write(rows)
    bound = Source(asked[0], 4 - asked[0], asked[1])
    found = await engine.messages.last_sequences_before({conversation: bound, other: bound})
    assert found == {conversation: sum(place < bound for place in places), other: 0}
