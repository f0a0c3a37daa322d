"""Conversations, and the states of messages in them."""

from typing import Any
from uuid import uuid4

import grpc
import pytest
from grpc_platform import GrpcPlatform, Person
from rpc_shapes import reason_of

from chat4all.messaging.v1 import conversation_pb2, message_pb2
from chat4all.messaging.v1 import messaging_service_pb2 as pb

DIRECT, GROUP = conversation_pb2.ConversationType.DIRECT, conversation_pb2.ConversationType.GROUP
MEMBER, ADMIN = conversation_pb2.ParticipantRole.MEMBER, conversation_pb2.ParticipantRole.ADMIN
State = message_pb2.DeliveryState


async def create(platform: GrpcPlatform, creator: Person, **fields: Any) -> conversation_pb2.Conversation:
    request = pb.CreateConversationRequest(**fields)
    return (await platform.messaging.CreateConversation(request, metadata=creator.metadata)).conversation


async def get_message(platform: GrpcPlatform, reader: Person, message_id: str) -> message_pb2.Message:
    request = pb.GetMessageRequest(message_id=message_id)
    return (await platform.messaging.GetMessage(request, metadata=reader.metadata)).message


async def refusal(call: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await call
    return reason_of(failed.value)


async def test_direct_conversation_is_unique(grpc_platform: GrpcPlatform, ann: Person, ben: Person) -> None:
    """Two people have one direct conversation, whoever of them asks."""
    one = await create(grpc_platform, ann, type=DIRECT, participants=[ben.user_id])
    other = await create(grpc_platform, ben, type=DIRECT, participants=[ann.user_id])
    assert one.conversation_id == other.conversation_id
    assert one.type == DIRECT


async def test_repeated_creation(grpc_platform: GrpcPlatform, ann: Person, ben: Person) -> None:
    """A creation that is repeated makes one group, and the first content wins."""
    fields = {"type": GROUP, "participants": [ben.user_id], "request_id": str(uuid4())}
    first = await create(grpc_platform, ann, title="first", **fields)
    second = await create(grpc_platform, ann, title="second", **fields)
    assert (second.conversation_id, second.title) == (first.conversation_id, "first")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "FIELD_INVALID"),
        ({"type": 7}, "FIELD_INVALID"),
        ({"type": DIRECT}, "FIELD_INVALID"),
        ({"type": GROUP, "title": "a" * 256}, "FIELD_INVALID"),
        ({"type": GROUP, "request_id": "x"}, "FIELD_INVALID"),
        ({"type": GROUP, "participants": [""]}, "FIELD_INVALID"),
        ({"type": GROUP, "participants": ["nobody"]}, "USER_NOT_FOUND"),
        ({"type": DIRECT, "participants": [str(uuid4())]}, "USER_NOT_FOUND"),
    ],
)
async def test_bad_creation(grpc_platform: GrpcPlatform, ann: Person, fields: dict[str, Any], reason: str) -> None:
    """A conversation that can't be is refused with the reason."""
    assert await refusal(create(grpc_platform, ann, **fields)) == reason


async def test_participants_change(grpc_platform: GrpcPlatform, ann: Person, ben: Person, room: str) -> None:
    """An admin adds people, gives them roles and removes them; each change raises the version by one."""
    cid = await grpc_platform.person("cid")
    messaging, metadata = grpc_platform.messaging, ann.metadata
    add = pb.AddParticipantsRequest(conversation_id=room, participants=[cid.user_id])
    added = (await messaging.AddParticipants(add, metadata=metadata)).conversation
    promote = pb.SetParticipantRoleRequest(conversation_id=room, participant=cid.user_id, role=ADMIN)
    promoted = (await messaging.SetParticipantRole(promote, metadata=metadata)).conversation
    remove = pb.RemoveParticipantRequest(conversation_id=room, participant=ben.user_id)
    await messaging.RemoveParticipant(remove, metadata=cid.metadata)
    final = (
        await messaging.GetConversation(pb.GetConversationRequest(conversation_id=room), metadata=metadata)
    ).conversation
    assert [added.version, promoted.version, final.version] == [2, 3, 4]
    roles = {p.participant: p.role for p in final.participants}
    assert roles == {ann.user_id: ADMIN, cid.user_id: ADMIN}


async def test_only_admins_change_participants(
    grpc_platform: GrpcPlatform, ann: Person, ben: Person, room: str
) -> None:
    """A member may leave, and nothing else; the creator may not even be removed."""
    messaging = grpc_platform.messaging
    add = pb.AddParticipantsRequest(conversation_id=room, participants=[ann.user_id])
    assert await refusal(messaging.AddParticipants(add, metadata=ben.metadata)) == "NOT_AN_ADMIN"
    remove = pb.RemoveParticipantRequest(conversation_id=room, participant=ann.user_id)
    assert await refusal(messaging.RemoveParticipant(remove, metadata=ben.metadata)) == "NOT_AN_ADMIN"
    assert await refusal(messaging.RemoveParticipant(remove, metadata=ann.metadata)) == "CREATOR_PROTECTED"
    role = pb.SetParticipantRoleRequest(conversation_id=room, participant=ben.user_id)
    assert await refusal(messaging.SetParticipantRole(role, metadata=ann.metadata)) == "FIELD_INVALID"
    leave = pb.RemoveParticipantRequest(conversation_id=room, participant=ben.user_id)
    await messaging.RemoveParticipant(leave, metadata=ben.metadata)
    get = pb.GetConversationRequest(conversation_id=room)
    assert await refusal(messaging.GetConversation(get, metadata=ben.metadata)) == "NOT_A_PARTICIPANT"


async def test_message_goes_from_sent_to_read(grpc_platform: GrpcPlatform, ann: Person, ben: Person, room: str) -> None:
    """A message is SENT, DELIVERED once its recipient has fetched it, and READ once they say so."""
    message_id = await grpc_platform.send(ann, room, "hello")
    sent = await get_message(grpc_platform, ann, message_id)
    assert (sent.state, sent.sequence, sent.recipient_count) == (State.SENT, 1, 1)
    delivered = pb.MarkDeliveredRequest(message_id=message_id)
    await grpc_platform.messaging.MarkDelivered(delivered, metadata=ben.metadata)
    assert (await get_message(grpc_platform, ann, message_id)).state == State.DELIVERED
    for _ in range(2):
        await grpc_platform.messaging.MarkRead(pb.MarkReadRequest(message_id=message_id), metadata=ben.metadata)
    read = await get_message(grpc_platform, ann, message_id)
    assert (read.state, read.delivered_count, read.read_count) == (State.READ, 1, 1)
    assert [(r.participant, r.state) for r in read.recipients] == [(ben.user_id, State.READ)]
    assert [change.state for change in read.history] == [State.SENT, State.DELIVERED, State.READ]


@pytest.mark.parametrize(("bounds", "delivered"), [({"after_sequence": 1}, 2), ({"before_sequence": 4}, 3)])
async def test_what_is_listed_is_delivered(
    grpc_platform: GrpcPlatform, ann: Person, ben: Person, room: str, bounds: dict[str, int], delivered: int
) -> None:
    """A page marks what comes up to its newest message as delivered, and nothing beyond it."""
    ids = [await grpc_platform.send(ann, room, str(number)) for number in range(1, 5)]
    await grpc_platform.texts(ann, room, 4)
    page = pb.ListMessagesRequest(conversation_id=room, page_size=1, **bounds)
    await grpc_platform.messaging.ListMessages(page, metadata=ben.metadata)
    while (await get_message(grpc_platform, ann, ids[delivered - 1])).state != State.DELIVERED:
        pass
    assert (await get_message(grpc_platform, ann, ids[delivered])).state == State.SENT


async def test_only_recipients_mark(grpc_platform: GrpcPlatform, ann: Person, room: str) -> None:
    """The sender of a message can't mark it read, nor can a stranger see it."""
    message_id = await grpc_platform.send(ann, room, "hello")
    mark = pb.MarkReadRequest(message_id=message_id)
    assert await refusal(grpc_platform.messaging.MarkRead(mark, metadata=ann.metadata)) == "NOT_A_RECIPIENT"
    cid = await grpc_platform.person("cid")
    assert await refusal(get_message(grpc_platform, cid, message_id)) == "NOT_A_PARTICIPANT"


async def test_content_comes_back_whole(grpc_platform: GrpcPlatform, ann: Person, ben: Person, room: str) -> None:
    """What was sent with a message is read with it."""
    first = await grpc_platform.send(ann, room, "first")
    request = pb.SendMessageRequest(conversation_id=room, text="äöü 😀", reply_to=first, metadata={"k": "v"})
    answer = await grpc_platform.messaging.SendMessage(request, metadata=ben.metadata)
    assert (answer.conversation_id, answer.state) == (room, State.SENT)
    message = await get_message(grpc_platform, ann, answer.message_id)
    assert (message.text, message.reply_to, dict(message.metadata)) == ("äöü 😀", first, {"k": "v"})
    assert (message.sender, message.create_time) == (ben.user_id, answer.create_time)


async def test_unknown_message(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """A message that does not exist is not found, after the wait for one that was only just accepted."""
    assert await refusal(get_message(grpc_platform, ann, str(uuid4()))) == "MESSAGE_NOT_FOUND"
