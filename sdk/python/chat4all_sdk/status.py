"""The calls about what happens."""

from chat4all.status.v1 import status_service_pb2 as pb
from chat4all_sdk.calls import Calls
from chat4all_sdk.retry import idempotent
from chat4all_sdk.subscription import Subscription

__all__ = ["StatusCalls"]


class StatusCalls(Calls):
    """Events as they happen."""

    def subscribe(
        self,
        cursor: str | None = None,
        conversation_id: str | None = None,
        *,
        acknowledge: bool = True,
        silence: float = 60.0,
    ) -> Subscription:
        """Follows the caller's events after `cursor`, or from now on; see Subscription.

        With `acknowledge` messages become DELIVERED as the application takes them. A stream without
        any sign of life for `silence` seconds is replaced.
        """
        subscription = Subscription(
            self._connection,
            cursor=cursor or "",
            conversation_id=conversation_id or "",
            acknowledge=acknowledge,
            silence=silence,
        )
        self._connection.streams.add(subscription)
        return subscription

    async def acknowledge(self, cursor: str) -> None:
        """Says that the application has every event up to a cursor: their messages become DELIVERED."""
        request = pb.AcknowledgeRequest(cursor=cursor)
        await self._connection.call(self._connection.status.Acknowledge, request, rule=idempotent)
