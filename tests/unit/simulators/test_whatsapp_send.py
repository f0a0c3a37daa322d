"""What the WhatsApp simulator accepts and refuses."""

from typing import Any

import aiohttp
import pytest
from channel_clients import ANA, NUMBER, GraphClient
from tools.simulators import Channel, Simulators

_LONG = "x" * 4_097


async def test_text_is_accepted_and_logged(whatsapp: GraphClient, simulators: Simulators) -> None:
    """An accepted text is answered as the service does, and stands in the log with its opaque data."""
    answer = await whatsapp.send_text("olá", to="+55 11 99999-0001", biz_opaque_callback_data="attempt-7")
    assert answer.status == 200
    contact, message = answer.json["contacts"][0], answer.json["messages"][0]
    assert (contact["input"], contact["wa_id"]) == ("+55 11 99999-0001", ANA)
    assert message["id"].startswith("wamid.")
    assert message["message_status"] == "accepted"
    (logged,) = simulators.accepted.read()
    assert (logged.recipient, logged.text, logged.opaque) == (ANA, "olá", "attempt-7")
    assert (logged.message_id, logged.answered) == (message["id"], True)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "image", "image": {"link": "{url}/control/page.css", "caption": "c"}},
        {"type": "location", "location": {"latitude": 1.5, "longitude": "2"}},
        {"type": "contacts", "contacts": [{"name": {"formatted_name": "Ana"}}]},
        {
            "type": "interactive",
            "interactive": {"type": "button", "body": {"text": "?"}, "action": {"buttons": []}},
        },
        {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}},
    ],
)
async def test_every_type_is_accepted(whatsapp: GraphClient, simulators: Simulators, message: dict[str, Any]) -> None:
    """Each type of message that the API has is accepted when it is whole."""
    if "image" in message:
        message["image"]["link"] = f"{simulators.url}/control/page.css"
    answer = await whatsapp.send({"to": ANA, **message})
    assert answer.status == 200, answer.json
    assert [logged.type for logged in simulators.accepted.read()] == [message["type"]]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "text", "text": {"body": "x"}}, 100),
        ({"to": "nobody", "type": "text", "text": {"body": "x"}}, 131009),
        ({"to": ANA, "type": "poem", "poem": {}}, 100),
        ({"to": ANA, "type": "text"}, 131008),
        ({"to": ANA, "type": "text", "text": {"body": ""}}, 131008),
        ({"to": ANA, "type": "text", "text": {"body": _LONG}}, 100),
        ({"to": ANA, "type": "text", "text": {"body": "x"}, "recipient_type": "group"}, 100),
        ({"to": ANA, "type": "text", "text": {"body": "x"}, "biz_opaque_callback_data": "x" * 513}, 100),
        ({"to": ANA, "type": "text", "text": {"body": "x"}, "context": {}}, 131009),
        ({"to": ANA, "type": "image", "image": {}}, 131008),
        ({"to": ANA, "type": "image", "image": {"id": "1"}}, 131009),
        ({"to": ANA, "type": "audio", "audio": {"id": "1", "caption": "c"}}, 100),
        ({"to": ANA, "type": "location", "location": {"latitude": "x"}}, 131008),
        ({"to": ANA, "type": "contacts", "contacts": [{}]}, 131008),
        ({"to": ANA, "type": "interactive", "interactive": {"type": "x"}}, 131009),
        ({"to": ANA, "type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": "👍"}}, 131009),
        ({"to": ANA, "type": "template", "template": {"name": "x"}}, 131008),
        ({"to": ANA, "type": "template", "template": {"name": "x", "language": {"code": "en_US"}}}, 132001),
        ({"to": ANA, "type": "template", "template": {"name": "new_message", "language": {"code": "en_US"}}}, 132000),
        ({"status": "read", "message_id": "wamid.x"}, 131009),
    ],
)
async def test_bad_messages_are_refused(
    whatsapp: GraphClient, simulators: Simulators, message: dict[str, Any], code: int
) -> None:
    """What the API doesn't take is refused with its code, in its form, and nobody gets it."""
    answer = await whatsapp.send(message)
    assert answer.status in (400, 404)
    error = answer.json["error"]
    assert error["code"] == code
    assert error["message"].startswith(f"(#{code})")
    assert error["fbtrace_id"]
    assert simulators.accepted.read() == []


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b""])
async def test_what_is_no_json_object_is_refused(whatsapp: GraphClient, body: bytes) -> None:
    """A body that is no JSON object is an invalid parameter."""
    headers = {"Content-Type": "application/json"}
    answer = await whatsapp.call("POST", f"/{NUMBER}/messages", data=body, headers=headers)
    assert (answer.status, answer.json["error"]["code"]) == (400, 100)


async def test_tokens_are_checked(whatsapp: GraphClient, simulators: Simulators) -> None:
    """No token, an unknown one, an expired one and another node's are refused as the service does."""
    wrong = GraphClient(whatsapp.session, whatsapp.url, "wrong")
    assert (await wrong.send_text("x")).error == (190, None)
    answer = await whatsapp.call("POST", "/999/messages", json={})
    assert (answer.status, answer.error) == (400, (100, 33))
    simulators.service(Channel.WHATSAPP).set_token(NUMBER, None, 0)
    answer = await whatsapp.send_text("x")
    assert (answer.status, answer.error) == (401, (190, 463))
    simulators.service(Channel.WHATSAPP).set_token(NUMBER, "new", None)
    assert (await GraphClient(whatsapp.session, whatsapp.url, "new").send_text("x")).status == 200
    async with whatsapp.session.post(f"{whatsapp.url}/{NUMBER}/messages", json={}) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (401, 104)


async def test_window(whatsapp: GraphClient, simulators: Simulators) -> None:
    """Outside the window only templates are accepted; a customer who writes opens it."""
    stranger = "5511999990009"
    answer = await whatsapp.send_text("x", to=stranger)
    assert (answer.status, answer.error) == (400, (131047, None))
    parameters = [{"type": "text", "text": "olá"}]
    template = {
        "name": "new_message",
        "language": {"code": "en_US"},
        "components": [{"type": "body", "parameters": parameters}],
    }
    assert (await whatsapp.send({"to": stranger, "type": "template", "template": template})).status == 200
    assert [message.text for message in simulators.accepted.read()] == ["You have a new message: olá"]
    customers = simulators.customers(Channel.WHATSAPP)
    customers.set_window(NUMBER, stranger, True)
    assert (await whatsapp.send_text("x", to=stranger)).status == 200
    customers.set_window(NUMBER, stranger, False)
    assert (await whatsapp.send_text("x", to=stranger)).error == (131047, None)


async def test_unknown_paths_answer_in_the_services_form(
    simulators: Simulators, session: aiohttp.ClientSession
) -> None:
    """A path or a method that isn't there is a Graph error too."""
    async with session.get(f"{simulators.url}/whatsapp/nothing/at/all") as response:
        assert (response.status, (await response.json())["error"]["code"]) == (404, 2500)
    async with session.put(f"{simulators.url}/whatsapp/v23.0/{NUMBER}") as response:
        assert (response.status, (await response.json())["error"]["code"]) == (400, 100)
