"""A bot and what it remembers."""

import itertools
from dataclasses import dataclass, field

from tools.simulators.bounded import Bounded
from tools.simulators.channel import Channel
from tools.simulators.context import Context
from tools.simulators.json_value import JsonObject
from tools.simulators.rate_limit import TokenBucket
from tools.simulators.traffic import Place

from .settings import TelegramBotSettings, TelegramSettings
from .updates import UpdateQueue

_MESSAGES_PER_CHAT = 1_000
_GROUP_FLOOD = 20.0
_QUEUE = 100_000


@dataclass(slots=True)
class Chat:
    """A chat with a person, or with a group when its id is negative."""

    id: int
    name: str
    bucket: TokenBucket
    is_reachable: bool = True
    messages: Bounded[int, JsonObject] = field(default_factory=lambda: Bounded(_MESSAGES_PER_CHAT))

    def json(self) -> JsonObject:
        """The chat as messages name it."""
        if self.id < 0:
            return {"id": self.id, "type": "supergroup", "title": self.name}
        return {"id": self.id, "type": "private", "first_name": self.name}

    def person(self) -> JsonObject:
        """Who writes in it."""
        return {"id": abs(self.id), "is_bot": False, "first_name": self.name, "language_code": "pt-br"}


class Bot:
    """A bot."""

    def __init__(self, settings: TelegramBotSettings, service: TelegramSettings, context: Context) -> None:
        self.settings = settings
        self.service = service
        self.context = context
        self.token = settings.token
        self.expires_at: float | None = None
        self.overall = TokenBucket(service.messages_per_second, service.messages_per_second, context.now)
        self.updates = UpdateQueue(_QUEUE, service.update_lifetime_seconds, context.now)
        self._message_ids = itertools.count(1)
        self._chats: Bounded[int, Chat] = Bounded(context.bounds.conversations)
        for known in settings.customers:
            self.begin(int(known.id)).name = known.name

    @property
    def id(self) -> str:
        """The number before the token's colon."""
        return self.settings.token.partition(":")[0]

    def takes(self, token: str) -> bool:
        """Whether a token is the bot's, and still good."""
        return token == self.token and (self.expires_at is None or self.expires_at > self.context.now())

    def chat(self, chat_id: int) -> Chat | None:
        """A chat that the bot knows: somebody wrote to it there."""
        found = self._chats.get(chat_id)
        if found is None and self.settings.open_to_strangers:
            return self.begin(chat_id)
        return found

    def begin(self, chat_id: int) -> Chat:
        """The chat, which may be new."""
        return self._chats.get_or_make(chat_id, lambda: Chat(chat_id, f"User {chat_id}", self._bucket(chat_id)))

    def next_message_id(self) -> int:
        """The id of the next message."""
        return next(self._message_ids)

    def user(self) -> JsonObject:
        """The bot as messages name it."""
        settings = self.settings
        return {
            "id": int(self.id),
            "is_bot": True,
            "first_name": settings.first_name,
            "username": settings.username,
        }

    def place(self, chat: Chat) -> Place:
        """The chat's name in the traffic."""
        return Place(Channel.TELEGRAM, self.id, str(chat.id))

    def _bucket(self, chat_id: int) -> TokenBucket:
        service = self.service
        if chat_id < 0:
            return TokenBucket(service.group_messages_per_minute / 60, _GROUP_FLOOD, self.context.now)
        return TokenBucket(service.chat_messages_per_second, service.chat_burst, self.context.now)
