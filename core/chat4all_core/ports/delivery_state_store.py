"""How far each delivery by a channel has come."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from chat4all_core.domain.delivery import DeliveryEvidence
from chat4all_core.domain.ids import ConversationId


class DeliveryStateStore(Protocol):
    """Of each (message, recipient, channel, attempt, state) the first evidence is kept, so writing is idempotent, and
    the order of writes does not matter."""

    async def record(self, evidence: Sequence[DeliveryEvidence]) -> None:
        """Store evidence durably.

        Raises:
            UnavailableError: perhaps not all of it is stored.
        """
        ...

    async def evidence(
        self, conversation_id: ConversationId, sequences: Collection[int]
    ) -> Mapping[int, Sequence[DeliveryEvidence]]:
        """What is known of the deliveries of these messages, oldest first. Messages without any are left out.

        Raises:
            UnavailableError.
        """
        ...
