"""Downloads: read on after whatever breaks them, compared with the platform's sums, and put in place at once."""

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path, PureWindowsPath
from typing import BinaryIO

import google_crc32c
import grpc

from chat4all.files.v1 import file_service_pb2 as pb
from chat4all_sdk.connection import Connection
from chat4all_sdk.errors import ChatError, DataLoss, Unavailable
from chat4all_sdk.file_models import File, OnProgress, TransferProgress
from chat4all_sdk.large_buffers import keep_large_buffers
from chat4all_sdk.read_ahead import read_ahead
from chat4all_sdk.rpc_status import error_from_call
from chat4all_sdk.session import Credentials
from chat4all_sdk.transfer import Attempts, require_sha256

__all__ = ["download_to_file", "download_to_path", "read_range", "target_path"]

_PIECE = 1 << 20


async def read_range(connection: Connection, file_id: str, start: int, end: int) -> AsyncGenerator[bytes, None]:
    """The bytes with start <= index < end, each once and in order. Nothing is read ahead of what is taken."""
    attempts, position = Attempts(connection), start
    while position < end:
        credentials: Credentials = ()
        try:
            credentials = await connection.sessions.credentials()
            request = pb.DownloadFileRequest(file_id=file_id, offset=position, limit=end - position)
            async with aclosing(_read_once(connection, request, credentials)) as chunks:
                async for chunk in chunks:
                    attempts.progressed()
                    position += len(chunk)
                    yield chunk
            if position < end:
                raise Unavailable(grpc.StatusCode.UNAVAILABLE, f"the stream ended early, after byte {position}")
        except ChatError as error:
            await attempts.pause(error, credentials)


async def _read_once(
    connection: Connection, request: pb.DownloadFileRequest, credentials: Credentials
) -> AsyncGenerator[bytes, None]:
    """The chunks of one stream until it ends. Raises ChatError."""
    call = connection.files.DownloadFile(request, metadata=credentials)
    answers, position = aiter(call), request.offset
    try:
        while True:
            async with asyncio.timeout(connection.timeout):
                answer = await anext(answers, None)
            if answer is None:
                return
            if not answer.data:
                continue
            if answer.offset != position or google_crc32c.value(answer.data) != answer.crc32c:
                raise DataLoss(
                    grpc.StatusCode.DATA_LOSS,
                    f"the chunk at byte {position} was damaged on its way",
                    reason="CHUNK_CORRUPT",
                    metadata={"offset": str(position)},
                )
            position += len(answer.data)
            yield answer.data
    except grpc.aio.AioRpcError as failure:
        raise error_from_call(failure) from None
    except TimeoutError:
        raise Unavailable(grpc.StatusCode.UNAVAILABLE, "the stream fell silent") from None
    finally:
        call.cancel()


def target_path(target: str | os.PathLike[str], file: File) -> Path:
    """Where a download to a path goes: in a folder, to the file's own name, which can't lead out of it."""
    path = Path(target)
    if not path.is_dir():
        return path
    # Whatever the platform says: neither kind of separator, and no name that means a folder.
    name = PureWindowsPath(file.filename.replace("\0", "")).name
    return path / (file.file_id if name in ("", ".", "..") else name)


async def download_to_path(
    connection: Connection, file: File, path: Path, on_progress: OnProgress | None = None
) -> None:
    """Writes to a file beside `path`, which takes its place once it is whole and checked. What an earlier download
    left of it, in this process or another, is not loaded again."""
    # The name is the same for every attempt, and short enough for every file system.
    partial = path.with_name(f".{path.name[:40]}.{file.file_id}.partial")
    with await asyncio.to_thread(partial.open, "a+b") as content:
        try:
            await _Writer(connection, file, content, on_progress).go_on()
        except DataLoss:
            await asyncio.to_thread(partial.unlink, missing_ok=True)
            raise
        await asyncio.to_thread(_sync, content)
    await asyncio.to_thread(os.replace, partial, path)


async def download_to_file(
    connection: Connection, file: File, target: BinaryIO, on_progress: OnProgress | None = None
) -> None:
    """Writes to an open file from where it stands. Its bytes are there before they can be checked as a whole."""
    await _Writer(connection, file, target, on_progress).load(0)


class _Writer:
    """Writes what comes, and computes its sum."""

    def __init__(self, connection: Connection, file: File, target: BinaryIO, on_progress: OnProgress | None) -> None:
        self._connection = connection
        self._file = file
        self._target = target
        self._on_progress = on_progress
        self._hash = hashlib.sha256()

    async def go_on(self) -> None:
        """Loads what the target, a file of an earlier attempt, does not have."""
        await self.load(await asyncio.to_thread(self._hash_what_is_there))

    async def load(self, position: int) -> None:
        """Loads the bytes from `position` on; the hash has those before. Raises DataLoss when the sum is another."""
        keep_large_buffers()
        self._report(position)
        loaded = read_range(self._connection, self._file.file_id, position, self._file.size_bytes)
        async with aclosing(read_ahead(loaded)) as chunks:
            async for chunk in chunks:
                await asyncio.to_thread(self._write, chunk)
                position += len(chunk)
                self._report(position)
        require_sha256(self._file, self._hash.hexdigest())

    def _hash_what_is_there(self) -> int:
        if self._target.seek(0, os.SEEK_END) > self._file.size_bytes:
            self._target.truncate(0)
        self._target.seek(0)
        while piece := self._target.read(_PIECE):
            self._hash.update(piece)
        return self._target.tell()

    def _write(self, chunk: bytes) -> None:
        self._target.write(chunk)
        self._hash.update(chunk)

    def _report(self, done: int) -> None:
        if self._on_progress is not None:
            self._on_progress(TransferProgress(done, self._file.size_bytes))


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
