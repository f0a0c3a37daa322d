"""How one process hands an upload over to another."""

import asyncio

import structlog

from chat4all_core.domain.errors import UnavailableError
from chat4all_core.domain.upload import Holding, Upload, UploadState
from chat4all_core.ports.file_store import FileStore

_log = structlog.get_logger(__name__)

_POLL_SECONDS = 0.05


class HandOver:
    """What a writer has in memory counts once it is recorded, so whoever goes on waits for that: by the record, for the
    writer may be in another process. It waits for so long at most, for the writer may be dead; epochs keep the two
    apart in any case."""

    def __init__(self, files: FileStore, wait_seconds: float) -> None:
        self._files = files
        self._wait_seconds = wait_seconds

    async def recorded(self, upload: Upload) -> Upload:
        """The upload, once a holder to whom nothing more comes has recorded all that came."""
        return await self._until_not(upload, Holding.ENDING, Holding.ASKED)

    async def given_up(self, upload: Upload) -> Upload:
        """The upload, once its holder has been asked to end, and has recorded all that came."""
        if upload.holding is Holding.WRITING:
            await self._files.set_holding(upload.upload_id, upload.epoch, Holding.ASKED)
        return await self._until_not(upload, Holding.WRITING, Holding.ENDING, Holding.ASKED)

    async def is_asked_for(self, upload: Upload) -> bool:
        """Whether its holder, the caller, is asked to end."""
        try:
            now = await self._files.get_upload(upload.upload_id)
        except UnavailableError:
            return False
        return now is not None and now.epoch == upload.epoch and now.holding is Holding.ASKED

    async def tell(self, upload: Upload, holding: Holding) -> None:
        """Record what its holder, the caller, does. Where that fails, others wait in vain."""
        try:
            await self._files.set_holding(upload.upload_id, upload.epoch, holding)
        except UnavailableError as error:
            _log.warning("hand_over_not_told", upload_id=upload.upload_id, error=error.message)

    async def _until_not(self, upload: Upload, *holding: Holding) -> Upload:
        clock = asyncio.get_running_loop().time
        give_up, epoch = clock() + self._wait_seconds, upload.epoch
        while upload.state is UploadState.OPEN and upload.epoch == epoch and upload.holding in holding:
            if clock() + _POLL_SECONDS > give_up:
                break
            await asyncio.sleep(_POLL_SECONDS)
            upload = await self._files.get_upload(upload.upload_id) or upload
        return upload
