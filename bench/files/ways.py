"""Ways for a file to go up and down: the SDK's and curl's."""

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from chat4all_sdk import AsyncClient

Up = Callable[[Path], Awaitable[str]]
"""Uploads a file; returns its id."""
Down = Callable[[str, Path], Awaitable[None]]
"""Downloads a file to a path, durably."""

_PASSWORD = "correct horse"


class Ways:
    """All of them, for one person and one conversation."""

    def __init__(self, client: AsyncClient, url: str, token: str, conversation_id: str) -> None:
        self.client = client
        self.conversation_id = conversation_id
        self._url = url
        self._token = token

    async def by_sdk(self, source: Path) -> str:
        """WriteUpload."""
        return (await self.client.upload(self.conversation_id, source, direct=False)).file_id

    async def by_parts(self, source: Path) -> str:
        """Presigned parts, straight to the store."""
        return (await self.client.upload(self.conversation_id, source, direct=True)).file_id

    async def by_put(self, source: Path) -> str:
        """PUT of an upload's content, which the transcoder makes a WriteUpload of."""
        return await self.put((await asyncio.to_thread(source.stat)).st_size, str(source))

    async def put(self, size: int, source: str, stdin: int | None = None) -> str:
        """PUT of what `curl -T` takes: a path, or - for standard input."""
        wanted = {"conversation_id": self.conversation_id, "filename": "f", "size_bytes": size}
        begun = json.loads(await self.curl("/v1/uploads", "--json", json.dumps(wanted)))
        path = f"/v1/uploads/{begun['upload']['upload_id']}/content?offset=0"
        return _file_id(await self.curl(path, "--upload-file", source, stdin=stdin))

    async def by_post(self, source: Path) -> str:
        """POST of the file as the body, to the HTTP handler."""
        path = f"/v1/files?conversation_id={self.conversation_id}&filename=f"
        return _file_id(await self.curl(path, "--request", "POST", "--upload-file", str(source)))

    async def by_form(self, source: Path) -> str:
        """POST of a form, to the HTTP handler."""
        fields = ("--form", f"conversation_id={self.conversation_id}", "--form", f"file=@{source}")
        return _file_id(await self.curl("/v1/files", *fields))

    async def to_sdk(self, file_id: str, target: Path) -> None:
        """DownloadFile."""
        await self.client.download(file_id, target)

    async def to_curl(self, file_id: str, target: Path) -> None:
        """GET of the content, from the HTTP handler."""
        await self.curl(f"/v1/files/{file_id}/content", "--output", str(target))
        await asyncio.to_thread(_sync, target)

    async def to_link(self, file_id: str, target: Path) -> None:
        """The presigned URL, by curl."""
        url = (await self.client.get_download_url(file_id)).url
        await _curl("--output", str(target), url)
        await asyncio.to_thread(_sync, target)

    async def curl(self, path: str, *arguments: str, stdin: int | None = None, stdout: int | None = None) -> bytes:
        """What curl printed, if it was content and `stdout` is None."""
        authorized = ("--header", f"authorization: Bearer {self._token}")
        return await _curl(*authorized, *arguments, self._url + path, stdin=stdin, stdout=stdout)


@asynccontextmanager
async def open_ways(target: str, url: str) -> AsyncIterator[Ways]:
    """Somebody new, with a conversation."""
    names = [f"u_{secrets.token_hex(6)}" for _ in range(2)]
    async with AsyncClient(target) as client:
        users = [await client.register(name, _PASSWORD) for name in names]
        session = await client.login(names[0], _PASSWORD)
        conversation = await client.create_direct(users[1].user_id)
        yield Ways(client, url, session.access_token, conversation.conversation_id)


async def _curl(*arguments: str, stdin: int | None = None, stdout: int | None = None) -> bytes:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        "curl", "--silent", "--show-error", "--fail", *arguments, stdin=stdin, stdout=stdout or pipe, stderr=pipe
    )
    out, told = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"curl ended with {process.returncode}: {told.decode()}")
    return out or b""


def _file_id(answer: bytes) -> str:
    return str(json.loads(answer)["file"]["file_id"])


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
