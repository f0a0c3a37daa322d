"""People and their addresses, whom no other test knows."""

import uuid

from engine_under_test import unique

from chat4all_core.domain.channel import ChannelAddress, ChannelName
from chat4all_core.domain.ids import ParticipantId, UserId


def new_user() -> UserId:
    """Somebody with an account."""
    return UserId(ParticipantId(str(uuid.uuid4())))


def new_address(channel: str = "whatsapp") -> ChannelAddress:
    """Where somebody is reached. Stores take it, though no channel would."""
    return ChannelAddress(ChannelName(channel), unique("+55"))
