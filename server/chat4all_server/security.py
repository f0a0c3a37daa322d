"""What the server keeps secrets with."""

from dataclasses import dataclass, field

from chat4all_core.ports.password_hasher import PasswordHasher
from chat4all_core.ports.token_issuer import TokenIssuer


@dataclass(frozen=True, slots=True)
class Security:
    """Passwords, tokens and page tokens."""

    hasher: PasswordHasher
    issuer: TokenIssuer
    page_token_key: bytes = field(repr=False)
    """The same in every server, so that any of them serves the next page, and knows a code that another one sent."""
