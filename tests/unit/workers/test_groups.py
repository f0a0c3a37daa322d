"""Who reads which topic."""

import pytest

from chat4all_core.ports.event_log import GROUPS
from chat4all_workers.handler import Handler
from chat4all_workers.handlers.dead_letter import DeadLetterHandler
from chat4all_workers.handlers.router import RouterHandler
from chat4all_workers.handlers.status import StatusHandler
from chat4all_workers.inbound.handler import InboundHandler


@pytest.mark.parametrize("handler", [RouterHandler, StatusHandler, InboundHandler, DeadLetterHandler])
def test_a_topic_waits_for_all_who_read_it(handler: type[Handler]) -> None:
    """The group of every role is among those that must have handled its topic before that is moved."""
    assert f"chat4all.{handler.role}" in GROUPS[handler.topic]
