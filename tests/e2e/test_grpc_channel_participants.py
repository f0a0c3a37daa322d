"""People on channels who take part in conversations."""

from typing import Any

import grpc
import pytest
from grpc_platform import GrpcPlatform, Person
from log_reader import reading
from rpc_shapes import reason_of

from chat4all.messaging.v1 import conversation_pb2
from chat4all.messaging.v1 import messaging_service_pb2 as pb
from chat4all_core.adapters.protobuf.event_codec import ProtobufEventCodec
from chat4all_core.domain.channel import ChannelName
from chat4all_core.ports.event_log import delivery_requested

DIRECT, GROUP = conversation_pb2.ConversationType.DIRECT, conversation_pb2.ConversationType.GROUP
MEMBER, ADMIN = conversation_pb2.ParticipantRole.MEMBER, conversation_pb2.ParticipantRole.ADMIN
BEA = "whatsapp:+5511987654321"
CAI = "telegram:123456789"


async def create(platform: GrpcPlatform, creator: Person, **fields: Any) -> conversation_pb2.Conversation:
    request = pb.CreateConversationRequest(**fields)
    return (await platform.messaging.CreateConversation(request, metadata=creator.metadata)).conversation


async def refused(call: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await call
    return failed.value


async def test_direct_conversation_with_an_address(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """A user and an address have one direct conversation, and another user has another with that address."""
    one = await create(grpc_platform, ann, type=DIRECT, participants=[BEA])
    again = await create(grpc_platform, ann, type=DIRECT, participants=[BEA])
    assert one.conversation_id == again.conversation_id
    assert {p.participant for p in one.participants} == {ann.user_id, BEA}
    ben = await grpc_platform.person("ben")
    other = await create(grpc_platform, ben, type=DIRECT, participants=[BEA])
    assert other.conversation_id != one.conversation_id


async def test_addresses_join_and_leave_a_group(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """Addresses stand beside users: they are added, keep the role MEMBER, and are removed."""
    ben = await grpc_platform.person("ben")
    messaging, metadata = grpc_platform.messaging, ann.metadata
    group = await create(grpc_platform, ann, type=GROUP, participants=[ben.user_id, BEA])
    add = pb.AddParticipantsRequest(conversation_id=group.conversation_id, participants=[CAI, BEA])
    added = (await messaging.AddParticipants(add, metadata=metadata)).conversation
    assert {p.participant: p.role for p in added.participants} == {
        ann.user_id: ADMIN,
        ben.user_id: MEMBER,
        BEA: MEMBER,
        CAI: MEMBER,
    }
    promote = pb.SetParticipantRoleRequest(conversation_id=group.conversation_id, participant=BEA, role=ADMIN)
    assert reason_of(await refused(messaging.SetParticipantRole(promote, metadata=metadata))) == "FIELD_INVALID"
    remove = pb.RemoveParticipantRequest(conversation_id=group.conversation_id, participant=BEA)
    await messaging.RemoveParticipant(remove, metadata=metadata)
    get = pb.GetConversationRequest(conversation_id=group.conversation_id)
    left = (await messaging.GetConversation(get, metadata=metadata)).conversation
    assert {p.participant for p in left.participants} == {ann.user_id, ben.user_id, CAI}


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("whatsapp:5511987654321", "whatsapp:+5511987654321"),
        ("whatsapp:", "whatsapp:+5511987654321"),
        ("fax:+5511987654321", "telegram:123456789"),
        (":1", "telegram:123456789"),
    ],
)
async def test_wrong_address(grpc_platform: GrpcPlatform, ann: Person, address: str, told: str) -> None:
    """An address of no configured channel, or not in its channel's form, is refused with what is right."""
    refusal = await refused(create(grpc_platform, ann, type=GROUP, participants=[address]))
    assert reason_of(refusal) == "FIELD_INVALID"
    assert told in (refusal.details() or "")


async def test_messages_go_out_to_addresses(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """Each message is asked of the connector of each address's channel, in the order of the conversation."""
    ben = await grpc_platform.person("ben")
    group = await create(grpc_platform, ann, type=GROUP, participants=[ben.user_id, BEA, CAI])
    for sender, text in ((ann, "one"), (ben, "two")):
        await grpc_platform.send(sender, group.conversation_id, text)
        await grpc_platform.texts(sender, group.conversation_id, 1)
    for channel, address in (("whatsapp", BEA), ("telegram", CAI)):
        async with reading(grpc_platform.engine.log, delivery_requested(ChannelName(channel)), "connector") as reader:
            found = [ProtobufEventCodec().decode_delivery(record.value) for record in await reader.read(2)]
        assert [(d.recipient, d.to.participant, d.sender, d.text, d.sequence) for d in found] == [
            (address, address, ann.user_id, "one", 1),
            (address, address, ben.user_id, "two", 2),
        ]


async def test_messages_pass_by_addresses_without_a_stream(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """A message to a conversation with an address is stored in order and counts the address as a recipient."""
    group = await create(grpc_platform, ann, type=GROUP, participants=[BEA])
    for text in ("one", "two"):
        message_id = await grpc_platform.send(ann, group.conversation_id, text)
    assert await grpc_platform.texts(ann, group.conversation_id, 2) == ["two", "one"]
    get = pb.GetMessageRequest(message_id=message_id)
    message = (await grpc_platform.messaging.GetMessage(get, metadata=ann.metadata)).message
    assert (message.recipient_count, [r.participant for r in message.recipients]) == (1, [BEA])
