"""What messaging on Instagram can do.

Source: developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api.
"""

from datetime import timedelta

from chat4all_core.domain.channel import Capabilities, ChannelName
from chat4all_core.domain.delivery_state import DeliveryState

MEBIBYTE = 1 << 20

INSTAGRAM = Capabilities(
    channel=ChannelName("instagram"),
    address_pattern=r"[0-9]{1,32}",
    address_example="instagram:6789012345678901",
    states=frozenset({DeliveryState.READ, DeliveryState.FAILED}),
    max_text=1_000,
    text_unit="bytes",
    splits_text=True,
    max_file_bytes=25 * MEBIBYTE,
    can_begin=False,
    window=timedelta(hours=24),
)

MEDIA_CAPS = {"image": 8 * MEBIBYTE, "audio": 25 * MEBIBYTE, "video": 25 * MEBIBYTE, "application": 25 * MEBIBYTE}
"""Largest size by the first half of the MIME type."""

ATTACHMENT_TYPES = {"image": "image", "audio": "audio", "video": "video", "application": "file"}
