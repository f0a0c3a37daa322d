"""A steady load of sends, each repeated until it is answered."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence

import grpc

from chat4all.messaging.v1 import messaging_service_pb2 as messaging
from chat4all.messaging.v1.messaging_service_pb2_grpc import MessagingServiceStub
from fault_run.journal import Journal, Send

_ATTEMPT_SECONDS = 3.0
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 0.4  # short, for it is part of the time without service that is measured
_WORKERS = 64
_MAY_BE_OVER_SOON = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
"""What a send may be told while something fails. Any other status is a mistake of the platform."""

_OPTIONS = (("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500))

Metadata = tuple[tuple[str, str], ...]


class SteadyLoad:
    """Sends of one person to conversations at random, due at a fixed rate. What an outage holds up is sent later, as
    fast as 64 sends at a time allow."""

    def __init__(self, target: str, sender: Metadata, conversations: Sequence[str], rate: float, run: str) -> None:
        """`run`: 12 hexadecimal digits that no other run of the same people has."""
        self._target = target
        self._sender = sender
        self._conversations = conversations
        self._rate = rate
        self._run = run
        self._due = 0
        self._stopping = False
        self.refusals: Counter[str] = Counter()
        """How often attempts ended with each status."""

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopping = True

    async def run(self, journal: Journal) -> None:
        """Send until `stop`, and until all that was begun is answered."""
        start = time.monotonic()
        async with grpc.aio.insecure_channel(self._target, options=_OPTIONS) as channel, asyncio.TaskGroup() as workers:
            for _ in range(_WORKERS):
                workers.create_task(self._work(MessagingServiceStub(channel), journal, start))

    async def _work(self, stub: MessagingServiceStub, journal: Journal, start: float) -> None:
        while not self._stopping:
            due = start + self._due / self._rate
            self._due += 1
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            send = journal.begin(random.choice(self._conversations))
            answer = await self._until_accepted(stub, send)
            journal.answered(send, answer.message_id)

    async def _until_accepted(self, stub: MessagingServiceStub, send: Send) -> messaging.SendMessageResponse:
        request = messaging.SendMessageRequest(
            conversation_id=send.conversation_id,
            text=str(send.number),
            request_id=f"{send.number:08x}-0000-4000-8000-{self._run}",
        )
        pause = _FIRST_PAUSE
        while True:
            try:
                return await stub.SendMessage(request, metadata=self._sender, timeout=_ATTEMPT_SECONDS)
            except grpc.aio.AioRpcError as error:
                self.refusals[error.code().name] += 1
                if error.code() not in _MAY_BE_OVER_SOON:
                    raise
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, _LONGEST_PAUSE)
