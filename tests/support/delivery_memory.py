"""What connectors keep, in memory: it stays when a connector is gone."""

from collections import defaultdict
from collections.abc import Sequence

from chat4all_core.domain.channel import AccountId, ChannelAddress, ChannelName
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.ids import ConversationId
from chat4all_core.domain.source import Source
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.contact_store import Contact
from chat4all_core.ports.deferred_deliveries import DeferredDelivery
from chat4all_core.ports.delivery_ledger import Claim, LedgerKey, Settlement
from chat4all_core.ports.provider_messages import DeliveryReference, ProviderMessage


class MemoryLedger:
    """Implements DeliveryLedger."""

    def __init__(self) -> None:
        self.entries: dict[LedgerKey, Claim | Settlement] = {}

    async def find(self, key: LedgerKey) -> Claim | Settlement | None:
        return self.entries.get(key)

    async def claim(self, key: LedgerKey, claim: Claim) -> Claim | Settlement | None:
        if key in self.entries:
            return self.entries[key]
        self.entries[key] = claim
        return None

    async def settle(self, key: LedgerKey, settlement: Settlement) -> None:
        known = self.entries[key]
        if isinstance(known, Claim) or known.state is DeliveryState.UNKNOWN:
            self.entries[key] = settlement

    async def record(self, key: LedgerKey, settlement: Settlement) -> None:
        self.entries.setdefault(key, settlement)

    async def release(self, key: LedgerKey, owner: str) -> None:
        known = self.entries.get(key)
        if isinstance(known, Claim) and known.owner == owner:
            del self.entries[key]


class MemoryProviderMessages:
    """Implements ProviderMessages."""

    def __init__(self) -> None:
        self.references: dict[ProviderMessage, DeliveryReference] = {}
        self.parked: dict[ProviderMessage, list[bytes]] = defaultdict(list)

    async def put(self, message: ProviderMessage, reference: DeliveryReference) -> Sequence[bytes]:
        self.references.setdefault(message, reference)
        return list(self.parked[message])

    async def find(self, message: ProviderMessage) -> DeliveryReference | None:
        return self.references.get(message)

    async def park(self, message: ProviderMessage, report: bytes) -> DeliveryReference | None:
        if message not in self.references:
            self.parked[message].append(report)
        return self.references.get(message)

    async def forget_parked(self, message: ProviderMessage) -> None:
        self.parked.pop(message, None)


class MemoryDeferred:
    """Implements DeferredDeliveries."""

    def __init__(self) -> None:
        self.queues: dict[ChannelAddress, dict[Source, DeferredDelivery]] = {}
        self._due: dict[ChannelAddress, Timestamp] = {}

    async def add(self, to: ChannelAddress, deliveries: Sequence[DeferredDelivery], due_at: Timestamp) -> None:
        self.queues.setdefault(to, {}).update({each.source: each for each in deliveries})
        self._due[to] = due_at

    async def due_at(self, to: ChannelAddress) -> Timestamp | None:
        return self._due.get(to)

    async def first(self, to: ChannelAddress, limit: int) -> Sequence[DeferredDelivery]:
        queue = self.queues.get(to, {})
        return [queue[source] for source in sorted(queue)[:limit]]

    async def remove(self, to: ChannelAddress, source: Source) -> None:
        queue = self.queues.get(to, {})
        queue.pop(source, None)
        if not queue:
            self.queues.pop(to, None)
            self._due.pop(to, None)

    async def due(self, channel: ChannelName, partition: int, now: Timestamp, limit: int) -> Sequence[ChannelAddress]:
        due = [to for to, at in self._due.items() if at <= now and next(iter(self.queues[to])).partition == partition]
        return sorted(due, key=lambda to: self._due[to])[:limit]


class MemoryContacts:
    """Implements ContactStore."""

    def __init__(self) -> None:
        self.contacts: dict[ChannelAddress, Contact] = {}

    async def get(self, address: ChannelAddress) -> Contact | None:
        return self.contacts.get(address)

    async def received(self, address: ChannelAddress, account: AccountId, name: str, at: Timestamp) -> None:
        known = self.contacts.get(address)
        conversation_id = known.conversation_id if known else None
        self.contacts[address] = Contact(address, account, conversation_id, name, at)

    async def set_conversation(self, address: ChannelAddress, conversation_id: ConversationId) -> None:
        known = self.contacts.get(address) or Contact(address)
        self.contacts[address] = Contact(
            address, known.account, conversation_id, known.display_name, known.last_received_at
        )
