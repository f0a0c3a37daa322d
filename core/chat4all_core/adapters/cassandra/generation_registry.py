"""The registry of the log's generations on Cassandra, beside the rows that carry their numbers."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from chat4all_core.adapters.cassandra.migration import require_schema
from chat4all_core.adapters.cassandra.query import Query
from chat4all_core.adapters.cassandra.session import Session, open_session
from chat4all_core.config import CassandraSection
from chat4all_core.ports.generation_registry import GenerationConflictError, TopicGeneration

_CQL = {
    "current": "SELECT topic, generation, partitions, identity, sealed FROM topic_generations WHERE part = 'all'",
}
_CONDITIONAL_CQL = {
    "first": "INSERT INTO topic_generations (part, topic, generation, partitions, identity, sealed)"
    " VALUES ('all', ?, 1, ?, ?, false) IF NOT EXISTS",
    "seal": "UPDATE topic_generations SET sealed = true WHERE part = 'all' AND topic = ?"
    " IF generation = ? AND identity = ?",
    "next": "UPDATE topic_generations SET generation = ?, partitions = ?, identity = ?, sealed = false"
    " WHERE part = 'all' AND topic = ? IF generation = ? AND sealed = true",
}


class CassandraGenerationRegistry:
    """Implements GenerationRegistry. Lightweight transactions decide between operators."""

    def __init__(self, session: Session, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._queries = queries

    @classmethod
    async def open(cls, session: Session) -> "CassandraGenerationRegistry":
        """With its statements prepared."""
        return cls(session, await session.prepare(_CQL) | await session.prepare(_CONDITIONAL_CQL, idempotent=False))

    async def current(self) -> Mapping[str, TopicGeneration]:
        """See GenerationRegistry.current."""
        rows = await self._session.execute(self._queries["current"].bind())
        return {row[0]: TopicGeneration(*row) for row in rows}

    async def seal(self, generation: TopicGeneration) -> None:
        """See GenerationRegistry.seal."""
        statement = self._queries["seal"].bind(generation.topic, generation.generation, generation.identity)
        await self._decide(statement, replace(generation, sealed=True))

    async def register(self, opened: TopicGeneration) -> None:
        """See GenerationRegistry.register."""
        if opened.generation == 1:
            statement = self._queries["first"].bind(opened.topic, opened.partitions, opened.identity)
        else:
            statement = self._queries["next"].bind(
                opened.generation, opened.partitions, opened.identity, opened.topic, opened.generation - 1
            )
        await self._decide(statement, opened)

    async def _decide(self, statement: object, wanted: TopicGeneration) -> None:
        outcome = await self._session.execute_conditional(statement)
        if outcome.applied:
            return
        # Perhaps an earlier try was applied, or an earlier call.
        found = (await self.current()).get(wanted.topic)
        if found != wanted:
            raise GenerationConflictError(f"wanted was {wanted}, registered is {found}")


@asynccontextmanager
async def open_generation_registry(settings: CassandraSection) -> AsyncIterator[CassandraGenerationRegistry]:
    """The registry alone, for the running event loop.

    Raises:
        UnavailableError: Cassandra can't be reached.
        QueryRefusedError: it does not let this account in, or has no such keyspace.
        SchemaMissingError: migrations have to be applied first.
    """
    async with open_session(settings) as session:
        await require_schema(session)
        yield await CassandraGenerationRegistry.open(session)
