"""The calls about messages."""

from collections.abc import AsyncIterator, Iterable, Mapping
from uuid import uuid4

from chat4all.messaging.v1 import messaging_service_pb2 as pb
from chat4all_sdk import translate
from chat4all_sdk.calls import Calls
from chat4all_sdk.connection import ATTEMPT_TIMEOUT
from chat4all_sdk.models import Message, Page, SentMessage
from chat4all_sdk.paging import items_of_pages
from chat4all_sdk.retry import idempotent
from chat4all_sdk.send_stream import SendStream

__all__ = ["MessageCalls"]


class MessageCalls(Calls):
    """Messages: send, look up, list, mark."""

    async def send(
        self,
        conversation_id: str,
        text: str = "",
        *,
        file_id: str | None = None,
        request_id: str | None = None,
        reply_to: str | None = None,
        metadata: Mapping[str, str] | None = None,
        channels: Iterable[str] = (),
    ) -> SentMessage:
        """Sends a message with a text, a file of the conversation (see `upload`), or both.

        Returns once it is durable.
        `request_id` (a UUID, made up when left out) names the send: however often it is repeated, here
        or by a later call with the same one, one message is stored. `channels` (names, or "all"):
        recipients get it also at the address that they have linked last on each of them. Raises
        InvalidArgument, NotFound, PermissionDenied, Unavailable.
        """
        request_id = request_id or str(uuid4())
        request = pb.SendMessageRequest(
            conversation_id=conversation_id,
            text=text,
            file_id=file_id or "",
            request_id=request_id,
            reply_to=reply_to or "",
            metadata=metadata,
            channels=channels,
        )
        response = await self._connection.call(
            self._connection.messaging.SendMessage,
            request,
            rule=idempotent,
            attempt_timeout=ATTEMPT_TIMEOUT,
        )
        return translate.sent(response, request_id)

    def send_stream(self, *, window: int = 256) -> SendStream:
        """A stream for many sends, at most `window` of them unanswered. Use it with `async with`."""
        stream = SendStream(self._connection, window=window)
        self._connection.streams.add(stream)
        return stream

    async def get_message(self, message_id: str) -> Message:
        """A message with each recipient's state and the history. Marks it delivered to the caller."""
        request = pb.GetMessageRequest(message_id=message_id)
        response = await self._connection.call(self._connection.messaging.GetMessage, request)
        return translate.message(response.message)

    async def list_messages(
        self,
        conversation_id: str,
        page_size: int = 50,
        page_token: str = "",
        *,
        after_sequence: int = 0,
        before_sequence: int = 0,
    ) -> Page[Message]:
        """A page of messages, newest first; oldest first when `after_sequence` is 1 or more.

        Listing marks them delivered to the caller. `page_size` is 1 to 100; a sequence of 0 is no limit.
        """
        request = pb.ListMessagesRequest(
            conversation_id=conversation_id,
            page_size=page_size,
            page_token=page_token,
            after_sequence=after_sequence,
            before_sequence=before_sequence,
        )
        response = await self._connection.call(self._connection.messaging.ListMessages, request)
        return Page(tuple(translate.message(m) for m in response.messages), response.next_page_token)

    def messages(
        self,
        conversation_id: str,
        *,
        after_sequence: int = 0,
        before_sequence: int = 0,
        page_size: int = 100,
    ) -> AsyncIterator[Message]:
        """Messages of a conversation in the order of `list_messages`, loaded page by page."""
        return items_of_pages(
            lambda token: self.list_messages(
                conversation_id,
                page_size,
                token,
                after_sequence=after_sequence,
                before_sequence=before_sequence,
            )
        )

    async def mark_read(self, message_id: str) -> None:
        """Marks the conversation's messages up to and including this one as read by the caller."""
        request = pb.MarkReadRequest(message_id=message_id)
        await self._connection.call(self._connection.messaging.MarkRead, request, rule=idempotent)

    async def mark_delivered(self, message_id: str) -> None:
        """Marks the messages up to and including this one as delivered, for programs that don't subscribe."""
        request = pb.MarkDeliveredRequest(message_id=message_id)
        await self._connection.call(self._connection.messaging.MarkDelivered, request, rule=idempotent)
