"""The log's values about channels, as Protobuf."""

from collections.abc import Iterable

from chat4all.events.v1 import events_pb2
from chat4all_core.domain.channel import ChannelAddress, ChannelName, ProviderId
from chat4all_core.domain.delivery import DeliveryEvidence, DeliveryFailure
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.ids import ConversationId, MessageId, ParticipantId, UserId
from chat4all_core.domain.message import DeliveryRoute
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.event_codec import UndecodableError


def set_route(field: events_pb2.DeliveryRoute, recipient: ParticipantId, to: ChannelAddress) -> None:
    """Fill in whom and where."""
    field.recipient, field.channel, field.address = recipient, to.channel, to.address


def routes(fields: Iterable[events_pb2.DeliveryRoute]) -> tuple[DeliveryRoute, ...]:
    """The routes of an accepted message."""
    return tuple(DeliveryRoute(UserId(ParticipantId(f.recipient)), address(f)) for f in fields)


def address(field: events_pb2.DeliveryRoute) -> ChannelAddress:
    """Where a route leads."""
    return ChannelAddress(ChannelName(field.channel), field.address)


def set_evidence(field: events_pb2.DeliveryEvidence, evidence: DeliveryEvidence) -> None:
    """Fill in what is not in the status around it."""
    field.message_id = evidence.message_id
    field.sequence = evidence.sequence
    field.recipient = evidence.recipient
    field.channel = evidence.channel
    field.state = int(evidence.state)
    field.attempt = evidence.attempt
    field.provider_id = evidence.provider_id or ""
    if evidence.failure:
        field.failure_code = evidence.failure.code
        field.failure_reason = evidence.failure.reason
        field.failure_remedy = evidence.failure.remedy


def evidence(conversation_id: ConversationId, time: Timestamp, field: events_pb2.DeliveryEvidence) -> DeliveryEvidence:
    """The reverse.

    Raises:
        UndecodableError: a state that this release does not know.
    """
    try:
        state = DeliveryState(field.state)
    except ValueError as error:
        raise UndecodableError(f"a delivery in state {field.state}") from error
    failed = state is DeliveryState.FAILED
    return DeliveryEvidence(
        conversation_id=conversation_id,
        message_id=MessageId(field.message_id),
        sequence=field.sequence,
        recipient=ParticipantId(field.recipient),
        channel=ChannelName(field.channel),
        state=state,
        time=time,
        attempt=field.attempt,
        failure=DeliveryFailure(field.failure_code, field.failure_reason, field.failure_remedy) if failed else None,
        provider_id=ProviderId(field.provider_id) if field.provider_id else None,
    )
