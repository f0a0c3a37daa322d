"""What the webhook is told."""

from collections.abc import Mapping, Sequence

from tools.simulators.graph.signature import encode, sign
from tools.simulators.json_value import JsonObject
from tools.simulators.webhooks.sender import Format

from .settings import InstagramAccountSettings


def webhook_format(account: InstagramAccountSettings) -> Format:
    """A request with one entry of all its events; its time is the last one's."""

    def body(events: Sequence[JsonObject]) -> bytes:
        entry = {"id": account.instagram_id, "time": events[-1]["timestamp"], "messaging": list(events)}
        return encode({"object": "instagram", "entry": [entry]})

    def headers(content: bytes) -> Mapping[str, str]:
        return sign(content, account.app_secret)

    return Format(body, headers)


def event(sender: str, recipient: str, now: float, content: JsonObject) -> JsonObject:
    """Something happened between two people; now is in seconds since 1970."""
    return {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": int(now * 1000), **content}
