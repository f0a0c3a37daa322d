"""What the stores hold before they are measured, written past the platform: through it, it would take hours."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from bench.load import closed_loop_of
from bench.people import People
from chat4all_core.adapters.cassandra.stores import CassandraStores, open_stores
from chat4all_core.config import CassandraSection
from chat4all_core.domain.conversation import Conversation, ConversationType, Participation, Role
from chat4all_core.domain.ids import ConversationId, MessageId, ParticipantId, UserId
from chat4all_core.domain.message import AcceptedMessage, StoredMessage
from chat4all_core.domain.source import Source
from chat4all_core.ports.clock import system_clock

_IN_FLIGHT = 64
_ROWS = 200
_TEXT = "x" * 200


class Seed:
    """Writes conversations and old messages."""

    def __init__(self, stores: CassandraStores, people: People) -> None:
        self._stores = stores
        self._sender, self._receiver = (UserId(ParticipantId(user)) for user in people.ids)

    async def conversations(self, count: int) -> Sequence[str]:
        """Make so many conversations between the two."""
        ids = [ConversationId(str(uuid.uuid4())) for _ in range(count)]
        stays = tuple(Participation(user, Role.MEMBER, 1, None, 0) for user in sorted((self._sender, self._receiver)))

        async def make(number: int) -> None:
            await self._stores.conversations.create(
                Conversation(ids[number], ConversationType.GROUP, "bench", self._sender, system_clock(), 1, stays)
            )

        await closed_loop_of(make, count=count, in_flight=_IN_FLIGHT)
        return ids

    async def messages(self, conversations: Sequence[str], count: int) -> None:
        """Give each conversation its share of so many messages, as if from a generation of the log before the first,
        so that the router goes on after them."""
        each = count // len(conversations)

        async def write(number: int) -> None:
            at = number * _ROWS
            await self._stores.messages.write(
                [self._message(conversations[n // each], n % each + 1, n) for n in range(at, at + _ROWS)]
            )

        await closed_loop_of(write, count=each * len(conversations) // _ROWS, in_flight=_IN_FLIGHT // 8)

    def _message(self, conversation_id: str, sequence: int, offset: int) -> StoredMessage:
        message = AcceptedMessage(
            message_id=MessageId(str(uuid.uuid4())),
            conversation_id=ConversationId(conversation_id),
            sender=self._sender,
            text=_TEXT,
            accepted_at=system_clock(),
            membership_version=1,
        )
        return StoredMessage(message, sequence, Source(0, 0, offset))


@asynccontextmanager
async def seeding(settings: CassandraSection, people: People) -> AsyncIterator[Seed]:
    """Connected within the context."""
    async with open_stores(settings, system_clock) as stores:
        yield Seed(stores, people)
