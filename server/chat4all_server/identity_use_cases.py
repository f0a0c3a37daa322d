"""The use cases about accounts, put together: a part of the composition root."""

import secrets
import uuid
from collections.abc import Collection

from chat4all_core.app.find_user import FindUser
from chat4all_core.app.link_identity import CODE_DIGITS, LinkIdentity
from chat4all_core.app.log_in import LogIn
from chat4all_core.app.own_identities import OwnIdentities
from chat4all_core.app.refresh_session import RefreshSession, RevokeSession
from chat4all_core.app.register_user import RegisterUser
from chat4all_core.app.request_deliveries import RequestDeliveries
from chat4all_core.app.tokens import TokenPolicy
from chat4all_core.config import AuthSection
from chat4all_core.domain.channel import Capabilities
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.engine import Engine
from chat4all_core.ports.event_codec import EventCodec
from chat4all_core.ports.rate_limiter import RateLimiter
from chat4all_server.security import Security
from chat4all_server.services.identity import IdentityService

_SECONDS_A_DAY = 86_400


def build_identity_service(
    engine: Engine,
    security: Security,
    channels: Collection[Capabilities],
    limiter: RateLimiter,
    codec: EventCodec,
    clock: Clock,
    auth: AuthSection,
) -> IdentityService:
    """The service with its use cases. `channels` are those on which people can be reached."""
    policy = TokenPolicy(
        issuer=security.issuer,
        clock=clock,
        new_secret=lambda: secrets.token_urlsafe(32),
        refresh_lifetime=auth.refresh_token_days * _SECONDS_A_DAY,
    )
    return IdentityService(
        register_user=RegisterUser(users=engine.users, hasher=security.hasher, clock=clock, new_id=_new_id),
        log_in=LogIn(
            users=engine.users,
            refresh_tokens=engine.refresh_tokens,
            hasher=security.hasher,
            policy=policy,
            new_id=_new_id,
        ),
        refresh_session=RefreshSession(users=engine.users, refresh_tokens=engine.refresh_tokens, policy=policy),
        revoke_session=RevokeSession(refresh_tokens=engine.refresh_tokens),
        find_user=FindUser(users=engine.users),
        link_identity=LinkIdentity(
            identities=engine.identities,
            codes=engine.link_codes,
            channels=channels,
            request_deliveries=RequestDeliveries(log=engine.log, codec=codec),
            limiter=limiter,
            clock=clock,
            new_id=_new_id,
            new_code=_new_code,
            key=security.page_token_key,
        ),
        own_identities=OwnIdentities(engine.identities),
    )


def _new_code() -> str:
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


def _new_id() -> str:
    return str(uuid.uuid4())
