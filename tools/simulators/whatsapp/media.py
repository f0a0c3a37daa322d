"""Uploads, their facts, their bytes, and deletion."""

import hashlib
import hmac
import secrets
from collections.abc import Callable

from aiohttp import web
from tools.simulators.graph.access_token import token_of
from tools.simulators.graph.error import GraphError, bad_parameter, missing_parameter, unknown_object
from tools.simulators.media_store import StoredMedia

from .account import WhatsAppAccount
from .media_types import CAPS, MIME_TYPES, problem_with
from .message_ids import new_object_id

AccountOfToken = Callable[[str], WhatsAppAccount]
"""The account whose token it is; GraphError when there is none."""


async def upload(account: WhatsAppAccount, request: web.Request) -> web.Response:
    """POST /{phone_number_id}/media."""
    if request.content_type != "multipart/form-data":
        raise bad_parameter("Invalid parameter: the body must be multipart/form-data")
    form = await request.post()
    if form.get("messaging_product") != "whatsapp":
        raise missing_parameter("messaging_product")
    file = form.get("file")
    if not isinstance(file, web.FileField):
        raise missing_parameter("file")
    mime_type = str(form.get("type") or file.content_type).partition(";")[0].strip().lower()
    content = file.file.read()
    kind = MIME_TYPES.get(mime_type, "document")
    if kind == "sticker" and len(content) > CAPS[kind]:
        kind = "document"
    problem = problem_with(mime_type, len(content), kind)
    if problem is not None:
        raise bad_parameter(problem)
    lifetime = account.limits.upload_lifetime_seconds
    stored = account.context.media.put(new_object_id(), account.id, content, mime_type, lifetime, file.filename)
    return web.json_response({"id": stored.id})


def describe(account: WhatsAppAccount, media_id: str, key: bytes) -> web.Response:
    """GET /{media_id}: where the bytes are, for some minutes."""
    stored = _stored(account, media_id, "GET")
    expires = int(account.context.now() + account.limits.media_url_lifetime_seconds)
    signature = _signature(key, media_id, expires)
    url = f"{account.context.base_url}/whatsapp/attachments/?mid={media_id}&ext={expires}&hash={signature}"
    return web.json_response(
        {
            "url": url,
            "mime_type": stored.facts.mime_type,
            "sha256": stored.facts.sha256,
            "file_size": stored.facts.size,
            "id": media_id,
            "messaging_product": "whatsapp",
        }
    )


def delete(account: WhatsAppAccount, media_id: str) -> web.Response:
    """DELETE /{media_id}."""
    _stored(account, media_id, "DELETE")
    account.context.media.remove(media_id)
    return web.json_response({"success": True})


def download(account_of: AccountOfToken, request: web.Request, key: bytes) -> web.Response:
    """GET of the URL that `describe` gave; it needs the token too. An old URL is unknown."""
    account = account_of(token_of(request))
    media_id, expires = request.query.get("mid", ""), request.query.get("ext", "")
    if not expires.isascii() or not expires.isdigit() or int(expires) <= account.context.now():
        raise GraphError(404, 100, "URL signature expired")
    if not hmac.compare_digest(_signature(key, media_id, int(expires)), request.query.get("hash", "")):
        raise GraphError(403, 100, "Bad URL hash")
    stored = _stored(account, media_id, "GET")
    return web.Response(body=stored.content, content_type=stored.facts.mime_type)


def new_key() -> bytes:
    """What URLs are signed with."""
    return secrets.token_bytes(32)


def _stored(account: WhatsAppAccount, media_id: str, method: str) -> StoredMedia:
    stored = account.context.media.get(media_id)
    if stored is None or stored.owner != account.id:
        raise unknown_object(media_id, method)
    return stored


def _signature(key: bytes, media_id: str, expires: int) -> str:
    return hmac.new(key, f"{media_id}:{expires}".encode(), hashlib.sha256).hexdigest()
