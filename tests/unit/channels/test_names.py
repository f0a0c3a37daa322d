"""The names of channels."""

from chat4all_channels.registry import REGISTRY
from chat4all_core.domain.channel import CHANNELS


def test_every_channel_has_its_topic() -> None:
    """The registry holds the channels that the log has topics for."""
    assert tuple(REGISTRY) == CHANNELS
