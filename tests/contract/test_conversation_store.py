"""ConversationStore: versions that mean one set of participants for ever."""

import asyncio
import uuid
from dataclasses import replace

from engine_under_test import EngineUnderTest

from chat4all_core.domain.conversation import Conversation, ConversationType, MembershipChange, Participation, Role
from chat4all_core.domain.ids import ConversationId, ParticipantId, UserId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.engine import Engine

ANN, BOB, CEM = (UserId(ParticipantId(name)) for name in ("ann", "bob", "cem"))


def group(title: str = "Ünion ✓") -> Conversation:
    """A new group of two."""
    return Conversation(
        conversation_id=ConversationId(str(uuid.uuid4())),
        type=ConversationType.GROUP,
        title=title,
        creator=ANN,
        created_at=Timestamp(1_700_000_000_000_001),
        version=1,
        participations=(Participation(ANN, Role.ADMIN, 1, None, 0), Participation(BOB, Role.MEMBER, 1, None, 0)),
    )


async def test_a_conversation_is_read_as_it_was_created(under_test: EngineUnderTest) -> None:
    """Every field comes back, also when the engine is opened again; unknown ones are None."""
    conversation = group()
    async with under_test.open() as engine:
        assert await engine.conversations.get(conversation.conversation_id) is None
        assert await engine.conversations.create(conversation) == conversation
        assert await engine.conversations.get(conversation.conversation_id) == conversation
    async with under_test.open() as engine:
        assert await engine.conversations.get(conversation.conversation_id) == conversation


async def test_creating_again_gives_what_is_stored(engine: Engine) -> None:
    """Of many creations of one id, one is stored, and all get that one."""
    original = group()
    titles = [f"title {n}" for n in range(10)]
    created = await asyncio.gather(*(engine.conversations.create(replace(original, title=t)) for t in titles))
    assert all(conversation == created[0] for conversation in created)
    assert created[0].title in titles
    assert await engine.conversations.get(original.conversation_id) == created[0]


async def test_many_are_given_in_the_order_asked_for(engine: Engine) -> None:
    """Unknown ones are left out."""
    conversations = [await engine.conversations.create(group(f"group {n}")) for n in range(5)]
    ids = [c.conversation_id for c in reversed(conversations)]
    ids.insert(2, ConversationId(str(uuid.uuid4())))
    assert list(await engine.conversations.get_many(ids)) == conversations[::-1]
    assert list(await engine.conversations.get_many([])) == []


async def test_stays_keep_their_versions(under_test: EngineUnderTest) -> None:
    """After joins, leaves, returns and new roles, every version still has the participants that it had."""
    conversation = group()
    cid = conversation.conversation_id
    changes = [
        MembershipChange(added=[CEM], joined_sequence=7),
        MembershipChange(removed=[BOB]),
        MembershipChange(role=(CEM, Role.ADMIN)),
        MembershipChange(added=[BOB], joined_sequence=9),
    ]
    async with under_test.open() as engine:
        await engine.conversations.create(conversation)
        for version, change in enumerate(changes, 1):
            changed = await engine.conversations.change_membership(cid, version, change)
            assert changed is not None
            assert changed.version == version + 1
            assert await engine.conversations.get(cid, version + 1) == changed
    async with under_test.open() as engine:
        stored = await engine.conversations.get(cid)
        assert stored is not None
        present = [{p.participant for p in stored.participants_at(v)} for v in range(1, 6)]
        assert present == [{ANN, BOB}, {ANN, BOB, CEM}, {ANN, CEM}, {ANN, CEM}, {ANN, BOB, CEM}]
        assert stored.participation_of(CEM) == Participation(CEM, Role.ADMIN, 2, None, 7)
        assert stored.participation_of(BOB) == Participation(BOB, Role.MEMBER, 5, None, 9)


async def test_of_two_changes_of_one_version_one_is_applied(engine: Engine) -> None:
    """Changes that were decided on the same version exclude each other, and the others are told so."""
    conversation = await engine.conversations.create(group())
    cid = conversation.conversation_id
    newcomers = [UserId(ParticipantId(f"user {n}")) for n in range(10)]
    changed = await asyncio.gather(
        *(engine.conversations.change_membership(cid, 1, MembershipChange(added=[who])) for who in newcomers)
    )
    applied = [c for c in changed if c is not None]
    assert len(applied) == 1
    assert await engine.conversations.get(cid, 2) == applied[0]
    assert len(applied[0].participants) == 3


async def test_changing_what_does_not_exist_gives_none(engine: Engine) -> None:
    """An unknown conversation has no version."""
    unknown = ConversationId(str(uuid.uuid4()))
    assert await engine.conversations.change_membership(unknown, 1, MembershipChange(added=[CEM])) is None
    assert await engine.conversations.get(unknown) is None


async def test_a_users_conversations_are_found(engine: Engine) -> None:
    """Those that a user created, was added to or came back to, each once; nobody else's."""
    ann, bob, cem = (UserId(ParticipantId(str(uuid.uuid4()))) for _ in range(3))
    stays = (Participation(ann, Role.ADMIN, 1, None, 0), Participation(bob, Role.MEMBER, 1, None, 0))
    first, second = [
        (await engine.conversations.create(replace(group(), creator=ann, participations=stays))).conversation_id
        for _ in range(2)
    ]
    for version, change in enumerate(
        (MembershipChange(removed=[bob]), MembershipChange(added=[bob, cem], joined_sequence=1)), 1
    ):
        assert await engine.conversations.change_membership(first, version, change) is not None
    assert sorted(await engine.conversations.conversations_of(ann)) == sorted([first, second])
    assert sorted(await engine.conversations.conversations_of(bob)) == sorted([first, second])
    assert list(await engine.conversations.conversations_of(cem)) == [first]
    assert not await engine.conversations.conversations_of(UserId(ParticipantId(str(uuid.uuid4()))))


async def test_a_version_that_is_known_of_is_never_missed(engine: Engine) -> None:
    """`at_least_version` is kept however many read while the conversation changes."""
    cid = (await engine.conversations.create(group())).conversation_id

    async def change_all() -> None:
        for version in range(1, 20):
            who = UserId(ParticipantId(f"user {version}"))
            changed = await engine.conversations.change_membership(cid, version, MembershipChange(added=[who]))
            assert changed is not None
            found = await asyncio.gather(*(engine.conversations.get(cid, version + 1) for _ in range(5)))
            assert all(c is not None and c.version >= version + 1 for c in found)

    async def read_on() -> None:
        seen = 0
        while seen < 20:
            found = await engine.conversations.get(cid, seen)
            assert found is not None
            assert found.version >= seen
            seen = found.version
            await asyncio.sleep(0)

    async with asyncio.timeout(30):
        await asyncio.gather(change_all(), read_on())
