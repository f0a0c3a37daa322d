"""What channels call, over REST through the real Envoy: anybody may call it, and only the channel is believed."""

import asyncio
import io
import json
import re
from pathlib import Path

import aiohttp
import pytest
from channel_accounts import (
    APP_SECRET,
    BOT_SECRET,
    INSTAGRAM_ID,
    INSTAGRAM_SECRET,
    NUMBER,
    SECOND_APP_SECRET,
    VERIFY_TOKEN,
    signed,
    write_accounts,
)
from platform_process import PlatformProcess, free_port
from rest_user import RestUser, reason

WHATSAPP, TELEGRAM = "/v1/channels/whatsapp/webhook", "/v1/channels/telegram/webhook"


def whatsapp_body(text: str = "olá", number: str = NUMBER) -> bytes:
    """A message as WhatsApp tells it: what is not ASCII is escaped."""
    message = {"from": "5511987654321", "id": f"wamid.{text}", "timestamp": "1700000000", "type": "text"}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550001", "phone_number_id": number},
        "contacts": [{"profile": {"name": "Zoé"}, "wa_id": "5511987654321"}],
        "messages": [{**message, "text": {"body": text}}],
    }
    entry = {"id": "WABA", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


async def test_a_channel_finds_out_that_the_webhook_is_ours(session: aiohttp.ClientSession) -> None:
    """The handshake gives back the challenge as it came, as plain text, and only for the right token."""
    query = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "<b>1158201444</b>"}
    async with session.get(WHATSAPP, params=query) as answer:
        assert (answer.status, await answer.text()) == (200, "<b>1158201444</b>")
        assert answer.content_type == "text/plain"
    for wrong in ({"hub.verify_token": "guess"}, {"hub.verify_token": ""}, {"hub.mode": "unsubscribe"}):
        async with session.get(WHATSAPP, params={**query, **wrong}) as answer:
            assert (answer.status, reason(await answer.json())) == (403, "WEBHOOK_NOT_AUTHENTIC")


async def test_what_a_channel_signed_is_taken(session: aiohttp.ClientSession) -> None:
    """A message whose signature fits is answered with 200, and again when it is told again."""
    body = whatsapp_body()
    for _ in range(2):
        async with session.post(WHATSAPP, data=body, headers=signed(body, APP_SECRET)) as answer:
            assert (answer.status, await answer.json()) == (200, {})


async def test_what_nobody_signed_is_refused(session: aiohttp.ClientSession) -> None:
    """Without a signature, with one of other bytes, of another secret, or of another form, the answer is 403."""
    body = whatsapp_body()
    good = signed(body, APP_SECRET)["x-hub-signature-256"]
    for signature in (
        "",
        good[:-1],
        good + "0",
        "sha1=" + good[7:],
        "sha256=é",
        signed(body + b" ", APP_SECRET)["x-hub-signature-256"],
    ):
        headers = {"x-hub-signature-256": signature.encode("latin-1").decode("latin-1")} if signature else {}
        async with session.post(WHATSAPP, data=body, headers=headers) as answer:
            assert (answer.status, reason(await answer.json())) == (403, "WEBHOOK_NOT_AUTHENTIC"), signature
    async with session.post(TELEGRAM, data=b'{"update_id": 1}', headers={}) as answer:
        assert answer.status == 403


async def test_each_account_speaks_for_itself_alone(session: aiohttp.ClientSession, platform: PlatformProcess) -> None:
    """A body that another account's app signed is taken, and nothing in it that is not that account's."""
    body = whatsapp_body("forged", NUMBER)
    async with session.post(WHATSAPP, data=body, headers=signed(body, SECOND_APP_SECRET)) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"not json", b'{"object": "page"}', b"\xff\xfe", b"[" * 100_000, whatsapp_body()[:-5], b"null"],
    ids=["empty", "list", "text", "other", "not-utf8", "nested", "cut", "null"],
)
async def test_what_is_not_in_the_channels_form_is_refused(session: aiohttp.ClientSession, body: bytes) -> None:
    """Signed or not, such bytes are answered with 400 or 403 and a reason, and the server goes on."""
    async with session.post(WHATSAPP, data=body, headers=signed(body, APP_SECRET)) as answer:
        assert (answer.status, reason(await answer.json())) == (400, "WEBHOOK_MALFORMED")
    async with session.post(WHATSAPP, data=body) as answer:
        assert answer.status == 403


async def test_too_large_a_body_is_refused(session: aiohttp.ClientSession) -> None:
    """More than 3 MiB is refused whoever signed it: by the server, or by Envoy where it is larger still."""
    body = whatsapp_body() + b" " * (3 << 20)
    async with session.post(WHATSAPP, data=io.BytesIO(body), headers=signed(body, APP_SECRET)) as answer:
        assert (answer.status, reason(await answer.json())) == (400, "WEBHOOK_MALFORMED")
    async with session.post(WHATSAPP, data=io.BytesIO(b" " * (5 << 20))) as answer:
        assert answer.status == 413


async def test_operators_see_what_became_of_calls(tmp_path: Path) -> None:
    """Each call counts by what became of it; one that is replayed is taken again, and counts as such; one that is of
    no account here is proven and ignored."""
    web_port = free_port()
    accounts = write_accounts(tmp_path / "accounts.toml")
    settings = {"CHAT4ALL_CHANNELS_ACCOUNTS_FILE": str(accounts), "CHAT4ALL_SERVER_WEB_PORT": str(web_port)}
    platform = PlatformProcess(tmp_path / "data", settings)
    await asyncio.to_thread(platform.start)
    try:
        async with aiohttp.ClientSession(platform.url) as session:
            whole, foreign = whatsapp_body(), whatsapp_body("foreign", "999")
            for body, headers, status in (
                (whole, signed(whole, APP_SECRET), 200),
                (whole, signed(whole, APP_SECRET), 200),
                (foreign, signed(foreign, APP_SECRET), 200),
                (whole[:-5], signed(whole, APP_SECRET), 403),
                (whole[:-5], signed(whole[:-5], APP_SECRET), 400),
                (b"\xff\xfe", signed(b"\xff\xfe", APP_SECRET), 400),
                (whole + b" " * (3 << 20), signed(whole, APP_SECRET), 400),
            ):
                async with session.post(WHATSAPP, data=io.BytesIO(body), headers=headers) as answer:
                    assert answer.status == status
            query = {"hub.mode": "subscribe", "hub.verify_token": "guess", "hub.challenge": "1"}
            async with session.get(WHATSAPP, params=query) as answer:
                assert answer.status == 403
            async with session.post(TELEGRAM, data=b"{}", headers={"X-Telegram-Bot-Api-Secret-Token": "no"}) as answer:
                assert answer.status == 403
            async with session.get(f"http://127.0.0.1:{web_port}/metrics") as answer:
                metrics = await answer.text()
    finally:
        await asyncio.to_thread(platform.close)
    counted = dict(re.findall(r"^chat4all_webhooks_received_total(\{.*\}) (\S+)$", metrics, re.MULTILINE))
    assert counted == {
        '{channel="whatsapp",outcome="accepted"}': "2.0",
        '{channel="whatsapp",outcome="ignored"}': "1.0",
        '{channel="whatsapp",outcome="not_authentic"}': "2.0",
        '{channel="whatsapp",outcome="malformed"}': "3.0",
        '{channel="telegram",outcome="not_authentic"}': "1.0",
    }


async def test_instagram_and_telegram_prove_themselves_their_way(session: aiohttp.ClientSession) -> None:
    """Instagram signs; Telegram gives back the secret that it was told."""
    item = {
        "sender": {"id": "777"},
        "recipient": {"id": INSTAGRAM_ID},
        "timestamp": 1,
        "message": {"mid": "m", "text": "hi"},
    }
    body = json.dumps({"object": "instagram", "entry": [{"id": INSTAGRAM_ID, "time": 1, "messaging": [item]}]}).encode()
    async with session.post(
        "/v1/channels/instagram/webhook", data=body, headers=signed(body, INSTAGRAM_SECRET)
    ) as answer:
        assert answer.status == 200
    update = json.dumps(
        {"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": 5}, "text": "hi"}}
    ).encode()
    headers = {"X-Telegram-Bot-Api-Secret-Token": BOT_SECRET, "content-type": "application/json"}
    async with session.post(TELEGRAM, data=update, headers=headers) as answer:
        assert answer.status == 200


async def test_an_unknown_channel_is_not_found(session: aiohttp.ClientSession) -> None:
    """A channel without an account answers 404."""
    async with session.post("/v1/channels/fax/webhook", data=b"{}") as answer:
        assert (answer.status, reason(await answer.json())) == (404, "CHANNEL_NOT_FOUND")


async def test_channels_are_listed_with_what_they_can_do(session: aiohttp.ClientSession) -> None:
    """Clients see which states, sizes and windows each channel knows."""
    ann = await RestUser.join(session)
    _, answer = await ann.get("/v1/channels")
    by_name = {channel["channel"]: channel for channel in answer["channels"]}
    assert list(by_name) == ["instagram", "telegram", "whatsapp"]
    assert by_name["whatsapp"]["states"] == ["DELIVERED", "READ", "FAILED"]
    assert (by_name["whatsapp"]["max_text"], by_name["whatsapp"]["text_unit"]) == (4096, "characters")
    assert by_name["instagram"]["states"] == ["READ", "FAILED"]
    assert by_name["telegram"]["states"] == ["FAILED"]
    assert by_name["whatsapp"]["window"] == "86400s"
