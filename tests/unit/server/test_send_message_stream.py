"""SendMessageStream over a real connection, on a log that becomes durable when the test says so."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import grpc
import pytest
from held_log import HeldLog
from prometheus_client import CollectorRegistry
from rpc_shapes import reason_in, reason_of

from chat4all.messaging.v1 import messaging_service_pb2 as pb
from chat4all_core.adapters.protobuf.event_codec import ProtobufEventCodec
from chat4all_core.app.drain_signal import DrainSignal
from chat4all_core.app.send_message import SendMessage
from chat4all_core.domain.conversation import Conversation, ConversationType, MembershipChange, Participation, Role
from chat4all_core.domain.file import Attachment
from chat4all_core.domain.ids import ConversationId, ParticipantId, UserId
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.ports.token_issuer import AccessToken
from chat4all_core.telemetry.metrics import Metrics
from chat4all_server.interceptors.error_mapping import ErrorMapping
from chat4all_server.interceptors.interceptor import Context
from chat4all_server.interceptors.request_decoding import RequestDecoding
from chat4all_server.services.send_message_stream import SendMessageStream

PATH = "/chat4all.messaging.v1.MessagingService/SendMessageStream"
ANN = UserId(ParticipantId("0190163d-8694-739b-aea5-966c26f8ad91"))
ROOM = ConversationId("0190163d-8694-739b-aea5-966c26f8ad92")
NOW = Timestamp(1_700_000_000 * SECOND)
WINDOW = 3
Call = grpc.aio.StreamStreamCall[pb.SendMessageStreamRequest, pb.SendMessageStreamResponse]


class OneConversation:
    """A conversation store with one conversation, of one person."""

    async def get(self, conversation_id: ConversationId, at_least_version: int = 0) -> Conversation | None:
        stay = Participation(ANN, Role.ADMIN, 1, None, 0)
        conversation = Conversation(ROOM, ConversationType.GROUP, "", ANN, NOW, 1, (stay,))
        return conversation if conversation_id == ROOM else None

    async def create(self, conversation: Conversation) -> Conversation:
        raise NotImplementedError

    async def get_many(self, conversation_ids: Sequence[ConversationId]) -> Sequence[Conversation]:
        raise NotImplementedError

    async def change_membership(
        self, conversation_id: ConversationId, version: int, change: MembershipChange
    ) -> Conversation | None:
        raise NotImplementedError


@dataclass
class Served:
    """The served stream, and what steers it."""

    channel: grpc.aio.Channel
    log: HeldLog
    drain: DrainSignal
    token: AccessToken = field(default_factory=lambda: AccessToken(ANN, Timestamp(NOW + 3_600 * SECOND)))

    def open(self) -> Call:
        method = self.channel.stream_stream(
            PATH,
            request_serializer=lambda r: r if isinstance(r, bytes) else r.SerializeToString(),
            response_deserializer=pb.SendMessageStreamResponse.FromString,
        )
        call: Call = method()
        return call


async def no_file(conversation_id: ConversationId, file_id: str) -> Attachment:
    raise NotImplementedError  # no message here carries one


async def no_routes(conversation: Conversation, sender: ParticipantId, channels: Sequence[str]) -> tuple[()]:
    raise NotImplementedError  # no message here goes by channels


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    log, drain = HeldLog(), DrainSignal()
    send_message = SendMessage(
        conversations=OneConversation(),
        log=log,
        codec=ProtobufEventCodec(),
        clock=lambda: NOW,
        new_id=lambda: str(uuid4()),
        attach=no_file,
        find_routes=no_routes,
    )
    accepted = Metrics(CollectorRegistry()).messages_accepted
    stream = SendMessageStream(
        send_message=send_message, drain=drain, clock=lambda: NOW, accepted=accepted, window=WINDOW
    )
    server = grpc.aio.server(interceptors=(ErrorMapping(), RequestDecoding()))
    port = server.add_insecure_port("127.0.0.1:0")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        result = Served(channel, log, drain)

        async def behavior(requests: AsyncIterator[pb.SendMessageStreamRequest], context: Context) -> None:
            await stream(result.token, requests, context)

        handler = grpc.stream_stream_rpc_method_handler(
            behavior, pb.SendMessageStreamRequest.FromString, pb.SendMessageStreamResponse.SerializeToString
        )
        service, method = PATH[1:].split("/")
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
        await server.start()
        yield result
        await server.stop(None)


def request(text: str, *, request_id: str | None = None, room: str = ROOM) -> pb.SendMessageStreamRequest:
    message = pb.SendMessageRequest(conversation_id=room, text=text)
    message.request_id = str(uuid4()) if request_id is None else request_id
    return pb.SendMessageStreamRequest(message=message)


async def answer(call: Call) -> pb.SendMessageStreamResponse:
    response = await call.read()
    assert isinstance(response, pb.SendMessageStreamResponse)
    return response


async def refusal(call: Call) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await answer(call)
    return failed.value


async def test_order_of_arrival_is_the_order_of_the_log(served: Served) -> None:
    """Messages take their places in the log as they arrive; the first does not have to be durable for the second."""
    call = served.open()
    for text in ("one", "two", "three"):
        await call.write(request(text))
    await served.log.until_appended(3)
    assert served.log.appended == ["one", "two", "three"]


async def test_answers_come_as_messages_become_durable(served: Served) -> None:
    """A message that is durable is answered at once, under its request_id, whatever was sent before it."""
    call = served.open()
    first, second = request("one"), request("two")
    await call.write(first)
    await call.write(second)
    await served.log.until_appended(2)
    served.log.release_newest()
    assert (await answer(call)).request_id == second.message.request_id
    served.log.release_newest()
    assert (await answer(call)).request_id == first.message.request_id


async def test_request_id_comes_back_as_it_was_written(served: Served) -> None:
    """The request_id of an answer is letter for letter the request's, though it is compared without case."""
    call = served.open()
    request_id = str(uuid4()).upper()
    await call.write(request("one", request_id=request_id))
    await served.log.until_appended(1)
    served.log.release_oldest()
    response = await answer(call)
    assert response.request_id == request_id
    assert response.accepted.conversation_id == ROOM


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (request("one", request_id=""), "FIELD_INVALID"),
        (request("one", request_id="1"), "FIELD_INVALID"),
        (request(""), "FIELD_INVALID"),
        (request("one", room="nowhere"), "CONVERSATION_NOT_FOUND"),
        (pb.SendMessageStreamRequest(), "FIELD_INVALID"),
    ],
    ids=["no request_id", "no uuid", "no text", "no such conversation", "no message"],
)
async def test_refused_messages_do_not_end_the_stream(
    served: Served, refused: pb.SendMessageStreamRequest, why: str
) -> None:
    """A message that is refused is answered with its reason, and the next one is taken."""
    call = served.open()
    await call.write(refused)
    response = await answer(call)
    assert (response.request_id, reason_in(response.error)) == (refused.message.request_id, why)
    await call.write(request("two"))
    await served.log.until_appended(1)
    assert served.log.appended == ["two"]


async def test_messages_that_the_log_loses_are_not_answered_with_success(served: Served) -> None:
    """A message that can't be made durable is answered with the reason, and the stream goes on."""
    call = served.open()
    await call.write(request("one"))
    await served.log.until_appended(1)
    served.log.fail_oldest()
    assert reason_in((await answer(call)).error) == "UNAVAILABLE"
    await call.write(request("two"))
    await served.log.until_appended(2)


async def test_window(served: Served) -> None:
    """No more messages than the window holds are taken before one of them is answered."""
    call = served.open()

    async def write_all() -> None:
        for number in range(20):
            await call.write(request(str(number)))
        await call.done_writing()

    writing = asyncio.create_task(write_all())
    for number in range(20):
        await served.log.until_appended(number + 1)
        served.log.release_oldest()
        await answer(call)
    await writing
    assert served.log.most_held <= WINDOW
    assert await call.read() is grpc.aio.EOF


async def test_half_close(served: Served) -> None:
    """When the client has sent all, the stream ends with OK once everything is answered, and not before."""
    call = served.open()
    await call.write(request("one"))
    await call.done_writing()
    await served.log.until_appended(1)
    served.log.release_oldest()
    assert (await answer(call)).HasField("accepted")
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_drain(served: Served) -> None:
    """A server that stops answers what it took and then sends the client elsewhere."""
    call = served.open()
    await call.write(request("one"))
    await served.log.until_appended(1)
    served.drain.set()
    served.log.release_oldest()
    assert (await answer(call)).HasField("accepted")
    failed = await refusal(call)
    assert (failed.code(), reason_of(failed)) == (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")


async def test_no_stream_begins_while_draining(served: Served) -> None:
    """A server that stops takes no message of a new stream."""
    served.drain.set()
    call = served.open()
    assert (await refusal(call)).code() is grpc.StatusCode.UNAVAILABLE


async def test_expiry(served: Served) -> None:
    """When the token expires in mid-stream, what was taken is answered and then the stream ends with the reason."""
    served.token = AccessToken(ANN, Timestamp(NOW + SECOND // 2))
    call = served.open()
    await call.write(request("one"))
    await served.log.until_appended(1)
    served.log.release_oldest()
    assert (await answer(call)).HasField("accepted")
    failed = await refusal(call)
    assert (failed.code(), reason_of(failed)) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")


async def test_malformed_message(served: Served) -> None:
    """Bytes that are no request end the stream, after the answers to what came before."""
    call = served.open()
    await call.write(request("one"))
    await call.write(b"\xff\xff\xff")  # type: ignore[arg-type]  # what the contract forbids
    await served.log.until_appended(1)
    served.log.release_oldest()
    assert (await answer(call)).HasField("accepted")
    failed = await refusal(call)
    assert (failed.code(), reason_of(failed)) == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_REQUEST")


async def test_client_that_leaves(served: Served) -> None:
    """A client that goes in mid-stream harms nobody: the next one is served."""
    call = served.open()
    await call.write(request("one"))
    await served.log.until_appended(1)
    call.cancel()
    served.log.release_oldest()
    after = served.open()
    await after.write(request("two"))
    await served.log.until_appended(2)
    served.log.release_oldest()
    assert (await answer(after)).HasField("accepted")
