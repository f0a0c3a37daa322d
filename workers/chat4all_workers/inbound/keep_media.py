"""Media that people send on a channel are fetched and kept as files of the conversation."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing

from chat4all_channels.channel import ChannelAccount, FetchesMedia
from chat4all_channels.event import MediaError, MediaReference
from chat4all_core.app.create_upload import NewFile
from chat4all_core.app.upload_file import UploadFile
from chat4all_core.app.write_upload import Chunk
from chat4all_core.domain.channel import AccountId
from chat4all_core.domain.errors import FailedPreconditionError, Reason
from chat4all_core.domain.file import Attachment, File
from chat4all_core.domain.ids import UserId
from chat4all_workers.inbound.place import Place

_PAUSES = (1.0, 3.0)
"""Seconds before a second and a third try. Everything that other people wrote meanwhile waits, so there are no more."""


class KeepMedia:
    """The accounts of one channel, and a place for files."""

    def __init__(
        self,
        accounts: Mapping[AccountId, ChannelAccount],
        upload_file: UploadFile,
        max_bytes: int,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`max_bytes`: of one file."""
        self._accounts = accounts
        self._upload_file = upload_file
        self._max_bytes = max_bytes
        self._sleep = sleep

    async def __call__(self, place: Place, account: AccountId, media: MediaReference) -> Attachment:
        """The file, AVAILABLE in the conversation, and its sender's.

        Raises:
            MediaError: it can't be had.
            RefusedError: it can't be kept.
        """
        for pause in _PAUSES:
            try:
                return await self._keep(place, account, media)
            except MediaError as error:
                if error.lasting:
                    raise
                await self._sleep(pause)
        return await self._keep(place, account, media)

    async def _keep(self, place: Place, account: AccountId, media: MediaReference) -> Attachment:
        try:
            file = await self._upload(place, account, media, media.mime_type)
        except FailedPreconditionError as error:
            if error.reason is not Reason.MIME_TYPE_MISMATCH:
                raise
            # What the channel says of the bytes is no promise: they tell themselves.
            file = await self._upload(place, account, media, "")
        return Attachment(file.file_id, file.filename, file.size, file.mime_type, file.sha256)

    async def _upload(self, place: Place, account: AccountId, media: MediaReference, mime_type: str) -> File:
        new = NewFile(place.conversation.conversation_id, media.filename, mime_type)
        async with aclosing(self._chunks(account, media)) as chunks:
            return await self._upload_file(UserId(place.sender), new, chunks)

    async def _chunks(self, account: AccountId, media: MediaReference) -> AsyncGenerator[Chunk, None]:
        source = self._accounts.get(account)
        if not isinstance(source, FetchesMedia):
            raise MediaError("the channel gives no media", lasting=True)
        if (media.size or 0) > self._max_bytes:
            raise self._too_large()
        received = 0
        async with aclosing(source.fetch_media(media)) as pieces:
            async for piece in pieces:
                received += len(piece)
                if received > self._max_bytes:
                    raise self._too_large()
                yield Chunk(piece)
        yield Chunk(b"", finish=True)

    def _too_large(self) -> MediaError:
        return MediaError(f"it has more than {self._max_bytes} bytes", lasting=True)
