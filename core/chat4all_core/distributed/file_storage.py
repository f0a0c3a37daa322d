"""Where a process of the distributed platform keeps the bytes of files."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import structlog

from chat4all_core.adapters.content.content_hasher import open_content_hasher
from chat4all_core.adapters.content.type_detector import detect_type
from chat4all_core.adapters.s3.s3_object_store import S3ObjectStore
from chat4all_core.config import Settings
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.file_storage import FileStorage

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_s3_storage(settings: Settings, clock: Clock) -> AsyncIterator[FileStorage]:
    """Open the bucket of files. The store may be away: messages go without it, and files once it is there.

    Raises:
        S3RefusedError: there is no such bucket, or the account may not use it.
    """
    async with aclosing(S3ObjectStore(settings.s3, clock)) as store:
        try:
            await store.check()
        except UnavailableError as error:
            _log.warning("no_store_of_files", error=error.message)
        yield FileStorage(store, open_content_hasher(), detect_type, None)
