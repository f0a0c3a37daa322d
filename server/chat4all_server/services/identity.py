"""chat4all.identity.v1.IdentityService."""

from chat4all.identity.v1 import identity_service_pb2 as pb
from chat4all.identity.v1 import identity_service_pb2_grpc as grpc_pb
from chat4all_core.app.find_user import FindUser
from chat4all_core.app.link_identity import LinkIdentity
from chat4all_core.app.log_in import LogIn
from chat4all_core.app.own_identities import OwnIdentities
from chat4all_core.app.refresh_session import RefreshSession, RevokeSession
from chat4all_core.app.register_user import RegisterUser
from chat4all_server.interceptors.authentication import caller
from chat4all_server.interceptors.interceptor import Context
from chat4all_server.translate import identity_to_proto, user_to_proto

_PATH = "/chat4all.identity.v1.IdentityService/"

PUBLIC_METHODS = (
    _PATH + "RegisterUser",
    _PATH + "IssueToken",
    _PATH + "RefreshToken",
    _PATH + "RevokeToken",
)
"""Those that are called by people who have no access token yet, or no longer."""

_TOKEN_TYPE = "Bearer"


class IdentityService(grpc_pb.IdentityServiceServicer):
    """Accounts and sessions."""

    def __init__(
        self,
        *,
        register_user: RegisterUser,
        log_in: LogIn,
        refresh_session: RefreshSession,
        revoke_session: RevokeSession,
        find_user: FindUser,
        link_identity: LinkIdentity,
        own_identities: OwnIdentities,
    ) -> None:
        self._register_user = register_user
        self._log_in = log_in
        self._refresh_session = refresh_session
        self._revoke_session = revoke_session
        self._find_user = find_user
        self._link_identity = link_identity
        self._own_identities = own_identities

    async def RegisterUser(self, request: pb.RegisterUserRequest, context: Context) -> pb.RegisterUserResponse:
        """See the contract."""
        user = await self._register_user(request.username, request.password, request.email)
        return pb.RegisterUserResponse(user=user_to_proto(user, with_email=True))

    async def IssueToken(self, request: pb.IssueTokenRequest, context: Context) -> pb.IssueTokenResponse:
        """See the contract."""
        tokens = await self._log_in(request.username, request.password)
        return pb.IssueTokenResponse(
            access_token=tokens.access_token,
            token_type=_TOKEN_TYPE,
            expires_in=tokens.expires_in,
            refresh_token=tokens.refresh_token,
        )

    async def RefreshToken(self, request: pb.RefreshTokenRequest, context: Context) -> pb.RefreshTokenResponse:
        """See the contract."""
        tokens = await self._refresh_session(request.refresh_token)
        return pb.RefreshTokenResponse(
            access_token=tokens.access_token,
            token_type=_TOKEN_TYPE,
            expires_in=tokens.expires_in,
            refresh_token=tokens.refresh_token,
        )

    async def RevokeToken(self, request: pb.RevokeTokenRequest, context: Context) -> pb.RevokeTokenResponse:
        """See the contract."""
        await self._revoke_session(request.refresh_token)
        return pb.RevokeTokenResponse()

    async def GetCurrentUser(self, request: pb.GetCurrentUserRequest, context: Context) -> pb.GetCurrentUserResponse:
        """See the contract."""
        user = await self._find_user.by_id(caller().user_id)
        return pb.GetCurrentUserResponse(user=user_to_proto(user, with_email=True))

    async def GetUser(self, request: pb.GetUserRequest, context: Context) -> pb.GetUserResponse:
        """See the contract."""
        user = await self._find_user.by_id(request.user_id)
        return pb.GetUserResponse(user=user_to_proto(user, with_email=user.user_id == caller().user_id))

    async def FindUser(self, request: pb.FindUserRequest, context: Context) -> pb.FindUserResponse:
        """See the contract."""
        user = await self._find_user.by_username(request.username)
        return pb.FindUserResponse(user=user_to_proto(user, with_email=user.user_id == caller().user_id))

    async def LinkIdentity(self, request: pb.LinkIdentityRequest, context: Context) -> pb.LinkIdentityResponse:
        """See the contract."""
        outcome = await self._link_identity(caller().user_id, request.channel, request.address, request.code)
        return pb.LinkIdentityResponse(identity=identity_to_proto(outcome))

    async def ListIdentities(self, request: pb.ListIdentitiesRequest, context: Context) -> pb.ListIdentitiesResponse:
        """See the contract."""
        identities = await self._own_identities.list(caller().user_id)
        return pb.ListIdentitiesResponse(identities=map(identity_to_proto, identities))

    async def UnlinkIdentity(self, request: pb.UnlinkIdentityRequest, context: Context) -> pb.UnlinkIdentityResponse:
        """See the contract."""
        await self._own_identities.unlink(caller().user_id, request.channel, request.address)
        return pb.UnlinkIdentityResponse()
