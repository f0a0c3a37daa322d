"""One range of an object, read piece by piece."""

from threading import Lock

from urllib3.response import BaseHTTPResponse

from chat4all_core.adapters.s3.bucket import Bucket
from chat4all_core.adapters.s3.errors import unavailable
from chat4all_core.ports.object_store import ObjectContradictionError

_PIECE = 1 << 20


class RangeReader:
    """Everything here blocks, and runs in threads; `close` may be called while another thread reads."""

    def __init__(self, bucket: Bucket, key: str, start: int, end: int) -> None:
        self._bucket = bucket
        self._key = key
        self._position = start
        self._end = end
        self._response: BaseHTTPResponse | None = None
        self._closed = False
        self._lock = Lock()

    def read(self) -> bytes:
        """The next piece; empty when there is no more, or when it was closed.

        Raises:
            ObjectContradictionError: the object ends before the range does.
        """
        with self._lock:
            if self._closed or self._position >= self._end:
                return b""
            if self._response is None:
                self._response = self._open()
            piece = self._response.read(min(_PIECE, self._end - self._position))
            if not piece:
                raise unavailable(f"{self._key} was cut at {self._position}")
            self._position += len(piece)
            return piece

    def close(self) -> None:
        """Give the connection back, or up when it is not read to its end."""
        with self._lock:
            self._closed = True
            if self._response is None:
                return
            if self._position < self._end:
                self._response.close()
            self._response.release_conn()

    def _open(self) -> BaseHTTPResponse:
        response = self._bucket.get(self._key, self._position, self._end)
        length = int(response.headers.get("Content-Length", -1))
        if length != self._end - self._position:
            response.close()
            raise ObjectContradictionError(
                f"{self._key} ends {length} bytes after {self._position}, before {self._end}"
            )
        return response
