"""The Telegram simulator: what a bot can call."""

import hashlib
import io
from typing import Any

import aiohttp
import pytest
from channel_clients import BOT, TELEGRAM_ANA, Answer, BotClient
from tools.simulators import Channel, CustomerFile, CustomerMessage, Settings, Simulators
from tools.simulators.customer_actions import UnsupportedActionError
from tools.simulators.known_customer import KnownCustomer
from tools.simulators.telegram.settings import TelegramBotSettings, TelegramSettings

_PDF = b"%PDF-1.7" + b"0" * 100


def _result(answer: Answer) -> Any:
    assert answer.json["ok"] is True, answer.json
    return answer.json["result"]


async def test_text(telegram: BotClient, simulators: Simulators) -> None:
    """A text is answered with the whole message, and a reply names what it answers."""
    first = _result(await telegram.send_text("olá"))
    assert first["chat"] == {"id": int(TELEGRAM_ANA), "type": "private", "first_name": "Ana"}
    assert (first["from"]["is_bot"], first["text"]) == (True, "olá")
    reply = _result(await telegram.send_text("two", reply_parameters={"message_id": first["message_id"]}))
    assert reply["reply_to_message"]["message_id"] == first["message_id"]
    logged = simulators.accepted.read(channel="telegram", account=BOT, recipient=TELEGRAM_ANA)
    assert [(message.text, message.reply_to) for message in logged] == [
        ("olá", None),
        ("two", str(first["message_id"])),
    ]


@pytest.mark.parametrize(
    ("method", "values", "status", "description"),
    [
        ("sendMessage", {"text": "x"}, 400, "Bad Request: chat_id is empty"),
        ("sendMessage", {"chat_id": 5, "text": "x"}, 400, "Bad Request: chat not found"),
        ("sendMessage", {"chat_id": TELEGRAM_ANA}, 400, "Bad Request: message text is empty"),
        ("sendMessage", {"chat_id": TELEGRAM_ANA, "text": "🎉" * 2_049}, 400, "Bad Request: message is too long"),
        (
            "sendMessage",
            {"chat_id": TELEGRAM_ANA, "text": "x", "reply_parameters": {"message_id": 99}},
            400,
            "Bad Request: message to be replied not found",
        ),
        (
            "sendDocument",
            {"chat_id": TELEGRAM_ANA, "document": "unknown"},
            400,
            "Bad Request: wrong file identifier/HTTP URL specified",
        ),
        ("sendDocument", {"chat_id": TELEGRAM_ANA}, 400, "Bad Request: there is no document in the request"),
        ("getFile", {"file_id": "unknown"}, 400, "Bad Request: invalid file_id"),
        ("editMessageText", {"chat_id": TELEGRAM_ANA, "message_id": 9}, 400, "Bad Request: message to edit not found"),
        ("deleteMessage", {"chat_id": TELEGRAM_ANA, "message_id": 9}, 400, "Bad Request: message to delete not found"),
        ("setWebhook", {"url": "x", "secret_token": "y"}, 400, "Bad Request: bad webhook: An HTTPS URL must be"),
        ("setWebhook", {"url": "http://127.0.0.1", "secret_token": "é"}, 400, "Bad Request: secret token contains"),
        ("getUpdates", {"limit": 0}, 400, "Bad Request: limit must be between 1 and 100"),
        ("doMagic", {}, 404, "Not Found"),
    ],
)
async def test_refusals(
    telegram: BotClient, simulators: Simulators, method: str, values: dict[str, Any], status: int, description: str
) -> None:
    """What can't be done is refused with the service's code and words, and nobody gets it."""
    answer = await telegram.call(method, values)
    assert (answer.status, answer.json["ok"], answer.json["error_code"]) == (status, False, status)
    assert answer.json["description"].startswith(description)
    assert simulators.accepted.read() == []


async def test_tokens(telegram: BotClient, simulators: Simulators) -> None:
    """An unknown token is unauthorized, what is none is not found, and one that ended too."""
    assert (await BotClient(telegram.session, telegram.url, "1:x").call("getMe")).status == 401
    assert (await BotClient(telegram.session, telegram.url, "x").call("getMe")).status == 404
    assert _result(await telegram.call("getme"))["id"] == int(BOT)
    simulators.service(Channel.TELEGRAM).set_token(BOT, None, 0)
    assert (await telegram.call("getMe")).status == 401


async def test_chat_limit(session: aiohttp.ClientSession) -> None:
    """A chat takes a short burst and then a message a second; the refusal says when."""
    seconds = 1_000_000.0
    async with Simulators(now=lambda: seconds) as simulators:
        telegram = BotClient(session, f"{simulators.url}/telegram")
        assert [(await telegram.send_text("x")).status for _ in range(4)] == [200, 200, 200, 429]
        refused = await telegram.send_text("x")
        assert refused.json["parameters"] == {"retry_after": 1}
        assert refused.json["description"] == "Too Many Requests: retry after 1"
        seconds += 1
        assert [(await telegram.send_text("x")).status for _ in range(2)] == [200, 429]


async def test_bot_and_group_limits(session: aiohttp.ClientSession) -> None:
    """All chats together have 30 messages a second, and a group 20 a minute."""
    people = tuple(KnownCustomer(str(number), "x") for number in range(1, 32))
    bot = TelegramBotSettings(customers=(*people, KnownCustomer("-1001", "group")))
    seconds = 1_000_000.0
    async with Simulators(Settings(telegram=TelegramSettings(bots=(bot,))), now=lambda: seconds) as simulators:
        telegram = BotClient(session, f"{simulators.url}/telegram")
        statuses = [(await telegram.send_text("x", chat_id=person.id)).status for person in people]
        assert statuses == [200] * 30 + [429]
        seconds += 60
        assert [(await telegram.send_text("x", chat_id="-1001")).status for _ in range(21)] == [200] * 20 + [429]


async def test_blocked(telegram: BotClient, simulators: Simulators) -> None:
    """A person who blocked the bot can't be written to, and the bot is told of it."""
    simulators.customers(Channel.TELEGRAM).set_reachable(BOT, TELEGRAM_ANA, False)
    answer = await telegram.send_text("x")
    assert (answer.status, answer.json["description"]) == (403, "Forbidden: bot was blocked by the user")
    (update,) = _result(await telegram.call("getUpdates"))
    assert update["my_chat_member"]["new_chat_member"]["status"] == "kicked"


async def test_file_out_and_in(telegram: BotClient, simulators: Simulators) -> None:
    """A file goes out in a form, by its URL and by the id of an earlier one, and what a person sends is fetched."""
    form = aiohttp.FormData({"chat_id": TELEGRAM_ANA, "caption": "look"})
    form.add_field("document", io.BytesIO(_PDF), filename="a.pdf", content_type="application/pdf")
    document = _result(await telegram.call("sendDocument", data=form))["document"]
    assert (document["file_name"], document["file_size"]) == ("a.pdf", len(_PDF))
    await simulators.customers(Channel.TELEGRAM).send(
        BOT, TELEGRAM_ANA, CustomerMessage("mine", file=CustomerFile(_PDF, "application/pdf", "b.pdf"))
    )
    (update,) = _result(await telegram.call("getUpdates"))
    assert update["message"]["caption"] == "mine"
    file = _result(await telegram.call("getFile", {"file_id": update["message"]["document"]["file_id"]}))
    url = f"{telegram.url}/file/bot{telegram.token}/{file['file_path']}"
    async with telegram.session.get(url) as response:
        assert await response.read() == _PDF
    for name in (url, document["file_id"]):
        assert (await telegram.call("sendDocument", {"chat_id": TELEGRAM_ANA, "document": name})).status == 200
    nowhere = {"chat_id": TELEGRAM_ANA, "document": f"{simulators.url}/nothing"}
    refused = await telegram.call("sendDocument", nowhere)
    logged = simulators.accepted.read()
    assert {message.media.sha256 for message in logged if message.media} == {hashlib.sha256(_PDF).hexdigest()}
    assert len(logged) == 3
    assert refused.json["description"] == "Bad Request: failed to get HTTP URL content"


async def test_edit_and_delete(telegram: BotClient) -> None:
    """The bot's own messages can be changed, and taken back."""
    message_id = _result(await telegram.send_text("one"))["message_id"]
    about = {"chat_id": TELEGRAM_ANA, "message_id": message_id}
    assert _result(await telegram.call("editMessageText", about | {"text": "two"}))["text"] == "two"
    again = await telegram.call("editMessageText", about | {"text": "two"})
    assert again.json["description"].startswith("Bad Request: message is not modified")
    assert _result(await telegram.call("deleteMessage", about)) is True
    assert (await telegram.call("deleteMessage", about)).status == 400


async def test_what_bots_are_not_told(simulators: Simulators) -> None:
    """There is no reading, no deletion and no window for a bot."""
    customers = simulators.customers(Channel.TELEGRAM)
    with pytest.raises(UnsupportedActionError):
        customers.read(BOT, TELEGRAM_ANA, None)
    with pytest.raises(UnsupportedActionError):
        customers.delete(BOT, TELEGRAM_ANA, "1")
    with pytest.raises(UnsupportedActionError):
        customers.set_window(BOT, TELEGRAM_ANA, True)
