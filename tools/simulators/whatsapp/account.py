"""A business phone number and what it remembers."""

import hashlib
from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum

from tools.simulators.bounded import Bounded
from tools.simulators.channel import Channel
from tools.simulators.context import Context
from tools.simulators.graph.access_token import AccessToken
from tools.simulators.rate_limit import TokenBucket
from tools.simulators.traffic import Place
from tools.simulators.webhooks.sender import WebhookSender

from .callback_urls import CallbackUrls
from .events import webhook_format
from .settings import WhatsAppAccountSettings, WhatsAppSettings

_MESSAGES = 200_000
_UNREAD = 1_000


class MessageState(IntEnum):
    """How far an outgoing message came. FAILED lies below all, for a delivery may follow it."""

    FAILED = 0
    ACCEPTED = 1
    SENT = 2
    DELIVERED = 3
    READ = 4


@dataclass(slots=True)
class OutgoingMessage:
    """A message of the business."""

    id: str
    customer: str
    type: str
    opaque: str | None
    state: MessageState = MessageState.ACCEPTED


@dataclass(slots=True)
class Conversation:
    """What a number knows about one user."""

    customer: str
    name: str
    pair: TokenBucket
    last_wrote_at: float | None = None
    is_reachable: bool = True
    unread: deque[str] = field(default_factory=lambda: deque(maxlen=_UNREAD))

    @property
    def user_id(self) -> str:
        """The id by which only this business knows the user (BSUID)."""
        digest = hashlib.sha256(self.customer.encode()).hexdigest()
        return f"BR.{int(digest[:15], 16)}"


class WhatsAppAccount:
    """A number."""

    def __init__(self, settings: WhatsAppAccountSettings, service: WhatsAppSettings, context: Context) -> None:
        self.settings = settings
        self.limits = service
        self.context = context
        now = context.now()
        lifetime = settings.token_lifetime_seconds
        self.token = AccessToken(settings.access_token, now, None if lifetime is None else now + lifetime)
        self.throughput = TokenBucket(service.messages_per_second, service.burst, context.now)
        self.outgoing: Bounded[str, OutgoingMessage] = Bounded(_MESSAGES)
        self.incoming: Bounded[str, str] = Bounded(_MESSAGES)
        """Ids of messages of customers, and whose each is."""
        self.webhook: WebhookSender = context.webhook_sender(Channel.WHATSAPP, self.id, webhook_format(settings))
        self._callbacks = CallbackUrls()
        self._conversations: Bounded[str, Conversation] = Bounded(context.bounds.conversations)
        for known in settings.customers:
            conversation = self.conversation(known.id)
            conversation.name = known.name
            conversation.last_wrote_at = now

    @property
    def id(self) -> str:
        """The phone number's id."""
        return self.settings.phone_number_id

    @property
    def callbacks(self) -> CallbackUrls:
        """Where the number's events go."""
        return self._callbacks

    @callbacks.setter
    def callbacks(self, urls: CallbackUrls) -> None:
        self._callbacks = urls
        self.webhook.url = urls.nearest

    def conversation(self, customer: str) -> Conversation:
        """The conversation with a user, which may be new."""
        return self._conversations.get_or_make(customer, lambda: self._begin(customer))

    def conversation_of_user_id(self, user_id: str) -> Conversation | None:
        """The conversation with a user who is known by the business-scoped id."""
        return next((each for each in self._conversations if each.user_id == user_id), None)

    def is_open(self, conversation: Conversation) -> bool:
        """Whether the user wrote within the window."""
        wrote = conversation.last_wrote_at
        return wrote is not None and self.context.now() - wrote < self.limits.window_seconds

    def place(self, customer: str) -> Place:
        """The conversation's name in the traffic."""
        return Place(Channel.WHATSAPP, self.id, customer)

    def _begin(self, customer: str) -> Conversation:
        pair = TokenBucket(1 / self.limits.pair_interval_seconds, self.limits.pair_burst, self.context.now)
        wrote = self.context.now() if self.settings.open_to_strangers else None
        return Conversation(customer, f"+{customer}", pair, wrote)
