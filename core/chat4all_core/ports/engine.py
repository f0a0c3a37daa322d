"""All the engines of one process, behind their ports."""

from dataclasses import dataclass

from chat4all_core.ports.contact_store import ContactStore
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.dead_letter_store import DeadLetterStore
from chat4all_core.ports.deferred_deliveries import DeferredDeliveries
from chat4all_core.ports.delivery_ledger import DeliveryLedger
from chat4all_core.ports.delivery_state_store import DeliveryStateStore
from chat4all_core.ports.event_log import EventLog
from chat4all_core.ports.file_store import FileStore
from chat4all_core.ports.identity_store import IdentityStore
from chat4all_core.ports.link_code_store import LinkCodeStore
from chat4all_core.ports.message_store import MessageStore
from chat4all_core.ports.provider_messages import ProviderMessages
from chat4all_core.ports.receipt_store import ReceiptStore
from chat4all_core.ports.refresh_token_store import RefreshTokenStore
from chat4all_core.ports.user_store import UserStore
from chat4all_core.ports.user_stream import UserStream


@dataclass(frozen=True, slots=True)
class Engine:
    """What a composition root opens, hands to the server and the workers, and closes."""

    log: EventLog
    messages: MessageStore
    receipts: ReceiptStore
    conversations: ConversationStore
    users: UserStore
    refresh_tokens: RefreshTokenStore
    contacts: ContactStore
    link_codes: LinkCodeStore
    identities: IdentityStore
    delivery_states: DeliveryStateStore
    streams: UserStream
    files: FileStore
    ledger: DeliveryLedger
    provider_messages: ProviderMessages
    deferred: DeferredDeliveries
    dead_letters: DeadLetterStore
