"""Requests that are nearly right: every one is answered as the service would, and none breaks it."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from channel_clients import ANA, INSTAGRAM, INSTAGRAM_ANA, TELEGRAM_ANA, BotClient, GraphClient
from tools.simulators import Channel, Simulators

_JUNK: Sequence[Any] = (
    *(None, 0, -1, 1.5, True, "", "x", "\ud800", "0" * 600, [], [1], [None], {}, {"id": 1}, 10**30, "-", "--5", "²"),
)
_WHATSAPP: Sequence[Mapping[str, Any]] = (
    {"to": ANA, "type": "text", "text": {"body": "x"}, "context": {"message_id": "a"}, "biz_opaque_callback_data": "o"},
    {"to": ANA, "type": "image", "image": {"id": "1", "caption": "c"}},
    {"recipient": "BR.1", "type": "location", "location": {"latitude": 1, "longitude": 2}},
    {"to": ANA, "type": "contacts", "contacts": [{"name": {"formatted_name": "x"}}]},
    {"to": ANA, "type": "interactive", "interactive": {"type": "flow", "body": {"text": "x"}, "action": {}}},
    {
        "to": ANA,
        "type": "template",
        "template": {
            "name": "new_message",
            "language": {"code": "en_US"},
            "components": [{"type": "body", "parameters": [{"text": "x"}]}],
        },
    },
    {"to": ANA, "type": "reaction", "reaction": {"message_id": "x", "emoji": "y"}},
    {"status": "read", "message_id": "x", "typing_indicator": {"type": "text"}},
)
_INSTAGRAM: Sequence[Mapping[str, Any]] = (
    {"recipient": {"id": INSTAGRAM_ANA}, "message": {"text": "x"}, "reply_to": {"mid": "x"}, "tag": "HUMAN_AGENT"},
    {"recipient": {"id": INSTAGRAM_ANA}, "message": {"attachment": {"type": "image", "payload": {"url": "x"}}}},
    {"recipient": {"id": INSTAGRAM_ANA}, "sender_action": "react", "payload": {"message_id": "x", "reaction": "love"}},
)
_TELEGRAM: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("sendMessage", {"chat_id": TELEGRAM_ANA, "text": "x", "reply_parameters": {"message_id": 1}}),
    ("sendDocument", {"chat_id": TELEGRAM_ANA, "document": "x", "caption": "y"}),
    ("sendLocation", {"chat_id": TELEGRAM_ANA, "latitude": 1, "longitude": 2}),
    ("editMessageText", {"chat_id": TELEGRAM_ANA, "message_id": 1, "text": "x"}),
    ("setMessageReaction", {"chat_id": TELEGRAM_ANA, "message_id": 1, "reaction": [{"emoji": "x"}]}),
    ("getUpdates", {"offset": 1, "limit": 5, "allowed_updates": ["message"]}),
    ("getChat", {"chat_id": TELEGRAM_ANA}),
    ("setWebhook", {"url": "", "secret_token": "x", "max_connections": 4, "allowed_updates": ["message"]}),
)


def _spoilt(value: Any, chance: random.Random) -> Any:
    """The value, with some of it missing or replaced."""
    if chance.random() < 0.2:
        return chance.choice(_JUNK)
    if isinstance(value, dict):
        return {name: _spoilt(each, chance) for name, each in value.items() if chance.random() > 0.1}
    if isinstance(value, list):
        return [_spoilt(each, chance) for each in value]
    return value


@pytest.mark.parametrize("seed", range(3))
async def test_no_request_breaks_a_service(
    whatsapp: GraphClient, instagram: GraphClient, telegram: BotClient, simulators: Simulators, seed: int
) -> None:
    """Spoilt requests are refused with a code of the service's, never with an error of its own."""
    chance = random.Random(seed)
    for _ in range(60):
        message = {name: _spoilt(value, chance) for name, value in chance.choice(_WHATSAPP).items()}
        await whatsapp.send(message)
        direct = _spoilt(dict(chance.choice(_INSTAGRAM)), chance)
        await instagram.call("POST", f"/{INSTAGRAM}/messages", json=direct)
        method, values = chance.choice(_TELEGRAM)
        await telegram.call(method, {name: _spoilt(value, chance) for name, value in values.items()})
    assert simulators.refusals.count(Channel.WHATSAPP, 1) == 0
    assert simulators.refusals.count(Channel.INSTAGRAM, 1) == 0
    assert simulators.refusals.count(Channel.TELEGRAM, 500) == 0
    assert simulators.refusals.all()
