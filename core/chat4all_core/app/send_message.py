"""Use case: accept a message."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from chat4all_core.app.require_conversation import require_conversation
from chat4all_core.domain.conversation import Conversation
from chat4all_core.domain.file import Attachment
from chat4all_core.domain.ids import (
    ConversationId,
    MessageId,
    ParticipantId,
    UserId,
    message_id_for,
    parse_request_id,
    parse_uuid,
)
from chat4all_core.domain.message import AcceptedMessage, DeliveryRoute, check_content
from chat4all_core.domain.source import Source
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.event_codec import EventCodec
from chat4all_core.ports.event_log import MESSAGE_ACCEPTED, EventLog
from chat4all_core.telemetry.tracing import trace_headers


@dataclass(frozen=True, slots=True)
class NewMessage:
    """What a client asks to be sent. Empty text means that a field was left out."""

    conversation_id: str
    text: str
    request_id: str = ""
    reply_to: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    file_id: str = ""
    channels: Sequence[str] = ()
    """By which it goes to recipients' addresses besides: names, or `all`."""


@dataclass(frozen=True, slots=True)
class PendingSend:
    """A message that has its place in the log, though not yet durably."""

    message: AcceptedMessage
    durable: Awaitable[Source]
    """Nobody may be told SENT before this is done; it raises UnavailableError when that can't be had."""


class SendMessage:
    """Accepts messages: everything that can be refused is refused here, for the router never does."""

    def __init__(
        self,
        *,
        conversations: ConversationStore,
        log: EventLog,
        codec: EventCodec,
        clock: Clock,
        new_id: Callable[[], str],
        attach: Callable[[ConversationId, str], Awaitable[Attachment]],
        find_routes: Callable[[Conversation, ParticipantId, Sequence[str]], Awaitable[tuple[DeliveryRoute, ...]]],
    ) -> None:
        """`attach`: see AttachFile; `find_routes`: see FindRoutes."""
        self._conversations = conversations
        self._log = log
        self._codec = codec
        self._clock = clock
        self._new_id = new_id
        self._attach = attach
        self._find_routes = find_routes

    async def __call__(self, sender: UserId, new: NewMessage) -> AcceptedMessage:
        """Accept a message durably.

        Raises:
            InvalidArgumentError: a field is wrong.
            NotFoundError: CONVERSATION_NOT_FOUND, FILE_NOT_FOUND.
            PermissionDeniedError: NOT_A_PARTICIPANT.
            FailedPreconditionError: FILE_NOT_AVAILABLE.
            UnavailableError: the log can't take it now.
        """
        pending = await self.start(sender, new)
        await pending.durable
        return pending.message

    async def start(self, sender: UserId, new: NewMessage) -> PendingSend:
        """Give a message its place in the log without waiting for it to be durable. Messages started one after
        the other keep that order. Raises as above, but for UnavailableError."""
        check_content(new.text, new.metadata, has_file=bool(new.file_id))
        request_id = parse_request_id(new.request_id)
        reply_to = MessageId(parse_uuid("reply_to", new.reply_to)) if new.reply_to else None
        conversation = await require_conversation(self._conversations, new.conversation_id, sender)
        file = await self._attach(conversation.conversation_id, new.file_id) if new.file_id else None
        routes = await self._find_routes(conversation, sender, new.channels) if new.channels else ()
        message = AcceptedMessage(
            message_id=message_id_for(sender, conversation.conversation_id, request_id)
            if request_id
            else MessageId(self._new_id()),
            conversation_id=conversation.conversation_id,
            sender=sender,
            text=new.text,
            accepted_at=self._clock(),
            membership_version=conversation.version,
            reply_to=reply_to,
            metadata=new.metadata or None,
            file=file,
            routes=routes,
        )
        value = self._codec.encode_accepted(message)
        return PendingSend(
            message,
            self._log.append(MESSAGE_ACCEPTED, conversation.conversation_id, value, trace_headers()),
        )
