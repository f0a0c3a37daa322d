"""The synchronous face of the calls of those who operate the platform."""

from collections.abc import Iterator

from chat4all_sdk.admin_models import DeadLetter, SystemStatus
from chat4all_sdk.background_loop import BackgroundLoop
from chat4all_sdk.client import AsyncClient
from chat4all_sdk.models import Page
from chat4all_sdk.paging import sync_items_of_pages

__all__ = ["SyncAdminCalls"]


class SyncAdminCalls:
    """See AdminCalls."""

    _client: AsyncClient

    @property
    def _loop(self) -> BackgroundLoop:
        """Where the client runs. Raises RuntimeError when it is not open."""
        raise NotImplementedError

    def list_dead_letters(self, page_size: int = 50, page_token: str = "") -> Page[DeadLetter]:
        """See AsyncClient.list_dead_letters."""
        return self._loop.run(self._client.list_dead_letters(page_size, page_token))

    def dead_letters(self, page_size: int = 50) -> Iterator[DeadLetter]:
        """See AsyncClient.dead_letters."""
        return sync_items_of_pages(lambda token: self.list_dead_letters(page_size, token))

    def redrive_dead_letter(self, dead_letter_id: str) -> DeadLetter:
        """See AsyncClient.redrive_dead_letter."""
        return self._loop.run(self._client.redrive_dead_letter(dead_letter_id))

    def system_status(self) -> SystemStatus:
        """See AsyncClient.system_status."""
        return self._loop.run(self._client.system_status())
