"""Pages of messages."""

from dataclasses import replace

from chat4all.messaging.v1 import messaging_service_pb2 as pb
from chat4all_core.app.read_messages import MessageRange, ReadMessages
from chat4all_core.domain.errors import invalid_field
from chat4all_core.domain.ids import UserId
from chat4all_server.interceptors.interceptor import Context
from chat4all_server.page_token import PageTokens, page_size
from chat4all_server.services.file_links import MakeLink, add_links
from chat4all_server.services.page_room import PageRoom
from chat4all_server.translate import message_to_proto


class ListMessages:
    """Serves ListMessages. A page token holds the sequence of the last message of its page."""

    def __init__(
        self, read_messages: ReadMessages, page_tokens: PageTokens, make_link: MakeLink, room: PageRoom
    ) -> None:
        self._read_messages = read_messages
        self._page_tokens = page_tokens
        self._make_link = make_link
        self._room = room

    async def __call__(
        self, caller: UserId, request: pb.ListMessagesRequest, context: Context
    ) -> pb.ListMessagesResponse:
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
        async with self._room.making(caller, context):
            page = await self._read_messages.list(caller, request.conversation_id, wanted, size)
            messages = [message_to_proto(item) for item in page.items]
            await add_links(messages, self._make_link)
        return pb.ListMessagesResponse(
            messages=messages,
            next_page_token=self._page_tokens.issue(page.items[-1].stored.sequence, *scope) if page.more else "",
        )


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
