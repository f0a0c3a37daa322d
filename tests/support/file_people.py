"""People who share files over REST."""

import io
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
from rest_user import RestUser


@dataclass
class People:
    """Two who share a conversation, and one who does not."""

    ann: RestUser
    ben: RestUser
    eve: RestUser
    room: str

    @classmethod
    async def meet(cls, session: aiohttp.ClientSession, ann: RestUser, ben: RestUser, eve: RestUser) -> Self:
        """Ann and Ben in a new conversation, all on this connection."""
        for user in (ann, ben, eve):
            user.session = session
        status, body = await ann.post("/v1/conversations", type="GROUP", participants=[ben.user_id])
        assert status == 200, body
        return cls(ann, ben, eve, body["conversation"]["conversation_id"])

    async def upload(self, size: int | None, **fields: Any) -> str:
        """The id of a new upload."""
        more = {} if size is None else {"size_bytes": str(size)}
        body = {"conversation_id": self.room, "filename": "a.bin", **more, **fields}
        status, body = await self.ann.post("/v1/uploads", **body)
        assert status == 200, body
        return str(body["upload"]["upload_id"])

    async def put(self, upload_id: str, offset: int, data: bytes, **params: str) -> tuple[int, Any]:
        """Write over REST."""
        return await self.ann.call(
            "PUT", f"/v1/uploads/{upload_id}/content", data=io.BytesIO(data), params={"offset": str(offset), **params}
        )

    async def file(self, data: Any, filename: str = "a.bin", **params: str) -> dict[str, Any]:
        """A file that is AVAILABLE."""
        params = {"conversation_id": self.room, "filename": filename, **params}
        status, body = await self.ann.call("POST", "/v1/files", data=data, params=params)
        assert status == 200, body
        return dict(body["file"])

    async def committed(self, upload_id: str) -> int:
        """How far an upload has come."""
        status, body = await self.ann.get(f"/v1/uploads/{upload_id}")
        assert status == 200, body
        return int(body["upload"]["committed_size"])
