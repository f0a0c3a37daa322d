"""Addresses on channels that users prove to be theirs."""

import asyncio
import re
from typing import Any

import grpc
import pytest
from engine_under_test import DEADLINE, unique
from grpc_platform import GrpcPlatform, Person
from log_reader import reading
from rpc_shapes import reason_of

from chat4all.identity.v1 import identity_service_pb2 as pb
from chat4all.messaging.v1 import messaging_service_pb2 as messaging_pb
from chat4all_core.adapters.protobuf.event_codec import ProtobufEventCodec
from chat4all_core.domain.channel import ChannelName
from chat4all_core.domain.delivery import Delivery
from chat4all_core.ports.event_log import delivery_requested

LINKED, CODE_SENT = pb.IdentityState.LINKED, pb.IdentityState.CODE_SENT
ADDRESS = "+5511987654321"


async def link(
    platform: GrpcPlatform, person: Person, code: str = "", channel: str = "whatsapp", address: str = ADDRESS
) -> pb.Identity:
    request = pb.LinkIdentityRequest(channel=channel, address=address, code=code)
    return (await platform.identity.LinkIdentity(request, metadata=person.metadata)).identity


async def refusal(call: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return reason_of(refused.value)


async def nth_delivery(platform: GrpcPlatform, count: int) -> Delivery:
    """The last of so many that WhatsApp's connector was asked to deliver to ADDRESS."""
    found: list[Delivery] = []
    topic = delivery_requested(ChannelName("whatsapp"))
    async with reading(platform.engine.log, topic, unique("group")) as reader, asyncio.timeout(DEADLINE):
        while len(found) < count:
            deliveries = [ProtobufEventCodec().decode_delivery(record.value) for record in await reader.poll()]
            found += [delivery for delivery in deliveries if delivery.to.address == ADDRESS]
    return found[count - 1]


async def nth_code(platform: GrpcPlatform, count: int = 1) -> str:
    """The last of so many that were sent to ADDRESS."""
    (code,) = re.findall(r"\b\d{6}\b", (await nth_delivery(platform, count)).text)
    return str(code)


async def test_an_address_is_linked_by_its_code(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """A code goes to the address on its channel, outside any conversation; who knows it links the address."""
    sent = await link(grpc_platform, ann)
    assert (sent.channel, sent.address, sent.state) == ("whatsapp", ADDRESS, CODE_SENT)
    assert sent.HasField("code_expire_time")
    delivery = await nth_delivery(grpc_platform, 1)
    assert (delivery.sequence, delivery.conversation_id, delivery.recipient) == (0, "", f"whatsapp:{ADDRESS}")
    linked = await link(grpc_platform, ann, await nth_code(grpc_platform))
    assert (linked.state, linked.HasField("link_time")) == (LINKED, True)
    assert await link(grpc_platform, ann) == linked
    listed = await grpc_platform.identity.ListIdentities(pb.ListIdentitiesRequest(), metadata=ann.metadata)
    assert list(listed.identities) == [linked]


async def test_an_address_has_one_owner(grpc_platform: GrpcPlatform, ann: Person, ben: Person) -> None:
    """Nobody else can ask for a linked address, nor link it with a code from before; given up, it is free."""
    await link(grpc_platform, ben)
    bens = await nth_code(grpc_platform)
    await link(grpc_platform, ann)
    await link(grpc_platform, ann, await nth_code(grpc_platform, 2))
    assert await refusal(link(grpc_platform, ben)) == "IDENTITY_TAKEN"
    assert await refusal(link(grpc_platform, ben, bens)) == "IDENTITY_TAKEN"
    unlink = pb.UnlinkIdentityRequest(channel="whatsapp", address=ADDRESS)
    identity = grpc_platform.identity
    assert await refusal(identity.UnlinkIdentity(unlink, metadata=ben.metadata)) == "IDENTITY_NOT_FOUND"
    await identity.UnlinkIdentity(unlink, metadata=ann.metadata)
    assert (await link(grpc_platform, ben, bens)).state == LINKED


async def test_a_code_is_guessed_only_so_often(grpc_platform: GrpcPlatform, ann: Person, ben: Person) -> None:
    """After five wrong codes the right one is wrong too, and another's code never fits."""
    assert await refusal(link(grpc_platform, ann, "123456")) == "LINK_CODE_INVALID"
    await link(grpc_platform, ann)
    right = await nth_code(grpc_platform)
    assert await refusal(link(grpc_platform, ben, right)) == "LINK_CODE_INVALID"
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    for _ in range(5):
        assert await refusal(link(grpc_platform, ann, wrong)) == "LINK_CODE_INVALID"
    assert await refusal(link(grpc_platform, ann, right)) == "LINK_CODE_INVALID"


async def test_a_code_expires(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """Ten minutes later it is good for nothing."""
    await link(grpc_platform, ann)
    code = await nth_code(grpc_platform)
    grpc_platform.clock.ahead = 600
    assert await refusal(link(grpc_platform, ann, code)) == "LINK_CODE_INVALID"


async def test_codes_are_sent_only_so_often(grpc_platform: GrpcPlatform, ann: Person, ben: Person) -> None:
    """An address gets three codes at once, whoever asks, and a user may ask for five."""
    for person in (ann, ann, ben):
        await link(grpc_platform, person)
    assert await refusal(link(grpc_platform, ben)) == "RATE_LIMITED"
    for n in range(3):
        await link(grpc_platform, ann, address=f"+551190000000{n}")
    assert await refusal(link(grpc_platform, ann, address="+5511900000009")) == "RATE_LIMITED"


@pytest.mark.parametrize(
    ("channel", "address", "code"),
    [("fax", ADDRESS, ""), ("whatsapp", "5511", ""), ("", "", ""), ("whatsapp", ADDRESS, "12345x")],
)
async def test_what_can_not_be_linked(
    grpc_platform: GrpcPlatform, ann: Person, channel: str, address: str, code: str
) -> None:
    """A channel, an address or a code that is not in form is refused as such."""
    assert await refusal(link(grpc_platform, ann, code, channel, address)) == "FIELD_INVALID"


async def test_messages_reach_a_linked_address(grpc_platform: GrpcPlatform, ann: Person, ben: Person) -> None:
    """What is sent with channels goes to the address that was linked."""
    await link(grpc_platform, ben)
    await link(grpc_platform, ben, await nth_code(grpc_platform))
    room = await grpc_platform.group(ann, ben)
    request = messaging_pb.SendMessageRequest(conversation_id=room, text="hello", channels=["all"])
    await grpc_platform.messaging.SendMessage(request, metadata=ann.metadata)
    delivery = await nth_delivery(grpc_platform, 2)
    assert (delivery.recipient, delivery.text, delivery.sequence) == (ben.user_id, "hello", 1)
