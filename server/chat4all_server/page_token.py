"""Pages: how large they may be, and the tokens that lead from one to the next."""

import base64
import binascii
import hmac

from chat4all_core.domain.errors import InvalidArgumentError, Reason, invalid_field

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 100

_VALUE_BYTES = 8
_TAG_BYTES = 16


def page_size(requested: int) -> int:
    """The size to use: 0 means the default, a larger one than allowed means the largest.

    Raises:
        InvalidArgumentError: it is negative.
    """
    if requested < 0:
        raise invalid_field("page_size", "must not be negative")
    return min(requested, MAX_PAGE_SIZE) or DEFAULT_PAGE_SIZE


class PageTokens:
    """Makes page tokens and takes them back.

    A token holds where the next page begins, and a MAC over it and over the list that it
    belongs to, so a token can be used neither changed, nor for another list, nor by another caller.
    """

    def __init__(self, key: bytes) -> None:
        """`key`: the same in every server, so that any of them serves the next page."""
        self._key = key

    def issue(self, value: int, *scope: str) -> str:
        """A token for a number from 0 to 2^63 - 1. `scope` names the list: method, caller, and whatever else
        of the request must stay as it is."""
        return self._sealed(value.to_bytes(_VALUE_BYTES, "big"), scope)

    def read(self, token: str, *scope: str) -> int:
        """The number in a token.

        Raises:
            InvalidArgumentError: PAGE_TOKEN_INVALID: it was not issued for this scope.
        """
        return int.from_bytes(self._opened(token, scope), "big")

    def issue_text(self, value: str, *scope: str) -> str:
        """A token for a short text. No list has tokens of both kinds."""
        return self._sealed(value.encode(), scope)

    def read_text(self, token: str, *scope: str) -> str:
        """The text in a token. Raises as `read`."""
        return self._opened(token, scope).decode()

    def _sealed(self, value: bytes, scope: tuple[str, ...]) -> str:
        return base64.urlsafe_b64encode(value + self._tag(value, scope)).rstrip(b"=").decode()

    def _opened(self, token: str, scope: tuple[str, ...]) -> bytes:
        sealed = _decode(token)
        value, tag = sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(value, scope)):
            raise InvalidArgumentError("the page token was not issued for this list", reason=Reason.PAGE_TOKEN_INVALID)
        return value

    def _tag(self, value: bytes, scope: tuple[str, ...]) -> bytes:
        # Lengths keep ("ab", "c") apart from ("a", "bc").
        named = "".join(f"{len(part)}:{part}" for part in scope).encode()
        return hmac.digest(self._key, value + named, "sha256")[:_TAG_BYTES]


def _decode(token: str) -> bytes:
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""  # no token has this MAC
