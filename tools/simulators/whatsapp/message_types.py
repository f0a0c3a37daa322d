"""The types of messages, and what each must hold."""

from collections.abc import Callable, Mapping
from typing import Any

from tools.simulators.graph.error import GraphError, bad_parameter
from tools.simulators.json_value import JsonObject

from .errors import refusal

MAX_TEXT = 4_096
MAX_CAPTION = 1_024
MEDIA_TYPES = frozenset({"image", "audio", "video", "document", "sticker"})

_INTERACTIVE = frozenset(
    {
        "button",
        "list",
        "cta_url",
        "flow",
        "product",
        "product_list",
        "catalog_message",
        "location_request_message",
        "voice_call",
        "call_permission_request",
        "carousel",
        "address_message",
    }
)
_CAPTIONED = frozenset({"image", "video", "document"})


def _text(node: JsonObject) -> None:
    _require_string(node, "text", "body", MAX_TEXT)


def _media(kind: str) -> Callable[[JsonObject], None]:
    def check(node: JsonObject) -> None:
        given = [name for name in ("id", "link") if node.get(name)]
        if len(given) != 1 or not isinstance(node[given[0]], str):
            raise refusal(131008, f"Parameter '{kind}' needs one of 'id' and 'link'")
        if "caption" in node:
            if kind not in _CAPTIONED:
                raise bad_parameter(f'Unexpected key "caption" on param "{kind}".')
            _require_string(node, kind, "caption", MAX_CAPTION)
        if "filename" in node and kind != "document":
            raise bad_parameter(f'Unexpected key "filename" on param "{kind}".')

    return check


def _location(node: JsonObject) -> None:
    for name in ("latitude", "longitude"):
        try:
            float(node[name])
        except (KeyError, TypeError, ValueError):
            raise _mandatory("location", name) from None


def _contacts(node: JsonObject) -> None:
    contacts = node.get("contacts")
    if not isinstance(contacts, list) or not contacts:
        raise _mandatory("contacts", "name")
    for contact in contacts:
        name = contact.get("name") if isinstance(contact, dict) else None
        _require_string(name if isinstance(name, dict) else {}, "contacts.name", "formatted_name", 512)


def _interactive(node: JsonObject) -> None:
    if not isinstance(node.get("type"), str) or node["type"] not in _INTERACTIVE:
        raise refusal(131009, f"Param interactive['type'] must be one of {{{', '.join(sorted(_INTERACTIVE))}}}")
    if not isinstance(node.get("action"), dict):
        raise _mandatory("interactive", "action")
    if node["type"] in ("button", "list", "cta_url"):
        body = node.get("body")
        if not isinstance(body, dict):
            raise _mandatory("interactive", "body")
        _require_string(body, "interactive.body", "text", MAX_TEXT if node["type"] == "list" else 1_024)


def _template(node: JsonObject) -> None:
    _require_string(node, "template", "name", 512)
    language = node.get("language")
    if not isinstance(language, dict) or not isinstance(language.get("code"), str):
        raise _mandatory("template", "language.code")
    if not isinstance(node.get("components", []), list):
        raise bad_parameter("Param template['components'] must be an array.")


def _reaction(node: JsonObject) -> None:
    _require_string(node, "reaction", "message_id", 512)
    if not isinstance(node.get("emoji"), str):
        raise _mandatory("reaction", "emoji")


SHAPES: Mapping[str, Callable[[JsonObject], None]] = {
    "text": _text,
    **{kind: _media(kind) for kind in sorted(MEDIA_TYPES)},
    "location": _location,
    "contacts": _contacts,
    "interactive": _interactive,
    "template": _template,
    "reaction": _reaction,
}
"""What checks the node of each type; it raises GraphError."""


def text_of(kind: str, node: JsonObject) -> str:
    """What the customer reads, in short."""
    match kind:
        case "text":
            return str(node["body"])
        case "reaction":
            return str(node["emoji"])
        case "location":
            return f"{node['latitude']}, {node['longitude']}"
        case "contacts":
            return ", ".join(contact["name"]["formatted_name"] for contact in node["contacts"])
        case "interactive":
            body = node.get("body")
            return str(body.get("text", "")) if isinstance(body, dict) else ""
        case "template":
            return str(node["name"])
        case _:
            return str(node.get("caption") or node.get("filename") or "")


def _require_string(node: JsonObject, of: str, name: str, limit: int) -> None:
    value: Any = node.get(name)
    if not isinstance(value, str) or not value:
        raise _mandatory(of, name)
    if len(value) > limit:
        raise bad_parameter(f"Param {of}['{name}'] must be at most {limit} characters long.")


def _mandatory(of: str, name: str) -> GraphError:
    return refusal(131008, f"Parameter '{name}' is mandatory for '{of}'")
