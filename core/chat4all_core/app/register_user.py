"""Use case: make an account."""

from collections.abc import Callable

from chat4all_core.domain.errors import AlreadyExistsError, Reason
from chat4all_core.domain.ids import ParticipantId, UserId
from chat4all_core.domain.user import User, check_registration
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.password_hasher import PasswordHasher
from chat4all_core.ports.user_store import UserStore


class RegisterUser:
    """Makes accounts."""

    def __init__(self, *, users: UserStore, hasher: PasswordHasher, clock: Clock, new_id: Callable[[], str]) -> None:
        self._users = users
        self._hasher = hasher
        self._clock = clock
        self._new_id = new_id

    async def __call__(self, username: str, password: str, email: str) -> User:
        """Make an account.

        Raises:
            InvalidArgumentError: a field is wrong.
            AlreadyExistsError: USERNAME_TAKEN.
        """
        check_registration(username, password, email)
        user = User(UserId(ParticipantId(self._new_id())), username, email, self._clock())
        if not await self._users.create(user, await self._hasher.hash(password)):
            raise AlreadyExistsError(Reason.USERNAME_TAKEN, f"the username {username} is taken", {"username": username})
        return user
