"""The calls about accounts, sessions, and addresses on channels."""

from chat4all.identity.v1 import identity_service_pb2 as pb
from chat4all_sdk import translate
from chat4all_sdk.calls import Calls
from chat4all_sdk.connection import session_from_tokens
from chat4all_sdk.models import Identity, User
from chat4all_sdk.retry import never_sent
from chat4all_sdk.session import Session

__all__ = ["IdentityCalls"]


class IdentityCalls(Calls):
    """Accounts, sessions, and addresses on channels."""

    async def register(self, username: str, password: str, email: str | None = None) -> User:
        """Creates an account; it is not logged in by that. Raises AlreadyExists, InvalidArgument."""
        request = pb.RegisterUserRequest(username=username, password=password, email=email or "")
        response = await self._connection.call(
            self._connection.identity.RegisterUser, request, rule=never_sent, authenticated=False
        )
        return translate.user(response.user)

    async def login(self, username: str, password: str) -> Session:
        """Starts a session, in which all later calls are made. Raises Unauthenticated."""
        request = pb.IssueTokenRequest(username=username, password=password)
        response = await self._connection.call(self._connection.identity.IssueToken, request, authenticated=False)
        session = session_from_tokens(response)
        await self._connection.sessions.replace(session)
        return session

    async def logout(self) -> None:
        """Ends the session on the server and forgets it. Without a session it does nothing."""
        session = self._connection.sessions.session
        if session is None:
            return
        if session.refresh_token:
            request = pb.RevokeTokenRequest(refresh_token=session.refresh_token)
            await self._connection.call(self._connection.identity.RevokeToken, request, authenticated=False)
        await self._connection.sessions.replace(None)

    async def me(self) -> User:
        """The caller's own account."""
        response = await self._connection.call(self._connection.identity.GetCurrentUser, pb.GetCurrentUserRequest())
        return translate.user(response.user)

    async def get_user(self, user_id: str) -> User:
        """An account by its id. Raises NotFound."""
        response = await self._connection.call(self._connection.identity.GetUser, pb.GetUserRequest(user_id=user_id))
        return translate.user(response.user)

    async def find_user(self, username: str) -> User:
        """An account by its name, without case. Raises NotFound."""
        response = await self._connection.call(
            self._connection.identity.FindUser, pb.FindUserRequest(username=username)
        )
        return translate.user(response.user)

    async def link_identity(self, channel: str, address: str, code: str | None = None) -> Identity:
        """Links an address on a channel to the caller's account, in two calls.

        Without a code one is sent to the address (the answer is CODE_SENT), with it the address is LINKED. Raises
        InvalidArgument, AlreadyExists (it is another user's), PermissionDenied (the code is wrong, has expired or
        was tried too often), ResourceExhausted (codes were sent too often).
        """
        request = pb.LinkIdentityRequest(channel=channel, address=address, code=code or "")
        response = await self._connection.call(self._connection.identity.LinkIdentity, request, rule=never_sent)
        return translate.identity(response.identity)

    async def list_identities(self) -> tuple[Identity, ...]:
        """The addresses that are linked to the caller's account."""
        response = await self._connection.call(self._connection.identity.ListIdentities, pb.ListIdentitiesRequest())
        return tuple(translate.identity(identity) for identity in response.identities)

    async def unlink_identity(self, channel: str, address: str) -> None:
        """Gives an address up. Raises NotFound."""
        request = pb.UnlinkIdentityRequest(channel=channel, address=address)
        await self._connection.call(self._connection.identity.UnlinkIdentity, request)
