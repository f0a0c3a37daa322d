"""multipart/form-data (RFC 7578), read as it comes: fields first, the file last and in a stream."""

from collections.abc import AsyncIterator

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http import HttpProcessingError

from chat4all_core.app.create_upload import NewFile
from chat4all_core.app.write_upload import Chunk
from chat4all_core.domain.errors import InvalidArgumentError, Reason, invalid_field
from chat4all_server.web.query import query_of

_FIELDS = ("conversation_id", "filename", "mime_type", "sha256", "size_bytes")
_FILE = "file"
_MAX_FIELD_BYTES = 4_096
_CHUNK = 256 << 10
# What aiohttp raises for bodies that are no form; its own asserts among them.
_MALFORMED = (ValueError, AssertionError, RuntimeError, HttpProcessingError)


async def read_form(request: web.Request) -> tuple[NewFile, AsyncIterator[Chunk]]:
    """What the fields say of the file, and its bytes. Fields may come in the query too; those after the file are too
    late to count.

    Raises:
        InvalidArgumentError: MALFORMED_REQUEST, or a field is wrong or missing.
    """
    fields = {name: value for name, value in query_of(request).items() if name in _FIELDS}
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader) or part.name is None:
                raise _malformed()
            if part.name == _FILE:
                return _new_file(fields, part), _chunks(reader, part)
            if part.name in _FIELDS:
                fields[part.name] = await _text(part)
    except _MALFORMED as error:
        raise _malformed() from error
    raise invalid_field(_FILE, "is missing")


def _new_file(fields: dict[str, str], part: BodyPartReader) -> NewFile:
    size = fields.get("size_bytes")
    if size is not None and not size.isdecimal():
        raise invalid_field("size_bytes", "must be a whole number")
    if not fields.get("conversation_id"):
        raise invalid_field("conversation_id", "must come before the file")
    return NewFile(
        conversation_id=fields["conversation_id"],
        filename=fields.get("filename") or _filename(part),
        mime_type=fields.get("mime_type") or part.headers.get("Content-Type") or "",
        size=None if size is None else int(size),
        sha256=fields.get("sha256", ""),
    )


def _filename(part: BodyPartReader) -> str:
    name = part.filename or ""
    try:
        name.encode()
    except UnicodeEncodeError as error:  # bytes that are not UTF-8 come as halves of pairs
        raise InvalidArgumentError("the file's name is not UTF-8", reason=Reason.MALFORMED_REQUEST) from error
    return name


async def _text(part: BodyPartReader) -> str:
    text = b""
    while chunk := await part.read_chunk(_MAX_FIELD_BYTES):
        text += chunk
        if len(text) > _MAX_FIELD_BYTES:
            raise invalid_field(part.name or "", f"must have at most {_MAX_FIELD_BYTES} bytes")
    return text.decode()  # UnicodeDecodeError is a ValueError


async def _chunks(reader: MultipartReader, part: BodyPartReader) -> AsyncIterator[Chunk]:
    try:
        while piece := await part.read_chunk(_CHUNK):
            yield Chunk(piece)
        while await reader.next() is not None:  # the last boundary is what tells a whole form from a cut one
            pass
    except _MALFORMED as error:
        raise _malformed() from error
    yield Chunk(b"", finish=True)


def _malformed() -> InvalidArgumentError:
    return InvalidArgumentError("the body is not a valid form", reason=Reason.MALFORMED_REQUEST)
