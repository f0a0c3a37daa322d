"""Conversations on SQLite, with those in use kept in memory.

One process writes the database, so what is in memory is never older than what is stored.
"""

import asyncio
import sqlite3
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.rows import insert_rows, json_array
from chat4all_core.domain.conversation import (
    Conversation,
    ConversationType,
    MembershipChange,
    Participation,
    Role,
)
from chat4all_core.domain.ids import ConversationId, UserId
from chat4all_core.domain.timestamp import Timestamp


class SqliteConversationStore:
    """Implements ConversationStore."""

    def __init__(self, database: Database, cached: int = 10_000) -> None:
        self._database = database
        self._max_cached = cached
        self._cache: OrderedDict[ConversationId, Conversation] = OrderedDict()
        self._reading: dict[ConversationId, asyncio.Future[list[Conversation]]] = {}

    async def create(self, conversation: Conversation) -> Conversation:
        """See ConversationStore.create."""
        return self._remember(await self._database.write(lambda connection: _create(connection, conversation)))

    async def get(self, conversation_id: ConversationId, at_least_version: int = 0) -> Conversation | None:
        """See ConversationStore.get."""
        cached = self._cache.get(conversation_id)
        if cached is not None and cached.version >= at_least_version:
            self._cache.move_to_end(conversation_id)
            return cached
        reading = self._reading.get(conversation_id)
        if reading is None:
            reading = asyncio.ensure_future(self._database.read(lambda c: _load(c, [conversation_id])))
            self._reading[conversation_id] = reading
            reading.add_done_callback(lambda _: self._reading.pop(conversation_id))
        # Shielded, for others may wait for the same read.
        found = await asyncio.shield(reading)
        return self._remember(found[0]) if found else None

    async def get_many(self, conversation_ids: Sequence[ConversationId]) -> Sequence[Conversation]:
        """See ConversationStore.get_many."""
        missing = [c for c in conversation_ids if c not in self._cache]
        found = {c: self._cache[c] for c in conversation_ids if c in self._cache}
        if missing:
            for conversation in await self._database.read(lambda connection: _load(connection, missing)):
                found[conversation.conversation_id] = self._remember(conversation)
        return [found[c] for c in conversation_ids if c in found]

    async def change_membership(
        self, conversation_id: ConversationId, version: int, change: MembershipChange
    ) -> Conversation | None:
        """See ConversationStore.change_membership."""
        changed = await self._database.write(lambda connection: _change(connection, conversation_id, version, change))
        return None if changed is None else self._remember(changed)

    async def conversations_of(self, user_id: UserId) -> Sequence[ConversationId]:
        """See ConversationStore.conversations_of."""
        rows = await self._database.read(
            lambda connection: connection.execute(
                "SELECT DISTINCT conversation_id FROM participations WHERE participant = ?", (user_id,)
            ).fetchall()
        )
        return [conversation_id for (conversation_id,) in rows]

    def _remember(self, conversation: Conversation) -> Conversation:
        """Keep the newer one, for a read may have begun before a write that has ended; it is returned."""
        cached = self._cache.get(conversation.conversation_id)
        if cached is not None and cached.version > conversation.version:
            return cached
        self._cache[conversation.conversation_id] = conversation
        self._cache.move_to_end(conversation.conversation_id)
        if len(self._cache) > self._max_cached:
            self._cache.popitem(last=False)
        return conversation


def _create(connection: sqlite3.Connection, conversation: Conversation) -> Conversation:
    created = connection.execute(
        "INSERT INTO conversations (conversation_id, type, title, creator, created_at, version)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (conversation_id) DO NOTHING",
        (
            conversation.conversation_id,
            int(conversation.type),
            conversation.title,
            conversation.creator,
            conversation.created_at,
            conversation.version,
        ),
    )
    if created.rowcount:
        _insert_participations(connection, conversation.conversation_id, conversation.participations)
    return _load(connection, [conversation.conversation_id])[0]


def _change(
    connection: sqlite3.Connection, conversation_id: ConversationId, version: int, change: MembershipChange
) -> Conversation | None:
    raised = connection.execute(
        "UPDATE conversations SET version = version + 1 WHERE conversation_id = ? AND version = ?",
        (conversation_id, version),
    )
    if not raised.rowcount:
        return None
    present = "conversation_id = ? AND participant = ? AND removed_version IS NULL"
    for participant in change.removed:
        connection.execute(
            f"UPDATE participations SET removed_version = ? WHERE {present}",
            (version + 1, conversation_id, participant),
        )
    if change.role is not None:
        participant, role = change.role
        connection.execute(
            f"UPDATE participations SET role = ? WHERE {present}", (int(role), conversation_id, participant)
        )
    added = [Participation(p, Role.MEMBER, version + 1, None, change.joined_sequence) for p in change.added]
    _insert_participations(connection, conversation_id, added)
    return _load(connection, [conversation_id])[0]


def _insert_participations(
    connection: sqlite3.Connection, conversation_id: ConversationId, stays: Sequence[Participation]
) -> None:
    insert_rows(
        connection,
        "participations (conversation_id, participant, added_version, removed_version, role, joined_sequence)",
        [
            (conversation_id, s.participant, s.added_version, s.removed_version, int(s.role), s.joined_sequence)
            for s in stays
        ],
    )


def _load(connection: sqlite3.Connection, conversation_ids: Sequence[ConversationId]) -> list[Conversation]:
    ids = json_array(conversation_ids)
    stays: dict[ConversationId, list[Participation]] = {}
    for conversation_id, participant, role, added, removed, joined in connection.execute(
        "SELECT conversation_id, participant, role, added_version, removed_version, joined_sequence"
        " FROM participations WHERE conversation_id IN (SELECT value FROM json_each(?))"
        " ORDER BY conversation_id, added_version, participant",
        (ids,),
    ).fetchall():
        stays.setdefault(conversation_id, []).append(Participation(participant, Role(role), added, removed, joined))
    rows = connection.execute(
        "SELECT conversation_id, type, title, creator, created_at, version FROM conversations"
        " WHERE conversation_id IN (SELECT value FROM json_each(?))",
        (ids,),
    ).fetchall()
    return [_from_row(row, stays.get(row[0], [])) for row in rows]


def _from_row(row: tuple[Any, ...], stays: Sequence[Participation]) -> Conversation:
    conversation_id, kind, title, creator, created_at, version = row
    return Conversation(
        conversation_id=conversation_id,
        type=ConversationType(kind),
        title=title,
        creator=creator,
        created_at=Timestamp(created_at),
        version=version,
        participations=tuple(stays),
    )
