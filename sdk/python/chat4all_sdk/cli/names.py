"""People by their usernames or addresses on channels, conversations by their id or by whom they are with."""

from uuid import UUID

import typer

from chat4all_sdk.cli.terminal_text import printable
from chat4all_sdk.client import AsyncClient
from chat4all_sdk.errors import NotFound
from chat4all_sdk.models import Conversation, ConversationType, User

__all__ = ["NameBook", "find_conversation", "find_participants", "find_people"]


async def find_people(client: AsyncClient, names: list[str]) -> list[User]:
    """Looks people up; `@` before a name is allowed. Raises NotFound."""
    return [await client.find_user(name.removeprefix("@")) for name in names]


async def find_participants(client: AsyncClient, names: list[str]) -> list[User | str]:
    """The same, but that addresses on channels (CHANNEL:ADDRESS) stand for themselves."""
    return [name if ":" in name else (await find_people(client, [name]))[0] for name in names]


async def find_conversation(client: AsyncClient, name: str) -> str:
    """The id of a conversation; the one with @username or CHANNEL:ADDRESS is made when there is none yet."""
    if name.startswith("@") or ":" in name:
        (user,) = await find_participants(client, [name])
        return (await client.create_direct(user)).conversation_id
    try:
        return str(UUID(name))
    except ValueError:
        raise typer.BadParameter(f"{name!r} is neither a conversation's id nor @username nor CHANNEL:ADDRESS") from None


class NameBook:
    """Names to show for ids, each looked up once. All of them are safe for the terminal."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._people: dict[str, str] = {}
        self._conversations: dict[str, str] = {}
        self._me: str | None = None

    async def person(self, user_id: str) -> str:
        """The username of a user id, or the id of someone unknown; an address is its own name."""
        if ":" in user_id:
            return printable(user_id)
        if user_id not in self._people:
            try:
                name = (await self._client.get_user(user_id)).username
            except NotFound:
                name = user_id
            self._people[user_id] = printable(name)
        return self._people[user_id]

    async def conversation(self, conversation_id: str) -> str:
        """A conversation's title, @username of the other one, or its id."""
        if conversation_id not in self._conversations:
            conversation = await self._client.get_conversation(conversation_id)
            self._conversations[conversation_id] = await self._label(conversation)
        return self._conversations[conversation_id]

    async def _label(self, conversation: Conversation) -> str:
        if conversation.title:
            return printable(conversation.title)
        if conversation.type is ConversationType.DIRECT:
            self._me = self._me or (await self._client.me()).user_id
            others = [p.participant for p in conversation.participants if p.participant != self._me]
            if others:
                name = await self.person(others[0])
                return name if ":" in name else f"@{name}"
        return conversation.conversation_id
