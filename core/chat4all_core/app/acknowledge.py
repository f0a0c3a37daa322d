"""Use case: a client says what it has."""

import asyncio
from collections.abc import Mapping, Sequence

from chat4all_core.app.report_receipt import ReportReceipt
from chat4all_core.app.require_conversation import require_conversation
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.errors import invalid_field
from chat4all_core.domain.ids import ConversationId, UserId
from chat4all_core.domain.stream_position import StreamPosition
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.message_store import MessageStore
from chat4all_core.ports.user_stream import UserStream

MAX_POSITIONS = 100


class Acknowledge:
    """Takes receipts from clients, by place in the stream or in conversations."""

    def __init__(
        self,
        *,
        conversations: ConversationStore,
        messages: MessageStore,
        streams: UserStream,
        report: ReportReceipt,
    ) -> None:
        self._conversations = conversations
        self._messages = messages
        self._streams = streams
        self._report = report

    async def __call__(
        self, caller: UserId, up_to: StreamPosition | None, positions: Sequence[tuple[ConversationId, int]]
    ) -> None:
        """Mark what a place covers as DELIVERED to the caller.

        Raises:
            InvalidArgumentError: nothing was named, too much was named, or a sequence is below 1.
            NotFoundError: CONVERSATION_NOT_FOUND.
            PermissionDeniedError: NOT_A_PARTICIPANT.
        """
        if up_to is None and not positions:
            raise invalid_field("cursor", "give a cursor, or positions")
        named = await self._check(caller, positions)
        if up_to is not None:
            await self._report_all(caller, await self._streams.unacknowledged(caller, up_to))
            # Only now, for a crash in between must not lose the receipts.
            await self._streams.acknowledge(caller, up_to)
        await self._report_all(caller, named)

    async def _check(
        self, caller: UserId, positions: Sequence[tuple[ConversationId, int]]
    ) -> Mapping[ConversationId, int]:
        if len(positions) > MAX_POSITIONS:
            raise invalid_field("positions", f"must be at most {MAX_POSITIONS}")
        named: dict[ConversationId, int] = {}
        for conversation_id, sequence in positions:
            if sequence < 1:
                raise invalid_field("positions.sequence", "must be at least 1")
            await require_conversation(self._conversations, conversation_id, caller)
            last = await self._messages.last_sequence(conversation_id)
            named[conversation_id] = max(named.get(conversation_id, 0), min(sequence, last))
        return {conversation_id: sequence for conversation_id, sequence in named.items() if sequence}

    async def _report_all(self, caller: UserId, reached: Mapping[ConversationId, int]) -> None:
        await asyncio.gather(
            *(
                self._report(conversation_id, caller, DeliveryState.DELIVERED, sequence)
                for conversation_id, sequence in reached.items()
            )
        )
