"""Conversations that reach people on channels, over REST, with the channels simulated."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from channels_platform import ChannelsPlatform, open_channels_platform, until
from platform_process import MakePlatform
from rest_user import RestUser
from tools.simulators import Channel, CustomerFile, CustomerMessage, Fault, FaultKind, Schedule, Settings
from tools.simulators.whatsapp.settings import WhatsAppSettings

ANA, ANA_WA = "whatsapp:+5511999990001", "5511999990001"
INSTAGRAM, INSTAGRAM_ID = "instagram:6100000000000001", "6100000000000001"
TELEGRAM, TELEGRAM_ID = "telegram:710000001", "710000001"
ADDRESSES = {
    Channel.WHATSAPP: (ANA, ANA_WA),
    Channel.INSTAGRAM: (INSTAGRAM, INSTAGRAM_ID),
    Channel.TELEGRAM: (TELEGRAM, TELEGRAM_ID),
}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(1_000)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(
    make_platform: MakePlatform, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ChannelsPlatform]:
    """One for all tests here: each has people of its own on the platform, and the simulated customers are shared."""
    settings = Settings(whatsapp=WhatsAppSettings(delivered_seconds=0.05, pair_interval_seconds=0.01))
    async with open_channels_platform(make_platform, tmp_path_factory.mktemp("channels"), settings) as opened:
        yield opened


async def _direct(user: RestUser, address: str) -> str:
    status, body = await user.post("/v1/conversations", type="DIRECT", participants=[address])
    assert status == 200, body
    return str(body["conversation"]["conversation_id"])


async def _send(user: RestUser, conversation_id: str, text: str, **more: Any) -> str:
    status, body = await user.post("/v1/messages", conversation_id=conversation_id, text=text, **more)
    assert status == 200, body
    return str(body["message_id"])


async def _message(user: RestUser, message_id: str) -> Any:
    status, body = await user.get(f"/v1/messages/{message_id}")
    assert status == 200, body
    return body["message"]


async def _messages(user: RestUser, conversation_id: str) -> list[Any]:
    _, body = await user.get(f"/v1/conversations/{conversation_id}/messages")
    return list(reversed(body["messages"]))


async def test_a_message_reaches_whatsapp_and_its_states_come_back(platform: ChannelsPlatform) -> None:
    """What a user writes arrives once; the state goes from SENT to DELIVERED to READ as the customer's phone says."""
    user = await RestUser.join(platform.session)
    conversation = await _direct(user, ANA)
    before = len(platform.simulators.accepted.read(recipient=ANA_WA))
    message_id = await _send(user, conversation, "olá 👋")
    [*_, told] = await platform.told(Channel.WHATSAPP, ANA_WA, before + 1)
    assert told.text == "olá 👋"
    await until(lambda: _message(user, message_id), lambda m: m["state"] == "DELIVERED")
    platform.simulators.customers(Channel.WHATSAPP).read("100000000000001", ANA_WA, None)
    message = await until(lambda: _message(user, message_id), lambda m: m["state"] == "READ")
    [recipient] = message["recipients"]
    assert (recipient["participant"], recipient["channel"], recipient["state"]) == (ANA, "whatsapp", "READ")
    states = [change["state"] for change in message["history"] if change["participant"] == ANA]
    assert states[-2:] == ["DELIVERED", "READ"]


@pytest.mark.parametrize("channel", list(ADDRESSES))
async def test_a_customer_answers_in_the_same_conversation(platform: ChannelsPlatform, channel: Channel) -> None:
    """What the customer writes back is in the conversation in which they were written to, from them, in order."""
    address, customer = ADDRESSES[channel]
    user = await RestUser.join(platform.session)
    conversation = await _direct(user, address)
    before = len(platform.simulators.accepted.read(channel=channel, recipient=customer))
    await _send(user, conversation, "question")
    await platform.told(channel, customer, before + 1)
    await platform.customer_writes(channel, customer, CustomerMessage("answer"))
    # Channels call side by side: what they tell at the same time comes in any order.
    await until(lambda: _messages(user, conversation), lambda found: len(found) == 2)
    await platform.customer_writes(channel, customer, CustomerMessage("and more"))
    told = await until(lambda: _messages(user, conversation), lambda found: len(found) == 3)
    assert [(m["sender"], m["text"]) for m in told] == [
        (user.user_id, "question"),
        (address, "answer"),
        (address, "and more"),
    ]


@pytest.mark.parametrize("channel", list(ADDRESSES))
async def test_answers_name_what_they_answer_both_ways(platform: ChannelsPlatform, channel: Channel) -> None:
    """An answer to what the customer wrote is shown on their phone as one; so is one to a message of the user's own,
    and what the customer answers to a message of ours has `reply_to` here."""
    address, customer = ADDRESSES[channel]
    user = await RestUser.join(platform.session)
    conversation = await _direct(user, address)
    before = len(platform.simulators.accepted.read(channel=channel, recipient=customer))
    asked = await _send(user, conversation, "question")
    [*_, question] = await platform.told(channel, customer, before + 1)
    written = CustomerMessage("answer", reply_to=question.message_id)
    answer_id = await platform.customer_writes(channel, customer, written)
    [_, answer] = await until(lambda: _messages(user, conversation), lambda found: len(found) == 2)
    assert answer["reply_to"] == asked
    await _send(user, conversation, "thanks", reply_to=answer["message_id"])
    await _send(user, conversation, "besides", reply_to=asked)
    [*_, thanks, besides] = await platform.told(channel, customer, before + 3)
    assert (thanks.text, thanks.reply_to) == ("thanks", answer_id)
    assert (besides.text, besides.reply_to) == ("besides", question.message_id)


async def test_instagram_reads_and_telegram_only_takes(platform: ChannelsPlatform) -> None:
    """Instagram reports READ without DELIVERED; a message that Telegram took counts as far as it can come."""
    user = await RestUser.join(platform.session)
    by_instagram = await _send(user, await _direct(user, INSTAGRAM), "seen?")
    before = len(platform.simulators.accepted.read(channel=Channel.TELEGRAM))
    by_telegram = await _send(user, await _direct(user, TELEGRAM), "taken")
    await platform.told(Channel.TELEGRAM, TELEGRAM_ID, before + 1)
    await until(
        lambda: _message(user, by_instagram),
        lambda m: any(c["state"] == "SENT" and c["participant"] == INSTAGRAM for c in m["history"]),
    )
    platform.simulators.customers(Channel.INSTAGRAM).read("17841400000000001", INSTAGRAM_ID, None)
    await until(lambda: _message(user, by_instagram), lambda m: m["state"] == "READ")
    message = await _message(user, by_telegram)
    assert message["recipients"][0]["state"] == "SENT"


async def test_a_stranger_reaches_the_inbox(platform: ChannelsPlatform) -> None:
    """Somebody who was never written to gets a conversation with those whom the account's inbox names."""
    await platform.customer_writes(Channel.WHATSAPP, "5511988887777", CustomerMessage("is anybody there?", name="Zoé"))

    async def listed() -> Any:
        _, body = await platform.inbox.get("/v1/conversations")
        return body["conversations"]

    # The conversation is there before what they wrote is.
    found = await until(listed, lambda all_of: any(c["title"] == "Zoé" and c.get("last_message") for c in all_of))
    [conversation] = [c for c in found if c["title"] == "Zoé"]
    assert conversation["last_message"]["text"] == "is anybody there?"
    await _send(platform.inbox, conversation["conversation_id"], "yes")
    [answer] = await platform.told(Channel.WHATSAPP, "5511988887777", 1)
    assert answer.text == "yes"


async def test_whatsapp_reaches_instagram_across_the_platform(platform: ChannelsPlatform) -> None:
    """In a group with people on two channels, what one of them writes goes to the other, and back."""
    user = await RestUser.join(platform.session)
    status, body = await user.post("/v1/conversations", type="GROUP", participants=[ANA, INSTAGRAM], title="both")
    assert status == 200, body
    conversation = body["conversation"]["conversation_id"]
    people = {Channel.WHATSAPP: ANA_WA, Channel.INSTAGRAM: INSTAGRAM_ID}
    before = {c: len(platform.simulators.accepted.read(channel=c, recipient=r)) for c, r in people.items()}
    await _send(user, conversation, "meet each other")
    await platform.told(Channel.WHATSAPP, ANA_WA, before[Channel.WHATSAPP] + 1)
    await platform.told(Channel.INSTAGRAM, INSTAGRAM_ID, before[Channel.INSTAGRAM] + 1)
    await platform.customer_writes(Channel.WHATSAPP, ANA_WA, CustomerMessage("hi from WhatsApp"))
    [*_, across] = await platform.told(Channel.INSTAGRAM, INSTAGRAM_ID, before[Channel.INSTAGRAM] + 2)
    assert across.text == "hi from WhatsApp"
    await platform.customer_writes(Channel.INSTAGRAM, INSTAGRAM_ID, CustomerMessage("hi from Instagram"))
    [*_, back] = await platform.told(Channel.WHATSAPP, ANA_WA, before[Channel.WHATSAPP] + 2)
    assert back.text == "hi from Instagram"


async def test_a_file_goes_out_and_one_comes_in(platform: ChannelsPlatform) -> None:
    """A file of a message arrives on WhatsApp with its bytes and text; one from the customer can be downloaded."""
    user = await RestUser.join(platform.session)
    conversation = await _direct(user, ANA)
    params = {"conversation_id": conversation, "filename": "ponto.png"}
    status, body = await user.call("POST", "/v1/files", params=params, data=PNG)
    assert status == 200, body
    before = len(platform.simulators.accepted.read(channel=Channel.WHATSAPP, recipient=ANA_WA))
    await _send(user, conversation, "legenda", file_id=body["file"]["file_id"])
    [*_, told] = await platform.told(Channel.WHATSAPP, ANA_WA, before + 1)
    assert (told.text, told.media.size) == ("legenda", len(PNG))
    file = CustomerFile(PNG, "image/png", "foto.png")
    await platform.customer_writes(Channel.WHATSAPP, ANA_WA, CustomerMessage("minha foto", file=file))
    [_, received] = await until(lambda: _messages(user, conversation), lambda found: len(found) == 2)
    assert (received["text"], received["file"]["size_bytes"], received["file"]["mime_type"]) == (
        "minha foto",
        str(len(PNG)),
        "image/png",
    )
    async with platform.session.get(received["file"]["download_url"]) as answer:
        assert await answer.read() == PNG


async def test_what_can_never_be_delivered_is_failed_with_a_remedy(platform: ChannelsPlatform) -> None:
    """A number that is not on WhatsApp makes the message FAILED, with the channel's code and what helps."""
    user = await RestUser.join(platform.session)
    platform.simulators.faults.add(
        Fault(Channel.WHATSAPP, FaultKind.UNDELIVERABLE, schedule=Schedule(next=1), recipient=ANA_WA)
    )
    message_id = await _send(user, await _direct(user, ANA), "lost")
    message = await until(lambda: _message(user, message_id), lambda m: m["state"] == "FAILED")
    [recipient] = message["recipients"]
    assert recipient["failure"]["code"] == "131026"
    assert recipient["failure"]["reason"]
    assert recipient["failure"]["remedy"]


async def test_an_answer_that_never_came_is_settled_by_a_later_status(platform: ChannelsPlatform) -> None:
    """A message that WhatsApp took without answering is not sent again, and is DELIVERED once WhatsApp says so."""
    user = await RestUser.join(platform.session)
    platform.simulators.faults.add(
        Fault(Channel.WHATSAPP, FaultKind.ACCEPT_THEN_DROP, schedule=Schedule(next=1), recipient=ANA_WA)
    )
    before = len(platform.simulators.accepted.read(channel=Channel.WHATSAPP, recipient=ANA_WA))
    message_id = await _send(user, await _direct(user, ANA), "once")
    await until(lambda: _message(user, message_id), lambda m: m["state"] == "DELIVERED")
    told = platform.simulators.accepted.read(channel=Channel.WHATSAPP, recipient=ANA_WA)[before:]
    assert [message.text for message in told] == ["once"]
