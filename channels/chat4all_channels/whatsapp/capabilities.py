"""What the WhatsApp Cloud API can do.

Source: developers.facebook.com/docs/whatsapp/cloud-api.
"""

from datetime import timedelta

from chat4all_core.domain.channel import Capabilities, ChannelName
from chat4all_core.domain.delivery_state import DeliveryState

MEBIBYTE = 1 << 20

WHATSAPP = Capabilities(
    channel=ChannelName("whatsapp"),
    address_pattern=r"\+[1-9][0-9]{6,14}",
    address_example="whatsapp:+5511987654321",
    states=frozenset({DeliveryState.DELIVERED, DeliveryState.READ, DeliveryState.FAILED}),
    max_text=4_096,
    text_unit="characters",
    splits_text=True,
    max_file_bytes=100 * MEBIBYTE,
    can_begin=True,
    window=timedelta(hours=24),
)

MEDIA_CAPS = {
    "image/jpeg": ("image", 5 * MEBIBYTE),
    "image/png": ("image", 5 * MEBIBYTE),
    **dict.fromkeys(("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"), ("audio", 16 * MEBIBYTE)),
    **dict.fromkeys(("video/mp4", "video/3gpp"), ("video", 16 * MEBIBYTE)),
}
"""Type of message and largest size by MIME type; anything else is a document."""

DOCUMENT = ("document", 100 * MEBIBYTE)
