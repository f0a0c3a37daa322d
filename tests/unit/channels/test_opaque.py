"""The text that leads a report back to its delivery."""

import uuid

import pytest

from chat4all_channels.opaque import from_opaque, to_opaque
from chat4all_core.domain.ids import ConversationId, MessageId, ParticipantId
from chat4all_core.ports.provider_messages import DeliveryReference


@pytest.mark.parametrize("recipient", ["whatsapp:+5511987654321", str(uuid.uuid4())])
@pytest.mark.parametrize("is_last", [True, False])
def test_it_is_read_as_it_was_written(recipient: str, is_last: bool) -> None:
    """Every field comes back, within what channels take."""
    reference = DeliveryReference(
        ConversationId(str(uuid.uuid4())), MessageId(str(uuid.uuid4())), 2**62, ParticipantId(recipient), 3, is_last
    )
    text = to_opaque(reference)
    assert from_opaque(text) == reference
    assert text.isascii()
    assert len(text) <= 200


@pytest.mark.parametrize(
    "text", ["", "order-17", "c4a1", "c4a1:a:b:x:1:last:r", "c4a1:a:b:1:²:last:r", "c4a0:a:b:1:1:last:r"]
)
def test_what_is_not_ours_is_nothing(text: str) -> None:
    """Texts that others gave their messages are passed over."""
    assert from_opaque(text) is None
