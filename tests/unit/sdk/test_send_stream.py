"""Send streams: many messages in flight, each stored once and in order."""

import asyncio

import grpc
import pytest

from chat4all_sdk import (
    AsyncClient,
    ChatError,
    InvalidArgument,
    LoginRequired,
    PermissionDenied,
    SendStream,
    SentMessage,
    Unavailable,
)

from .memory_platform.refusal import Refusal, connection_lost, token_expired
from .memory_platform.server import MemoryPlatform


async def submit(stream: SendStream, conversation_id: str, count: int) -> list[asyncio.Future[SentMessage]]:
    """Sends numbered messages without waiting for their answers."""
    return [await stream.submit(conversation_id, str(number)) for number in range(count)]


def stored(platform: MemoryPlatform, conversation_id: str) -> list[str]:
    """The texts of a conversation in their order."""
    return [message.text for message in platform.state.log[conversation_id]]


async def test_many_in_flight(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """Messages sent without waiting are stored in the order of the calls, each with its own receipt."""
    async with alice.send_stream() as stream:
        answers = await submit(stream, direct, 500)
        receipts = await asyncio.gather(*answers)
    assert stored(platform, direct) == [str(number) for number in range(500)]
    assert [r.message_id for r in receipts] == [m.message_id for m in platform.state.log[direct]]
    assert len({r.request_id for r in receipts}) == 500


async def test_concurrent_senders_share_a_stream(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """Tasks that send over one stream each get the receipt of their own message."""
    async with alice.send_stream(window=4) as stream:
        receipts = await asyncio.gather(*(stream.send(direct, str(number)) for number in range(40)))
    texts = {m.message_id: m.text for m in platform.state.log[direct]}
    assert [texts[r.message_id] for r in receipts] == [str(number) for number in range(40)]
    assert stored(platform, direct) == [str(number) for number in range(40)]


async def test_resends_what_was_not_answered(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """When the stream breaks, unanswered messages go again in order under the same request_ids."""
    gate = platform.hold("SendMessageStream")
    platform.fail("SendMessageStream", connection_lost(), after=True)
    async with alice.send_stream() as stream:
        answers = await submit(stream, direct, 20)
        gate.set()
        receipts = await asyncio.gather(*answers)
    requests = [r.request_id for r in platform.state.requests("SendMessageStream")]
    assert requests[0] == requests[1] == receipts[0].request_id
    assert requests[1:] == [r.request_id for r in receipts]
    assert stored(platform, direct) == [str(number) for number in range(20)]


async def test_survives_a_crash_of_the_server(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """A server that is killed in the middle and comes back has each message once, in order."""
    async with alice.send_stream() as stream:
        answers = await submit(stream, direct, 30)
        await platform.state.wait_until(lambda: len(platform.state.log[direct]) >= 10)
        await platform.kill()
        answers += await submit(stream, direct, 30)
        await platform.start()
        await asyncio.gather(*answers)
    assert stored(platform, direct) == [str(number) for number in range(30)] * 2


async def test_window_is_a_bound(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """With the window full the next call waits until an answer comes."""
    gate = platform.hold("SendMessageStream")
    async with alice.send_stream(window=3) as stream:
        await submit(stream, direct, 3)
        fourth = asyncio.create_task(stream.submit(direct, "fourth"))
        await platform.state.wait_until(lambda: platform.state.requests("SendMessageStream"))
        assert not fourth.done()
        gate.set()
        await (await fourth)
    assert stored(platform, direct) == ["0", "1", "2", "fourth"]


async def test_a_refused_message_fails_alone(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """A message that is not valid raises its own error; those around it are stored."""
    async with alice.send_stream() as stream:
        first = await stream.submit(direct, "first")
        bad = await stream.submit(direct, "")
        last = await stream.submit(direct, "last")
        await asyncio.gather(first, last)
        with pytest.raises(InvalidArgument) as invalid:
            await bad
    assert invalid.value.violations[0].field == "text"
    assert stored(platform, direct) == ["first", "last"]


async def test_renews_an_expired_token(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """A stream that ends because the token expired goes on after one renewal."""
    async with alice.send_stream() as stream:
        await stream.send(direct, "before")
        platform.state.expire_tokens()
        platform.fail("SendMessageStream", token_expired())
        await stream.send(direct, "after")
    assert len(platform.state.requests("RefreshToken")) == 1
    assert stored(platform, direct) == ["before", "after"]


async def test_a_refused_stream_fails_every_message(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """When the stream itself is refused for good, what is under way and what comes later fails with that."""
    refusal = Refusal(grpc.StatusCode.PERMISSION_DENIED, reason="NOT_A_PARTICIPANT")
    # For good: also when the connection is lost before the refusal came through, and the stream is tried again.
    platform.fail("SendMessageStream", *[refusal] * 10)
    async with alice.send_stream() as stream:
        answers = await submit(stream, direct, 3)
        errors = await asyncio.gather(*answers, return_exceptions=True)
        with pytest.raises(PermissionDenied):
            await stream.send(direct, "later")
    assert {type(error) for error in errors} == {PermissionDenied}


async def test_lost_session_fails_the_stream(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """A session that can't be renewed is told to whoever sends."""
    platform.state.refresh.clear()
    platform.state.expire_tokens()
    async with alice.send_stream() as stream:
        with pytest.raises(LoginRequired):
            await stream.send(direct, "text")


async def test_messages_have_a_deadline(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """A message that could not be sent within the client's timeout fails as Unavailable."""
    session = alice.session
    await platform.kill()
    async with AsyncClient(platform.target, session=session, timeout=0.3) as hasty, hasty.send_stream() as stream:
        with pytest.raises(Unavailable):
            await stream.send(direct, "text")


async def test_silent_stream_is_replaced(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """A stream that answers nothing for too long is made anew, and the message goes again."""
    gate = platform.hold("SendMessageStream")
    async with SendStream(alice._connection, window=1, answer_timeout=0.2) as stream:
        answer = await stream.submit(direct, "text")
        await platform.state.wait_until(lambda: len(platform.state.requests("SendMessageStream")) == 2)
        gate.set()
        await answer
    assert stored(platform, direct) == ["text"]


async def test_leaving_waits_for_the_answers(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """Leaving the stream without an error waits until all messages are answered."""
    async with alice.send_stream() as stream:
        answers = await submit(stream, direct, 10)
    assert all(answer.done() for answer in answers)
    assert len(stored(platform, direct)) == 10
    with pytest.raises(RuntimeError, match="closed"):
        await stream.send(direct, "late")


async def test_leaving_with_an_error_does_not_wait(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """An exception in the block ends the stream at once, and unanswered messages fail."""
    platform.hold("SendMessageStream")
    answers: list[asyncio.Future[SentMessage]] = []

    async def interrupted() -> None:
        async with alice.send_stream() as stream:
            answers.extend(await submit(stream, direct, 2))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await interrupted()
    for answer in answers:
        with pytest.raises(RuntimeError, match="closed"):
            await answer


async def test_one_request_id_is_not_under_way_twice(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """A request_id names one message at a time on a stream, in any letter case."""
    gate = platform.hold("SendMessageStream")
    name = "6F9619FF-8B86-D011-B42D-00CF4FC964FF"
    async with alice.send_stream() as stream:
        await stream.submit(direct, "one", request_id=name)
        with pytest.raises(ValueError, match="under way"):
            await stream.submit(direct, "two", request_id=name.lower())
        gate.set()
    assert not isinstance(stream._failure, ChatError)
