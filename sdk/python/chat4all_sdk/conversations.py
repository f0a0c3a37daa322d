"""The calls about conversations and who takes part in them."""

from collections.abc import AsyncIterator, Iterable
from uuid import uuid4

from chat4all.messaging.v1 import conversation_pb2 as conversation_pb
from chat4all.messaging.v1 import messaging_service_pb2 as pb
from chat4all_sdk import translate
from chat4all_sdk.calls import Calls
from chat4all_sdk.connection import ATTEMPT_TIMEOUT
from chat4all_sdk.models import Conversation, Page, Role, User
from chat4all_sdk.paging import items_of_pages
from chat4all_sdk.retry import idempotent

__all__ = ["ConversationCalls"]


class ConversationCalls(Calls):
    """Conversations and their participants. People are named by a User, by their user id, or by their address on a
    channel, such as `whatsapp:+5511987654321`."""

    async def create_direct(self, user: User | str) -> Conversation:
        """The conversation between the caller and one other; made when there is none yet."""
        return await self._create(
            pb.CreateConversationRequest(
                type=conversation_pb.ConversationType.DIRECT,
                participants=[_user_id(user)],
                request_id=str(uuid4()),
            )
        )

    async def create_group(
        self, title: str, users: Iterable[User | str] = (), *, request_id: str | None = None
    ) -> Conversation:
        """A new conversation of the caller, its admin, with others.

        Repeating a `request_id` (a UUID) gives the same conversation.
        """
        return await self._create(
            pb.CreateConversationRequest(
                type=conversation_pb.ConversationType.GROUP,
                participants=[_user_id(user) for user in users],
                title=title,
                request_id=request_id or str(uuid4()),
            )
        )

    async def get_conversation(self, conversation_id: str) -> Conversation:
        """A conversation with its participants. Raises NotFound, PermissionDenied."""
        request = pb.GetConversationRequest(conversation_id=conversation_id)
        response = await self._connection.call(self._connection.messaging.GetConversation, request)
        return translate.conversation(response.conversation)

    async def list_conversations(self, page_size: int = 50, page_token: str = "") -> Page[Conversation]:
        """A page of the caller's conversations, newest activity first. `page_size` is 1 to 100."""
        request = pb.ListConversationsRequest(page_size=page_size, page_token=page_token)
        response = await self._connection.call(self._connection.messaging.ListConversations, request)
        items = tuple(translate.conversation(c) for c in response.conversations)
        return Page(items, response.next_page_token)

    def conversations(self, page_size: int = 50) -> AsyncIterator[Conversation]:
        """All of the caller's conversations, newest activity first, loaded page by page."""
        return items_of_pages(lambda token: self.list_conversations(page_size, token))

    async def add_participants(self, conversation_id: str, users: Iterable[User | str]) -> Conversation:
        """Adds people to a group. Raises PermissionDenied, NotFound, FailedPrecondition."""
        request = pb.AddParticipantsRequest(
            conversation_id=conversation_id, participants=[_user_id(user) for user in users]
        )
        response = await self._connection.call(self._connection.messaging.AddParticipants, request)
        return translate.conversation(response.conversation)

    async def remove_participant(self, conversation_id: str, user: User | str) -> None:
        """Removes someone from a group: admins anyone but the creator, everyone else themselves."""
        request = pb.RemoveParticipantRequest(conversation_id=conversation_id, participant=_user_id(user))
        await self._connection.call(self._connection.messaging.RemoveParticipant, request)

    async def set_role(self, conversation_id: str, user: User | str, role: Role) -> Conversation:
        """Sets what a participant of a group may do."""
        request = pb.SetParticipantRoleRequest(
            conversation_id=conversation_id, participant=_user_id(user), role=translate.role_number(role)
        )
        response = await self._connection.call(self._connection.messaging.SetParticipantRole, request)
        return translate.conversation(response.conversation)

    async def _create(self, request: pb.CreateConversationRequest) -> Conversation:
        response = await self._connection.call(
            self._connection.messaging.CreateConversation,
            request,
            rule=idempotent,
            attempt_timeout=ATTEMPT_TIMEOUT,
        )
        return translate.conversation(response.conversation)


def _user_id(user: User | str) -> str:
    return user if isinstance(user, str) else user.user_id
