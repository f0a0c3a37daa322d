"""An upload whose parts go straight to the store, several at a time."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import grpc

from chat4all.files.v1 import file_pb2
from chat4all.files.v1 import file_service_pb2 as pb
from chat4all_sdk import translate_file
from chat4all_sdk.connection import Connection
from chat4all_sdk.errors import ChatError, FailedPrecondition, PermissionDenied, Unavailable
from chat4all_sdk.file_models import File, OnProgress, TransferProgress, Upload
from chat4all_sdk.retry import idempotent
from chat4all_sdk.transfer import Attempts
from chat4all_sdk.upload_source import SeekableSource

if TYPE_CHECKING:
    from chat4all_sdk.part_sender import PartSender

__all__ = ["DirectUnavailable", "DirectUpload"]

_PARALLEL = 4
_PAGE = 1_000  # parts whose URLs are asked for at a time
_TRIES = 10  # of one part
_FIRST_TRIES = 3  # in vain before any part came through: then the way counts as closed
_COMPLETE_SECONDS = 600.0  # the store joins the parts, and the platform may read them to compute their sum


class DirectUnavailable(Exception):
    """The store can't be used from here: no part has come through."""


class DirectUpload:
    """Sends the parts of a file that can be read at any place."""

    def __init__(
        self, connection: Connection, upload: Upload, source: SeekableSource, on_progress: OnProgress | None = None
    ) -> None:
        self._connection = connection
        self._upload_id = upload.upload_id
        self._source = source
        self._on_progress = on_progress
        self._attempts = Attempts(connection)
        self._file: File | None = None
        self._there = 0  # how many bytes from the first on the store has
        self._done = 0
        self._reached = False
        self._failures = 0

    async def is_begun(self) -> bool:
        """Whether an upload that is gone on with was a direct one so far; `run` then sends what is missing."""
        try:
            await self._complete()
        except FailedPrecondition as error:
            if error.reason == "UPLOAD_IS_DIRECT":  # or rather, here, is not
                return False
            raise
        return True

    async def run(self) -> File:
        """The file. Raises DirectUnavailable, ChatError."""
        while self._file is None:
            before = self._there
            await self._send_parts(before)
            await self._complete()
            if self._file is None and self._there <= before:
                raise FailedPrecondition(
                    grpc.StatusCode.FAILED_PRECONDITION,
                    f"the store does not keep what follows byte {before}",
                    reason="UPLOAD_INCOMPLETE",
                    metadata={"committed_size": str(before), "upload_id": self._upload_id},
                )
        return self._file

    async def _complete(self) -> None:
        """Asks for the file, or learns how much of it the store has."""
        request = pb.CompleteDirectUploadRequest(upload_id=self._upload_id)
        try:
            answer = await self._connection.call(
                self._connection.files.CompleteDirectUpload, request, rule=idempotent, timeout=_COMPLETE_SECONDS
            )
        except FailedPrecondition as error:
            if error.reason != "UPLOAD_INCOMPLETE":
                raise
            self._there = int(error.metadata.get("committed_size", "0"))
        else:
            self._file = translate_file.file(answer.file)

    async def _send_parts(self, there: int) -> None:
        from chat4all_sdk.part_sender import PartSender  # late, for the reason that it gives

        self._done, self._reached = 0, self._reached or there > 0
        self._report(there)
        parts, turn = self._parts(there), asyncio.Lock()
        async with PartSender(self._source, self._report) as sender:

            async def work() -> None:
                while True:
                    async with turn:
                        part = await anext(parts, None)
                    if part is None:
                        return
                    await self._send_part(sender, part)

            await _until_first_error([asyncio.create_task(work()) for _ in range(_PARALLEL)])

    async def _parts(self, there: int) -> AsyncIterator[file_pb2.DirectPart]:
        first, total = 1, 1
        while first <= total:
            answer = await self._links(first, _PAGE)
            total = answer.total_parts
            first += _PAGE
            for part in answer.parts:
                if part.offset + part.size_bytes > there:
                    yield part

    async def _links(self, first: int, count: int) -> pb.CreateDirectUploadResponse:
        request = pb.CreateDirectUploadRequest(upload_id=self._upload_id, first_part=first, part_count=count)
        try:
            return await self._connection.call(self._connection.files.CreateDirectUpload, request, rule=idempotent)
        except ChatError as error:
            if error.code is grpc.StatusCode.UNIMPLEMENTED:
                raise DirectUnavailable(error.message) from None
            raise

    async def _send_part(self, sender: "PartSender", part: file_pb2.DirectPart) -> None:
        for left in reversed(range(_TRIES)):
            try:
                await sender.send(part)
            except (FailedPrecondition, PermissionDenied, Unavailable) as error:
                self._failed(error)
                if not left or isinstance(error, FailedPrecondition):
                    raise
                await self._attempts.pause(Unavailable(grpc.StatusCode.UNAVAILABLE, error.message))
                if isinstance(error, PermissionDenied):  # the URL's time may be over
                    part = (await self._links(part.part_number, 1)).parts[0]
            else:
                self._reached = True
                self._attempts.progressed()
                return

    def _failed(self, error: ChatError) -> None:
        self._failures += 1
        if not self._reached and (self._failures >= _FIRST_TRIES or isinstance(error, FailedPrecondition)):
            raise DirectUnavailable(error.message)

    def _report(self, more: int) -> None:
        self._done += more
        if self._on_progress is not None:
            self._on_progress(TransferProgress(self._done, self._source.size))


async def _until_first_error(tasks: list[asyncio.Task[None]]) -> None:
    """Waits for all; the first error ends the others and is raised. Unlike a TaskGroup it raises that error itself."""
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
