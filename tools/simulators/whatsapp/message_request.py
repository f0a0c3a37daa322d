"""What is asked for at /{phone_number_id}/messages."""

import re
from dataclasses import dataclass

from tools.simulators.graph.error import bad_parameter, missing_parameter
from tools.simulators.json_value import JsonObject

from .errors import refusal
from .message_types import SHAPES, text_of

MAX_OPAQUE = 512

_NOT_DIGITS = re.compile(r"[+\-()\s]")
_TEMPLATE = "template"


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Mark a customer's message as read."""

    message_id: str
    typing: bool


@dataclass(frozen=True, slots=True)
class MessageRequest:
    """Send a message."""

    to: str | None
    """Digits."""
    recipient: str | None
    """The user id that is known to this business only (BSUID); one of the two is given."""
    input: str
    """The recipient as it was written."""
    type: str
    node: JsonObject
    reply_to: str | None
    opaque: str | None

    @property
    def is_template(self) -> bool:
        """Whether it may be sent outside the window."""
        return self.type == _TEMPLATE

    @property
    def text(self) -> str:
        """What the customer reads."""
        return text_of(self.type, self.node)


def parse(body: JsonObject) -> MessageRequest | ReadRequest:
    """Read a request.

    Raises:
        GraphError: 100, 131008, 131009, 131051: as the service refuses it.
    """
    if body.get("messaging_product") != "whatsapp":
        raise missing_parameter("messaging_product")
    if "status" in body:
        return _read_request(body)
    if body.get("recipient_type", "individual") != "individual":
        raise bad_parameter("Param recipient_type must be one of {INDIVIDUAL}: this number is in no group")
    to, recipient = _text(body, "to"), _text(body, "recipient")
    if not to and not recipient:
        raise missing_parameter("to")
    kind = body.get("type", "text")
    if not isinstance(kind, str) or kind not in SHAPES:
        raise bad_parameter(f"Param type must be one of {{{', '.join(SHAPES).upper()}}} - got {kind!r}.")
    return MessageRequest(
        to=_digits(to) if to else None,
        recipient=recipient,
        input=to or recipient or "",
        type=kind,
        node=_node(body, kind),
        reply_to=_reply_to(body),
        opaque=_opaque(body),
    )


def _read_request(body: JsonObject) -> ReadRequest:
    if body["status"] != "read":
        raise bad_parameter("Param status must be one of {READ}")
    message_id = _text(body, "message_id")
    if not message_id:
        raise missing_parameter("message_id")
    indicator = body.get("typing_indicator")
    if indicator is not None and (not isinstance(indicator, dict) or indicator.get("type") != "text"):
        raise bad_parameter("Param typing_indicator['type'] must be one of {TEXT}")
    return ReadRequest(message_id, indicator is not None)


def _text(body: JsonObject, name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise bad_parameter(f"Param {name} must be a string.")
    return value


def _digits(to: str) -> str:
    digits = _NOT_DIGITS.sub("", to)
    if not digits.isascii() or not digits.isdigit() or not 5 <= len(digits) <= 15:
        raise refusal(131009, f"Param to must be a phone number with its country code - got {to!r}.")
    return digits


def _node(body: JsonObject, kind: str) -> JsonObject:
    node = body.get(kind)
    shape = SHAPES[kind]
    if kind == "contacts" and isinstance(node, list):
        node = {"contacts": node}
    if not isinstance(node, dict):
        raise refusal(131008, f"Parameter '{kind}' is mandatory for type '{kind}'")
    shape(node)
    return node


def _reply_to(body: JsonObject) -> str | None:
    context = body.get("context")
    if context is None:
        return None
    if not isinstance(context, dict) or not isinstance(context.get("message_id"), str):
        raise refusal(131009, "Param context['message_id'] must be a message's id")
    return str(context["message_id"])


def _opaque(body: JsonObject) -> str | None:
    opaque = _text(body, "biz_opaque_callback_data")
    if opaque is not None and len(opaque) > MAX_OPAQUE:
        raise bad_parameter(f"Param biz_opaque_callback_data must be at most {MAX_OPAQUE} characters long.")
    return opaque
