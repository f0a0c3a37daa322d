"""chat4all.messaging.v1.MessagingService."""

from collections.abc import AsyncIterable

from prometheus_client import Counter

from chat4all.messaging.v1 import messaging_service_pb2 as pb
from chat4all.messaging.v1 import messaging_service_pb2_grpc as grpc_pb
from chat4all_core.app.change_participants import ChangeParticipants
from chat4all_core.app.create_conversation import CreateConversation
from chat4all_core.app.mark_messages import MarkMessages
from chat4all_core.app.read_conversations import ReadConversations
from chat4all_core.app.read_messages import ReadMessages
from chat4all_core.app.send_message import SendMessage
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_server.interceptors.authentication import caller
from chat4all_server.interceptors.interceptor import Context
from chat4all_server.page_token import PageTokens, page_size
from chat4all_server.services.file_links import MakeLink, add_links
from chat4all_server.services.list_messages import ListMessages
from chat4all_server.services.page_room import PageRoom
from chat4all_server.services.send_message_stream import SendMessageStream
from chat4all_server.translate import (
    accepted_to_proto,
    conversation_to_proto,
    conversation_type_from_proto,
    listed_conversation_to_proto,
    message_details_to_proto,
    new_message_from_proto,
    role_from_proto,
)


class MessagingService(grpc_pb.MessagingServiceServicer):
    """Conversations and their messages."""

    def __init__(
        self,
        *,
        create_conversation: CreateConversation,
        read_conversations: ReadConversations,
        change_participants: ChangeParticipants,
        send_message: SendMessage,
        send_message_stream: SendMessageStream,
        read_messages: ReadMessages,
        mark_messages: MarkMessages,
        page_tokens: PageTokens,
        accepted: Counter,
        make_link: MakeLink,
    ) -> None:
        self._create_conversation = create_conversation
        self._read_conversations = read_conversations
        self._change_participants = change_participants
        self._send_message = send_message
        self._send_message_stream = send_message_stream
        self._read_messages = read_messages
        self._room = PageRoom()
        self._list_messages = ListMessages(read_messages, page_tokens, make_link, self._room)
        self._make_link = make_link
        self._mark_messages = mark_messages
        self._page_tokens = page_tokens
        self._accepted = accepted

    async def CreateConversation(
        self, request: pb.CreateConversationRequest, context: Context
    ) -> pb.CreateConversationResponse:
        """See the contract."""
        user_id = caller().user_id
        conversation = await self._create_conversation(
            user_id,
            conversation_type_from_proto(request.type),
            list(request.participants),
            request.title,
            request.request_id,
        )
        view = await self._read_conversations.view(user_id, conversation)
        return pb.CreateConversationResponse(conversation=conversation_to_proto(view))

    async def GetConversation(self, request: pb.GetConversationRequest, context: Context) -> pb.GetConversationResponse:
        """See the contract."""
        view = await self._read_conversations.get(caller().user_id, request.conversation_id)
        return pb.GetConversationResponse(conversation=conversation_to_proto(view))

    async def ListConversations(
        self, request: pb.ListConversationsRequest, context: Context
    ) -> pb.ListConversationsResponse:
        """See the contract. A page token holds the activity below which the next page begins."""
        user_id = caller().user_id
        scope = ("ListConversations", user_id)
        before = self._page_tokens.read(request.page_token, *scope) if request.page_token else None
        async with self._room.making(user_id, context):
            page = await self._read_conversations.list(user_id, page_size(request.page_size), before)
        return pb.ListConversationsResponse(
            conversations=map(listed_conversation_to_proto, page.items),
            next_page_token="" if page.next_before is None else self._page_tokens.issue(page.next_before, *scope),
        )

    async def AddParticipants(self, request: pb.AddParticipantsRequest, context: Context) -> pb.AddParticipantsResponse:
        """See the contract."""
        user_id = caller().user_id
        conversation = await self._change_participants.add(user_id, request.conversation_id, list(request.participants))
        view = await self._read_conversations.view(user_id, conversation)
        return pb.AddParticipantsResponse(conversation=conversation_to_proto(view))

    async def RemoveParticipant(
        self, request: pb.RemoveParticipantRequest, context: Context
    ) -> pb.RemoveParticipantResponse:
        """See the contract."""
        await self._change_participants.remove(caller().user_id, request.conversation_id, request.participant)
        return pb.RemoveParticipantResponse()

    async def SetParticipantRole(
        self, request: pb.SetParticipantRoleRequest, context: Context
    ) -> pb.SetParticipantRoleResponse:
        """See the contract."""
        user_id = caller().user_id
        conversation = await self._change_participants.set_role(
            user_id, request.conversation_id, request.participant, role_from_proto(request.role)
        )
        view = await self._read_conversations.view(user_id, conversation)
        return pb.SetParticipantRoleResponse(conversation=conversation_to_proto(view))

    async def SendMessage(self, request: pb.SendMessageRequest, context: Context) -> pb.SendMessageResponse:
        """See the contract."""
        message = await self._send_message(caller().user_id, new_message_from_proto(request))
        self._accepted.inc()
        return accepted_to_proto(message)

    async def SendMessageStream(  # type: ignore[override]  # it writes to the context instead of yielding
        self, request_iterator: AsyncIterable[pb.SendMessageStreamRequest], context: Context
    ) -> None:
        """See the contract."""
        await self._send_message_stream(caller(), request_iterator, context)

    async def GetMessage(self, request: pb.GetMessageRequest, context: Context) -> pb.GetMessageResponse:
        """See the contract."""
        details = await self._read_messages.get(caller().user_id, request.message_id)
        message = message_details_to_proto(details)
        await add_links([message], self._make_link)
        return pb.GetMessageResponse(message=message)

    async def ListMessages(self, request: pb.ListMessagesRequest, context: Context) -> pb.ListMessagesResponse:
        """See the contract."""
        return await self._list_messages(caller().user_id, request, context)

    async def MarkRead(self, request: pb.MarkReadRequest, context: Context) -> pb.MarkReadResponse:
        """See the contract."""
        await self._mark_messages(caller().user_id, request.message_id, DeliveryState.READ)
        return pb.MarkReadResponse()

    async def MarkDelivered(self, request: pb.MarkDeliveredRequest, context: Context) -> pb.MarkDeliveredResponse:
        """See the contract."""
        await self._mark_messages(caller().user_id, request.message_id, DeliveryState.DELIVERED)
        return pb.MarkDeliveredResponse()
