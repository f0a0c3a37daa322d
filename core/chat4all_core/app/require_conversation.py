"""What nearly every use case begins with: a conversation that the caller takes part in."""

from chat4all_core.domain.conversation import Conversation
from chat4all_core.domain.errors import NotFoundError, Reason, invalid_field
from chat4all_core.domain.ids import ConversationId, UserId
from chat4all_core.ports.conversation_store import ConversationStore


async def require_conversation(conversations: ConversationStore, conversation_id: str, caller: UserId) -> Conversation:
    """The conversation.

    Raises:
        InvalidArgumentError: no id was given.
        NotFoundError: CONVERSATION_NOT_FOUND.
        PermissionDeniedError: NOT_A_PARTICIPANT.
    """
    if not conversation_id:
        raise invalid_field("conversation_id", "must not be empty")
    conversation = await conversations.get(ConversationId(conversation_id))
    if conversation is None:
        raise NotFoundError(
            Reason.CONVERSATION_NOT_FOUND,
            "there is no such conversation",
            {"conversation_id": conversation_id},
        )
    conversation.require_participant(caller)
    return conversation
