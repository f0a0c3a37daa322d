"""The bytes of a webhook and their signature."""

import hashlib
import hmac
import json
from collections.abc import Mapping

from tools.simulators.json_value import JsonObject

HEADER = "X-Hub-Signature-256"


def encode(payload: JsonObject) -> bytes:
    """The payload as it is sent and signed: whatever is not ASCII as \\uXXXX in lower case, slashes escaped. Whoever
    parses and writes it again gets other bytes."""
    return json.dumps(payload, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def sign(body: bytes, app_secret: str) -> Mapping[str, str]:
    """The headers that prove who sends a body."""
    digest = hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()
    return {HEADER: f"sha256={digest}", "Content-Type": "application/json", "User-Agent": "facebookexternalua"}
