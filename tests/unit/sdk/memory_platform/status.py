"""Subscriptions over the state of the tests; a test may end, break or silence each of them."""

import asyncio

from chat4all.status.v1 import status_service_pb2 as pb
from chat4all.status.v1.status_service_pb2_grpc import StatusServiceServicer

from .refusal import Refusal
from .state import State


class Status(StatusServiceServicer):
    def __init__(self, state: State) -> None:
        self._state = state
        self.orders: asyncio.Queue[pb.SubscribeResponse | Refusal] = asyncio.Queue()
        """Frames and breaks for the running subscription, given in place of the next event."""
        self.muted = False
        """A muted subscription is open but gives nothing, as over a dead connection."""

    async def Subscribe(self, request, context):
        try:
            caller = self._state.caller(context)
        except Refusal as refusal:
            await refusal.abort(context)
        self._state.calls.append(("Subscribe", request))
        await self._state.notify()
        stream = self._state.streams[caller]
        position = int(request.cursor) if request.cursor else len(stream)
        if position < 0:
            position = len(stream)
            yield pb.SubscribeResponse(cursor=str(position), reset=pb.Reset(reason=pb.Reset.CURSOR_TOO_OLD))
        caught_up = False
        while True:
            while position < len(stream):
                event = stream[position]
                position += 1
                if not self._left_out(event, request.conversation_id):
                    yield pb.SubscribeResponse(cursor=str(position), event=event)
            if not caught_up and not self.muted:
                caught_up = True
                yield pb.SubscribeResponse(cursor=str(position), caught_up=pb.CaughtUp())
            if self.muted:
                await asyncio.Event().wait()
            if not self.orders.empty():
                order = self.orders.get_nowait()
                if isinstance(order, Refusal):
                    await order.abort(context)
                order.cursor = str(position)
                yield order
                if order.HasField("going_away"):
                    return
            await self._news(stream, position)

    async def _news(self, stream, position: int) -> None:
        await self._state.wait_until(lambda: position < len(stream) or not self.orders.empty())

    def _left_out(self, event, conversation_id: str) -> bool:
        return bool(conversation_id) and event.message_created.message.conversation_id != conversation_id

    async def order(self, order: pb.SubscribeResponse | Refusal) -> None:
        self.orders.put_nowait(order)
        await self._state.notify()

    async def Acknowledge(self, request, context):
        self._state.caller(context)
        return pb.AcknowledgeResponse()
