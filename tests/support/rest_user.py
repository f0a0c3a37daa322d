"""Someone who uses the platform over REST."""

import json
import uuid
from typing import Any, Self

import aiohttp

Answer = tuple[int, Any]
"""Status and decoded body."""

PASSWORD = "correct horse"


class RestUser:
    """A registered person with a token. Every instance is somebody else."""

    def __init__(self, session: aiohttp.ClientSession, username: str, user_id: str, token: str) -> None:
        self.session = session
        self.username = username
        self.user_id = user_id
        self.token = token

    @classmethod
    async def join(cls, session: aiohttp.ClientSession, username: str = "") -> Self:
        """Register somebody new and log in."""
        username = username or f"u_{uuid.uuid4().hex[:12]}"
        credentials = {"username": username, "password": PASSWORD}
        async with session.post("/v1/users", json=credentials) as answer:
            body = await answer.json()
            assert answer.status == 200, body
            user_id = body["user"]["user_id"]
        async with session.post("/v1/auth/token", json=credentials) as answer:
            body = await answer.json()
            assert answer.status == 200, body
            token = body["access_token"]
        return cls(session, username, user_id, token)

    async def get(self, path: str, **params: str) -> Answer:
        """GET with query parameters."""
        return await self.call("GET", path, params=params)

    async def post(self, path: str, **body: Any) -> Answer:
        """POST a JSON object."""
        return await self.call("POST", path, json=body)

    async def call(self, method: str, path: str, token: str | None = None, **options: Any) -> Answer:
        """Any request, with this person's token unless another is given."""
        headers = {"authorization": f"Bearer {self.token if token is None else token}"}
        async with self.session.request(method, path, headers=headers, **options) as answer:
            text = await answer.text()
            assert answer.content_type == "application/json", f"{answer.status} {answer.content_type}: {text[:200]}"
            return answer.status, json.loads(text)

    async def post_text(self, path: str, body: str | bytes) -> Answer:
        """POST bytes that say they are JSON."""
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        async with self.session.post(path, data=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def direct(self, other: "RestUser") -> str:
        """The id of the conversation with somebody."""
        status, body = await self.post("/v1/conversations", type="DIRECT", participants=[other.user_id])
        assert status == 200, body
        return str(body["conversation"]["conversation_id"])

    async def send(self, conversation_id: str, text: str, **more: Any) -> str:
        """Send a message; returns its id."""
        status, body = await self.post("/v1/messages", conversation_id=conversation_id, text=text, **more)
        assert status == 200, body
        return str(body["message_id"])


def reason(body: Any) -> str:
    """Why a request was refused."""
    return str(next(d["reason"] for d in body["details"] if d["@type"].endswith("google.rpc.ErrorInfo")))


def fields(body: Any) -> list[str]:
    """Which fields were wrong."""
    bad = next((d for d in body["details"] if d["@type"].endswith("google.rpc.BadRequest")), {"field_violations": []})
    return [violation["field"] for violation in bad["field_violations"]]
