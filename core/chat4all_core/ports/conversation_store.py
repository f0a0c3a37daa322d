"""Where conversations and their participants lie."""

from collections.abc import Sequence
from typing import Protocol

from chat4all_core.domain.conversation import Conversation, MembershipChange
from chat4all_core.domain.ids import ConversationId, UserId


class ConversationStore(Protocol):
    """Conversations are versioned: every change of participants is conditional on the version it was
    decided on, so that a version means one set of participants for ever."""

    async def create(self, conversation: Conversation) -> Conversation:
        """Store a conversation unless its id is taken; the one that is stored afterwards is returned."""
        ...

    async def get(self, conversation_id: ConversationId, at_least_version: int = 0) -> Conversation | None:
        """A conversation, or None. It may be a little old (by at most a second), but not older than
        `at_least_version`."""
        ...

    async def get_many(self, conversation_ids: Sequence[ConversationId]) -> Sequence[Conversation]:
        """Those that exist, in the order asked for."""
        ...

    async def change_membership(
        self, conversation_id: ConversationId, version: int, change: MembershipChange
    ) -> Conversation | None:
        """Apply a change to exactly this version, making version + 1; None when the conversation has another
        version by now (read it again and decide anew)."""
        ...

    async def conversations_of(self, user_id: UserId) -> Sequence[ConversationId]:
        """All conversations that a user takes part in, each once, in no order. Those that the user has left may be
        among them, and ones that do not exist."""
        ...
