"""How far each participant has come in each conversation."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from chat4all_core.domain.delivery_state import Cursors, Receipt, StateChange
from chat4all_core.domain.ids import ConversationId, UserId


class ReceiptStore(Protocol):
    """Cursors only grow, so every write is idempotent and their order does not matter."""

    async def record(self, receipts: Sequence[Receipt]) -> None:
        """Store evidence durably. One receipt covers every message up to its sequence, so its cost does not
        depend on how many those are. READ implies DELIVERED."""
        ...

    async def record_sent(self, sent: Mapping[tuple[ConversationId, UserId], int]) -> None:
        """Store durably the newest sequence that each sender has sent in each conversation."""
        ...

    async def cursors(self, conversation_ids: Collection[ConversationId]) -> Mapping[ConversationId, Cursors]:
        """The cursors of each conversation; an empty mapping for one without any."""
        ...

    async def history(self, conversation_id: ConversationId, sequence: int) -> Sequence[StateChange]:
        """When each participant's DELIVERED and READ first covered the message at a sequence, oldest first.
        DELIVERED is left out where READ covered it no later."""
        ...
