"""An independent client judges the Telegram simulator: python-telegram-bot, told another base URL and nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from channel_clients import BOT, BOT_TOKEN, TELEGRAM_ANA
from telegram import Bot, ReplyParameters, Update
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter
from telegram.ext import Application, ContextTypes, MessageHandler, filters
from telegram.request import HTTPXRequest
from tools.simulators import Channel, CustomerFile, CustomerMessage, Fault, FaultKind, Schedule, Settings, Simulators
from tools.simulators.telegram.settings import TelegramSettings
from webhook_receiver import WebhookReceiver

_PDF = b"%PDF-1.7" + b"0" * 100


@pytest.fixture
def settings() -> Settings:
    """A chat takes as many messages as a test sends."""
    return Settings(telegram=TelegramSettings(chat_burst=30))


def _bot(simulators: Simulators, token: str = BOT_TOKEN) -> Bot:
    base = f"{simulators.url}/telegram"
    return Bot(
        token,
        base_url=f"{base}/bot",
        base_file_url=f"{base}/file/bot",
        request=_patient_request(),
        get_updates_request=_patient_request(),
    )


def _patient_request() -> HTTPXRequest:
    """The library's own, with deadlines for a busy machine."""
    return HTTPXRequest(read_timeout=60, write_timeout=60, connect_timeout=60, pool_timeout=60, media_write_timeout=60)


@pytest.fixture
async def bot(simulators: Simulators) -> AsyncIterator[Bot]:
    async with _bot(simulators) as running:
        yield running


async def test_sending(bot: Bot, simulators: Simulators) -> None:
    """The library sends texts, replies and files, edits and deletes, and reads the answers."""
    assert (await bot.get_me()).username == "chat4all_development_bot"
    sent = await bot.send_message(TELEGRAM_ANA, "olá")
    reply = await bot.send_message(TELEGRAM_ANA, "two", reply_parameters=ReplyParameters(sent.message_id))
    assert reply.reply_to_message is not None
    assert reply.reply_to_message.message_id == sent.message_id
    document = await bot.send_document(TELEGRAM_ANA, _PDF, caption="look", filename="a.pdf")
    assert document.document is not None
    assert (document.document.file_name, document.document.file_size) == ("a.pdf", len(_PDF))
    photo = await bot.send_photo(TELEGRAM_ANA, b"\x89PNG\r\n\x1a\n00")
    assert photo.photo
    again = await bot.send_document(TELEGRAM_ANA, document.document.file_id)
    assert again.document is not None
    file = await bot.get_file(again.document.file_id)
    assert bytes(await file.download_as_bytearray()) == _PDF
    edited = await sent.edit_text("OLÁ")
    assert isinstance(edited, type(sent))
    assert edited.text == "OLÁ"
    assert await sent.delete()
    assert await bot.send_chat_action(TELEGRAM_ANA, "typing")
    types = [message.type for message in simulators.accepted.read(recipient=TELEGRAM_ANA)]
    assert types == ["text", "text", "document", "photo", "document"]


@pytest.mark.filterwarnings("ignore:Deprecated since version v22.2")  # about RetryAfter, whatever its user does
async def test_errors_are_typed(bot: Bot, simulators: Simulators) -> None:
    """The library raises its own exception for each refusal."""
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(5, "x")
    simulators.faults.add(Fault(Channel.TELEGRAM, FaultKind.RATE_LIMIT, schedule=Schedule(next=1), seconds=7))
    with pytest.raises(RetryAfter) as limited:
        await bot.send_message(TELEGRAM_ANA, "x")
    assert "7" in str(limited.value)
    simulators.faults.add(Fault(Channel.TELEGRAM, FaultKind.SERVER_ERROR, schedule=Schedule(next=1)))
    with pytest.raises(NetworkError):
        await bot.send_message(TELEGRAM_ANA, "x")
    simulators.faults.add(Fault(Channel.TELEGRAM, FaultKind.ACCEPT_THEN_DROP, schedule=Schedule(next=1)))
    with pytest.raises(NetworkError):
        await bot.send_message(TELEGRAM_ANA, "dropped")
    assert [(each.text, each.answered) for each in simulators.accepted.read()] == [("dropped", False)]
    simulators.customers(Channel.TELEGRAM).set_reachable(BOT, TELEGRAM_ANA, False)
    with pytest.raises(Forbidden, match="blocked"):
        await bot.send_message(TELEGRAM_ANA, "x")
    wrong = _bot(simulators, "1:wrong")
    with pytest.raises(InvalidToken):
        await wrong.initialize()
    await wrong.shutdown()


async def test_polling(simulators: Simulators) -> None:
    """The library's own updater polls, and its handlers get texts, files and edits."""
    received: asyncio.Queue[Update] = asyncio.Queue()

    async def take(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        await received.put(update)

    application = Application.builder().bot(_bot(simulators)).build()
    application.add_handler(MessageHandler(filters.ALL, take))
    customers = simulators.customers(Channel.TELEGRAM)
    async with application:
        assert application.updater is not None
        await application.start()
        await application.updater.start_polling(poll_interval=0)
        message_id = await customers.send(BOT, TELEGRAM_ANA, CustomerMessage("/start"))
        file = CustomerFile(_PDF, "application/pdf", "b.pdf")
        await customers.send(BOT, TELEGRAM_ANA, CustomerMessage("mine", file=file))
        customers.edit(BOT, TELEGRAM_ANA, message_id, "changed")
        async with asyncio.timeout(60):
            updates = [await received.get() for _ in range(3)]
        await application.updater.stop()
        await application.stop()
    assert updates[0].message is not None
    assert updates[0].message.parse_entities()
    assert updates[1].message is not None
    assert updates[1].message.caption == "mine"
    assert updates[2].edited_message is not None
    assert updates[2].edited_message.text == "changed"


async def test_webhook(bot: Bot, simulators: Simulators, receiver: WebhookReceiver) -> None:
    """A webhook that the library sets gets updates that the library reads, and polling conflicts."""
    assert await bot.set_webhook(receiver.url, secret_token="s3cret")
    assert (await bot.get_webhook_info()).url == receiver.url
    await simulators.customers(Channel.TELEGRAM).send(BOT, TELEGRAM_ANA, CustomerMessage("olá"))
    (request,) = await receiver.until_count(1)
    update = Update.de_json(json.loads(request.body), bot)
    assert update.message is not None
    assert update.message.text == "olá"
    assert update.effective_user is not None
    assert update.effective_user.first_name == "Ana"
    with pytest.raises(Conflict):
        await bot.get_updates()
    assert await bot.delete_webhook(drop_pending_updates=True)
    assert (await bot.get_webhook_info()).pending_update_count == 0
