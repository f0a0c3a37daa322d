"""What is asked for at /{ig_id}/messages."""

from dataclasses import dataclass

from tools.simulators.graph.error import bad_parameter, missing_parameter
from tools.simulators.json_value import JsonObject

MAX_TEXT_BYTES = 1_000
ATTACHMENTS = ("image", "video", "audio", "file")
ACTIONS = ("mark_seen", "typing_on", "typing_off", "react", "unreact")

_TAG = "HUMAN_AGENT"


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """Something short of a message."""

    recipient: str
    action: str
    message_id: str | None
    """What is reacted to."""
    reaction: str


@dataclass(frozen=True, slots=True)
class MessageRequest:
    """Send a text, or a file."""

    recipient: str
    text: str
    attachment_type: str | None
    attachment_url: str
    reply_to: str | None
    is_agent: bool
    """Whether a human wrote it, who may be slower."""

    @property
    def type(self) -> str:
        """What it is called in the log."""
        return self.attachment_type or "text"


def parse(body: JsonObject) -> MessageRequest | ActionRequest:
    """Read a request.

    Raises:
        GraphError: 100: as the service refuses it.
    """
    recipient = body.get("recipient")
    if not isinstance(recipient, dict) or not isinstance(recipient.get("id"), str):
        raise missing_parameter("recipient")
    if "sender_action" in body:
        return _action(recipient["id"], body)
    message = body.get("message")
    if not isinstance(message, dict):
        raise missing_parameter("message")
    if body.get("tag", _TAG) != _TAG:
        raise bad_parameter(f"Param tag must be one of {{{_TAG}}}")
    return _message(recipient["id"], message, body)


def _action(recipient: str, body: JsonObject) -> ActionRequest:
    action, payload = body["sender_action"], body.get("payload") or {}
    if action not in ACTIONS:
        raise bad_parameter(f"Param sender_action must be one of {{{', '.join(ACTIONS).upper()}}}")
    if action not in ("react", "unreact"):
        return ActionRequest(recipient, action, None, "")
    if not isinstance(payload, dict) or not isinstance(payload.get("message_id"), str):
        raise missing_parameter("payload[message_id]")
    if action == "react" and not payload.get("reaction"):
        raise missing_parameter("payload[reaction]")
    return ActionRequest(recipient, action, payload["message_id"], str(payload.get("reaction", "")))


def _message(recipient: str, message: JsonObject, body: JsonObject) -> MessageRequest:
    text, attachment = message.get("text"), message.get("attachment")
    if (text is None) == (attachment is None):
        raise bad_parameter("Param message must have one of text and attachment")
    kind, url = (None, "") if attachment is None else _attachment(attachment)
    if text is not None:
        _check_text(text)
    reply = body.get("reply_to") or message.get("reply_to") or {}
    if not isinstance(reply, dict) or not isinstance(reply.get("mid"), str | None):
        raise bad_parameter("Param reply_to must have a mid")
    return MessageRequest(recipient, text or "", kind, url, reply.get("mid"), body.get("tag") == _TAG)


def _check_text(text: object) -> None:
    if not isinstance(text, str) or not text:
        raise bad_parameter("Param message[text] must be a non-empty UTF-8 encoded string")
    if len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
        raise bad_parameter(f"Length of param message[text] must be less than or equal to {MAX_TEXT_BYTES}")


def _attachment(attachment: object) -> tuple[str, str]:
    payload = attachment.get("payload") if isinstance(attachment, dict) else None
    if not isinstance(attachment, dict) or not isinstance(payload, dict):
        raise missing_parameter("message[attachment][payload]")
    kind, url = attachment.get("type"), payload.get("url")
    if kind not in ATTACHMENTS:
        raise bad_parameter(f"Param message[attachment][type] must be one of {{{', '.join(ATTACHMENTS).upper()}}}")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise bad_parameter("Param message[attachment][payload][url] must be a URL")
    return kind, url
