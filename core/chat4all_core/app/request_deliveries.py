"""Messages on their way to the connectors of channels."""

import asyncio
from collections.abc import Collection, Iterable, Iterator

from chat4all_core.domain.channel import ChannelAddress
from chat4all_core.domain.delivery import Delivery, delivery_id_for
from chat4all_core.domain.ids import ParticipantId
from chat4all_core.domain.message import StoredMessage
from chat4all_core.domain.source import Source
from chat4all_core.ports.event_codec import EventCodec
from chat4all_core.ports.event_log import EventLog, delivery_requested
from chat4all_core.telemetry.tracing import trace_headers

_AT_ONCE = 500
"""Requests under way: a message to a large group must not fill the log's queue, at which it refuses everyone."""


class RequestDeliveries:
    """Appends deliveries to the log, for the connector of each one's channel."""

    def __init__(self, *, log: EventLog, codec: EventCodec) -> None:
        self._log = log
        self._codec = codec

    async def __call__(self, deliveries: Iterable[Delivery]) -> None:
        """Ask for deliveries, durably. Those to one address keep their order, also when it is called again after an
        error; asking again for the same ones is harmless, for the connector knows them by their ids.

        Raises:
            UnavailableError: perhaps not all of them were asked for.
        """
        pending: list[asyncio.Future[Source]] = []
        for delivery in deliveries:
            request = asyncio.ensure_future(
                self._log.append(
                    delivery_requested(delivery.to.channel),
                    delivery.to.address,
                    self._codec.encode_delivery(delivery),
                    trace_headers(),
                )
            )
            if request.done():
                await request  # it was refused: the next ones must not overtake it
            pending.append(request)
            if len(pending) == _AT_ONCE:
                await asyncio.gather(*pending)
                pending.clear()
        await asyncio.gather(*pending)


def deliveries_of(stored: StoredMessage, addresses: Collection[ChannelAddress]) -> Iterator[Delivery]:
    """The deliveries that a message asks for: to its recipients who are addresses, and by its routes."""
    for address in addresses:
        yield _delivery(stored, address.participant, address)
    for route in stored.message.routes:
        yield _delivery(stored, route.recipient, route.to)


def _delivery(stored: StoredMessage, recipient: ParticipantId, to: ChannelAddress) -> Delivery:
    message = stored.message
    return Delivery(
        delivery_id=delivery_id_for(message.message_id, recipient, to),
        conversation_id=message.conversation_id,
        message_id=message.message_id,
        sequence=stored.sequence,
        sender=message.sender,
        recipient=recipient,
        to=to,
        text=message.text,
        accepted_at=message.accepted_at,
        file=message.file,
        reply_to=message.reply_to,
    )
