"""Which delivery a report is about, as a text that goes with a message and comes back with every report on it."""

from chat4all_core.domain.ids import ConversationId, MessageId, ParticipantId
from chat4all_core.ports.provider_messages import DeliveryReference

_FORM = "c4a1"
_FIELDS = 7


def to_opaque(reference: DeliveryReference) -> str:
    """At most 200 characters of ASCII."""
    fields = (
        _FORM,
        reference.conversation_id,
        reference.message_id,
        str(reference.sequence),
        str(reference.attempt),
        "last" if reference.is_last else "part",
        reference.recipient,  # last, for it may hold a colon
    )
    return ":".join(fields)


def from_opaque(text: str) -> DeliveryReference | None:
    """The reverse; None for a text that is not ours."""
    fields = text.split(":", _FIELDS - 1)
    if len(fields) != _FIELDS or fields[0] != _FORM or not (fields[3].isdecimal() and fields[4].isdecimal()):
        return None
    _, conversation_id, message_id, sequence, attempt, last, recipient = fields
    return DeliveryReference(
        conversation_id=ConversationId(conversation_id),
        message_id=MessageId(message_id),
        sequence=int(sequence),
        recipient=ParticipantId(recipient),
        attempt=int(attempt),
        is_last=last == "last",
    )
