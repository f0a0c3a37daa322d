"""Ids as WhatsApp's look."""

import base64
import secrets


def new_message_id(customer: str) -> str:
    """A message's id."""
    inner = bytes([0x1D, 0x18, len(customer)]) + customer.encode() + secrets.token_bytes(16)
    return f"wamid.{base64.b64encode(inner).decode()}"


def new_object_id() -> str:
    """The id of a file or another node: digits."""
    return str(10**15 + secrets.randbelow(9 * 10**15))
