"""The order of a user's conversations, from messages and conversations alone."""

import uuid
from pathlib import Path

from message_rows import message_rows, new_conversation, user

from chat4all_core.adapters.sqlite.engine import SqliteSettings, open_engine
from chat4all_core.app.conversations_by_activity import ConversationsByActivity
from chat4all_core.domain.conversation import Conversation, ConversationType, Participation, Role
from chat4all_core.domain.timestamp import Timestamp

_FIRST_MESSAGE = 1_700_000_000_000_000  # the time of sequence 0 in `message_rows`


async def test_newest_messages_order_conversations_and_creation_the_silent_ones(tmp_path: Path) -> None:
    """The oldest activity comes first, whenever a conversation began, and nobody else's conversations are there."""
    ann, bob = user(str(uuid.uuid4())), user(str(uuid.uuid4()))

    def conversation(creator: str, created_at: int) -> Conversation:
        return Conversation(
            conversation_id=new_conversation(),
            type=ConversationType.GROUP,
            title="",
            creator=user(creator),
            created_at=Timestamp(created_at),
            version=1,
            participations=(Participation(user(creator), Role.ADMIN, 1, None, 0),),
        )

    async with open_engine(tmp_path, lambda: Timestamp(_FIRST_MESSAGE), SqliteSettings()) as engine:
        early, late, silent, foreign = [
            (await engine.conversations.create(conversation(creator, _FIRST_MESSAGE + at))).conversation_id
            for creator, at in ((ann, 3), (ann, 1), (ann, 7), (bob, 2))
        ]
        await engine.messages.write([*message_rows(early, range(1, 6)), *message_rows(late, range(1, 10))])
        await engine.messages.write(message_rows(foreign, range(1, 9)))
        by_activity = ConversationsByActivity(engine.conversations, engine.messages)
        assert await by_activity(ann) == [early, silent, late]
        assert await by_activity(user(str(uuid.uuid4()))) == []
