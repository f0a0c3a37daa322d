"""What every channel has to do: a new one passes this suite."""

import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from channel_under_test import ChannelUnderTest
from tools.simulators import CustomerFile, CustomerMessage, Fault, FaultKind, Schedule, Simulators
from webhook_receiver import WebhookReceiver

from chat4all_channels.channel import (
    ChannelAccount,
    Envelope,
    FetchesMedia,
    OutgoingFile,
    ReceivesWebhooks,
    SendsFiles,
    WebhookError,
)
from chat4all_channels.event import Received, Unsupported
from chat4all_channels.outcome import Accepted, AccountRefused, Refused, RetryAfter, Undecided
from chat4all_channels.registry import REGISTRY
from chat4all_core.domain.channel import parse_channel_address
from chat4all_core.domain.file import Attachment
from chat4all_core.domain.ids import FileId

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@asynccontextmanager
async def _serving(content: bytes, mime_type: str) -> AsyncIterator[str]:
    """A URL where the channel may fetch bytes."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=content, content_type=mime_type)

    application = web.Application()
    application.router.add_get("/{name}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/ponto.png"
    finally:
        await runner.cleanup()


async def _bytes() -> AsyncIterator[bytes]:
    yield PNG[:10]
    yield PNG[10:]


def test_its_capabilities_agree_with_each_other(tested: ChannelUnderTest) -> None:
    """The example is an address, the pattern takes nothing that could be a user's id, and limits are above 0."""
    capabilities = REGISTRY[tested.name].channel.capabilities
    assert capabilities.channel == tested.name
    assert re.fullmatch("[a-z]+", capabilities.channel)
    assert parse_channel_address(capabilities.address_example, [capabilities]) is not None
    assert capabilities.allows(tested.person)
    for wrong in ("", " ", "a:b", "0190163d-8694-739b-aea5-966c26f8ad91", f"{tested.person}\n", "١٢٣٤٥٦٧٨"):
        assert not capabilities.allows(wrong), wrong
    assert capabilities.max_text > 0
    assert capabilities.text_unit in ("characters", "bytes")


async def test_a_text_is_taken_once(tested: ChannelUnderTest, simulators: Simulators, account: ChannelAccount) -> None:
    """What is told arrives as it is, for that person, and the outcome names it as the channel does."""
    outcome = await account.send_text(Envelope(tested.person, opaque="c4a1:x"), "olá 👋\nsecond line")
    assert isinstance(outcome, Accepted)
    [message] = simulators.accepted.read(channel=tested.simulated)
    assert (message.recipient, message.text) == (tested.customer, "olá 👋\nsecond line")
    assert outcome.provider_id.endswith(message.message_id)


async def test_the_longest_text_is_taken(
    tested: ChannelUnderTest, simulators: Simulators, account: ChannelAccount
) -> None:
    """A text of exactly the declared length is taken whole."""
    text = "x" * account.capabilities.max_text
    assert isinstance(await account.send_text(Envelope(tested.person), text), Accepted)
    [message] = simulators.accepted.read(channel=tested.simulated)
    assert message.text == text


async def test_an_answer_names_the_message_it_answers(
    tested: ChannelUnderTest, simulators: Simulators, account: ChannelAccount
) -> None:
    """A reply is shown as one."""
    first = await account.send_text(Envelope(tested.person), "first")
    assert isinstance(first, Accepted)
    second = await account.send_text(Envelope(tested.person, reply_to=first.provider_id), "second")
    assert isinstance(second, Accepted)
    [told, reply] = simulators.accepted.read(channel=tested.simulated)
    assert reply.reply_to == told.message_id


async def test_a_file_is_taken(tested: ChannelUnderTest, simulators: Simulators, account: ChannelAccount) -> None:
    """A file arrives with its bytes, with as much of a text as may go with it."""
    assert isinstance(account, SendsFiles)
    file = Attachment(FileId("file"), "ponto.png", len(PNG), "image/png", "")
    assert account.takes(file)
    async with _serving(PNG, "image/png") as link:
        caption = "legenda" if account.max_caption(file) else ""
        outcome = await account.send_file(Envelope(tested.person), OutgoingFile(file, caption, link, _bytes))
    assert isinstance(outcome, Accepted), outcome
    [message] = simulators.accepted.read(channel=tested.simulated)
    assert message.media is not None
    assert (message.media.size, message.text) == (len(PNG), caption)


async def test_too_large_a_file_is_not_taken(account: ChannelAccount) -> None:
    """What is larger than the channel allows is known before it is told."""
    assert isinstance(account, SendsFiles)
    for mime_type in ("image/png", "video/mp4", "application/pdf", "x/unknown"):
        size = account.capabilities.max_file_bytes + 1
        assert not account.takes(Attachment(FileId("file"), "large", size, mime_type, ""))


async def test_whoever_cannot_be_reached_is_refused_for_good(
    tested: ChannelUnderTest, simulators: Simulators, account: ChannelAccount
) -> None:
    """A message to somebody who never wrote is refused with the channel's code, a reason and a remedy."""
    outcome = await account.send_text(Envelope(tested.stranger), "hello")
    assert isinstance(outcome, Refused), outcome
    assert outcome.failure.code
    assert outcome.failure.reason
    assert outcome.failure.remedy
    assert not simulators.accepted.read(channel=tested.simulated)


async def test_a_wrong_token_stops_the_account(
    tested: ChannelUnderTest, simulators: Simulators, session: aiohttp.ClientSession
) -> None:
    """A token that is wrong is no message's fault."""
    account = REGISTRY[tested.name].account(tested.without_token(simulators.url), session)
    outcome = await account.send_text(Envelope(tested.person), "hello")
    assert isinstance(outcome, AccountRefused), outcome
    assert outcome.failure.remedy


@pytest.mark.parametrize("kind", [FaultKind.RATE_LIMIT, FaultKind.SERVER_ERROR])
async def test_what_may_be_taken_later_is_to_be_told_again(
    tested: ChannelUnderTest, simulators: Simulators, account: ChannelAccount, kind: FaultKind
) -> None:
    """A limit or a fault of the channel's is an outcome that says so, and the next call is taken."""
    simulators.faults.add(Fault(tested.simulated, kind, schedule=Schedule(next=1), seconds=7.0))
    outcome = await account.send_text(Envelope(tested.person), "hello")
    assert isinstance(outcome, RetryAfter), outcome
    if kind is FaultKind.RATE_LIMIT:
        assert outcome.seconds == (7.0 if tested.says_when else 0.0)
    assert isinstance(await account.send_text(Envelope(tested.person), "hello"), Accepted)
    assert len(simulators.accepted.read(channel=tested.simulated)) == 1


@pytest.mark.parametrize("kind", [FaultKind.ACCEPT_THEN_DROP, FaultKind.DROP_BEFORE_ACCEPT])
async def test_an_answer_that_never_came_decides_nothing(
    tested: ChannelUnderTest, simulators: Simulators, account: ChannelAccount, kind: FaultKind
) -> None:
    """A connection that breaks after the message was sent says neither that it was taken nor that it was not."""
    simulators.faults.add(Fault(tested.simulated, kind, schedule=Schedule(next=1)))
    assert isinstance(await account.send_text(Envelope(tested.person), "hello"), Undecided)
    told = simulators.accepted.read(channel=tested.simulated)
    assert len(told) == (1 if kind is FaultKind.ACCEPT_THEN_DROP else 0)


async def test_a_channel_that_is_away_was_told_nothing(
    tested: ChannelUnderTest, session: aiohttp.ClientSession
) -> None:
    """Where no connection can be made, the message may be told again."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        account = REGISTRY[tested.name].account(tested.config(url), session)
        assert isinstance(await account.send_text(Envelope(tested.person), "hello"), RetryAfter)


async def test_what_a_person_writes_is_read(
    tested: ChannelUnderTest, simulators: Simulators, account: ChannelAccount, webhook: WebhookReceiver
) -> None:
    """The channel's call is authentic for the account alone, and tells who wrote what, and when."""
    channel = REGISTRY[tested.name].channel
    provider_id = await simulators.customers(tested.simulated).send(
        tested.account, tested.customer, CustomerMessage("olá 👋")
    )
    [call] = await webhook.until_count(1)
    headers = {name.lower(): value for name, value in call.headers.items()}
    assert isinstance(account, ReceivesWebhooks)
    assert account.authentic(headers, call.body)
    [piece] = channel.split(call.body, [account.account_id])
    assert (piece.account, piece.key) == (account.account_id, tested.person)
    [event] = channel.parse(piece.account, piece.body)
    assert isinstance(event, Received)
    assert (event.account, event.sender, event.text) == (account.account_id, tested.person, "olá 👋")
    assert event.provider_id.endswith(provider_id)
    assert event.time > 1_600_000_000_000_000
    assert channel.split(call.body, []) == []


async def test_media_of_a_person_are_fetched(
    tested: ChannelUnderTest, simulators: Simulators, account: ChannelAccount, webhook: WebhookReceiver
) -> None:
    """A file that a person sends is named in the message, and its bytes can be had."""
    channel = REGISTRY[tested.name].channel
    file = CustomerFile(PNG, "image/png", "ponto.png")
    await simulators.customers(tested.simulated).send(tested.account, tested.customer, CustomerMessage(file=file))
    [call] = await webhook.until_count(1)
    [piece] = channel.split(call.body, [account.account_id])
    [event] = channel.parse(piece.account, piece.body)
    assert isinstance(event, Received)
    [media] = event.media
    assert media.filename
    assert isinstance(account, FetchesMedia)
    assert b"".join([chunk async for chunk in account.fetch_media(media)]) == PNG


async def test_nobody_else_is_believed(
    tested: ChannelUnderTest, simulators: Simulators, account: ChannelAccount, webhook: WebhookReceiver
) -> None:
    """Without what proves it, or with anything else there, a call is not authentic."""
    await simulators.customers(tested.simulated).send(tested.account, tested.customer, CustomerMessage("hi"))
    [call] = await webhook.until_count(1)
    headers = {name.lower(): value for name, value in call.headers.items()}
    assert isinstance(account, ReceivesWebhooks)
    assert not account.authentic({}, call.body)
    for name, value in headers.items():
        if account.authentic({name: value}, call.body):
            for wrong in (value[:-1], value + "0", value[:-1] + "é", "", "sha256=", value.replace("=", "")[::-1]):
                assert not account.authentic({**headers, name: wrong}, call.body)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b"\xff", b'"text"', b"[" * 50_000])
def test_what_is_not_in_its_form_is_an_error(tested: ChannelUnderTest, body: bytes) -> None:
    """Neither splitting nor parsing raises anything else."""
    channel = REGISTRY[tested.name].channel
    config = tested.config("http://127.0.0.1:9")
    account = REGISTRY[tested.name].account(config, None).account_id  # type: ignore[arg-type]  # it calls nobody
    with pytest.raises(WebhookError):
        channel.split(body, [account])
    with pytest.raises(WebhookError):
        channel.parse(account, body)


async def test_what_is_cut_or_changed_anywhere_breaks_nothing(
    tested: ChannelUnderTest, simulators: Simulators, account: ChannelAccount, webhook: WebhookReceiver
) -> None:
    """Whatever value stands wherever in what the channel tells, it is read as something or refused as no webhook."""
    channel = REGISTRY[tested.name].channel
    await simulators.customers(tested.simulated).send(tested.account, tested.customer, CustomerMessage("hi"))
    [call] = await webhook.until_count(1)
    values = [b"null", b"[]", b"{}", b"-1", b"1e999", b'"\\ud800\\u0000"', b"true"]
    for found in re.finditer(rb'"[^"]*"(?!:)|\d+', call.body):
        for value in values:
            changed = call.body[: found.start()] + value + call.body[found.end() :]
            try:
                for piece in channel.split(changed, [account.account_id]):
                    channel.parse(piece.account, piece.body)
            except WebhookError:
                continue


async def test_what_this_release_does_not_know_is_told_apart(
    tested: ChannelUnderTest, simulators: Simulators, account: ChannelAccount, webhook: WebhookReceiver
) -> None:
    """A message of a kind that nobody knows is no error."""
    channel = REGISTRY[tested.name].channel
    await simulators.customers(tested.simulated).send(
        tested.account, tested.customer, CustomerMessage(unsupported=True)
    )
    [call] = await webhook.until_count(1)
    [piece] = channel.split(call.body, [account.account_id])
    [event] = channel.parse(piece.account, piece.body)
    assert isinstance(event, Unsupported)
