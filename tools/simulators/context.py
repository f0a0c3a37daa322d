"""What the simulated services share."""

from dataclasses import dataclass

import aiohttp

from .accepted_log import AcceptedLog, AcceptedMessage
from .channel import Channel
from .clock import Now
from .faults import Faults
from .media_store import MediaFacts, MediaStore
from .refusals import Refusals
from .settings import Bounds
from .timers import Timers
from .traffic import Direction, Place, Traffic
from .webhooks.delivery import Deliveries
from .webhooks.policy import PolicyInForce
from .webhooks.sender import Format, WebhookSender


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that isn't one service's own."""

    now: Now
    base_url: str
    """Where the simulators are reached."""
    bounds: Bounds
    policy: PolicyInForce
    faults: Faults
    accepted: AcceptedLog
    refusals: Refusals
    traffic: Traffic
    media: MediaStore
    timers: Timers
    session: aiohttp.ClientSession
    deliveries: Deliveries

    def webhook_sender(self, channel: Channel, account: str, format: Format) -> WebhookSender:
        """The queue of one account's webhook."""
        return WebhookSender(
            channel,
            account,
            format,
            self.policy,
            self.session,
            self.faults,
            self.deliveries,
            self.timers,
            self.now,
        )

    def note_accepted(
        self,
        place: Place,
        message_id: str,
        type: str,
        text: str,
        *,
        opaque: str | None = None,
        reply_to: str | None = None,
        media: MediaFacts | None = None,
        media_id: str | None = None,
        answered: bool = True,
    ) -> AcceptedMessage:
        """Write a message that the customer gets to the log and to the conversation."""
        message = AcceptedMessage(
            position=self.accepted.next_position(),
            channel=place.channel,
            account=place.account,
            recipient=place.customer,
            message_id=message_id,
            type=type,
            text=text,
            opaque=opaque,
            reply_to=reply_to,
            media=media,
            accepted_at=self.now(),
            answered=answered,
        )
        self.accepted.append(message)
        self.traffic.add(
            message.accepted_at, place, Direction.BUSINESS, type, message_id=message_id, text=text, media_id=media_id
        )
        return message
