"""How many messages go all the way: accepted, stored, seen and acknowledged by a subscriber, their state DELIVERED."""

import asyncio
import time

import grpc

from bench.load import Call, closed_loop
from bench.people import People
from bench.platforms import Target, by_process
from bench.subscriber import Subscriber, subscribed
from chat4all.messaging.v1 import message_pb2
from chat4all.messaging.v1 import messaging_service_pb2 as messaging
from chat4all.messaging.v1.messaging_service_pb2_grpc import MessagingServiceStub

HEADING = f"{'delivered end to end':<40}{'per second':>11}   CPU seconds per 1,000 messages"

_LOOKS_A_SECOND = 20


async def delivered(
    name: str, target: Target, people: People, channel: grpc.aio.Channel, call: Call, *, seconds: float, in_flight: int
) -> None:
    """Send for a while, wait for all of it to arrive, and print a row of what it cost."""
    async with subscribed(channel, people.receiver) as subscriber:
        before, start = target.cpu_seconds(), time.perf_counter()
        measured = await closed_loop(_paced(call, subscriber), seconds=seconds, in_flight=in_flight)
        await subscriber.received(measured.count)
        await _are_delivered(channel, people)
        took = time.perf_counter() - start
        after = target.cpu_seconds()
    costs = {name: (after[name] - before[name]) / measured.count * 1_000 for name in after}
    print(f"{name:<40}{measured.count / took:>11.0f}   {by_process(costs)}", flush=True)


def _paced(call: Call, subscriber: Subscriber) -> Call:
    async def paced(number: int) -> None:
        await subscriber.not_behind(number)
        await call(number)

    return paced


async def _are_delivered(channel: grpc.aio.Channel, people: People) -> None:
    """Wait until the newest message of the conversation that was sent to last is DELIVERED: what a status worker
    learned before, it has told."""
    stub = MessagingServiceStub(channel)
    for conversation_id in people.conversations[:: max(1, len(people.conversations) // 50)]:
        request = messaging.ListMessagesRequest(conversation_id=conversation_id, page_size=1)
        while True:
            page = await stub.ListMessages(request, metadata=people.sender)
            if all(message.state == message_pb2.DeliveryState.DELIVERED for message in page.messages):
                break
            await asyncio.sleep(1 / _LOOKS_A_SECOND)
