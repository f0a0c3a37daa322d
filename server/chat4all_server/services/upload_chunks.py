"""Streams of requests as streams of chunks. A request is let go before its chunk is given out: nobody may need the next
one for long, and then it would hold a megabyte of each upload."""

from collections.abc import AsyncIterable, AsyncIterator
from typing import TypeVar

from chat4all.files.v1 import file_service_pb2 as pb
from chat4all_core.app.write_upload import Chunk
from chat4all_core.domain.errors import invalid_field

T = TypeVar("T")


async def first_and_rest(requests: AsyncIterable[T], nothing: T) -> tuple[T, AsyncIterator[T]]:
    """The first request of a stream, which says what it is about (`nothing` when there is none), and the others."""
    rest = aiter(requests)
    return await anext(rest, nothing), rest


async def written_chunks(
    first: pb.WriteUploadRequest, rest: AsyncIterator[pb.WriteUploadRequest]
) -> AsyncIterator[Chunk]:
    """The chunks of WriteUpload.

    Raises:
        InvalidArgumentError: a later message names another upload.
    """
    upload_id = first.upload_id
    chunk = Chunk(first.content.data, _crc32c(first), None, first.finish)
    del first
    yield chunk
    async for request in rest:
        if request.upload_id not in ("", upload_id):
            raise invalid_field("upload_id", "must be the same in every message of a stream")
        chunk = Chunk(request.content.data, _crc32c(request), request.offset or None, request.finish)
        del request
        yield chunk
        del chunk


async def uploaded_chunks(
    first: pb.UploadFileRequest, rest: AsyncIterator[pb.UploadFileRequest]
) -> AsyncIterator[Chunk]:
    """The chunks of UploadFile."""
    chunk = Chunk(first.content.data, _crc32c(first), None, first.finish)
    del first
    yield chunk
    async for request in rest:
        chunk = Chunk(request.content.data, _crc32c(request), None, request.finish)
        del request
        yield chunk
        del chunk


def _crc32c(request: pb.WriteUploadRequest | pb.UploadFileRequest) -> int | None:
    return request.crc32c if request.HasField("crc32c") else None
