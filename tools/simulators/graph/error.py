"""Errors of the Graph API, which WhatsApp and Instagram share."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web
from tools.simulators.json_value import JsonObject


@dataclass(frozen=True, slots=True)
class GraphError(Exception):
    """A refusal, as the service words it."""

    status: int
    """The HTTP status."""
    code: int
    message: str
    type: str = "OAuthException"
    subcode: int | None = None
    details: str | None = None
    """WhatsApp's error_data.details."""
    is_transient: bool | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> JsonObject:
        """The answer."""
        error: JsonObject = {"message": self.message, "type": self.type, "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.is_transient is not None:
            error["is_transient"] = self.is_transient
        if self.details is not None:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        return {"error": error | {"fbtrace_id": f"A{secrets.token_urlsafe(16)}"}}

    def response(self) -> web.Response:
        """The answer over HTTP."""
        return web.Response(
            status=self.status, text=json.dumps(self.body()), content_type="application/json", headers=self.headers
        )


def missing_parameter(name: str) -> GraphError:
    """A required parameter isn't there."""
    return GraphError(400, 100, f"(#100) The parameter {name} is required.")


def bad_parameter(message: str) -> GraphError:
    """A parameter can't be used."""
    return GraphError(400, 100, f"(#100) {message}")


def unknown_object(object_id: str, method: str) -> GraphError:
    """There is no such node, or the token may not see it."""
    verb = method.lower()
    return GraphError(
        400,
        100,
        f"Unsupported {verb} request. Object with ID '{object_id}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation. Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api",
        type="GraphMethodException",
        subcode=33,
    )
