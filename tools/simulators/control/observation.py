"""What happened: accepted messages, conversations, files, requests to webhooks."""

import dataclasses

from aiohttp import web
from tools.simulators.channel import Channel
from tools.simulators.context import Context
from tools.simulators.customer_actions import UnknownTargetError
from tools.simulators.traffic import Place

from .json_bodies import entry_json


class ObservationHandlers:
    """The handlers."""

    def __init__(self, context: Context) -> None:
        self._accepted = context.accepted
        self._refusals = context.refusals
        self._traffic = context.traffic
        self._media = context.media

    def add_to(self, application: web.Application) -> None:
        """Add the routes."""
        application.router.add_get("/messages", self._messages)
        application.router.add_get("/refusals", self._refused)
        application.router.add_get("/conversations", self._conversations)
        application.router.add_get("/conversations/{channel}/{account}/{customer}", self._conversation)
        application.router.add_get("/media/{id}", self._file)

    async def _messages(self, request: web.Request) -> web.Response:
        query = request.query
        messages = self._accepted.read(
            channel=query.get("channel"),
            account=query.get("account"),
            recipient=query.get("recipient"),
            after=int(query.get("after", "0")),
            limit=int(query.get("limit", "100000")),
        )
        return web.json_response({"messages": [dataclasses.asdict(message) for message in messages]})

    async def _refused(self, _: web.Request) -> web.Response:
        counts = self._refusals.all().items()
        refusals = [{"channel": channel, "code": code, "count": count} for (channel, code), count in counts]
        return web.json_response({"refusals": refusals})

    async def _conversations(self, request: web.Request) -> web.Response:
        limit = int(request.query.get("limit", "200"))
        return web.json_response({"conversations": [entry_json(entry) for entry in self._traffic.newest()[:limit]]})

    async def _conversation(self, request: web.Request) -> web.Response:
        names = request.match_info
        place = Place(Channel(names["channel"]), names["account"], names["customer"])
        entries = self._traffic.read(place, int(request.query.get("after", "0")))
        return web.json_response({"entries": [entry_json(entry) for entry in entries]})

    async def _file(self, request: web.Request) -> web.Response:
        stored = self._media.get(request.match_info["id"])
        if stored is None:
            raise UnknownTargetError("there is no such file, or no more")
        # A customer chose the type: no browser may run it as a page of this one.
        headers = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=stored.content, content_type=stored.facts.mime_type, headers=headers)
