"""URLs that lead back to the server: GET, HEAD and PUT /v1/blobs/{token}. The token is all that they need."""

from aiohttp import web

from chat4all_core.ports.linked_store import PATH, LinkedStore
from chat4all_core.ports.object_store import ObjectStore
from chat4all_server.web.callers import Callers
from chat4all_server.web.content import Content, send_content
from chat4all_server.web.errors import answering_errors
from chat4all_server.web.request_body import body_pieces


class LinkHandlers:
    """Serves downloads, and parts of direct uploads."""

    def __init__(self, links: LinkedStore, objects: ObjectStore, callers: Callers) -> None:
        self._links = links
        self._objects = objects
        self._callers = callers

    def add_to(self, application: web.Application) -> None:
        """Add the routes."""
        application.router.add_get(f"{PATH}{{token}}", answering_errors(self.download))
        application.router.add_put(f"{PATH}{{token}}", answering_errors(self.receive))

    async def download(self, request: web.Request) -> web.StreamResponse:
        """The bytes of a file."""
        await self._callers.admit_anyone(request)
        linked = await self._links.open_link(request.match_info["token"])
        content = Content(
            etag=linked.key.rpartition("/")[2],
            size=linked.size,
            filename=linked.filename,
            mime_type=linked.mime_type,
            read=lambda start, end: self._objects.read(linked.key, start, end),
        )
        return await send_content(request, content)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """A part of a direct upload."""
        await self._callers.admit_anyone(request)
        token = request.match_info["token"]
        await self._links.receive_part(token, request.content_length, body_pieces(request))
        return web.Response(status=200)
