"""HTTP calls to a channel, and what a call that gave no answer means."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.payload import AsyncIterablePayload

from chat4all_channels.outcome import RetryAfter, Scope, Undecided

TIMEOUT = aiohttp.ClientTimeout(total=30, connect=5, sock_connect=5)
"""Seconds. A call that tells a channel something is over by then, one way or the other: well within a claim's lease."""

_GATEWAY_TIMEOUT = 504


@dataclass(frozen=True, slots=True)
class Answer:
    """What a channel answered."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Mapping[str, Any]
    """Empty when it is no JSON object."""

    @property
    def retry_after(self) -> float:
        """Seconds that the channel asks to wait, 0 if it does not say."""
        text = self.headers.get("retry-after", "")
        return float(text) if text.isdigit() else 0.0


class HttpApi:
    """The calls of one account."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, headers: Mapping[str, str]) -> None:
        """`headers` go with every call."""
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._headers = headers

    async def post(self, path: str, body: Mapping[str, Any]) -> Answer | RetryAfter | Undecided:
        """Tell the channel something. RetryAfter: it certainly has not heard. Undecided: nobody knows."""
        return await self._call("POST", path, json=body)

    async def post_form(
        self, path: str, fields: Mapping[str, str], file: "FormFile"
    ) -> Answer | RetryAfter | Undecided:
        """The same, as multipart/form-data with a file."""
        form = aiohttp.MultipartWriter("form-data")
        for name, text in fields.items():
            form.append(text).set_content_disposition("form-data", name=name)
        payload = _SizedPayload(file.content, content_type=file.mime_type or "application/octet-stream", size=file.size)
        payload.set_content_disposition("form-data", name=file.field, filename=file.filename)
        form.append_payload(payload)
        return await self._call("POST", path, data=form)

    async def get(self, path: str, query: Mapping[str, str]) -> Answer | RetryAfter | Undecided:
        """Ask the channel something."""
        return await self._call("GET", path, params=query)

    async def download(self, url: str) -> AsyncIterator[bytes]:
        """The bytes at a URL, with this account's credentials only where it is the channel's own host.

        Raises:
            DownloadError: it can't be had.
        """
        headers = self._headers if urlsplit(url).netloc == urlsplit(self._base_url).netloc else {}
        try:
            async with self._session.get(url, headers=headers, timeout=TIMEOUT) as response:
                if response.status != 200:
                    raise DownloadError(f"the channel answers {response.status}", response.status)
                async for chunk in response.content.iter_chunked(256 * 1024):
                    yield chunk
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DownloadError(_describe(error), 0) from error

    async def _call(self, method: str, path: str, **arguments: Any) -> Answer | RetryAfter | Undecided:
        url = f"{self._base_url}/{path}"
        try:
            async with self._session.request(
                method, url, headers=self._headers, timeout=TIMEOUT, allow_redirects=False, **arguments
            ) as response:
                headers = {name.lower(): value for name, value in response.headers.items()}
                answer = Answer(response.status, headers, _json_object(await response.read()))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            # No connection, so nothing was told.
            return RetryAfter(0, Scope.ACCOUNT, "NO_CONNECTION", _describe(error))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Undecided(_describe(error))
        if answer.status == _GATEWAY_TIMEOUT:
            # Something in between gave up waiting: the channel may have heard.
            return Undecided("something on the way to the channel gave up waiting (HTTP 504)")
        return answer


class DownloadError(Exception):
    """Bytes can't be had."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
        """Of HTTP; 0 when there was no answer."""


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file in a form."""

    field: str
    filename: str
    mime_type: str
    size: int
    content: AsyncIterator[bytes]


class _SizedPayload(AsyncIterablePayload):
    """Bytes whose number is known, so that the request has a Content-Length: channels ask for one."""

    def __init__(self, content: AsyncIterator[bytes], *, content_type: str, size: int) -> None:
        super().__init__(content, content_type=content_type)
        self._size = size


def _json_object(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
