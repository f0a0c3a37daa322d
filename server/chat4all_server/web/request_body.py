"""The body of a request as chunks."""

from collections.abc import AsyncIterator

from aiohttp import web

from chat4all_core.app.write_upload import Chunk

_GATHER = 256 << 10


async def body_chunks(request: web.Request) -> AsyncIterator[Chunk]:
    """The body, and the word that it was all: unlike a gRPC stream, HTTP tells a body that ended from one that was cut,
    and then this raises."""
    async for piece in body_pieces(request):
        yield Chunk(piece)
    yield Chunk(b"", finish=True)


async def body_pieces(request: web.Request) -> AsyncIterator[bytes]:
    """The body in pieces of a sensible size."""
    async for piece in request.content.iter_chunked(_GATHER):
        yield piece
