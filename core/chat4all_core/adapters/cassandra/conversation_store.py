"""Conversations on Cassandra."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chat4all_core.adapters.cassandra.conversation_cache import BELIEVED, ConversationCache
from chat4all_core.adapters.cassandra.conversation_rows import COLUMNS, changed, from_rows
from chat4all_core.adapters.cassandra.query import Query, is_key
from chat4all_core.adapters.cassandra.request_groups import key_groups, write_batches
from chat4all_core.adapters.cassandra.session import Session, transaction
from chat4all_core.domain.conversation import Conversation, MembershipChange, Participation
from chat4all_core.domain.ids import ConversationId, UserId

_READ_AT_ONCE = 10  # conversations may have a thousand rows each

_CQL = {
    "versions": "SELECT DISTINCT conversation_id, version FROM conversations WHERE conversation_id IN ?",
    "whole": f"SELECT {COLUMNS} FROM conversations WHERE conversation_id IN ?",
    "joined": "INSERT INTO conversations_by_user (user_id, conversation_id) VALUES (?, ?) USING TIMESTAMP ?",
    "of": "SELECT conversation_id FROM conversations_by_user WHERE user_id = ?",
    "left": "DELETE FROM conversations_by_user USING TIMESTAMP ? WHERE user_id = ? AND conversation_id = ?",
}
_CONDITIONAL_CQL = {
    "create": "UPDATE conversations SET version = ?, type = ?, title = ?, creator = ?, created_at = ?"
    " WHERE conversation_id = ? IF version = NULL",
    "raise": "UPDATE conversations SET version = ? WHERE conversation_id = ? IF version = ?",
    "stay": "INSERT INTO conversations"
    " (conversation_id, participant, added_version, removed_version, role, joined_sequence) VALUES (?, ?, ?, ?, ?, ?)",
}


class CassandraConversationStore:
    """Implements ConversationStore."""

    def __init__(self, session: Session, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._queries = queries
        self._loop = asyncio.get_running_loop()
        self._cache = ConversationCache(self._read_versions, self._read)

    @classmethod
    async def open(cls, session: Session) -> "CassandraConversationStore":
        """With its statements prepared."""
        return cls(session, await session.prepare(_CQL) | await session.prepare(_CONDITIONAL_CQL, idempotent=False))

    async def create(self, conversation: Conversation) -> Conversation:
        """See ConversationStore.create."""
        conversation_id, began = conversation.conversation_id, self._loop.time()
        await self._write_joined(conversation_id, conversation.version, conversation.participations)
        header = self._queries["create"].bind(
            conversation.version,
            int(conversation.type),
            conversation.title,
            conversation.creator,
            conversation.created_at,
            conversation_id,
        )
        outcome = await self._session.execute_conditional(
            transaction([header, *self._stays(conversation_id, conversation.participations)])
        )
        stored = conversation if outcome.applied else await self._cache.read_anew(conversation_id)
        return self._cache.remember(stored or conversation, began)

    async def get(self, conversation_id: ConversationId, at_least_version: int = 0) -> Conversation | None:
        """See ConversationStore.get."""
        return await self._cache.get(conversation_id, at_least_version) if is_key(conversation_id) else None

    async def get_many(self, conversation_ids: Sequence[ConversationId]) -> Sequence[Conversation]:
        """See ConversationStore.get_many."""
        return await self._cache.get_many([c for c in conversation_ids if is_key(c)])

    async def conversations_of(self, user_id: UserId) -> Sequence[ConversationId]:
        """See ConversationStore.conversations_of."""
        if not is_key(user_id):
            return []
        rows = await self._session.execute(self._queries["of"].bind(user_id))
        return [ConversationId(conversation_id) for (conversation_id,) in rows]

    async def change_membership(
        self, conversation_id: ConversationId, version: int, change: MembershipChange
    ) -> Conversation | None:
        """See ConversationStore.change_membership. It returns when no process believes the version before any more:
        who was removed is then removed everywhere, and who was added may act everywhere."""
        began = self._loop.time()
        before = await self.get(conversation_id, version)
        if before is None or before.version != version:
            return None
        after = changed(before, change)
        new = set(after.participations) - set(before.participations)
        joined = [stay for stay in new if stay.added_version == after.version]
        # Before and after: whoever takes part is always found, and perhaps somebody who does not (yet, or any more).
        await self._write_joined(conversation_id, after.version, joined)
        raised = self._queries["raise"].bind(after.version, conversation_id, version)
        outcome = await self._session.execute_conditional(transaction([raised, *self._stays(conversation_id, new)]))
        if not outcome.applied:
            stored = await self._cache.read_anew(conversation_id)
            if not outcome.uncertain or stored is None or not new <= set(stored.participations):
                return None
            after = stored  # an earlier try was applied
        await self._write_left(conversation_id, after.version, [s for s in new if s.removed_version is not None])
        await asyncio.sleep(BELIEVED)
        return self._cache.remember(after, began)

    def _stays(self, conversation_id: ConversationId, stays: Iterable[Participation]) -> list[Any]:
        query = self._queries["stay"]
        return [
            query.bind(
                conversation_id, s.participant, s.added_version, s.removed_version, int(s.role), s.joined_sequence
            )
            for s in stays
        ]

    async def _write_joined(
        self, conversation_id: ConversationId, version: int, stays: Iterable[Participation]
    ) -> None:
        query = self._queries["joined"]
        await self._write(query.bind(stay.participant, conversation_id, version) for stay in stays)

    async def _write_left(self, conversation_id: ConversationId, version: int, stays: Iterable[Participation]) -> None:
        query = self._queries["left"]
        await self._write(query.bind(version, stay.participant, conversation_id) for stay in stays)

    async def _write(self, statements: Iterable[Any]) -> None:
        await self._session.execute_all(write_batches(self._session, statements))

    async def _read_versions(self, conversation_ids: Sequence[ConversationId]) -> Mapping[ConversationId, int]:
        answers = await self._session.execute_all(
            self._queries["versions"].bind_for(key, group)
            for key, group in key_groups(self._session, conversation_ids, str.encode)
        )
        return {conversation_id: version for rows in answers for conversation_id, version in rows}

    async def _read(self, conversation_ids: Sequence[ConversationId]) -> Sequence[Conversation]:
        answers = await self._session.execute_all(
            self._queries["whole"].bind_for(key, group)
            for key, group in key_groups(self._session, conversation_ids, str.encode, _READ_AT_ONCE)
        )
        return [conversation for rows in answers for conversation in from_rows(rows)]
