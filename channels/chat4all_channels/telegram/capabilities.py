"""What a bot on Telegram can do.

Source: core.telegram.org/bots/api.
"""

from chat4all_core.domain.channel import Capabilities, ChannelName
from chat4all_core.domain.delivery_state import DeliveryState

MEBIBYTE = 1 << 20

TELEGRAM = Capabilities(
    channel=ChannelName("telegram"),
    address_pattern=r"-?[1-9][0-9]{0,19}",
    address_example="telegram:123456789",
    states=frozenset({DeliveryState.FAILED}),
    max_text=4_096,
    text_unit="characters",
    splits_text=True,
    max_file_bytes=50 * MEBIBYTE,
    can_begin=False,
    window=None,
)
