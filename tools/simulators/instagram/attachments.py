"""Files that are shown by their URL."""

import secrets
from collections.abc import Mapping

from tools.simulators.link_fetch import LinkError, fetch_link
from tools.simulators.media_store import StoredMedia

from .account import InstagramAccount
from .errors import attachment_not_fetched, attachment_refused
from .message_request import MessageRequest

_MB = 1 << 20
CAPS: Mapping[str, int] = {"image": 8 * _MB, "audio": 25 * _MB, "video": 25 * _MB, "file": 25 * _MB}


async def fetch_attachment(account: InstagramAccount, request: MessageRequest) -> StoredMedia | None:
    """The file of a message that has one.

    Raises:
        GraphError: 100 with 2018008 it can't be fetched, or is too large; with 2018047 it isn't of its type.
    """
    kind = request.attachment_type
    if kind is None:
        return None
    try:
        content, mime_type = await fetch_link(account.context.session, request.attachment_url, CAPS[kind])
    except LinkError as error:
        raise attachment_not_fetched(str(error)) from None
    if kind != "file" and not mime_type.startswith(f"{kind}/"):
        raise attachment_refused(f"the file is {mime_type}, and not {kind}")
    return keep(account, content, mime_type, None)


def keep(account: InstagramAccount, content: bytes, mime_type: str, filename: str | None) -> StoredMedia:
    """Keep a file as long as its URL is good."""
    lifetime = account.service.media_lifetime_seconds
    return account.context.media.put(secrets.token_hex(16), account.id, content, mime_type, lifetime, filename)


def url_of(account: InstagramAccount, stored: StoredMedia) -> str:
    """Where everybody who knows the URL gets the file."""
    return f"{account.context.base_url}/instagram/attachments/{stored.id}"


def type_of(mime_type: str) -> str:
    """What an attachment of such a file is called."""
    kind = mime_type.partition("/")[0]
    return kind if kind in CAPS else "file"
