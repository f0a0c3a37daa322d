"""What the WhatsApp simulator tells the webhook."""

import hashlib
import hmac
from typing import Any

import pytest
from channel_clients import ANA, NUMBER, GraphClient
from tools.simulators import Channel, CustomerFile, CustomerMessage, Fault, FaultKind, Schedule, Settings, Simulators
from tools.simulators.service import WebhookRefusedError
from tools.simulators.whatsapp.settings import WhatsAppSettings
from webhook_receiver import ReceivedWebhook, WebhookReceiver

_SECRET = b"whatsapp-development-app-secret"


def _values(requests: list[ReceivedWebhook]) -> list[Any]:
    return [change["value"] for each in requests for change in each.payload["entry"][0]["changes"]]


def _statuses(requests: list[ReceivedWebhook]) -> list[tuple[str, str]]:
    found = [status for value in _values(requests) for status in value.get("statuses", [])]
    return [(status["id"], status["status"]) for status in found]


def _messages(requests: list[ReceivedWebhook]) -> list[Any]:
    return [message for value in _values(requests) for message in value.get("messages", [])]


@pytest.fixture(autouse=True)
async def _registered(simulators: Simulators, receiver: WebhookReceiver) -> None:
    await simulators.service(Channel.WHATSAPP).register_webhook(NUMBER, receiver.url, None)


async def test_states_of_a_message(whatsapp: GraphClient, simulators: Simulators, receiver: WebhookReceiver) -> None:
    """A message is sent and delivered by itself, and read when the customer does; each status repeats the opaque
    data."""
    sent = await whatsapp.send_text("x", biz_opaque_callback_data="o")
    message_id = sent.json["messages"][0]["id"]
    await receiver.until(lambda requests: len(_statuses(requests)) == 2)
    assert simulators.customers(Channel.WHATSAPP).read(NUMBER, ANA, None) == 1
    requests = await receiver.until(lambda requests: len(_statuses(requests)) == 3)
    assert set(_statuses(requests)) == {(message_id, state) for state in ("sent", "delivered", "read")}
    for value in _values(requests):
        (status,) = value["statuses"]
        assert (status["biz_opaque_callback_data"], status["recipient_id"]) == ("o", ANA)
        assert value["metadata"]["phone_number_id"] == NUMBER
        assert isinstance(status["timestamp"], str)
    assert simulators.customers(Channel.WHATSAPP).read(NUMBER, ANA, None) == 0


async def test_signature_is_over_escaped_bytes(simulators: Simulators, receiver: WebhookReceiver) -> None:
    """The signature holds for the bytes as they came, which are ASCII, and not for the JSON written again."""
    customers = simulators.customers(Channel.WHATSAPP)
    await customers.send(NUMBER, ANA, CustomerMessage("olá/você 🎉"))
    (request,) = await receiver.until_count(1)
    assert request.body.isascii()
    assert b"ol\\u00e1\\/voc\\u00ea \\ud83c\\udf89" in request.body
    expected = hmac.new(_SECRET, request.body, hashlib.sha256).hexdigest()
    assert request.headers["X-Hub-Signature-256"] == f"sha256={expected}"
    assert _messages([request])[0]["text"]["body"] == "olá/você 🎉"


async def test_what_a_customer_does(whatsapp: GraphClient, simulators: Simulators, receiver: WebhookReceiver) -> None:
    """Texts with replies, files, reactions, edits, deletions and what can't be shown arrive as the service words
    them; the business can mark them as read."""
    customers = simulators.customers(Channel.WHATSAPP)
    first = await customers.send(NUMBER, ANA, CustomerMessage("one", name="Ana Souza"))
    await customers.send(NUMBER, ANA, CustomerMessage("two", reply_to=first))
    file = CustomerFile(b"%PDF", "application/pdf", "a.pdf")
    await customers.send(NUMBER, ANA, CustomerMessage("look", file=file))
    await customers.send(NUMBER, ANA, CustomerMessage(unsupported=True))
    customers.react(NUMBER, ANA, first, "👍")
    customers.edit(NUMBER, ANA, first, "ONE")
    customers.delete(NUMBER, ANA, first)
    requests = await receiver.until_count(7)
    assert _values(requests)[0]["contacts"][0]["profile"]["name"] == "Ana Souza"
    by_type = {message["type"]: message for message in _messages(requests)}
    assert by_type["document"]["document"]["filename"] == "a.pdf"
    assert by_type["document"]["document"]["caption"] == "look"
    assert by_type["unsupported"]["errors"][0]["code"] == 131051
    assert by_type["reaction"]["reaction"] == {"message_id": first, "emoji": "👍"}
    assert by_type["edit"]["edit"]["original_message_id"] == first
    assert by_type["edit"]["edit"]["message"]["text"]["body"] == "ONE"
    assert by_type["revoke"]["revoke"]["original_message_id"] == first
    replies = [message for message in _messages(requests) if message.get("context", {}).get("id") == first]
    assert [reply["text"]["body"] for reply in replies] == ["two"]
    answer = await whatsapp.send({"status": "read", "message_id": first, "typing_indicator": {"type": "text"}})
    assert answer.json == {"success": True}


async def test_failures_come_as_statuses(
    whatsapp: GraphClient, simulators: Simulators, receiver: WebhookReceiver
) -> None:
    """A message that can't be delivered is accepted and fails with its code; so does one whose link leads nowhere."""
    simulators.customers(Channel.WHATSAPP).set_reachable(NUMBER, ANA, False)
    assert (await whatsapp.send_text("x")).status == 200
    simulators.customers(Channel.WHATSAPP).set_reachable(NUMBER, ANA, True)
    link = f"{simulators.url}/nothing"
    assert (await whatsapp.send({"to": ANA, "type": "image", "image": {"link": link}})).status == 200
    requests = await receiver.until_count(2)
    errors = [value["statuses"][0]["errors"][0]["code"] for value in _values(requests)]
    assert sorted(errors) == [131026, 131053]


async def test_delivered_may_follow_failed(
    whatsapp: GraphClient, simulators: Simulators, receiver: WebhookReceiver
) -> None:
    """The fault of many devices: failed, and then delivered all the same."""
    simulators.faults.add(Fault(Channel.WHATSAPP, FaultKind.DELIVERED_AFTER_FAILED, schedule=Schedule(next=1)))
    await whatsapp.send_text("x")
    requests = await receiver.until_count(2)
    assert sorted(state for _, state in _statuses(requests)) == ["delivered", "failed"]


async def test_handshake(simulators: Simulators, receiver: WebhookReceiver) -> None:
    """A webhook that doesn't answer with the challenge is not registered."""
    service = simulators.service(Channel.WHATSAPP)
    with pytest.raises(WebhookRefusedError, match="403"):
        await service.register_webhook(NUMBER, receiver.url, "wrong")
    with pytest.raises(WebhookRefusedError, match="ClientConnectorError"):
        await service.register_webhook(NUMBER, "http://127.0.0.1:1/", None)
    assert service.accounts()[0]["webhook_url"] == receiver.url


async def test_webhook_is_set_through_the_api(whatsapp: GraphClient, receiver: WebhookReceiver) -> None:
    """The API's own ways to set a webhook make the handshake as well."""
    body = {"override_callback_uri": f"{receiver.url}/a", "verify_token": "chat4all-development"}
    answer = await whatsapp.call("POST", f"/{NUMBER}", json={"webhook_configuration": body})
    assert answer.json == {"success": True}
    facts = await whatsapp.call("GET", f"/{NUMBER}")
    assert facts.json["webhook_configuration"]["application"] == f"{receiver.url}/a"
    answer = await whatsapp.call("POST", "/200000000000001/subscribed_apps", json=body | {"verify_token": "wrong"})
    assert (answer.status, answer.error) == (400, (2200, None))


async def test_closed_window_may_be_told_by_a_status(
    whatsapp: GraphClient, simulators: Simulators, receiver: WebhookReceiver
) -> None:
    """The service may accept what is outside the window, and tell it by a failed status; so may the fault."""
    simulators.faults.add(Fault(Channel.WHATSAPP, FaultKind.WINDOW_CLOSED, by_webhook=True))
    assert (await whatsapp.send_text("x")).status == 200
    late = Settings(whatsapp=WhatsAppSettings(window_by_status=True))
    async with Simulators(late) as others:
        await others.service(Channel.WHATSAPP).register_webhook(NUMBER, receiver.url, None)
        client = GraphClient(whatsapp.session, f"{others.url}/whatsapp/v23.0", whatsapp.token)
        assert (await client.send_text("x", to="5511999990009")).status == 200
        requests = await receiver.until_count(2)
    assert [value["statuses"][0]["errors"][0]["code"] for value in _values(requests)] == [131047, 131047]
