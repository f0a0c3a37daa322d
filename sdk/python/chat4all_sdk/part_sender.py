"""Parts of a direct upload on their way to the store, over HTTP.

Imported only when there are such parts: aiohttp takes a sixth of a second, which no other command need wait for.
"""

from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

import aiohttp
import grpc
from yarl import URL

from chat4all.files.v1 import file_pb2 as pb
from chat4all_sdk.errors import ChatError, DataLoss, FailedPrecondition, PermissionDenied, Unavailable
from chat4all_sdk.upload_source import SeekableSource

__all__ = ["PartSender"]

_PIECE = 1 << 20
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=60)
_PASSING = frozenset({408, 425, 429})  # statuses that may be others the next time, besides 5xx


class PartSender:
    """Sends parts, any number at a time, a piece of each in memory. Proxies are those of the environment."""

    def __init__(self, source: SeekableSource, on_sent: Callable[[int], None]) -> None:
        """`on_sent` hears of bytes that went out, and with a negative number of those that went in vain."""
        self._source = source
        self._on_sent = on_sent
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def send(self, part: pb.DirectPart) -> None:
        """Returns once the store has the part.

        Raises Unavailable when another attempt may help, PermissionDenied when a fresh URL may, ChatError otherwise,
        and what reading the source raises.
        """
        body = _Body(self._source, part, self._on_sent)
        url = URL(part.url, encoded=True)  # another spelling might not be what was signed
        headers = {"Content-Length": str(part.size_bytes), "Content-Type": "application/octet-stream"}
        try:
            async with self._session.put(url, data=body.pieces(), headers=headers) as answer:
                if answer.status < 300:
                    return
                error = _refusal(answer.status, await answer.text(errors="replace"))
        except (aiohttp.ClientError, TimeoutError) as failure:
            error = Unavailable(grpc.StatusCode.UNAVAILABLE, f"the store can't be reached: {failure!r}")
        self._on_sent(-body.sent)
        raise body.error or error


class _Body:
    """The bytes of a part. What reading raises is kept, for it would come out of the request as something else."""

    def __init__(self, source: SeekableSource, part: pb.DirectPart, on_sent: Callable[[int], None]) -> None:
        self._source = source
        self._part = part
        self._on_sent = on_sent
        self.sent = 0
        self.error: Exception | None = None

    async def pieces(self) -> AsyncIterator[bytes]:
        while (left := self._part.size_bytes - self.sent) > 0:
            piece = await self._read(self._part.offset + self.sent, min(_PIECE, left))
            yield piece
            self.sent += len(piece)
            self._on_sent(len(piece))

    async def _read(self, offset: int, size: int) -> bytes:
        try:
            if piece := await self._source.read(offset, size):
                return piece
            raise DataLoss(
                grpc.StatusCode.DATA_LOSS, f"the source ended after {offset} bytes", reason="UPLOAD_INCOMPLETE"
            )
        except (OSError, ValueError, ChatError) as error:
            self.error = error
            raise


def _refusal(status: int, text: str) -> ChatError:
    message = f"the store answered {status}: {text[:200]}"
    if status == 403:
        return PermissionDenied(grpc.StatusCode.PERMISSION_DENIED, message)
    if status >= 500 or status in _PASSING:
        return Unavailable(grpc.StatusCode.UNAVAILABLE, message)
    return FailedPrecondition(grpc.StatusCode.FAILED_PRECONDITION, message)
