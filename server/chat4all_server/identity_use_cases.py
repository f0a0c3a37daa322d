"""The use cases about accounts, put together: a part of the composition root."""

import secrets
import uuid

from chat4all_core.app.find_user import FindUser
from chat4all_core.app.log_in import LogIn
from chat4all_core.app.refresh_session import RefreshSession, RevokeSession
from chat4all_core.app.register_user import RegisterUser
from chat4all_core.app.tokens import TokenPolicy
from chat4all_core.config import AuthSection
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.engine import Engine
from chat4all_server.security import Security
from chat4all_server.services.identity import IdentityService

_SECONDS_A_DAY = 86_400


def build_identity_service(engine: Engine, security: Security, clock: Clock, auth: AuthSection) -> IdentityService:
    """The service with its use cases."""
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
        refresh_session=RefreshSession(refresh_tokens=engine.refresh_tokens, policy=policy),
        revoke_session=RevokeSession(refresh_tokens=engine.refresh_tokens),
        find_user=FindUser(users=engine.users),
    )


def _new_id() -> str:
    return str(uuid.uuid4())
