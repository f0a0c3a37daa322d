"""Use case: remember which delivery a message of a channel is, once the channel has given it an id."""

from chat4all_channels.channel import ChannelAccount
from chat4all_core.domain.channel import ProviderId
from chat4all_core.domain.delivery import Delivery
from chat4all_core.ports.event_log import CHANNEL_RECEIVED, EventLog
from chat4all_core.ports.provider_messages import DeliveryReference, ProviderMessage, ProviderMessages
from chat4all_workers.delivery.patience import persist


class RecordAccepted:
    """To be done before the delivery is settled, so that a settlement says that it is done."""

    def __init__(self, provider_messages: ProviderMessages, log: EventLog) -> None:
        self._provider_messages = provider_messages
        self._log = log

    async def __call__(
        self, account: ChannelAccount, delivery: Delivery, provider_id: ProviderId, *, is_last: bool
    ) -> None:
        """Reports that came before this moment go the way again that they came; later ones find the delivery."""
        message = ProviderMessage(delivery.to.channel, account.account_id, provider_id)
        reference = reference_of(delivery, is_last=is_last)
        parked = await persist(self._provider_messages.put, message, reference)
        for report in parked:
            await persist(self._log.append, CHANNEL_RECEIVED, delivery.to.participant, report)
        if parked:
            await persist(self._provider_messages.forget_parked, message)


def reference_of(delivery: Delivery, *, is_last: bool) -> DeliveryReference:
    """What leads back to a delivery from one of its parts."""
    return DeliveryReference(
        conversation_id=delivery.conversation_id,
        message_id=delivery.message_id,
        sequence=delivery.sequence,
        recipient=delivery.recipient,
        attempt=delivery.attempt,
        is_last=is_last,
    )
