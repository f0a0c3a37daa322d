"""Pages of messages."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from chat4all.messaging.v1 import message_pb2
from chat4all.messaging.v1 import messaging_service_pb2 as pb
from chat4all_core.app.message_view import MessageView
from chat4all_core.app.read_messages import MessageRange
from chat4all_core.domain.errors import invalid_field
from chat4all_core.domain.ids import UserId
from chat4all_server.page_token import PageTokens, page_size
from chat4all_server.translate import message_to_proto

MAX_PAGE_BYTES = 2 * 1024 * 1024
"""A page ends early here, so that also the JSON made of it stays within what proxies carry."""

Read = Callable[[UserId, str, MessageRange, int], Awaitable[Sequence[MessageView]]]


class ListMessages:
    """Serves ListMessages. A page token holds the sequence of the last message of its page."""

    def __init__(self, read: Read, page_tokens: PageTokens) -> None:
        """`read`: `ReadMessages.list`."""
        self._read = read
        self._page_tokens = page_tokens

    async def __call__(self, caller: UserId, request: pb.ListMessagesRequest) -> pb.ListMessagesResponse:
        """A page.

        Raises:
            InvalidArgumentError: FIELD_INVALID, or PAGE_TOKEN_INVALID.
            NotFoundError: CONVERSATION_NOT_FOUND.
            PermissionDeniedError: NOT_A_PARTICIPANT.
        """
        size = page_size(request.page_size)
        wanted = _range(request)
        scope = ("ListMessages", caller, request.conversation_id, str(wanted.after), str(wanted.before))
        if request.page_token:
            wanted = _continued(wanted, self._page_tokens.read(request.page_token, *scope))
        # One more than the page holds tells whether there is a next one.
        found = await self._read(caller, request.conversation_id, wanted, size + 1)
        messages = _page(found[:size])
        if len(messages) == len(found):
            return pb.ListMessagesResponse(messages=messages)
        token = self._page_tokens.issue(messages[-1].sequence, *scope)
        return pb.ListMessagesResponse(messages=messages, next_page_token=token)


def _range(request: pb.ListMessagesRequest) -> MessageRange:
    for field in ("after_sequence", "before_sequence"):
        if getattr(request, field) < 0:
            raise invalid_field(field, "must not be negative")
    return MessageRange(
        after=request.after_sequence,
        before=request.before_sequence or None,
        oldest_first=request.after_sequence > 0,
    )


def _continued(wanted: MessageRange, last_sequence: int) -> MessageRange:
    if wanted.oldest_first:
        return replace(wanted, after=last_sequence)
    return replace(wanted, before=last_sequence)


def _page(found: Sequence[MessageView]) -> list[message_pb2.Message]:
    """As many as fit, at least one."""
    page: list[message_pb2.Message] = []
    size = 0
    for message in map(message_to_proto, found):
        size += message.ByteSize()
        if page and size > MAX_PAGE_BYTES:
            break
        page.append(message)
    return page
