"""Answers that hold the bytes of a file, or a range of them (RFC 9110, section 14)."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from aiohttp import web

from chat4all_core.app.read_files import range_invalid
from chat4all_core.domain.content_disposition import content_disposition
from chat4all_core.domain.file import UNKNOWN_TYPE
from chat4all_server.web.errors import ANSWER_BEGUN, error_response

Read = Callable[[int, int], AsyncGenerator[bytes, None]]
"""The bytes with start <= index < end."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is to be sent."""

    etag: str
    """Names these very bytes, for ever."""
    size: int
    filename: str
    mime_type: str
    read: Read


async def send_content(request: web.Request, content: Content) -> web.StreamResponse:
    """Answer GET or HEAD. Whatever fails after the headers cuts the answer off."""
    headers = _headers(content)
    if any(tag.value in (content.etag, "*") for tag in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    wanted = _range(request, content)
    if wanted is None:
        return _unsatisfiable(content)
    start, end = wanted
    partial = "Range" in request.headers and (start, end) != (0, content.size)
    response = web.StreamResponse(status=206 if partial else 200, headers=headers)
    if partial:
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{content.size}"
    response.content_length = end - start
    if request.method == "HEAD":
        end = start
    async with aclosing(content.read(start, end)) as pieces:
        # Before the headers: a store that can't be had is an error then, and no answer that breaks off.
        first = await anext(pieces, b"")
        request[ANSWER_BEGUN] = True
        await response.prepare(request)
        await response.write(first)
        async for piece in pieces:
            await response.write(piece)
    await response.write_eof()
    return response


def _unsatisfiable(content: Content) -> web.Response:
    response = error_response(range_invalid(content.size))
    response.set_status(416)
    response.headers["Content-Range"] = f"bytes */{content.size}"
    return response


def _headers(content: Content) -> dict[str, str]:
    return {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Disposition": content_disposition(content.filename),
        # A stranger chose the type: no browser may show it as a page of this platform's.
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Type": content.mime_type or UNKNOWN_TYPE,
        "Cross-Origin-Resource-Policy": "same-site",
        "ETag": f'"{content.etag}"',
        "X-Content-Type-Options": "nosniff",
    }


def _range(request: web.Request, content: Content) -> tuple[int, int] | None:
    """Which bytes to send; None when the range lies outside. A range that can't be read is no range, and neither is
    one of other bytes than these."""
    everything = (0, content.size)
    if_range = request.headers.get("If-Range")
    if if_range is not None and if_range != f'"{content.etag}"':
        return everything
    try:
        wanted = request.http_range
    except ValueError:
        return everything
    if wanted.start is None:
        return everything
    start = max(0, content.size + wanted.start) if wanted.start < 0 else wanted.start
    end = content.size if wanted.stop is None else min(wanted.stop, content.size)
    return (start, end) if start < end else None
