"""How a bot of the Telegram simulator learns what happens: by asking, or by its webhook."""

import asyncio
from typing import Any

import pytest
from channel_clients import BOT, TELEGRAM_ANA, Answer, BotClient
from tools.simulators import Channel, CustomerMessage, Fault, FaultKind, Schedule, Settings, Simulators
from tools.simulators.telegram.settings import TelegramSettings
from webhook_receiver import ReceivedWebhook, WebhookReceiver

_SECRET = "telegram-development-secret"


async def _write(simulators: Simulators, text: str) -> str:
    return await simulators.customers(Channel.TELEGRAM).send(BOT, TELEGRAM_ANA, CustomerMessage(text))


def _texts(updates: list[Any]) -> list[str]:
    return [update["message"]["text"] for update in updates]


def _pushed(requests: list[ReceivedWebhook]) -> list[str]:
    return _texts([request.payload for request in requests])


async def test_offset_confirms(telegram: BotClient, simulators: Simulators) -> None:
    """Updates come again until an offset beyond them is asked for; their ids rise one by one."""
    for text in ("one", "two", "three"):
        await _write(simulators, text)
    updates = (await telegram.call("getUpdates", {"limit": 2})).json["result"]
    assert _texts(updates) == ["one", "two"]
    assert updates[1]["update_id"] == updates[0]["update_id"] + 1
    again = (await telegram.call("getUpdates", {"offset": updates[0]["update_id"] + 1})).json["result"]
    assert _texts(again) == ["two", "three"]
    assert _texts((await telegram.call("getUpdates", {"offset": -1})).json["result"]) == ["three"]


async def test_long_poll_returns_when_something_happens(telegram: BotClient, simulators: Simulators) -> None:
    """A poller that waits gets an update as soon as there is one."""
    waiting = asyncio.create_task(telegram.call("getUpdates", {"timeout": 50}))
    await _until_polled(telegram)
    await _write(simulators, "now")
    answers = [await waiting, await telegram.call("getUpdates")]
    assert "now" in [text for answer in answers if answer.status == 200 for text in _texts(answer.json["result"])]


async def _until_polled(telegram: BotClient) -> None:
    # A call that waits for nothing is answered behind those that came before it on the server's loop.
    await telegram.call("getMe")


async def test_second_poller_ends_the_first(telegram: BotClient) -> None:
    """Of two pollers at the same time the earlier one gets 409."""
    first = asyncio.create_task(telegram.call("getUpdates", {"timeout": 50}))
    conflicted: Answer | None = None
    async with asyncio.timeout(60):
        while conflicted is None:
            await telegram.call("getUpdates", {"timeout": 0})
            if first.done():
                conflicted = first.result()
            await asyncio.sleep(0)
    assert conflicted.status == 409
    assert conflicted.json["description"].startswith("Conflict: terminated by other getUpdates request")


async def test_kinds_of_updates(telegram: BotClient, simulators: Simulators) -> None:
    """Reactions come only to a bot that asked for them by name."""
    customers = simulators.customers(Channel.TELEGRAM)
    message_id = await _write(simulators, "one")
    customers.react(BOT, TELEGRAM_ANA, message_id, "👍")
    customers.edit(BOT, TELEGRAM_ANA, message_id, "ONE")
    updates = (await telegram.call("getUpdates", {"allowed_updates": ["message_reaction"]})).json["result"]
    assert [set(update) - {"update_id"} for update in updates] == [{"message"}, {"edited_message"}]
    await _write(simulators, "two")
    customers.react(BOT, TELEGRAM_ANA, message_id, "👍")
    offset = updates[-1]["update_id"] + 1
    (reaction,) = (await telegram.call("getUpdates", {"offset": offset})).json["result"]
    assert reaction["message_reaction"]["new_reaction"] == [{"type": "emoji", "emoji": "👍"}]


async def test_updates_are_kept_a_day(telegram: BotClient) -> None:
    """An update that nobody takes for 24 hours is gone."""
    seconds = 1_000_000.0
    async with Simulators(now=lambda: seconds) as simulators:
        client = BotClient(telegram.session, f"{simulators.url}/telegram")
        await _write(simulators, "one")
        seconds += 86_399
        assert len((await client.call("getUpdates")).json["result"]) == 1
        seconds += 1
        assert (await client.call("getUpdates")).json["result"] == []


async def test_webhook(telegram: BotClient, simulators: Simulators, receiver: WebhookReceiver) -> None:
    """A webhook gets what waited and what follows, with the secret in its header; meanwhile nobody can poll."""
    await _write(simulators, "before")
    setting = {"url": receiver.url, "secret_token": "s3cret", "max_connections": 1}
    assert (await telegram.call("setWebhook", setting)).json["result"] is True
    await _write(simulators, "after")
    requests = await receiver.until_count(2)
    assert _pushed(requests) == ["before", "after"]
    assert {request.headers["X-Telegram-Bot-Api-Secret-Token"] for request in requests} == {"s3cret"}
    polled = await telegram.call("getUpdates")
    assert (polled.status, polled.json["error_code"]) == (409, 409)
    info = (await telegram.call("getWebhookInfo")).json["result"]
    assert (info["url"], info["max_connections"]) == (receiver.url, 1)
    assert (await telegram.call("deleteWebhook")).json["result"] is True
    await _write(simulators, "polled")
    assert _texts((await telegram.call("getUpdates")).json["result"])[-1:] == ["polled"]


async def test_webhook_is_tried_again(telegram: BotClient, simulators: Simulators, receiver: WebhookReceiver) -> None:
    """An update that isn't taken comes again until it is, and getWebhookInfo tells of the failure."""
    receiver.answers.extend([500, 403])
    await simulators.service(Channel.TELEGRAM).register_webhook(BOT, receiver.url, None)
    await _write(simulators, "one")
    requests = await receiver.until_count(3)
    assert _pushed(requests) == ["one"] * 3
    assert len({request.payload["update_id"] for request in requests}) == 1
    assert requests[0].headers["X-Telegram-Bot-Api-Secret-Token"] == _SECRET
    info = (await telegram.call("getWebhookInfo")).json["result"]
    assert info["last_error_message"] == "Wrong response from the webhook: 403"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (FaultKind.LOST_WEBHOOK, ["two"]),
        (FaultKind.DUPLICATED_WEBHOOK, ["one", "one", "two"]),
        (FaultKind.REORDERED_WEBHOOK, ["two", "one"]),
    ],
)
async def test_webhook_faults(
    simulators: Simulators, receiver: WebhookReceiver, kind: FaultKind, expected: list[str]
) -> None:
    """An update is lost, comes twice, or comes behind a later one."""
    simulators.faults.add(Fault(Channel.TELEGRAM, kind, schedule=Schedule(next=1)))
    await simulators.service(Channel.TELEGRAM).register_webhook(BOT, receiver.url, None)
    await _write(simulators, "one")
    await _write(simulators, "two")
    requests = await receiver.until_count(len(expected))
    received = _pushed(requests)
    assert sorted(received) == sorted(expected)
    if kind is FaultKind.REORDERED_WEBHOOK:
        assert received == expected


async def test_public_service_wants_https(telegram: BotClient) -> None:
    """As with the public service, a webhook can be bound to https and four ports."""
    async with Simulators(Settings(telegram=TelegramSettings(https_only=True))) as simulators:
        client = BotClient(telegram.session, f"{simulators.url}/telegram")
        for url in ("http://example.com/", "https://example.com:9000/"):
            assert (await client.call("setWebhook", {"url": url})).status == 400
        assert (await client.call("setWebhook", {"url": "https://example.com:8443/"})).status == 200
        assert (await client.call("deleteWebhook")).status == 200
