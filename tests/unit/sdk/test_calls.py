"""Calls: values, errors, retries."""

import uuid
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from chat4all_sdk import (
    AlreadyExists,
    AsyncClient,
    ChatError,
    ConversationType,
    InvalidArgument,
    LoginRequired,
    MessageState,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Role,
    Unavailable,
)

from .memory_platform.refusal import Refusal, connection_lost, unavailable
from .memory_platform.server import MemoryPlatform


async def test_conversation_values(alice: AsyncClient, bob: AsyncClient) -> None:
    """Conversations come as typed values with their participants, roles and times."""
    group = await alice.create_group("Team", [await bob.me()])
    assert (group.type, group.title, group.version) == (ConversationType.GROUP, "Team", 1)
    assert {p.participant: p.role for p in group.participants} == {
        (await alice.me()).user_id: Role.ADMIN,
        (await bob.me()).user_id: Role.MEMBER,
    }
    assert abs(group.create_time - datetime.now(UTC)) < timedelta(minutes=1)
    promoted = await alice.set_role(group.conversation_id, await bob.me(), Role.ADMIN)
    assert {p.role for p in promoted.participants} == {Role.ADMIN}
    await alice.remove_participant(group.conversation_id, await bob.me())
    assert len((await alice.get_conversation(group.conversation_id)).participants) == 1
    added = await alice.add_participants(group.conversation_id, [(await bob.me()).user_id])
    assert len(added.participants) == 2


async def test_message_values(alice: AsyncClient, bob: AsyncClient, direct: str) -> None:
    """A message comes back as it was sent, and marking it changes its state."""
    sent = await alice.send(direct, "hello", metadata={"colour": "red"})
    message = await bob.get_message(sent.message_id)
    assert (message.text, message.sequence, message.metadata) == ("hello", 1, {"colour": "red"})
    assert (sent.state, message.create_time) == (MessageState.SENT, sent.create_time)
    await bob.mark_delivered(sent.message_id)
    assert (await alice.get_message(sent.message_id)).state is MessageState.DELIVERED
    await bob.mark_read(sent.message_id)
    assert (await alice.get_message(sent.message_id)).state is MessageState.READ


async def test_iterators_walk_all_pages(alice: AsyncClient, direct: str) -> None:
    """The iterators over messages and conversations cross the borders of pages."""
    for number in range(1, 8):
        await alice.send(direct, str(number))
    assert [m.text async for m in alice.messages(direct, page_size=3)] == list("7654321")
    assert [m.text async for m in alice.messages(direct, page_size=2, after_sequence=4)] == list("567")
    for number in range(4):
        await alice.create_group(str(number))
    assert len([c async for c in alice.conversations(page_size=2)]) == 5
    page = await alice.list_conversations(page_size=1)
    assert (len(page), bool(page.next_page_token)) == (1, True)
    assert [c.last_message.text for c in page if c.last_message] == ["7"]


async def test_retries_keep_the_request_id(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """A send whose answers get lost is repeated under one request_id, and stored once."""
    platform.fail("SendMessage", connection_lost(), unavailable(), after=True)
    sent = await alice.send(direct, "once")
    requests = platform.state.requests("SendMessage")
    assert [r.request_id for r in requests] == [sent.request_id] * 3
    assert str(uuid.UUID(sent.request_id)) == sent.request_id
    assert [m.message_id for m in platform.state.log[direct]] == [sent.message_id]


@pytest.mark.parametrize("code", [grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN])
async def test_sends_are_repeated_after_any_loss(
    platform: MemoryPlatform, alice: AsyncClient, direct: str, code: grpc.StatusCode
) -> None:
    """A send is repeated after a deadline and after a failure on the way, for it can't be stored twice."""
    platform.fail("SendMessage", Refusal(code), after=True)
    await alice.send(direct, "once")
    assert len(platform.state.requests("SendMessage")) == 2
    assert len(platform.state.log[direct]) == 1


async def test_reads_retry_unavailable_only(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """A call without a request_id is repeated when the server is UNAVAILABLE and for nothing else."""
    platform.fail("GetCurrentUser", unavailable())
    await alice.me()
    platform.fail("GetCurrentUser", Refusal(grpc.StatusCode.INTERNAL, reason="INTERNAL_ERROR"))
    with pytest.raises(ChatError, match="INTERNAL_ERROR"):
        await alice.me()
    assert len(platform.state.requests("GetCurrentUser")) == 3


async def test_register_is_not_repeated_when_it_may_have_happened(platform: MemoryPlatform) -> None:
    """A registration whose answer got lost is not repeated: the second would claim the name is taken."""
    platform.fail("RegisterUser", connection_lost(), after=True)
    async with AsyncClient(platform.target) as client:
        with pytest.raises(Unavailable):
            await client.register("carol", "correct horse")
    assert len(platform.state.requests("RegisterUser")) == 1


async def test_retry_info_is_honoured(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """When the server asks for a longer wait than the timeout allows, the call fails at once with it."""
    platform.fail("GetCurrentUser", unavailable(retry_after=60))
    with pytest.raises(Unavailable) as caught:
        await alice.me()
    assert caught.value.retry_after == 60
    assert len(platform.state.requests("GetCurrentUser")) == 1


async def test_timeout_bounds_the_retries(platform: MemoryPlatform) -> None:
    """A server that can't be reached makes a call fail as Unavailable once its timeout is over."""
    await platform.kill()
    async with AsyncClient(platform.target, timeout=0.3) as client:
        with pytest.raises(Unavailable):
            await client.login("alice", "correct horse")


async def test_silent_server_is_a_deadline(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """A call that is never answered ends with DeadlineExceeded or is answered after the wait."""
    gate = platform.hold("GetCurrentUser")
    async with AsyncClient(platform.target, session=alice.session, timeout=0.2) as hasty:
        with pytest.raises(ChatError) as caught:
            await hasty.me()
    assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    gate.set()


async def test_errors_carry_everything(alice: AsyncClient, bob: AsyncClient, direct: str) -> None:
    """An error has its class, code, reason, metadata and field violations."""
    private = await bob.create_group("private")
    with pytest.raises(PermissionDenied, match="NOT_A_PARTICIPANT: only participants") as denied:
        await alice.send(private.conversation_id, "let me in")
    assert denied.value.code is grpc.StatusCode.PERMISSION_DENIED
    assert denied.value.metadata == {"conversation_id": private.conversation_id}
    with pytest.raises(InvalidArgument) as invalid:
        await alice.send(direct, "")
    assert [(v.field, v.description) for v in invalid.value.violations] == [("text", "must not be empty")]
    with pytest.raises(NotFound) as missing:
        await alice.find_user("nobody")
    assert (missing.value.reason, missing.value.metadata) == ("USER_NOT_FOUND", {"username": "nobody"})
    with pytest.raises(AlreadyExists):
        await alice.register("bob", "correct horse")


async def test_rate_limit_tells_when_to_come_back(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """A refusal for too many calls is raised with the delay that the server asked for."""
    limited = Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, reason="RATE_LIMITED", retry_after=2.5)
    platform.fail("GetCurrentUser", limited)
    with pytest.raises(ResourceExhausted) as caught:
        await alice.me()
    assert caught.value.retry_after == 2.5


async def test_calls_need_a_session(platform: MemoryPlatform) -> None:
    """Without a session a call asks for a login and does not go out."""
    async with AsyncClient(platform.target) as client:
        with pytest.raises(LoginRequired, match="log in first"):
            await client.me()
    assert platform.state.requests("GetCurrentUser") == []


async def test_client_must_be_open(platform: MemoryPlatform) -> None:
    """A client that is not open says so instead of connecting by stealth."""
    client = AsyncClient(platform.target)
    with pytest.raises(RuntimeError, match="async with"):
        await client.me()
