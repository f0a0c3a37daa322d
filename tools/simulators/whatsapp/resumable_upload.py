"""The Resumable Upload API: a session, its bytes from an offset on, and a handle when all are there."""

import secrets
from dataclasses import dataclass, field

from aiohttp import web
from tools.simulators.bounded import Bounded
from tools.simulators.graph.error import GraphError, bad_parameter, missing_parameter, unknown_object
from tools.simulators.json_value import JsonObject

_MAX_BYTES = 100 << 20
_SESSIONS = 100


@dataclass(slots=True)
class UploadSession:
    """A file on its way."""

    id: str
    owner: str
    length: int
    type: str
    content: bytearray = field(default_factory=bytearray)


class ResumableUploads:
    """The sessions of the service."""

    def __init__(self) -> None:
        self._sessions: Bounded[str, UploadSession] = Bounded(_SESSIONS)

    def begin(self, owner: str, parameters: JsonObject) -> web.Response:
        """POST /{app_id}/uploads."""
        for name in ("file_length", "file_type"):
            if not parameters.get(name):
                raise missing_parameter(name)
        try:
            length = int(parameters["file_length"])
        except ValueError:
            raise bad_parameter("Param file_length must be an integer") from None
        if not 0 < length <= _MAX_BYTES:
            raise bad_parameter(f"Param file_length must be between 1 and {_MAX_BYTES}")
        session = UploadSession(f"upload:{secrets.token_urlsafe(24)}", owner, length, str(parameters["file_type"]))
        self._sessions.put(session.id, session)
        return web.json_response({"id": session.id})

    def offset(self, owner: str, session_id: str) -> web.Response:
        """GET /{upload}: how many bytes are there."""
        session = self._session(owner, session_id, "GET")
        return web.json_response({"id": session.id, "file_offset": len(session.content)})

    async def append(self, owner: str, session_id: str, request: web.Request) -> web.Response:
        """POST /{upload}: bytes from file_offset on. What arrives before a cut stays."""
        session = self._session(owner, session_id, "POST")
        offset = request.headers.get("file_offset", "")
        if not offset.isascii() or not offset.isdigit() or int(offset) != len(session.content):
            raise GraphError(
                400, 100, f"(#100) The file offset is invalid: expected {len(session.content)}, received {offset!r}"
            )
        async for piece in request.content.iter_chunked(1 << 16):
            if len(session.content) + len(piece) > session.length:
                raise bad_parameter("More bytes than file_length says")
            session.content += piece
        if len(session.content) < session.length:
            return web.json_response({"id": session.id, "file_offset": len(session.content)})
        return web.json_response({"h": f"4::{secrets.token_urlsafe(32)}"})

    def _session(self, owner: str, session_id: str, method: str) -> UploadSession:
        session = self._sessions.get(session_id)
        if session is None or session.owner != owner:
            raise unknown_object(session_id, method)
        return session
