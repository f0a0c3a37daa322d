"""The file of a message: uploaded before, or fetched from its link."""

from dataclasses import dataclass

from tools.simulators.link_fetch import LinkError, fetch_link
from tools.simulators.media_store import MediaFacts

from .account import WhatsAppAccount
from .errors import refusal
from .media_types import CAPS, problem_with
from .message_ids import new_object_id
from .message_request import MessageRequest
from .message_types import MEDIA_TYPES


@dataclass(frozen=True, slots=True)
class MessageMedia:
    """What was found."""

    id: str | None = None
    facts: MediaFacts | None = None
    problem: str | None = None
    """Why the message will fail though it is accepted."""


async def media_of(account: WhatsAppAccount, request: MessageRequest) -> MessageMedia:
    """The file that a message names, if it is of a type that has one. A link that can't be fetched is told by a
    failed status, an unknown id at once.

    Raises:
        GraphError: 131009, no such upload of this number, or it expired.
    """
    if request.type not in MEDIA_TYPES:
        return MessageMedia()
    if "link" in request.node:
        return await _fetched(account, request.type, request.node["link"])
    stored = account.context.media.get(request.node["id"])
    if stored is None or stored.owner != account.id:
        raise refusal(131009, f"Param {request.type}['id'] isn't the id of a file that this number has.")
    return MessageMedia(stored.id, stored.facts, problem_with(stored.facts.mime_type, stored.facts.size, request.type))


async def _fetched(account: WhatsAppAccount, kind: str, link: str) -> MessageMedia:
    context = account.context
    try:
        content, mime_type = await fetch_link(context.session, link, CAPS[kind])
    except LinkError as error:
        return MessageMedia(problem=f"Downloading media from weblink failed: {error}")
    stored = context.media.put(new_object_id(), account.id, content, mime_type, account.limits.upload_lifetime_seconds)
    return MessageMedia(stored.id, stored.facts, problem_with(mime_type, len(content), kind))
