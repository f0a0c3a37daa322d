"""`python -m bench.routing.backlog`: messages are accepted with no router running; then one is started."""

import argparse
import asyncio
import time
from pathlib import Path

import aiohttp
import grpc
import uvloop
from history import History, Sent, Stored, violations

from bench.load import closed_loop_of
from bench.people import People, meet
from bench.routing.platform import Router, UnroutedPlatform, routing, unrouted_platform
from bench.senders import streams
from chat4all.messaging.v1 import messaging_service_pb2 as messaging
from chat4all.messaging.v1.messaging_service_pb2_grpc import MessagingServiceStub

_CONVERSATIONS = 200
_IN_FLIGHT = 256
_SECONDS = 2.0
"""Between two lines of the report."""


async def main(engines: Path, messages: int) -> None:
    """Fill, drain, and compare what is stored with what was sent."""
    with unrouted_platform(engines) as platform:
        async with grpc.aio.insecure_channel(platform.target) as channel:
            people = await meet(channel, _CONVERSATIONS)
            history = History(sent=await fill(channel, people, messages))
            async with aiohttp.ClientSession() as client:
                await _drain(platform, client, messages)
            for conversation_id in people.conversations:
                history.stored += await _listed(channel, people, conversation_id)
    wrong = violations(history)
    print(f"{len(history.stored)} messages stored; {'in order, without a gap' if not wrong else wrong[:10]}")
    assert not wrong


async def fill(channel: grpc.aio.Channel, people: People, messages: int) -> list[Sent]:
    """Have so many messages accepted."""
    sent: list[Sent] = []
    start = time.monotonic()
    async with streams(channel, people) as send:

        async def call(number: int) -> None:
            begun = time.monotonic()
            message_id = (await send(number)).message_id
            conversation_id = people.conversations[number % len(people.conversations)]
            sent.append(Sent(conversation_id, message_id, begun, time.monotonic()))

        await closed_loop_of(call, count=messages, in_flight=_IN_FLIGHT)
    print(f"{messages} messages accepted, {messages / (time.monotonic() - start):.0f} a second", flush=True)
    return sent


async def _drain(platform: UnroutedPlatform, client: aiohttp.ClientSession, messages: int) -> None:
    async with routing(platform, client) as router:
        while not await router.partitions():  # noqa: ASYNC110 - it is known in another process
            await asyncio.sleep(0.1)
        print(f"{'seconds':>8}{'drained':>10}{'a second':>10}{'router MiB':>12}")
        start, done = time.monotonic(), 0
        while done < messages:
            before, at = done, time.monotonic()
            await asyncio.sleep(_SECONDS)
            done = await router.handled()
            rate = (done - before) / (time.monotonic() - at)
            print(f"{time.monotonic() - start:>8.0f}{done:>10}{rate:>10.0f}{_mebibytes(router):>12.0f}", flush=True)
        cpu = sum(router.process.cpu_times()[:2])
        took = time.monotonic() - start
        print(f"drained {messages / took:.0f} a second; {1_000 * cpu / messages:.3f} CPU seconds per 1,000 messages")


async def _listed(channel: grpc.aio.Channel, people: People, conversation_id: str) -> list[Stored]:
    stub = MessagingServiceStub(channel)
    request = messaging.ListMessagesRequest(conversation_id=conversation_id, page_size=100)
    found: list[Stored] = []
    while True:
        page = await stub.ListMessages(request, metadata=people.sender)
        found += [Stored(conversation_id, message.sequence, message.message_id) for message in page.messages]
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def _mebibytes(router: Router) -> float:
    return float(router.process.memory_info().rss) / (1 << 20)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engines", type=Path, help="engines.json")
    parser.add_argument("--messages", type=int, default=200_000)
    options = parser.parse_args()
    uvloop.run(main(options.engines, options.messages))
