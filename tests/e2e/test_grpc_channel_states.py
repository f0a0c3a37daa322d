"""How far messages come by channels, as senders see it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import grpc
import pytest
from engine_under_test import DEADLINE
from grpc_platform import GrpcPlatform, Person
from rpc_shapes import reason_of

from chat4all.messaging.v1 import conversation_pb2, message_pb2
from chat4all.messaging.v1 import messaging_service_pb2 as pb
from chat4all.status.v1 import event_pb2
from chat4all.status.v1 import status_service_pb2 as status_pb
from chat4all_core.adapters.protobuf.event_codec import ProtobufEventCodec
from chat4all_core.domain.channel import ChannelAddress, ChannelName
from chat4all_core.domain.delivery import DeliveryEvidence, DeliveryFailure
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.ids import ParticipantId, UserId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.clock import system_clock
from chat4all_core.ports.event_log import STATUS_UPDATED
from chat4all_core.ports.identity_store import Identity

State = message_pb2.DeliveryState
DIRECT, GROUP = conversation_pb2.ConversationType.DIRECT, conversation_pb2.ConversationType.GROUP
BEA, CAI = "whatsapp:+5511987654321", "telegram:123456789"
CLOSED = DeliveryFailure("131047", "the window is closed", "send a template")


@dataclass
class Sent:
    """A message, and what happens to it."""

    platform: GrpcPlatform
    sender: Person
    message_id: str

    async def get(self) -> message_pb2.Message:
        """As GetMessage has it."""
        request = pb.GetMessageRequest(message_id=self.message_id)
        return (await self.platform.messaging.GetMessage(request, metadata=self.sender.metadata)).message

    async def tell(
        self,
        recipient: str,
        state: DeliveryState,
        *,
        channel: str = "",
        attempt: int = 1,
        failure: DeliveryFailure | None = None,
    ) -> None:
        """A channel's connector reports."""
        message = await self.get()
        evidence = DeliveryEvidence(
            conversation_id=message.conversation_id,
            message_id=message.message_id,
            sequence=message.sequence,
            recipient=ParticipantId(recipient),
            channel=ChannelName(channel or recipient.partition(":")[0]),
            state=state,
            time=system_clock(),
            attempt=attempt,
            failure=failure,
        )
        value = ProtobufEventCodec().encode_status(evidence)
        await self.platform.engine.log.append(STATUS_UPDATED, message.conversation_id, value)

    async def until(self, condition: Callable[[message_pb2.Message], bool]) -> message_pb2.Message:
        """The message once it is so; it is the same in lists."""
        async with asyncio.timeout(DEADLINE):
            while not condition(message := await self.get()):
                await asyncio.sleep(0.01)
        page = pb.ListMessagesRequest(conversation_id=message.conversation_id)
        (listed, *_) = (await self.platform.messaging.ListMessages(page, metadata=self.sender.metadata)).messages
        own = (
            (
                await self.platform.messaging.ListConversations(
                    pb.ListConversationsRequest(), metadata=self.sender.metadata
                )
            )
            .conversations[0]
            .last_message
        )
        for other in (listed, own):
            assert (other.state, other.recipient_count, other.delivered_count, other.read_count) == (
                message.state,
                message.recipient_count,
                message.delivered_count,
                message.read_count,
            )
        return message


async def send(platform: GrpcPlatform, sender: Person, *participants: str, channels: tuple[str, ...] = ()) -> Sent:
    """A message to a new group."""
    create = pb.CreateConversationRequest(type=GROUP, participants=participants, request_id=str(uuid4()))
    conversation = (await platform.messaging.CreateConversation(create, metadata=sender.metadata)).conversation
    request = pb.SendMessageRequest(conversation_id=conversation.conversation_id, text="hello", channels=channels)
    answer = await platform.messaging.SendMessage(request, metadata=sender.metadata)
    return Sent(platform, sender, answer.message_id)


async def link(platform: GrpcPlatform, person: Person, channel: str, address: str, at: int = 1) -> None:
    """Make an address somebody's."""
    to = ChannelAddress(ChannelName(channel), address)
    await platform.engine.identities.link(Identity(UserId(ParticipantId(person.user_id)), to, Timestamp(at)))


def ways(message: message_pb2.Message) -> list[tuple[str, str, int]]:
    """Each recipient's, with their state."""
    return [(r.participant, r.channel, r.state) for r in message.recipients]


async def test_a_message_is_followed_on_its_channel(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """It is SENT, DELIVERED and READ as the channel reports, also out of order; what comes late is in the history."""
    sent = await send(grpc_platform, ann, BEA)
    assert ways(await sent.get()) == [(BEA, "whatsapp", State.SENT)]
    await sent.tell(BEA, DeliveryState.SENT)
    await sent.tell(BEA, DeliveryState.READ)
    read = await sent.until(lambda m: m.state == State.READ)
    assert (read.delivered_count, read.read_count) == (1, 1)
    await sent.tell(BEA, DeliveryState.DELIVERED)
    late = await sent.until(lambda m: len(m.history) == 4)
    assert ways(late) == [(BEA, "whatsapp", State.READ)]
    assert [(h.participant, h.channel, h.state) for h in late.history] == [
        (ann.user_id, "", State.SENT),
        (BEA, "whatsapp", State.SENT),
        (BEA, "whatsapp", State.READ),
        (BEA, "whatsapp", State.DELIVERED),
    ]


async def test_a_failure_says_what_helps(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """FAILED has the channel's code, the reason and a remedy, until a real delivery or another try takes it back."""
    sent = await send(grpc_platform, ann, BEA)
    await sent.tell(BEA, DeliveryState.FAILED, failure=CLOSED)
    failed = await sent.until(lambda m: m.state == State.FAILED)
    failure = failed.recipients[0].failure
    assert (failure.code, failure.reason, failure.remedy) == (CLOSED.code, CLOSED.reason, CLOSED.remedy)
    await sent.tell(BEA, DeliveryState.SENT, attempt=2)
    again = await sent.until(lambda m: m.state == State.SENT)
    assert not again.recipients[0].HasField("failure")
    await sent.tell(BEA, DeliveryState.DELIVERED)
    assert (await sent.until(lambda m: m.state == State.DELIVERED)).delivered_count == 1


async def test_subscribers_hear_of_what_takes_a_message_further(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """The sender gets one event for each state that is reached, with channel and failure, and none for repetitions or
    for what comes late."""
    sent = await send(grpc_platform, ann, BEA, CAI)
    await sent.get()
    subscription = grpc_platform.status.Subscribe(status_pb.SubscribeRequest(), metadata=ann.metadata)
    async with asyncio.timeout(DEADLINE):
        while (await subscription.read()).WhichOneof("frame") != "caught_up":
            pass
        for state in (DeliveryState.SENT, DeliveryState.READ, DeliveryState.READ, DeliveryState.DELIVERED):
            await sent.tell(BEA, state)
        await sent.tell(CAI, DeliveryState.FAILED, failure=CLOSED)
        events: list[event_pb2.StatusChanged] = []
        while len(events) < 2:
            frame = await subscription.read()
            if frame.event.WhichOneof("payload") == "status_changed":
                events.append(frame.event.status_changed)
    assert [(e.participant, e.channel, e.state, e.sequence, e.failure.code) for e in events] == [
        (BEA, "whatsapp", State.READ, 1, ""),
        (CAI, "telegram", State.FAILED, 1, CLOSED.code),
    ]
    subscription.cancel()


async def test_a_state_that_a_channel_lacks_holds_nobody_up(
    grpc_platform: GrpcPlatform, ann: Person, ben: Person
) -> None:
    """What Telegram has taken counts as far as others have come, and no further."""
    alone = await send(grpc_platform, ann, CAI)
    await alone.tell(CAI, DeliveryState.SENT)
    await alone.until(lambda m: len(m.history) == 2 and m.state == State.SENT)
    group = await send(grpc_platform, ann, CAI, ben.user_id)
    mark = pb.MarkReadRequest(message_id=group.message_id)
    await grpc_platform.messaging.MarkRead(mark, metadata=ben.metadata)
    assert (await group.until(lambda m: m.read_count == 1)).state == State.SENT  # Telegram has not taken it yet
    await group.tell(CAI, DeliveryState.SENT)
    await group.until(lambda m: m.state == State.READ)


async def test_users_are_reached_at_their_addresses(grpc_platform: GrpcPlatform, ann: Person, ben: Person) -> None:
    """With `channels`, a message goes to the address that a recipient has linked last besides; they count by the best
    of their ways."""
    await link(grpc_platform, ben, "whatsapp", "+5511900000001", at=2)
    await link(grpc_platform, ben, "whatsapp", "+5511900000002", at=1)
    await link(grpc_platform, ben, "telegram", "77")
    await link(grpc_platform, ann, "whatsapp", "+5511900000003")
    plain = await send(grpc_platform, ann, ben.user_id)
    assert ways(await plain.get()) == [(ben.user_id, "", State.SENT)]
    sent = await send(grpc_platform, ann, ben.user_id, channels=("whatsapp",))
    assert ways(await sent.get()) == [(ben.user_id, "", State.SENT), (ben.user_id, "whatsapp", State.SENT)]
    await sent.tell(ben.user_id, DeliveryState.FAILED, channel="whatsapp", failure=CLOSED)
    failed = await sent.until(lambda m: len(m.history) == 2)
    assert (failed.state, failed.recipient_count) == (State.SENT, 1)
    await sent.tell(ben.user_id, DeliveryState.DELIVERED, channel="whatsapp")
    assert (await sent.until(lambda m: m.state == State.DELIVERED)).delivered_count == 1
    everywhere = await send(grpc_platform, ann, ben.user_id, BEA, channels=("all", "instagram"))
    message = await everywhere.get()
    assert sorted((r.participant, r.channel) for r in message.recipients) == sorted(
        [(ben.user_id, ""), (ben.user_id, "telegram"), (ben.user_id, "whatsapp"), (BEA, "whatsapp")]
    )
    assert message.recipient_count == 2


async def test_an_unknown_channel_is_refused(grpc_platform: GrpcPlatform, ann: Person, ben: Person) -> None:
    """A name that is no configured channel is told with those that are."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await send(grpc_platform, ann, ben.user_id, channels=("whatsapp", "fax"))
    assert reason_of(refused.value) == "FIELD_INVALID"
    assert "telegram" in (refused.value.details() or "")
