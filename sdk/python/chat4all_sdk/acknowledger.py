"""Tells the platform what the application has taken, seldom enough to cost nothing."""

import asyncio
import logging
from contextlib import suppress

from chat4all.status.v1 import status_service_pb2 as pb
from chat4all_sdk.connection import Connection
from chat4all_sdk.errors import ChatError, DeadlineExceeded, Unavailable
from chat4all_sdk.events import MessageCreated
from chat4all_sdk.retry import idempotent

__all__ = ["Acknowledger"]

_log = logging.getLogger(__name__)


class Acknowledger:
    """Acknowledges the newest message that was taken; each acknowledgement covers all before it."""

    def __init__(
        self, connection: Connection, *, conversation_id: str, interval: float = 0.25, grace: float = 5.0
    ) -> None:
        """At most one call per `interval` seconds; closing waits at most `grace` seconds for the last."""
        self._connection = connection
        self._conversation_id = conversation_id
        self._interval = interval
        self._grace = grace
        self._newest: MessageCreated | None = None
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def taken(self, event: MessageCreated) -> None:
        """The application has this message. Returns at once."""
        self._newest = event
        if self._task is None:
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(self._ran)

    async def aclose(self) -> None:
        """Sends what is still to be acknowledged."""
        self._closing.set()
        if self._task is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._task, self._grace)

    def _ran(self, _: asyncio.Task[None]) -> None:
        self._task = None

    async def _run(self) -> None:
        while self._newest is not None:
            newest, self._newest = self._newest, None
            await self._acknowledge(newest)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self._interval)

    async def _acknowledge(self, event: MessageCreated) -> None:
        try:
            await self._connection.call(self._connection.status.Acknowledge, self._request(event), rule=idempotent)
        except (Unavailable, DeadlineExceeded):
            self._newest = self._newest or event  # its time may come
        except ChatError as error:
            _log.warning("a message could not be acknowledged: %s", error)

    def _request(self, event: MessageCreated) -> pb.AcknowledgeRequest:
        if not self._conversation_id:
            return pb.AcknowledgeRequest(cursor=event.cursor)
        # A cursor covers all conversations, also those that this subscription leaves out.
        position = pb.ConversationPosition(conversation_id=self._conversation_id, sequence=event.message.sequence)
        return pb.AcknowledgeRequest(positions=[position])
