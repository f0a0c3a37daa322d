"""A professional account and what it remembers."""

import hmac
from collections import deque
from dataclasses import dataclass, field

from tools.simulators.bounded import Bounded
from tools.simulators.channel import Channel
from tools.simulators.context import Context
from tools.simulators.graph.access_token import AccessToken, expired_token
from tools.simulators.rate_limit import TokenBucket
from tools.simulators.traffic import Place
from tools.simulators.webhooks.sender import WebhookSender

from .events import webhook_format
from .settings import InstagramAccountSettings, InstagramSettings

_MESSAGES = 200_000
_UNREAD = 1_000
_TOKENS = 10


@dataclass(slots=True)
class Conversation:
    """What an account knows about one person."""

    customer: str
    name: str
    last_wrote_at: float
    is_reachable: bool = True
    unread: deque[str] = field(default_factory=lambda: deque(maxlen=_UNREAD))


@dataclass(slots=True)
class Message:
    """A message of either side."""

    id: str
    customer: str
    is_own: bool
    """Whether the account sent it."""
    edits: int = 0


class InstagramAccount:
    """An account."""

    def __init__(self, settings: InstagramAccountSettings, service: InstagramSettings, context: Context) -> None:
        self.settings = settings
        self.service = service
        self.context = context
        now = context.now()
        self.token = AccessToken(settings.access_token, now, now + settings.token_lifetime_seconds)
        self.texts = TokenBucket(service.text_calls_per_second, service.text_calls_per_second, context.now)
        self.media = TokenBucket(service.media_calls_per_second, service.media_calls_per_second, context.now)
        self.messages: Bounded[str, Message] = Bounded(_MESSAGES)
        self.webhook: WebhookSender = context.webhook_sender(Channel.INSTAGRAM, self.id, webhook_format(settings))
        self._older_tokens: deque[AccessToken] = deque(maxlen=_TOKENS)
        self._conversations: Bounded[str, Conversation] = Bounded(context.bounds.conversations)
        for known in settings.customers:
            self.begin(known.id).name = known.name

    @property
    def id(self) -> str:
        """The account's id."""
        return self.settings.instagram_id

    def conversation(self, customer: str) -> Conversation | None:
        """The conversation with a person; None when the account can't know that there is such a person."""
        found = self._conversations.get(customer)
        if found is None and self.settings.open_to_strangers and customer.isdigit():
            return self.begin(customer)
        return found

    def begin(self, customer: str) -> Conversation:
        """The conversation with a person who writes."""
        conversation = self._conversations.get_or_make(
            customer, lambda: Conversation(customer, f"user{customer[-6:]}", self.context.now())
        )
        conversation.last_wrote_at = self.context.now()
        return conversation

    def is_open(self, conversation: Conversation, is_agent: bool) -> bool:
        """Whether the person wrote within the window, which is longer for what a human wrote."""
        window = self.service.agent_window_seconds if is_agent else self.service.window_seconds
        return self.context.now() - conversation.last_wrote_at < window

    def replace_token(self, token: AccessToken) -> None:
        """Give out a new token; the old one stays good until its time is over."""
        self._older_tokens.append(self.token)
        self.token = token

    def revoke_tokens(self, token: AccessToken) -> None:
        """Make a token the only one."""
        self._older_tokens.clear()
        self.token = token

    def find_token(self, value: str) -> AccessToken | None:
        """The token with this value, if the account has it.

        Raises:
            GraphError: 190, it expired.
        """
        for token in (self.token, *self._older_tokens):
            if hmac.compare_digest(token.value.encode(), value.encode()):
                now = self.context.now()
                if token.is_expired(now):
                    raise expired_token(token.expires_at or now, now)
                return token
        return None

    def place(self, customer: str) -> Place:
        """The conversation's name in the traffic."""
        return Place(Channel.INSTAGRAM, self.id, customer)
