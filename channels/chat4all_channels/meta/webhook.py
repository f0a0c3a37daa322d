"""Webhooks of Meta's platforms: the handshake, and signatures.

Source: developers.facebook.com/docs/graph-api/webhooks/getting-started.
"""

import hmac
from collections.abc import Mapping
from hashlib import sha256

from chat4all_core.setting import Secret

_SIGNATURE = "x-hub-signature-256"


class MetaWebhook:
    """The secrets of one account's app."""

    def __init__(self, app_secret: Secret, verify_token: Secret) -> None:
        self._app_secret = app_secret.value.encode()
        self._verify_token = verify_token.value.encode()

    def verify(self, query: Mapping[str, str]) -> str | None:
        """See ReceivesWebhooks.verify."""
        token = query.get("hub.verify_token", "").encode("utf-8", "replace")
        known = bool(self._verify_token) and hmac.compare_digest(token, self._verify_token)
        return query.get("hub.challenge", "") if known and query.get("hub.mode") == "subscribe" else None

    def authentic(self, headers: Mapping[str, str], body: bytes) -> bool:
        """See ReceivesWebhooks.authentic. The signature is over the bytes as they came: they are never written anew."""
        kind, _, given = headers.get(_SIGNATURE, "").partition("=")
        if kind != "sha256" or not self._app_secret:
            return False
        return hmac.compare_digest(
            hmac.digest(self._app_secret, body, sha256).hex().encode(), given.encode("utf-8", "replace")
        )
