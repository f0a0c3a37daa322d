"""Refusals, as the Bot API words them."""

import json
import math
from dataclasses import dataclass

from aiohttp import web
from tools.simulators.json_value import JsonObject


@dataclass(frozen=True, slots=True)
class TelegramError(Exception):
    """A refusal."""

    code: int
    """Also the HTTP status."""
    description: str
    retry_after: int | None = None

    def response(self) -> web.Response:
        """The answer over HTTP."""
        body: JsonObject = {"ok": False, "error_code": self.code, "description": self.description}
        headers = {}
        if self.retry_after is not None:
            body["parameters"] = {"retry_after": self.retry_after}
            headers["Retry-After"] = str(self.retry_after)
        return web.Response(status=self.code, text=json.dumps(body), content_type="application/json", headers=headers)


def bad_request(why: str) -> TelegramError:
    """The request can't be carried out, now or later."""
    return TelegramError(400, f"Bad Request: {why}")


def too_many_requests(seconds: float) -> TelegramError:
    """A limit is used up for so many seconds."""
    wait = max(1, math.ceil(seconds))
    return TelegramError(429, f"Too Many Requests: retry after {wait}", wait)


def blocked() -> TelegramError:
    """The person blocked the bot."""
    return TelegramError(403, "Forbidden: bot was blocked by the user")
