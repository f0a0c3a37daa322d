"""Whether parts that go straight to the store are a short cut."""

from contextlib import suppress
from urllib.parse import urlsplit

from chat4all.files.v1 import file_service_pb2 as pb
from chat4all_sdk.connection import Connection
from chat4all_sdk.errors import ChatError

__all__ = ["is_short_cut"]

_OWN_PATH = "/v1/blobs/"
"""What the paths of URLs begin with that lead back to the platform, whose store is a folder of its own."""


async def is_short_cut(connection: Connection, conversation_id: str) -> bool:
    """Whether the store has an address of its own; False when that can't be found out now.

    The platform is asked once for each connection, by an upload of one byte that is cancelled again. A URL that
    leads back to the platform saves nothing: measured on one machine, parts sent that way take half as long again
    as one stream, which needs no SHA-256 beforehand and can be resumed at any byte.
    """
    if connection.store_is_apart is None:
        with suppress(ChatError):
            connection.store_is_apart = await _leads_elsewhere(connection, conversation_id)
    return bool(connection.store_is_apart)


async def _leads_elsewhere(connection: Connection, conversation_id: str) -> bool:
    files = connection.files
    request = pb.CreateUploadRequest(conversation_id=conversation_id, filename="probe", size_bytes=1)
    upload_id = (await connection.call(files.CreateUpload, request)).upload.upload_id
    try:
        asked = pb.CreateDirectUploadRequest(upload_id=upload_id, part_count=1)
        parts = (await connection.call(files.CreateDirectUpload, asked)).parts
        return bool(parts) and not urlsplit(parts[0].url).path.startswith(_OWN_PATH)
    finally:
        with suppress(ChatError):
            await connection.call(files.CancelUpload, pb.CancelUploadRequest(upload_id=upload_id))
