"""What people write on channels, seen by the people who get it."""

import asyncio
import itertools
import json
from typing import Any

import pytest
from channel_accounts import APP_SECRET, BOT_SECRET, INSTAGRAM_ID, INSTAGRAM_SECRET, NUMBER, signed
from google.api.httpbody_pb2 import HttpBody
from grpc_platform import GrpcPlatform, Person
from log_reader import reading

from chat4all.channels.v1 import channel_service_pb2 as channel_pb
from chat4all.channels.v1.channel_service_pb2_grpc import ChannelServiceStub
from chat4all.messaging.v1 import conversation_pb2
from chat4all.messaging.v1 import messaging_service_pb2 as pb
from chat4all.messaging.v1.message_pb2 import Message

DIRECT, GROUP = conversation_pb2.ConversationType.DIRECT, conversation_pb2.ConversationType.GROUP
BEA, CAI, DAN = "whatsapp:+5511987654321", "telegram:4711", "instagram:777"

_numbers = itertools.count(1)


@pytest.fixture
async def ann(grpc_platform: GrpcPlatform) -> Person:
    """Who gets what strangers write."""
    return await grpc_platform.person(username="ann")


class Channels:
    """Calls the platform as the channels do."""

    def __init__(self, platform: GrpcPlatform) -> None:
        self._stub = ChannelServiceStub(platform.channel)

    async def whatsapp(self, text: str, provider_id: str | None = None, **more: Any) -> str:
        """Bea writes on WhatsApp; the message's id there."""
        provider_id = provider_id or f"wamid.{next(_numbers)}"
        message = {"from": "5511987654321", "id": provider_id, "timestamp": "1700000000", "type": "text"}
        message |= {"text": {"body": text}} | more
        value = {
            "metadata": {"phone_number_id": NUMBER},
            "contacts": [{"profile": {"name": "Bea"}, "wa_id": "5511987654321"}],
            "messages": [message],
        }
        change = {"field": "messages", "value": value}
        body = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}
        await self._call("whatsapp", body, APP_SECRET)
        return provider_id

    async def instagram(self, **item: Any) -> None:
        """Dan does something on Instagram."""
        around = {"sender": {"id": "777"}, "recipient": {"id": INSTAGRAM_ID}, "timestamp": 1_700_000_000_000}
        entry = {"id": INSTAGRAM_ID, "time": 1, "messaging": [{**around, **item}]}
        await self._call("instagram", {"object": "instagram", "entry": [entry]}, INSTAGRAM_SECRET)

    async def telegram(self, **update: Any) -> None:
        """Cai does something on Telegram."""
        await self._call("telegram", {"update_id": next(_numbers), **update}, "")

    async def _call(self, channel: str, body: Any, secret: str) -> None:
        data = json.dumps(body).encode()
        headers = signed(data, secret) if secret else {"x-telegram-bot-api-secret-token": BOT_SECRET}
        metadata = [(name, value) for name, value in headers.items() if name != "content-type"]
        request = channel_pb.ReceiveWebhookRequest(channel=channel, body=HttpBody(data=data))
        await self._stub.ReceiveWebhook(request, metadata=metadata)


@pytest.fixture
def channels(grpc_platform: GrpcPlatform) -> Channels:
    return Channels(grpc_platform)


async def conversation_with(platform: GrpcPlatform, reader: Person, participant: str) -> str:
    """The reader's conversation with somebody, once there is one."""
    async with asyncio.timeout(30):
        while True:
            listed = await platform.messaging.ListConversations(pb.ListConversationsRequest(), metadata=reader.metadata)
            for conversation in listed.conversations:
                request = pb.GetConversationRequest(conversation_id=conversation.conversation_id)
                found = await platform.messaging.GetConversation(request, metadata=reader.metadata)
                if participant in {p.participant for p in found.conversation.participants}:
                    return conversation.conversation_id
            await asyncio.sleep(0.01)


async def messages(platform: GrpcPlatform, reader: Person, conversation_id: str, count: int) -> list[Message]:
    """The messages of a conversation, oldest first, once there are `count` of them."""
    request = pb.ListMessagesRequest(conversation_id=conversation_id, page_size=100)
    async with asyncio.timeout(30):
        while True:
            page = await platform.messaging.ListMessages(request, metadata=reader.metadata)
            if len(page.messages) >= count:
                return list(reversed(page.messages))
            await asyncio.sleep(0.01)


async def test_a_stranger_gets_a_conversation_with_the_inbox(
    grpc_platform: GrpcPlatform, ann: Person, channels: Channels
) -> None:
    """What a stranger writes makes one conversation, named after them, and what they write next is in it, in order."""
    for text in ("olá 👋", "are you there?", "hello?"):
        await channels.whatsapp(text)
    conversation_id = await conversation_with(grpc_platform, ann, BEA)
    told = await messages(grpc_platform, ann, conversation_id, 3)
    assert [(m.sequence, m.sender, m.text) for m in told] == [
        (1, BEA, "olá 👋"),
        (2, BEA, "are you there?"),
        (3, BEA, "hello?"),
    ]
    request = pb.GetConversationRequest(conversation_id=conversation_id)
    made = (await grpc_platform.messaging.GetConversation(request, metadata=ann.metadata)).conversation
    assert (made.title, made.type) == ("Bea", GROUP)


async def test_what_is_told_twice_is_there_once(grpc_platform: GrpcPlatform, ann: Person, channels: Channels) -> None:
    """A webhook that comes again, at once or after others, changes nothing."""
    first = await channels.whatsapp("once")
    await channels.whatsapp("once", first)
    await channels.whatsapp("after")
    await channels.whatsapp("once", first)
    await channels.whatsapp("last")
    conversation_id = await conversation_with(grpc_platform, ann, BEA)
    told = await messages(grpc_platform, ann, conversation_id, 3)
    assert [m.text for m in told] == ["once", "after", "last"]


async def test_an_answer_lands_where_the_person_was_written_to(
    grpc_platform: GrpcPlatform, ann: Person, channels: Channels
) -> None:
    """A reply belongs to the conversation of the message that it answers, and shows as its answer."""
    question = await channels.whatsapp("question")
    conversation_id = await conversation_with(grpc_platform, ann, BEA)
    await channels.whatsapp("more", context={"id": question})
    [asked, more] = await messages(grpc_platform, ann, conversation_id, 2)
    assert more.reply_to == asked.message_id


async def test_who_was_removed_and_writes_again_gets_a_new_conversation(
    grpc_platform: GrpcPlatform, ann: Person, channels: Channels
) -> None:
    """Nobody is shown, or writes into, a conversation that they were removed from."""
    await channels.whatsapp("first")
    closed = await conversation_with(grpc_platform, ann, BEA)
    await messages(grpc_platform, ann, closed, 1)
    request = pb.RemoveParticipantRequest(conversation_id=closed, participant=BEA)
    await grpc_platform.messaging.RemoveParticipant(request, metadata=ann.metadata)
    await channels.whatsapp("second")
    opened = await conversation_with(grpc_platform, ann, BEA)
    assert opened != closed
    [told] = await messages(grpc_platform, ann, opened, 1)
    assert told.text == "second"


async def test_reactions_edits_and_deletions_are_told(
    grpc_platform: GrpcPlatform, ann: Person, channels: Channels
) -> None:
    """What was done to a message is said below it, and marked as what it is."""
    chat = {"id": 4711, "type": "private"}
    sent = {"message_id": 1, "date": 1_700_000_000, "chat": chat, "from": {"first_name": "Cai"}}
    await channels.telegram(message={**sent, "text": "tpyo"})
    await channels.telegram(edited_message={**sent, "edit_date": 1_700_000_001, "text": "typo"})
    reaction = {
        "chat": chat,
        "message_id": 1,
        "date": 1_700_000_002,
        "new_reaction": [{"type": "emoji", "emoji": "👍"}],
    }
    await channels.telegram(message_reaction=reaction)
    conversation_id = await conversation_with(grpc_platform, ann, CAI)
    [first, edit, react] = await messages(grpc_platform, ann, conversation_id, 3)
    assert [(m.text, m.metadata.get("chat4all.kind")) for m in (first, edit, react)] == [
        ("tpyo", None),
        ("typo", "edit"),
        ("👍", "reaction"),
    ]
    assert {edit.reply_to, react.reply_to} == {first.message_id}
    await channels.instagram(message={"mid": "m1", "text": "oops"})
    await channels.instagram(message={"mid": "m1", "is_deleted": True})
    conversation_id = await conversation_with(grpc_platform, ann, DAN)
    [wrote, deleted] = await messages(grpc_platform, ann, conversation_id, 2)
    assert (deleted.metadata["chat4all.kind"], deleted.reply_to) == ("deletion", wrote.message_id)


async def test_media_that_cannot_be_had_is_said(grpc_platform: GrpcPlatform, ann: Person, channels: Channels) -> None:
    """A message with a file is never lost for its file: the text says that it could not be kept."""
    document = {"id": "media-1", "mime_type": "application/pdf", "filename": "order.pdf", "caption": "my order"}
    await channels.whatsapp("", type="document", document=document)
    conversation_id = await conversation_with(grpc_platform, ann, BEA)
    [told] = await messages(grpc_platform, ann, conversation_id, 1)
    assert told.text.startswith("my order\n[order.pdf could not be kept: ")


async def test_what_nobody_gets_waits_as_a_dead_letter(grpc_platform: GrpcPlatform, channels: Channels) -> None:
    """Without anybody in the inbox, what a stranger writes is kept with the reason, and those after it go on."""
    await channels.whatsapp("nobody")
    async with reading(grpc_platform.engine.log, "chat4all.dead.letter.v1", "test") as reader:
        [letter] = await reader.read(1)
    assert "whose inbox names nobody else who exists" in letter.headers["chat4all-dead-letter-reason"]
    ann = await grpc_platform.person(username="ann")
    await channels.whatsapp("somebody")
    conversation_id = await conversation_with(grpc_platform, ann, BEA)
    [told] = await messages(grpc_platform, ann, conversation_id, 1)
    assert told.text == "somebody"
