"""UserStream: what it knows beyond the events themselves, acknowledgements and activity."""

from engine_under_test import EngineUnderTest
from stream_events import conversation, event, new_user

from chat4all_core.domain.ids import UserId
from chat4all_core.domain.stream_position import StreamPosition
from chat4all_core.ports.engine import Engine


async def test_acknowledging_by_place(engine: Engine) -> None:
    """What was announced up to a place is given per conversation until it is acknowledged; later events, events
    that announce no message and places of another epoch do not count."""
    user = new_user()
    await engine.streams.append(
        [
            event([user], 0, of="a", sequence=5),
            event([user], 1, of="b", sequence=2),
            event([user], 2, of="a", sequence=6),
            event([user], 3, of="c"),
            event([user], 4, of="a", sequence=7),
        ]
    )
    head = await engine.streams.head(user)
    place = StreamPosition(head.epoch, 4)
    assert await engine.streams.unacknowledged(user, StreamPosition("another", 4)) == {}
    await engine.streams.acknowledge(user, StreamPosition("another", 4))
    assert await engine.streams.unacknowledged(user, StreamPosition(head.epoch, 2)) == {"a": 5, "b": 2}
    assert await engine.streams.unacknowledged(user, place) == {"a": 6, "b": 2}
    await engine.streams.acknowledge(user, place)
    assert await engine.streams.unacknowledged(user, place) == {}
    await engine.streams.acknowledge(user, StreamPosition(head.epoch, 1))
    assert await engine.streams.unacknowledged(user, head) == {"a": 7}
    await engine.streams.acknowledge(user, StreamPosition(head.epoch, head.offset + 100))
    await engine.streams.append([event([user], 5, of="b", sequence=3)])
    assert await engine.streams.unacknowledged(user, await engine.streams.head(user)) == {"b": 3}
    assert await engine.streams.unacknowledged(new_user(), head) == {}
    await engine.streams.acknowledge(new_user(), head)


async def test_what_was_trimmed_can_be_acknowledged(under_test: EngineUnderTest) -> None:
    """Somebody who comes back after their stream was trimmed acknowledges also what is no longer kept, once."""
    user = new_user()
    count = under_test.max_events * 3
    async with under_test.open() as engine:
        for n in range(count):
            await engine.streams.append([event([user], n, of="early" if n < 5 else "late", sequence=n + 1)])
    async with under_test.open() as engine:
        head = await engine.streams.head(user)
        assert await engine.streams.unacknowledged(user, head) == {"early": 5, "late": count}
        await engine.streams.acknowledge(user, head)
        assert await engine.streams.unacknowledged(user, head) == {}
        for n in range(count, count * 2):
            await engine.streams.append([event([user], n, of="later", sequence=n + 1)])
        head = await engine.streams.head(user)
        assert await engine.streams.unacknowledged(user, head) == {"later": count * 2}


async def test_conversations_are_ordered_by_activity(engine: Engine) -> None:
    """The conversation of the newest event comes first; pages go on below the last activity given."""
    user, other = new_user(), new_user()
    await engine.streams.append([event([user], n, of=name) for n, name in enumerate("abcabd")])
    await engine.streams.append([event([other], 6, of="c")])
    recent = await engine.streams.recent_conversations(user, None, 10)
    assert [c.conversation_id for c in recent] == ["d", "b", "a", "c"]
    activities = [c.activity for c in recent]
    assert activities == sorted(set(activities), reverse=True)
    first = await engine.streams.recent_conversations(user, None, 2)
    rest = await engine.streams.recent_conversations(user, first[-1].activity, 10)
    assert [*first, *rest] == list(recent)
    assert await engine.streams.recent_conversations(new_user(), None, 10) == []


async def test_a_conversation_is_introduced_once(under_test: EngineUnderTest) -> None:
    """Introducing makes a conversation the newest of those who do not know it, makes no event, and lasts."""
    ann, bob = new_user(), new_user()
    async with under_test.open() as engine:
        await engine.streams.append([event([ann], 0, of="old"), event([ann], 1, of="other")])
        await engine.streams.introduce([ann, bob], conversation("new"))
        await engine.streams.introduce([ann, bob], conversation("old"))
        assert (await engine.streams.head(bob)).offset == 0
        assert (await engine.streams.head(ann)).offset == 2
    async with under_test.open() as engine:

        async def known(user: UserId) -> list[str]:
            return [c.conversation_id for c in await engine.streams.recent_conversations(user, None, 10)]

        assert await known(ann) == ["new", "other", "old"]
        assert await known(bob) == ["old", "new"]
        await engine.streams.append([event([ann, bob], 2, of="new")])
        assert await known(bob) == ["new", "old"]
