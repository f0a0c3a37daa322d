"""Ways to send a message."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

import aiohttp
import grpc

from bench.load import Call
from bench.people import People
from chat4all.messaging.v1 import messaging_service_pb2 as messaging
from chat4all.messaging.v1.messaging_service_pb2_grpc import MessagingServiceStub

Send = Callable[[int], Awaitable[messaging.SendMessageResponse]]
"""Sends a message, and gives the answer; the argument counts them."""

TEXT = "x" * 200
STREAMS = 4


def unary(channel: grpc.aio.Channel, people: People) -> Send:
    """SendMessage."""
    send = MessagingServiceStub(channel).SendMessage

    def call(number: int) -> Awaitable[messaging.SendMessageResponse]:
        conversation = people.conversations[number % len(people.conversations)]
        request = messaging.SendMessageRequest(conversation_id=conversation, text=TEXT, request_id=str(uuid4()))
        return send(request, metadata=people.sender)

    return call


@asynccontextmanager
async def rest(port: int, people: People) -> AsyncIterator[Call]:
    """POST /v1/messages."""
    headers = dict(people.sender) | {"content-type": "application/json"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as session:

        async def call(number: int) -> object:
            conversation = people.conversations[number % len(people.conversations)]
            body = json.dumps({"conversation_id": conversation, "text": TEXT, "request_id": str(uuid4())})
            async with session.post("/v1/messages", data=body) as response:
                response.raise_for_status()
                return await response.read()

        yield call


@asynccontextmanager
async def streams(channel: grpc.aio.Channel, people: People) -> AsyncIterator[Send]:
    """SendMessageStream, over a few streams."""
    async with AsyncExitStack() as stack:
        open_streams = [await stack.enter_async_context(_stream(channel, people)) for _ in range(STREAMS)]
        yield lambda number: open_streams[number % STREAMS](number)


@asynccontextmanager
async def _stream(channel: grpc.aio.Channel, people: People) -> AsyncIterator[Send]:
    stream = MessagingServiceStub(channel).SendMessageStream(metadata=people.sender)
    waiting: dict[str, asyncio.Future[messaging.SendMessageResponse]] = {}
    writing = asyncio.Lock()  # gRPC takes one write at a time

    async def read() -> None:
        async for answer in stream:
            assert answer.WhichOneof("outcome") == "accepted", answer
            waiting.pop(answer.request_id).set_result(answer.accepted)

    async def call(number: int) -> messaging.SendMessageResponse:
        conversation = people.conversations[number % len(people.conversations)]
        request_id = str(uuid4())
        future: asyncio.Future[messaging.SendMessageResponse] = asyncio.get_running_loop().create_future()
        waiting[request_id] = future
        message = messaging.SendMessageRequest(conversation_id=conversation, text=TEXT, request_id=request_id)
        async with writing:
            await stream.write(messaging.SendMessageStreamRequest(message=message))
        return await future

    reading = asyncio.create_task(read())
    try:
        yield call
    finally:
        await stream.done_writing()
        await reading
