"""The Instagram simulator: what it accepts, refuses and tells."""

import hashlib
import hmac
from typing import Any

import aiohttp
import pytest
from channel_clients import INSTAGRAM, INSTAGRAM_ANA, GraphClient
from tools.simulators import Channel, CustomerFile, CustomerMessage, Settings, Simulators
from tools.simulators.customer_actions import UnknownTargetError, UnsupportedActionError
from tools.simulators.instagram.settings import InstagramSettings
from webhook_receiver import ReceivedWebhook, WebhookReceiver

_STRANGER = "6100000000000009"
_SECRET = b"instagram-development-app-secret"
_PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


def _events(requests: list[ReceivedWebhook]) -> list[Any]:
    return [event for each in requests for event in each.payload["entry"][0]["messaging"]]


async def _register(simulators: Simulators, receiver: WebhookReceiver) -> None:
    await simulators.service(Channel.INSTAGRAM).register_webhook(INSTAGRAM, receiver.url, None)


async def test_text_echo_and_read(instagram: GraphClient, simulators: Simulators, receiver: WebhookReceiver) -> None:
    """A text is answered with its mid, comes back as an echo, and is read by the customer; nothing tells of its
    delivery."""
    await _register(simulators, receiver)
    answer = await instagram.send_direct({"text": "olá"}, reply_to={"mid": "m"})
    mid = answer.json["message_id"]
    assert answer.json["recipient_id"] == INSTAGRAM_ANA
    assert simulators.customers(Channel.INSTAGRAM).read(INSTAGRAM, INSTAGRAM_ANA, None) == 1
    requests = await receiver.until_count(2)
    echo = next(event for event in _events(requests) if "message" in event)
    assert (echo["sender"]["id"], echo["recipient"]["id"]) == (INSTAGRAM, INSTAGRAM_ANA)
    assert echo["message"] == {"mid": mid, "text": "olá", "is_echo": True, "reply_to": {"mid": "m"}}
    read = next(event for event in _events(requests) if "read" in event)
    assert (read["sender"]["id"], read["read"]) == (INSTAGRAM_ANA, {"mid": mid})
    for request in requests:
        expected = hmac.new(_SECRET, request.body, hashlib.sha256).hexdigest()
        assert request.headers["X-Hub-Signature-256"] == f"sha256={expected}"
        assert request.payload["object"] == "instagram"
        assert request.payload["entry"][0]["time"] > 10**12
    (logged,) = simulators.accepted.read(channel="instagram")
    assert (logged.recipient, logged.text, logged.reply_to) == (INSTAGRAM_ANA, "olá", "m")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"message": {"text": "x"}}, (100, None)),
        ({"recipient": {"id": INSTAGRAM_ANA}}, (100, None)),
        ({"recipient": {"id": INSTAGRAM_ANA}, "message": {"text": ""}}, (100, None)),
        ({"recipient": {"id": INSTAGRAM_ANA}, "message": {"text": "é" * 501}}, (100, None)),
        ({"recipient": {"id": INSTAGRAM_ANA}, "message": {"attachment": {"type": "image"}}}, (100, None)),
        ({"recipient": {"id": INSTAGRAM_ANA}, "message": {"text": "x"}, "tag": "X"}, (100, None)),
        ({"recipient": {"id": _STRANGER}, "message": {"text": "x"}}, (100, 2018001)),
        ({"recipient": {"id": INSTAGRAM_ANA}, "sender_action": "dance"}, (100, None)),
        ({"recipient": {"id": INSTAGRAM_ANA}, "sender_action": "react", "payload": {"message_id": "m"}}, (100, None)),
    ],
)
async def test_bad_messages_are_refused(
    instagram: GraphClient, simulators: Simulators, body: dict[str, Any], error: tuple[int, int | None]
) -> None:
    """What the API doesn't take is refused with its code and subcode, and nobody gets it."""
    answer = await instagram.call("POST", f"/{INSTAGRAM}/messages", json=body)
    assert (answer.status, answer.error) == (400, error)
    assert simulators.accepted.read() == []


async def test_thousand_bytes_fit(instagram: GraphClient) -> None:
    """A text of 1,000 bytes is the longest."""
    assert (await instagram.send_direct({"text": "é" * 500})).status == 200


async def test_window(instagram: GraphClient, simulators: Simulators) -> None:
    """24 hours after the customer wrote a text is refused; a human agent has 7 days."""
    seconds = 1_000_000.0
    async with Simulators(now=lambda: seconds) as simulators:
        client = GraphClient(instagram.session, f"{simulators.url}/instagram/v25.0", instagram.token)
        seconds += 86_400
        refused = await client.send_direct({"text": "x"})
        assert (refused.status, refused.error) == (403, (10, 2534022))
        assert (await client.send_direct({"text": "x"}, tag="HUMAN_AGENT")).status == 200
        seconds += 6 * 86_400
        assert (await client.send_direct({"text": "x"}, tag="HUMAN_AGENT")).error == (10, 2534022)
        simulators.customers(Channel.INSTAGRAM).set_window(INSTAGRAM, INSTAGRAM_ANA, True)
        assert (await client.send_direct({"text": "x"})).status == 200


async def test_blocked(instagram: GraphClient, simulators: Simulators) -> None:
    """Somebody who blocked the account isn't available."""
    simulators.customers(Channel.INSTAGRAM).set_reachable(INSTAGRAM, INSTAGRAM_ANA, False)
    assert (await instagram.send_direct({"text": "x"})).error == (551, 1545041)


async def test_rates(session: aiohttp.ClientSession) -> None:
    """More calls than a second's are refused as transient."""
    settings = Settings(instagram=InstagramSettings(text_calls_per_second=3))
    async with Simulators(settings, now=lambda: 1_000_000.0) as simulators:
        client = GraphClient(session, f"{simulators.url}/instagram/v25.0", "instagram-development-token")
        answers = [await client.send_direct({"text": "x"}) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 400]
    assert answers[-1].error == (613, None)
    assert answers[-1].json["error"]["is_transient"] is True


async def test_attachments(instagram: GraphClient, simulators: Simulators, receiver: WebhookReceiver) -> None:
    """A file comes in and goes out by its URL; a URL that leads nowhere, or to another type, is refused."""
    await _register(simulators, receiver)
    customers = simulators.customers(Channel.INSTAGRAM)
    await customers.send(INSTAGRAM, _STRANGER, CustomerMessage(file=CustomerFile(_PNG, "image/png", "a.png")))
    (received,) = _events(await receiver.until_count(1))
    attachment = received["message"]["attachments"][0]
    assert attachment["type"] == "image"
    async with instagram.session.get(attachment["payload"]["url"]) as response:
        assert await response.read() == _PNG
    assert (await instagram.send_direct({"attachment": attachment})).status == 200
    (logged,) = simulators.accepted.read()
    assert logged.media is not None
    assert (logged.type, logged.media.sha256) == ("image", hashlib.sha256(_PNG).hexdigest())
    video = {"attachment": {"type": "video", "payload": attachment["payload"]}}
    assert (await instagram.send_direct(video)).error == (100, 2018047)
    nowhere = {"attachment": {"type": "image", "payload": {"url": f"{simulators.url}/nothing"}}}
    assert (await instagram.send_direct(nowhere)).error == (100, 2018008)


async def test_what_a_customer_does(instagram: GraphClient, simulators: Simulators, receiver: WebhookReceiver) -> None:
    """Texts, reactions, up to five edits, deletions and what can't be shown arrive as the service words them."""
    await _register(simulators, receiver)
    customers = simulators.customers(Channel.INSTAGRAM)
    mid = await customers.send(INSTAGRAM, INSTAGRAM_ANA, CustomerMessage("one"))
    customers.react(INSTAGRAM, INSTAGRAM_ANA, mid, "❤")
    for number in range(5):
        customers.edit(INSTAGRAM, INSTAGRAM_ANA, mid, f"edit {number}")
    with pytest.raises(UnsupportedActionError):
        customers.edit(INSTAGRAM, INSTAGRAM_ANA, mid, "too often")
    customers.delete(INSTAGRAM, INSTAGRAM_ANA, mid)
    await customers.send(INSTAGRAM, INSTAGRAM_ANA, CustomerMessage(unsupported=True))
    events = _events(await receiver.until_count(9))
    reaction = next(event["reaction"] for event in events if "reaction" in event)
    assert reaction == {"mid": mid, "action": "react", "reaction": "love", "emoji": "❤"}
    edits = sorted(event["message_edit"]["num_edit"] for event in events if "message_edit" in event)
    assert edits == [1, 2, 3, 4, 5]
    messages = [event["message"] for event in events if "message" in event]
    assert {"mid": mid, "is_deleted": True} in messages
    assert any(message.get("is_unsupported") for message in messages)
    with pytest.raises(UnknownTargetError):
        customers.delete(INSTAGRAM, INSTAGRAM_ANA, "unknown")


async def test_actions(instagram: GraphClient, simulators: Simulators) -> None:
    """Seen, typing and reactions are answered with the recipient."""
    customers = simulators.customers(Channel.INSTAGRAM)
    mid = await customers.send(INSTAGRAM, INSTAGRAM_ANA, CustomerMessage("one"))
    recipient = {"recipient": {"id": INSTAGRAM_ANA}}
    for action in ({"sender_action": "mark_seen"}, {"sender_action": "typing_on"}):
        answer = await instagram.call("POST", "/me/messages", json=recipient | action)
        assert answer.json == {"recipient_id": INSTAGRAM_ANA}
    react = {"sender_action": "react", "payload": {"message_id": mid, "reaction": "love"}}
    assert (await instagram.call("POST", "/me/messages", json=recipient | react)).status == 200


async def test_tokens(session: aiohttp.ClientSession) -> None:
    """A token lives 60 days and is refreshed when it is a day old; the old one stays good until its own end."""
    seconds = 1_000_000.0
    async with Simulators(now=lambda: seconds) as simulators:
        url = f"{simulators.url}/instagram/v25.0"
        old = GraphClient(session, url, "instagram-development-token")
        path = "/refresh_access_token?grant_type=ig_refresh_token&access_token=instagram-development-token"
        assert (await old.call("GET", path)).status == 400
        seconds += 86_400
        refreshed = (await old.call("GET", path)).json
        assert (refreshed["token_type"], refreshed["expires_in"]) == ("bearer", 60 * 86_400)
        new = GraphClient(session, url, refreshed["access_token"])
        assert (await new.call("GET", "/me?fields=username")).json["username"] == "chat4all"
        assert (await old.call("GET", "/me")).status == 200
        seconds += 59 * 86_400
        assert (await old.call("GET", "/me")).error == (190, 463)
        assert (await new.call("GET", f"/{INSTAGRAM_ANA}?fields=name")).json["name"] == "ana.souza"
        assert (await GraphClient(session, url, "x").call("GET", "/me")).error == (190, None)
