"""Requests to webhooks: looked at, sent again; how they are sent."""

import dataclasses

from aiohttp import web
from tools.simulators.customer_actions import UnknownTargetError
from tools.simulators.json_value import JsonObject
from tools.simulators.settings import from_table
from tools.simulators.webhooks.delivery import Deliveries
from tools.simulators.webhooks.policy import PolicyInForce, WebhookPolicy

from .json_bodies import body_of, delivery_json
from .services import Services


class WebhookHandlers:
    """The handlers."""

    def __init__(self, services: Services, deliveries: Deliveries, policy: PolicyInForce) -> None:
        self._services = services
        self._deliveries = deliveries
        self._policy = policy

    def add_to(self, application: web.Application) -> None:
        """Add the routes."""
        application.router.add_get("/webhooks", self._list)
        application.router.add_post(r"/webhooks/{id:\d{1,15}}/redeliver", self._redeliver)
        application.router.add_get("/webhook-policy", self._read_policy)
        application.router.add_patch("/webhook-policy", self._change_policy)

    async def _list(self, request: web.Request) -> web.Response:
        limit = int(request.query.get("limit", "1000"))
        found = self._deliveries.read(request.query.get("channel"), request.query.get("account"))[-limit:]
        return web.json_response({"lost": self._deliveries.lost, "requests": [delivery_json(each) for each in found]})

    async def _redeliver(self, request: web.Request) -> web.Response:
        delivery = self._deliveries.get(int(request.match_info["id"]))
        if delivery is None:
            raise UnknownTargetError("there is no such request, or no more")
        self._services.named(delivery.channel).redeliver(delivery)
        return web.json_response({})

    async def _read_policy(self, _: web.Request) -> web.Response:
        return web.json_response(dataclasses.asdict(self._policy.current))

    async def _change_policy(self, request: web.Request) -> web.Response:
        changed: JsonObject = dataclasses.asdict(self._policy.current) | await body_of(request)
        self._policy.current = from_table(WebhookPolicy, changed, "policy")
        return web.json_response(changed)
