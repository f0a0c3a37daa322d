"""What the server keeps secrets with."""

import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from chat4all_core.adapters.auth.argon2_password_hasher import Argon2PasswordHasher
from chat4all_core.adapters.auth.jwt_token_issuer import JwtTokenIssuer
from chat4all_core.adapters.auth.key_ring import KeyRing, create_first_key
from chat4all_core.adapters.auth.secret_file import load_or_create_secret
from chat4all_core.adapters.auth.signing_key import Algorithm
from chat4all_core.config import Settings
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.password_hasher import PasswordHasher
from chat4all_core.ports.token_issuer import TokenIssuer


@dataclass(frozen=True, slots=True)
class Security:
    """Passwords, tokens and page tokens."""

    hasher: PasswordHasher
    issuer: TokenIssuer
    page_token_key: bytes = field(repr=False)


@contextmanager
def open_security(settings: Settings, clock: Clock) -> Iterator[Security]:
    """Load the keys. Those that are missing are made, which suits a platform on one machine: several servers
    need the same ones, put there beforehand.

    Raises:
        SecretFileError: a file is there and is no key.
        OSError: a file can't be read or written.
    """
    algorithm = Algorithm(settings.auth.algorithm)
    create_first_key(settings.keys_dir, algorithm)
    issuer = JwtTokenIssuer(
        keys=KeyRing(settings.keys_dir, algorithm),
        issuer=settings.auth.issuer,
        audience=settings.auth.audience,
        lifetime=settings.auth.access_token_seconds,
        clock=clock,
        new_id=lambda: str(uuid.uuid4()),
    )
    page_token_key = load_or_create_secret(settings.data.dir / "page_token_key")
    with closing(Argon2PasswordHasher()) as hasher:
        yield Security(hasher, issuer, page_token_key)
