"""Ids as Instagram's look."""

import base64
import secrets


def new_message_id() -> str:
    """A message's mid."""
    inner = base64.urlsafe_b64encode(b"ig_item:1:IGMessage:" + secrets.token_bytes(24)).decode()
    return inner.replace("=", "ZD")
