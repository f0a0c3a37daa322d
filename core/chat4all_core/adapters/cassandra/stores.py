"""The stores on Cassandra, opened together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chat4all_core.adapters.cassandra.contact_store import CassandraContactStore
from chat4all_core.adapters.cassandra.conversation_store import CassandraConversationStore
from chat4all_core.adapters.cassandra.dead_letter_store import CassandraDeadLetterStore
from chat4all_core.adapters.cassandra.deferred_deliveries import CassandraDeferredDeliveries
from chat4all_core.adapters.cassandra.delivery_ledger import CassandraDeliveryLedger
from chat4all_core.adapters.cassandra.delivery_state_store import CassandraDeliveryStateStore
from chat4all_core.adapters.cassandra.file_store import CassandraFileStore
from chat4all_core.adapters.cassandra.generation_registry import CassandraGenerationRegistry
from chat4all_core.adapters.cassandra.identity_store import CassandraIdentityStore
from chat4all_core.adapters.cassandra.link_code_store import CassandraLinkCodeStore
from chat4all_core.adapters.cassandra.message_store import CassandraMessageStore
from chat4all_core.adapters.cassandra.migration import require_schema
from chat4all_core.adapters.cassandra.provider_messages import CassandraProviderMessages
from chat4all_core.adapters.cassandra.receipt_store import CassandraReceiptStore
from chat4all_core.adapters.cassandra.refresh_token_store import CassandraRefreshTokenStore
from chat4all_core.adapters.cassandra.session import open_session
from chat4all_core.adapters.cassandra.user_store import CassandraUserStore
from chat4all_core.config import CassandraSection
from chat4all_core.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class CassandraStores:
    """All stores that are on Cassandra. They share one session."""

    messages: CassandraMessageStore
    receipts: CassandraReceiptStore
    conversations: CassandraConversationStore
    users: CassandraUserStore
    refresh_tokens: CassandraRefreshTokenStore
    contacts: CassandraContactStore
    link_codes: CassandraLinkCodeStore
    identities: CassandraIdentityStore
    delivery_states: CassandraDeliveryStateStore
    files: CassandraFileStore
    ledger: CassandraDeliveryLedger
    provider_messages: CassandraProviderMessages
    deferred: CassandraDeferredDeliveries
    dead_letters: CassandraDeadLetterStore
    generations: CassandraGenerationRegistry


@asynccontextmanager
async def open_stores(settings: CassandraSection, clock: Clock) -> AsyncIterator[CassandraStores]:
    """Open the stores for the running event loop.

    Raises:
        UnavailableError: Cassandra can't be reached.
        QueryRefusedError: it does not let this account in, or has no such keyspace.
        SchemaMissingError: migrations have to be applied first.
    """
    async with open_session(settings) as session:
        await require_schema(session)
        yield CassandraStores(
            messages=await CassandraMessageStore.open(session),
            receipts=await CassandraReceiptStore.open(session),
            conversations=await CassandraConversationStore.open(session),
            users=await CassandraUserStore.open(session),
            refresh_tokens=await CassandraRefreshTokenStore.open(session, clock),
            contacts=await CassandraContactStore.open(session),
            link_codes=await CassandraLinkCodeStore.open(session, clock),
            identities=await CassandraIdentityStore.open(session),
            delivery_states=await CassandraDeliveryStateStore.open(session),
            files=await CassandraFileStore.open(session),
            ledger=await CassandraDeliveryLedger.open(session),
            provider_messages=await CassandraProviderMessages.open(session),
            deferred=await CassandraDeferredDeliveries.open(session),
            dead_letters=await CassandraDeadLetterStore.open(session),
            generations=await CassandraGenerationRegistry.open(session),
        )
