"""What follows every change of a conversation's participants."""

from collections.abc import Sequence

from chat4all_core.domain.conversation import Conversation
from chat4all_core.domain.ids import UserId
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.event_codec import EventCodec, MembershipChanged
from chat4all_core.ports.event_log import STATUS_UPDATED, EventLog
from chat4all_core.ports.user_stream import UserStream
from chat4all_core.telemetry.tracing import trace_headers


class AnnounceMembership:
    """Lets people find a conversation that they have joined, and tells all of its participants."""

    def __init__(self, *, streams: UserStream, log: EventLog, codec: EventCodec, clock: Clock) -> None:
        self._streams = streams
        self._log = log
        self._codec = codec
        self._clock = clock

    async def __call__(self, conversation: Conversation, joined: Sequence[UserId]) -> None:
        """Announce the conversation's version. Doing it again is harmless: clients see the version again."""
        await self.introduce(conversation, joined)
        change = MembershipChanged(conversation.conversation_id, conversation.version, self._clock())
        await self._log.append(
            STATUS_UPDATED, conversation.conversation_id, self._codec.encode_status(change), trace_headers()
        )

    async def introduce(self, conversation: Conversation, joined: Sequence[UserId]) -> None:
        """Put the conversation into the lists of those who have joined."""
        if joined:
            await self._streams.introduce(joined, conversation.conversation_id)
