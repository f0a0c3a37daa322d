"""WhatsApp's own errors: statuses, titles and details as the service words them."""

import json
import math
from collections.abc import Mapping

from tools.simulators.graph.error import GraphError
from tools.simulators.json_value import JsonObject

_HREF = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"

_TABLE: Mapping[int, tuple[int, str, str]] = {
    4: (429, "Application request limit reached", "The app has reached its API call rate limit."),
    80007: (429, "Rate limit issues", "The WhatsApp Business Account has reached its rate limit."),
    130429: (
        429,
        "Rate limit hit",
        "Message failed to send because there were too many messages sent from this phone number in a short period of "
        "time.",
    ),
    131008: (400, "Required parameter is missing", "Required parameter is missing"),
    131009: (400, "Parameter value is not valid", "Parameter value is not valid"),
    131026: (400, "Message undeliverable", "Message Undeliverable."),
    131047: (
        400,
        "Re-engagement message",
        "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
    ),
    131051: (400, "Unsupported message type", "Message type is currently not supported."),
    131053: (400, "Media upload error", "Unable to upload the media used in the message."),
    131056: (
        400,
        "(Business Account, Consumer Account) pair rate limit hit",
        "Message failed to send because there were too many messages sent from this phone number to the same phone "
        "number in a short period of time.",
    ),
    132000: (
        400,
        "Number of parameters does not match the expected number of params",
        "The number of variable parameter values included in the request did not match the number of variable "
        "parameters defined in the template.",
    ),
    132001: (404, "Template name does not exist in the translation", "The template does not exist in the language."),
}


def refusal(code: int, details: str | None = None, headers: Mapping[str, str] | None = None) -> GraphError:
    """An error as an answer."""
    status, title, usual = _TABLE[code]
    return GraphError(status, code, f"(#{code}) {title}", details=details or usual, headers=headers or {})


def status_error(code: int, details: str | None = None) -> JsonObject:
    """An error as a failed status tells it."""
    _, title, usual = _TABLE[code]
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": details or usual},
        "href": _HREF,
    }


def throttle_headers(business_account_id: str, seconds: float) -> Mapping[str, str]:
    """What a throttled request is told: when to come back, in seconds and (rounded up) in minutes."""
    usage = {
        "type": "whatsapp",
        "call_count": 100,
        "total_cputime": 25,
        "total_time": 25,
        "estimated_time_to_regain_access": max(1, math.ceil(seconds / 60)),
    }
    return {
        "Retry-After": str(max(1, math.ceil(seconds))),
        "X-Business-Use-Case-Usage": json.dumps({business_account_id: [usage]}),
    }
