"""Faults: put in force, looked at, taken out."""

from aiohttp import web
from tools.simulators.customer_actions import UnknownTargetError
from tools.simulators.faults import Fault, FaultRule, Faults
from tools.simulators.json_value import JsonObject
from tools.simulators.settings import from_table

from .json_bodies import body_of


class FaultHandlers:
    """The handlers."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def add_to(self, application: web.Application) -> None:
        """Add the routes."""
        application.router.add_get("/faults", self._list)
        application.router.add_post("/faults", self._add)
        application.router.add_delete("/faults", self._clear)
        application.router.add_delete(r"/faults/{id:\d{1,15}}", self._remove)

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response({"faults": [_rule_json(rule) for rule in self._faults.rules()]})

    async def _add(self, request: web.Request) -> web.Response:
        fault = from_table(Fault, await body_of(request), "fault")
        return web.json_response(_rule_json(self._faults.add(fault)))

    async def _clear(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return web.json_response({})

    async def _remove(self, request: web.Request) -> web.Response:
        if not self._faults.remove(int(request.match_info["id"])):
            raise UnknownTargetError("there is no such fault")
        return web.json_response({})


def _rule_json(rule: FaultRule) -> JsonObject:
    fault, schedule = rule.fault, rule.fault.schedule
    when = {"next": schedule.next, "every": schedule.every, "chance": schedule.chance}
    return {
        "id": rule.id,
        "channel": fault.channel,
        "kind": fault.kind,
        "account": fault.account,
        "recipient": fault.recipient,
        "schedule": {name: value for name, value in when.items() if value is not None},
        "seconds": fault.seconds,
        "code": fault.code,
        "seen": rule.seen,
        "struck": rule.struck,
    }
