"""An independent client judges the WhatsApp simulator: pywa, told another base URL and nothing else."""

from collections.abc import AsyncIterator

import httpx
import pytest
from channel_clients import ANA, BRUNO, NUMBER
from pywa import errors
from pywa.types.others import SuccessResult
from pywa_async import WhatsApp, handlers, types
from tools.simulators import Channel, CustomerFile, CustomerMessage, Fault, FaultKind, Schedule, Simulators
from webhook_receiver import ReceivedWebhook, WebhookReceiver

_PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


@pytest.fixture
async def client(simulators: Simulators) -> AsyncIterator[WhatsApp]:
    async with httpx.AsyncClient(timeout=60) as session:
        whatsapp = WhatsApp(
            phone_id=NUMBER,
            token="whatsapp-development-token",
            session=session,
            verify_token="chat4all-development",
            app_secret="whatsapp-development-app-secret",
            validate_updates=True,
            continue_handling=True,
        )
        # pywa has no setting for it: it tells its session, which is the caller's.
        session.base_url = httpx.URL(f"{simulators.url}/whatsapp/v23.0")
        yield whatsapp


async def _hand_over(client: WhatsApp, requests: list[ReceivedWebhook]) -> None:
    """Give webhooks to pywa as a web server of its user's own would."""
    for request in requests:
        assert await client.webhook_update_validator(request.body, request.headers["X-Hub-Signature-256"]) is None
        assert await client.webhook_update_handler(request.body) == ("ok", 200)


async def test_text_reply_template_and_media(client: WhatsApp, simulators: Simulators) -> None:
    """pywa sends a text, a template and an upload, and reads the answers."""
    sent = await client.send_message(ANA, "olá", tracker="attempt-1")
    assert (sent.to, sent.from_phone_id) == (ANA, NUMBER)
    await client.send_message(ANA, "again", reply_to_message_id=sent.id)
    await client.send_template(ANA, "hello_world", types.templates.TemplateLanguage.ENGLISH_US, params=[])
    await client.send_image(ANA, _PNG, caption="look", mime_type="image/png")
    logged = simulators.accepted.read()
    assert [(each.type, each.text) for each in logged] == [
        ("text", "olá"),
        ("text", "again"),
        ("template", "Hello World"),
        ("image", "look"),
    ]
    assert (logged[0].opaque, logged[1].reply_to) == ("attempt-1", sent.id)
    assert logged[3].media is not None
    assert logged[3].media.size == len(_PNG)


async def test_media_is_described_and_fetched(client: WhatsApp) -> None:
    """pywa uploads a file, reads its facts, fetches its bytes and deletes it."""
    uploaded = await client.upload_media(_PNG, mime_type="image/png", filename="a.png")
    url = await client.get_media_url(uploaded.id)
    assert (url.mime_type, url.file_size) == ("image/png", len(_PNG))
    assert await client.get_media_bytes(url.url) == _PNG
    assert await client.delete_media(uploaded.id)
    with pytest.raises(errors.WhatsAppError) as refused:
        await client.get_media_url(uploaded.id)
    assert (refused.value.code, refused.value.subcode) == (100, 33)


async def test_webhooks_are_understood(client: WhatsApp, simulators: Simulators, receiver: WebhookReceiver) -> None:
    """pywa takes the signatures, and reads texts, files, reactions, edits, deletions and states."""
    messages: list[types.Message] = []
    others: list[object] = []
    client.add_handlers(*_handlers(messages, others))
    await simulators.service(Channel.WHATSAPP).register_webhook(NUMBER, receiver.url, None)
    customers = simulators.customers(Channel.WHATSAPP)
    first = await customers.send(NUMBER, ANA, CustomerMessage("olá 🎉", name="Ana"))
    await customers.send(NUMBER, ANA, CustomerMessage("look", file=CustomerFile(_PNG, "image/png", "a.png")))
    customers.react(NUMBER, ANA, first, "👍")
    customers.edit(NUMBER, ANA, first, "OLÁ")
    customers.delete(NUMBER, ANA, first)
    sent = await client.send_message(ANA, "x", tracker="t")
    await receiver.until_count(7)
    assert customers.read(NUMBER, ANA, None) == 1
    await _hand_over(client, await receiver.until_count(8))
    by_type = {message.type: message for message in messages}
    assert by_type[types.MessageType.TEXT].text == "olá 🎉"
    assert by_type[types.MessageType.TEXT].from_user.name == "Ana"
    image = by_type[types.MessageType.IMAGE].image
    assert image is not None
    assert await image.get_bytes() == _PNG
    assert by_type[types.MessageType.REACTION].reaction.emoji == "👍"
    edited = next(each for each in others if isinstance(each, types.EditedMessage))
    assert (edited.original_message_id, edited.message.text) == (first, "OLÁ")
    deleted = next(each for each in others if isinstance(each, types.DeletedMessage))
    assert deleted.original_message_id == first
    states = {each.status.name: each for each in others if isinstance(each, types.MessageStatus)}
    assert set(states) == {"SENT", "DELIVERED", "READ"}
    assert {(each.id, each.tracker) for each in states.values()} == {(sent.id, "t")}
    assert (await by_type[types.MessageType.TEXT].reply("hello")).id
    assert (await client.mark_message_as_read(first)) == SuccessResult(success=True)


def _handlers(messages: list[types.Message], others: list[object]) -> list[object]:
    async def on_message(_: WhatsApp, message: types.Message) -> None:
        messages.append(message)

    async def on_other(_: WhatsApp, update: object) -> None:
        others.append(update)

    return [
        handlers.MessageHandler(on_message),
        handlers.MessageStatusHandler(on_other),
        handlers.EditedMessageHandler(on_other),
        handlers.DeletedMessageHandler(on_other),
    ]


async def test_webhook_is_set_by_pywa(client: WhatsApp, simulators: Simulators, receiver: WebhookReceiver) -> None:
    """pywa sets the webhook of the app, of the business account and of the number; the nearest counts, and the next
    one when it is deleted."""
    verify_token, business, app = "chat4all-development", "200000000000001", 300_000_000_000_001
    service = simulators.service(Channel.WHATSAPP)
    token = await client.get_app_access_token(app, "whatsapp-development-app-secret")
    await client.set_app_callback_url(app, token, f"{receiver.url}/app", verify_token, ["messages"])
    assert service.accounts()[0]["webhook_url"] == f"{receiver.url}/app"
    await client.override_waba_callback_url(f"{receiver.url}/business", verify_token, waba_id=business)
    await client.override_phone_callback_url(f"{receiver.url}/phone", verify_token)
    assert service.accounts()[0]["webhook_url"] == f"{receiver.url}/phone"
    await client.delete_phone_callback_url()
    assert service.accounts()[0]["webhook_url"] == f"{receiver.url}/business"
    await client.delete_waba_callback_url(waba_id=business)
    assert service.accounts()[0]["webhook_url"] == f"{receiver.url}/app"
    with pytest.raises(errors.WhatsAppError) as refused:
        await client.override_phone_callback_url(receiver.url, "wrong")
    assert refused.value.code == 2200


@pytest.mark.parametrize(
    ("kind", "error", "status"),
    [
        (FaultKind.RATE_LIMIT, errors.RateLimitHit, 429),
        (FaultKind.PAIR_LIMIT, errors.TooManyMessages, 400),
        (FaultKind.APP_LIMIT, errors.ToManyAPICalls, 429),
        (FaultKind.TOKEN_EXPIRED, errors.ExpiredAccessToken, 401),
        (FaultKind.WINDOW_CLOSED, errors.ReEngagementMessage, 400),
        (FaultKind.SERVER_ERROR, errors.WhatsAppError, 500),
    ],
)
async def test_errors_are_typed(
    client: WhatsApp, simulators: Simulators, kind: FaultKind, error: type[errors.WhatsAppError], status: int
) -> None:
    """pywa raises its own exception for each refusal."""
    simulators.faults.add(Fault(Channel.WHATSAPP, kind, schedule=Schedule(next=1)))
    with pytest.raises(error) as refused:
        await client.send_message(ANA, "x")
    assert refused.value.status_code == status
    assert (await client.send_message(ANA, "x")).id


async def test_dropped_connections(client: WhatsApp, simulators: Simulators) -> None:
    """When the connection breaks pywa can't know whether the message was accepted; the log does."""
    simulators.faults.add(Fault(Channel.WHATSAPP, FaultKind.ACCEPT_THEN_DROP, recipient=ANA))
    simulators.faults.add(Fault(Channel.WHATSAPP, FaultKind.DROP_BEFORE_ACCEPT, recipient=BRUNO))
    for customer in (ANA, BRUNO):
        with pytest.raises(httpx.TransportError):
            await client.send_message(customer, "x")
    assert [(each.recipient, each.answered) for each in simulators.accepted.read()] == [(ANA, False)]


async def test_failed_states_are_typed(client: WhatsApp, simulators: Simulators, receiver: WebhookReceiver) -> None:
    """A message that can't be delivered comes back as pywa's own exception in its state."""
    others: list[object] = []
    client.add_handlers(*_handlers([], others))
    await simulators.service(Channel.WHATSAPP).register_webhook(NUMBER, receiver.url, None)
    simulators.faults.add(Fault(Channel.WHATSAPP, FaultKind.UNDELIVERABLE))
    await client.send_message(ANA, "x")
    await _hand_over(client, await receiver.until_count(1))
    (status,) = others
    assert isinstance(status, types.MessageStatus)
    assert isinstance(status.error, errors.MessageUndeliverable)
