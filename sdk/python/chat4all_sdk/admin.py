"""The calls of those who operate the platform."""

from collections.abc import AsyncIterator

from chat4all.admin.v1 import admin_service_pb2 as pb
from chat4all_sdk.admin_models import DeadLetter, DeadLetterEvent, SystemStatus
from chat4all_sdk.calls import Calls
from chat4all_sdk.models import Page
from chat4all_sdk.paging import items_of_pages
from chat4all_sdk.translate import utc_time

__all__ = ["AdminCalls"]


class AdminCalls(Calls):
    """Dead letters, and how the platform does. Without an admin's session they raise PermissionDenied."""

    async def list_dead_letters(self, page_size: int = 50, page_token: str = "") -> Page[DeadLetter]:
        """A page of dead letters, newest first. `page_size` is 1 to 100."""
        request = pb.ListDeadLettersRequest(page_size=page_size, page_token=page_token)
        response = await self._connection.call(self._connection.admin.ListDeadLetters, request)
        return Page(tuple(_dead_letter(letter) for letter in response.dead_letters), response.next_page_token)

    def dead_letters(self, page_size: int = 50) -> AsyncIterator[DeadLetter]:
        """All dead letters, newest first, loaded page by page."""
        return items_of_pages(lambda token: self.list_dead_letters(page_size, token))

    async def redrive_dead_letter(self, dead_letter_id: str) -> DeadLetter:
        """Has a dead letter tried again; a delivery once, however often it is asked for. Raises NotFound."""
        request = pb.RedriveDeadLetterRequest(dead_letter_id=dead_letter_id)
        response = await self._connection.call(self._connection.admin.RedriveDeadLetter, request)
        return _dead_letter(response.dead_letter)

    async def system_status(self) -> SystemStatus:
        """How the platform does."""
        response = await self._connection.call(self._connection.admin.GetSystemStatus, pb.GetSystemStatusRequest())
        return SystemStatus(
            ready=response.ready,
            parts={part.name: part.ready for part in response.parts},
            channels=tuple(response.channels),
            start_time=utc_time(response.start_time),
        )


def _dead_letter(letter: pb.DeadLetter) -> DeadLetter:
    return DeadLetter(
        dead_letter_id=letter.dead_letter_id,
        topic=letter.topic,
        key=letter.key,
        code=letter.code,
        reason=letter.reason,
        remedy=letter.remedy,
        reject_time=utc_time(letter.reject_time),
        redrive_time=utc_time(letter.redrive_time) if letter.HasField("redrive_time") else None,
        history=tuple(DeadLetterEvent(utc_time(event.time), event.what) for event in letter.history),
    )
