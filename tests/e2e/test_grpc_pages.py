"""Lists, page by page."""

from typing import Any

import grpc
import pytest
from grpc_platform import GrpcPlatform, Person
from rpc_shapes import reason_of

from chat4all.messaging.v1 import messaging_service_pb2 as pb
from chat4all.status.v1 import status_service_pb2 as status_pb


@pytest.fixture
async def room(grpc_platform: GrpcPlatform, ann: Person, ben: Person) -> str:
    """A conversation with the messages 1 to 5."""
    conversation_id = await grpc_platform.group(ann, ben)
    for number in range(1, 6):
        await grpc_platform.send(ann, conversation_id, str(number))
    await grpc_platform.texts(ann, conversation_id, 5)
    return conversation_id


async def list_messages(platform: GrpcPlatform, reader: Person, **fields: Any) -> pb.ListMessagesResponse:
    return await platform.messaging.ListMessages(pb.ListMessagesRequest(**fields), metadata=reader.metadata)


async def sequences(platform: GrpcPlatform, reader: Person, **fields: Any) -> list[list[int]]:
    """The sequences on each page of a list."""
    pages = []
    while True:
        page = await list_messages(platform, reader, **fields)
        pages.append([message.sequence for message in page.messages])
        if not page.next_page_token:
            return pages
        fields["page_token"] = page.next_page_token


async def refused(platform: GrpcPlatform, reader: Person, **fields: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await list_messages(platform, reader, **fields)
    assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    return reason_of(failed.value)


@pytest.mark.parametrize(
    ("bounds", "pages"),
    [
        ({}, [[5, 4], [3, 2], [1]]),
        ({"before_sequence": 5}, [[4, 3], [2, 1]]),
        ({"after_sequence": 1}, [[2, 3], [4, 5]]),
        ({"after_sequence": 1, "before_sequence": 5}, [[2, 3], [4]]),
        ({"after_sequence": 5}, [[]]),
        ({"before_sequence": 1}, [[]]),
    ],
)
async def test_pages(
    grpc_platform: GrpcPlatform, ann: Person, room: str, bounds: dict[str, int], pages: list[list[int]]
) -> None:
    """Pages give every message within the bounds once: newest first, or oldest first after a sequence."""
    assert await sequences(grpc_platform, ann, conversation_id=room, page_size=2, **bounds) == pages


async def test_page_size_may_change(grpc_platform: GrpcPlatform, ann: Person, room: str) -> None:
    """The next page may be of another size."""
    first = await list_messages(grpc_platform, ann, conversation_id=room, page_size=1)
    rest = await sequences(grpc_platform, ann, conversation_id=room, page_size=100, page_token=first.next_page_token)
    assert rest == [[4, 3, 2, 1]]


@pytest.mark.parametrize("fields", [{"page_size": -1}, {"after_sequence": -1}, {"before_sequence": -1}])
async def test_negative_numbers(grpc_platform: GrpcPlatform, ann: Person, room: str, fields: dict[str, int]) -> None:
    """A negative size or bound is refused."""
    assert await refused(grpc_platform, ann, conversation_id=room, **fields) == "FIELD_INVALID"


async def test_changed_token(grpc_platform: GrpcPlatform, ann: Person, room: str) -> None:
    """A page token that was changed in any letter, or is none, is refused."""
    token = (await list_messages(grpc_platform, ann, conversation_id=room, page_size=2)).next_page_token
    changed = [
        token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :] for place in range(len(token))
    ]
    for bad in (*changed, token + "A", token[:-1], "x", "0"):
        assert await refused(grpc_platform, ann, conversation_id=room, page_token=bad) == "PAGE_TOKEN_INVALID"


async def test_token_of_another_list(grpc_platform: GrpcPlatform, ann: Person, ben: Person, room: str) -> None:
    """A page token is good for its conversation, its caller and its bounds only."""
    token = (await list_messages(grpc_platform, ann, conversation_id=room, page_size=2)).next_page_token
    other_room = await grpc_platform.group(ann, ben)
    for reader, fields in (
        (ben, {"conversation_id": room}),
        (ann, {"conversation_id": other_room}),
        (ann, {"conversation_id": room, "after_sequence": 1}),
        (ann, {"conversation_id": room, "before_sequence": 5}),
    ):
        assert await refused(grpc_platform, reader, page_token=token, **fields) == "PAGE_TOKEN_INVALID"
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await grpc_platform.messaging.ListConversations(
            pb.ListConversationsRequest(page_token=token), metadata=ann.metadata
        )
    assert reason_of(failed.value) == "PAGE_TOKEN_INVALID"


async def test_conversations(grpc_platform: GrpcPlatform, ann: Person, ben: Person) -> None:
    """The caller's conversations come newest activity first, each once, with its last message and what is unread."""
    events = grpc_platform.status.Subscribe(status_pb.SubscribeRequest(), metadata=ben.metadata)
    assert (await events.read()).HasField("caught_up")
    rooms = [await grpc_platform.group(ann, ben) for _ in range(3)]
    await grpc_platform.send(ann, rooms[0], "hello")
    for _ in range(4):  # the list stands still once all of this has happened
        await events.read()
    listed = []
    request = pb.ListConversationsRequest(page_size=2)
    while True:
        page = await grpc_platform.messaging.ListConversations(request, metadata=ben.metadata)
        listed += page.conversations
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert sorted(c.conversation_id for c in listed) == sorted(rooms)
    (with_message,) = [c for c in listed if c.conversation_id == rooms[0]]
    assert (with_message.last_message.text, with_message.unread_count) == ("hello", 1)
    assert not with_message.participants
