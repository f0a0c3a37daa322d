"""What can't be sent, and what happens instead."""

from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest
from grpc_platform import GrpcPlatform, Person
from grpc_status import rpc_status
from rpc_shapes import reason_of

from chat4all.messaging.v1 import messaging_service_pb2 as pb

LONGEST = 10_240
SEND = "/chat4all.messaging.v1.MessagingService/SendMessage"


async def refusal(platform: GrpcPlatform, sender: Person, request: pb.SendMessageRequest) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await platform.messaging.SendMessage(request, metadata=sender.metadata)
    return failed.value


def wrong_field(error: grpc.aio.AioRpcError) -> str:
    """The one field that is named as wrong."""
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(error) == "FIELD_INVALID"
    status = rpc_status.from_call(error)
    bad_request = BadRequest()
    assert status is not None
    assert any(detail.Unpack(bad_request) for detail in status.details)
    (violation,) = bad_request.field_violations
    assert violation.description
    return violation.field


@pytest.mark.parametrize(
    "text",
    ["", "a" * (LONGEST + 1), "é" * (LONGEST // 2) + "a", "😀" * (LONGEST // 4) + "a", "a\0b"],
    ids=["empty", "too long", "too long in two bytes", "too long in four bytes", "NUL"],
)
async def test_bad_text(grpc_platform: GrpcPlatform, ann: Person, room: str, text: str) -> None:
    """A text that is empty, has a byte too many, or holds NUL is refused by name."""
    error = await refusal(grpc_platform, ann, pb.SendMessageRequest(conversation_id=room, text=text))
    assert wrong_field(error) == "text"


@pytest.mark.parametrize("text", ["a" * LONGEST, "é" * (LONGEST // 2), "😀" * (LONGEST // 4), " ", "\n"])
async def test_texts_at_the_border(grpc_platform: GrpcPlatform, ann: Person, room: str, text: str) -> None:
    """A text of exactly as many bytes as are allowed, or of white space, arrives as it was sent."""
    await grpc_platform.send(ann, room, text)
    assert await grpc_platform.texts(ann, room, 1) == [text]


@pytest.mark.parametrize(
    ("request_fields", "field"),
    [
        ({"request_id": "1"}, "request_id"),
        ({"request_id": "0190163d8694739baea5966c26f8ad91"}, "request_id"),
        ({"reply_to": "not a uuid"}, "reply_to"),
        ({"metadata": {"k" * 65: "v"}}, "metadata"),
        ({"metadata": {"": "v"}}, "metadata"),
        ({"metadata": {"k": "v" * 513}}, "metadata"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata"),
    ],
)
async def test_bad_fields(
    grpc_platform: GrpcPlatform, ann: Person, room: str, request_fields: dict[str, Any], field: str
) -> None:
    """Every field that is wrong is refused by its name."""
    request = pb.SendMessageRequest(conversation_id=room, text="hello", **request_fields)
    assert wrong_field(await refusal(grpc_platform, ann, request)) == field


async def test_no_conversation_named(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """A message that says no conversation is refused for that."""
    assert wrong_field(await refusal(grpc_platform, ann, pb.SendMessageRequest(text="hello"))) == "conversation_id"


@pytest.mark.parametrize("conversation_id", [str(uuid4()), "nowhere", "x" * 100_000, "a\0b", "😀"])
async def test_unknown_conversation(grpc_platform: GrpcPlatform, ann: Person, conversation_id: str) -> None:
    """A conversation that does not exist is not found, whatever its name looks like."""
    request = pb.SendMessageRequest(conversation_id=conversation_id, text="hello")
    error = await refusal(grpc_platform, ann, request)
    assert (error.code(), reason_of(error)) == (grpc.StatusCode.NOT_FOUND, "CONVERSATION_NOT_FOUND")


async def test_stranger(grpc_platform: GrpcPlatform, ann: Person, room: str) -> None:
    """Somebody who does not take part can neither write nor read."""
    cid = await grpc_platform.person("cid")
    error = await refusal(grpc_platform, cid, pb.SendMessageRequest(conversation_id=room, text="hello"))
    assert (error.code(), reason_of(error)) == (grpc.StatusCode.PERMISSION_DENIED, "NOT_A_PARTICIPANT")
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await grpc_platform.messaging.ListMessages(pb.ListMessagesRequest(conversation_id=room), metadata=cid.metadata)
    assert reason_of(failed.value) == "NOT_A_PARTICIPANT"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x12\x02\xc3\x28",  # text: not UTF-8
        b"\x12\x03\xed\xa0\x80",  # text: a surrogate
        b"\x10\x01\xff",  # broken off
        b"\x12\x7fabc",  # text: shorter than it says
        b"{}{}",
    ],
)
async def test_malformed_bytes(grpc_platform: GrpcPlatform, ann: Person, request_bytes: bytes) -> None:
    """Bytes that are no SendMessageRequest are refused as such."""
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await grpc_platform.channel.unary_unary(SEND)(request_bytes, metadata=ann.metadata)
    assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(failed.value) == "MALFORMED_REQUEST"


async def test_field_of_another_type(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """A number where the text belongs is a field that this release does not know, so the text is missing."""
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await grpc_platform.channel.unary_unary(SEND)(b"\x10\x01", metadata=ann.metadata)
    assert wrong_field(failed.value) == "text"


async def test_message_that_is_too_large_for_the_server(grpc_platform: GrpcPlatform, ann: Person, room: str) -> None:
    """A request of more than 4 MiB is not even read."""
    request = pb.SendMessageRequest(conversation_id=room, text="a" * (4 * 1024 * 1024))
    error = await refusal(grpc_platform, ann, request)
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_same_request_id(grpc_platform: GrpcPlatform, ann: Person, room: str) -> None:
    """A send that is repeated, in upper case or with another content, gives the same message, and the first content
    is what is stored."""
    request_id = str(uuid4())
    ids = {
        await grpc_platform.send(ann, room, "first", request_id),
        await grpc_platform.send(ann, room, "first", request_id),
        await grpc_platform.send(ann, room, "second", request_id.upper()),
    }
    await grpc_platform.send(ann, room, "last")
    assert len(ids) == 1
    assert await grpc_platform.texts(ann, room, 2) == ["last", "first"]


async def test_request_ids_are_the_senders_own(
    grpc_platform: GrpcPlatform, ann: Person, ben: Person, room: str
) -> None:
    """Two people who happen to choose one request_id send two messages."""
    request_id = str(uuid4())
    one = await grpc_platform.send(ann, room, "from ann", request_id)
    other = await grpc_platform.send(ben, room, "from ben", request_id)
    assert one != other
    assert set(await grpc_platform.texts(ann, room, 2)) == {"from ann", "from ben"}


async def test_clock_that_jumps(grpc_platform: GrpcPlatform, ann: Person, room: str) -> None:
    """Messages keep the order in which they were accepted when the clock goes back and forth."""
    sent = []
    for ahead in (0, -3_600, 600, -86_400):
        grpc_platform.clock.ahead = ahead
        sent.append(f"sent at {ahead}")
        await grpc_platform.send(ann, room, sent[-1])
    assert await grpc_platform.texts(ann, room, len(sent)) == sent[::-1]
