"""The control API: what tests and the page ask for and do over HTTP."""

import base64
from typing import Any

import aiohttp
import pytest
from channel_clients import ANA, NUMBER, TELEGRAM_ANA, Answer, BotClient, GraphClient
from tools.simulators import Simulators
from webhook_receiver import WebhookReceiver

_CUSTOMER = f"/customers/whatsapp/{NUMBER}/{ANA}"


@pytest.fixture
def control(simulators: Simulators, session: aiohttp.ClientSession) -> GraphClient:
    return GraphClient(session, f"{simulators.url}/control", "")


async def _ok(answer: Answer) -> Any:
    assert answer.status == 200, answer.json
    return answer.json


async def test_log_over_http(control: GraphClient, whatsapp: GraphClient, telegram: BotClient) -> None:
    """The log of accepted messages is read by channel and recipient, and from a position on."""
    for text in ("one", "two", "three"):
        await whatsapp.send_text(text)
    await telegram.send_text("four")
    everything = (await _ok(await control.call("GET", "/messages")))["messages"]
    assert [(each["position"], each["text"]) for each in everything] == [
        (1, "one"),
        (2, "two"),
        (3, "three"),
        (4, "four"),
    ]
    some = await _ok(await control.call("GET", f"/messages?channel=whatsapp&recipient={ANA}&after=1&limit=1"))
    assert [each["text"] for each in some["messages"]] == ["two"]
    assert (await _ok(await control.call("GET", "/messages?account=none")))["messages"] == []


async def test_customer_over_http(control: GraphClient, whatsapp: GraphClient, receiver: WebhookReceiver) -> None:
    """A person registers the webhook, writes, reacts, edits, deletes and reads as a customer; the conversation shows
    it all, and its file."""
    webhook = {"url": receiver.url}
    await _ok(await control.call("PUT", f"/accounts/whatsapp/{NUMBER}/webhook", json=webhook))
    await whatsapp.send_text("hello")
    file = {"content": base64.b64encode(b"%PDF").decode(), "mime_type": "application/pdf", "filename": "a.pdf"}
    written = await _ok(await control.call("POST", f"{_CUSTOMER}/messages", json={"text": "look", "file": file}))
    about = {"message_id": written["message_id"]}
    await _ok(await control.call("POST", f"{_CUSTOMER}/reactions", json=about | {"emoji": "👍"}))
    await _ok(await control.call("POST", f"{_CUSTOMER}/edits", json=about | {"text": "LOOK"}))
    await _ok(await control.call("POST", f"{_CUSTOMER}/deletions", json=about))
    await receiver.until_count(6)
    assert await _ok(await control.call("POST", f"{_CUSTOMER}/reads", json={})) == {"read": 1}
    path = f"/conversations/whatsapp/{NUMBER}/{ANA}"
    entries = (await _ok(await control.call("GET", path)))["entries"]
    kinds = [(each["direction"], each["kind"]) for each in entries]
    assert {("business", "text"), ("customer", "document"), ("customer", "revoke"), ("service", "read")} <= set(kinds)
    media_id = next(each["media_id"] for each in entries if each["media_id"])
    async with control.session.get(f"{control.url}/media/{media_id}") as response:
        assert await response.read() == b"%PDF"
        assert "sandbox" in response.headers["Content-Security-Policy"]
    (last,) = (await _ok(await control.call("GET", "/conversations")))["conversations"]
    assert (last["customer"], last["position"]) == (ANA, entries[-1]["position"])


async def test_window_and_reachability_over_http(control: GraphClient, whatsapp: GraphClient) -> None:
    """A person closes the window, and blocks a bot."""
    await _ok(await control.call("PUT", f"{_CUSTOMER}/window", json={"open": False}))
    assert (await whatsapp.send_text("x")).error == (131047, None)
    path = f"/customers/telegram/100000001/{TELEGRAM_ANA}"
    await _ok(await control.call("PUT", f"{path}/reachable", json={"reachable": False}))
    refused = await control.call("POST", f"{path}/reads", json={})
    assert (refused.status, refused.json) == (400, {"error": "Telegram doesn't tell bots of reading"})


async def test_faults_over_http(control: GraphClient, whatsapp: GraphClient) -> None:
    """A fault is put in force, counts its strikes, and is taken out."""
    fault = {"channel": "whatsapp", "kind": "rate_limit", "schedule": {"every": 2}, "seconds": 5}
    rule = await _ok(await control.call("POST", "/faults", json=fault))
    assert [(await whatsapp.send_text("x")).status for _ in range(4)] == [200, 429, 200, 429]
    (listed,) = (await _ok(await control.call("GET", "/faults")))["faults"]
    assert (listed["kind"], listed["seen"], listed["struck"]) == ("rate_limit", 4, 2)
    await _ok(await control.call("DELETE", f"/faults/{rule['id']}"))
    assert (await control.call("DELETE", f"/faults/{rule['id']}")).status == 404
    refusals = (await _ok(await control.call("GET", "/refusals")))["refusals"]
    assert refusals == [{"channel": "whatsapp", "code": 130429, "count": 2}]
    await _ok(await control.call("POST", "/faults", json=fault))
    await _ok(await control.call("DELETE", "/faults"))
    assert (await _ok(await control.call("GET", "/faults")))["faults"] == []


async def test_tokens_over_http(control: GraphClient, whatsapp: GraphClient) -> None:
    """A token ends, and another one is given."""
    path = f"/accounts/whatsapp/{NUMBER}/token"
    await _ok(await control.call("PUT", path, json={"lifetime_seconds": 0}))
    assert (await whatsapp.send_text("x")).error == (190, 463)
    await _ok(await control.call("PUT", path, json={"token": "second"}))
    assert (await GraphClient(whatsapp.session, whatsapp.url, "second").send_text("x")).status == 200
    accounts = (await _ok(await control.call("GET", "/accounts")))["accounts"]
    assert [each["channel"] for each in accounts] == ["whatsapp", "instagram", "telegram"]
    assert accounts[0]["access_token"] == "second"


async def test_webhooks_over_http(control: GraphClient, receiver: WebhookReceiver) -> None:
    """Requests to webhooks are looked at and sent again, and how they are sent is changed."""
    await _ok(await control.call("PUT", f"/accounts/whatsapp/{NUMBER}/webhook", json={"url": receiver.url}))
    await _ok(await control.call("POST", f"{_CUSTOMER}/messages", json={"text": "olá"}))
    await receiver.until_count(1)
    (request,) = (await _ok(await control.call("GET", "/webhooks?channel=whatsapp")))["requests"]
    await _ok(await control.call("POST", f"/webhooks/{request['id']}/redeliver", json={}))
    first, second = await receiver.until_count(2)
    assert first.body == second.body == request["body"].encode()
    assert first.headers["X-Hub-Signature-256"] == request["headers"]["X-Hub-Signature-256"]
    policy = await _ok(await control.call("PATCH", "/webhook-policy", json={"batch_size": 9}))
    assert (policy["batch_size"], policy["retry_initial_seconds"]) == (9, 0.01)
    assert await _ok(await control.call("GET", "/webhook-policy")) == policy


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/faults", {"channel": "fax", "kind": "slow"}, 400),
        ("POST", "/faults", {"channel": "whatsapp", "kind": "slow", "colour": "red"}, 400),
        ("POST", "/faults", {"channel": "whatsapp", "kind": "slow", "schedule": {"next": 0}}, 400),
        ("POST", "/faults", {"channel": "whatsapp"}, 400),
        ("PATCH", "/webhook-policy", {"batch_size": 0}, 400),
        ("PUT", f"/accounts/whatsapp/{NUMBER}/webhook", {"url": "http://127.0.0.1:1/"}, 400),
        ("PUT", "/accounts/whatsapp/1/webhook", {"url": "http://127.0.0.1:1/"}, 404),
        ("PUT", "/accounts/fax/1/token", {}, 404),
        ("POST", f"{_CUSTOMER}/messages", {}, 400),
        ("POST", f"{_CUSTOMER}/messages", {"file": {"content": "!", "mime_type": "a/b", "filename": "c"}}, 400),
        ("POST", f"{_CUSTOMER}/messages", {"text": 5}, 400),
        ("POST", f"{_CUSTOMER}/deletions", {"message_id": "unknown"}, 404),
        ("POST", f"/customers/whatsapp/{NUMBER}/abc/messages", {"text": "x"}, 404),
        ("PUT", f"{_CUSTOMER}/window", {"open": "yes"}, 400),
        ("POST", "/webhooks/99/redeliver", {}, 404),
        ("GET", "/media/unknown", None, 404),
        ("GET", "/conversations/fax/1/2", None, 400),
        ("GET", "/messages?after=x", None, 400),
    ],
)
async def test_mistakes_are_told(control: GraphClient, method: str, path: str, body: Any, status: int) -> None:
    """What the control API can't do it refuses with a reason."""
    answer = await control.call(method, path, json=body)
    assert answer.status == status, answer.json
    assert answer.json["error"]


async def test_other_sites_pages_cant_call(control: GraphClient) -> None:
    """A body that isn't declared as JSON, which any page may send, is refused."""
    answer = await control.call("POST", "/faults", data=b'{"channel": "whatsapp", "kind": "slow"}')
    assert (answer.status, answer.json) == (400, {"error": "the body must be application/json"})


async def test_page(control: GraphClient, simulators: Simulators) -> None:
    """The page names the accounts, loads nothing from elsewhere, and its parts are there."""
    async with control.session.get(simulators.url) as response:
        page = await response.text()
        assert str(response.url) == f"{simulators.url}/control/"
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "whatsapp-development-token" in page
    assert "accept_then_drop" in page
    assert "{{" not in page
    for name, kind in (("page.js", "text/javascript"), ("page.css", "text/css")):
        async with control.session.get(f"{control.url}/{name}") as response:
            assert (response.status, response.content_type) == (200, kind)
