"""Use case: look an account up."""

from chat4all_core.domain.errors import NotFoundError, Reason, invalid_field
from chat4all_core.domain.ids import ParticipantId, UserId
from chat4all_core.domain.user import User
from chat4all_core.ports.user_store import UserStore


class FindUser:
    """Looks accounts up."""

    def __init__(self, *, users: UserStore) -> None:
        self._users = users

    async def by_id(self, user_id: str) -> User:
        """An account by its id.

        Raises:
            NotFoundError: USER_NOT_FOUND.
        """
        user = await self._users.get(UserId(ParticipantId(user_id)))
        if user is None:
            raise NotFoundError(Reason.USER_NOT_FOUND, "there is no such user", {"user_id": user_id})
        return user

    async def by_username(self, username: str) -> User:
        """An account by its username, without case.

        Raises:
            InvalidArgumentError: no username was given.
            NotFoundError: USER_NOT_FOUND.
        """
        if not username:
            raise invalid_field("username", "must not be empty")
        found = await self._users.find(username)
        if found is None:
            raise NotFoundError(Reason.USER_NOT_FOUND, "there is no such user", {"username": username})
        return found[0]
